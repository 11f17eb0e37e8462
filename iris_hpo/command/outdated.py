"""Note that what a command shows of a selection is out of date."""

from contextlib import suppress

from iris_hpo.command.settings import present_settings
from iris_hpo.data.sources import file_digest
from iris_hpo.errors import InputError
from iris_hpo.orchestration.selection_status import selection_state
from iris_hpo.orchestration.source_status import are_sources_current
from iris_hpo.orchestration.study import Study
from iris_hpo.store.digests import StoreReadError

_OUTDATED = "this selection is out of date: see iris-hpo status"


_CHANGED = (
    "the data changed while this run worked, and its results follow from the rows of before: run "
    "the search again"
)


def changed_data_note(study: Study) -> str:
    """Note that the data file is another one than the study has read; empty if it is not."""
    if not study.spec.has_table or study.spec.data_asset:
        return ""
    with suppress(InputError):
        return "" if file_digest(study.data_file) == study.data_digest else _CHANGED
    return _CHANGED  # it cannot be read any more


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
