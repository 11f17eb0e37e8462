"""Interrupts: Ctrl-C, SIGTERM and a closed terminal stop the work, once and cleanly.

Dagster replaces the signal handlers while a run executes, and starts processes that a terminal's
Ctrl-C would reach too. So the command blocks SIGINT in all its threads, which its children
inherit, and one thread receives SIGINT and passes the interrupt on. Within the work of a run,
`as_interrupt` raises `Interrupt`, however the run was started.
"""

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Final

_TOGETHER_SECONDS: Final = 1.0
"""Signals within this time count as one: some programs send a signal to each process and to the
group."""
_LATER_SECONDS: Final = 0.01
_PATIENCE_SECONDS: Final = 5.0
_IGNORED: Final = "generator ignored GeneratorExit"
"""Time to stop after the first Ctrl-C; then a line explains how to end the process at once."""
_STOPS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

_state: dict[str, int] = {}
"""``first``: the number of the first signal; ``raised``, ``pending``: whether it was raised, or
waits for the end of a block; ``held``: how many blocks hold it back; ``kept``: whether the
command trains candidates, which are kept."""
_pipe: list[int] = []
"""The end of the pipe from which signal numbers are read; empty if `watch` was not called."""


class Interrupt(KeyboardInterrupt):
    """The work is to stop; an estimator never raises this error."""


def watch() -> None:
    """Let signals stop the command; call this in its main thread, at the start.

    A command that was started to ignore Ctrl-C, in the background of a script, goes on ignoring it.
    """
    if not hasattr(signal, "pthread_sigmask"):
        return
    ignores_ctrl_c = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    # Signals that a copy of this process gets, as those of a pool of processes, are its own.
    os.register_at_fork(after_in_child=partial(signal.set_wakeup_fd, -1))
    _pipe[:] = [reader]
    signal.signal(signal.SIGINT, _on_ctrl_c)
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
        signal.signal(signal.SIGHUP, _as_ctrl_c)
    signal.signal(signal.SIGURG, _nothing)  # wakes the main thread; it is ignored by default
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    sys.unraisablehook = _raise_later
    if not ignores_ctrl_c:
        threading.Thread(target=_pass_on, args=(threading.get_ident(),), daemon=True).start()


def received() -> int | None:
    """Number of the first signal that asked this process to stop; None without one."""
    while "first" not in _state and _pipe:
        try:
            number = os.read(_pipe[0], 1)
        except BlockingIOError:
            break
        if number and number[0] in _STOPS:
            _state["first"] = number[0]
    return _state.get("first")


def check() -> None:
    """Raise an interrupt that was received, in case an estimator has caught and dropped it.

    Raises
    ------
    Interrupt
        If the work is to stop.
    """
    if "first" in _state:
        _state["raised"] = 1
        raise Interrupt


def set_kept(*, kept: bool) -> None:
    """Set whether this command trains candidates, whose results are kept if it is stopped."""
    _state["kept"] = int(kept)


def last_line(ending: str) -> str:
    """Return the last line of a command that was stopped, such as ``iris-hpo: stopped``."""
    kept = "; finished candidates are kept, run it again to go on" if _state.get("kept") else ""
    return f"iris-hpo: {ending}{kept}"


def ignore_more() -> None:
    """Ignore further signals while this process ends, if `watch` was called."""
    if _pipe:
        for number in _STOPS:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def as_interrupt() -> Generator[None]:
    """Raise `Interrupt` for the first signal within the block, and ignore further ones.

    Has no effect in threads other than the main one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        _state.setdefault("first", number)
        if _state.get("held"):
            _state["pending"] = 1
        else:
            _raise_once()

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    _state.pop("raised", None)
    if not _pipe:  # a process that goes on after an interrupted run
        _state.pop("first", None)
    try:
        for number in before:
            signal.signal(number, stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Generator[None]:
    """Hold an interrupt back until the end of the block: a transaction, the start of a process.

    Has no effect in threads other than the main one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _state["held"] = _state.get("held", 0) + 1
    try:
        yield
    finally:
        _state["held"] -= 1
    if not _state["held"] and _state.pop("pending", None):
        _raise_once()


def _raise_once() -> None:
    """Raise `Interrupt` once; clean-up, such as ending workers, is not interrupted again."""
    if "raised" not in _state:
        _state["raised"] = 1
        raise Interrupt


@contextmanager
def out_of_reach() -> Generator[None]:
    """Keep a terminal's Ctrl-C, and its end, from processes that are started in the block.

    The process that started them ends them.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _raise_later(dropped: "sys.UnraisableHookArgs") -> None:
    """Repeat an interrupt that was raised where Python drops errors: while an object is removed.

    A generator of Dagster's that goes on when it is closed has met an error that is reported.
    """
    if isinstance(dropped.exc_value, RuntimeError) and _IGNORED in str(dropped.exc_value):
        return
    if not issubclass(dropped.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(dropped)
        return
    _state.pop("raised", None)
    with suppress(RuntimeError):  # the process ends
        # A thread of `threading` would take a lock, which the interrupted code may hold.
        _thread.start_new_thread(_repeat, (threading.get_ident(),))


def _repeat(main: int) -> None:
    time.sleep(_LATER_SECONDS)
    _interrupt(main)


def _interrupt(main: int) -> None:
    _thread.interrupt_main(signal.SIGINT)
    signal.pthread_kill(main, signal.SIGURG)  # ends a call that waits or sleeps


def _pass_on(main: int) -> None:
    """Receive Ctrl-C: the first one stops the work, a later one ends the process."""
    signal.sigwait({signal.SIGINT})
    first = time.monotonic()
    _interrupt(main)
    timer = threading.Timer(_PATIENCE_SECONDS, _say_how_to_end)
    timer.daemon = True
    timer.start()
    while True:
        signal.sigwait({signal.SIGINT})
        if time.monotonic() - first > _TOGETHER_SECONDS:
            _end_now()


def _say_how_to_end() -> None:
    _write("iris-hpo: stopping after the present step; Ctrl-C again ends it at once\n")


def _end_now() -> None:
    """End without clean-up: workers end with this process, and the next run removes its files."""
    show_cursor = "\x1b[?25h" if sys.stdout.isatty() else ""
    _write(f"{show_cursor}{last_line('ended')}\n")
    os._exit(128 + signal.SIGINT)


def _write(text: str) -> None:
    os.write(2, text.encode())  # the interrupted thread may hold the lock of the file object


def _on_ctrl_c(number: int, _frame: FrameType | None) -> None:
    """Stop the command, as Python does, but not within a block that is `held`."""
    _state.setdefault("first", number)
    if _state.get("held"):
        _state["pending"] = 1
    else:
        raise KeyboardInterrupt


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    _state.setdefault("first", number)  # gives the exit code if another handler is installed
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(signal.SIGINT, frame)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    pass
