"""A whole search: what its runs leave in the event log and in the store."""

import base64
import csv
import io
import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import joblib
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.svm import SVC

from iris_hpo.orchestration.selection_status import selection_state
from iris_hpo.orchestration.status import State
from iris_hpo.space.axes import Axis
from iris_hpo.spec_choosing import selection_settings
from iris_hpo.training.estimators import Step
from iris_hpo_tests.projects import KEYS, SOURCES, SpecProject, failure_text, succeed

MODEL_METADATA = {
    "C",
    "gamma",
    "support_vectors",
    "fit_seconds",
    "bytes",
    "digest",
    "path",
    "reused",
}
SCORE_METADATA = {
    "C",
    "gamma",
    "accuracy",
    "correct",
    "total",
    "interval_low",
    "interval_high",
    "balanced_accuracy",
    "macro_f1",
    "cv_mean",
    "cv_std",
    "reused",
}


def table(project: SpecProject, asset: str, name: str) -> list[dict[str, object]]:
    """Rows of a table in the metadata of an asset's latest materialisation."""
    found = project.materializations(asset)[0].metadata[name]
    assert isinstance(found, dg.TableMetadataValue)
    return [dict(record.data) for record in found.records]


def test_candidates_are_registered_in_the_order_of_the_axes(finished: SpecProject) -> None:
    assert finished.registered() == list(KEYS)


@pytest.mark.parametrize("asset", ["models", "scores"])
def test_each_candidate_has_exactly_one_event(finished: SpecProject, asset: str) -> None:
    events = finished.by_partition(asset)
    assert set(events) == set(KEYS)
    assert {len(found) for found in events.values()} == {1}
    assert finished.partition_status(asset) == {"materialized": set(KEYS), "failed": set()}


def test_unpartitioned_assets_have_one_event_each(finished: SpecProject) -> None:
    for asset in ("raw_data", "split", "parameters", "selection"):
        assert [one.partition for one in finished.materializations(asset)] == [None]


@pytest.mark.parametrize("key", KEYS)
def test_a_model_s_event_is_of_its_card_and_its_file(finished: SpecProject, key: str) -> None:
    (event,) = finished.by_partition("models")[key]
    card = finished.model_card(key)
    content = finished.model_file(key).read_bytes()
    metadata = finished.metadata("models", key)

    assert set(metadata) >= MODEL_METADATA
    assert event.tags["dagster/data_version"] == card.version
    assert event.tags["dagster/code_version"] == "1"
    assert key == f"C{metadata['C']!r}_G{metadata['gamma']!r}"
    assert metadata["bytes"] == len(content)
    assert metadata["digest"] == card.digest
    assert metadata["path"] == str(finished.model_file(key))
    assert metadata["reused"] is False
    assert metadata["fit_seconds"] > 0

    model = joblib.load(io.BytesIO(content))
    assert isinstance(model, SVC)
    assert (model.C, model.gamma, model.kernel) == (metadata["C"], metadata["gamma"], "rbf")
    assert metadata["support_vectors"] == model.n_support_.sum()


@pytest.mark.parametrize("key", KEYS)
def test_a_score_s_event_is_of_its_card_and_is_right(finished: SpecProject, key: str) -> None:
    (event,) = finished.by_partition("scores")[key]
    card = finished.score_card(key)
    metadata = finished.metadata("scores", key)

    assert set(metadata) >= SCORE_METADATA
    assert event.tags["dagster/data_version"] == card.version

    text = (finished.artifacts / "split" / "test.csv").read_text()
    rows = list(csv.reader(text.splitlines()))[1:]
    features = np.array([row[1:-1] for row in rows], dtype=float)
    target = np.array([row[-1] for row in rows])
    predicted = joblib.load(finished.model_file(key)).predict(features)
    assert metadata["correct"] == np.count_nonzero(predicted == target)
    assert metadata["total"] == len(target) == 30
    assert metadata["accuracy"] == metadata["correct"] / 30
    assert metadata["balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score(target, predicted), abs=1e-12
    )
    assert metadata["macro_f1"] == pytest.approx(
        f1_score(target, predicted, average="macro"), abs=1e-12
    )
    assert metadata["interval_low"] < metadata["accuracy"] < metadata["interval_high"]
    assert metadata["cv_mean"] == pytest.approx(np.mean(card.fold_scores), abs=1e-12)
    assert metadata["cv_std"] == pytest.approx(np.std(card.fold_scores), abs=1e-12)
    assert len(card.fold_scores) == 2


