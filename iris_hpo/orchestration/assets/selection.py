"""The asset `selection`: from recorded scores to a leaderboard, selected models and a champion."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg

from iris_hpo.data.split import Examples, validation_rows
from iris_hpo.engines import apart
from iris_hpo.orchestration.claims import check_claim
from iris_hpo.orchestration.config import SelectionConfig, selection_config
from iris_hpo.orchestration.final_fits import FinalFits
from iris_hpo.orchestration.history import describe_succession, succession_of
from iris_hpo.orchestration.last_run import changed
from iris_hpo.orchestration.names import CHAMPION, names_of, presentation
from iris_hpo.orchestration.own_run import in_turn
from iris_hpo.orchestration.page import with_facts
from iris_hpo.orchestration.proposal_notes import read_proposals
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.selection_metadata import describe_selection
from iris_hpo.orchestration.selection_status import (
    CHOSEN_BY,
    TAG_LENGTH,
    choosing_fingerprint,
    read_selectable,
    selection_version,
)
from iris_hpo.orchestration.status import Status
from iris_hpo.orchestration.study import OpenStudy, Study
from iris_hpo.orchestration.upstream import Upstream
from iris_hpo.run_settings import SelectionSettings, WorkSettings
from iris_hpo.selection.champion import Made, champion_card
from iris_hpo.selection.ensemble import make_ensemble
from iris_hpo.selection.estimates import Curve, Evidence, Reference, assess
from iris_hpo.selection.files import read_selected, write_selection
from iris_hpo.selection.fold_test import examine_folds
from iris_hpo.selection.leaderboard import leaderboard, to_csv
from iris_hpo.selection.pool import Pool
from iris_hpo.selection.pooling import build_pool
from iris_hpo.selection.references import ReferenceScores
from iris_hpo.selection.rescoring import rescore
from iris_hpo.selection.rules import Scored, Selection, drop_limits, select
from iris_hpo.spec import SearchSpec
from iris_hpo.spec_choosing import selection_settings
from iris_hpo.training.cards import ModelCard, dump_model
from iris_hpo.training.limits import Limits, limits_of

_SCORED = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.newly_updated())
_FAILED = dg.AutomationCondition.any_deps_match(
    dg.AutomationCondition.execution_failed().newly_true()
)


def _changed_since(event: dg.AutomationCondition[Any]) -> dg.AutomationCondition[Any]:
    """Scores changed, or a candidate failed, since an event.

    Dagster compares the times of scores and of the event, so that what comes between the event and
    the next tick is not lost; but not behind an "or". A failure has no time and always counts. Its
    ``since()`` has the scores, too: where the outermost names of the operands are the same, as they
    are for ``_SCORED`` and ``_FAILED``, two of them share one memory.
    """
    return _SCORED.since(event) | (_SCORED | _FAILED).since(event) | _FAILED


SELECT_WHEN = (
    _changed_since(dg.AutomationCondition.newly_updated())
    & _changed_since(dg.AutomationCondition.newly_requested())
    & dg.AutomationCondition.any_deps_match(~dg.AutomationCondition.missing())
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
)
"""Scores changed, or a candidate failed that the selection then names; some candidate has a score
and none is in progress.
A selection that was requested is not requested again, if it failed or was ended, before something
has changed. ``eager()`` would wait for a failed candidate without end."""


def build_selection(spec: SearchSpec, open_study: OpenStudy) -> dg.AssetsDefinition:
    """Define `selection`."""
    names = names_of(spec)
    config_type = selection_config(spec)

    def selection(
        context: dg.AssetExecutionContext, config: SelectionConfig, iris_hpo_storage: Storage
    ) -> dg.MaterializeResult[Any]:
        with in_turn(context.run.run_id):
            study = open_study(context.instance, iris_hpo_storage)
            check_claim(study)
            choice = _choose(study, config.settings())
            made = _make(choice, config.work(), context.log)
            succession = succession_of(study, made, choice.upstream, choice.status)
            champion = write_selection(study.store, made, choice.upstream.split_card)
            own = selection_settings(spec, choice.upstream.split_card.folds)
            repeats = choice.upstream.split_card.repeats
        return dg.MaterializeResult(
            data_version=dg.DataVersion(choice.version),
            tags={CHOSEN_BY: choosing_fingerprint(spec, choice.settings, repeats)[:TAG_LENGTH]},
            metadata={
                **describe_selection(
                    made, choice.status, champion, spec.task, _pages(study, made.reports)
                ),
                **describe_succession(succession),
                "path": dg.MetadataValue.path(str(study.store.path("selection"))),
                **changed(vars(choice.settings), vars(own)),
            },
        )

    selection.__annotations__["config"] = config_type
    return dg.asset(
        **presentation(spec, "selection"),
        deps=[names.asset("scores")],
        io_manager_key=CHAMPION,
        pool=names.pool,
        automation_condition=SELECT_WHEN,
    )(selection)


def _pages(study: Study, reports: Iterable[str]) -> Mapping[str, dg.MetadataValue]:
    """Say where the pages of a selection are, or how to have one."""
    pages: dict[str, dg.MetadataValue] = {
        name.removesuffix(".html"): dg.MetadataValue.path(
            str(study.store.path(f"selection/{name}"))
        )
        for name in reports
        if name.endswith(".html")
    }
    search = f" --search {study.spec.name}" if study.spec.name else ""
    hint = dg.MetadataValue.text(f"`iris-hpo report{search}` writes and opens a page")
    return pages or {"report": hint}


@dataclass(frozen=True)
class _Choice:
    """What was chosen, and from what."""

    study: Study
    upstream: Upstream
    status: Status
    settings: SelectionSettings
    selection: Selection
    examples: Examples
    evidence: Evidence
    pool: Pool | None

    @property
    def version(self) -> str:
        spec = self.study.spec
        return selection_version(
            self.status,
            self.settings,
            spec.space,
            spec.reports,
            self.upstream.split_card.repeats,
            minimizes=bool(spec.called and spec.called.minimizes),
        )


def _choose(study: Study, given: SelectionSettings) -> _Choice:
    """Choose among the candidates whose scores are up to date."""
    spec, upstream = study.spec, study.upstream()
    settings = selection_settings(spec, upstream.split_card.folds, **vars(given))
    status = read_selectable(study, upstream)
    examples = study.examples(upstream.split_card)
    evidence = Evidence(
        spec.task,
        examples.target,
        examples.test_target,
        apart(validation_rows, examples.folds),
        upstream.split_card.seed,
        examples.roles.group,
        examples.test_roles.group,
        is_ordered=upstream.split_card.is_ordered,
        weights=examples.roles.weight,
        test_weights=examples.test_roles.weight,
        positive=spec.pos_label,
    )
    scoring = settings.metric or spec.scorings.name
    keyed = [(spec.space.parse_key(key), card) for key, card in status.score_cards.items()]
    keyed.sort(key=lambda pair: spec.space.order(pair[0]))
    candidates = [candidate for candidate, _ in keyed]
    evaluations = [card.evaluation for _, card in keyed]
    pool = build_pool(evaluations, evidence, scoring, with_test=True)
    evaluations = rescore(evaluations, evidence, spec.scorings.name, scoring, pool)
    scored = list(map(Scored, candidates, evaluations))
    selection = select(
        scored,
        spec.space,
        scoring,
        settings.rule,
        within=settings.share,
        repeats=evidence.repeats or 1,
        minimizes=bool(spec.called and spec.called.minimizes),
    )
    selection = drop_limits(selection, _limits(spec, {axis for axis, _ in selection.edges}))
    proposals = {key: proposal.facts for key, proposal in read_proposals(study).items()}
    selection = replace(selection, proposals=proposals)
    return _Choice(study, upstream, status, settings, selection, examples, evidence, pool)


def _limits(spec: SearchSpec, names: Collection[str]) -> Mapping[str, Limits]:
    """Return the lowest and the highest number of some axes that may be tried."""
    recipe = spec.recipe() if spec.objective is None else None
    return {axis.name: apart(limits_of, axis, recipe) for axis in spec.axes if axis.name in names}


def _make(choice: _Choice, work: WorkSettings, log: logging.Logger) -> Made:
    """Make all that the selection consists of; nothing is written yet."""
    from iris_hpo.reports import render_reports

    study, selection = choice.study, choice.selection
    models = read_selected(study.store, selection, choice.status.model_versions)
    fits = FinalFits(study, choice.upstream, choice.examples, work, log)
    fits.make(
        models[selection.champion.candidate.key][0],
        max(card.seconds for card in choice.status.score_cards.values()),
        refits=choice.settings.refits,
    )
    references = _references(choice, fits.references)
    curve = _curve(fits, choice.examples)
    votes = choice.settings.ensemble
    assessment = assess(
        selection, choice.evidence, references, curve, pool=choice.pool, votes=votes
    )
    made = Made(
        selection,
        models,
        to_csv(leaderboard(selection)),
        {},
        fits.refitted,
        fits.references,
        assessment,
        examine_folds(selection.champion.evaluation, choice.evidence),
        _ensemble(choice, models) if votes else None,
    )
    card = champion_card(made, choice.upstream.split_card)
    reported = with_facts(study, choice.upstream, made, choice.status, card)
    return replace(made, reports=render_reports(study.spec.reports, reported))


def _ensemble(choice: _Choice, models: Mapping[str, tuple[ModelCard, bytes]]) -> bytes:
    """The vote of the selected models, pickled."""
    champion = choice.selection.champion
    position = [*models].index(champion.candidate.key)
    contents = [content for _, content in models.values()]
    ensemble = make_ensemble(contents, position, choice.study.spec.task, champion.evaluation)
    return dump_model(ensemble)


def _curve(fits: FinalFits, examples: Examples) -> Curve | None:
    """How the champion improves with more rows, up to those that its model is trained on."""
    if fits.curve is None:
        return None
    rows = fits.refitted.rows if fits.refitted else len(examples.target)
    return Curve(fits.curve, rows)


def _references(choice: _Choice, scores: ReferenceScores) -> Sequence[Reference]:
    """The references, scored as the candidates are."""
    own, scoring = choice.study.spec.scorings.name, choice.selection.scoring
    return [
        replace(reference, evaluation=evaluation)
        for reference in scores.references
        if scoring == own or reference.evaluation.predictions is not None
        for evaluation in rescore([reference.evaluation], choice.evidence, own, scoring)
    ]
