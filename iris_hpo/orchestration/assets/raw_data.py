"""The asset `raw_data`: the data file, or the value of the project's asset, checked."""

from collections.abc import Callable
from typing import Any

import dagster as dg

from iris_hpo.data.dataset import class_counts
from iris_hpo.orchestration.assets.tables import columns_table
from iris_hpo.orchestration.claims import check_claim
from iris_hpo.orchestration.data_asset import SNAPSHOT
from iris_hpo.orchestration.names import CHAMPION, LAYOUT, NO_TABLE, NOTES, names_of, presentation
from iris_hpo.orchestration.own_run import in_turn
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.study import OpenStudy, Study
from iris_hpo.spec import SearchSpec
from iris_hpo.text import clean


def build_raw_data(
    spec: SearchSpec, open_study: OpenStudy, *, loads_data: bool = False
) -> dg.AssetsDefinition:
    """Define `raw_data`; it has the asset of the project as an input, if the data is one.

    Parameters
    ----------
    loads_data
        Whether the study loads the asset's value; otherwise Dagster does, and passes it.
    """

    def from_file(
        context: dg.AssetExecutionContext, iris_hpo_storage: Storage
    ) -> dg.MaterializeResult[Any]:
        with in_turn(context.run.run_id):
            study = open_study(context.instance, iris_hpo_storage)
            check_claim(study)
            return _read(study, str(study.data_file))

    def from_asset(
        context: dg.AssetExecutionContext,
        iris_hpo_storage: Storage,
        value: Any,
    ) -> dg.MaterializeResult[Any]:
        with in_turn(context.run.run_id):
            study = open_study(context.instance, iris_hpo_storage)
            check_claim(study)
            study.data_asset.keep(value)
            return _read(study, str(study.store.path(SNAPSHOT)))

    def from_study(
        context: dg.AssetExecutionContext, iris_hpo_storage: Storage
    ) -> dg.MaterializeResult[Any]:
        with in_turn(context.run.run_id):
            study = open_study(context.instance, iris_hpo_storage)
            check_claim(study)
            study.data_asset.keep_latest()
            return _read(study, str(study.store.path(SNAPSHOT)))

    function: Callable[..., dg.MaterializeResult[Any]] = from_file
    edge: dict[str, Any] = {}
    if spec.data_asset:
        key = dg.AssetKey.from_user_string(spec.data_asset)
        function = from_study if loads_data else from_asset
        edge = {"deps": [key]} if loads_data else {"ins": {"value": dg.AssetIn(key)}}
    shown = presentation(spec, "raw_data")
    pool = names_of(spec).pool
    return dg.asset(**shown, **edge, io_manager_key=CHAMPION, pool=pool)(function)


def _read(study: Study, path: str) -> dg.MaterializeResult[Any]:
    spec, dataset = study.spec, study.dataset
    notes = dataset.notes if spec.has_table else (NO_TABLE,)
    counts = class_counts(dataset.target) if spec.task == "classification" else {}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(dataset.digest),
        metadata={
            "dagster/row_count": len(dataset.target),
            "features": len(dataset.feature_names),
            "classes": clean(", ".join(counts)) or "none: a number is predicted",
            **({"path": dg.MetadataValue.path(path)} if spec.has_table else {}),
            "digest": dataset.digest,
            "columns": columns_table(dataset.columns),
            LAYOUT: spec.layout.content(),
            **({NOTES: [*map(clean, notes)]} if notes else {}),
        },
    )
