"""The report ``html``: a page of a selection, one file that opens without a network.

The page is made with Bokeh, whose scripts are in the file; the extra ``report`` installs it. What
the page says is in `page_facts`, its plots are in `plots`, and the folder ``page`` has what is
around them. The same facts give the same bytes.
"""

import importlib.util
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from iris_hpo.errors import NotInstalledError
from iris_hpo.reports.columns import Columns
from iris_hpo.reports.page_facts import PageFacts, facts_of
from iris_hpo.reports.past import past_section
from iris_hpo.reports.plots import MAX_LINES, Plots
from iris_hpo.reports.ticks import axis_labels
from iris_hpo.selection.rules import Selection
from iris_hpo.text import clean

PAGE: Final = "report.html"

_SCRIPTS: Final = ("bokeh", "bokeh-tables")
_INSTALL: Final = "the page needs Bokeh: pip install 'iris_hpo[report]'"


class Html:
    """The report ``html``: the page of a selection."""

    def __init__(self) -> None:
        check_installed()

    def render(self, selection: Selection) -> dict[str, bytes]:
        """Make the page."""
        return {PAGE: make_page(facts_of(selection))}


def check_installed() -> None:
    """Refuse to make a page without Bokeh.

    Raises
    ------
    NotInstalledError
        If it is not installed; the message says how to install it.
    """
    if importlib.util.find_spec("bokeh") is None:
        raise NotInstalledError(_INSTALL)


def make_page(facts: PageFacts) -> bytes:
    """Make the page.

    Raises
    ------
    NotInstalledError
        If Bokeh is not installed.
    """
    check_installed()
    from bokeh.document import Document
    from bokeh.models import ColumnDataSource
    from bokeh.resources import Resources
    from jinja2 import Environment
    from markupsafe import Markup

    columns = Columns(facts)
    plots = Plots(columns)
    document = Document()
    places: dict[str, str] = {}
    sections = plots.make()
    for section, models in sections.items():
        for at, model in enumerate(models):
            places[model.id] = f"{section}-{at}"
    # The only root is not drawn: the page's script draws the plots, one by one.
    plotted = [model for models in sections.values() for model in models]
    document.add_root(ColumnDataSource(tags=plotted, name="plots"))
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["clean"] = clean
    return (
        environment.from_string(_text("page.html"))
        .render(
            facts=facts,
            axes=list(enumerate(columns.axes)),
            labels=[axis_labels(axis) for axis in columns.axes],
            shown={section: range(len(models)) for section, models in sections.items()},
            importance=plots.importance.sentence,
            score=columns.title,
            lines=MAX_LINES,
            duration=_duration(sum(facts.seconds.values())),
            past=Markup(past_section(facts.past)),  # noqa: S704 - escaped
            style=Markup(_text("page.css")),  # noqa: S704 - the package's own
            script=Markup(_text("page.js")),  # noqa: S704 - the package's own
            bokeh=[
                Markup(code)  # noqa: S704 - Bokeh's own
                for code in Resources("inline", components=list(_SCRIPTS)).js_raw
            ],
            content=Markup(_script_json(_content(document.to_json(deferred=False), places))),  # noqa: S704 - escaped
        )
        .encode()
    )


def _content(document: Any, places: Mapping[str, str]) -> dict[str, Any]:
    """Content of the page's script: Bokeh's document, and the place of each plot.

    Bokeh's ids count all models of the process; here they count those of the page.
    """
    numbers: dict[str, str] = {}

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: numbers.setdefault(part, f"m{len(numbers)}")
                if name == "id" and isinstance(part, str)
                else renamed(part)
                for name, part in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [renamed(part) for part in value]
        return value

    return {
        "document": renamed(document),
        "places": {numbers[model]: place for model, place in places.items()},
    }


def _duration(seconds: float) -> str:
    """Write a time in the unit that suits it."""
    units = {"hours": 3600, "minutes": 60, "seconds": 1}
    name, size = next(each for each in units.items() if seconds >= 2 * each[1] or each[1] == 1)
    return f"{seconds / size:.1f} {name}"


def _script_json(content: object) -> str:
    """Write JSON that ends no script, whatever its texts are."""
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")


def _text(name: str) -> str:
    return files("iris_hpo.reports").joinpath("page", name).read_text(encoding="utf-8")
