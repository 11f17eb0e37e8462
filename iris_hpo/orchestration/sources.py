"""`raw_data`, `split` and `parameters`: what candidates stand on."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import dagster as dg

from iris_hpo.orchestration.claims import check_claim, claim_search
from iris_hpo.orchestration.config import (
    ParametersConfig,
    SplitConfig,
    parameters_config,
    split_config,
)
from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.inputs import CANDIDATES_TABLE, PARAMETERS_CARD, require
from iris_hpo.orchestration.last_run import changed
from iris_hpo.orchestration.naming import names_of
from iris_hpo.orchestration.partitions import apply_change, pending_change
from iris_hpo.orchestration.presentation import presentation
from iris_hpo.orchestration.storage import Storage
from iris_hpo.search.dataset import Dataset, read_dataset
from iris_hpo.search.engines import apart
from iris_hpo.search.errors import InputError
from iris_hpo.search.parameter_files import ParameterFiles, read_parameter_files
from iris_hpo.search.space import Axis
from iris_hpo.search.spec import SearchSpec
from iris_hpo.search.splitting import SplitSettings, class_counts, notes_on_folds, split_rows
from iris_hpo.search.tables import DatasetError
from iris_hpo.search.values import Value
from iris_hpo.store.artifacts import SMALL, ArtifactError, ArtifactStore
from iris_hpo.store.cards import ParametersCard, SplitCard
from iris_hpo.store.split import divide, read_part, write_split
from iris_hpo.text import clean, quote_cell

LAYOUT = "layout"
"""The metadata of `raw_data` and `split` that says which column was the target."""
NOTES = "notes"
"""The metadata of `raw_data` and `split` that says what to know about the columns and the folds."""


def build_raw_data(spec: SearchSpec) -> dg.AssetsDefinition:
    """Define `raw_data`."""

    def raw_data(
        context: dg.AssetExecutionContext, iris_hpo_storage: Storage
    ) -> dg.MaterializeResult[Any]:
        with user_errors():
            check_claim(context.instance, spec, iris_hpo_storage)
            dataset = read_spec_data(spec, iris_hpo_storage)
        counts = class_counts(dataset.target) if spec.task == "classification" else {}
        return dg.MaterializeResult(
            data_version=dg.DataVersion(dataset.digest),
            metadata={
                "dagster/row_count": len(dataset.target),
                "features": len(dataset.feature_names),
                "classes": clean(", ".join(counts)) or "none: a number is predicted",
                "path": dg.MetadataValue.path(str(iris_hpo_storage.data_file(spec))),
                "digest": dataset.digest,
                LAYOUT: asdict(spec.layout),
                **({NOTES: [*map(clean, dataset.notes)]} if dataset.notes else {}),
            },
        )

    return dg.asset(**presentation(spec, "raw_data"), pool=names_of(spec).pool)(raw_data)


def build_split(spec: SearchSpec) -> dg.AssetsDefinition:
    """Define `split`."""
    names = names_of(spec)
    config_type = split_config(spec)

    def split(
        context: dg.AssetExecutionContext, config: SplitConfig, iris_hpo_storage: Storage
    ) -> dg.MaterializeResult[Any]:
        with user_errors():
            check_claim(context.instance, spec, iris_hpo_storage)
            recorded = require(context.instance, names, "raw_data")
            dataset = read_spec_data(spec, iris_hpo_storage)
            if dataset.digest != recorded.version:
                raise DatasetError(
                    str(iris_hpo_storage.data_file(spec)),
                    "the data changed since raw_data was materialised; materialise raw_data too",
                )
            card, train, test = divide_spec_data(spec, iris_hpo_storage, dataset, config.settings())
            store = iris_hpo_storage.store(spec)
            write_split(store, card, train, test)
        target = read_part(train, spec.task)[2]
        notes = notes_on_folds(target, config.settings(), spec.task)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(card.version),
            metadata={
                "rows": _rows_table(spec, train, test),
                "folds": card.folds,
                "seed": card.seed,
                LAYOUT: asdict(spec.layout),
                "path": dg.MetadataValue.path(str(store.path("split"))),
                **({NOTES: notes} if notes else {}),
                **changed(asdict(config.settings()), asdict(spec.split)),
            },
        )

    split.__annotations__["config"] = config_type
    return dg.asset(**presentation(spec, "split"), deps=[names.asset("raw_data")], pool=names.pool)(
        split
    )


def build_parameters(spec: SearchSpec) -> dg.AssetsDefinition:
    """Define `parameters`."""
    names = names_of(spec)
    config_type = parameters_config(spec)

    def parameters(
        context: dg.AssetExecutionContext, config: ParametersConfig, iris_hpo_storage: Storage
    ) -> dg.MaterializeResult[Any]:
        with user_errors():
            claim_search(context.instance, spec, iris_hpo_storage)
            found = read_spec_parameters(spec, iris_hpo_storage)
            card = parameters_card(spec, config.choices())
            store = iris_hpo_storage.store(spec)
            keys = [candidate.key for candidate in found.candidates]
            before = _stored_keys(store)
            apply_change(context.instance, names, pending_change(context.instance, names, keys))
            store.write_together(
                {
                    CANDIDATES_TABLE: candidates_csv(spec.axes, found),
                    PARAMETERS_CARD: card.to_bytes(),
                }
            )
        return dg.MaterializeResult(
            data_version=dg.DataVersion(card.version),
            metadata={
                "axes": _axes_table(spec, found),
                "candidates": len(keys),
                "explicit_candidates": found.explicit,
                "added": len(set(keys) - before),
                "removed": len(before - set(keys)),
                **{f"setting {name}": value for name, value in card.choices.items()},
                "path": dg.MetadataValue.path(str(iris_hpo_storage.parameters_folder(spec))),
                **changed(card.choices, {one.name: one.default_text for one in spec.choices}),
            },
        )

    parameters.__annotations__["config"] = config_type
    return dg.asset(**presentation(spec, "parameters"), pool=names.pool)(parameters)


def read_spec_data(spec: SearchSpec, storage: Storage) -> Dataset:
    """Read the data set of a search."""
    return read_dataset(storage.data_file(spec), spec.layout, spec.task)


def divide_spec_data(
    spec: SearchSpec, storage: Storage, dataset: Dataset, settings: SplitSettings
) -> tuple[SplitCard, bytes, bytes]:
    """Divide the data set of a search; what cannot be divided is named by its file."""
    try:
        return divide(dataset, settings, spec.task, partial(apart, split_rows))
    except InputError as error:
        raise InputError(f"{storage.data_file(spec)}: {error}") from error


def read_spec_parameters(spec: SearchSpec, storage: Storage) -> ParameterFiles:
    """Read the parameter files of a search."""
    return read_parameter_files(
        storage.parameters_folder(spec), spec.space, max_candidates=spec.max_candidates
    )


def parameters_card(spec: SearchSpec, choices: dict[str, str]) -> ParametersCard:
    """What the parameters of a search are, under the choices of a run."""
    identity = spec.recipe(choices).identity()
    return ParametersCard(
        axes=[axis.identity() for axis in spec.axes],
        recipe={name: identity[name] for name in ("steps", "code") if name in identity},
        choices={
            choice.name: choices.get(choice.name, choice.default_text) for choice in spec.choices
        },
        scoring=spec.scoring,
    )


def candidates_csv(axes: Sequence[Axis], found: ParameterFiles) -> bytes:
    """The candidates of the parameter files as a table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["candidate", *(axis.name for axis in axes)])
    for candidate in found.candidates:
        writer.writerow([candidate.key, *map(_cell, candidate.values)])
    return text.getvalue().encode()


