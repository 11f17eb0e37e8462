"""A user learns what the sampler and the budget in force do not do."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from iris_hpo.orchestration.sampling import Sampling
from iris_hpo.orchestration.sampling_notes import sampling_notes
from iris_hpo.orchestration.study import Study
from iris_hpo.parts import Part
from iris_hpo.run_settings import BudgetSettings
from iris_hpo.samplers.source import CandidateSource
from iris_hpo.space.axes import Axis
from iris_hpo_tests.orchestration.test_drawing import bowl_spec
from iris_hpo_tests.projects import SpecProject

PLANE = (Axis("x", "X", low=0.0, high=2.0), Axis("y", "Y", low=-2.0, high=2.0))


@pytest.fixture
def sampling(tmp_path: Path, instance: dg.DagsterInstance) -> Callable[..., Sampling]:
    def make(sampler: str, axes: Sequence[Axis] = PLANE, **budget: Any) -> Sampling:
        spec = bowl_spec(
            tmp_path, sampler=Part(sampler), axes=axes, budget=BudgetSettings(**budget)
        )
        project = SpecProject(tmp_path, instance, spec)
        return Study(spec, instance, project.storage).sampling

    return make


def test_nothing_is_noted_where_all_is_as_described(sampling: Callable[..., Sampling]) -> None:
    steps = (Axis("x", "X", low=0.0, high=2.0, step=0.5), PLANE[1])
    assert sampling_notes(sampling("random", candidates=7), ()) == []
    assert sampling_notes(sampling("files", steps), ()) == []


def test_a_condition_that_is_never_met_is_noted(sampling: Callable[..., Sampling]) -> None:
    axes = [
        Axis("x", "X", values=[1.0, 2.0]),
        Axis("y", "Y", low=0.0, high=1.0, when={"x": 3}),
    ]
    assert sampling_notes(sampling("random", axes), ()) == [
        "no candidate where the sampler looks has y: the condition (when) is never met"
    ]


def test_a_range_without_none_and_what_the_sampler_says_are_noted(
    sampling: Callable[..., Sampling], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CandidateSource, "sampler_notes", ("`old` has been deprecated.",))
    axes = [
        Axis("x", "X", type="int", nullable=True, low=1, high=3),
        Axis("y", "Y", type="int", nullable=True, values=[1, None]),
    ]
    assert sampling_notes(sampling("random", axes), ()) == [
        (
            "none is not in the range of x, and is not tried; list values instead, none among "
            "them, if it should be"
        ),
        "the sampler random: `old` has been deprecated.",
    ]


def test_a_range_of_one_value_is_noted(sampling: Callable[..., Sampling]) -> None:
    axes = [Axis("x", "X", low=0.0, high=1.0, step=3.0), PLANE[1]]
    assert sampling_notes(sampling("random", axes), ()) == [
        "the range of x has one value: the step leads beyond its end"
    ]


def test_a_budget_of_listed_candidates_is_noted(sampling: Callable[..., Sampling]) -> None:
    assert sampling_notes(sampling("files", candidates=3, until=0.5), ()) == [
        (
            "the sampler files lists all candidates at once, whatever the budget (candidates, "
            "until); choose another sampler, such as random or tpe"
        )
    ]


def test_a_gain_that_cannot_be_judged_is_noted(sampling: Callable[..., Sampling]) -> None:
    assert sampling_notes(sampling("random", while_it_gains=True), ()) == [
        (
            "while_it_gains ends nothing here: it compares with the error of cross-validation, and "
            "there are no scores of folds"
        )
    ]
