"""Record results: one event per candidate's model and score, with lineage and metadata."""

from collections.abc import Mapping, Sequence
from typing import Final

import dagster as dg

from iris_hpo.orchestration.names import CODE_VERSIONS
from iris_hpo.orchestration.proposal_notes import read_proposals
from iris_hpo.orchestration.record import Input, lineage_tags
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.upstream import Upstream
from iris_hpo.selection.leaderboard import flat
from iris_hpo.text import clean
from iris_hpo.training.called import FILES, LOG
from iris_hpo.training.cards import ModelCard, ScoreCard, model_name
from iris_hpo.training.evaluation import cv_mean, cv_std
from iris_hpo.training.trial import TrialResult

_BESIDE: Final = {FILES: "files", LOG: "log"}
"""Names of the files beside a model, in the metadata."""

Metadata = dict[str, dg.MetadataValue | str | int | float | None]


class Recorder:
    """Logs the materialisations of a run.

    Parameters
    ----------
    upstream
        The materialisations that the candidates of the run depend on.

    Attributes
    ----------
    proposals
        The candidates that a sampler proposed, by key.
    """

    def __init__(self, context: dg.AssetExecutionContext, study: Study, upstream: Upstream) -> None:
        self._context = context
        self._names = study.names
        self._space = study.spec.space
        self._store = study.store
        self._split = upstream.split
        self._parameters = upstream.parameters
        self.proposals = dict(read_proposals(study))
        self._together = study.events_together

    def record(self, results: Sequence[TrialResult]) -> None:
        """Log results that came together, models before scores."""
        with self._together():
            for result in results:
                if result.model is not None:
                    self._log_model(result.model, reused=result.model_reused)
        scored = [result for result in results if result.score is not None]
        if not scored:
            return
        pointer = self._context.instance.event_log_storage.get_maximum_record_id() or 0
        with self._together():
            for result in scored:
                if result.score is not None:
                    self._log_score(result.score, pointer, reused=result.score_reused)

    def _log_model(self, card: ModelCard, *, reused: bool) -> None:
        inputs = {
            self._names.asset("split"): self._split,
            self._names.asset("parameters"): self._parameters,
        }
        metadata: Metadata = {
            **self._values(card.key),
            "support_vectors": card.support_vectors,
            "iterations": card.iterations,
            "fit_seconds": card.seconds,
            "bytes": card.bytes,
            "digest": card.digest,
            "convergence_warnings": card.convergence_warnings,
            "path": dg.MetadataValue.path(str(self._store.path(model_name(card.key)))),
            **{
                _BESIDE[suffix]: dg.MetadataValue.path(str(self._store.path(name)))
                for suffix, name in zip(card.beside or (), card.files_beside, strict=True)
            },
            "reused": reused,
        }
        self._log("models", card.key, card.version, inputs, metadata)

    def _log_score(self, card: ScoreCard, pointer: int, *, reused: bool) -> None:
        inputs = {
            self._names.asset("split"): self._split,
            self._names.asset("models"): Input(card.model_version, pointer),
        }
        evaluation = card.evaluation
        low, high = evaluation.interval or (None, None)
        metadata: Metadata = {
            **self._values(card.key),
            **({} if card.scoring in card.metrics else {card.scoring: card.score}),
            **card.metrics,
            "correct": card.correct,
            "total": card.total,
            "interval_low": low,
            "interval_high": high,
            "cv_mean": cv_mean(evaluation.fold_scores),
            "cv_std": cv_std(evaluation.fold_scores),
            "score_seconds": card.seconds,
            "convergence_warnings": card.convergence_warnings,
            "reused": reused,
        }
        self._log("scores", card.key, card.version, inputs, metadata)

    def _values(self, key: str) -> Metadata:
        values = self._space.named(self._space.parse_key(key))
        flattened = {name: flat(value) for name, value in values.items()}
        proposal = self.proposals.get(key)
        return {
            **(proposal.facts if proposal else {}),
            **{
                name: clean(value) if isinstance(value, str) else value
                for name, value in flattened.items()
            },
        }

    def _log(
        self,
        name: str,
        key: str,
        version: str,
        inputs: Mapping[dg.AssetKey, Input],
        metadata: Metadata,
    ) -> None:
        self._context.log_event(
            dg.AssetMaterialization(
                self._names.asset(name),
                partition=key,
                metadata={label: value for label, value in metadata.items() if value is not None},
                tags=lineage_tags(version, CODE_VERSIONS[name], inputs),
            )
        )


def slow_log_note(instance: dg.DagsterInstance) -> str:
    """Note that the event log is neither one of this package nor in memory; empty if it is."""
    log = instance.event_log_storage
    if instance.is_ephemeral or hasattr(log, "batched"):
        return ""
    if "postgres" in type(log).__name__.lower():
        advice = "deploy/dagster.postgres.yaml shows what to write in place of storage: postgres"
    else:
        advice = "event_log_storage in dagster.yaml can name iris_hpo.event_log"
    return (
        "this instance has an event log of Dagster's own, which records candidates several times "
        f"slower; {advice}"
    )
