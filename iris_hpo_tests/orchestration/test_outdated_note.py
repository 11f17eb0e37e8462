"""What shows the last selection notes that it is out of date, whatever has changed since."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from iris_hpo.command.outdated import outdated_note
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.orchestration.page import page_facts
from iris_hpo.training.estimators import Step
from iris_hpo_tests.projects import SpecProject, succeed

NOTE = "this selection is out of date: see iris-hpo status"
EDITS: dict[str, Callable[[SpecProject], object]] = {
    "data": lambda project: project.change_data(),
    "fewer": lambda project: project.write_axis("c", 0.5, 8),
    "more": lambda project: project.write_axis("c", 0.5, 8, 128, 512),
    "candidate": lambda project: project.instance.add_dynamic_partitions("c_gamma", ["C1_G1"]),
    "split": lambda project: project.run("split", split={"seed": 1}),
}


@pytest.mark.parametrize("rule", ["test_score", "cv"])
def test_one_of_the_present_has_none(searched: SpecProject, rule: str) -> None:
    succeed(searched.run("selection", selection={"rule": rule}))
    assert outdated_note(searched.study()) == ""


def test_where_nothing_was_selected_there_is_none(scored: SpecProject) -> None:
    assert outdated_note(scored.study()) == ""


@pytest.mark.parametrize("edit", EDITS)
def test_other_files_and_results_are_noted(searched: SpecProject, edit: str) -> None:
    EDITS[edit](searched)
    assert outdated_note(searched.study()) == NOTE


@pytest.mark.parametrize(
    "edit",
    [
        {"steps": (Step("sklearn.svm.SVC", {"shrinking": False}),)},
        {"scoring": "f1_macro"},
        {"rule": "cv"},
        {"split": SplitSettings(folds=3, repeats=1)},
        {"split": SplitSettings(folds=2, repeats=1, seed=4)},
        {"split": SplitSettings(folds=2, repeats=1, test_size=0.3)},
    ],
    ids=["settings", "scoring", "rule", "folds", "seed", "test_size"],
)
def test_another_description_is_noted(searched: SpecProject, edit: dict[str, Any]) -> None:
    edited = replace(searched, spec=replace(searched.spec, **edit))
    assert outdated_note(edited.study()) == NOTE


def test_data_that_cannot_be_read_is_named(searched: SpecProject) -> None:
    searched.data_file.unlink()
    note = outdated_note(searched.study())
    assert note.startswith("it is not known whether this selection is out of date: ")
    assert str(searched.data_file) in note


def test_it_is_the_first_warning_of_the_page(searched: SpecProject) -> None:
    assert NOTE in page_facts(searched.study(), NOTE).warnings[0]
    assert page_facts(searched.study()).warnings == page_facts(searched.study(), NOTE).warnings[1:]
