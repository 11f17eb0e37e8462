"""What a sensor has acted upon, as its cursor holds it, and whether the present is another."""

import json
from collections.abc import Mapping
from typing import Any, Final

from iris_hpo.orchestration.deciding import deciding_digests
from iris_hpo.orchestration.names import CODE_VERSIONS, IDENTITY
from iris_hpo.orchestration.plan import is_of_description
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.working_runs import runs_at_work
from iris_hpo.store.cards import fingerprint

EDITS: Final = "edits"
"""Part of a cursor."""


def read_cursor(cursor: str | None) -> dict[str, str]:
    """Read a cursor; empty if there is none, or one of another version."""
    try:
        content = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def edits_of(cursor: Mapping[str, str]) -> int:
    """How many edits a sensor has acted upon.

    It is a part of run keys: Dagster passes over a key that it has seen, and an edit that is taken
    back and made again would have the key of the first one.
    """
    edits = str(cursor.get(EDITS, ""))
    return int(edits) if edits.isdecimal() else 0


def present_digests(study: Study) -> dict[str, str]:
    """Digests of the candidates, of what is described, and of code that belongs to no release.

    What is described includes the versions of packages. The process of a sensor keeps modules as it
    has loaded them; a run loads them again. So the code is read as it is on disk.
    """
    spec = study.spec
    objective, deciding = spec.make_objective(), deciding_digests(spec)
    described = fingerprint(
        axes=[axis.identity() for axis in spec.axes],
        settings=deciding["settings"],
        split=deciding["split"],
        blocking=sorted(spec.blocking_checks),
        packages=objective.identity().get("packages"),
        versions=CODE_VERSIONS,
    )
    code = _digest(objective.code)
    return {"digest": study.candidates.digest, "described": described, **code}


def code_changed(study: Study, last: Mapping[str, str], present: Mapping[str, str]) -> bool:
    """Whether the code is not what was acted upon; at the first tick, not what was recorded."""
    code = present.get("code", "")
    if "code" in last:
        return last["code"] != code
    recorded = study.metadata("parameters").get(IDENTITY) if code else None
    if recorded is None:  # no code, no parameters, or those of an earlier version
        return False
    content: Any = recorded.value
    of_scorings = (content.get("scorings") or {}).get("code", {})
    return _digest({**of_scorings, **content["recipe"].get("code", {})}).get("code") != code


def description_changed(study: Study, last: Mapping[str, str], present: Mapping[str, str]) -> bool:
    """Whether what is described changed, and no run has brought the results up to date since.

    A cursor of an earlier version does not say what was described.
    """
    is_known = last.get("described") == present["described"] or (last and "described" not in last)
    if is_known:
        return False
    if all(study.recorded(name) is not None for name in ("split", "parameters")):
        return not is_of_description(study)
    return bool(last) and not runs_at_work(study)  # what stopped the first search may be gone


def _digest(code: Mapping[str, str]) -> dict[str, str]:
    return {"code": fingerprint(code=dict(code))} if code else {}
