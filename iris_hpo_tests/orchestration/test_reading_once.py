"""How often a command reads its inputs and what it has stored; each once, or the reason is said."""

import os
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from iris_hpo.reports import DEFAULT_REPORTS
from iris_hpo_tests.projects import KEYS, SpecProject

_counting: list[Counter[str]] = []


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _counting:
        path, _, flags = arguments
        if isinstance(flags, int) and flags & os.O_ACCMODE == os.O_RDONLY:
            _counting[-1][os.fsdecode(path) if isinstance(path, (str, bytes)) else ""] += 1


sys.addaudithook(_note)  # it cannot be taken away; without a counter it does nothing


@pytest.fixture
def project(project: SpecProject) -> SpecProject:
    """A search that also draws."""
    return replace(project, spec=replace(project.spec, reports=DEFAULT_REPORTS))


@contextmanager
def counted_reads() -> Generator[Counter[str]]:
    """Count how often this process opens each file for reading."""
    _counting.append(Counter())
    try:
        yield _counting[-1]
    finally:
        _counting.pop()


def reads(project: SpecProject, counted: Counter[str]) -> dict[str, int]:
    """The largest number of reads of a file, of each kind."""
    kinds = {
        "data": [project.data_file],
        "parameters": sorted(project.parameters.glob("*.txt")),
        "split": sorted((project.artifacts / "split").iterdir()),
        "score cards": [project.artifacts / "scores" / f"{key}.json" for key in KEYS],
        "model cards": [project.artifacts / "models" / f"model_{key}.json" for key in KEYS],
        "heat map": [project.artifacts / "selection" / "heatmap.png"],
        "leaderboard": [project.artifacts / "selection" / "leaderboard.csv"],
    }
    return {kind: max(counted[str(path)] for path in paths) for kind, paths in kinds.items()}


def launch(project: SpecProject) -> dict[str, int]:
    with counted_reads() as counted:
        project.launch()
    return reads(project, counted)


ONCE = {
    "data": 1,
    "parameters": 1,
    "split": 1,
    "score cards": 1,
    "model cards": 1,
    "heat map": 1,
    "leaderboard": 1,
}


CHECKS = Counter({"leaderboard": 2, "model cards": 1})
"""After a selection, its checks look at what is stored."""


def test_on_a_first_run(project: SpecProject) -> None:
    none_before = Counter({"leaderboard": 1, "heat map": 1})
    check_of_the_split = Counter({"split": 1})
    expected = Counter(ONCE) + CHECKS + check_of_the_split - none_before
    assert Counter(launch(project)) == expected


def test_in_a_run_that_dagster_launches(project: SpecProject) -> None:
    with counted_reads() as counted:
        project.search()
    assert counted[str(project.data_file)] == 1

    with counted_reads() as counted:
        project.materialize_sources()  # another run reads what it finds then
    assert counted[str(project.data_file)] == 1


def test_when_all_is_up_to_date(project: SpecProject) -> None:
    project.launch()
    assert launch(project) == ONCE


def test_when_candidates_are_added(project: SpecProject) -> None:
    """What was verified as up to date is read once more by what works with it."""
    project.launch()
    project.write_axis("c", 0.5, 8, 128, 32)
    worked_with = Counter({"split": 1, "model cards": 1, "leaderboard": 1})
    assert Counter(launch(project)) == Counter(ONCE) + CHECKS + worked_with


def test_an_edited_parameter_file_is_read_again(project: SpecProject) -> None:
    study = project.study()
    before = study.listed_keys
    with counted_reads() as counted:
        assert study.listed_keys == before
        assert not counted[str(project.parameters / "c_parameters.txt")]
        project.write_axis("c", 32)
        assert study.listed_keys != before
