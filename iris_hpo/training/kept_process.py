"""The process as it was before a call of others' code, whose changes to it end with the call.

They would fail later candidates, or change their results. What a library keeps for itself is not
put back, except the settings of numpy and scikit-learn.
"""

import decimal
import gc
import locale
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, partial
from types import ModuleType
from typing import Any, Final

import numpy as np

from iris_hpo.left_behind import noted
from iris_hpo.training.bounded_prints import BoundedStream

_SIGNALS: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGCHLD", "SIGPIPE", "SIGALRM")
    if hasattr(signal, name)
)
_FINDERS: Final = ("path", "meta_path", "path_hooks")
"""Lists in `sys` by which modules are found."""


@contextmanager
def kept_process() -> Generator[None]:
    """Undo what the block does to this process: its modules, limits, output and settings.

    Modules that the block imports stay, and so does what it adds to the ways to find modules,
    which they may need; but it is searched last. Threads that it leaves are noted.
    """
    with noted(), ExitStack() as undone:
        umask = os.umask(0o077)
        os.umask(umask)
        undone.callback(os.umask, umask)
        for name in ("stdout", "stderr"):
            undone.callback(_restore_stream, name, getattr(sys, name, None))
        undone.callback(decimal.setcontext, decimal.getcontext().copy())
        for read, restore in _SETTINGS:
            undone.callback(_restore_setting, read, restore, read())
        undone.callback(_restore_modules, [*sys.modules], [*sys.modules.values()])  # comes first
        yield


def _restore_modules(names: Sequence[str], modules: Sequence[ModuleType | None]) -> None:
    """Put back modules that were removed or replaced, and permit those that were banned."""
    now: dict[str, Any] = sys.modules
    if [*now.values()][: len(names)] != modules:  # quicker than to put all back
        now.update(zip(names, modules, strict=True))
    if len(now) > len(names):
        for name in [name for name, module in now.items() if module is None and name not in names]:
            del now[name]


def _restore_stream(name: str, stream: Any) -> None:
    if not isinstance(getattr(sys, name, None), BoundedStream):  # of a call in another thread
        setattr(sys, name, stream)


def _restore_setting(
    read: Callable[[], Any], restore: Callable[[Any], object], before: object
) -> None:
    if read() != before:
        restore(before)


@cache
def _limit_kinds() -> tuple[int, ...]:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return ()
    return tuple(getattr(resource, name) for name in dir(resource) if "RLIMIT_" in name)


def _limits() -> dict[int, tuple[int, int]]:
    import resource

    return {kind: resource.getrlimit(kind) for kind in _limit_kinds()}


def _raise_limits(before: Mapping[int, tuple[int, int]]) -> None:
    """Raise limits that were lowered, as far as that is allowed."""
    import resource

    unlimited = resource.RLIM_INFINITY
    for kind, (soft, _) in before.items():
        now, most = resource.getrlimit(kind)
        if now != unlimited and (soft == unlimited or now < soft):
            is_free = most == unlimited or most >= soft != unlimited
            resource.setrlimit(kind, (soft if is_free else most, most))


def _finders() -> list[tuple[list[object], list[object]]]:
    """The lists themselves, and what is in them."""
    finders = [getattr(sys, name, None) or [] for name in _FINDERS]
    return [(each, [*each]) for each in finders]


def _restore_finders(before: Sequence[tuple[list[object], list[object]]]) -> None:
    for name, (finders, kept), (_, now) in zip(_FINDERS, before, _finders(), strict=True):
        finders[:] = [*kept, *(added for added in now if added not in kept)]
        setattr(sys, name, finders)


def _environment() -> dict[Any, Any]:
    # Without decoding all texts, which takes longer than all the other settings.
    return dict(vars(os.environ)["_data"])


def _restore_environment(before: Mapping[Any, Any]) -> None:
    kept = vars(os.environ)["_data"]
    for name in {*kept, *before}:
        if name not in before:
            os.unsetenv(name)
            del kept[name]
        elif kept.get(name) != before[name]:
            os.putenv(name, before[name])
            kept[name] = before[name]


def _folder() -> str | None:
    with suppress(OSError):  # it was removed
        return os.getcwd()  # noqa: PTH109 - quicker
    return None


def _restore_folder(before: str | None) -> None:
    with suppress(OSError):
        if before is not None:
            os.chdir(before)


def _signals() -> tuple[Mapping[int, Any], Any, bool]:
    """The handlers, the signals that are blocked, and whether an alarm is set."""
    if threading.current_thread() is not threading.main_thread():
        return {}, (), False
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    if not hasattr(signal, "pthread_sigmask"):
        return handlers, (), False
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    return handlers, blocked, signal.getitimer(signal.ITIMER_REAL)[0] > 0


def _restore_signals(before: tuple[Mapping[int, Any], Any, bool]) -> None:
    handlers, blocked, has_alarm = before
    if hasattr(signal, "pthread_sigmask"):
        if not has_alarm:
            signal.setitimer(signal.ITIMER_REAL, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    for number, handler in handlers.items():
        if handler is not None:  # None is one that Python cannot set
            signal.signal(number, handler)


def _scikit_learn() -> dict[str, Any]:
    from sklearn import get_config

    return get_config()


def _restore_scikit_learn(before: Mapping[str, Any]) -> None:
    from sklearn import set_config

    set_config(**before)


_SETTINGS: Final[Sequence[tuple[Callable[[], Any], Callable[[Any], object]]]] = (
    *([(_limits, _raise_limits)] if _limit_kinds() else ()),
    (_signals, _restore_signals),
    (_folder, _restore_folder),
    (_environment, _restore_environment),
    (_finders, _restore_finders),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (gc.isenabled, lambda was_on: gc.enable() if was_on else gc.disable()),
    (socket.getdefaulttimeout, socket.setdefaulttimeout),
    (lambda: logging.root.manager.disable, logging.disable),
    (partial(locale.setlocale, locale.LC_ALL), partial(locale.setlocale, locale.LC_ALL)),
    (np.geterr, lambda before: np.seterr(**before)),
    (np.get_printoptions, lambda before: np.set_printoptions(**before)),
    (_scikit_learn, _restore_scikit_learn),
)
"""How each setting is read, and put back if it was changed."""
