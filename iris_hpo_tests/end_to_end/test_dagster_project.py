"""A search in a user's Dagster project: the code of docs/dagster.md, in one go."""

import re
import tomllib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from sklearn.datasets import load_iris
from sklearn.neighbors import KNeighborsClassifier

import iris_hpo
from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject
from iris_hpo_tests.ticks import evaluate_tick

pytestmark = DAGSTERS_WARNINGS

PAGE = REPOSITORY / "docs" / "dagster.md"
STALE = """query($keys: [AssetKeyInput!]!) {
  assetNodes(assetKeys: $keys) { assetKey { path } staleStatus dependencyKeys { path } } }"""

THEIRS = """
import dagster as dg


@dg.executor(name="theirs", requirements=dg.multiple_process_executor_requirements())
def theirs(_):
    raise NotImplementedError


class Bucket(dg.ConfigurableResource):
    name: str


@dg.asset
def models(storage: Bucket) -> None:
    assert storage.name == "theirs"


defs = dg.Definitions(
    assets=[models], resources={"storage": Bucket(name="theirs")}, executor=theirs
)
"""
"""What might clash with a search: an asset, a resource and an executor."""


class DagsterProject(YamlProject):
    """The project of the page, with what might clash."""

    def write(self) -> None:
        text = PAGE.read_text()
        codes = re.findall(r"^```(?:python|yaml)\n# (\S+)\n(.*?)^```", text, re.M | re.S)
        files = dict(codes)
        assert set(files) == {"definitions.py", "defs/flowers/defs.yaml", "report.py"}
        files["defs/report.py"] = files.pop("report.py")
        files["defs/theirs.py"] = THEIRS
        for name, code in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code)
        self.write_values("flowers", n_neighbors=[1, 5, 15])
        self.write_flowers()

    def write_flowers(self, rows: int = 150) -> None:
        flowers = load_iris(as_frame=True)
        frame = flowers.data.set_axis(
            ["sepal_length", "sepal_width", "petal_length", "petal_width"], axis=1
        )
        frame["species"] = flowers.target_names[flowers.target]
        frame.head(rows).to_csv(self.root / "flowers.csv", index=False)

    def materialize(self, instance: dg.DagsterInstance, *names: str) -> None:
        """Materialise assets, each of them for itself, as the UI does."""
        defs = self.load()
        for name in names:
            key = dg.AssetKey.from_user_string(name)
            job = defs.resolve_implicit_job_def_def_for_assets([key])
            assert job is not None
            assert job.execute_in_process(instance=instance, asset_selection=[key]).success

    def stale(self, instance: dg.DagsterInstance, *names: str) -> dict[str, str]:
        """What the UI is told of assets."""
        from dagster_graphql.test.utils import execute_dagster_graphql

        target = LoadableTargetOrigin(
            python_file=str(self.root / "definitions.py"), working_directory=str(self.root)
        )
        origin = InProcessCodeLocationOrigin(target, location_name="examples")
        keys = [{"path": name.split("/")} for name in names]
        with WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget([origin])) as workspace:
            answer = execute_dagster_graphql(
                workspace.create_request_context(), STALE, {"keys": keys}
            )
        nodes: list[Any] = answer.data["assetNodes"]
        return {"/".join(node["assetKey"]["path"]): node["staleStatus"] for node in nodes}


@pytest.fixture
def project(tmp_path: Path) -> DagsterProject:
    made = YamlProject.create(tmp_path / "project")
    project = DagsterProject(made.root)
    project.write()
    return project


@contextmanager
def ticking(project: DagsterProject, instance: dg.DagsterInstance) -> Iterator[None]:
    """Evaluate the sensor of the data before and after, and obey the request that it then makes."""
    sensor = "flowers_raw_data_sensor"
    cursor = evaluate_tick(project.load(), instance, sensor).cursor
    yield
    (request,) = evaluate_tick(project.load(), instance, sensor, cursor).run_requests
    job = project.load().resolve_job_def(request.job_name)
    result = job.execute_in_process(
        instance=instance,
        asset_selection=request.asset_selection,
        tags=request.tags,
        run_config={"ops": {"flowers__candidates": {"config": {"engine": "serial"}}}},
    )
    assert result.success


@pytest.mark.slow
def test_from_the_project_s_asset_to_the_champion_and_back(project: DagsterProject) -> None:
    with project.code_location() as instance:
        chain = ("flowers/raw_data", "flowers/split")
        answer = project.call("run", "--search", "flowers")
        assert answer.code == 2
        assert answer.err.splitlines()[-1].startswith(
            "iris-hpo: the asset features was never materialised"
        )

        project.materialize(instance, "features", "models")
        assert project.run("flowers")["trained"] == 3
        assert set(project.stale(instance, *chain).values()) == {"FRESH"}
        assert project.run("flowers")["reused"] == 3

        with ticking(project, instance):
            project.write_flowers(rows=140)
            project.materialize(instance, "features")
            assert project.stale(instance, *chain)["flowers/raw_data"] == "STALE"
            status = project.call("status", "--search", "flowers").out
            assert re.search(r"raw_data +0 +0 +1 +0", status), status
        assert set(project.stale(instance, *chain).values()) == {"FRESH"}
        assert project.run("flowers")["reused"] == 3

        project.materialize(instance, "labelled", "report")
        labelled = pl.read_parquet(project.root / "tables" / "labelled.parquet")
        assert labelled.height == 140
        assert (labelled["species"] == labelled["predicted"]).mean() > 0.9

        study = iris_hpo.load_study(project.root, instance=instance)
        assert isinstance(study.champion, KNeighborsClassifier)
        assert study.champion.n_neighbors == study.parameters["n_neighbors"]
    with project.entered():
        again = iris_hpo.load_study(str(project.root), search="flowers")
        assert again.frame().equals(study.frame())
        assert again.frame()["param_n_neighbors"].tolist() == [
            again.model(key).n_neighbors
            for key in again.frame()["candidate"]  # type: ignore[attr-defined]
        ]


def test_a_command_loads_the_value_without_warnings_of_dagster(project: DagsterProject) -> None:
    file = project.root / "definitions.py"
    text = file.read_text().replace(
        "iris_hpo.load_searches(", "dg.load_from_defs_folder(path_within_project="
    )
    file.write_text(text)
    with project.code_location() as instance:
        project.materialize(instance, "features")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", dg.BetaWarning)
            assert project.call("status", "--search", "flowers").code == 0
    assert [warning for warning in caught if warning.category is dg.BetaWarning] == []


def test_the_project_of_the_page_has_what_the_example_has() -> None:
    """Without a name of its code location, Dagster warns at each load."""
    (block,) = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    example = (REPOSITORY / "examples" / "pyproject.toml").read_text()
    of_page, of_example = (
        tomllib.loads(text)["tool"]["dg"]["project"] for text in (block, example)
    )
    assert of_page.keys() == of_example.keys()
