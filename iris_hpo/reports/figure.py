"""The report ``heatmap``: the kind of picture, and the arrangement of its panels.

A selection with two varying axes gets a heat map, with one axis a line, with more a matrix of
pairs. matplotlib is imported only when something is drawn, because the import takes longer than
most selections. Panels are drawn in `heat_map` and `lines`.
"""

import importlib
import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from iris_hpo.known_rules import RULES
from iris_hpo.reports.frame import add_color_bar, add_legend, framed, map_legend, style
from iris_hpo.reports.heat_map import draw_heat_map
from iris_hpo.reports.lines import draw_series
from iris_hpo.reports.panels import label_width, text_width
from iris_hpo.reports.scores import (
    LARGEST,
    Floats,
    Levels,
    Marks,
    Series,
    best_first,
    color_scale,
    marks_of,
    most_influential,
    score_format,
    scored_series,
    shown_scores,
    varying_levels,
    written,
)
from iris_hpo.selection.rules import Selection
from iris_hpo.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

MAX_PAIRED: Final = 5
"""Largest number of axes in a matrix of pairs."""


class HeatMap:
    """The report ``heatmap``: the scores over the axes, as a picture."""

    def render(self, selection: Selection) -> dict[str, bytes]:
        """Draw the picture."""
        return {"heatmap.png": draw_selection(selection)}


def draw_selection(selection: Selection) -> bytes:
    """Draw a selection as a PNG; the same selection gives the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(make_figure(selection))
    with style(), warnings.catch_warnings():
        # The font may lack the script of a value, which is then drawn as boxes.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        canvas.draw()
    # The figure is also stored in the metadata of each selection, and a palette makes it a third as
    # large. No metadata of the picture, such as a date or a version, are written.
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    file = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def import_matplotlib() -> None:
    """Import the modules that drawing needs, ahead of time."""
    for module in ("matplotlib.figure", "matplotlib.backends.backend_agg", "PIL.Image"):
        importlib.import_module(module)


def make_figure(selection: Selection) -> "Figure":
    """Make the figure of a selection; the axes on which candidates differ decide its kind.

    With two axes the figure is a heat map of the score that ranks. If test scores rank, a heat map
    of the cross-validation mean, if any, is added, because test scores tie. With one axis the
    figure is a line. With more, there is a heat map for each pair, of the best score over the other
    axes. A single candidate is written as text.
    """
    scoring = selection.scoring
    axes = varying_levels(selection, selection.space)
    series, marks = scored_series(selection, scoring), marks_of(selection)
    with style():
        if not axes:
            return framed(5.6, 0.2, f"{scoring} of one candidate", _about(selection))
        if len(axes) == 1:
            return _line(selection, axes[0], series, marks, scoring)
        if len(axes) == 2:
            return _heat_maps(selection, axes, series, marks, scoring)
        return _pairs(selection, axes, series[0], marks, scoring)


def _line(
    selection: Selection, axis: Levels, series: Sequence[Series], marks: Marks, scoring: str
) -> "Figure":
    figure = framed(
        7.5, 4.2 + 0.7 * label_width(axis), f"{scoring} by {axis.name}", _about(selection)
    )
    axes = figure.subplots()
    draw_series(axes, axis, series, marks)
    axes.set_ylabel(scoring)
    handles, _ = axes.get_legend_handles_labels()
    add_legend(figure, handles, columns=2)
    return figure


def _heat_maps(
    selection: Selection,
    axes: Sequence[Levels],
    series: Sequence[Series],
    marks: Marks,
    scoring: str,
) -> "Figure":
    y, x = axes
    shown, sign = best_first(selection, series[:1] if RULES[selection.rule].needs_folds else series)
    # One scale for all panels: the same colour is the same score.
    scores = np.concatenate([each.scores for each in shown])
    scale = color_scale(scores, sign)
    size = _panel_size(y, x, scores)
    figure = framed(
        size[0] * len(shown) + label_width(y) + 1.5,
        size[1] + 0.7 * label_width(x) + 1.0,
        f"{scoring} by {y.name} and {x.name}",
        _about(selection),
    )
    panels: list[Axes] = list(figure.subplots(1, len(shown), sharey=True, squeeze=False)[0])
    drawn = [
        draw_heat_map(panel, y, x, each.scores, marks, scale=scale, size=size)
        for panel, each in zip(panels, shown, strict=True)
    ]
    for panel, each in zip(panels, shown, strict=True):
        panel.set_title(each.title)
        panel.label_outer(remove_inner_ticks=True)
    add_color_bar(figure, drawn[0], panels, scale, scoring)
    blank = any(np.isnan(shown_scores(y, x, each.scores)).any() for each in shown)
    add_legend(figure, map_legend(panels, blank=blank))
    return figure


def _pairs(
    selection: Selection, axes: Sequence[Levels], series: Series, marks: Marks, scoring: str
) -> "Figure":
    (series,), sign = best_first(selection, [series])
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
    labels = max(map(label_width, shown))
    figure = framed(sum(widths) + labels + 1.7, sum(heights) + 0.7 * labels + 1.0, headline, about)
    grid = figure.add_gridspec(
        len(heights), len(widths), width_ratios=widths, height_ratios=heights
    )
    pairs = [(row, column) for row in range(len(heights)) for column in range(row + 1)]
    scores = np.concatenate(
        [shown_scores(shown[row + 1], shown[column], series.scores) for row, column in pairs]
    )
    scale = color_scale(scores, sign)
    panels: list[Axes] = []
    drawn: list[ScalarMappable] = []
    for row, column in pairs:
        panel = figure.add_subplot(grid[row, column])
        y, x, size = shown[row + 1], shown[column], (widths[column], heights[row])
        drawn.append(draw_heat_map(panel, y, x, series.scores, marks, scale=scale, size=size))
        panel.label_outer(remove_inner_ticks=True)
        panels.append(panel)
    add_color_bar(figure, drawn[0], panels, scale, scoring)
    add_legend(figure, map_legend(panels, blank=bool(np.isnan(scores).any())))
    return figure


def _panel_size(y: Levels, x: Levels, scores: Floats) -> tuple[float, float]:
    """Width and height in inches, with room for a score in each cell if there are not too many."""
    form = score_format(scores)
    widest = max(
        text_width(written(score, form)) for score in (np.nanmin(scores), np.nanmax(scores))
    )
    return (
        min(max(len(x) * max(widest + 0.1, 0.5), 3.0), 6.4),
        min(max(len(y) * 0.35, 1.6), 5.4),
    )


def _about(selection: Selection) -> list[str]:
    champion = selection.champion
    form = score_format(np.array([champion.evaluation.score]))
    scores = f"test {champion.evaluation.score:{form}}"
    if champion.cv_mean is not None and champion.cv_std is not None:
        mean, std = f"{champion.cv_mean:{form}}", f"{champion.cv_std:{form}}"
        scores += f", cross-validation {mean} (SD of the folds {std})"
    counts = f"{len(selection.selected)} of {counted(len(selection.rows), 'candidate')} selected"
    key = champion.candidate.key
    first = [f"champion {key}: {selection.expectation}", scores]
    beyond = any(abs(row.scored.evaluation.score) > LARGEST for row in selection.rows)
    return [
        *(first if selection.expectation else [f"champion {key}: {scores}"]),
        f"{counts} by {RULES[selection.rule].criterion}",
        *([f"scores beyond {LARGEST:g} are drawn as {LARGEST:g}"] if beyond else []),
    ]
