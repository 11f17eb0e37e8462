"""``iris-hpo history``: the selections of a search, the latest last."""

from typing import Any, Final

from iris_hpo.command.output import make_console, say, show_json
from iris_hpo.command.session import open_study
from iris_hpo.orchestration.history import PastSelection, past_selections
from iris_hpo.text import legible

_DIGEST: Final = 12
"""Number of characters of a data version that are shown."""


def show_history(
    *,
    search: str | None,
    data: str | None,
    artifacts: str | None,
    last: int | None,
    as_json: bool,
) -> int:
    """Print the selections; return the exit code."""
    with open_study(search, data, artifacts) as study:
        past = past_selections(study, last)
        name = study.spec.name
    if as_json:
        show_json({"search": name, "selections": [*map(_as_json, past)]})
        return 0
    console = make_console()
    for selection in past:
        say(
            console,
            f"{selection.when:%Y-%m-%d %H:%M} UTC  {legible(selection.champion)}: "
            f"{selection.expectation or 'no estimate'}",
        )
        say(console, f"    {selection.succession.sentence()}")
        data_version = (selection.data_version or "unknown")[:_DIGEST]
        say(console, f"    rule {selection.rule}, data {data_version}, run {selection.run_id}")
    if not past:
        say(console, "nothing was selected yet; run the search first")
    return 0


def _as_json(past: PastSelection) -> dict[str, Any]:
    return {
        "when": past.when.isoformat(timespec="seconds"),
        "run": past.run_id,
        "data_version": past.data_version,
        "split_version": past.split_version,
        "rule": past.rule,
        "scoring": past.scoring,
        "champion": past.champion,
        "score": past.score,
        "estimate": dict(zip(("value", "low", "high"), past.estimate, strict=True))
        if past.estimate
        else None,
        "expectation": past.expectation,
        **past.succession.content(),
        "sentence": past.succession.sentence(),
    }
