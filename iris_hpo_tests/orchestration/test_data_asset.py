"""An asset of the project as the data: edge, snapshot, staleness, sensors, and what is refused."""

import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from bokeh.embed import file_html

from iris_hpo.data.sources import file_digest
from iris_hpo.errors import InputError
from iris_hpo.loading import load_study
from iris_hpo.orchestration.build import build_search
from iris_hpo.orchestration.data_asset import SNAPSHOT
from iris_hpo.orchestration.known_searches import no_searches
from iris_hpo.orchestration.loaded_study import LoadedStudy
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.study import Study
from iris_hpo_tests.orchestration.following import Follower, assets_of
from iris_hpo_tests.projects import (
    REPOSITORY_DATA,
    SOURCES,
    SpecProject,
    copy_record,
    small_spec,
    succeed,
)

FEATURES = dg.AssetKey("features")


class Frames(dg.IOManager):
    """Keeps frames by key; whatever else is asked for is an error."""

    def __init__(self) -> None:
        self.kept: dict[dg.AssetKey, object] = {}
        self.loads = 0

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        self.kept[context.asset_key] = obj

    def load_input(self, context: dg.InputContext) -> object:
        self.loads += 1
        context.log.debug("frames are loaded")
        return self.kept[context.asset_key]


@dataclass
class AssetProject(SpecProject):
    """The search of `SpecProject`, on an asset of the project in place of its file."""

    frames: Frames = field(default_factory=Frames)
    value: list[object] = field(default_factory=list)

    @cached_property
    def theirs(self) -> dg.Definitions:
        @dg.asset(io_manager_key="frames")
        def features() -> Any:
            return self.value[-1]

        @dg.asset(ins={"champion": dg.AssetIn("selection")})
        def predicted(context: dg.AssetExecutionContext, champion: Any) -> str:
            context.add_output_metadata({"of": type(champion).__name__})
            return type(champion).__name__

        return dg.Definitions(
            assets=[features, predicted], resources={"frames": self.frames, "storage": "theirs"}
        )

    @cached_property
    def defs(self) -> dg.Definitions:
        return dg.Definitions.merge(self.theirs, build_search(self.spec))

    def study(self) -> Study:
        study = super().study()
        study.data_asset.project = lambda: self.defs
        return study

    def materialize(self, *names: str) -> None:
        keys = [dg.AssetKey(name) for name in names]
        job = self.defs.resolve_implicit_job_def_def_for_assets(keys)
        assert job is not None
        succeed(
            job.execute_in_process(
                instance=self.instance, asset_selection=keys, run_config=self._run_config({})
            )
        )

    @property
    def snapshot(self) -> Path:
        return self.artifacts / SNAPSHOT


def create(folder: Path, instance: dg.DagsterInstance) -> AssetProject:
    made = SpecProject.create(folder, instance)
    spec = replace(small_spec(made.root), data_file="", data_asset="features", rule="test_score")
    project = AssetProject(made.root, instance, spec)
    project.value.append(
        pl.read_csv(
            REPOSITORY_DATA / "noisy_iris.csv",
            has_header=False,
            new_columns=["a", "b", "c", "d", "species"],
        )
    )
    return project


@pytest.fixture
def project(tmp_path: Path, instance: dg.DagsterInstance) -> AssetProject:
    """The search on an asset that was never materialised."""
    return create(tmp_path / "project", instance)


@pytest.fixture(scope="module")
def done_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AssetProject]:
    """What `done` copies; read only."""
    with dg.DagsterInstance.ephemeral() as instance:
        project = create(tmp_path_factory.mktemp("done") / "project", instance)
        project.materialize("features")
        assert project.launch().counts.trained == 6
        yield project


@pytest.fixture
def done(done_once: AssetProject, tmp_path: Path, instance: dg.DagsterInstance) -> AssetProject:
    """The search, done once."""
    shutil.copytree(done_once.root, tmp_path / "project")
    copy_record(done_once.instance, instance)
    spec = replace(done_once.spec, home=tmp_path / "project")
    project = AssetProject(spec.home, instance, spec, value=[*done_once.value])
    project.frames.kept = dict(done_once.frames.kept)
    return project


