"""The test module of docs/extending.md, and contracts of all parts of that page."""

import re
from pathlib import Path

import pytest

from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.testing.inner_run import run_module

PAGE = (REPOSITORY / "docs" / "extending.md").read_text()


OTHERS = """
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.testing import ObjectiveContract, SamplerContract, SplitterContract

from own_parts import Grouped, NearestCentre, RandomSearch


class TestRandomSearch(SamplerContract):
    space = ParameterSpace([Axis("x", "X"), Axis("y", "Y")])

    def make_sampler(self):
        return RandomSearch(number=3, bounds={"x": [0.1, 1.0], "y": [1.0, 8.0]})


class TestGrouped(SplitterContract):
    def make_splitter(self):
        return Grouped("first", n_folds=3)


class TestNearestCentre(ObjectiveContract):
    parameters = ({"power": 0.5}, {"power": 1.0})

    def make_objective(self):
        return NearestCentre()
"""
"""Contracts of the parts of the page that its own test module leaves out."""


def code(language: str) -> str:
    return "\n\n".join(re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.slow
def test_the_parts_of_the_page_keep_the_contracts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_parts.py").write_text(code("python"))
    path = tmp_path / "test_own_parts.py"
    path.write_text(code("py") + OTHERS)

    outcomes = run_module(path)

    assert outcomes.failed == set()
    assert len(outcomes.passed) > 20