def test_numbers_in_metadata_are_plottable(finished: SpecProject) -> None:
    plotted = {
        "models": {"C", "gamma", "fit_seconds"},
        "scores": {
            "C",
            "gamma",
            "accuracy",
            "interval_low",
            "interval_high",
            "balanced_accuracy",
            "macro_f1",
            "cv_mean",
            "cv_std",
        },
    }
    for asset, names in plotted.items():
        for (event,) in finished.by_partition(asset).values():
            for name in names:
                assert isinstance(event.metadata[name], dg.FloatMetadataValue), name


def test_events_carry_the_versions_of_their_inputs(finished: SpecProject) -> None:
    split, parameters = (finished.data_version(name) for name in ("split", "parameters"))
    for key in KEYS:
        (model,) = finished.by_partition("models")[key]
        (score,) = finished.by_partition("scores")[key]
        assert model.tags["dagster/input_data_version/split"] == split
        assert model.tags["dagster/input_data_version/parameters"] == parameters
        assert score.tags["dagster/input_data_version/split"] == split
        assert score.tags["dagster/input_data_version/models"] == model.tags["dagster/data_version"]


def test_data_versions_differ_between_candidates(finished: SpecProject) -> None:
    for asset in ("models", "scores"):
        versions = {
            event.tags["dagster/data_version"] for (event,) in finished.by_partition(asset).values()
        }
        assert len(versions) == len(KEYS)


def test_artifacts_are_laid_out_as_designed(finished: SpecProject) -> None:
    selected = finished.metadata("selection")["selected"].partition(": ")[2].split(", ")
    assert set(finished.files()) == {
        "split/split.json",
        "split/train.csv",
        "split/test.csv",
        "parameters/parameters.json",
        "parameters/candidates.csv",
        *(f"models/model_{key}.pkl" for key in KEYS),
        *(f"models/model_{key}.json" for key in KEYS),
        *(f"scores/{key}.json" for key in KEYS),
        "selection/leaderboard.csv",
        "selection/champion.pkl",
        "selection/champion.json",
        "selection/references.json",
        *(f"selection/models/model_{key}.pkl" for key in selected),
    }


def test_the_raw_data_says_what_it_is(finished: SpecProject) -> None:
    metadata = finished.metadata("raw_data")
    assert metadata["dagster/row_count"] == 150
    assert metadata["features"] == 4
    assert metadata["classes"] == "Iris-setosa, Iris-versicolor, Iris-virginica"
    assert metadata["path"] == str(finished.data_file)
    assert metadata["digest"] == finished.data_version("raw_data")


def test_the_split_counts_the_rows_of_each_class(finished: SpecProject) -> None:
    counts = {(row["part"], row["class"]): row["rows"] for row in table(finished, "split", "rows")}
    classes = ("Iris-setosa", "Iris-versicolor", "Iris-virginica")
    assert counts == {
        **{("train", name): 40 for name in classes},
        **{("test", name): 10 for name in classes},
    }


def test_the_parameters_say_axes_candidates_and_changes(finished: SpecProject) -> None:
    metadata = finished.metadata("parameters")
    assert [
        (row["axis"], row["values"], row["list"]) for row in table(finished, "parameters", "axes")
    ] == [("C", 3, "0.5, 8.0, 128.0"), ("gamma", 2, "0.016, 0.25")]
    assert metadata["candidates"] == 6
    assert (metadata["added"], metadata["removed"]) == (6, 0)
    assert metadata["setting kernel"] == "rbf"


