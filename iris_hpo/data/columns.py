"""Columns of a table: their names, the target, the features, row numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from iris_hpo.data.decoding import TextForm, check_encoding
from iris_hpo.data.marks import Missing, check_missing, marks_content
from iris_hpo.data.tables import DatasetError, Table
from iris_hpo.errors import InputError
from iris_hpo.text import counted, shorten

_TRUTH: Final = ("on", "off", "yes", "no", "true", "false")
ROW_ROLES: Final = ("group", "time", "weight", "part")
"""Roles of columns that describe rows; at most one column has each."""
ROLES: Final = ("drop", "category", "target", "feature", *ROW_ROLES)
"""What `Layout.columns` makes of a column; a ``feature`` stays one though it counts the rows."""
WITHOUT_TARGET: Final = ("auto", "refuse", "drop")
"""What may be done with rows that have no target."""
_SHOWN: Final = 50
"""Number of columns that a message names."""


@dataclass(frozen=True)
class Layout:
    """Where the target is, whether there is a header, and what to do with columns and rows.

    Parameters
    ----------
    target
        Column of the target: a name from the header, or a position (0 is the first, -1 the last).
    header
        Whether the first line names the columns. None decides by the line: it is a header if no
        feature in it is a number, or if it counts the columns from 0, as pandas does.
    columns
        Roles of columns by name: one of `ROLES`. Without a header the names are ``1``, ``2`` and so
        on.
    without_target
        What to do with rows that have no target: ``refuse``, ``drop``, or ``auto``: drop them, and
        refuse if they are more than a third of all.
    skip_lines
        Number of lines above the table, of a CSV file; None to find out.
    encoding
        Encoding of a CSV file that is neither UTF-8, nor UTF-16 with a byte order mark.
    missing
        Marks of missing values, beside those of every table: of all columns, or by the column.

    Raises
    ------
    InputError
        If the target is a truth value, or a role is unknown or given to too many columns.
    """

    target: str | int = -1
    header: bool | None = None
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    without_target: str = "auto"
    skip_lines: int | None = None
    encoding: str | None = None
    missing: Missing = ()

    def __post_init__(self) -> None:
        if isinstance(self.target, bool):
            raise InputError(
                f"the target is the truth value {self.target}; quote the name of the column, as "
                "in target: 'yes', or give its position",
                field=("target",),
            )
        for name, role in self.columns.items():
            if role not in ROLES:
                raise _wrong_role(name, role, f"is unknown; there are {', '.join(ROLES)}")
            first = next(iter(self.with_role(role)))
            if role in ROW_ROLES and name != first:
                problem = f"is that of the column {shorten(first)} too; give it to one column"
                raise _wrong_role(name, role, problem)
            if role in ROW_ROLES and name == self.target:
                raise _wrong_role(name, role, "cannot be that of the target; name another column")
        targets = self.with_role("target")
        if len(targets) > 1 or (targets and self.target not in (-1, *targets)):
            named = [*targets, *([] if self.target == -1 else [str(self.target)])]
            problem = f"there is one target, not {', '.join(named)}; name it once"
            raise InputError(problem, field=("columns",))
        if self.without_target not in WITHOUT_TARGET:
            raise InputError(
                f"without_target {shorten(str(self.without_target))} must be auto, refuse or drop",
                field=("without_target",),
            )
        if self.skip_lines is not None and self.skip_lines < 0:
            raise InputError(
                f"skip_lines {self.skip_lines} must be at least 0", field=("skip_lines",)
            )
        check_encoding(self.encoding)
        check_missing(self.missing)

    @property
    def form(self) -> TextForm:
        """What is known of the text of the file."""
        return TextForm(self.skip_lines, self.encoding)

    @property
    def target_column(self) -> str | int:
        """The target, as a name or a position."""
        return next(iter(self.with_role("target")), self.target)

    def with_role(self, role: str) -> list[str]:
        """Name the columns with a role."""
        return [name for name, given in self.columns.items() if given == role]

    @property
    def row_roles(self) -> dict[str, str]:
        """Names of the columns that describe rows, by their role."""
        return {role: name for role in ROW_ROLES for name in self.with_role(role)}

    def content(self) -> dict[str, object]:
        """Return what the metadata of assets says; what is not given is left out."""
        content: dict[str, object] = {"target": self.target, "header": self.header}
        if self.columns:
            content["columns"] = dict(self.columns)
        if self.without_target == "drop":
            content["without_target"] = self.without_target
        if self.skip_lines:
            content["skip_lines"] = self.skip_lines
        if self.encoding:
            content["encoding"] = self.encoding
        if self.missing:
            content["missing"] = marks_content(self.missing)
        return content


def check_prepare(prepare: str) -> None:
    """Refuse another value than ``auto`` and ``none``."""
    if prepare not in ("auto", "none"):
        raise InputError(f"prepare {prepare!r} must be auto or none", field=("prepare",))


def _wrong_role(name: str, role: str, problem: str) -> InputError:
    return InputError(
        f"the role {shorten(str(role))} of the column {shorten(name)} {problem}",
        field=("columns", name),
    )


def dropped(table: Table, layout: Layout, names: Sequence[str]) -> set[int]:
    """Positions of the columns with the role ``drop``.

    Raises
    ------
    DatasetError
        If the layout names a column that the table does not have.
    """
    place = {name: at for at, name in enumerate(names)}
    by_column = layout.missing if isinstance(layout.missing, Mapping) else ()
    for field_name, named in {"columns": layout.columns, "missing": by_column}.items():
        for name in named:
            if name not in place:
                raise DatasetError(
                    str(table.path),
                    f"has no column {name!r}, which `{field_name}` names; there are "
                    f"{_shown(names)}",
                )
    return {place[name] for name in layout.with_role("drop")}


def target_position(table: Table, target: str | int, width: int) -> int:
    """Return the position of the target's column.

    Raises
    ------
    DatasetError
        If there is no such column, or if a number is the position of one column and the name of
        another.
    """
    source, columns = str(table.path), table.columns
    if isinstance(target, int):
        if not -width <= target < width:
            raise DatasetError(
                source, f"has {counted(width, 'column')}; there is no target at position {target}"
            )
        position = target % width
        if columns is not None and str(target) in columns and columns[position] != str(target):
            raise DatasetError(
                source,
                f"the column at position {target} is {columns[position]!r}, and another is named "
                f"{str(target)!r}; quote the name of the one that is the target",
            )
        return position
    if columns is None:
        raise DatasetError(
            source, f"has no header; give the target {target!r} as a position instead"
        )
    target = target if target in columns else target.strip()  # as names in the header are
    if target not in columns:
        raise DatasetError(
            source,
            f"has no column {target!r} for the target; there are {_shown(columns)}"
            f"{_quoting(target, columns)}{_below(table, target)}",
        )
    return columns.index(target)


def _shown(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    return ", ".join(column or "one without a name" for column in columns[:_SHOWN]) + more


def _below(table: Table, target: str) -> str:
    """Advise to skip lines, if the row below the header has the name of the target."""
    if target not in table.first:
        return ""
    return f"; if line {table.line} is the header, write skip_lines: {table.line - 1}"


def _quoting(target: str, columns: Sequence[str]) -> str:
    """Advise to quote a name that YAML reads as a truth value; empty for other names."""
    if target.lower() not in _TRUTH:
        return ""
    likely = next((name for name in columns if name.lower() in _TRUTH), columns[-1])
    return f"; write the name in quotes, as in target: {likely!r}"
