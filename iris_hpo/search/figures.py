"""The figure of a selection: which picture its axes call for, and how its panels are arranged.

A heat map for two varying axes, a line for one, a matrix of pairs for more. matplotlib is imported
only when something is drawn: it takes longer to import than most selections take to make.
"""
# See figure_panels.py for this one exception.
# pyright: reportUnknownMemberType=false

import io
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import numpy as np

from iris_hpo.search.figure_panels import (
    BLANK,
    HATCH,
    HATCH_PATTERN,
    INK,
    MARK,
    MUTED,
    SMALL,
    draw_heat_map,
    draw_series,
    text_width,
)
from iris_hpo.search.figure_scores import (
    Floats,
    Levels,
    Marks,
    Series,
    best_scores,
    color_scale,
    is_sparse,
    marks_of,
    most_influential,
    score_format,
    scored_series,
    value_labels,
    varying_levels,
)
from iris_hpo.search.selection import Selection
from iris_hpo.search.space import ParameterSpace

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

MAX_PAIRED: Final = 5
"""Axes that a matrix of pairs shows."""

_DPI: Final = 144
_TITLE: Final = 12.0
_TEXT: Final = 9.5
_CHOSEN_BY: Final = {
    "test_score": "the best test score",
    "cv": "the best cross-validation mean",
    "one_standard_error": "a cross-validation mean within one standard error of the best",
}
# Settings of the user's own matplotlib must not change the bytes. Values such as `a$b` are texts,
# not formulas.
_STYLE: Final = {
    "font.family": ["DejaVu Sans"],
    "font.size": _TEXT,
    "text.parse_math": False,
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


def draw_selection(selection: Selection, space: ParameterSpace, scoring: str) -> bytes:
    """Draw a selection as a PNG; the same selection gives the same bytes.

    Parameters
    ----------
    scoring
        The search's scoring, as it names the scores.

    Returns
    -------
    bytes
        Of the file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = make_figure(selection, space, scoring)
    file = io.BytesIO()
    with _style(), warnings.catch_warnings():
        # A value may be in a script that the font lacks; it is drawn as boxes.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        FigureCanvasAgg(figure).print_png(file, metadata={"Software": None})
    return file.getvalue()


def make_figure(selection: Selection, space: ParameterSpace, scoring: str) -> "Figure":
    """Make the figure of a selection, by the axes on which its candidates differ.

    Two axes make a heat map of the score that ranks, beside one of the cross-validation mean if
    test scores rank and there is one, because test scores tie. One axis makes a line. More make a
    heat map for each pair, of the best score over the other axes. A single candidate is written.
    """
    axes = varying_levels(selection, space)
    series, marks = scored_series(selection, scoring), marks_of(selection)
    with _style():
        if not axes:
            return _framed(5.6, 0.2, f"{scoring} of one candidate", _about(selection))
        if len(axes) == 1:
            return _line(selection, axes[0], series, marks, scoring)
        if len(axes) == 2:
            return _heat_maps(selection, axes[0], axes[1], series, marks, scoring)
        return _pairs(selection, axes, series[0], marks, scoring)


def _line(
    selection: Selection, axis: Levels, series: Sequence[Series], marks: Marks, scoring: str
) -> "Figure":
    figure = _framed(7.5, 4.4, f"{scoring} by {axis.name}", _about(selection))
    axes = figure.subplots()
    draw_series(axes, axis, series, marks)
    axes.set_ylabel(scoring)
    handles, _ = axes.get_legend_handles_labels()
    _explain(figure, handles)
    return figure


def _heat_maps(
    selection: Selection,
    y: Levels,
    x: Levels,
    series: Sequence[Series],
    marks: Marks,
    scoring: str,
) -> "Figure":
    shown = series if selection.rule == "test_score" else series[:1]
    # One scale for all panels: the same colour is the same score.
    scores = np.concatenate([one.scores for one in shown])
    scale = color_scale(scores)
    size = _panel_size(y, x, scores)
    figure = _framed(
        size[0] * len(shown) + _margin(y) + 1.0,
        size[1] + 1.2,
        f"{scoring} by {y.name} and {x.name}",
        _about(selection),
    )
    panels: list[Axes] = list(figure.subplots(1, len(shown), sharey=True, squeeze=False)[0])
    drawn = [
        draw_heat_map(panel, y, x, one.scores, marks, scale, size)
        for panel, one in zip(panels, shown, strict=True)
    ]
    for panel, one in zip(panels, shown, strict=True):
        panel.set_title(one.title)
        panel.label_outer()
    _add_color_bar(figure, drawn[0], panels, scoring, clipped=scale.clipped)
    blank = any(np.isnan(best_scores(y, x, one.scores)).any() for one in shown)
    _explain(figure, _map_legend(blank=blank and not is_sparse(y, x)))
    return figure


def _pairs(
    selection: Selection, axes: Sequence[Levels], series: Series, marks: Marks, scoring: str
) -> "Figure":
    shown = most_influential(axes, series.scores, MAX_PAIRED)
    headline = f"{scoring} by pairs of {', '.join(axis.name for axis in shown)}"
    about = [f"each cell: the best {series.title} over the other axes", *_about(selection)]
    if len(shown) < len(axes):
        about.insert(
            0,
            f"{len(shown)} of {len(axes)} varying axes: those between whose values the mean score "
            "differs most",
        )
    widths = [min(max(0.46 * len(axis), 1.6), 2.8) for axis in shown[:-1]]
    heights = [min(max(0.32 * len(axis), 1.3), 2.4) for axis in shown[1:]]
    figure = _framed(
        sum(widths) + max(map(_margin, shown)) + 1.2, sum(heights) + 1.2, headline, about
    )
    grid = figure.add_gridspec(
        len(heights), len(widths), width_ratios=widths, height_ratios=heights
    )
    scale = color_scale(series.scores)
    panels: list[Axes] = []
    drawn: list[ScalarMappable] = []
    blank = False
    for row, y in enumerate(shown[1:]):
        for column, x in enumerate(shown[: row + 1]):
            panel = figure.add_subplot(grid[row, column])
            size = widths[column], heights[row]
            drawn.append(draw_heat_map(panel, y, x, series.scores, marks, scale, size))
            panel.label_outer()
            panels.append(panel)
            blank |= not is_sparse(y, x) and bool(np.isnan(best_scores(y, x, series.scores)).any())
    _add_color_bar(figure, drawn[0], panels, scoring, clipped=scale.clipped)
    _explain(figure, _map_legend(blank=blank))
    return figure


def _panel_size(y: Levels, x: Levels, scores: Floats) -> tuple[float, float]:
    """Width and height in inches with room for written scores, if there are not too many."""
    form = score_format(scores)
    widest = max(text_width(f"{score:{form}}") for score in (np.nanmin(scores), np.nanmax(scores)))
    return (
        min(max(len(x) * max(widest + 0.1, 0.48), 2.6), 6.4),
        min(max(len(y) * 0.34, 1.6), 5.4),
    )


def _margin(y: Levels) -> float:
    return 0.5 + max(map(text_width, value_labels(y.values)))


def _about(selection: Selection) -> list[str]:
    champion = selection.champion
    every = np.array([row.scored.evaluation.score for row in selection.rows])
    form = score_format(every)
    scores = f"test {champion.evaluation.score:{form}}"
    if champion.cv_mean is not None and champion.cv_std is not None:
        scores += f", cross-validation {champion.cv_mean:{form}} ± {champion.cv_std:{form}}"
    return [
        f"champion {champion.candidate.key}: {scores}",
        f"{len(selection.selected)} of {len(selection.rows)} candidates selected by "
        f"{_CHOSEN_BY[selection.rule]}",
    ]


def _framed(width: float, height: float, headline: str, about: Sequence[str]) -> "Figure":
    """Make a figure with a title above a space of this many inches for panels."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    width = max(width, 5.6)
    head = _wrapped(headline, _TITLE * 1.1, width)
    body = [line for text in about for line in _wrapped(text, _TEXT, width)]
    above = 0.2 + 0.23 * len(head) + 0.18 * len(body)
    total = height + above
    figure = Figure(figsize=(width, total), dpi=_DPI, facecolor="white")
    figure.set_layout_engine(
        ConstrainedLayoutEngine(
            rect=(0, 0, 1, 1 - above / total), w_pad=0.08, h_pad=0.08, wspace=0.03, hspace=0.03
        )
    )
    place = {"x": 0.12 / width, "ha": "left", "va": "top"}
    figure.text(y=1 - 0.12 / total, s="\n".join(head), fontsize=_TITLE, weight="bold", **place)
    figure.text(
        y=1 - (0.15 + 0.23 * len(head)) / total, s="\n".join(body), color=MUTED, **place
    )
    return figure


def _wrapped(text: str, size: float, width: float) -> list[str]:
    return textwrap.wrap(text, int((width - 0.24) / text_width("m", size)))


def _add_color_bar(
    figure: "Figure",
    drawn: "ScalarMappable",
    panels: Sequence["Axes"],
    label: str,
    *,
    clipped: bool,
) -> None:
    bar = figure.colorbar(
        drawn,
        ax=list(panels),
        label=label,
        extend="min" if clipped else "neither",
        format="{x:g}",
        fraction=0.05,
        aspect=24,
        pad=0.02,
    )
    bar.outline.set_visible(False)


def _map_legend(*, blank: bool) -> list["Artist"]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = [
        Line2D([], [], linestyle="none", marker="*", markersize=11, color=MARK, label="champion",
               markeredgecolor="white"),
        Patch(facecolor="none", edgecolor=MARK, linewidth=1.8, label="selected"),
    ]
    if blank:
        handles.append(
            Patch(facecolor=BLANK, edgecolor=HATCH, hatch=HATCH_PATTERN, label="no score")
        )
    return handles


def _explain(figure: "Figure", handles: Sequence["Artist"]) -> None:
    figure.legend(
        handles=list(handles),
        loc="outside lower left",
        ncols=len(handles),
        frameon=False,
        borderaxespad=0.1,
    )


@contextmanager
def _style() -> Iterator[None]:
    from matplotlib import rc_context

    with rc_context(_STYLE):
        yield
