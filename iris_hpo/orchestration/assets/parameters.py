"""The asset `parameters`: the candidates that the sampler lists, registered as partitions."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import dagster as dg

from iris_hpo.orchestration.claims import claim_search
from iris_hpo.orchestration.config import ParametersConfig, parameters_config
from iris_hpo.orchestration.last_run import changed
from iris_hpo.orchestration.names import CHAMPION, IDENTITY, names_of, presentation
from iris_hpo.orchestration.own_run import check_turn, in_turn
from iris_hpo.orchestration.partitions import apply_change, pending_change
from iris_hpo.orchestration.record import as_json
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.study import OpenStudy, Study
from iris_hpo.samplers.parameter_list import (
    CANDIDATES_TABLE,
    PARAMETERS_CARD,
    CandidateList,
    candidates_csv,
)
from iris_hpo.spec import SearchSpec
from iris_hpo.store.digests import ArtifactError
from iris_hpo.store.folder import SMALL, ArtifactStore
from iris_hpo.text import clean


def build_parameters(spec: SearchSpec, open_study: OpenStudy) -> dg.AssetsDefinition:
    """Define `parameters`."""
    names = names_of(spec)
    config_type = parameters_config(spec)

    def parameters(
        context: dg.AssetExecutionContext, config: ParametersConfig, iris_hpo_storage: Storage
    ) -> dg.MaterializeResult[Any]:
        with in_turn(context.run.run_id):
            study = open_study(context.instance, iris_hpo_storage)
            study.sampling.follow(config.sampling(spec))
            claim_search(study)
            candidates, keys = study.candidates, study.listed_keys
            card = study.parameters_card(config.choices(spec))
            before = _stored_keys(study.store)
            check_turn(context.run.run_id)
            apply_change(study, pending_change(study))
            study.store.write_together(
                {
                    CANDIDATES_TABLE: candidates_csv(spec.axes, candidates),
                    PARAMETERS_CARD: card.to_bytes(),
                }
            )
        return dg.MaterializeResult(
            data_version=dg.DataVersion(card.version),
            metadata={
                "axes": _axes_table(spec, candidates),
                "candidates": len(keys),
                "explicit_candidates": candidates.explicit,
                "added": len(set(keys) - before),
                "removed": len(before - set(keys)),
                **{f"setting {name}": value for name, value in card.choices.items()},
                IDENTITY: as_json(card.content()),
                **_source(study),
                **changed(
                    {**vars(study.sampling.settings), **card.choices},
                    {
                        **vars(spec.sampling),
                        **{choice.name: choice.default_text for choice in spec.choices},
                    },
                ),
            },
        )

    parameters.__annotations__["config"] = config_type
    return dg.asset(**presentation(spec, "parameters"), io_manager_key=CHAMPION, pool=names.pool)(
        parameters
    )


def _source(study: Study) -> dict[str, dg.MetadataValue]:
    if study.sampling.reads_only_files:
        return {"path": dg.MetadataValue.path(str(study.parameters_folder))}
    sampling = study.sampling
    budget = {name: value for name, value in vars(sampling.settings).items() if value is not None}
    return {
        "sampler": dg.MetadataValue.text(clean(sampling.part.use)),
        **({"budget": dg.MetadataValue.json(budget)} if sampling.is_adaptive else {}),
    }


def _axes_table(spec: SearchSpec, candidates: CandidateList) -> dg.TableMetadataValue:
    records = [
        dg.TableRecord(
            {
                "axis": axis.name,
                "parameter": axis.parameter,
                "values": len(candidates.axis_values[axis.name]),
                "list": _shortened(
                    [clean(str(value)) for value in candidates.axis_values[axis.name]]
                ),
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
    """Keys in the stored table; empty if the table is missing or damaged (it is then rewritten)."""
    try:
        rows = list(csv.reader(io.StringIO(store.read(CANDIDATES_TABLE, limit=SMALL).decode())))
    except (ArtifactError, UnicodeDecodeError, csv.Error):
        return set()
    return {row[0] for row in rows[1:] if row}
