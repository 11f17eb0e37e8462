"""Results made by hand: an SVM's grid of six candidates, of which one failed."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from iris_hpo.selection.champion import CHAMPION
from iris_hpo.selection.leaderboard import leaderboard
from iris_hpo.selection.results import Results
from iris_hpo.selection.rules import Scored, select
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.store.digests import digest_of
from iris_hpo.training.cards import ModelCard, ScoreCard, dump_model
from iris_hpo_tests.selection.champions import champion_card

FAILED = "C8.0_Krbf"
PROPOSALS = {
    "C80.0_Klinear": {"sampler": "tpe", "number": 4, "results_known": 3},
    FAILED: {"sampler": "random", "number": 6, "results_known": 6},
}
"""How two of them may have been proposed: one with a score, and the one that failed."""

SHRINKING = Axis("shrink", "S", type="bool", values=[False, True], when={"kernel": "linear"})
"""An axis that some of the candidates do not have."""


@cache
def champion_model() -> bytes:
    """A fitted model of two features."""
    from sklearn.svm import SVC

    return dump_model(SVC(C=8.0).fit([[0.0, 1.0], [1.0, 0.0], [0.1, 0.9]], ["b", "a", "b"]))


def make_results(folds: int = 3, more: Sequence[Axis] = (), **changes: Any) -> Results:
    """Make the results; the better, the greater C. More axes have the values that they list."""
    space = ParameterSpace(
        [
            Axis("C", "C", parameter="svc__C", positive=True, simplest="low"),
            Axis("kernel", "K", type="str", nullable=True, parameter="svc__kernel"),
            *more,
        ]
    )
    values = [axis.values for axis in more]
    candidates = list(space.grid([(0.5, 2.0, 80.0), (None, "linear"), *values]))
    models = {
        candidate.key: ModelCard(
            **_card(candidate.key, space.parameters(candidate)),
            digest=digest_of(champion_model()),
            bytes=len(champion_model()),
            training_rows=3,
            training_digest="",
            support_vectors=None,
            versions={},
        )
        for candidate in candidates
    }
    scores = {
        candidate.key: ScoreCard(
            **_card(candidate.key, space.parameters(candidate)),
            model_version=models[candidate.key].version,
            split_version="",
            parameters_version="",
            scoring="accuracy",
            score=0.5 + at / 20,
            metrics={"f1 (macro)": at / 10},
            correct=None,
            total=None,
            interval=None,
            fold_scores=[0.4 + at / 20 + fold / 100 for fold in range(folds)],
        )
        for at, candidate in enumerate(candidates)
    }
    scored = [Scored(each, scores[each.key].evaluation) for each in candidates]
    rule = "cv" if folds else "test_score"
    rows = leaderboard(select(scored, space, "accuracy", rule))
    best = str(rows[0]["candidate"])
    results = Results(
        name="svm",
        task="classification",
        space=space,
        champion=champion_card(
            key=best,
            parameters=models[best].parameters,
            rule=rule,
            feature_names=["length", "width"],
            versions={"python": "3.11", "scikit-learn": "1.6.0"},
            digest=digest_of(champion_model()),
        ),
        rows=rows,
        models=models,
        scores=scores,
        order=[candidate.key for candidate in candidates],
        failures={FAILED: "ValueError: no kernel"},
        proposals={},
        read=_read,
    )
    return replace(results, **changes)


def _card(key: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": key,
        "parameters": parameters,
        "fingerprint": "",
        "convergence_warnings": 0,
        "seconds": 0.25,
        "run_id": "run",
    }


def _read(name: str, digest: str) -> bytes:
    assert name == CHAMPION or name.startswith("models/model_")
    assert digest == digest_of(champion_model())
    return champion_model()
