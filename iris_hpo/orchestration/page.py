"""What the page of a selection says, from what is stored and recorded.

How the page looks is decided in `iris_hpo.reports`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from iris_hpo.data.split import SplitCard
from iris_hpo.orchestration.checks import examine_champion
from iris_hpo.orchestration.failed_candidates import reasons_of
from iris_hpo.orchestration.history import past_selections
from iris_hpo.orchestration.results import read_results
from iris_hpo.orchestration.selection_metadata import part_note
from iris_hpo.orchestration.status import Status
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.upstream import Upstream
from iris_hpo.reports.page_facts import PageFacts, ReportedSelection
from iris_hpo.reports.past import PastSelection
from iris_hpo.selection.champion import MINIMIZE, ChampionCard, Made
from iris_hpo.selection.checks import CHECKS, Finding
from iris_hpo.selection.checks import Facts as CheckFacts
from iris_hpo.selection.leaderboard import leaderboard
from iris_hpo.selection.results import Results
from iris_hpo.selection.sentences import champion_lines, expectation
from iris_hpo.space.values import Value
from iris_hpo.spec import SearchSpec
from iris_hpo.text import counted

_PAST: Final = 50
"""Largest number of selections that are listed."""


def page_facts(study: Study, note: str = "") -> PageFacts:
    """Read what the page of the last selection says, with a note above all other warnings.

    Raises
    ------
    InputError
        If there is no selection, or its files were changed.
    """
    results = read_results(study)
    champion, findings = results.champion, examine_champion(study)
    facts = _facts(study, champion, results.rows, findings)
    notes = [text for text in (note, part_note(study)) if text]
    return replace(
        facts,
        warnings=[*notes, *facts.warnings],
        seconds=results.seconds,
        order=results.order,
        failures=results.failures,
        about={**_made_from(study, study.upstream(), champion), **_recorded(study, results)},
        past=_past(study),
    )


def with_facts(
    study: Study, upstream: Upstream, made: Made, status: Status, champion: ChampionCard
) -> ReportedSelection:
    """Add to a selection, for its reports, all that is known before it is stored.

    Times and runs are left out: the same results give the same files.
    """
    findings = {
        name: check.examine(CheckFacts(champion, study.spec.task, "it is not known here"))
        for name, check in CHECKS.items()
    }
    facts = _facts(study, champion, leaderboard(made.selection), findings)
    scored, candidates = len(facts.rows), len(status.scores)
    part = [f"selected from {scored} of {candidates} candidates"] * (scored < candidates)
    known: dict[str, Any] = vars(made.selection) | {
        "expectation": expectation(made.assessment.estimate, made.selection.scoring)
    }
    return ReportedSelection(
        **known,
        facts=replace(
            facts,
            warnings=[*part, *facts.warnings],
            failures=reasons_of(
                study, {key: status.failed_runs[key] for key in status.keys("failed")}
            ),
            about=_made_from(study, upstream, champion),
        ),
    )


def _facts(
    study: Study,
    champion: ChampionCard,
    rows: Sequence[Mapping[str, Value]],
    findings: Mapping[str, Finding],
) -> PageFacts:
    answer = champion_lines(champion, study.spec.task, len(rows))
    texts = [each.text for each in findings.values() if each.applies and not each.passed]
    facts = champion_facts(study.spec, champion, rows, answer)
    return replace(facts, warnings=[text for text in texts if text not in answer])


def champion_facts(
    spec: SearchSpec,
    champion: ChampionCard,
    rows: Sequence[Mapping[str, Value]],
    answer: Sequence[str],
) -> PageFacts:
    """Return what the champion's card and the leaderboard say by themselves."""
    return PageFacts(
        title=spec.name or "search",
        scoring=champion.scoring,
        rule=champion.rule,
        space=spec.space,
        rows=rows,
        answer=answer,
        as_good=champion.as_good,
        minimizes=champion.direction == MINIMIZE,
    )


def _past(study: Study) -> Sequence[PastSelection]:
    """The selections of a search for the page, the latest first."""
    return [
        PastSelection(
            f"{past.when:%Y-%m-%d %H:%M}",
            past.champion,
            past.expectation,
            past.run_id,
            past.rule,
            past.data_version or "",
            past.succession.sentence(),
        )
        for past in reversed(past_selections(study, _PAST))
    ]


def _made_from(study: Study, upstream: Upstream, champion: ChampionCard) -> Mapping[str, str]:
    """What the champion was chosen and made from."""
    split, parameters = upstream.split_card, upstream.parameters_card
    estimator = ", ".join(step.estimator for step in study.spec.steps)
    about = {
        **(_table(study, split) if study.spec.has_table else {"data": "no table"}),
        "seed": str(split.seed),
        "estimator": estimator or (study.spec.objective.use if study.spec.objective else ""),
        **{f"setting {name}": value for name, value in parameters.choices.items()},
        "score": champion.scoring,
        "rule": champion.rule,
        "champion.pkl": f"sha256 {champion.digest}",
    }
    if rows := champion.training_rows or split.train_rows:
        about["rows of the champion's model"] = f"{rows:,}"
    return about | {f"{name} version": version for name, version in champion.versions.items()}


def _table(study: Study, split: SplitCard) -> Mapping[str, str]:
    """Describe the table, and how its rows were divided."""
    return {
        "data": f"{study.spec.data_file or study.spec.data_asset}, sha256 {split.data_digest}",
        "rows": f"{split.train_rows:,} to train, {split.test_rows:,} to test",
        "features": counted(len(split.feature_names), "feature"),
        "target": split.target_name,
        "folds": _folds(split),
    }


def _folds(split: SplitCard) -> str:
    drawn = f", drawn {split.repeats} times" if (split.repeats or 1) > 1 else ""
    return f"{split.folds}{drawn}" if split.folds else "none"


def _recorded(study: Study, results: Results) -> Mapping[str, str]:
    """Where the results are, and the runs that made them."""
    runs = dict.fromkeys(card.run_id for card in results.scores.values())
    return {"artifacts": str(study.store.path("")), "runs of the scores": ", ".join(runs)}
