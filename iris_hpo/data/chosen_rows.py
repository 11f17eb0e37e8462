"""Rows that another splitter than the default one chooses: checked, and their folds as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Dataset, Target
from iris_hpo.data.splitters import Division, Fold, RefusedError, Rows, Splitter, naming
from iris_hpo.text import counted, shorten

AnyArray = TypeVar("AnyArray", bound=NDArray[Any])

_PARTS: Final = np.array(["", "fit", "validate"])
"""Parts of a fold, as a line of the file names them."""

_OTHER_PARTS: Final = "divide the rows in another way, or give another target"


@dataclass(frozen=True)
class ChosenRows:
    """Rows of a data set.

    Attributes
    ----------
    train, test
        Row numbers from 0, ascending, disjoint.
    folds
        Positions within ``train``, ascending, disjoint.
    """

    train: Rows
    test: Rows
    folds: Sequence[Fold]


def choose_rows(dataset: Dataset, division: Division) -> ChosenRows:
    """Ask a splitter for the rows, and check what it returns.

    Raises
    ------
    InputError
        If the splitter fails, or the rows cannot be used; the message names the splitter.
    """
    splitter = division.splitter()
    with naming(division.part):
        pair = splitter.split(_read_only(dataset))
        train, test = _check_pair(pair, len(dataset.target), "split", ("train", "test"))
        _check_target(dataset.target[train], "training row", _OTHER_PARTS)
        if dataset.task == "regression":
            _check_target(dataset.target[test], "test row", _OTHER_PARTS)
        splitter = division.repeated(len(train) * dataset.features.shape[1]).splitter()
        folds = _choose_folds(splitter, _read_only(dataset.take(train)))
        if division.is_built_in and dataset.task == "classification":
            for at, (fit, _) in enumerate(folds, 1):
                rows = f"fitted row of fold {at}"
                _check_target(dataset.target[train][fit], rows, "choose fewer folds, or folds: 0")
        return ChosenRows(train, test, folds)


def folds_to_csv(chosen: ChosenRows) -> bytes:
    """Write a line per training row: its number, and its part in each fold."""
    parts = np.zeros((len(chosen.train), len(chosen.folds)), dtype=np.intp)
    for number, pair in enumerate(chosen.folds):
        for part, positions in enumerate(pair, 1):
            parts[positions, number] = part
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", *(f"fold_{number + 1}" for number in range(len(chosen.folds)))])
    for row, cells in zip(chosen.train.tolist(), _PARTS[parts].tolist(), strict=True):
        writer.writerow([row + 1, *cells])
    return text.getvalue().encode()


def read_folds(content: bytes) -> list[Fold]:
    """Read folds back."""
    _, *records = csv.reader(io.StringIO(content.decode()))
    _, fit, validate = _PARTS
    parts = np.array([record[1:] for record in records])
    return [(np.flatnonzero(fold == fit), np.flatnonzero(fold == validate)) for fold in parts.T]


def _choose_folds(splitter: Splitter, training: Dataset) -> list[Fold]:
    n_folds = int(splitter.n_folds)
    if not n_folds:
        return []
    returned = cast("object", splitter.folds(training))
    if not isinstance(returned, Iterable):
        raise RefusedError(f"returns {_shown(returned)} from folds; pairs of rows are needed")
    pairs = list(islice(cast("Iterable[object]", returned), n_folds + 1))
    if len(pairs) != n_folds:
        number = "more folds" if len(pairs) > n_folds else counted(len(pairs), "fold")
        raise RefusedError(f"returns {number}, but its n_folds is {n_folds}")
    return [
        _check_pair(pair, len(training.target), f"fold {at} of folds", ("fit", "validate"))
        for at, pair in enumerate(pairs, 1)
    ]


def _check_pair(pair: object, n_rows: int, place: str, parts: tuple[str, str]) -> tuple[Rows, Rows]:
    """Return two parts of the rows, each ascending.

    Parameters
    ----------
    n_rows
        Number of rows to choose from.
    place, parts
        Names for messages.
    """
    names = " and ".join(parts)
    if not isinstance(pair, (tuple, list)) or len(cast("Sequence[object]", pair)) != 2:
        raise RefusedError(f"returns {_shown(pair)} as {place}; a pair ({names}) is needed")
    first, second = (
        _check_rows(rows, n_rows, f"the {part} rows of {place}")
        for part, rows in zip(parts, cast("Sequence[object]", pair), strict=True)
    )
    shared = np.intersect1d(first, second)
    if len(shared):
        raise RefusedError(
            f"returns row {shared[0]} in both {names} of {place}; these have to be disjoint"
        )
    return first, second


def _check_rows(rows: object, n_rows: int, place: str) -> Rows:
    array: NDArray[np.generic] = np.asarray(rows)
    if array.ndim == 1 and not len(array):
        raise RefusedError(f"returns none as {place}; at least one is needed")
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise RefusedError(
            f"returns {_shown(rows)} as {place}; a list or an array of row numbers is needed"
        )
    ascending = np.sort(array)
    for row in (ascending[0], ascending[-1]):
        if not 0 <= int(cast("int", row)) < n_rows:
            raise RefusedError(
                f"returns {row} among {place}; rows have the numbers 0 to {n_rows - 1}"
            )
    repeated = ascending[1:][ascending[1:] == ascending[:-1]]
    if len(repeated):
        raise RefusedError(f"returns row {repeated[0]} twice among {place}")
    return ascending.astype(np.intp)


def _check_target(target: Target, rows: str, advice: str) -> None:
    if np.all(target == target[0]):
        raise RefusedError(
            f"leaves nothing to predict: every {rows} has the target {target[0]!s}; {advice}"
        )


def _read_only(data: Dataset) -> Dataset:
    """Return the data set with arrays that a splitter cannot change."""
    roles = data.roles.each(_locked)
    return replace(data, features=_locked(data.features), target=_locked(data.target), roles=roles)


def _locked(array: AnyArray) -> AnyArray:
    view = array.view()
    view.flags.writeable = False
    return view


def _shown(value: object) -> str:
    return shorten(" ".join(repr(value).split()))
