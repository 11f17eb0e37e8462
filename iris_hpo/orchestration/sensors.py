"""The jobs of a search, and the sensors that request them; their ticks are in `ticks`."""

import os
from functools import partial
from typing import Final

import dagster as dg

from iris_hpo.errors import InputError
from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.import_path import with_present_path
from iris_hpo.orchestration.names import Names, names_of
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.ticks import FindEdit, follow_parameter_files, follow_raw_data
from iris_hpo.spec import SearchSpec

_SEARCHED: Final = ("raw_data", "split", "parameters", "models", "scores")
_SEARCHES: Final = (
    "Read data and parameter files, train and score candidates: all of them, or with a partition "
    "that one alone. To choose several, materialise `models` and `scores`."
)
_FOLLOWS_CANDIDATES: Final = (
    "Registers candidates that the parameter files, or the sampler, add, deletes those that are "
    "gone, and requests the work that follows."
)
_FOLLOWS_FILE: Final = "Requests a run for all candidates when the data file has new content."
_FOLLOWS_ASSET: Final = (
    "Requests a run for all candidates when the asset with the data was materialised."
)
_DAY: Final = 86_400
_RUNNING: Final = dg.DefaultSensorStatus.RUNNING


def _interval() -> int:
    given = os.environ.get("IRIS_HPO_SENSOR_SECONDS") or "10"
    if not (given.isascii() and given.isdigit() and 0 < int(given) <= _DAY):
        raise InputError(
            f"IRIS_HPO_SENSOR_SECONDS {given!r} must be a whole number of seconds, 1 to {_DAY}"
        )
    return int(given)


def build_automation(spec: SearchSpec, find_edit: FindEdit | None = None) -> dg.Definitions:
    """Define the jobs and sensors of a search; all sensors are on by default."""
    names = names_of(spec)
    interval = _interval()
    open_study = with_present_path(partial(Study, spec))
    search = dg.define_asset_job(
        names.plain("search"),
        dg.AssetSelection.assets(*(names.asset(name) for name in _SEARCHED)),
        description=_SEARCHES,
        executor_def=dg.in_process_executor,  # the work is spread by the engine, not by steps
    )
    select = dg.define_asset_job(
        names.plain("select"),
        dg.AssetSelection.assets(names.asset("selection")),
        description="Choose the best of the scored candidates.",
        executor_def=dg.in_process_executor,
    )

    @dg.sensor(
        name=names.plain("parameter_files_sensor"),
        jobs=[search, select],
        minimum_interval_seconds=interval,
        default_status=_RUNNING,
        description=_FOLLOWS_CANDIDATES,
    )
    def parameter_files_sensor(
        context: dg.SensorEvaluationContext, iris_hpo_storage: Storage
    ) -> dg.SensorResult:
        with user_errors():
            study = open_study(context.instance, iris_hpo_storage)
            return follow_parameter_files(context, study, find_edit)

    @dg.sensor(
        name=names.plain("raw_data_sensor"),
        job=search,
        minimum_interval_seconds=interval,
        default_status=_RUNNING,
        description=_FOLLOWS_ASSET if spec.data_asset else _FOLLOWS_FILE,
    )
    def raw_data_sensor(
        context: dg.SensorEvaluationContext, iris_hpo_storage: Storage
    ) -> dg.SensorResult:
        with user_errors():
            study = open_study(context.instance, iris_hpo_storage)
            return follow_raw_data(context, study, find_edit)

    return dg.Definitions(
        jobs=[search, select],
        sensors=[parameter_files_sensor, raw_data_sensor, _selection_sensor(names, interval)],
    )


def _selection_sensor(names: Names, interval: int) -> dg.AutomationConditionSensorDefinition:
    return dg.AutomationConditionSensorDefinition(
        names.plain("selection_sensor"),
        target=dg.AssetSelection.assets(names.asset("selection")),
        default_status=_RUNNING,
        minimum_interval_seconds=interval,
        description="Selects again when scores changed and no candidate is being worked on.",
    )
