"""The metadata of `selection`: what its page shows, first what the champion is expected to score.

The sentences come from `iris_hpo.selection.sentences`; numbers are plain floats, which Dagster
plots.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Final, cast

import dagster as dg

from iris_hpo.data.dataset import Task
from iris_hpo.orchestration.status import Status
from iris_hpo.orchestration.study import Study
from iris_hpo.reports.html import PAGE
from iris_hpo.run_settings import TRAIN
from iris_hpo.selection.champion import ChampionCard, Made, edge_warning
from iris_hpo.selection.estimates import NoEstimate
from iris_hpo.selection.leaderboard import Cell, leaderboard
from iris_hpo.selection.sentences import (
    comparison_sentence,
    comparisons_of,
    ensemble_sentence,
    estimate_of,
    estimate_of_vote,
    expectation,
    score_sentence,
)
from iris_hpo.store.digests import digest_of
from iris_hpo.text import clean, listed

ESTIMATE: Final = ("estimate", "estimate_low", "estimate_high")
"""Metadata with the estimate and the ends of its interval."""

SCORING: Final = "scoring"
"""Metadata with the name of the search's scoring."""

_REPORT_DIGESTS: Final = "report_digests"
"""Metadata with the sha256 of the files of reports, without the page: commands make it again."""

_FIRST_COLUMNS: Final = {
    "rank": "equal scores share a rank",
    "candidate": "the candidate's partition",
    "champion": "the one of the selected that represents them",
    "selected": "one of the best",
    "score": "on the test rows",
    "cv_mean": "mean over the folds",
    "cv_std": "standard deviation over the folds",
}
"""Columns to show first, since a page cuts a wide table, with their descriptions."""

_TABLE_ROWS: Final = 20
_COUNTED: Final = ("candidates", "scored")

_Metadata = dict[str, dg.MetadataValue | str | int | float]


def part_note(study: Study) -> str:
    """Note that only a part of the candidates was ranked, and why; empty if all were.

    It is made from the record of the selection; other candidates may have been scored since.
    """
    metadata = study.metadata("selection")
    candidates, scored = (metadata[name].value if name in metadata else 0 for name in _COUNTED)
    if candidates == scored:
        return ""
    others = "; ".join(
        f"{name.replace('_', ' ')} {metadata[name].value}"
        for name in ("missing", "out_of_date", "failed")
        if name in metadata and metadata[name].value != listed(())
    )
    return f"selected from {scored} of {candidates} candidates ({others})"


def describe_selection(
    made: Made,
    status: Status,
    champion: ChampionCard,
    task: Task,
    pages: Mapping[str, dg.MetadataValue],
) -> _Metadata:
    """Make the metadata of a selection; the page of the asset keeps their order."""
    rows = leaderboard(made.selection)
    return {
        "expectation": expectation(estimate_of(champion), champion.scoring),
        **_pictures(made.reports),
        **pages,
        **_estimate(champion),
        "champion": champion.key,
        "test_score": score_sentence(champion),
        **_compared(champion, task),
        "score": champion.score,
        SCORING: champion.scoring,
        "tied": champion.tied,
        "rule": champion.rule,
        **_scores(champion),
        "leaderboard": _table(rows[:_TABLE_ROWS]),
        "refit": champion.refit or TRAIN,
        "training_rows": champion.training_rows or 0,
        **_voting(champion),
        "candidates": len(status.scores),
        "scored": len(rows),
        "selected": _counted([scored.candidate.key for scored in made.selection.selected]),
        "missing": _counted(status.keys("missing")),
        "out_of_date": _counted(status.keys("out of date")),
        "failed": _counted(status.keys("failed")),
        "champion_version": champion.version,
        _REPORT_DIGESTS: dg.MetadataValue.json(
            {name: digest_of(report) for name, report in made.reports.items() if name != PAGE}
        ),
    }


def report_digests(study: Study) -> Mapping[str, str]:
    """Return the sha256 of the files of the last selection's reports, by their names."""
    recorded = study.metadata("selection").get(_REPORT_DIGESTS)
    return cast("Mapping[str, str]", recorded.value) if recorded else {}


def _pictures(reports: Mapping[str, bytes]) -> dict[str, dg.MetadataValue]:
    return {
        name.removesuffix(".png"): dg.MetadataValue.md(
            f"![scores](data:image/png;base64,{base64.b64encode(content).decode()})"
        )
        for name, content in reports.items()
        if name.endswith(".png")
    }


def _estimate(champion: ChampionCard) -> _Metadata:
    """Metadata with the estimate, and how it was made."""
    estimate = estimate_of(champion)
    if isinstance(estimate, NoEstimate):
        return {}
    numbers = (estimate.value, estimate.low, estimate.high)
    return {
        **dict(zip(ESTIMATE, numbers, strict=True)),
        "estimate_method": estimate.method,
    }


def _voting(champion: ChampionCard) -> _Metadata:
    """Metadata on the vote of the selected models, the sentence first; empty without one."""
    if champion.ensemble is None:
        return {}
    metadata: _Metadata = {"ensemble": ensemble_sentence(champion)}
    estimate = estimate_of_vote(champion)
    if not isinstance(estimate, NoEstimate):
        metadata["ensemble_estimate"] = estimate.value
    return metadata


def _compared(champion: ChampionCard, task: Task) -> _Metadata:
    """Metadata on the champion beside the other candidates and the references."""
    metadata: _Metadata = {}
    if champion.as_good is not None:
        metadata["as_good"] = len(champion.as_good)
    for name, comparison in comparisons_of(champion).items():
        metadata[f"beside_{name}"] = comparison_sentence(comparison, task)
        metadata[f"gain_over_{name}"] = comparison.gain
    return metadata


def _scores(champion: ChampionCard) -> _Metadata:
    """Metadata on the raw scores, and on the edge of the grid."""
    metadata: _Metadata = {}
    if champion.interval:
        metadata |= {"interval_low": champion.interval[0], "interval_high": champion.interval[1]}
    if champion.cv_mean is not None:
        metadata["cv_mean"] = champion.cv_mean
    if champion.edges:
        metadata["edge_of_grid"] = dg.MetadataValue.text(edge_warning(champion.edges))
    return metadata


def _counted(keys: Sequence[str]) -> str:
    return f"{len(keys)}: {listed(keys)}" if keys else listed(keys)


def _table(rows: Sequence[Mapping[str, Cell]]) -> dg.TableMetadataValue:
    types: dict[type, str] = {bool: "bool", int: "int", float: "float", str: "string"}

    def kind_of(name: str) -> str:
        kinds = {types[type(row[name])] for row in rows if row.get(name) is not None}
        return kinds.pop() if len(kinds) == 1 else "string"

    known = dict.fromkeys(name for row in rows for name in row)  # metrics may differ
    names = [*_FIRST_COLUMNS, *(name for name in known if name not in _FIRST_COLUMNS)]
    columns = [
        dg.TableColumn(name, kind_of(name), description=_FIRST_COLUMNS.get(name)) for name in names
    ]
    records = [dg.TableRecord({name: _cell(row.get(name)) for name in names}) for row in rows]
    return dg.MetadataValue.table(records, dg.TableSchema(columns))


def _cell(value: Cell) -> str | int | float | bool:
    """Return a value for the page, rounded; the exact one is in the file."""
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    return round(value, 4) if isinstance(value, float) else value
