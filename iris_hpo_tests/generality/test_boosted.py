"""The example whose fits stop early, through the command and through Dagster."""

import json
import pickle
import runpy
from pathlib import Path

import dagster as dg
import pytest
from sklearn.datasets import load_wine

from iris_hpo.data.splitters import SplitSettings
from iris_hpo.orchestration.known_searches import built_searches
from iris_hpo.orchestration.record import latest_metadata
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.study import Study
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject, run_jobs

pytestmark = [pytest.mark.slow, *DAGSTERS_WARNINGS]


def copy_example(root: Path) -> YamlProject:
    """Copy the example, with fewer candidates."""
    project = YamlProject.create(root)
    project.copy_examples("boosted")
    project.write_values("boosted", learning_rate=[0.5], num_leaves=[3, 7])
    load_wine(as_frame=True).frame.rename(columns={"target": "grower"}).to_csv(
        project.root / "data" / "wine.csv", index=False
    )
    return project


def test_fits_stop_early_and_the_cards_say_where(tmp_path: Path) -> None:
    project = copy_example(tmp_path / "project")

    with project.code_location() as instance:
        run_jobs(project.load(), instance, "boosted")
        metadata = latest_metadata(instance, dg.AssetKey(["boosted", "models"]))
    outcome = project.run("boosted")

    assert (outcome["trained"], outcome["reused"]) == (0, 2)
    cards = {
        path.stem: json.loads(path.read_text())
        for path in (project.artifacts("boosted") / "models").glob("*.json")
    }
    numbers = [card["iterations"] for card in cards.values()]
    assert all(0 < number < 500 for number in numbers)
    assert metadata["iterations"].value in numbers
    number = cards[f"model_{outcome['champion']}"]["iterations"]
    champion = json.loads((project.selection("boosted") / "champion.json").read_text())
    assert champion["iterations"] == number
    assert (champion["refit"], champion["training_rows"]) == ("all", 178)
    with (project.selection("boosted") / "champion.pkl").open("rb") as file:
        model = pickle.load(file)
    assert (model.n_estimators, model.booster_.num_trees()) == (number, 3 * number)


def test_the_folds_decide_a_model_too(tmp_path: Path) -> None:
    project = copy_example(tmp_path / "project")
    with project.entered():
        runpy.run_path(str(project.root / "definitions.py"))["defs"]()
        spec = built_searches()["boosted"]
    with project.instance() as instance:
        study = Study(spec, instance, Storage())
        splits = [study.divide(SplitSettings(folds=folds))[0] for folds in (4, 5)]
        parameters = study.parameters_card({})

    digests = [study.conditions(split, parameters).training_digest for split in splits]

    assert splits[0].train_digest == splits[1].train_digest
    assert digests[0] != digests[1]
