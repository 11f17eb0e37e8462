"""The frame of a figure: title, colour bar, legend, and the style. Panels have other modules."""

import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

import numpy as np

from iris_hpo.reports.panels import BLANK, HATCH, HATCH_PATTERN, INK, MARK, MUTED, SMALL, text_width
from iris_hpo.reports.scores import ColorScale, spaced

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

_DPI: Final = 144
_WIDEST: Final = 980
"""Width in pixels up to which Dagster shows a picture without a scroll bar, on a screen of 1280."""
_TITLE: Final = 12.0
_TEXT: Final = 9.5
_STYLE: Final = {
    "font.family": ["DejaVu Sans"],
    "font.size": _TEXT,
    "text.parse_math": False,  # a value such as `a$b$` is a text, not a formula
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": _TEXT,
    "axes.titlesize": _TEXT,
    "axes.titlelocation": "left",
    "axes.edgecolor": "#8c959f",
    "axes.linewidth": 0.8,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.fontsize": SMALL + 0.5,
    "hatch.linewidth": 0.6,
}


def style() -> AbstractContextManager[None]:
    """Make and draw figures in a fixed style, independent of the user's matplotlib settings."""
    from matplotlib.style import context

    return context(["default", _STYLE])


def framed(width: float, height: float, headline: str, about: Sequence[str]) -> "Figure":
    """Make a figure with a title above a space of the given size, in inches, for panels."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    width = max(width, 5.6)
    head = _wrapped(headline, _TITLE * 1.1, width)
    body = [line for text in about for line in _wrapped(text, _TEXT, width)]
    above = 0.2 + 0.23 * len(head) + 0.18 * len(body)
    total = height + above
    figure = Figure(figsize=(width, total), dpi=min(_DPI, _WIDEST / width), facecolor="white")
    figure.set_layout_engine(
        ConstrainedLayoutEngine(
            rect=(0, 0, 1, 1 - above / total), w_pad=0.08, h_pad=0.08, wspace=0.03, hspace=0.03
        )
    )
    left, top = 0.12 / width, 1 - 0.12 / total
    figure.text(left, top, "\n".join(head), va="top", fontsize=_TITLE, weight="bold")
    top -= (0.03 + 0.23 * len(head)) / total
    figure.text(left, top, "\n".join(body), va="top", color=MUTED)
    return figure


def _wrapped(text: str, size: float, width: float) -> list[str]:
    columns = int((width - 0.24) / text_width(" ", size * 1.07))  # digits are wide
    return textwrap.wrap(text, columns, break_on_hyphens=False)


def add_color_bar(
    figure: "Figure",
    drawn: "ScalarMappable",
    panels: Sequence["Axes"],
    scale: ColorScale,
    label: str,
) -> None:
    """Explain the colours of panels that share a scale."""
    bar = figure.colorbar(
        drawn,
        ax=list(panels),
        label=label,
        ticks=_color_ticks(scale),
        extend="min" if scale.clipped else "neither",
        format="{x:g}" if scale.sign > 0 else _turned,
        fraction=0.05,
        aspect=24,
        pad=0.02,
    )
    bar.outline.set_visible(False)


def _turned(score: float, _: object) -> str:
    """Write a score that was turned as it is."""
    return f"{-score:g}"


def _color_ticks(scale: ColorScale) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    if scale.low == scale.high:
        return [scale.low]
    ticks = np.array(MaxNLocator(8, steps=[1, 2, 5, 10]).tick_values(scale.low, scale.high))
    ticks = ticks[(ticks >= scale.low) & (ticks <= scale.high)]
    # A power puts the low scores close together.
    shares = ((ticks - scale.low) / (scale.high - scale.low)) ** scale.power
    return [float(ticks[index]) for index in spaced(shares, 0.06)]


def map_legend(panels: Sequence["Axes"], *, blank: bool) -> list["Artist"]:
    """List the entries of a legend for heat maps."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker="*",
            markersize=11,
            color=MARK,
            label="champion",
            markeredgecolor="white",
        ),
    ]
    labels = {artist.get_label() for panel in panels for artist in panel.collections}
    if "selected" in labels:
        handles.append(Patch(facecolor="none", edgecolor=MARK, linewidth=1.8, label="selected"))
    if blank:
        handles.append(
            Patch(facecolor=BLANK, edgecolor=HATCH, hatch=HATCH_PATTERN, label="no score")
        )
    return handles


def add_legend(figure: "Figure", handles: Sequence["Artist"], columns: int = 3) -> None:
    """Put a legend below the panels."""
    figure.legend(
        handles=list(handles),
        loc="outside lower left",
        ncols=columns,
        frameon=False,
        borderaxespad=0.1,
    )
