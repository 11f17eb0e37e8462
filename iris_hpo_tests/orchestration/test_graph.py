"""The asset graph, jobs, sensors and executor, as the UI shows them."""

import re
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.data.checks import DATA_CHECKS, SPLIT_CHECKS
from iris_hpo.iris import iris_search
from iris_hpo.orchestration.build import build_search
from iris_hpo.selection.checks import CHECKS

ASSETS = ("raw_data", "split", "parameters", "models", "scores", "selection")


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    """The definitions that the deployment loads."""
    from iris_hpo.definitions import defs

    return defs


@pytest.fixture(scope="module")
def specs(defs: dg.Definitions) -> dict[str, dg.AssetSpec]:
    """The asset specs by name."""
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def sensor_of(defs: dg.Definitions, name: str) -> dg.SensorDefinition:
    return defs.resolve_sensor_def(name)


def test_the_assets_are_the_six_of_the_interface(specs: dict[str, dg.AssetSpec]) -> None:
    assert set(specs) == set(ASSETS)


def test_lineage_is_as_designed(specs: dict[str, dg.AssetSpec]) -> None:
    lineage = {
        name: {dep.asset_key.to_user_string() for dep in spec.deps} for name, spec in specs.items()
    }
    assert lineage == {
        "raw_data": set(),
        "split": {"raw_data"},
        "parameters": set(),
        "models": {"split", "parameters"},
        "scores": {"models", "split"},
        "selection": {"scores"},
    }


@pytest.mark.parametrize("name", ASSETS)
def test_each_asset_is_presented(specs: dict[str, dg.AssetSpec], name: str) -> None:
    spec = specs[name]
    assert spec.group_name == "hyperparameter_search"
    assert list(spec.owners) == ["team:machine-learning"]
    assert spec.code_version
    assert spec.description
    assert not re.search(r"[{}]", spec.description), "an unfilled placeholder"
    assert 1 <= len(spec.kinds) <= 3, "Dagster shows at most three"


def test_descriptions_name_what_this_search_is_about(specs: dict[str, dg.AssetSpec]) -> None:
    assert "noisy_iris.csv" in str(specs["raw_data"].description)
    assert "C and gamma" in str(specs["parameters"].description)
    assert "SVC" in str(specs["models"].description)
    assert "accuracy" in str(specs["scores"].description)


def test_kinds_tell_what_is_stored(specs: dict[str, dg.AssetSpec]) -> None:
    assert specs["raw_data"].kinds == {"csv"}
    assert {"scikitlearn", "pickle"} <= specs["models"].kinds
    assert {"scikitlearn", "json"} <= specs["scores"].kinds


def test_candidates_are_dynamic_partitions_named_c_gamma(specs: dict[str, dg.AssetSpec]) -> None:
    partitioned = {
        name: spec.partitions_def for name, spec in specs.items() if spec.partitions_def is not None
    }
    assert set(partitioned) == {"models", "scores"}
    for partitions in partitioned.values():
        assert isinstance(partitions, dg.DynamicPartitionsDefinition)
        assert partitions.name == "c_gamma"


def test_a_backfill_of_candidates_is_one_run(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for name in ("models", "scores"):
        assert graph.get(dg.AssetKey(name)).backfill_policy == dg.BackfillPolicy.single_run()


def test_models_and_scores_can_be_made_apart(defs: dg.Definitions) -> None:
    models = defs.resolve_assets_def("models")
    assert models is defs.resolve_assets_def("scores")
    assert models.can_subset
    assert all(spec.skippable for spec in models.specs)


@pytest.mark.parametrize("name", ASSETS)
def test_every_op_waits_in_the_pool_of_the_search(defs: dg.Definitions, name: str) -> None:
    graph = defs.resolve_asset_graph()
    assert graph.get(dg.AssetKey(name)).pools == {"search"}


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("search", {"raw_data", "split", "parameters", "models", "scores"}),
        ("select", {"selection"}),
    ],
)
def test_jobs_select_their_assets(defs: dg.Definitions, job: str, expected: set[str]) -> None:
    layer = defs.resolve_job_def(job).asset_layer
    assert {key.to_user_string() for key in layer.executable_asset_keys} == expected


def test_there_are_no_other_jobs(defs: dg.Definitions) -> None:
    jobs = {job.name for job in defs.resolve_all_job_defs()}
    assert {name for name in jobs if not name.startswith("__")} == {"search", "select"}


def test_the_checks_of_a_job_run_with_it(defs: dg.Definitions) -> None:
    def checks(job: str) -> set[str]:
        layer = defs.resolve_job_def(job).asset_layer
        return {str(key) for key in {found.name for found in layer.asset_graph.asset_check_keys}}

    everything = {
        "parts_are_sound",
        "partitions_agree",
        "selection_is_complete",
        "selected_models_match",
        *CHECKS,
        *DATA_CHECKS,
        *SPLIT_CHECKS,
    }
    assert checks("search") == {
        "parts_are_sound",
        "partitions_agree",
        *DATA_CHECKS,
        *SPLIT_CHECKS,
    }
    assert checks("select") == everything - checks("search")


