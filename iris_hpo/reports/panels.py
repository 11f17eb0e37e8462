"""Shared parts of a figure's panels: colours, widths of texts, the champion's star."""

import math
from typing import TYPE_CHECKING, Final

from iris_hpo.reports.scores import MAX_ANNOTATED, Levels, value_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes


INK: Final = "#1f2328"
MUTED: Final = "#57606a"
MARK: Final = "#d1003f"
"""Colour of selected candidates, far from every colour of the map."""
BLANK: Final = "#f4f5f6"
HATCH: Final = "#c3c8cd"
HATCH_PATTERN: Final = "/////"
SMALL: Final = 8.0
"""Font size, in points, of ticks and written scores."""


_CHARACTER: Final = 0.6 / 72
"""Width of a character, in inches per point of its font size."""


def text_width(text: str, size: float = SMALL) -> float:
    """Estimate the width of a text in inches."""
    return len(text) * size * _CHARACTER


def label_width(axis: Levels) -> float:
    """Estimate the width of an axis's longest tick label in inches."""
    labelled = axis.values[:: math.ceil(len(axis) / MAX_ANNOTATED)]
    return max(map(text_width, value_labels(labelled)))


def draw_star(axes: "Axes", place: tuple[float, float], size: float) -> None:
    """Mark the champion."""
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
