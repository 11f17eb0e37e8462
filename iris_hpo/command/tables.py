"""Tables that fit the terminal: a narrow one gets fewer columns."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from iris_hpo.text import clean

_GAP: Final = 2
"""Number of characters between two columns."""


def print_columns(
    console: Console,
    columns: Mapping[str, Sequence[str]],
    first_left_out: Sequence[str] = (),
    right: Collection[str] = (),
) -> None:
    """Print a table; cells are never shortened, as names of candidates differ in their ends.

    Parameters
    ----------
    columns
        The cells of each column by its header.
    first_left_out
        Headers of the columns that a narrow terminal does not get, in this order.
    right
        Headers of the columns that are aligned to the right.
    """
    widths = {
        header: max(map(cell_len, (header, *cells))) + _GAP for header, cells in columns.items()
    }
    left_out = [header for header in first_left_out if header in columns]
    shown = list(columns)
    while left_out and sum(widths[header] for header in shown) - _GAP > console.width:
        shown.remove(left_out.pop(0))
    table = Table(box=None, pad_edge=False)
    for header in shown:
        justify = "right" if header in right else "left"
        table.add_column(escape(header), justify=justify, overflow="fold")
    for cells in zip(*(columns[header] for header in shown), strict=True):
        table.add_row(*(escape(clean(cell)) for cell in cells))
    console.print(table)
