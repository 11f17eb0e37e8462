"""Draw a panel with scores along one axis."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from iris_hpo.reports.panels import MARK, draw_star
from iris_hpo.reports.scores import Floats, Levels, Marks, Series, spaced, value_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_SERIES_COLORS: Final = {"test": "#1f5fa8", "cv": "#d97706"}
_MANY: Final = 60
"""Number of points above which single points are no longer drawn."""


def draw_series(axes: "Axes", x: Levels, series: Sequence[Series], marks: Marks) -> None:
    """Draw scores along one axis, with the marks on the first series.

    Numbers are on a scale, logarithmic if they are positive and span more than a factor of 100.
    Other values are side by side.
    """
    numbers = x.numbers
    places = np.array(numbers) if numbers else np.arange(len(x), dtype=float)
    if numbers and min(numbers) > 0 and max(numbers) > 100 * min(numbers):
        axes.set_xscale("log")
    if not numbers:
        axes.set_xlim(-0.6, len(x) - 0.4)
    _tick_places(axes, x, places)
    axes.set_xlabel(x.name)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(axis="y", color="#e4e7ea", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    # Values side by side: without an offset the intervals of two series would hide each other.
    offset = 0.0 if numbers or len(series) == 1 else 0.2
    for index, each in enumerate(series):
        at = places[x.codes] + offset * (index - 0.5)
        _draw_scores(axes, at, each, joined=bool(numbers), above=index == 0)
    _mark_points(axes, places[x.codes] - offset / 2, series[0].scores, marks)


def _tick_places(axes: "Axes", x: Levels, places: Floats) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    axes.xaxis.set_minor_locator(NullLocator())
    if x.numbers and len(x) > 12:
        if axes.get_xscale() == "linear":
            whole = all(isinstance(value, int) for value in x.values)
            axes.xaxis.set_major_locator(MaxNLocator("auto", integer=whole))
        axes.xaxis.set_major_formatter(FuncFormatter(_tick_label))
        return
    labels = value_labels(x.values)
    on_scale = np.log(places) if axes.get_xscale() == "log" else places
    kept = spaced(on_scale, float(np.ptp(on_scale)) / 14)
    turned = max(len(labels[index]) for index in kept) * len(kept) > 80
    axes.set_xticks(
        [float(places[index]) for index in kept],
        [labels[index] for index in kept],
        rotation=45 if turned else 0,
        ha="right" if turned else "center",
        rotation_mode="anchor" if turned else "default",
    )


def _tick_label(place: float, _position: int | None) -> str:
    return value_labels([place])[0]


def _draw_scores(axes: "Axes", at: Floats, series: Series, *, joined: bool, above: bool) -> None:
    order = np.argsort(at, kind="stable")
    order = order[np.isfinite(series.scores[order])]
    color = _SERIES_COLORS[series.kind]
    at, scores = at[order], series.scores[order]
    many = len(order) > _MANY
    if series.low is not None and series.high is not None:
        low, high = series.low[order], series.high[order]
        if joined and (many or series.kind == "test"):
            axes.fill_between(at, low, high, color=color, alpha=0.14, linewidth=0)
        else:
            axes.vlines(at, low, high, color=color, alpha=0.55, linewidth=1.4)
    axes.plot(
        at,
        scores,
        color=color,
        linestyle="-" if joined else "none",
        linewidth=1.0 if many else 1.6,
        marker="" if many and joined else "o" if series.kind == "test" else "D",
        markersize=5 if series.kind == "test" else 4,
        label=series.legend,
        zorder=3 if above else 2,
    )


def _mark_points(axes: "Axes", at: Floats, scores: Floats, marks: Marks) -> None:
    champion = marks.champion
    circled = marks.selected & (np.arange(len(at)) != champion)  # the champion has the star
    if circled.any():
        axes.plot(
            at[circled],
            scores[circled],
            linestyle="none",
            marker="o",
            markersize=10 if len(at) <= _MANY else 4,
            markerfacecolor="none",
            markeredgecolor=MARK,
            markeredgewidth=1.6 if len(at) <= _MANY else 0.8,
            label="also selected",
            zorder=4,
        )
    draw_star(axes, (float(at[champion]), float(scores[champion])), 15)