def test_parameters_count_what_was_added_and_removed(searched: SpecProject) -> None:
    searched.write_axis("c", 0.5, 8)  # two candidates less
    searched.write_axis("gamma", 0.016, 0.25, 1)  # two more
    searched.materialize_sources()
    metadata = searched.metadata("parameters")
    assert (metadata["candidates"], metadata["added"], metadata["removed"]) == (6, 2, 2)

    searched.materialize_sources()
    metadata = searched.metadata("parameters")
    assert (metadata["added"], metadata["removed"]) == (0, 0)


def test_explicit_candidates_are_counted(project: SpecProject) -> None:
    (project.parameters / "more.csv").write_text("C,gamma\n1,1\n2,2\n")
    project.materialize_sources()
    assert project.metadata("parameters")["explicit_candidates"] == 2
    assert project.metadata("parameters")["candidates"] == 8
    assert {"C1.0_G1.0", "C2.0_G2.0"} < set(project.registered())


def test_the_selection_s_leaderboard_is_the_stored_one(finished: SpecProject) -> None:
    shown = table(finished, "selection", "leaderboard")
    stored = finished.leaderboard()
    assert [row["candidate"] for row in shown] == [row["candidate"] for row in stored]
    assert {row["candidate"] for row in stored} == set(KEYS)
    for row, line in zip(shown, stored, strict=True):
        assert row["score"] == pytest.approx(float(line["score"]), abs=1e-4), "may be rounded"
        assert float(line["score"]) == finished.score_card(line["candidate"]).score
    scores = [float(row["score"]) for row in stored]
    assert scores == sorted(scores, reverse=True)


def test_the_leaderboard_s_columns_are_typed(finished: SpecProject) -> None:
    value = finished.materializations("selection")[0].metadata["leaderboard"]
    assert isinstance(value, dg.TableMetadataValue)
    types = {column.name: column.type for column in value.schema.columns}
    assert types["rank"] == "int"
    assert types["candidate"] == "string"
    assert types["score"] == types["param_C"] == types["cv_mean"] == "float"
    assert types["champion"] == "bool"


def test_the_selection_names_who_was_selected(finished: SpecProject) -> None:
    stored = finished.leaderboard()
    best = max(float(row["score"]) for row in stored)
    tied = [row["candidate"] for row in stored if float(row["score"]) == best]
    metadata = finished.metadata("selection")

    assert metadata["selected"] == f"{len(tied)}: {', '.join(tied)}"
    assert metadata["tied"] == len(tied)
    assert metadata["champion"] in tied
    assert metadata["score"] == best
    assert metadata["rule"] == "test_score"
    assert (metadata["candidates"], metadata["scored"]) == (6, 6)
    assert metadata["missing"] == metadata["failed"] == metadata["out_of_date"] == "none"
    assert metadata["interval_low"] < best < metadata["interval_high"]


def test_every_selected_model_is_copied(finished: SpecProject) -> None:
    selected = finished.metadata("selection")["selected"].partition(": ")[2].split(", ")
    for key in selected:
        copy = finished.artifacts / "selection" / "models" / f"model_{key}.pkl"
        assert copy.read_bytes() == finished.model_file(key).read_bytes()


def test_the_champion_is_the_model_of_its_card(finished: SpecProject) -> None:
    folder = finished.artifacts / "selection"
    card = json.loads((folder / "champion.json").read_text())
    metadata = finished.metadata("selection")
    assert card["key"] == metadata["champion"]
    assert card["score"] == metadata["score"]
    assert (folder / "champion.pkl").read_bytes() == finished.model_file(card["key"]).read_bytes()
    assert pickle.dumps(joblib.load(folder / "champion.pkl"))


