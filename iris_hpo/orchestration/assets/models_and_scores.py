"""The assets `models` and `scores`: a batch of independent candidates.

Dagster itself offers one run per partition, with seconds of overhead each, or one batched run that
succeeds or fails as a whole. Here one run works on a range of candidates and logs one
materialisation per candidate as soon as it is done. A crash loses only the candidates in flight. A
failing candidate harms no other; at the end the run fails, and exactly the partitions without a
materialisation show as failed.

A run without a partition works on all candidates; that of an adaptive search asks its sampler for
more.
"""

import logging
from collections.abc import Iterator
from typing import Any, Final

import dagster as dg

from iris_hpo.orchestration.candidates_run import CandidatesRun
from iris_hpo.orchestration.claims import claim_search
from iris_hpo.orchestration.config import CandidatesConfig, candidates_config
from iris_hpo.orchestration.drawing_run import DrawingRun, draws
from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.names import asset_spec, log_line, names_of
from iris_hpo.orchestration.partitions import registered_keys
from iris_hpo.orchestration.ranges import backfill_policy, has_its_partitions
from iris_hpo.orchestration.record import recorded_result
from iris_hpo.orchestration.resources import Progress, Storage
from iris_hpo.orchestration.study import OpenStudy
from iris_hpo.spec import SearchSpec

_REMOVED: Final = (
    "candidates of this run were removed after its request; what depends on them is left to the "
    "next run"
)


def build_candidates(spec: SearchSpec, open_study: OpenStudy) -> dg.AssetsDefinition:
    """Define `models` and `scores` of a search."""
    names = names_of(spec)

    def candidates(
        context: dg.AssetExecutionContext,
        config: CandidatesConfig,
        iris_hpo_storage: Storage,
        iris_hpo_progress: dg.ResourceParam[Progress],
    ) -> Iterator[dg.MaterializeResult[Any]]:
        with user_errors():
            study = open_study(context.instance, iris_hpo_storage)
            claim_search(study)
            kind = DrawingRun if draws(context, study) else CandidatesRun
            kind(context, config.settings(), study, iris_hpo_progress).run()
            is_left = has_its_partitions(context.run.tags, registered_keys(study))
        if is_left:
            yield from map(recorded_result, sorted(context.selected_asset_keys))
        else:
            log_line(context.log, _REMOVED, logging.WARNING)

    candidates.__annotations__["config"] = candidates_config(spec)
    return dg.multi_asset(
        name=names.op("models"),
        specs=[
            asset_spec(spec, "models", ["split", "parameters"], names.partitions),
            asset_spec(spec, "scores", ["models", "split"], names.partitions),
        ],
        can_subset=True,
        backfill_policy=backfill_policy(),
        pool=names.pool,
    )(candidates)
