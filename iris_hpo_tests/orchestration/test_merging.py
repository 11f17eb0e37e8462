"""A search beside a project's own definitions: nothing clashes, and nothing of theirs changes."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from iris_hpo.orchestration.build import build_search
from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.projects import (
    CANDIDATES,
    DAGSTERS_WARNINGS,
    SOURCES,
    SpecProject,
    YamlProject,
    small_spec,
)
from iris_hpo_tests.ticks import evaluate_tick

pytestmark = DAGSTERS_WARNINGS


@dg.executor(name="their_executor", requirements=dg.multiple_process_executor_requirements())
def their_executor(_: dg.InitExecutorContext) -> dg.Executor:
    raise NotImplementedError


class TheirStorage(dg.ConfigurableResource[None]):
    bucket: str


@pytest.fixture
def theirs() -> dg.Definitions:
    """An executor, resources and names that a search might want too."""

    @dg.asset
    def models(storage: TheirStorage, progress: dg.ResourceParam[str]) -> str:
        return storage.bucket + progress

    @dg.op
    def work() -> None: ...

    @dg.job
    def search() -> None:
        work()

    return dg.Definitions(
        assets=[models],
        jobs=[search, dg.define_asset_job("select", [models])],
        resources={"storage": TheirStorage(bucket="b"), "progress": "p"},
        executor=their_executor,
    )


@pytest.fixture
def merged(theirs: dg.Definitions, tmp_path: Path) -> dg.Definitions:
    spec = replace(small_spec(tmp_path), name="svm", partitions="")
    return dg.Definitions.merge(theirs, build_search(spec))


def test_both_load_together(merged: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(merged)
    keys = {key.to_user_string() for key in merged.resolve_asset_graph().get_all_asset_keys()}
    assert {"models", "svm/models"} <= keys


@pytest.mark.parametrize("job", ["search", "select"])
def test_jobs_of_the_project_keep_their_executor(merged: dg.Definitions, job: str) -> None:
    assert merged.executor is their_executor
    assert merged.resolve_job_def(job).executor_def is their_executor


@pytest.mark.parametrize("job", ["svm_search", "svm_select"])
def test_jobs_of_the_search_have_their_own(merged: dg.Definitions, job: str) -> None:
    assert merged.resolve_job_def(job).executor_def is dg.in_process_executor


def test_resources_of_the_project_stay(merged: dg.Definitions) -> None:
    result = merged.resolve_implicit_global_asset_job_def().execute_in_process(
        asset_selection=[dg.AssetKey("models")]
    )
    assert result.output_for_node("models") == "bp"


def test_a_search_sets_no_default_of_a_project(tmp_path: Path) -> None:
    made = build_search(small_spec(tmp_path))
    assert made.executor is None
    assert not made.loggers
    assert all(str(key).startswith("iris_hpo_") for key in made.resources or {})


def test_what_a_project_defines_over_all_its_assets(tmp_path: Path) -> None:
    """The code of docs/dagster.md, beside an asset with partitions of its own."""

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["mon", "tue"]))
    def orders() -> None: ...

    page = (REPOSITORY / "docs" / "dagster.md").read_text()
    (code,) = re.findall(r"^```py\n(.*?)^```", page, re.M | re.S)
    names: dict[str, Any] = {"dg": dg}
    exec(code, names)
    theirs = dg.Definitions(assets=[orders], jobs=[names["nightly"]], sensors=[names["automation"]])
    spec = replace(small_spec(tmp_path), name="flowers", partitions="")
    merged = dg.Definitions.merge(theirs, build_search(spec))
    dg.Definitions.validate_loadable(merged)
    job = merged.resolve_job_def("nightly")
    assert job.asset_layer.executable_asset_keys == {dg.AssetKey("orders")}


PROJECT = """
from dataclasses import replace
from pathlib import Path

import dagster as dg

from iris_hpo import build_search
from iris_hpo.iris import iris_search
from iris_hpo.data.splitters import SplitSettings

