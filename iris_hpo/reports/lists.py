"""The leaderboard of a page as a table, and as parallel coordinates; both show every candidate."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from iris_hpo.known_rules import RULES
from iris_hpo.reports.scores import Floats, score_format, spaced, written
from iris_hpo.reports.ticks import set_ticks
from iris_hpo.text import clean

if TYPE_CHECKING:
    from iris_hpo.reports.plots import Plots

_ROW: Final = 26
_MAX_ROWS: Final = 20
_LONG: Final = 1e15
_TABLE_STYLE: Final = """
:host { --line: #d8dee4; --ink: #1f2328; --paper: #fff; --other: #f6f8fa; --chosen: #ddf4ff; }
@media (prefers-color-scheme: dark) {
  :host { --line: #3d444d; --ink: #e6edf3; --paper: #0d1117; --other: #151b23; --chosen: #10325a; }
}
.slick-header-column, .slick-header-columns, .slick-cell, .slick-row, .slick-viewport,
.slick-pane, .bk-data-table, :host {
  color: var(--ink) !important; background: var(--paper) !important;
  border-color: var(--line) !important; font: 13px system-ui, sans-serif;
}
.slick-cell { border-width: 0 0 1px !important; border-style: solid !important; }
.slick-header, .slick-header-column { border-width: 0 !important; }
.slick-row.odd, .slick-row.odd .slick-cell { background: var(--other) !important; }
.slick-cell.bk-cell-selected, .slick-cell.selected { background: var(--chosen) !important; }
.slick-header-column { font-weight: 600; }
"""


def leaderboard_table(plots: "Plots") -> Any:
    """Make a table that can be sorted by a click on the name of a column."""
    from bokeh import models

    columns = _table_columns(plots)
    return models.DataTable(
        source=plots.source,
        view=plots.view,
        columns=columns,
        index_position=None,
        row_height=_ROW,
        height=_ROW * (min(len(plots.columns.keys), _MAX_ROWS) + 2),
        sizing_mode="stretch_width",
        autosize_mode="none",
        selectable=True,
        reorderable=False,
        stylesheets=[models.InlineStyleSheet(css=_TABLE_STYLE + _right_titles(columns))],
    )


def _table_columns(plots: "Plots") -> list[Any]:
    from html import escape

    from bokeh import models

    columns, facts = plots.columns, plots.columns.facts
    itself = RULES[facts.rule].scores_itself
    value = models.StringFormatter(nan_format="", text_align="right")

    def number(name: str) -> Any:
        return _number(columns.numbers(name), 4)

    def column(field: str, title: str, width: int, **more: Any) -> Any:
        # The table takes the title as HTML.
        return models.TableColumn(field=field, title=escape(clean(title)), width=width, **more)

    shown = [
        column("rank", "rank", 50),
        column("candidate", "candidate", min(max(10 * max(map(len, columns.keys)), 90), 280)),
        column("what", "", 80),
        column(
            "score", *_named(facts.scoring if itself else "test score"), formatter=number("score")
        ),
    ]
    if np.isfinite(columns.numbers("cv_mean")).any():
        shown.append(column("cv_mean", "fold mean", 90, formatter=number("cv_mean")))
        shown.append(column("cv_std", "fold SD", 80, formatter=number("cv_std")))
    for at, axis in enumerate(columns.axes):
        if axis.is_number:
            shown.append(column(f"shown_{at}", *_named(axis.name), formatter=value))
        else:
            shown.append(column(f"text_{at}", *_named(axis.name)))
    if np.isfinite(columns.numbers("interval_low")).any():
        shown.append(
            column("low", "95 % from", 80, formatter=_number(columns.numbers("interval_low"), 3))
        )
        shown.append(
            column("high", "95 % to", 80, formatter=_number(columns.numbers("interval_high"), 3))
        )
    for at, name in enumerate(columns.metrics):
        shown.append(column(f"metric_{at}", *_named(name), formatter=number(name)))
    if np.isfinite(columns.seconds).any():
        shown.append(column("seconds", "seconds", 80, formatter=_number(columns.seconds, 3)))
    if columns.proposed:
        shown.append(column("sampler", "sampler", 80))
        shown.append(column("number", "number", 80, formatter=value))
        shown.append(column("results_known", "results known", 120, formatter=value))
    return shown


def _number(values: Floats, decimals: int) -> Any:
    """Show numbers with so many decimals, or powers of ten if most would be zero or long."""
    from bokeh import models

    sizes = np.sort(np.abs(values[np.isfinite(values) & (values != 0)]))
    if len(sizes) and not 10.0 ** (1 - decimals) <= sizes[len(sizes) // 2] < _LONG:
        return models.ScientificFormatter(
            precision=3, power_limit_low=1, nan_format="-", text_align="right"
        )
    form = "0." + "0" * decimals
    return models.NumberFormatter(format=form, nan_format="-", text_align="right")


def _right_titles(columns: list[Any]) -> str:
    """Style that puts the titles above their numbers; a column has its own for cells only."""
    places = [at for at, column in enumerate(columns, 1) if column.formatter.text_align == "right"]
    titles = ", ".join(
        f".slick-header-column:nth-child({at}) > .slick-column-name" for at in places
    )
    return f"{titles} {{ float: right; }}\n"


def parallel_coordinates(plots: "Plots") -> Any:
    """Draw a line for each candidate through its values and its score, the best ones strongest."""
    from bokeh.models import ColumnDataSource

    from iris_hpo.reports.plots import MAX_LINES

    columns, source = plots.columns, plots.source
    names = [*(axis.name for axis in columns.axes), clean(columns.facts.scoring)]
    sides = [_shares(axis.places) for axis in columns.axes] + [_shares(columns.ranking)]
    for at, side in enumerate(sides):
        source.add(_column(side), f"side_{at}")
    source.add(_column(_strength(len(columns.keys), MAX_LINES)), "strength")
    plot = plots.figure(
        height=380, x_range=(-0.42, len(names) - 0.7), y_range=(-0.05, 1.05), name="parallel"
    )
    for at in range(len(names) - 1):
        plot.segment(
            *(at, f"side_{at}", at + 1, f"side_{at + 1}"),
            source=source,
            view=plots.best,
            line_color={"field": "ranking", "transform": plots.mapper},
            line_alpha="strength",
            line_width=1.3,
            nonselection_line_alpha=0.03,
        )
    labels = ColumnDataSource(data=_labels(plots, sides))
    plot.segment("x", 0, "x", 1, source=labels, line_color="#8c959f", line_width=1)
    plot.text(
        *("x", "y"),
        text="text",
        source=labels,
        x_offset=-4,
        text_align="right",
        text_baseline="middle",
        text_font_size="11px",
        background_fill_alpha=0.7,
        padding=1,
        name="labels",
    )
    set_ticks(plot.xaxis, "", dict(enumerate(names)))
    plot.yaxis.visible = False
    plot.grid.visible = False
    return plot


def _labels(plots: "Plots", sides: list[Floats]) -> Mapping[str, Any]:
    """Labels beside the lines of the axes."""
    xs: list[int] = []
    ys: list[float] = []
    texts: list[str] = []
    for at, axis in enumerate(plots.columns.axes):
        for place, text in axis.ticks.items():
            xs.append(at)
            ys.append(float(_share(place, axis.places)))
            texts.append(text)
    scores, form = plots.columns.ranking, score_format(plots.columns.ranking)
    ends = np.unique(scores[np.isfinite(scores)])
    for place in ends[spaced(ends, float(np.ptp(ends)) / 8)].tolist():
        xs.append(len(sides) - 1)
        ys.append(float(_share(place, scores)))
        texts.append(written(place, form))
    return {"x": xs, "y": ys, "text": texts}


def _named(name: str) -> tuple[str, int]:
    """The title of a column and its width in pixels, in which all of the title can be read."""
    return name, min(max(8 * len(name) + 16, 90), 280)


def _column(numbers: Floats) -> Any:
    """Return a column of numbers that are only drawn."""
    return numbers.astype(np.float32)


def _shares(places: Floats) -> Floats:
    return np.array(_share(places, places))


def _share(place: Any, places: Floats) -> Any:
    """Share of the way from the lowest to the highest place; a half if there is one place."""
    low, high = np.nanmin(places), np.nanmax(places)
    return (place - low) / (high - low) if high > low else place * 0 + 0.5


def _strength(candidates: int, lines: int) -> Floats:
    """How visible the line of each candidate is: of many, the best are."""
    share = np.minimum(np.arange(candidates) / min(candidates, lines), 1)
    faintest = min(0.25, 50 / candidates)
    return faintest + (0.85 - faintest) * (1 - share) ** (2 if candidates <= 300 else 8)
