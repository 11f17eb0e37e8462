"""Read rows to predict: the features of a model, in any columns of a file."""

from collections.abc import Sequence
from pathlib import Path

from iris_hpo.data.cells import is_number
from iris_hpo.data.columns import counts_columns, counts_rows
from iris_hpo.data.mixed import read_as
from iris_hpo.data.numbers import Columns, Features, read_cells
from iris_hpo.data.tables import DatasetError, Table
from iris_hpo.text import counted, shorten


def read_features(
    path: Path,
    feature_names: Sequence[str],
    target_name: str,
    target: str | int = -1,
    kinds: Sequence[str] = (),
) -> Features:
    """Read rows to predict: the features, and the target's column, if any, which is ignored.

    If a header names the features, columns may come in any order and others are ignored. Without a
    header, the features have the order of training, and the target has its position in the training
    file.

    Parameters
    ----------
    target
        Column of the target in the training file, a name or a position, as in `Layout`.
    kinds
        Those of the features in training, if not all were complete numbers: some may be missing.

    Returns
    -------
    ndarray of shape (rows, features)

    Raises
    ------
    DatasetError
        If a feature is missing or is not a number, or if it is not clear which columns are the
        features.
    """

    def locate(table: Table) -> Columns:
        if table.columns is None and _is_header(table, feature_names, target):
            table.take_header()
        if table.columns is None:
            return _by_position(table, feature_names, target_name, target)
        return _by_name(table, table.columns, feature_names)

    if kinds:
        with Table(path) as table:
            return read_as(table, locate(table), kinds)
    cells = read_cells(path, locate)
    features, columns = cells.numbers, cells.columns
    if columns.may_count_rows and len(features) > 1 and counts_rows(features[:, 0]):
        raise DatasetError(
            str(path),
            "has no header, and its first column counts the rows: it may be no feature; write "
            f"the header {_header(feature_names)} above the rows, with a name for every column",
        )
    return features


def _is_header(table: Table, feature_names: Sequence[str], target: str | int) -> bool:
    first, names = table.first, set(feature_names)
    if names <= set(first):
        if [cell for cell in first if cell in names] != [*feature_names] and all(
            map(is_number, feature_names)
        ):
            raise table.refusal(
                "may be a header, or a row; write the header in the order of training: "
                f"{_header(feature_names)}"
            )
        return True
    width = len(first)
    position = target % width if isinstance(target, int) and -width <= target < width else width - 1
    if width != len(names) + 1:
        position = width
    features = [cell for index, cell in enumerate(first) if index != position][: len(names)]
    return not any(map(is_number, features)) or bool(counts_columns(table))


def _by_name(table: Table, columns: Sequence[str], feature_names: Sequence[str]) -> Columns:
    """Find the features by their names."""
    place = {name: index for index, name in enumerate(columns)}
    for name in feature_names:
        if name not in place:
            problem = f"the header does not name the feature {shorten(name)}"
            raise DatasetError(str(table.path), problem, line=table.header_line)
    return Columns(columns, [place[name] for name in feature_names], before="the header has")


def _by_position(
    table: Table, feature_names: Sequence[str], target_name: str, target: str | int
) -> Columns:
    """Find the features of a file without a header."""
    width, expected = len(table.first), len(feature_names)
    positions = list(range(width))
    if width == expected + 1:
        if isinstance(target, str) or not -width <= target < width:
            raise table.refusal(
                f"has {counted(width, 'column')} and no header, so which of them is "
                f"{target_name} is not known; leave it out, or write a header with "
                f"{target_name} and {_header(feature_names)} above the rows"
            )
        del positions[target]
    elif width != expected:
        raise table.refusal(
            f"has {counted(width, 'column')}; the model needs "
            f"{counted(expected, 'feature')}, with or without {target_name} {_where(target)}"
        )
    names = dict(zip(positions, feature_names, strict=True))
    return Columns(
        [names.get(at, target_name) for at in range(width)],
        positions,
        is_named=False,
        may_count_rows=_may_begin_with_row_numbers(table.first, feature_names, target),
    )


def _may_begin_with_row_numbers(
    first: Sequence[str], feature_names: Sequence[str], target: str | int
) -> bool:
    """Whether the first column may number the rows, and no column be the target.

    In the training file a header distinguishes such a column from the features.
    """
    unnamed = [f"feature_{index + 1}" for index in range(len(feature_names))]
    return (
        [*feature_names] != unnamed
        and len(first) == len(feature_names) + 1
        and isinstance(target, int)
        and -len(first) <= target < len(first)
        and is_number(first[target])
    )


def _where(target: str | int) -> str:
    return "after them" if target == -1 else "where it stood in training"


def _header(names: Sequence[str]) -> str:
    text = ",".join(names)
    return text if len(text) <= 200 else f"{text[:200]}..."
