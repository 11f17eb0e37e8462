"""The page's section on the selections of a search: one row each, the latest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from iris_hpo.text import clean


@dataclass(frozen=True)
class PastSelection:
    """A selection of the search.

    Attributes
    ----------
    when
        Date and time, UTC.
    champion, expectation
        The key of its champion, and the sentence on what the champion was expected to score.
    run_id
        The Dagster run that made it.
    rule, data_version
        The rule that chose, and the data version of the data; empty if unknown.
    beside_before
        How the champion compares with the one before, as a sentence.
    """

    when: str
    champion: str
    expectation: str
    run_id: str
    rule: str = ""
    data_version: str = ""
    beside_before: str = ""


def past_section(past: Sequence[PastSelection]) -> str:
    """Write the section in HTML; empty without any selection."""
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["clean"] = clean
    template = files("iris_hpo.reports").joinpath("page", "past.html").read_text(encoding="utf-8")
    return environment.from_string(template).render(past=past) if past else ""