def test_the_heat_map_is_an_image_in_the_page(drawn: SpecProject) -> None:
    value = drawn.materializations("selection")[0].metadata["heatmap"]
    assert isinstance(value, dg.MarkdownMetadataValue)
    assert value.md_str is not None
    prefix = "![scores](data:image/png;base64,"
    assert value.md_str.startswith(prefix)
    image = base64.b64decode(value.md_str.removeprefix(prefix).removesuffix(")"), validate=True)
    assert image == (drawn.artifacts / "selection" / "heatmap.png").read_bytes()
    assert image.startswith(b"\x89PNG\r\n")


def test_a_picture_that_was_lost_or_damaged_makes_the_selection_out_of_date(
    drawn: SpecProject, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    project = drawn.copy(tmp_path / "project", instance)
    picture = project.artifacts / "selection" / "heatmap.png"
    as_drawn = picture.read_bytes()

    def state() -> State:
        return selection_state(project.study(), selection_settings(project.spec, folds=2))

    assert state() == "up to date"
    picture.write_bytes(as_drawn[:100])
    assert state() == "out of date"
    picture.unlink()
    assert state() == "out of date"
    picture.mkdir()
    succeed(project.run("selection"))
    assert state() == "up to date"
    assert picture.read_bytes() == as_drawn


def test_a_champion_on_the_edge_of_the_grid_is_flagged(project: SpecProject) -> None:
    project.write_axis("c", 0.001, 0.002)
    project.write_axis("gamma", 0.001, 0.002)
    project.search(split={"folds": 0})
    metadata = project.metadata("selection")
    card = json.loads((project.artifacts / "selection/champion.json").read_text())
    assert card["edges"] == [["C", "lowest"], ["gamma", "lowest"]]
    warning = metadata["edge_of_grid"]
    assert "lowest C" in warning
    assert "lowest gamma" in warning
    assert "may lie beyond" in warning


def test_a_champion_is_not_flagged_where_nothing_lies_beyond(project: SpecProject) -> None:
    tree = Step("sklearn.tree.DecisionTreeClassifier")
    leaf = Axis("leaf", "L", parameter="min_samples_leaf", type="int")
    spec = replace(project.spec, steps=(tree,), axes=(leaf,), choices=())
    of_trees = SpecProject(project.root, project.instance, spec)
    for name in ("c", "gamma"):
        (project.parameters / f"{name}_parameters.txt").unlink()
    of_trees.write_axis("leaf", 1, 90)  # of 120 rows, so that the tree has no split
    of_trees.search(split={"folds": 0})
    card = json.loads((project.artifacts / "selection/champion.json").read_text())
    assert card["key"] == "L1"
    assert card["edges"] == []
    assert "edge_of_grid" not in of_trees.metadata("selection")


def test_a_champion_within_the_grid_is_not_flagged(project: SpecProject) -> None:
    project.write_axis("c", 1e-6, 8, 1e12)
    project.write_axis("gamma", 1e-9, 0.063, 1e6)
    project.search(split={"folds": 0})
    assert project.metadata("selection")["champion"] == "C8.0_G0.063"
    assert "edge_of_grid" not in project.metadata("selection")


@pytest.fixture(scope="module")
def long_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpecProject]:
    """A search of 27 candidates without folds; nothing of it is changed."""
    with dg.DagsterInstance.ephemeral() as instance:
        project = SpecProject.create(tmp_path_factory.mktemp("long") / "project", instance)
        project.write_axis("c", *range(1, 10))
        project.write_axis("gamma", 0.01, 0.02, 0.03)
        yield project.search(split={"folds": 0})


def test_a_long_leaderboard_is_cut_in_the_page_but_not_in_the_file(long_once: SpecProject) -> None:
    shown = [row["candidate"] for row in table(long_once, "selection", "leaderboard")]
    stored = [row["candidate"] for row in long_once.leaderboard()]
    assert len(stored) == 27
    assert 10 <= len(shown) < len(stored)
    assert shown == stored[: len(shown)]


def test_without_folds_scores_have_no_cross_validation(long_once: SpecProject) -> None:
    metadata = long_once.metadata("scores", "C1.0_G0.01")
    assert not {"cv_mean", "cv_std"} & set(metadata)
    assert "accuracy" in metadata


