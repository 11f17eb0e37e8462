"""Opening a search on its instance for a command, and taking turns with other commands."""

import logging
import os
import re
import time
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

import dagster as dg
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from iris_hpo.command.project import find_search, load_definitions
from iris_hpo.errors import InputError
from iris_hpo.event_log.one_message import one_message
from iris_hpo.event_log.postgres_server import MANY_ATS, has_broken_url
from iris_hpo.files import MEBIBYTE, read_regular
from iris_hpo.orchestration.failures import with_advice
from iris_hpo.orchestration.home import check_name, check_settings_file
from iris_hpo.orchestration.record import last_event
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.study import Study
from iris_hpo.processes import stopped_note
from iris_hpo.projects import root_cause
from iris_hpo.spec import SearchSpec

_BATCH_SIZE: Final = "DAGSTER_EVENT_BATCH_SIZE"
_REASON_LENGTH: Final = 300
_PACKAGES: Final = ("/dagster/", "/dagster_shared/", "/iris_hpo/")
_READERS: Final = ("/dagster/_core/storage/", "/dagster_shared/serdes/", "/iris_hpo/event_log/")
_LOOK_SECONDS: Final = 2.0
"""Time between two looks at the command that is waited for: it may be stopped, or another one."""
_PROCESS: Final = re.compile(r"process (\d+)", re.ASCII)


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
def turn(study: Study, say: Callable[[str], None]) -> Generator[int | None]:
    """Wait until no other ``iris-hpo run`` of this search works on this instance.

    The pool of a search keeps single steps apart, so that the command, the UI and the sensors can
    be used together. Two commands may have different settings, and take turns as a whole.

    Yields
    ------
    int or None
        Last event before the wait; None if there was none to wait for.
    """
    name = study.spec.name or "search"
    file = Path(os.environ["DAGSTER_HOME"], f".{name}.lock")
    holder = file.with_name(f".{name}.holder")  # waiting empties the lock's own file
    lock = FileLock(file)
    announced, since = "", None
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_LOOK_SECONDS if announced else 0)
        except Timeout:
            since = last_event(study.instance) if since is None else since
            other = f"another iris-hpo run of this search{_holder(holder)}"
            if other != announced:
                say(f"waiting for {other}; Ctrl-C ends the wait")
            announced = other
        except OSError as error:
            raise InputError(f"{file} cannot be written: {error.strerror}") from error
    try:
        with suppress(OSError):  # only a waiting command reads it
            holder.unlink(missing_ok=True)  # it may be a named pipe, which nobody reads
            holder.write_text(f" (process {os.getpid()}, since {time.strftime('%H:%M:%S')})")
        yield since
    finally:
        lock.release()


def _holder(file: Path) -> str:
    """Name the process that holds the lock, for a message."""
    try:
        holder = read_regular(file, MEBIBYTE).decode(errors="replace")[:_REASON_LENGTH]
    except OSError:
        return ""
    process = _PROCESS.search(holder)
    return holder + (stopped_note(int(process[1])) if process else "")


@contextmanager
def _open_instance(home: str) -> Generator[dg.DagsterInstance]:
    """Open the instance; the first process makes its tables, and the others wait for that."""
    try:
        with FileLock(Path(home, ".opening.lock")):
            instance = dg.DagsterInstance.get()
    except Exception as error:
        # Dagster's errors, YAML's and the database's share no base class.
        reason = MANY_ATS if has_broken_url(home) else _reason(error)
        if isinstance(error, OSError) and error.filename:
            reason = f"{error.filename}: {error.strerror}; move it away, or make it accessible"
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
    if refusal is not None:
        cause = getattr(refusal, "orig", None) or refusal
    elif isinstance(cause, dg.DagsterInvalidConfigError):
        cause = Exception(cause.errors[0].message.partition(" Expected: ")[0])
    text = ": ".join([*getattr(cause, "__notes__", ()), str(cause)])
    return with_advice(" ".join(text.split())[:_REASON_LENGTH]) or type(cause).__name__


def _absolute(folder: str | None) -> str | None:
    if folder is None or "://" in folder:
        return folder
    return str(Path(folder).absolute())
