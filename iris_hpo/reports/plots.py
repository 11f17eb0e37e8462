"""The plots of a page, made with Bokeh, which is imported when one is made.

All plots share one table of columns and one view, so a filter or a choice in one shows in all.
Colours of text and lines that differ in the dark are set by the page's script.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np

from iris_hpo.reports.columns import STATES, Columns, PlacedAxis
from iris_hpo.reports.importance import Importance, importance
from iris_hpo.reports.scores import color_scale, is_sparse, most_influential
from iris_hpo.reports.ticks import axis_labels, set_label, set_ticks
from iris_hpo.text import clean

MAX_SLICES: Final = 8
"""Largest number of axes that are drawn one by one."""

MAX_LINES: Final = 2000
"""Largest number of candidates with a line through all axes; the best of those shown have one."""

_MOST: Final = float(np.finfo(np.float32).max)
_HEIGHT: Final = 320
_MARK: Final = "#d1242f"
_DARKEST: Final = 45
"""Colours of the palette that are left out: they cannot be seen on a dark page."""


class Plots:
    """The plots of a selection.

    Attributes
    ----------
    columns
        What is drawn.
    importance
        How much the axes matter.
    """

    def __init__(self, columns: Columns) -> None:
        from bokeh.models import AllIndices, CDSView, ColumnDataSource, IndexFilter

        self.columns = columns
        self.importance: Importance = importance(
            [axis.places for axis in columns.axes], columns.ranking
        )
        self.source = ColumnDataSource(data=self._data(), name="candidates")
        self.view = CDSView(filter=AllIndices(), name="view")
        best = min(MAX_LINES, len(columns.keys))
        self.best = CDSView(filter=IndexFilter(indices=list(range(best))), name="best")
        self._champion = int(np.argmax(columns.state))

    def make(self) -> Mapping[str, Sequence[Any]]:
        """Make the plots of each section of the page, in its order; of empty sections none."""
        from iris_hpo.reports.lists import leaderboard_table, parallel_coordinates

        sections: dict[str, Sequence[Any]] = {}
        axes = self.columns.axes
        if len(axes) == 2:
            sections["map"] = [self._map(axes[1], axes[0])]
        sections["leaderboard"] = [leaderboard_table(self)]
        if axes:
            sections["slices"] = [self._slice(axis) for axis in self._shown_axes()]
            sections["parallel"] = [parallel_coordinates(self)]
        if self.importance.shares:
            sections["importance"] = [self._importance()]
        if np.isfinite(self.columns.order).sum() > 1:
            sections["history"] = [self._history()]
        if np.isfinite(self.columns.seconds).any():
            sections["time"] = [self._time()]
        return sections

    @cached_property
    def mapper(self) -> Any:
        """Colours of the score that ranks, as in the picture of the scores."""
        from bokeh.models import LinearColorMapper
        from bokeh.palettes import Viridis256

        minimizes = self.columns.facts.minimizes
        scale = color_scale(-self.columns.ranking if minimizes else self.columns.ranking)
        low, high = scale.low, scale.high if scale.high > scale.low else scale.low + 1
        colors = Viridis256[_DARKEST:]
        share = np.linspace(0, 1, 256) ** scale.power
        palette = [colors[round((len(colors) - 1) * each)] for each in share.tolist()]
        if minimizes:
            palette, low, high = palette[::-1], -high, -low
        return LinearColorMapper(palette=palette, low=low, high=high, nan_color="#8888")

    def figure(self, height: int = _HEIGHT, **arguments: Any) -> Any:
        """Make an empty plot that is as wide as its place."""
        from bokeh.plotting import figure

        plot = figure(
            height=height,
            sizing_mode="stretch_width",
            min_width=240,
            tools="pan,box_zoom,wheel_zoom,box_select,tap,reset",
            # A finger that moves over the page scrolls the page.
            active_drag=None,
            active_scroll=None,
            **arguments,
        )
        plot.toolbar.logo = None
        plot.toolbar.autohide = True
        return plot

    def add_hover(self, plot: Any, renderer: Any) -> None:
        """Show what is known of the candidate under the pointer."""
        from bokeh.models import HoverTool

        tips = [("candidate", "@candidate"), (self.columns.title, "@ranking{0.0000}")]
        tips += [(axis.name, f"@text_{at}") for at, axis in enumerate(self.columns.axes)]
        if self.columns.proposed:
            tips.append(("proposed by", "@proposed"))
        plot.add_tools(HoverTool(renderers=[renderer], tooltips=tips, limit=4))

    def add_marks(self, plot: Any, x: str, y: str) -> None:
        """Mark the champion."""
        from bokeh.models import CDSView, IndexFilter

        view = CDSView(filter=IndexFilter(indices=[self._champion]))
        plot.scatter(
            *(x, y),
            source=self.source,
            view=view,
            marker="star",
            size=17,
            fill_color=_MARK,
            line_color="white",
            # It stays visible whatever is chosen.
            nonselection_fill_alpha=1,
            nonselection_line_alpha=1,
        )

    def add_points(self, plot: Any, x: str, y: str) -> Any:
        """Draw a point for each candidate, and mark the champion."""
        few = len(self.columns.keys) <= 300
        points = plot.scatter(
            *(x, y),
            source=self.source,
            view=self.view,
            size=8 if few else 5,
            alpha=0.75 if few else 0.4,
            line_color=None,
            fill_color={"field": "ranking", "transform": self.mapper},
        )
        self.add_hover(plot, points)
        self.add_marks(plot, x, y)
        return points

    def _map(self, y: PlacedAxis, x: PlacedAxis) -> Any:
        """Scores over two axes: a cell per pair of values, or a point if most would be blank."""
        from bokeh.models import ColorBar

        at_y, at_x = self.columns.axes.index(y), self.columns.axes.index(x)
        if is_sparse(y.levels, x.levels):
            plot = self.figure(height=420, x_range=x.ends, y_range=y.ends)
            self.add_points(plot, f"place_{at_x}", f"place_{at_y}")
            set_ticks(plot.xaxis, x.name, x.ticks)
            set_ticks(plot.yaxis, y.name, y.ticks)
        else:
            ranges = [(-0.5, len(axis.levels) - 0.5) for axis in (x, y)]
            plot = self.figure(height=420, x_range=ranges[0], y_range=ranges[1])
            cells = plot.rect(
                *(f"level_{at_x}", f"level_{at_y}", 1, 1),
                source=self.source,
                view=self.view,
                line_color=None,
                fill_color={"field": "ranking", "transform": self.mapper},
            )
            self.add_hover(plot, cells)
            self.add_marks(plot, f"level_{at_x}", f"level_{at_y}")
            set_ticks(plot.xaxis, x.name, x.level_ticks)
            set_ticks(plot.yaxis, y.name, y.level_ticks)
        plot.grid.visible = False
        plot.add_layout(ColorBar(color_mapper=self.mapper, width=12, padding=6), "right")
        return plot

    def _slice(self, axis: PlacedAxis) -> Any:
        """Scores over one axis."""
        plot = self.figure(height=240, x_range=axis.ends)
        self.add_points(plot, f"place_{self.columns.axes.index(axis)}", "ranking")
        set_ticks(plot.xaxis, axis.name, axis.ticks)
        return plot

    def _shown_axes(self) -> Sequence[PlacedAxis]:
        """The axes that are drawn one by one: those that matter most."""
        axes, scores = self.columns.axes, np.nan_to_num(self.columns.ranking)
        kept = most_influential([axis.levels for axis in axes], scores, MAX_SLICES)
        return [axis for axis in axes if axis.levels in kept]

    def _importance(self) -> Any:
        from bokeh.models import ColumnDataSource

        names = [axis.name for axis in self.columns.axes]
        shares = dict(sorted(zip(self.importance.shares, names, strict=True)))
        plot = self.figure(height=60 + 34 * len(shares), y_range=list(shares.values()))
        source = ColumnDataSource(data={"share": list(shares), "axis": list(shares.values())})
        plot.hbar(y="axis", right="share", height=0.6, source=source, fill_color="#3b82b6")
        plot.x_range.start = 0
        return plot

    def _history(self) -> Any:
        from bokeh.models import ColumnDataSource

        plot = self.figure()
        order, best = self.columns.best_so_far()
        plot.step(
            *("order", "best"),
            source=ColumnDataSource(data={"order": order, "best": best}),
            mode="after",
            line_width=2,
            line_color=_MARK,
        )
        self.add_points(plot, "order", "ranking")
        set_label(plot.xaxis, "candidates in the order of their scores' recording")
        return plot

    def _time(self) -> Any:
        plot = self.figure(x_axis_type="log")
        self.add_points(plot, "seconds", "ranking")
        set_label(plot.xaxis, "seconds of training and scoring")
        return plot

    def _data(self) -> dict[str, Any]:
        """Columns of the candidates; numbers travel as bytes."""
        columns = self.columns
        data: dict[str, Any] = {
            "candidate": list(map(clean, columns.keys)),
            "rank": columns.numbers("rank").astype(np.int32),
            "ranking": columns.ranking,
            "score": columns.numbers("score"),
            "cv_mean": columns.numbers("cv_mean"),
            "cv_std": np.minimum(columns.numbers("cv_std"), _MOST).astype(np.float32),
            "low": columns.numbers("interval_low").astype(np.float32),
            "high": columns.numbers("interval_high").astype(np.float32),
            "state": columns.state.astype(np.int32),
            "what": [STATES[code] for code in columns.state.tolist()],
            "order": columns.order.astype(np.float32),
            "seconds": columns.seconds.astype(np.float32),
        }
        if columns.proposed:
            data["proposed"] = columns.proposed
            data["sampler"] = [str(row.get("sampler") or "") for row in columns.facts.rows]
            data["number"] = columns.numbers("number")
            data["results_known"] = columns.numbers("results_known")
        for at, name in enumerate(columns.metrics):
            data[f"metric_{at}"] = columns.numbers(name)
        for at, axis in enumerate(columns.axes):
            labels = axis_labels(axis)
            data[f"text_{at}"] = [labels[code] for code in axis.levels.codes.tolist()]
            data[f"level_{at}"] = axis.levels.codes.astype(np.int32)
            data[f"place_{at}"] = axis.places
            if axis.is_number:
                numbers = axis.numbers
                data[f"value_{at}"] = numbers[axis.levels.codes]
                shown = np.array([float(f"{number:.5g}") for number in numbers])
                data[f"shown_{at}"] = shown[axis.levels.codes]
        return data
