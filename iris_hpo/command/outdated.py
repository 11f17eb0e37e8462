"""Note that what a command shows of the last selection is out of date."""

from iris_hpo.command.settings import present_settings
from iris_hpo.errors import InputError
from iris_hpo.orchestration.selection_status import is_selection_of, read_selectable
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
    recorded = study.recorded("selection")
    if recorded is None:
        return ""
    try:
        chosen = present_settings(study)
        if not are_sources_current(study, chosen.settings):
            return _OUTDATED
    except StoreReadError:
        raise
    except InputError as error:
        return f"it is not known whether this selection is out of date: {error}"
    try:
        status = read_selectable(study, study.upstream())
    except StoreReadError:
        raise
    except InputError:  # no score is left
        return _OUTDATED
    return "" if is_selection_of(study, recorded, chosen.selection, status) else _OUTDATED
