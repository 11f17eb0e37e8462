"""Note that what a command shows of the last selection is out of date."""

from iris_hpo.command.settings import present_settings
from iris_hpo.errors import InputError
from iris_hpo.orchestration.selection_status import selection_state
from iris_hpo.orchestration.source_status import are_sources_current
from iris_hpo.orchestration.study import Study
from iris_hpo.store.digests import StoreReadError

_OUTDATED = "this selection is out of date: see iris-hpo status"


def outdated_note(study: Study) -> str:
    """Note that the last selection is not of the present files, description, code and results.

    Empty if it is, or there is none. Its own files are not looked at.

    Raises
    ------
    StoreReadError
        If what is stored cannot be read now.
    """
    if study.recorded("selection") is None:
        return ""
    try:
        chosen = present_settings(study)
        is_current = are_sources_current(study, chosen.settings)
    except StoreReadError:
        raise
    except InputError as error:
        return f"it is not known whether this selection is out of date: {error}"
    if is_current:
        state = selection_state(study, chosen.selection, verify_files=False)
        is_current = state == "up to date"
    return "" if is_current else _OUTDATED
