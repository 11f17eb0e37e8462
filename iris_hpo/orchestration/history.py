"""The selections of a search, as the event log has them, and how each champion compares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, cast

import dagster as dg

from iris_hpo.orchestration.past_events import version_before
from iris_hpo.orchestration.record import as_json, records_of_runs
from iris_hpo.orchestration.selection_metadata import ESTIMATE, SCORING
from iris_hpo.orchestration.status import Status
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.upstream import Upstream
from iris_hpo.selection.champion import Made
from iris_hpo.selection.succession import Succession, compare_champions

SUCCESSION: Final = "succession"
"""Metadata of `selection`: how its champion compares with the one before."""

_EARLIER: Final = "an earlier version made this selection"


@dataclass(frozen=True)
class PastSelection:
    """A selection that was recorded.

    Attributes
    ----------
    when
        Time of its event, UTC.
    run_id
        The Dagster run that made it.
    champion, rule, scoring, score
        Key of the champion, the rule that chose, the scoring and the champion's score by it.
    data_version, split_version
        Data versions of `raw_data` and `split` at the time; None if they are not recorded.
    estimate
        What the champion was expected to score, and the ends of the 95 % interval; None without.
    expectation
        The same as a sentence, or why there is none.
    succession
        How the champion compares with the one before.
    """

    when: datetime
    run_id: str
    champion: str
    rule: str
    scoring: str
    score: float | None
    data_version: str | None
    split_version: str | None
    estimate: tuple[float, float, float] | None
    expectation: str
    succession: Succession


def past_selections(study: Study, last: int | None = None) -> Sequence[PastSelection]:
    """Read the selections of a search, the latest last.

    Parameters
    ----------
    last
        Largest number to read; None for all.
    """
    records = records_of_runs(study.instance, study.names.asset("selection"))
    return [_past_selection(study, record) for record in islice(records, last)][::-1]


def _past_selection(study: Study, record: dg.EventLogRecord) -> PastSelection:
    materialization = record.asset_materialization
    metadata = materialization.metadata if materialization else {}
    values: dict[str, Any] = {name: entry.value for name, entry in metadata.items()}
    numbers = [values.get(name) for name in ESTIMATE]
    estimate = cast("tuple[float, float, float]", tuple(numbers)) if None not in numbers else None
    score = values.get("score")
    return PastSelection(
        when=datetime.fromtimestamp(record.timestamp, UTC),
        run_id=record.run_id,
        champion=str(values.get("champion", "")),
        rule=str(values.get("rule", "")),
        scoring=str(values.get(SCORING, "")),
        score=score if isinstance(score, float) else None,
        data_version=_version(study, "raw_data", record),
        split_version=_version(study, "split", record),
        estimate=estimate,
        expectation=str(values.get("expectation", "")),
        succession=_recorded_succession(values),
    )


def _recorded_succession(values: Mapping[str, Any]) -> Succession:
    recorded = values.get(SUCCESSION)
    if isinstance(recorded, dict):
        return Succession(**cast("dict[str, Any]", recorded))
    return Succession.unknown(None, _EARLIER)


def _version(study: Study, asset: str, record: dg.EventLogRecord) -> str | None:
    """Data version of an asset when a selection was recorded."""
    return version_before(study.instance, study.names.asset(asset), record.storage_id)


def succession_of(study: Study, made: Made, upstream: Upstream, status: Status) -> Succession:
    """Compare the champion of a selection with that of the selection that is recorded now.

    Parameters
    ----------
    made, upstream, status
        The selection, and what it was made from.
    """
    record = next(records_of_runs(study.instance, study.names.asset("selection")), None)
    if record is None:
        return Succession("first")
    past = _past_selection(study, record)
    if past.split_version != upstream.split.version:
        what = "split" if past.data_version == upstream.split_card.data_digest else "data"
        return Succession.unknown(past.champion, f"other rows, as the {what} changed")
    if past.scoring != made.selection.scoring:
        return Succession.unknown(past.champion, f"it was chosen by {past.scoring}")
    if past.champion not in status.score_cards:
        reason = "it is no candidate any more, or has no score that is up to date"
        return Succession.unknown(past.champion, reason)
    champion = made.selection.champion.candidate.key
    return compare_champions(past.champion, champion, made.assessment)


def describe_succession(succession: Succession) -> Mapping[str, dg.MetadataValue]:
    """Make the metadata of `selection` on its champion and the one before."""
    return {
        "beside_before": dg.MetadataValue.text(succession.sentence()),
        SUCCESSION: as_json(succession.content()),
    }
