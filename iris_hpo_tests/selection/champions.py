"""The card of a champion, made by hand."""

from dataclasses import replace
from typing import Any

from iris_hpo.selection.champion import ChampionCard

ESTIMATE = {"value": 0.9311, "low": 0.8834, "high": 0.9761, "method": "drawn", "kind": "bbc"}
DEFAULT = {"name": "default", "score": 0.9, "cv_mean": 0.91} | {
    "value": 0.9067,
    "gain": 0.0312,
    "low": 0.0111,
    "high": 0.0597,
}
BASELINE = {"name": "baseline", "score": 0.33, "cv_mean": 0.33} | {
    "value": 0.3333,
    "gain": 0.5978,
    "low": 0.5123,
    "high": 0.6789,
}


def champion_card(**changes: Any) -> ChampionCard:
    """Make the card of a champion that is all a user can hope for, but for these fields."""
    card = ChampionCard(
        key="C32.0_G0.016",
        parameters={"C": 32.0, "gamma": 0.016},
        digest="0" * 64,
        model_version="1" * 64,
        rule="test_score",
        scoring="accuracy",
        score=29 / 30,
        interval=[0.83, 0.99],
        cv_mean=0.9417,
        tied=9,
        leaderboard_digest="2" * 64,
        edges=[],
        feature_names=["x0"],
        target_name="class",
        versions={},
        refit="train",
        training_rows=120,
        estimate=ESTIMATE,
        as_good=[f"C{c}" for c in range(34)],
        references=[DEFAULT, BASELINE],
        test_rows=30,
        fold_test={"shares": [0.05, 0.1], "p_value": 0.4},
    )
    return replace(card, **changes)


EARLIER: dict[str, None] = dict.fromkeys(
    ("refit", "training_rows", "estimate", "as_good", "references", "test_rows", "fold_test")
)
"""Changes that make the card one of an earlier version."""
