"""Reports: files that are made from a selection for people to look at.

A report is any class with the method of `Report`; a search names its reports in ``reports``. Which
candidates are selected is decided in `selection`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol, cast

from iris_hpo.errors import InputError, at_field
from iris_hpo.parts import Part, make_part

if TYPE_CHECKING:
    from iris_hpo.selection.rules import Selection

REPORTS: Final = {
    "heatmap": "iris_hpo.reports.figure.HeatMap",
    "html": "iris_hpo.reports.html.Html",
}
"""Short names of reports, with the import path of each."""

DEFAULT_REPORTS: Final = (Part("heatmap"),)
"""Reports of a search that names none."""

_TAKEN: Final = (
    *("champion.json", "champion.pkl", "leaderboard.csv", "models"),
    *("ensemble.pkl", "references.json"),
)
"""Names in the folder ``selection`` that a report cannot use."""


class Report(Protocol):
    """Makes files from a selection."""

    def render(self, selection: "Selection") -> Mapping[str, bytes]:
        """Return the content of each file by its name; the same selection gives the same bytes.

        The files are stored beside the leaderboard. Pictures (``.png``) are shown in the UI too.
        """
        ...


def make_reports(parts: Sequence[Part]) -> list[Report]:
    """Make the reports of a search.

    Raises
    ------
    InputError
        If a report is unknown or cannot be made.
    """
    reports: list[Report] = []
    for index, part in enumerate(parts):
        with at_field("reports", index):
            reports.append(cast("Report", make_part(part, REPORTS, "report", "render")))
    return reports


def render_reports(parts: Sequence[Part], selection: "Selection") -> dict[str, bytes]:
    """Make the files of all reports.

    Raises
    ------
    InputError
        If a report fails, or its file name is taken or not plain.
    """
    files: dict[str, bytes] = {}
    for part, report in zip(parts, make_reports(parts), strict=True):
        try:
            rendered = dict(report.render(selection))
        except Exception as error:
            raise InputError(
                f"the report {part.use} failed: {type(error).__name__}: {error}; correct it, or "
                "take it out of reports"
            ) from error
        for name in rendered:
            if name in files or not is_free(name):
                raise InputError(
                    f"the report {part.use} gives a file {name!r}; choose a plain name that no "
                    "other file has"
                )
        files |= rendered
    return files


def is_free(name: str) -> bool:
    """Whether a report may give a file this name: a plain one, which no file of ours has."""
    is_plain = bool(name) and name.isprintable() and not name.startswith(".") and "/" not in name
    return is_plain and name not in _TAKEN
