"""One panel of a figure: a heat map over two axes, or scores along one axis."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.reports.scores import (
    MAX_ANNOTATED,
    ColorScale,
    Floats,
    Levels,
    Marks,
    Series,
    best_scores,
    is_sparse,
    score_format,
    spaced,
    value_labels,
    written,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Normalize

INK: Final = "#1f2328"
MUTED: Final = "#57606a"
MARK: Final = "#d1003f"
"""Of what is selected: far from every colour of the map."""
BLANK: Final = "#f4f5f6"
HATCH: Final = "#c3c8cd"
HATCH_PATTERN: Final = "/////"
SMALL: Final = 8.0
"""Font size, in points, of ticks and written scores."""

_COLORS: Final = "viridis"
_SERIES_COLORS: Final = {"test": "#1f5fa8", "cv": "#d97706"}
_MANY: Final = 60
"""Points from which on each is no longer drawn by itself."""
_CHARACTER: Final = 0.6 / 72
"""Width of a character, in inches per point of its font size."""


def text_width(text: str, size: float = SMALL) -> float:
    """Estimate the width of a text in inches."""
    return len(text) * size * _CHARACTER


def label_width(axis: Levels) -> float:
    """Estimate the width of an axis's longest tick label in inches."""
    some = axis.values[:: math.ceil(len(axis) / MAX_ANNOTATED)]
    return max(map(text_width, value_labels(some)))


def draw_heat_map(
    axes: "Axes",
    y: Levels,
    x: Levels,
    scores: Floats,
    marks: Marks,
    *,
    scale: ColorScale,
    size: tuple[float, float],
) -> "ScalarMappable":
    """Draw the best score of each combination of two axes.

    Parameters
    ----------
    size
        Width and height of the panel in inches, about: what fits into a cell follows from it.

    Returns
    -------
    mappable
        What a colour bar explains.
    """
    sparse = is_sparse(y, x)
    margin = 0.02 if sparse else 0.0  # specks are larger than their cells
    axes.set(
        xlim=(-0.5 - margin * len(x), len(x) * (1 + margin) - 0.5),
        ylim=(-0.5 - margin * len(y), len(y) * (1 + margin) - 0.5),
        xlabel=x.name,
        ylabel=y.name,
        facecolor=BLANK,
    )
    cell = size[0] / len(x), size[1] / len(y)
    _tick_cells(axes, y, x, cell)
    star = float(x.codes[marks.champion]), float(y.codes[marks.champion])
    if sparse:
        specks = _draw_specks(axes, y, x, scores, marks, scale=scale)
        _draw_star(axes, star, 13)
        return specks

    best = best_scores(y, x, scores)
    if np.isnan(best).any():
        axes.patch.set(hatch=HATCH_PATTERN, edgecolor=HATCH, linewidth=0)
    roomy = min(cell) > 0.15
    mesh = axes.pcolormesh(
        np.arange(len(x)),
        np.arange(len(y)),
        np.ma.masked_invalid(best),
        cmap=_COLORS,
        norm=_norm(scale),
        shading="nearest",
        edgecolors="white" if roomy else "none",
        linewidth=1.2 if roomy else 0,
    )
    # Where cells are thinner than a point, outlines would hide all of them.
    if min(cell) * 72 >= 1:
        selected = np.zeros(best.shape, dtype=bool)
        selected[y.codes[marks.selected], x.codes[marks.selected]] = True
        _outline(axes, selected, min(16 * min(cell), 2.2))
    has_text = _write_scores(axes, best, mesh, cell, star)
    # Above a written score the star takes the upper half of its cell.
    _draw_star(axes, (star[0], star[1] + 0.19) if has_text else star, 10 if has_text else 13)
    return mesh


