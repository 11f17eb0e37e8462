"""Requests of a selection because the search now chooses otherwise, such as after an upgrade."""

import dagster as dg

from iris_hpo.orchestration.last_run import CHANGED
from iris_hpo.orchestration.names import CODE_VERSIONS
from iris_hpo.orchestration.run_requests import runs_at_work
from iris_hpo.orchestration.selection_status import choosing_identity
from iris_hpo.orchestration.study import Study
from iris_hpo.run_settings import ALL, SelectionSettings
from iris_hpo.spec_choosing import selection_settings
from iris_hpo.store.cards import fingerprint


def select_again(study: Study, before: str | None) -> tuple[list[dg.RunRequest], str | None]:
    """Request a selection if the search now chooses otherwise, such as after an upgrade.

    A selection whose settings a run has changed stands.

    Parameters
    ----------
    before
        Part of the cursor: how the search chose before; None if an earlier version wrote it.

    Returns
    -------
    tuple
        The requests, and the new part of the cursor.
    """
    spec = study.spec
    own = selection_settings(spec, spec.division().n_folds)
    identity = choosing_identity(own, spec.space, spec.reports)
    now = fingerprint(**identity, code=CODE_VERSIONS["selection"])
    if before == now:
        return [], now
    recorded = study.recorded("selection")
    if recorded is None:
        return [], before
    if any(CHANGED in study.metadata(name) for name in ("split", "selection")):
        return [], now
    if before is None and _was_chosen_by(study, own):
        return [], now
    if runs_at_work(study):
        return [], before
    request = dg.RunRequest(
        run_key=f"{now}-{recorded.pointer}-select", job_name=study.names.plain("select")
    )
    return [request], now


def _was_chosen_by(study: Study, settings: SelectionSettings) -> bool:
    """Whether the last selection followed the rule and the refit of these settings."""
    metadata = study.metadata("selection")
    rule, refit = (metadata[name].value if name in metadata else None for name in ("rule", "refit"))
    return rule == settings.rule and (refit == ALL) == settings.refits
