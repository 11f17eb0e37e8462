"""Several searches on one instance share nothing but the instance."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo import SearchSpec, build_search
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.orchestration.names import Names, names_of
from iris_hpo.orchestration.resources import Storage
from iris_hpo.space.axes import Axis
from iris_hpo.training.estimators import Step
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject
from iris_hpo_tests.ticks import evaluate_tick

pytestmark = DAGSTERS_WARNINGS

SOURCES = ("raw_data", "split", "parameters")
POINTS = [["x", "y", "kind"]] + [[n, n * n % 7, "ab"[n % 2]] for n in range(30)]
SEARCH = {
    "data_file": "points.csv",
    "estimator": "sklearn.neighbors.KNeighborsClassifier",
    "axes": [{"name": "n_neighbors", "symbol": "N", "type": "int"}],
    "folds": 0,
}


@pytest.fixture
def pair(project: YamlProject) -> YamlProject:
    """Two searches that differ in nothing but their names and values."""
    project.write_data("points.csv", POINTS)
    for name, values in (("left", [1, 3]), ("right", [3, 5])):
        project.write_values(name, n_neighbors=values)
        project.write_search(name, **SEARCH)
    return project


@pytest.mark.slow
def test_a_run_a_failure_and_a_removal_stay_within_their_search(pair: YamlProject) -> None:
    pair.run("left")
    before = pair.files("left")
    assert (pair.partitions("left"), pair.partitions("right")) == (["N1", "N3"], [])
    assert not pair.artifacts("right").exists()

    pair.run("right")
    assert pair.files("left") == before
    assert (pair.partitions("left"), pair.partitions("right")) == (["N1", "N3"], ["N3", "N5"])
    with pair.instance() as instance:
        for search, keys in (("left", {"N1", "N3"}), ("right", {"N3", "N5"})):
            for asset in ("models", "scores"):
                found = instance.get_materialized_partitions(dg.AssetKey([search, asset]))
                assert found == keys

    before = pair.files("right")
    pair.write_values("left", n_neighbors=[1])
    assert pair.run("left")["candidates"] == 1
    (pair.parameters("left") / "n_neighbors_parameters.txt").write_text("many\n")
    assert pair.call("run", "--search", "left").code == 2
    found = pair.run("right")
    assert (found["trained"], found["reused"], found["runs"]) == (0, 2, [])
    assert pair.files("right") == before
    assert (pair.partitions("left"), pair.partitions("right")) == (["N1"], ["N3", "N5"])


def test_a_sensor_asks_for_its_own_search_only(
    pair: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IRIS_HPO_DATA", raising=False)
    defs = pair.load()
    with dg.DagsterInstance.ephemeral() as instance:
        found = evaluate_tick(defs, instance, "left_parameter_files_sensor")

        assert {request.job_name for request in found.run_requests or ()} == {"left_search"}
        assert {
            key.path[0] for request in found.run_requests or () for key in request.asset_selection
        } == {"left"}
        assert {
            request.partitions_def_name for request in found.dynamic_partitions_requests or ()
        } == {"left_candidates", "left_candidates_from_files"}

        other = evaluate_tick(defs, instance, "right_parameter_files_sensor")
        digests = [json.loads(str(one.cursor))["digest"] for one in (found, other)]
        assert digests[0] != digests[1]

        (pair.parameters("left") / "n_neighbors_parameters.txt").write_text("many\n")
        with pytest.raises(dg.Failure, match="n_neighbors 'many' is not a whole number"):
            evaluate_tick(defs, instance, "left_parameter_files_sensor", found.cursor)
        again = evaluate_tick(defs, instance, "right_parameter_files_sensor", other.cursor)
        assert "left" not in str(again)


def knn(name: str, home: Path, partitions: str = "") -> SearchSpec:
    return SearchSpec(
        name,
        home,
        "points.csv",
        (Axis("n_neighbors", "N", type="int"),),
        (Step("sklearn.neighbors.KNeighborsClassifier"),),
        split=SplitSettings(folds=0),
        partitions=partitions,
    )


@pytest.fixture
def trio(project: YamlProject) -> list[SearchSpec]:
    """The search without a name, and two others, in Python."""
    project.write_data("points.csv", POINTS)
    for name, values in (("", [1, 3]), ("left", [3, 5]), ("right", [5, 7])):
        project.write_values(name, n_neighbors=values)
    return [knn(name, project.root) for name in ("", "left", "right")]


@pytest.fixture
def merged(trio: list[SearchSpec]) -> dg.Definitions:
    return dg.Definitions.merge(*(build_search(spec) for spec in trio))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.mark.parametrize("home", [".", Path()], ids=["text", "path"])
def test_a_search_stays_in_its_folder_when_the_process_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = knn("left", home)

    monkeypatch.chdir(tmp_path.parent)

    assert Storage().data_file(spec).is_relative_to(tmp_path)
    assert spec == knn("left", tmp_path)


def test_partitions_of_another_search_are_refused(tmp_path: Path) -> None:
    """A copy by `dataclasses.replace` keeps what follows from the name of the original."""
    left = knn("left", tmp_path)
    copied = replace(left, name="copied")
    build_search(left)

    with pytest.raises(InputError, match="'left' and 'copied' have the same partitions 'left_can"):
        build_search(copied)

    build_search(replace(copied, partitions=""))
    build_search(replace(left, name="elsewhere", home=tmp_path / "other"))


def test_no_two_searches_share_a_name(trio: list[SearchSpec], merged: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(merged)
    graph = merged.resolve_asset_graph()
    by_search: dict[str, dict[str, set[str]]] = {}
    for spec in trio:
        own = build_search(spec)
        keys = {
            key
            for key in graph.get_all_asset_keys()
            if key.path[:-1] == ([spec.name] * bool(spec.name))
        }
        assert keys == own.resolve_asset_graph().get_all_asset_keys()
        names = names_of(spec)
        by_search[spec.name] = {
            "asset": {key.to_user_string() for key in keys},
            "pool": {pool for key in keys for pool in graph.get(key).pools or ()},
            "partitions": {
                str(partitions.name)
                for key in keys
                if isinstance(
                    partitions := graph.get(key).partitions_def, dg.DynamicPartitionsDefinition
                )
            }
            | {str(names.from_files.name)},
            "group": {str(graph.get(key).group_name) for key in keys},
            "op": {names.op(name) for name in (*SOURCES, "models", "selection")},
            "job": {
                job.name for job in own.resolve_all_job_defs() if not job.name.startswith("__")
            },
            "sensor": {sensor.name for sensor in own.sensors or ()},
        }
    sizes = {"asset": 6, "pool": 1, "partitions": 2, "group": 1, "op": 5, "job": 2, "sensor": 3}
    for kind, size in sizes.items():
        sets = [found[kind] for found in by_search.values()]
        assert [len(one) for one in sets] == [size] * 3, kind
        assert len(set.union(*sets)) == 3 * size, f"two searches share a name: {kind}"


def work(merged: dg.Definitions, instance: dg.DagsterInstance, names: Names) -> Callable[..., None]:
    """Run a search's jobs, of the merged definitions."""

    def run(job: str, *assets: str, **tags: str) -> None:
        config = {"ops": {names.op("models"): {"config": {"engine": "serial"}}}}
        result = merged.resolve_job_def(names.plain(job)).execute_in_process(
            run_config={
                **(config if "models" in assets else {}),
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            instance=instance,
            asset_selection=[names.asset(asset) for asset in assets],
            tags={f"dagster/asset_partition_range_{end}": key for end, key in tags.items()},
            raise_on_error=False,
        )
        assert result.success

    return run


@pytest.mark.slow
def test_merged_searches_run_side_by_side(
    trio: list[SearchSpec],
    merged: dg.Definitions,
    instance: dg.DagsterInstance,
    project: YamlProject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("IRIS_HPO_DATA", "IRIS_HPO_ARTIFACTS"):
        monkeypatch.delenv(name, raising=False)
    keys = {"": ["N1", "N3"], "left": ["N3", "N5"], "right": ["N5", "N7"]}
    runs = {spec.name: work(merged, instance, names_of(spec)) for spec in trio}
    # In turns, so that each finds the others' half-done work.
    for run in runs.values():
        run("search", *SOURCES)
    for name, run in runs.items():
        run("search", "models", "scores", start=keys[name][0], end=keys[name][1])
    for run in reversed(runs.values()):
        run("select", "selection")

    for spec in trio:
        names = names_of(spec)
        assert instance.get_dynamic_partitions(names.partitions_name) == keys[spec.name]
        for asset in ("models", "scores"):
            found = instance.get_materialized_partitions(names.asset(asset))
            assert found == set(keys[spec.name])
        root = Path(str(Storage().store(spec).root))
        assert root == project.root / "artifacts" / spec.name
        assert {path.stem for path in (root / "scores").iterdir()} == set(keys[spec.name])
        assert {path.name for path in (root / "models").glob("*.pkl")} == {
            f"model_{key}.pkl" for key in keys[spec.name]
        }
        text = (root / "selection" / "leaderboard.csv").read_text()
        assert {line.split(",")[1] for line in text.splitlines()[1:]} == set(keys[spec.name])


@pytest.mark.parametrize("name", ["models", "parameters", "scores", "search", "selection", "split"])
def test_a_name_is_refused_that_the_search_without_a_name_uses(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="uses it") as refusal:
        knn(name, tmp_path)
    assert str(refusal.value) == (
        f"search name {name!r}: the search without a name uses it; choose another"
    )