def test_the_edge_is_in_the_graph(project: AssetProject) -> None:
    graph = project.defs.resolve_asset_graph()
    assert graph.get(dg.AssetKey("raw_data")).parent_keys == {FEATURES}
    (spec,) = [s for s in project.defs.resolve_all_asset_specs() if s.key.path[-1] == "raw_data"]
    assert "the asset features" in str(spec.description)
    assert spec.kinds == {"arrow"}


def test_without_a_materialisation_nothing_begins(project: AssetProject) -> None:
    with pytest.raises(InputError) as error:
        project.launch()
    assert str(error.value) == (
        "the asset features was never materialised, and this search learns from it: materialise "
        "it in the UI, or with: dg launch --assets features (in a project that dg does not know: "
        "dagster asset materialize -m MODULE --select features)"
    )
    assert not project.run_ids()
    for sensor in ("parameter_files_sensor", "raw_data_sensor"):
        tick = Follower(project, sensor).look()
        assert not tick.run_requests
        assert tick.skip_message == "waits until the asset features is materialised"


def test_a_slow_event_log_is_noted_once_while_sensors_wait(
    project: AssetProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as stock:
        project.instance = stock
        follower = Follower(project, "parameter_files_sensor")
        for notes in (1, 0, 0):
            capsys.readouterr()
            follower.look()
            assert capsys.readouterr().err.count("iris_hpo.event_log") == notes


def test_a_plan_that_loads_the_value_shows_nothing_that_an_io_manager_debugs(
    project: AssetProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.materialize("features")
    capfd.readouterr()

    project.plan()

    assert project.frames.loads == 1
    assert "DEBUG" not in capfd.readouterr().err
    assert logging.getLogger("dagster").isEnabledFor(logging.DEBUG)


@pytest.mark.parametrize("was_materialised", [True, False])
def test_a_project_without_the_asset_is_named(
    project: AssetProject, *, was_materialised: bool
) -> None:
    project.spec = replace(project.spec, data_asset="featurs")
    if was_materialised:
        project.instance.report_runless_asset_event(dg.AssetMaterialization("featurs"))
    with pytest.raises(
        InputError,
        match=r"no asset 'featurs', which `data` names; did you mean 'features'\? It has features,",
    ):
        project.launch()


def test_an_asset_with_partitions_that_cannot_be_loaded(project: AssetProject) -> None:
    """Its IO manager is asked for one value, and may know none."""
    days = dg.StaticPartitionsDefinition(["monday"])
    daily = dg.AssetSpec("daily", partitions_def=days).with_io_manager_key("frames")
    project.theirs = dg.Definitions.merge(project.theirs, dg.Definitions(assets=[daily]))
    project.spec = replace(project.spec, data_asset="daily")
    event = dg.AssetMaterialization("daily", partition="monday")
    project.instance.report_runless_asset_event(event)
    message = "the asset daily cannot be loaded: .*; it has partitions: join them to one frame"
    with pytest.raises(InputError, match=message):
        project.launch()


@pytest.mark.slow
def test_the_sensors_take_it_from_the_first_materialisation_on(project: AssetProject) -> None:
    parameters, data = (
        Follower(project, f"{name}_sensor") for name in ("parameter_files", "raw_data")
    )
    parameters.look()
    data.look()
    project.materialize("features")
    assert len(parameters.tick()) == 1
    assert data.look().skip_message == "the data has not changed"

    project.value.append(project.value[0][:-1])  # type: ignore[index]
    project.materialize("features")
    assert project.source_staleness("raw_data") == "STALE"
    (request,) = data.tick()
    assert assets_of(request) == ["raw_data", "split", "models", "scores"]
    assert project.metadata("raw_data")["dagster/row_count"] == 149
    assert {project.source_staleness(name) for name in ("raw_data", "split")} == {"FRESH"}
    assert set(project.staleness("scores").values()) == {"FRESH"}
    assert json.loads(str(data.cursor))["digest"].isdecimal()


def test_the_command_keeps_a_snapshot(done_once: AssetProject) -> None:
    assert file_digest(done_once.snapshot) == done_once.data_version("raw_data")
    assert done_once.metadata("raw_data")["path"] == str(done_once.snapshot)
    assert done_once.source_staleness("raw_data") == "FRESH"


def test_the_command_loads_only_a_newer_value(done: AssetProject) -> None:
    project = done
    plan = project.plan()
    assert plan.is_empty
    assert not project.frames.loads

    project.value.append(project.value[0][:-1])  # type: ignore[index]
    project.materialize("features")
    assert project.plan().source_states == dict.fromkeys(SOURCES, "out of date") | {
        "parameters": "up to date"
    }
    assert project.frames.loads == 1


def test_a_run_loads_a_newer_value_once(done: AssetProject) -> None:
    project = done
    project.value.append(project.value[0][:-1])  # type: ignore[index]
    project.materialize("features")

    assert project.launch().counts.trained == 6
    assert project.frames.loads == 1
    assert {project.source_staleness(name) for name in ("raw_data", "split")} == {"FRESH"}
    assert project.plan().is_empty


def test_a_value_that_is_newer_than_the_plan_is_loaded_again(done: AssetProject) -> None:
    project = done
    project.value.append(project.value[0][:-1])  # type: ignore[index]
    project.materialize("features")
    study = project.study()
    assert len(study.dataset.target) == 149

    project.value.append(project.value[0][:-2])  # type: ignore[index]
    project.materialize("features")
    study.data_asset.keep_latest()
    assert len(study.dataset.target) == 148
    assert project.frames.loads == 2


def test_the_same_content_is_taken_again_and_nothing_else_is_done(done: AssetProject) -> None:
    project = done
    before = (
        project.files("models"),
        project.data_version("raw_data"),
        project.data_version("split"),
    )

    project.value.append(project.value[0].to_pandas())  # type: ignore[attr-defined]
    project.materialize("features")
    assert project.source_staleness("raw_data") == "STALE"
    assert project.launch().counts.reused == 6
    after = project.files("models"), project.data_version("raw_data"), project.data_version("split")
    assert after == before
    assert project.source_staleness("raw_data") == "FRESH"
    assert set(project.staleness("models").values()) == {"FRESH"}


def test_a_snapshot_that_was_changed_is_not_learnt_from(done: AssetProject) -> None:
    project = done
    content = project.snapshot.read_bytes()
    project.snapshot.write_bytes(content[:-1] + b"x")
    assert project.launch().counts.reused == 6
    assert project.snapshot.read_bytes() == content

    project.snapshot.unlink()
    assert project.launch().counts.reused == 6
    assert project.snapshot.read_bytes() == content


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], "the asset features gives a list; a frame of pandas or polars"),
        (
            pl.DataFrame({"a": [1, None], "species": ["p", "q"]}),
            "the asset features, row 2, column a: ",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_named(
    project: AssetProject, value: object, message: str
) -> None:
    project.value.append(value)
    project.materialize("features")
    with pytest.raises(InputError, match=message):
        project.launch()


def test_an_io_manager_that_fails_is_named(project: AssetProject) -> None:
    project.materialize("features")
    project.frames.kept.clear()
    with pytest.raises(InputError, match=r"the asset features cannot be loaded: .*features"):
        project.launch()


def test_an_asset_that_depends_on_the_selection_gets_the_champion(done: AssetProject) -> None:
    project = done
    project.materialize("predicted")
    assert project.metadata("predicted")["of"] == "SVC"
    assert project.source_staleness("predicted") == "FRESH"

    study = LoadedStudy(project.study())
    board = study.frame()
    assert board["candidate"][0] == study.champion_key
    assert len(board) == 6
    assert board["param_C"].dtype == float
    assert study.parameters == {"C": board["param_C"][0], "gamma": board["param_gamma"][0]}
    model = study.model(board["candidate"][5])
    assert (model.C, model.gamma) == (board["param_C"][5], board["param_gamma"][5])
    assert study.estimate.value == pytest.approx(project.metadata("selection")["estimate"])
    message = "no model of the candidate C9.0_G9.0; the nearest are C8.0_"
    with pytest.raises(InputError, match=message):
        study.model("C9.0_G9.0")


def test_the_champion_is_loaded_outside_of_a_run(done: AssetProject) -> None:
    with done.defs.get_asset_value_loader(done.instance) as loader:
        champion = loader.load_asset_value("selection")
    assert type(champion).__name__ == "SVC"


def test_a_champion_whose_search_the_process_has_not_built_is_refused(done: AssetProject) -> None:
    loader = done.defs.get_asset_value_loader(done.instance)
    with no_searches(), loader as values, pytest.raises(dg.Failure) as refused:
        values.load_asset_value("selection")
    assert refused.value.description == (
        "this process has not built the search '': build its definitions again, or use "
        "iris_hpo.load_study"
    )


@pytest.mark.parametrize("asset", ["raw_data", "split", "parameters", "models", "scores"])
def test_another_asset_has_no_value_for_an_input(done: AssetProject, asset: str) -> None:
    """It would be looked for by the project's own IO manager, which stored nothing."""
    key = done.registered()[0] if asset in {"models", "scores"} else None
    with (
        done.defs.get_asset_value_loader(done.instance) as loader,
        pytest.raises(dg.Failure) as refused,
    ):
        loader.load_asset_value(asset, partition_key=key)
    assert refused.value.description == (
        f"{asset} has no value that an asset can take as an input. Depend on it, with "
        f"deps=[['{asset}']] in place of the input, and load what the search has stored: "
        "iris_hpo.load_study('', instance=context.instance)"
    )


def test_a_loaded_study_has_the_plots_of_its_leaderboard(done: AssetProject) -> None:
    study = LoadedStudy(done.study())
    for names, count in [((), 5), (("leaderboard",), 1), (("slices", "leaderboard"), 3)]:
        figures = study.figures(*names)  # one after the other, as cells of a notebook
        assert len(figures.children) == count
        assert "Bokeh" in file_html(figures)
    table = figures.children[-1]
    assert list(table.source.data["candidate"]) == list(study.frame()["candidate"])
    with pytest.raises(InputError, match="no plot heat; there are map, leaderboard"):
        study.figures("map", "heat")


def test_a_model_that_was_changed_is_not_unpickled(done: AssetProject) -> None:
    project = done
    study = LoadedStudy(project.study())
    for path in (
        project.artifacts / "selection" / "champion.pkl",
        project.model_file(study.champion_key),
    ):
        path.write_bytes(b"cos\nsystem\n.")
    with pytest.raises(InputError, match=r"champion\.pkl"):
        study.champion  # noqa: B018
    with pytest.raises(InputError, match=f"model_{study.champion_key}.pkl"):
        study.model(study.champion_key)


def test_on_object_storage_the_snapshot_is_fetched(project: AssetProject) -> None:
    storage = Storage(data=str(project.root), artifacts=f"memory:/{project.root}")
    writing, reading = (Study(project.spec, project.instance, storage) for _ in range(2))
    writing.data_asset.keep(project.value[0])
    stored = writing.store.read(SNAPSHOT)
    assert reading.data_file.read_bytes() == stored
    assert reading.dataset.digest == writing.dataset.digest == file_digest(reading.data_file)


def test_loading_a_study_imports_no_frames() -> None:
    program = (
        "import iris_hpo, sys; iris_hpo.load_study; print({*sys.modules} & {'pandas', 'polars'})"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "set()\n"


def test_a_study_without_an_instance_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "iris_hpo.orchestration.known_searches._BUILT", {"": [small_spec(tmp_path)]}
    )
    with pytest.raises(InputError, match=r"\.dagster is no Dagster instance; run the search first"):
        load_study()


@pytest.mark.slow
def test_a_value_that_cannot_be_loaded_is_tried_again_three_times(project: AssetProject) -> None:
    project.materialize("features")
    project.frames.kept.clear()
    files, data = Follower(project, "parameter_files_sensor"), Follower(project, "raw_data_sensor")
    assert not data.tick()
    assert [bool(files.tick()) for _ in range(6)] == [True, True, True, True, False, False]
    assert not data.tick()

    project.materialize("features")
    (request,) = data.tick()
    assert assets_of(request) == ["raw_data", "split", "models", "scores"]
    assert not files.tick()
    assert set(project.staleness("scores").values()) == {"FRESH"}
