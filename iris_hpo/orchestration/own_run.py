"""A run of this process: its signs of life, and whether it may work on.

A run that was given up may wake up again, with its machine. It ends before its next result, or the
next file that it would replace. What its workers write until then is whole and was computed from
the same inputs; a file that another run has recorded with other bytes is refused when it is read,
and made again.
"""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from iris_hpo.errors import InputError, WholeRunError
from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.signs import own_sign, write_sign
from iris_hpo.orchestration.turns import release_dead_runs

BEAT_SECONDS = 5.0
_LAST_BEAT_SECONDS: Final = 5.0
_UNSEEN_SECONDS = 10.0
"""Time without a look at the own run after which it may have been given up: this process, or its
machine, has slept."""

_NO_SIGN: Final = (SQLAlchemyError, InputError, NotImplementedError, OSError)
"""Errors after which a sign of life is left out: the database is away, or cannot store it, or the
machine lacks something for now, such as open files."""


class GivenUpError(WholeRunError):
    """The run was ended from outside; another may be working in its place."""


@dataclass
class _OwnRun:
    """A run that this process works on.

    Attributes
    ----------
    seen
        Time of the last look that showed it at work, in seconds since the epoch.
    is_over
        Whether it was ended from outside.
    """

    run_id: str
    instance: dg.DagsterInstance
    seen: float = field(default_factory=time.time)
    is_over: bool = False

    def look(self) -> None:
        """Look whether it was ended from outside."""
        run = self.instance.get_run_by_id(self.run_id)
        if run is None or run.is_finished:
            self.is_over = True
        else:
            self.seen = time.time()


_own: dict[str, _OwnRun] = {}


def check_turn(run_id: str) -> None:
    """Refuse to work on for a run that was ended from outside.

    Raises
    ------
    GivenUpError
        If the run was ended from outside.
    """
    own = _own.get(run_id)
    if own is None:
        return
    if not own.is_over and abs(time.time() - own.seen) > _UNSEEN_SECONDS:
        with suppress(*_NO_SIGN):
            own.look()
    if own.is_over:
        raise GivenUpError(
            "this run was ended from outside while it worked: it was cancelled, or showed no sign "
            "of life and was given up; what it finished before is kept"
        )


@contextmanager
def in_turn(run_id: str) -> Generator[None]:
    """Turn errors as `user_errors` does, and let a run record nothing that was ended from outside.

    Raises
    ------
    Failure
        At the end of the block, if the run was ended from outside.
    """
    with user_errors():
        yield
        check_turn(run_id)


@contextmanager
def at_work(instance: dg.DagsterInstance, run_id: str) -> Generator[None]:
    """Show signs of life for a run, and release dead runs while it waits or works."""
    if instance.is_ephemeral:  # in the memory of this process: no other process can wait
        yield
        return
    ended = threading.Event()
    own = _own.setdefault(run_id, _OwnRun(run_id, instance))
    thread = threading.Thread(target=_beat, args=(own, ended), daemon=True)
    with suppress(*_NO_SIGN):
        write_sign(instance, run_id, own_sign(1))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_LAST_BEAT_SECONDS)  # it may be writing
        _own.pop(run_id, None)
        with suppress(*_NO_SIGN):
            write_sign(instance, run_id, own_sign(0))


def _beat(own: _OwnRun, ended: threading.Event) -> None:
    beat = 1
    while not ended.wait(BEAT_SECONDS):
        beat += 1
        with suppress(*_NO_SIGN):
            own.look()
            if own.is_over:
                return
            write_sign(own.instance, own.run_id, own_sign(beat))
            release_dead_runs(own.instance)
