"""Opening a search on its instance for a command."""

import errno
import logging
import os
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import dagster as dg
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError

from iris_hpo.command.project import find_search, load_definitions
from iris_hpo.database_messages import with_advice
from iris_hpo.errors import InputError
from iris_hpo.event_log.new_databases import open_instance
from iris_hpo.event_log.one_message import one_message
from iris_hpo.event_log.postgres_server import MANY_ATS, has_broken_url, opening
from iris_hpo.orchestration.home import check_name, check_settings_file
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.study import Study
from iris_hpo.projects import root_cause
from iris_hpo.spec import SearchSpec

_BATCH_SIZE: Final = "DAGSTER_EVENT_BATCH_SIZE"
_REASON_LENGTH: Final = 300
_PACKAGES: Final = ("/dagster/", "/dagster_shared/", "/iris_hpo/")
_READERS: Final = ("/dagster/_core/storage/", "/dagster_shared/serdes/", "/iris_hpo/event_log/")


@contextmanager
def open_study(search: str | None, data: str | None, artifacts: str | None) -> Generator[Study]:
    """Open a search on the instance of DAGSTER_HOME, by default ``.dagster`` of the project."""
    spec = find_search(search, Path.cwd())
    with open_studies([spec], data, artifacts) as (study,):
        yield study


@contextmanager
def open_studies(
    specs: Sequence[SearchSpec], data: str | None, artifacts: str | None
) -> Generator[Sequence[Study]]:
    """Open searches of one project, at least one, on the instance."""
    home = os.environ.setdefault("DAGSTER_HOME", str(specs[0].home / ".dagster"))
    # Dagster then stores the plan of a run, an event per candidate, in batches.
    size = os.environ.setdefault(_BATCH_SIZE, "500")
    if not (size.isascii() and size.isdigit()):
        raise InputError(f"{_BATCH_SIZE} {size!r} must be a number of events")
    if not Path(home).is_absolute():
        raise InputError(f"DAGSTER_HOME {home!r} must be an absolute path")
    check_name(home)
    check_settings_file(home)
    storage = Storage(data=_absolute(data), artifacts=_absolute(artifacts))
    for spec in specs:
        storage.store(spec).check_root()
    try:
        Path(home).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"DAGSTER_HOME {home} cannot be made: {error.strerror}") from error
    with (
        one_message(home),
        _no_retries_logged(),
        _open_instance(home) as instance,
        _instance_errors(home),
    ):
        studies = [Study(spec, instance, storage) for spec in specs]
        for study in studies:
            study.data_asset.project = partial(load_definitions, Path.cwd())
        yield studies


@contextmanager
def _open_instance(home: str) -> Generator[dg.DagsterInstance]:
    """Open the instance; what is wrong with it is one message."""
    try:
        with opening():
            instance = open_instance(Path(home))
    except Exception as error:
        # Dagster's errors, YAML's and the database's share no base class.
        reason = MANY_ATS if has_broken_url(home) else _reason(error)
        if isinstance(error, OSError) and error.filename:
            advice = "move it away"
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                advice = "make it writable, as every command writes there"
            reason = f"{error.filename}: {error.strerror}; {advice}"
        raise InputError(
            f"the Dagster instance of DAGSTER_HOME {home} cannot be opened: {reason}"
        ) from error
    with instance:
        yield instance


@contextmanager
def _instance_errors(home: str) -> Generator[None]:
    """Turn what the database refuses into one message, such as a full disk."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        refusal = _refusal(error)
        if refusal is None and _is_unreadable(error):
            raise InputError(
                f"what the Dagster instance of DAGSTER_HOME {home} has stored cannot be read: "
                f"{_reason(error)}; it is damaged, or from another version of Dagster: restore a "
                "copy, or set DAGSTER_HOME to a new folder, where everything is trained again"
            ) from error
        if refusal is None:
            raise
        raise InputError(
            f"the Dagster instance of DAGSTER_HOME {home} cannot be used: {_reason(refusal)}; "
            "correct that, then run the search again: finished candidates are kept"
        ) from error


@contextmanager
def _no_retries_logged() -> Generator[None]:
    """Leave out what Dagster logs, with its SQL, at each attempt to connect."""
    root = logging.getLogger()
    root.addFilter(_is_no_retry)
    try:
        yield
    finally:
        root.removeFilter(_is_no_retry)


def _is_no_retry(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Retrying failed database connection")


def _refusal(error: BaseException | None) -> SQLAlchemyError | None:
    """Find the database's error that caused an error; None if there is none."""
    while error is not None and not isinstance(error, SQLAlchemyError):
        error = error.__cause__
    return error


def _is_unreadable(error: BaseException) -> bool:
    """Whether Dagster's code that reads stored records has failed, not code that it calls."""
    files = [
        Path(frame.f_code.co_filename).as_posix()
        for frame, _ in traceback.walk_tb(root_cause(error).__traceback__)
    ]
    known = [file for file in files if any(part in file for part in _PACKAGES)]
    return bool(known) and any(part in known[-1] for part in _READERS)


def _reason(error: Exception) -> str:
    """Give the reason in one line: without SQL, and without the list of what Dagster accepts."""
    cause = root_cause(error)
    refusal = _refusal(error)
    if isinstance(refusal, NoSuchTableError):
        cause = Exception(f"no such table: {refusal}")  # as SQLite says it, in place of the name
    elif refusal is not None:
        cause = getattr(refusal, "orig", None) or refusal
    elif isinstance(cause, dg.DagsterInvalidConfigError):
        cause = Exception(cause.errors[0].message.partition(" Expected: ")[0])
    text = ": ".join([*getattr(cause, "__notes__", ()), str(cause)])
    return with_advice(" ".join(text.split())[:_REASON_LENGTH]) or type(cause).__name__


def _absolute(folder: str | None) -> str | None:
    if folder is None or "://" in folder:
        return folder
    return str(Path(folder).absolute())
