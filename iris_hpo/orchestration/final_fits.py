"""The fits of a selection, done by an engine: the champion's, and the references'.

What they are is in `iris_hpo.training.final_fits`. What the last selection has made is used again
if the same work would give the same result.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from iris_hpo.data.named_splitters import SHUFFLED
from iris_hpo.data.split import Examples, settings_of
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.engines import Done, Engine, Failed, Limits, WorkersEngine, make_engine
from iris_hpo.errors import CandidateError, InputError
from iris_hpo.orchestration.names import log_line
from iris_hpo.orchestration.resources import Counts
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.upstream import Upstream
from iris_hpo.run_settings import WorkSettings
from iris_hpo.selection.champion import CHAMPION, ChampionCard
from iris_hpo.selection.references import ReferenceScores, read_references
from iris_hpo.store.digests import ArtifactError, StoreReadError
from iris_hpo.store.folder import read_verified
from iris_hpo.training.artifacts import remove_left_folders
from iris_hpo.training.cards import Conditions, ModelCard, ScoreCard
from iris_hpo.training.final_fits import (
    FinalFit,
    FinalWork,
    Refitted,
    champion_fit,
    curve_fit,
    reference_fits,
)
from iris_hpo.training.learning_curve import LearningCurve

_LONGER: Final = 10
_LEAST_SECONDS: Final = 60.0
"""Without a time limit of the run, a fit may take so many times what the slowest candidate took,
and so many seconds in any case: the defaults of an estimator may take longer than all values that
are searched."""

Outcome = Done[FinalFit, Refitted | LearningCurve | ScoreCard] | Failed[FinalFit]


@dataclass
class FinalFits:
    """The fits of a selection.

    Parameters
    ----------
    study, upstream
        The search, with its split and parameters.
    examples
        The rows.
    work
        How the run trains.
    log
        Gets the warnings of the fits.

    Attributes
    ----------
    refitted
        The champion, trained on all rows; None without a refit.
    references
        What is known of the references.
    curve
        The champion fitted to parts of all rows; None if it cannot be, or the rows were divided by
        another splitter than ``shuffled`` and ``grouped``: then more than groups may matter.
    """

    study: Study
    upstream: Upstream
    examples: Examples
    work: WorkSettings
    log: logging.Logger
    refitted: Refitted | None = None
    references: ReferenceScores = field(default_factory=ReferenceScores)
    curve: LearningCurve | None = None

    def make(self, champion: ModelCard, slowest: float, *, refits: bool) -> None:
        """Do the fits whose results the last selection has not.

        Parameters
        ----------
        champion
            The card of the champion's model that was scored.
        slowest
            Seconds that scoring the slowest candidate took.
        refits
            Whether the champion is trained on all rows.

        Raises
        ------
        InputError
            If the champion cannot be trained on all rows.
        """
        test_digest = self.upstream.split_card.test_digest
        curve = curve_fit(self._conditions, champion.parameters, test_digest)
        fits = self._references_to_fit(curve.fingerprint)
        self.curve = self.references.learning_curve
        fits += [curve] if self.curve is None and self._settings is not None else []
        if refits:
            fit = champion_fit(
                self._conditions, champion.parameters, test_digest, champion.iterations
            )
            self.refitted = self._refitted_before(fit.fingerprint)
            fits += [] if self.refitted else [fit]
        counts = Counts(len(fits))
        if fits:
            log_line(self.log, f"fits: {', '.join(fit.name for fit in fits)}")
        try:
            for outcome in self._outcomes(fits, slowest + champion.seconds):
                counts.add_warnings(outcome.warned)
                self._take(outcome, champion.key)
        except InputError as error:
            if any(fit.is_champion for fit in fits):
                raise
            self._give_up(fits, str(error))  # such as without workers: what was chosen stands
        for text in counts.warnings():
            log_line(self.log, text, logging.WARNING)

    @cached_property
    def _conditions(self) -> Conditions:
        return self.study.conditions(self.upstream.split_card, self.upstream.parameters_card)

    @cached_property
    def _settings(self) -> SplitSettings | None:
        """Settings of the split; None without folds, or of another splitter."""
        card = self.upstream.split_card
        if self.study.spec.called:  # a call would be repeated for each part
            return None
        has_curve = card.folds and card.splitter_name in (SHUFFLED.use, "grouped")
        return settings_of(card) if has_curve else None

    @cached_property
    def _before(self) -> ChampionCard | None:
        """The champion of the last selection."""
        try:
            return self.study.champion()
        except StoreReadError:
            raise
        except InputError:  # there is none, or its card was changed
            return None

    def _references_to_fit(self, curve: str) -> list[FinalFit]:
        """List the references that are not known; keep what is, and a curve of this fingerprint."""
        try:
            fits = reference_fits(self._conditions)
        except CandidateError as error:
            self.references = ReferenceScores().with_failure("default", "", str(error))
            return []
        fingerprints = {fit.name: fit.fingerprint for fit in fits}
        known = self._references_before().only(fingerprints, curve)
        self.references = known
        return [fit for fit in fits if fit.name not in known.names]

    def _references_before(self) -> ReferenceScores:
        if self._before is None or self._before.references_digest is None:
            return ReferenceScores()
        try:
            return read_references(self.study.store, self._before.references_digest)
        except ArtifactError:
            return ReferenceScores()

    def _refitted_before(self, fingerprint: str) -> Refitted | None:
        before = self._before
        if before is None or before.refit_fingerprint != fingerprint or not before.training_rows:
            return None
        try:
            content = read_verified(self.study.store, CHAMPION, before.digest)
        except ArtifactError:
            return None
        return Refitted(content, before.training_rows, before.versions, fingerprint)

    def _give_up(self, fits: Sequence[FinalFit], reason: str) -> None:
        """Leave out references that are still missing; the next selection tries them again."""
        log_line(self.log, f"the references are incomplete: {reason}", logging.WARNING)
        for fit in fits:
            if not fit.is_curve and fit.name not in self.references.names:
                self.references = self.references.with_failure(fit.name, "", reason)

    def _outcomes(self, fits: Sequence[FinalFit], slowest: float) -> Iterator[Outcome]:
        if not fits:
            return
        engine = make_engine(
            self.work.engine,
            self.work.jobs,
            self.work.dask_address,
            self.work.candidate_timeout,
            self.study.spec.engine,
        )
        limits = Limits(self.work.retries, self._time_limit(engine, slowest))
        grouped = self.upstream.split_card.splitter is not None
        settings = self._settings or SplitSettings()
        task = FinalWork(self._conditions, self.examples, settings, grouped=grouped)
        try:
            with closing(engine.map(task, fits, limits)) as outcomes:
                for together in outcomes:
                    yield from together
        finally:
            remove_left_folders()

    def _time_limit(self, engine: Engine, slowest: float) -> float | None:
        limit = self.work.candidate_timeout
        if limit is None and isinstance(engine, WorkersEngine):  # others may have no time limits
            limit = round(max(_LEAST_SECONDS, _LONGER * slowest))
        return limit

    def _take(self, outcome: Outcome, champion: str) -> None:
        fit = outcome.item
        if isinstance(outcome, Failed):
            if fit.is_champion:
                raise InputError(
                    f"the champion {champion} cannot be trained on all rows: {outcome.reason}; "
                    "nothing was selected; the setting refit: train (--refit train) takes the "
                    "model that was scored"
                )
            if not fit.is_curve:
                self.references = self.references.with_failure(
                    fit.name, fit.fingerprint, outcome.reason
                )
        elif isinstance(outcome.result, Refitted):
            self.refitted = outcome.result
        elif isinstance(outcome.result, LearningCurve):
            self.curve = outcome.result
            self.references = self.references.with_curve(fit.fingerprint, outcome.result)
        else:
            self.references = self.references.with_score(fit.name, outcome.result)
