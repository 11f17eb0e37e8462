"""The asset `raw_data`: the data file, checked."""

from typing import Any

import dagster as dg

from iris_hpo.data.dataset import class_counts
from iris_hpo.orchestration.assets.tables import columns_table
from iris_hpo.orchestration.claims import check_claim
from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.names import LAYOUT, NOTES, names_of, presentation
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.study import OpenStudy
from iris_hpo.spec import SearchSpec
from iris_hpo.text import clean


def build_raw_data(spec: SearchSpec, open_study: OpenStudy) -> dg.AssetsDefinition:
    """Define `raw_data`."""

    def raw_data(
        context: dg.AssetExecutionContext, iris_hpo_storage: Storage
    ) -> dg.MaterializeResult[Any]:
        with user_errors():
            study = open_study(context.instance, iris_hpo_storage)
            check_claim(study)
            dataset = study.dataset
        counts = class_counts(dataset.target) if spec.task == "classification" else {}
        return dg.MaterializeResult(
            data_version=dg.DataVersion(dataset.digest),
            metadata={
                "dagster/row_count": len(dataset.target),
                "features": len(dataset.feature_names),
                "classes": clean(", ".join(counts)) or "none: a number is predicted",
                "path": dg.MetadataValue.path(str(study.data_file)),
                "digest": dataset.digest,
                "columns": columns_table(dataset.columns),
                LAYOUT: spec.layout.content(),
                **({NOTES: [*map(clean, dataset.notes)]} if dataset.notes else {}),
            },
        )

    return dg.asset(**presentation(spec, "raw_data"), pool=names_of(spec).pool)(raw_data)
