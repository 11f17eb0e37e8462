"""Searches, drawn and chosen: scores and models are scikit-learn's own, to the last bit."""

from pathlib import Path

import pytest

from iris_hpo_tests.comparison.draws import draw
from iris_hpo_tests.comparison.known_faults import KNOWN
from iris_hpo_tests.comparison.sides import Search, compare

SAMPLE = {*range(17)} - {4}
"""Seeds of the searches that every run of the tests compares; the one of 4 takes too long."""

ALL = range(120)

REFUSED = {
    89: 'balanced weights of the texts "1" and "2" in a forest',
    102: "probabilities of a class that the test rows lack",
}
"""Seeds of searches that scikit-learn cannot score, and why."""


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(seed, id=f"seed {seed}", marks=() if seed in SAMPLE else pytest.mark.slow)
        for seed in ALL
    ],
)
def test_a_search_finds_what_scikit_learn_finds(seed: int, tmp_path: Path) -> None:
    search = draw(seed)

    differences, expected = compare(search, tmp_path)

    assert differences == [], f"{search.recipe} by {search.scoring}, on {search.engine}"
    assert any(outcome.scores for outcome in expected) == (seed not in REFUSED)


@pytest.mark.parametrize("search", KNOWN.values(), ids=KNOWN)
def test_a_fault_that_was_once_made_is_not_made_again(search: Search, tmp_path: Path) -> None:
    differences, expected = compare(search, tmp_path)

    assert differences == []
    assert all(outcome.scores for outcome in expected)
