"""Draw a panel with a heat map over two axes."""

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.reports.panels import (
    BLANK,
    HATCH,
    HATCH_PATTERN,
    INK,
    MARK,
    SMALL,
    draw_star,
    label_width,
    text_width,
)
from iris_hpo.reports.scores import (
    MAX_ANNOTATED,
    ColorScale,
    Floats,
    Levels,
    Marks,
    best_scores,
    is_sparse,
    score_format,
    value_labels,
    written,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Normalize


_COLORS: Final = "viridis"


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
        Approximate width and height of the panel in inches; they decide what fits into a cell.

    Returns
    -------
    mappable
        The drawn cells, for a colour bar.
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
        draw_star(axes, star, 13)
        return specks

    return _draw_cells(axes, best_scores(y, x, scores), _selected(y, x, marks), scale, cell, star)


def _selected(y: Levels, x: Levels, marks: Marks) -> NDArray[np.bool_]:
    """Which cells hold a selected candidate."""
    selected = np.zeros((len(y), len(x)), dtype=bool)
    selected[y.codes[marks.selected], x.codes[marks.selected]] = True
    return selected


def _draw_cells(
    axes: "Axes",
    best: Floats,
    selected: NDArray[np.bool_],
    scale: ColorScale,
    cell: tuple[float, float],
    star: tuple[float, float],
) -> "ScalarMappable":
    if np.isnan(best).any():
        axes.patch.set(hatch=HATCH_PATTERN, edgecolor=HATCH, linewidth=0)
    roomy = min(cell) > 0.15
    mesh = axes.pcolormesh(
        np.arange(best.shape[1]),
        np.arange(best.shape[0]),
        np.ma.masked_invalid(best),
        cmap=_COLORS,
        norm=_norm(scale),
        shading="nearest",
        edgecolors="white" if roomy else "none",
        linewidth=1.2 if roomy else 0,
    )
    # If cells are thinner than a point, outlines would hide all of them.
    if min(cell) * 72 >= 1:
        _outline(axes, selected, min(16 * min(cell), 2.2))
    has_text = _write_scores(axes, best, mesh, cell, star, scale.sign)
    # With a score in the cell, the star takes the upper half.
    draw_star(axes, (star[0], star[1] + 0.19) if has_text else star, 10 if has_text else 13)
    return mesh


def _norm(scale: ColorScale) -> "Normalize":
    from matplotlib.colors import PowerNorm

    # If all scores are equal, they get the middle of the map.
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


def _outline(axes: "Axes", cells: NDArray[np.bool_], width: float) -> None:
    """Draw one border around neighbouring selected cells."""
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    padded = np.pad(cells, 1)
    rows, columns = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])
    flat = np.stack([columns - 0.5, rows - 0.5, columns + 0.5, rows - 0.5], axis=1)
    rows, columns = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])
    upright = np.stack([columns - 0.5, rows - 0.5, columns - 0.5, rows + 0.5], axis=1)
    ends = np.concatenate([flat, upright]).reshape(-1, 2)
    # One path per segment is slow, and one path for all is too long for the renderer.
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
    sign: float,
) -> bool:
    """Write each cell's score into it, if there is room."""
    if max(best.shape) > MAX_ANNOTATED or cell[1] < 0.25:
        return False
    form = score_format(best)
    texts = {
        (int(row), int(column)): written(sign * float(best[row, column]), form)
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
    ring = marks.selected[order] & (order != marks.champion)  # the champion has the star
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
