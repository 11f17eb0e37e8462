"""A candidate costs no more of this package's work after many candidates than after few."""

import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import iris_hpo
from iris_hpo.orchestration.drawing import Drawing
from iris_hpo.orchestration.observations import Observations
from iris_hpo.parts import Part
from iris_hpo.run_settings import SamplingSettings
from iris_hpo.samplers.source import CandidateSource
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo_tests.store.test_cards import SCORE

PACKAGE = str(Path(iris_hpo.__file__).parent)
SPACE = ParameterSpace([Axis("x", "X", low=-2, high=2), Axis("y", "Y", low=-2, high=2)])


class Search:
    """A search whose candidates are drawn and scored at once."""

    def __init__(self, sampler: str, folder: Path) -> None:
        source = CandidateSource(Part(sampler), SPACE, folder)
        self.observations = Observations(source, scores_itself=True)
        settings = SamplingSettings(sampler=sampler, candidates=10_000)
        self.drawing = Drawing(source, settings, self.observations, 0)

    def go_on(self, candidates: int) -> None:
        for _ in range(candidates):
            assert self.drawing.end_of_budget() is None
            (candidate,) = self.drawing.propose()
            self.observations.register(candidate.key)
            score = -sum(float(str(value)) ** 2 for value in candidate.values)
            self.observations.observe(candidate.key, replace(SCORE, score=score))


def steps_of(search: Search, candidates: int) -> float:
    """Number of instructions of this package for one of some candidates."""
    steps = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal steps
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes = True
        steps += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        search.go_on(candidates)
    finally:
        sys.settrace(before)
    return steps / candidates


@pytest.mark.parametrize("sampler", ["random", "qmc", "tpe"])
def test_a_candidate_takes_no_more_steps_after_many_others(sampler: str, tmp_path: Path) -> None:
    search = Search(sampler, tmp_path)
    search.go_on(40)
    few = steps_of(search, 5)
    search.go_on(200)
    many = steps_of(search, 5)

    assert many - few < 100, "less than a step for each of 205 candidates"