def _cell(value: Value) -> Value:
    return quote_cell(value) if isinstance(value, str) else value


def _rows_table(spec: SearchSpec, train: bytes, test: bytes) -> dg.TableMetadataValue:
    parts = {"train": read_part(train, spec.task)[2], "test": read_part(test, spec.task)[2]}
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


def _axes_table(spec: SearchSpec, found: ParameterFiles) -> dg.TableMetadataValue:
    records = [
        dg.TableRecord(
            {
                "axis": axis.name,
                "parameter": axis.parameter,
                "values": len(found.axis_values[axis.name]),
                "list": _shortened([clean(str(one)) for one in found.axis_values[axis.name]]),
            }
        )
        for axis in spec.axes
    ]
    return dg.MetadataValue.table(
        records,
        dg.TableSchema(
            [
                dg.TableColumn("axis"),
                dg.TableColumn("parameter"),
                dg.TableColumn("values", "int"),
                dg.TableColumn("list"),
            ]
        ),
    )


def _shortened(values: Sequence[str]) -> str:
    if len(values) <= 30:
        return ", ".join(values)
    return f"{', '.join(values[:15])}, ..., {', '.join(values[-5:])}"


def _stored_keys(store: ArtifactStore) -> set[str]:
    """Who stood in the table before; nobody, if it is missing or damaged: it is written anew."""
    try:
        rows = list(csv.reader(io.StringIO(store.read(CANDIDATES_TABLE, limit=SMALL).decode())))
    except (ArtifactError, UnicodeDecodeError, csv.Error):
        return set()
    return {row[0] for row in rows[1:] if row}
