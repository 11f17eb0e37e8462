"""The asset `split`: training rows, test rows and folds, stored."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import dagster as dg

from iris_hpo.data.dataset import Target, class_counts
from iris_hpo.data.sources import DatasetError
from iris_hpo.data.split import (
    TEST,
    TRAIN,
    SplitCard,
    notes_on_split,
    read_target,
    write_split,
)
from iris_hpo.orchestration.assets.tables import columns_table
from iris_hpo.orchestration.claims import check_claim
from iris_hpo.orchestration.config import SplitConfig, split_config
from iris_hpo.orchestration.last_run import changed
from iris_hpo.orchestration.names import (
    CHAMPION,
    IDENTITY,
    LAYOUT,
    NO_TABLE,
    NOTES,
    names_of,
    presentation,
)
from iris_hpo.orchestration.own_run import in_turn
from iris_hpo.orchestration.record import as_json
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.study import OpenStudy
from iris_hpo.spec import SearchSpec
from iris_hpo.text import clean


def build_split(spec: SearchSpec, open_study: OpenStudy) -> dg.AssetsDefinition:
    """Define `split`."""
    names = names_of(spec)
    config_type = split_config(spec)

    def split(
        context: dg.AssetExecutionContext, config: SplitConfig, iris_hpo_storage: Storage
    ) -> dg.MaterializeResult[Any]:
        with in_turn(context.run.run_id):
            study = open_study(context.instance, iris_hpo_storage)
            check_claim(study)
            recorded = study.require("raw_data")
            if study.dataset.digest != recorded.version:
                raise DatasetError(
                    str(study.data_file),
                    "the data changed since raw_data was materialised; materialise raw_data too",
                )
            card, files = study.divide(config.settings())
            write_split(study.store, card, files)
            columns = columns_table(study.dataset.columns)
            study.forget_rows()
        return dg.MaterializeResult(
            data_version=dg.DataVersion(card.version),
            metadata={
                **(_rows(spec, card, files) if spec.has_table else {NOTES: [NO_TABLE]}),
                **({"columns": columns} if spec.has_table else {}),
                "seed": card.seed,
                IDENTITY: as_json(card.causes),
                LAYOUT: spec.layout.content(),
                "path": dg.MetadataValue.path(str(study.store.path("split"))),
                **changed(asdict(config.settings()), asdict(spec.split)),
            },
        )

    split.__annotations__["config"] = config_type
    return dg.asset(
        **presentation(spec, "split"),
        deps=[names.asset("raw_data")],
        io_manager_key=CHAMPION,
        pool=names.pool,
    )(split)


def _rows(spec: SearchSpec, card: SplitCard, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Metadata on the rows and the folds."""
    targets = {
        part: read_target(files[part], spec.task, card.roles or ())[1] for part in (TRAIN, TEST)
    }
    notes = notes_on_split(card, targets[TRAIN], spec.task)
    return {
        "rows": _rows_table(spec, targets[TRAIN], targets[TEST]),
        "folds": card.folds,
        **({"repeats": card.repeats} if card.repeats else {}),
        **({"splitter": card.splitter} if card.splitter else {}),
        **({NOTES: notes} if notes else {}),
    }


def _rows_table(spec: SearchSpec, train: Target, test: Target) -> dg.TableMetadataValue:
    parts = {"train": train, "test": test}
    records = [
        dg.TableRecord({"part": part, "class": clean(name), "rows": count})
        for part, target in parts.items()
        for name, count in (
            class_counts(target) if spec.task == "classification" else {"all": len(target)}
        ).items()
    ]
    return dg.MetadataValue.table(
        records,
        dg.TableSchema(
            [
                dg.TableColumn("part"),
                dg.TableColumn("class"),
                dg.TableColumn("rows", "int"),
            ]
        ),
    )
