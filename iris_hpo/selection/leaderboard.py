"""The leaderboard as a flat table: one row per candidate, the same bytes for the same scores.

How candidates are ranked is in `rules`.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final

from iris_hpo.selection.rules import Ranked, Selection
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.space.values import Value
from iris_hpo.store.digests import ArtifactMismatchError
from iris_hpo.store.folder import SMALL, ArtifactStore, read_verified
from iris_hpo.text import quote_cell, unquote_cell
from iris_hpo.training.evaluation import cv_mean
from iris_hpo.training.metric_names import CV_MEAN_OF, PARAMETER, PROPOSAL, is_metric

LEADERBOARD = "selection/leaderboard.csv"

Cell = str | int | float | bool | None

_TEXTS: Final = ("candidate", "sampler")
_COUNTS: Final = ("rank", "correct", "total", "number", "results_known")
_TRUTH: Final = {"true": True, "false": False}


def leaderboard(selection: Selection) -> list[dict[str, Cell]]:
    """Flatten a selection, best first.

    Columns follow scikit-learn's ``cv_results_`` where it has them: ``param_<axis>`` and ``rank``.
    ``score`` is the score on the test rows, ``cv_mean`` and ``cv_std`` are over the folds. Where a
    sampler proposed candidates, ``sampler``, ``number`` and ``results_known`` say when.
    """
    rows = [_row(row, selection.space, selection.scoring) for row in selection.rows]
    for row in rows:
        for name, value in selection.proposals.get(str(row["candidate"]), {}).items():
            row.setdefault(name, value)  # after a metric of the same name
    return rows


def to_csv(rows: Sequence[Mapping[str, Cell]]) -> bytes:
    """Write a leaderboard as CSV.

    Floats can be read back exactly, and texts, also the names of metrics, are quoted so that no
    spreadsheet runs them (`quote_cell`).
    """
    text = io.StringIO()
    columns = dict.fromkeys(name for row in rows for name in row)  # metrics may differ
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(quote_cell, columns))
    writer.writerows([_plain(row.get(name, "")) for name in columns] for row in rows)
    return text.getvalue().encode()


def flat(value: Value) -> Cell:
    """Return a value as a cell; a tuple becomes a text."""
    return repr(value) if isinstance(value, tuple) else value


def typed(row: Mapping[str, str], space: ParameterSpace) -> dict[str, Value]:
    """Convert the texts of a row that was read from CSV to values of their types."""
    candidate = space.parse_key(row["candidate"])
    values = {f"{PARAMETER}{name}": value for name, value in space.cells(candidate).items()}
    return {
        name: values[name] if name in values else _typed_cell(name, text)
        for name, text in row.items()
    }


def _typed_cell(name: str, text: str) -> Cell:
    if name in _TEXTS:
        return text or None
    if text in _TRUTH:
        return _TRUTH[text]
    if not text:
        return None
    return int(text) if name in _COUNTS and text.isdecimal() else float(text)


def metrics_of(row: Mapping[str, Value]) -> dict[str, Value]:
    """Return the metrics in a row of the leaderboard, by name."""
    return {name: value for name, value in row.items() if is_metric(name)}


def proposal_of(row: Mapping[str, Value]) -> dict[str, str | int]:
    """Return how the candidate of a row was proposed; empty for one that no sampler proposed."""
    cells = {name: row.get(name) for name in PROPOSAL}
    facts = {name: cell for name, cell in cells.items() if isinstance(cell, (str, int))}
    return facts if len(facts) == len(PROPOSAL) else {}


def read_csv(content: bytes) -> list[dict[str, str]]:
    """Read a leaderboard back; every cell is a text.

    Raises
    ------
    UnicodeDecodeError, csv.Error
        If the content is not a CSV table.
    """
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
    return [{unquote_cell(name): unquote_cell(cell) for name, cell in row.items()} for row in rows]


def _row(row: Ranked, space: ParameterSpace, scoring: str) -> dict[str, Cell]:
    candidate, evaluation = row.scored.candidate, row.scored.evaluation
    low, high = evaluation.interval or (None, None)
    cells: dict[str, Cell] = {
        "rank": row.rank,
        "candidate": candidate.key,
        **{f"{PARAMETER}{name}": flat(value) for name, value in space.cells(candidate).items()},
        "score": evaluation.score,
        "cv_mean": row.scored.cv_mean,
        "cv_std": row.scored.cv_std,
    }
    if evaluation.correct is not None:
        cells |= {
            "correct": evaluation.correct,
            "total": evaluation.total,
            "interval_low": low,
            "interval_high": high,
        }
    cells |= {name: value for name, value in evaluation.metrics.items() if name != scoring}
    cells |= {
        f"{CV_MEAN_OF}{name}": cv_mean(values)
        for name, values in evaluation.fold_metrics.items()
        if name != scoring
    }
    return cells | {"selected": row.selected, "champion": row.champion}


def _plain(value: Cell) -> Cell:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote_cell(value)
    return repr(value) if isinstance(value, float) else value


def leaderboard_keys(
    store: ArtifactStore, *, digest: str | None = None, selected: bool = False
) -> list[str]:
    """Read which candidates the stored leaderboard lists, best first.

    Parameters
    ----------
    digest
        The recorded sha256 of the leaderboard, to be verified.
    selected
        Whether only those that were selected are given.

    Raises
    ------
    ArtifactError
        If there is no leaderboard, or it is another one.
    """
    if digest is None:
        content = store.read(LEADERBOARD, limit=SMALL)
    else:
        content = read_verified(store, LEADERBOARD, digest)
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        return [row["candidate"] for row in rows if not selected or row["selected"] == "true"]
    except (UnicodeDecodeError, KeyError, csv.Error) as error:
        raise ArtifactMismatchError(
            f"{store.path(LEADERBOARD)} is not a leaderboard; run the search again"
        ) from error
