"""``iris-hpo why``: what a candidate's results depend on, and why they would be made again."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from iris_hpo.command.output import make_console, say, show_json
from iris_hpo.command.session import open_study
from iris_hpo.command.settings import choose_settings
from iris_hpo.orchestration.causes import ACTIONS
from iris_hpo.orchestration.why import Explanation, explain
from iris_hpo.text import counted, legible
from iris_hpo.training.cards import ResultCard, ScoreCard

_DIGEST: Final = re.compile(r"\b[0-9a-f]{64}\b")
_SHOWN: Final = 12
"""Number of characters of a digest that are shown."""


def show_why(
    *,
    search: str | None,
    data: str | None,
    artifacts: str | None,
    candidate: str,
    as_json: bool,
    **settings: Any,
) -> int:
    """Print the explanation; return the exit code."""
    with open_study(search, data, artifacts) as study:
        chosen = choose_settings(study, **settings)
        explanation = explain(study, chosen.settings, candidate)
    if as_json:
        show_json(_as_json(explanation))
        return 0
    console = make_console()
    for line in _lines(explanation):
        say(console, line)
    for line in chosen.kept:
        say(console, line)
    return 0


def _lines(explanation: Explanation) -> Iterator[str]:
    key = legible(explanation.key)
    yield (
        f"{key}: model {explanation.model_state}, score {explanation.score_state}; "
        f"{ACTIONS[explanation.action]}"
    )
    for note in explanation.notes:
        yield f"    {note}"
    for difference in explanation.differences:
        then, now = written(difference.recorded), written(difference.present)
        yield f"    {difference.what}: {then} when it was made, {now} now"
    if failure := explanation.failure:
        yield f"failed in run {failure.run_id}: {failure.reason}"
        yield from (f"    log: {path}" for path in failure.logs)
    for what, card in (("model", explanation.model), ("score", explanation.score)):
        if card is not None:
            value = f"{card.score:.6g}, " if isinstance(card, ScoreCard) else ""
            yield f"{what}: {value}{card.seconds:.3g} s, run {card.run_id}"
            yield f"    {explanation.files[what]}"
    if log := explanation.files.get("log"):
        yield f"log: {log}"
    if proposal := explanation.proposal:
        yield (
            f"proposed by the sampler {proposal.sampler} after "
            f"{counted(proposal.number, 'candidate')}, with "
            f"{counted(proposal.results_known, 'result')} known"
        )
    yield "depends on"
    yield f"    parameters: {written(explanation.parameters)}"
    for what, value in explanation.depends_on.items():
        if value:
            yield f"    {what}: {written(value)}"


def written(value: object) -> str:
    """Write a value in a line, with the beginnings of digests."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_part(part)}" for name, part in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_part, value)) or "none"
    return _DIGEST.sub(lambda digest: digest[0][:_SHOWN], str(value))


def _part(value: object) -> str:
    """Write a value within another one: in brackets if it has parts, a step by its name."""
    if isinstance(value, (list, tuple)) and len(value) == 2 and isinstance(value[1], Mapping):
        return f"{value[0]} ({written(value[1])})" if value[1] else str(value[0])
    has_parts = isinstance(value, (list, tuple, Mapping)) and value
    return f"({written(value)})" if has_parts else written(value)


def _as_json(explanation: Explanation) -> dict[str, Any]:
    return {
        "candidate": explanation.key,
        "parameters": explanation.parameters,
        "model_state": explanation.model_state,
        "score_state": explanation.score_state,
        "action": explanation.action,
        "notes": [*explanation.notes],
        "differences": [*map(asdict, explanation.differences)],
        "depends_on": explanation.depends_on,
        "failure": asdict(explanation.failure) if explanation.failure else None,
        "model": _result(explanation.model),
        "score": _result(explanation.score),
        "value": explanation.score.score if explanation.score else None,
        "files": explanation.files,
        "proposal": dict(explanation.proposal.facts) if explanation.proposal else None,
    }


def _result(card: ResultCard | None) -> dict[str, Any] | None:
    if card is None:
        return None
    return {"version": card.version, "run": card.run_id, "seconds": card.seconds}
