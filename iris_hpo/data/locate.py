"""Find the features, the target and the roles among the columns of a data set's table."""

from collections.abc import Mapping

from iris_hpo.data.columns import Layout, dropped, target_position
from iris_hpo.data.headers import has_header
from iris_hpo.data.marks import locate_marks
from iris_hpo.data.roles import locate_roles
from iris_hpo.data.rows import Columns
from iris_hpo.data.tables import DatasetError, Table
from iris_hpo.text import counted, legible


def locate_columns(table: Table, layout: Layout, task: str, *, names_all: bool = True) -> Columns:
    """Take the header, if there is one, and find the features, the target and the roles.

    Parameters
    ----------
    names_all
        As in `Columns`.

    Raises
    ------
    DatasetError
        If the table does not have the columns that the layout names, or has no features.
    """
    _check_width(table)
    if table.columns is None and has_header(table, layout):
        table.take_header()
    width = len(table.columns or table.first)
    target = target_position(table, layout.target_column, width)
    names = table.columns or [f"{index + 1}" for index in range(width)]
    left_out = dropped(table, layout, names)
    if table.columns is None and isinstance(layout.missing, Mapping):
        raise DatasetError(
            str(table.path), "has no header, so `missing` cannot name columns; write a list for all"
        )
    roles = locate_roles(table, layout, names, target)
    left_out.update(roles.values())
    kept = layout.with_role("feature")
    excluded = [at for at in table.dialect.no_features if at != target and names[at] not in kept]
    left_out.update(excluded)
    positions = [at for at in range(width) if at != target and at not in left_out]
    if not positions:
        what = "has a role or is dropped" if roles else "is dropped"
        raise DatasetError(str(table.path), f"every column but the target {what}; keep one")
    is_class = task == "classification"
    return Columns(
        names,
        positions if is_class else [*positions, target],
        target if is_class else None,
        target=target,
        without_target=layout.without_target,
        is_named=table.columns is not None,
        roles=roles,
        notes=[
            *table.notes(),
            *(f"the column {legible(names[at])} is no feature by line 3" for at in excluded),
        ],
        kept=kept,
        names_all=names_all,
        missing=locate_marks(layout.missing, names),
    )


def _check_width(table: Table) -> None:
    """Refuse a first row that has no features, or that stands above the table."""
    width, next_width = len(table.first), len(table.second or ())
    if width > 1 and next_width >= 2 * width:
        raise table.refusal(
            f"has {counted(width, 'column')} and the next row {next_width}; if this stands above "
            f"the table, write skip_lines: {table.line}"
        )
    if width < 2 < next_width + 1:
        raise table.refusal(
            f"has 1 column and the next row {next_width}; remove what stands above the table, or "
            f"write skip_lines: {table.line}"
        )
    if width < 2 and table.first[0].startswith(("<", "{", "[", "@")):
        raise table.refusal("is HTML, JSON or ARFF, not a table; save it as CSV")
    if width < 2:
        raise table.refusal("has 1 column; features and a target, separated by commas, are needed")
