"""The iris search is one instance of the general one; its names, keys, files and bytes stay.

The digests were taken from the project before it knew any other search. Nothing here depends on
the versions of libraries: no score, no pickle, no picture.
"""

import hashlib
import json
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo_tests.projects import ShippedProject

MODEL_CARD = (
    "bytes convergence_warnings digest fingerprint key parameters run_id seconds support_vectors "
    "training_digest training_rows versions"
)
SCORE_CARD = (
    "convergence_warnings correct fingerprint fold_scores interval key metrics model_version "
    "parameters parameters_version predictions run_id score scoring seconds split_version total"
)
CHAMPION_CARD = (
    "cv_mean digest edges estimate_reason feature_names interval key leaderboard_digest "
    "model_version parameters references references_digest refit rule score scored_digest scoring "
    "target_name test_rows tied training_rows versions"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ShippedProject:
    """The whole search without folds: it takes a fifth of the time, and no name depends on them."""
    made = ShippedProject.create(tmp_path_factory.mktemp("iris"))
    answer = made.call("run", "--engine", "serial", "--folds", "0", "--quiet")
    assert answer.returncode == 0, answer.stderr
    return made


def sha256(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def test_names_in_dagster() -> None:
    from iris_hpo.definitions import defs

    graph = defs.resolve_asset_graph()
    keys = graph.get_all_asset_keys()
    names = {
        "assets": sorted(key.to_user_string() for key in keys),
        "checks": sorted(
            f"{check.asset_key.to_user_string()}:{check.name}" for check in graph.asset_check_keys
        ),
        "jobs": sorted(job.name for job in defs.resolve_all_job_defs() if "__" not in job.name),
        "sensors": sorted(sensor.name for sensor in defs.sensors or ()),
        "ops": sorted(node.name for node in defs.resolve_job_def("search").nodes),
        "pools": sorted({pool for key in keys for pool in graph.get(key).pools or ()}),
        "groups": sorted({str(graph.get(key).group_name) for key in keys}),
        "partitions": sorted(
            {
                str(partitions.name)
                for key in keys
                if isinstance(
                    partitions := graph.get(key).partitions_def, dg.DynamicPartitionsDefinition
                )
            }
        ),
    }
    assert names == {
        "assets": ["models", "parameters", "raw_data", "scores", "selection", "split"],
        "checks": [
            "parameters:partitions_agree",
            "raw_data:classes_are_large_enough",
            "raw_data:features_are_filled",
            "raw_data:features_identify_no_rows",
            "raw_data:no_feature_alone_predicts",
            "raw_data:scoring_suits_classes",
            "selection:better_than_baseline",
            "selection:better_than_default",
            "selection:champion_is_within_grid",
            "selection:estimate_is_kept",
            "selection:folds_agree",
            "selection:selected_models_match",
            "selection:selection_is_complete",
            "split:groups_are_apart",
            "split:parts_are_sound",
            "split:rows_are_apart",
            "split:time_order_is_kept",
        ],
        "jobs": ["search", "select"],
        "sensors": ["parameter_files_sensor", "raw_data_sensor", "selection_sensor"],
        "ops": [
            "candidates",
            "parameters",
            "parameters_partitions_agree",
            "raw_data",
            "raw_data_checks",
            "split",
            "split_checks",
        ],
        "pools": ["search"],
        "groups": ["hyperparameter_search"],
        "partitions": ["c_gamma"],
    }


def test_keys(project: ShippedProject) -> None:
    keys = sorted(row["candidate"] for row in project.leaderboard())
    assert (len(keys), keys[0], keys[-1]) == (77, "C0.031_G0.001", "C8192.0_G4.0")
    assert sha256("\n".join(keys)) == (
        "b048484231ff8f8a870628abdca07c0208b015649651e150197e4743f95c6de1"
    )
    with project.instance() as instance:
        registered = instance.get_dynamic_partitions("c_gamma")
        assert instance.get_dynamic_partitions("c_gamma_from_files") == registered
    assert sorted(registered) == keys


def test_columns_of_the_leaderboard(project: ShippedProject) -> None:
    assert list(project.leaderboard()[0]) == [
        *("rank", "candidate", "param_C", "param_gamma", "score", "cv_mean", "cv_std"),
        *("correct", "total", "interval_low", "interval_high", "balanced_accuracy", "macro_f1"),
        *("selected", "champion"),
    ]


def test_names_of_files(project: ShippedProject) -> None:
    # How many candidates tie at the best is the library's.
    names = [name for name in project.files() if not name.startswith("selection/models/")]
    names.remove("selection/references.json")  # since champions are compared with references
    assert len(names) == 240
    assert sha256("\n".join(sorted(names))) == (
        "4e3f7aa44c8969beac288b04e463fd28287172d5a2d2e95bf0f1d4dc80ce910b"
    )
    selected = {path.name for path in (project.artifacts / "selection" / "models").iterdir()}
    assert selected == {
        f"model_{row['candidate']}.pkl"
        for row in project.leaderboard()
        if row["selected"] == "true"
    }


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        (
            "parameters/candidates.csv",
            "bd6edad94d5ac57b13fc49b6aabddb7350c7d8a43f8d912a7794fb54979ae0cc",
        ),
        (
            "parameters/parameters.json",
            "9ab70f5e75e4466ac8bf8ea997c41f7f90f511d3c6ab1ec9255a6a9d5430e584",
        ),
    ],
)
def test_bytes_of_files(project: ShippedProject, name: str, digest: str) -> None:
    assert sha256((project.artifacts / name).read_bytes()) == digest


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("models/model_C0.5_G0.25.json", MODEL_CARD),
        ("scores/C0.5_G0.25.json", SCORE_CARD),
        ("selection/champion.json", CHAMPION_CARD),
    ],
)
def test_fields_of_cards(project: ShippedProject, name: str, fields: str) -> None:
    card = json.loads((project.artifacts / name).read_text())
    assert sorted(card) == fields.split()


def test_the_split_is_written_as_it_was(project: ShippedProject) -> None:
    for part, count in (("train", 120), ("test", 30)):
        lines = (project.artifacts / "split" / f"{part}.csv").read_text().splitlines()
        assert lines[0] == "row,feature_1,feature_2,feature_3,feature_4,target"
        assert len(lines) == count + 1
        data = (project.data / "noisy_iris.csv").read_text().splitlines()
        for line in lines[1:]:
            number, _, row = line.partition(",")
            *features, label = data[int(number) - 1].split(",")
            assert row == ",".join([*(repr(float(cell)) for cell in features), label])


def test_the_figure_is_one_png(project: ShippedProject) -> None:
    assert (project.artifacts / "selection" / "heatmap.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_the_project_is_where_it_was() -> None:
    from iris_hpo.iris import iris_search

    spec = iris_search()
    assert spec.home == Path(__file__).resolve().parents[2]
    assert (spec.data_file, spec.parameters_folder) == ("noisy_iris.csv", "parameters")