def draw_series(axes: "Axes", x: Levels, series: Sequence[Series], marks: Marks) -> None:
    """Draw scores along one axis, with the marks on the first series.

    Numbers lie on a scale, logarithmic if they are positive and span more than a factor of 100.
    Other values lie side by side.
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
    # Side by side, the intervals of two series would hide each other.
    apart = 0.0 if numbers or len(series) == 1 else 0.2
    for index, one in enumerate(series):
        at = places[x.codes] + apart * (index - 0.5)
        _draw_one(axes, at, one, joined=bool(numbers), above=index == 0)
    _mark_points(axes, places[x.codes] - apart / 2, series[0].scores, marks)


def _norm(scale: ColorScale) -> "Normalize":
    from matplotlib.colors import PowerNorm

    # Where all scores are equal, they get the middle of the map.
    pad = 0.0 if scale.high > scale.low else max(abs(scale.low), 1.0) * 0.01
    return PowerNorm(scale.power, scale.low - pad, scale.high + pad)


def _tick_cells(axes: "Axes", y: Levels, x: Levels, cell: tuple[float, float]) -> None:
    widest = label_width(x) + 0.08
    turned = widest > cell[0] and (cell[0] >= 0.22 or widest > 1)
    step = math.ceil((0.22 if turned else widest) / cell[0])
    axes.set_xticks(
        range(0, len(x), step),
        value_labels(x.values[::step]),
        rotation=45 if turned else 0,
        ha="right" if turned else "center",
        rotation_mode="anchor" if turned else "default",
    )
    step = math.ceil(0.22 / cell[1])
    axes.set_yticks(range(0, len(y), step), value_labels(y.values[::step]))


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


def _outline(axes: "Axes", cells: NDArray[np.bool_], width: float) -> None:
    """Draw the border of all selected cells together, so that neighbours make one region."""
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    padded = np.pad(cells, 1)
    rows, columns = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])
    flat = np.stack([columns - 0.5, rows - 0.5, columns + 0.5, rows - 0.5], axis=1)
    rows, columns = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])
    upright = np.stack([columns - 0.5, rows - 0.5, columns - 0.5, rows + 0.5], axis=1)
    ends = np.concatenate([flat, upright]).reshape(-1, 2)
    # One path per segment is slow to make, and one of all too long for the renderer.
    parts = [ends[start : start + 200] for start in range(0, len(ends), 200)]
    borders = PathCollection(
        [Path(part, [Path.MOVETO, Path.LINETO] * (len(part) // 2)) for part in parts],
        facecolors="none",
        edgecolors=MARK,
        linewidths=width,
        capstyle="projecting",
        clip_on=False,
        label="selected",
        zorder=3,
    )
    axes.add_collection(borders, autolim=False)


def _write_scores(
    axes: "Axes",
    best: Floats,
    mesh: "QuadMesh",
    cell: tuple[float, float],
    star: tuple[float, float],
) -> bool:
    """Write each cell's score into it, if there is room."""
    if max(best.shape) > MAX_ANNOTATED or cell[1] < 0.25:
        return False
    form = score_format(best)
    texts = {
        (int(row), int(column)): written(float(best[row, column]), form)
        for row, column in np.argwhere(np.isfinite(best))
    }
    if max(map(text_width, texts.values())) > cell[0]:
        return False
    for (row, column), text in texts.items():
        red, green, blue, _ = mesh.cmap(mesh.norm(best[row, column]))
        luminance = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
        axes.text(
            column,
            row - 0.2 if (column, row) == star else row,
            text,
            ha="center",
            va="center_baseline",
            fontsize=SMALL,
            color=INK if luminance > 0.26 else "white",
        )
    return True


def _draw_specks(
    axes: "Axes", y: Levels, x: Levels, scores: Floats, marks: Marks, *, scale: ColorScale
) -> "ScalarMappable":
    order = np.argsort(scores, kind="stable")  # the best on top
    size = 40 if len(scores) <= 300 else 12
    ring = marks.selected[order] & (order != marks.champion)  # it has the star
    return axes.scatter(
        x.codes[order],
        y.codes[order],
        s=size,
        c=scores[order],
        cmap=_COLORS,
        norm=_norm(scale),
        marker="s",
        edgecolors=np.where(ring, MARK, "white").tolist(),
        linewidths=np.where(ring, 1.8, 0.4).tolist(),
        label="selected",
    )


def _draw_one(axes: "Axes", at: Floats, one: Series, *, joined: bool, above: bool) -> None:
    order = np.argsort(at, kind="stable")
    order = order[np.isfinite(one.scores[order])]
    color = _SERIES_COLORS[one.kind]
    at, scores = at[order], one.scores[order]
    many = len(order) > _MANY
    if one.low is not None and one.high is not None:
        low, high = one.low[order], one.high[order]
        if joined and (many or one.kind == "test"):
            axes.fill_between(at, low, high, color=color, alpha=0.14, linewidth=0)
        else:
            axes.vlines(at, low, high, color=color, alpha=0.55, linewidth=1.4)
    axes.plot(
        at,
        scores,
        color=color,
        linestyle="-" if joined else "none",
        linewidth=1.0 if many else 1.6,
        marker="" if many and joined else "o" if one.kind == "test" else "D",
        markersize=5 if one.kind == "test" else 4,
        label=one.legend,
        zorder=3 if above else 2,
    )


def _mark_points(axes: "Axes", at: Floats, scores: Floats, marks: Marks) -> None:
    champion = marks.champion
    circled = marks.selected & (np.arange(len(at)) != champion)  # it has the star
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
    _draw_star(axes, (float(at[champion]), float(scores[champion])), 15)


def _draw_star(axes: "Axes", place: tuple[float, float], size: float) -> None:
    axes.plot(
        [place[0]],
        [place[1]],
        linestyle="none",
        marker="*",
        markersize=size,
        markerfacecolor=MARK,
        markeredgecolor="white",
        markeredgewidth=0.9,
        label="champion",
        zorder=5,
    )
