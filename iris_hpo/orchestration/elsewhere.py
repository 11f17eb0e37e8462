"""Results that a run has recorded, and that are not in this project's artifacts.

Several checkouts of a project can share an instance, while each has artifacts of its own. Then the
event log vouches for files that are not here.
"""

import os
from typing import TYPE_CHECKING, Final

from iris_hpo.data.split import CARD as SPLIT_CARD
from iris_hpo.orchestration.record import records_of_runs
from iris_hpo.selection.champion import CHAMPION_CARD
from iris_hpo.store.digests import ArtifactError, ArtifactMismatchError, StoreReadError

if TYPE_CHECKING:
    from iris_hpo.orchestration.study import Study

_ASSETS: Final = {SPLIT_CARD: "split", CHAMPION_CARD: "selection"}
"""The assets whose metadata have the folder of their files, by their card."""

_RESTORE: Final = "restore the folder, or run the search again (iris-hpo run)"


def explain(study: "Study", name: str, error: ArtifactError) -> ArtifactError:
    """Return the error of a card, which says so if a run recorded the card in other artifacts."""
    place = _recorded_elsewhere(study, _ASSETS[name]) if name in _ASSETS else ""
    if not place:
        return error
    problem = str(error).removesuffix("; run the search again")
    if isinstance(error, ArtifactMismatchError):
        problem = f"{study.store.path(name)} is not what was recorded"
    return type(error)(f"{problem}: {place}")


def note_missing(study: "Study") -> str:
    """Note that what was recorded is missing, as its folder is, or lies in other artifacts."""
    place = _recorded_elsewhere(study, "split")
    try:
        if not place:
            is_gone = study.recorded("split") is not None and not study.store.is_there
            return f"{study.store.root} is missing: {_RESTORE}" if is_gone else ""
        if study.store.exists(SPLIT_CARD):
            return ""
    except StoreReadError:
        return ""
    return f"{study.store.path(SPLIT_CARD)} is missing: {place}"


def _recorded_elsewhere(study: "Study", asset: str) -> str:
    """Say which run recorded an asset in other artifacts, and what to do; empty if none did."""
    for record in records_of_runs(study.instance, study.names.asset(asset)):
        materialization = record.asset_materialization
        path = materialization.metadata.get("path") if materialization else None
        own = str(study.store.path(asset))
        if path is None or os.path.realpath(str(path.value)) == os.path.realpath(own):
            return ""
        return (
            f"run {record.run_id} recorded {path.value}, in other artifacts; run the search here "
            "too, or let the projects share their artifacts (IRIS_HPO_ARTIFACTS)"
        )
    return ""