def test_sensors_are_on_by_default_and_fit_a_person_who_waits(defs: dg.Definitions) -> None:
    sensors = {sensor.name: sensor for sensor in defs.sensors or ()}
    assert set(sensors) == {"parameter_files_sensor", "raw_data_sensor", "selection_sensor"}
    for sensor in sensors.values():
        assert isinstance(sensor, dg.SensorDefinition)
        assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
        assert sensor.minimum_interval_seconds == 10
        assert sensor.description


def test_sensors_target_the_jobs_that_they_request(defs: dg.Definitions) -> None:
    parameter_files, raw_data = (
        sensor_of(defs, f"{name}_sensor") for name in ("parameter_files", "raw_data")
    )
    assert {target.job_name for target in parameter_files.targets} == {"search", "select"}
    assert {target.job_name for target in raw_data.targets} == {"search"}


def test_the_selection_sensor_watches_the_selection_alone(defs: dg.Definitions) -> None:
    sensor = sensor_of(defs, "selection_sensor")
    assert isinstance(sensor, dg.AutomationConditionSensorDefinition)
    assert sensor.asset_selection.resolve(defs.resolve_asset_graph()) == {dg.AssetKey("selection")}


def test_only_the_selection_is_automated(specs: dict[str, dg.AssetSpec]) -> None:
    automated = {name for name, spec in specs.items() if spec.automation_condition is not None}
    assert automated == {"selection"}


def test_runs_of_the_jobs_stay_in_their_process(defs: dg.Definitions) -> None:
    for job in ("search", "select"):
        assert defs.resolve_job_def(job).executor_def is dg.in_process_executor


def test_what_the_shipped_project_materialises_stays_in_its_process() -> None:
    from iris_hpo.definitions import defs

    assert defs.executor is dg.in_process_executor


def test_definitions_are_valid(defs: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(defs)


def test_run_configuration_is_explained_in_the_launchpad(defs: dg.Definitions) -> None:
    job = defs.resolve_job_def("search")
    fields = {
        op: job.run_config_schema.config_type.fields["ops"]
        .config_type.fields[op]
        .config_type.fields["config"]
        .config_type.fields
        for op in ("split", "parameters", "candidates")
    }
    assert set(fields["split"]) == {"test_size", "seed", "folds", "stratify", "repeats"}
    sampling = {"sampler", "candidates", "seconds", "until", "while_it_gains"}
    assert set(fields["parameters"]) == {"kernel", *sampling}
    assert {"engine", "jobs", "force"} <= set(fields["candidates"])
    for of_op in fields.values():
        for name, one in of_op.items():
            assert one.description, f"{name} is not explained"
            assert not one.is_required, f"{name} has no default"


def test_defaults_of_the_run_configuration_are_the_search_s(defs: dg.Definitions) -> None:
    job = defs.resolve_job_def("search")
    ops = job.run_config_schema.config_type.fields["ops"].config_type.fields

    def default(op: str, name: str) -> object:
        return ops[op].config_type.fields["config"].config_type.fields[name].default_value

    assert (default("split", "test_size"), default("split", "seed")) == (0.2, 0)
    assert default("split", "folds") == 5
    assert default("parameters", "kernel") == "rbf"
    assert default("candidates", "engine") == "loky"
    assert default("candidates", "force") is False


def test_a_named_search_has_names_of_its_own(tmp_path: Path) -> None:
    spec = replace(iris_search(), name="wine", partitions="", home=tmp_path)
    defs = build_search(spec)

    assert {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()} == {
        f"wine/{name}" for name in ASSETS
    }
    assert {sensor.name for sensor in defs.sensors or ()} == {
        "wine_parameter_files_sensor",
        "wine_raw_data_sensor",
        "wine_selection_sensor",
    }
    for job in ("wine_search", "wine_select"):
        assert defs.resolve_job_def(job).name == job
    partitions = defs.resolve_asset_graph().get(dg.AssetKey(["wine", "models"])).partitions_def
    assert isinstance(partitions, dg.DynamicPartitionsDefinition)
    assert partitions.name == "wine_candidates"


def test_two_searches_live_in_one_project(tmp_path: Path) -> None:
    wine = replace(iris_search(), name="wine", partitions="", home=tmp_path)
    both = dg.Definitions.merge(build_search(iris_search()), build_search(wine))

    dg.Definitions.validate_loadable(both)
    assert len(both.resolve_asset_graph().get_all_asset_keys()) == 12


# dagster_shared 1.13 asks a config class without fields for pydantic's deprecated `__fields__`.
@pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated:DeprecationWarning")
def test_a_search_may_offer_no_choices(tmp_path: Path) -> None:
    spec = replace(iris_search(), choices=(), home=tmp_path)
    dg.Definitions.validate_loadable(build_search(spec))
