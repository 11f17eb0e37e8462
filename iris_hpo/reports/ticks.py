"""Labels of the axes of Bokeh's plots. They are plain texts, never formulas."""

from collections.abc import Mapping
from typing import Any

from iris_hpo.reports.columns import PlacedAxis
from iris_hpo.reports.scores import value_labels
from iris_hpo.text import clean


def axis_labels(axis: PlacedAxis) -> list[str]:
    """Write every value of an axis."""
    return [clean(label) for label in value_labels(axis.levels.values)]


def set_label(axis: Any, label: str) -> None:
    """Label an axis by a text that is no formula, even if it has dollar signs."""
    from bokeh.models import PlainText

    axis.axis_label = PlainText(text=label)
    axis.axis_label_text_font_style = "normal"


def set_ticks(axis: Any, label: str, ticks: Mapping[float, str]) -> None:
    """Label an axis, and some places on its scale."""
    from bokeh.models import FixedTicker, PlainText

    set_label(axis, label)
    axis.ticker = FixedTicker(ticks=list(ticks))
    axis.major_label_overrides = {place: PlainText(text=text) for place, text in ticks.items()}
    if max(map(len, ticks.values()), default=0) * len(ticks) > 50:
        axis.major_label_orientation = 0.7