spec = replace(iris_search(), home=Path(__file__).parent, split=SplitSettings(folds=2, repeats=1))
everything = dg.define_asset_job("everything", dg.AssetSelection.all())
defs = dg.Definitions.merge(
    build_search(spec),
    dg.Definitions(jobs=[everything], executor=dg.multiprocess_executor),
)
"""


@pytest.fixture
def disk_home(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    home = tmp_path / "home"
    home.mkdir()
    with dg.instance_for_test(
        temp_dir=str(home), overrides={"concurrency": {"pools": {"default_limit": 1}}}
    ) as made:
        yield made


@pytest.mark.slow
def test_a_search_works_under_the_executor_of_the_project(
    tmp_path: Path, disk_home: dg.DagsterInstance
) -> None:
    """Each step is a process that imports all, so the second engine works on candidates alone."""
    project = SpecProject.create(tmp_path / "project", disk_home)
    file = project.root / "their_definitions.py"
    file.write_text(PROJECT)
    for assets, candidates in (
        ([*SOURCES, *CANDIDATES], {"engine": "loky", "jobs": 2}),
        (CANDIDATES, {"engine": "serial", "force": True}),
        (["selection"], {}),
    ):
        with dg.execute_job(
            dg.build_reconstructable_job(
                "iris_hpo_tests.orchestration.test_merging",
                "job_of_file",
                (str(file),),
            ),
            instance=disk_home,
            run_config={"ops": {"candidates": {"config": candidates}} if candidates else {}},
            asset_selection=[dg.AssetKey(name) for name in assets],
        ) as result:
            assert result.success
    assert {len(events) for events in project.by_partition("models").values()} == {2}
    assert len(project.leaderboard()) == 6
    assert not project.plan().candidates


def job_of_file(file: str) -> dg.JobDefinition:
    """The job of a project, as a child process loads it."""
    names: dict[str, object] = {"__file__": file}
    exec(compile(Path(file).read_text(), file, "exec"), names)
    defs = names["defs"]
    assert isinstance(defs, dg.Definitions)
    return defs.resolve_job_def("everything")


class TestDynamicPartitions:
    """Dagster knows them by name: two that share one add and delete each other's keys."""

    @pytest.fixture
    def project(self, tmp_path: Path) -> Iterator[SpecProject]:
        with dg.DagsterInstance.ephemeral() as instance:
            yield SpecProject.create(tmp_path, instance)

    @staticmethod
    def beside(project: SpecProject, partitions: str, *deps: str) -> dg.Definitions:
        """The search beside an asset with partitions."""

        @dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name=partitions), deps=deps)
        def cities() -> None: ...

        return dg.Definitions.merge(project.defs, dg.Definitions(assets=[cities]))

    @pytest.mark.parametrize("name", ["c_gamma", "c_gamma_from_files", "c_gamma_proposed"])
    def test_those_of_a_stranger_are_refused(self, project: SpecProject, name: str) -> None:
        defs = self.beside(project, name)
        with pytest.raises(dg.Failure) as failure:
            evaluate_tick(defs, project.instance, "parameter_files_sensor", None, project.storage)
        assert str(failure.value.description) == (
            f"the asset cities and the search have the same dynamic partitions {name!r}, so that "
            "each would try or delete what the other adds. Give those of the asset, or of the "
            "search (partitions), another name, or make the asset from those of the search"
        )
        assert project.registered() == []

    @pytest.mark.parametrize(("name", "deps"), [("cities", ()), ("c_gamma", ("models",))])
    def test_others_and_those_of_what_is_made_from_the_search_work(
        self, project: SpecProject, name: str, deps: tuple[str, ...]
    ) -> None:
        defs = self.beside(project, name, *deps)
        tick = evaluate_tick(
            defs, project.instance, "parameter_files_sensor", None, project.storage
        )
        assert tick.run_requests

    def test_the_command_refuses_them_too(self, tmp_path: Path) -> None:
        project = YamlProject.create(tmp_path / "project")
        estimator = "sklearn.neighbors.KNeighborsClassifier"
        axes = [{"name": "n_neighbors", "symbol": "K", "type": "int"}]
        project.write_search("towns", data_file="a.csv", estimator=estimator, axes=axes)
        (partitions,) = {
            str(getattr(one.partitions_def, "name", ""))
            for one in project.load().resolve_all_asset_specs()
            if one.partitions_def
        }
        (project.root / "defs" / "own.py").write_text(
            "import dagster as dg\n\n"
            f"@dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name={partitions!r}))\n"
            "def cities(): ...\n"
        )
        answer = project.call("status")
        assert answer.code == 2
        assert answer.err.startswith("iris-hpo: the asset cities and the search 'towns' have the")
        assert answer.err.count("\n") == 1
