"""Results as a table with the columns of ``cv_results_`` of scikit-learn's searches."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

from iris_hpo.selection.leaderboard import Cell, flat, to_csv
from iris_hpo.selection.results import Results
from iris_hpo.text import counted
from iris_hpo.training.metric_names import PARAMETER, PROPOSAL
from iris_hpo.writing import write_result


def cv_results(results: Results) -> list[dict[str, Cell]]:
    """Return a row per candidate, best first.

    As in ``cv_results_``, *test* means the validation rows of the folds in ``split0_test_score``,
    ``mean_test_score``, ``std_test_score`` and ``rank_test_score``. Without folds the score on the
    test rows takes their place. ``score`` is always the score on the test rows. Columns that
    scikit-learn does not have come last. A parameter that a candidate does not have is blank, and
    left out of ``params``. Candidates that failed come after the others, without scores, and with a
    ``reason``.
    """
    rows: list[dict[str, Cell]] = []
    for row in results.rows:
        key = str(row["candidate"])
        candidate = results.space.parse_key(key)
        parameters = results.space.parameters(candidate)
        cells = {axis.parameter: parameters.get(axis.parameter) for axis in results.space.axes}
        has_folds = row["cv_mean"] is not None
        splits = results.fold_scores(key) if has_folds else (_number(row["score"]),)
        model, score = results.models.get(key), results.scores.get(key)
        rows.append(
            {
                "mean_fit_time": model.seconds if model else None,
                **{f"{PARAMETER}{name}": flat(value) for name, value in cells.items()},
                "params": json.dumps(parameters),
                **{f"split{at}_test_score": each for at, each in enumerate(splits)},
                "mean_test_score": _number(row["cv_mean"] if has_folds else row["score"]),
                "std_test_score": _number(row["cv_std"]) if has_folds else 0.0,
                "rank_test_score": flat(row["rank"]),
                "candidate": key,
                "score": flat(row["score"]),
                **{name: flat(row.get(name)) for name in results.metrics},
                "score_seconds": score.seconds if score else None,
                **_proposal(results, key),
                "selected": flat(row["selected"]),
                "champion": flat(row["champion"]),
            }
        )
    return [*rows, *_failed(results)]


def _failed(results: Results) -> Iterator[dict[str, Cell]]:
    for key, reason in results.failures.items():
        values = results.values(key)
        parameters = {
            axis.parameter: values[axis.name] for axis in results.space.axes if axis.name in values
        }
        yield {
            **{f"{PARAMETER}{name}": flat(value) for name, value in parameters.items()},
            "params": json.dumps(parameters),
            "candidate": key,
            **_proposal(results, key),
            "selected": False,
            "champion": False,
            "reason": reason,
        }


def _proposal(results: Results, key: str) -> dict[str, Cell]:
    """How a candidate was proposed: blank for one that was listed, none if all were."""
    facts = results.proposals.get(key, {})
    return {name: facts.get(name) for name in PROPOSAL} if results.proposals else {}


def to_csv_file(results: Results, place: str) -> str:
    """Write the table as CSV."""
    return _write(place, to_csv(cv_results(results)), results)


def to_parquet_file(results: Results, place: str) -> str:
    """Write the table as Parquet; a column of values of several types is one of texts."""
    import pandas as pd

    rows = cv_results(results)
    mixed = {name for row in rows for name in row if len(_types(rows, name)) > 1}
    file = io.BytesIO()
    frame = pd.DataFrame(
        [
            {name: _text(cell) if name in mixed else cell for name, cell in row.items()}
            for row in rows
        ]
    )
    frame.to_parquet(file, index=False)
    return _write(place, file.getvalue(), results)


def _types(rows: list[dict[str, Cell]], name: str) -> set[type]:
    kinds = {type(row.get(name)) for row in rows} - {type(None)}
    return kinds - {int} if kinds == {int, float} else kinds


def _text(cell: Cell) -> str | None:
    return None if cell is None else str(cell)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _write(place: str, content: bytes, results: Results) -> str:
    write_result(Path(place), content)
    failed = len(results.failures)
    of_them = f", {failed} of them failed," if failed else ""
    return f"wrote {counted(len(results.rows) + failed, 'candidate')}{of_them} to {place}"
