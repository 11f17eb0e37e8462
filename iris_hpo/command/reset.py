"""``iris-hpo reset``."""

import click

from iris_hpo.command.output import complain, show, show_json
from iris_hpo.command.session import open_study
from iris_hpo.command.turns import turn
from iris_hpo.errors import InputError
from iris_hpo.interrupts import received
from iris_hpo.orchestration.claims import check_claim
from iris_hpo.orchestration.proposals import delete_proposals, registered_proposals
from iris_hpo.orchestration.working_runs import runs_at_work
from iris_hpo.text import counted


def reset_search(
    *, search: str | None, data: str | None, artifacts: str | None, is_sure: bool, as_json: bool
) -> int:
    """Delete the candidates that samplers proposed; return the exit code."""
    with open_study(search, data, artifacts) as study, turn(study, complain):
        check_claim(study)
        number = len(registered_proposals(study))
        proposed = f"{counted(number, 'candidate')} that samplers proposed"
        if at_work := runs_at_work(study):
            raise InputError(
                f"run {at_work[0][:8]} works on this search; wait until it ends, or terminate it"
            )
        question = f"Delete {proposed}? Candidates of files stay, and so do stored results."
        is_sure = is_sure or not number or _confirms(question)
        deleted = delete_proposals(study) if is_sure else []
    if as_json:
        show_json({"deleted": deleted})
    else:
        show(f"deleted {proposed}" if is_sure else "nothing was deleted")
    return 0


def _confirms(question: str) -> bool:
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        if received() is not None:  # Ctrl-C
            raise
        complain("")
        raise InputError(
            "nobody answered, so nothing was deleted; reset --yes deletes without a question"
        ) from None
