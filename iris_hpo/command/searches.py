"""``iris-hpo search``: the searches of a project."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from iris_hpo.command.output import make_console, say, show_json
from iris_hpo.command.project import NO_SEARCH, Searches, find_searches
from iris_hpo.command.session import open_studies
from iris_hpo.command.settings import present_settings
from iris_hpo.command.tables import print_columns
from iris_hpo.component.places import places_in
from iris_hpo.errors import InputError
from iris_hpo.orchestration.plan import full_plan
from iris_hpo.orchestration.selection_status import selection_state
from iris_hpo.orchestration.status import STATES
from iris_hpo.orchestration.study import Study

_FIRST_LEFT_OUT: Final = ("defined in", "model", "champion")
"""Columns that a narrow terminal does not get, in this order."""


@dataclass(frozen=True)
class Summary:
    """A search in a line.

    Attributes
    ----------
    name
        Name of the search; empty if it has none.
    state
        ``up to date``, ``out of date``, ``not run``; ``unusable`` if its data or its values
        cannot be used, ``broken`` if it cannot be loaded.
    defined_in
        File and line, or the module; None if it is broken, when the message names the place.
    model
        What is trained.
    candidates
        Number of candidates.
    scores
        Number of candidates in each state; None before the first run.
    champion
        Key of the champion of the last selection.
    message
        What is wrong; empty if nothing is.
    """

    name: str
    state: str
    defined_in: str | None = None
    model: str | None = None
    candidates: int | None = None
    scores: Mapping[str, int] | None = None
    champion: str | None = None
    message: str = ""

    @property
    def line(self) -> str:
        """The state, with the number of candidates to train or to score."""
        if self.state != "out of date" or self.scores is None:
            return self.state
        parts = [f"{self.scores[state]} {state}" for state in STATES[1:] if self.scores[state]]
        return ", ".join(parts) or self.state


def show_searches(*, data: str | None, artifacts: str | None, as_json: bool) -> int:
    """Print the searches; return the exit code, which is 2 if one cannot be loaded or used."""
    folder = Path.cwd()
    searches = find_searches(folder)
    if searches.problem:
        raise InputError(f"the definitions of {folder} cannot be loaded: {searches.problem}")
    summaries = [*_summaries(searches, folder, data, artifacts), *_broken(searches)]
    code = 2 if any(summary.message for summary in summaries) else 0
    if as_json:
        show_json({"searches": [*map(asdict, summaries)]})
        return code
    console = make_console()
    if summaries:
        print_columns(console, _columns(summaries), _FIRST_LEFT_OUT, right=("candidates",))
    else:
        say(console, f"the project in {folder} {NO_SEARCH}")
    for summary in summaries:
        if summary.message:
            say(console, f"{summary.name or 'the search'}: {summary.message}")
    return code


def _columns(summaries: Sequence[Summary]) -> dict[str, list[str]]:
    """The cells of each column by its header."""
    return {
        "search": [summary.name or "-" for summary in summaries],
        "model": [summary.model or "-" for summary in summaries],
        "candidates": ["-" if one.candidates is None else str(one.candidates) for one in summaries],
        "state": [summary.line for summary in summaries],
        "champion": [summary.champion or "-" for summary in summaries],
        "defined in": [summary.defined_in or "-" for summary in summaries],
    }


def _summaries(
    searches: Searches, folder: Path, data: str | None, artifacts: str | None
) -> list[Summary]:
    specs = [
        spec for name, spec in sorted(searches.built.items()) if name not in searches.ambiguous
    ]
    if not specs:
        return []
    places = places_in(folder)
    with open_studies(specs, data, artifacts) as studies:
        return [_summary(study, places.get(study.spec.name, searches.module)) for study in studies]


def _summary(study: Study, defined_in: str) -> Summary:
    name, model = study.spec.name, study.spec.make_objective().describe()
    champion = study.metadata("selection").get("champion")
    key = str(champion.value) if champion else None
    try:
        candidates = len(study.candidates)
        if study.recorded("split") is None:
            return Summary(name, "not run", defined_in, model, candidates)
        chosen = present_settings(study)
        plan = full_plan(study, chosen.settings)
        state = "out of date"
        if plan.is_empty:
            state = selection_state(study, chosen.selection, plan.status)
    except InputError as error:
        return Summary(name, "unusable", defined_in, model, champion=key, message=str(error))
    is_current = state == "up to date"
    return Summary(
        name,
        "up to date" if is_current else "out of date",
        defined_in,
        model,
        len(plan.keys),
        plan.counts()["scores"],
        key,
    )


def _broken(searches: Searches) -> list[Summary]:
    """Searches that cannot be loaded, and names that several have."""
    messages = {
        **dict.fromkeys(searches.ambiguous, "several searches have this name"),
        **searches.broken,
    }
    return [Summary(name, "broken", message=messages[name]) for name in sorted(messages)]