def test_a_rule_that_needs_folds_is_refused_without(long_once: SpecProject) -> None:
    result = long_once.run("selection", selection={"rule": "cv"})
    assert "folds" in failure_text(result)


def test_one_candidate_alone_by_its_partition(prepared: SpecProject) -> None:
    succeed(prepared.run("models", "scores", partition=KEYS[3]))
    for asset in ("models", "scores"):
        assert prepared.partition_status(asset) == {"materialized": {KEYS[3]}, "failed": set()}
    assert prepared.files("models").keys() == {
        f"models/model_{KEYS[3]}.{ending}" for ending in ("json", "pkl")
    }


def test_a_range_does_the_candidates_within_it(prepared: SpecProject) -> None:
    succeed(prepared.run("models", "scores", keys=KEYS[1:4]))
    assert set(prepared.by_partition("scores")) == set(KEYS[1:4])


def test_all_in_one_run(prepared: SpecProject) -> None:
    """The range names keys, so they have to be registered when the run begins."""
    succeed(prepared.run(*SOURCES, "models", "scores", keys=prepared.registered()))
    assert set(prepared.by_partition("scores")) == set(KEYS)


def test_a_reversed_range_fails_with_the_way_out(prepared: SpecProject) -> None:
    result = prepared.run("models", "scores", keys=(KEYS[4], KEYS[1]))
    assert not result.success
    (failure,) = result.get_failed_step_keys()
    data = result.failure_data_for_node(failure)
    assert data is not None
    assert data.user_failure_data is not None
    assert "swap them" in str(data.user_failure_data.description)
    assert prepared.by_partition("models") == {}


@pytest.mark.parametrize(
    ("assets", "missing"),
    [
        (("split",), "raw_data was never materialised"),
        (("models",), "split was never materialised"),
        (("selection",), "split was never materialised"),
    ],
)
def test_what_is_missing_upstream_is_named(
    project: SpecProject, assets: tuple[str, ...], missing: str
) -> None:
    project.instance.add_dynamic_partitions("c_gamma", [KEYS[0]])
    result = project.run(*assets, keys=() if assets != ("models",) else [KEYS[0]])
    assert missing in failure_text(result)


def test_data_that_changed_between_raw_data_and_split_is_refused(searched: SpecProject) -> None:
    searched.change_data()
    assert "materialise raw_data too" in failure_text(searched.run("split"))


def test_a_bad_parameter_file_fails_with_file_line_and_value(searched: SpecProject) -> None:
    path = searched.write_axis("gamma", 0.016, "fast")
    text = failure_text(searched.run("parameters"))
    assert f"{path}, line 2" in text
    assert "'fast'" in text
    assert searched.registered() == list(KEYS)


def test_bad_data_fails_with_file_line_column_and_value(project: SpecProject) -> None:
    lines = project.data_file.read_text().splitlines()
    lines[6] = lines[6].replace(lines[6].split(",")[1], "wide")
    project.data_file.write_text("\n".join(lines))
    text = failure_text(project.run("raw_data"))
    assert f"{project.data_file}, line 7, column 2" in text
    assert "'wide'" in text


def test_user_errors_are_not_retried(project: SpecProject) -> None:
    result = project.run("split")
    assert not result.success
    assert [event for event in result.all_events if event.is_step_up_for_retry] == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"jobs": -1}, "jobs -1"),
        ({"retries": -1}, "retries -1"),
        ({"candidate_timeout": 0.0, "engine": "loky"}, "candidate_timeout 0.0"),
        ({"candidate_timeout": 1.0, "engine": "serial"}, "needs worker processes"),
    ],
)
def test_bad_settings_fail_with_the_value(
    prepared: SpecProject, config: dict[str, object], message: str
) -> None:
    result = prepared.run("models", keys=prepared.registered(), candidates=config)
    assert message in failure_text(result)
