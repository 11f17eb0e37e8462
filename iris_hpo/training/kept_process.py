"""The process as it was before a call of others' code, whose changes to it end with the call.

They would fail later candidates, or change their results. What a library keeps for itself is not
put back, except the settings of numpy, pandas and scikit-learn; nor what is changed in a module,
except in those that nearly everything uses.
"""

import builtins
import decimal
import gc
import hashlib
import io
import json
import locale
import logging
import math
import os
import pickle
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
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
_SHARED: Final = (
    *(hashlib, io, json, math, np, os, os.path, pickle, random, select, signal, socket),
    *(subprocess, tempfile, threading, time, warnings),
)
"""Modules in which a call may have replaced something, such as ``np.mean``."""
_BUILTINS: Final = builtins.__dict__


@contextmanager
def kept_process() -> Generator[None]:
    """Undo what the block does to this process: its modules, limits, output and settings.

    Modules that the block imports stay, and so does what it adds to the ways to find modules,
    which they may need; but it is searched last. Threads that it leaves are noted.
    """
    with noted():
        builtin_names = _BUILTINS.copy()
        before = [read() for read, _ in _STATE]
        try:
            yield
        finally:
            _BUILTINS.update(builtin_names)  # what follows calls them
            _put_back(0, before)


def _put_back(first: int, before: Sequence[Any]) -> None:
    """Put all back from the first on, even if something cannot be."""
    at = first
    try:
        for at in range(first, len(_STATE)):
            _STATE[at][1](before[at])
    except BaseException:
        _put_back(at + 1, before)
        raise


def _modules() -> dict[str, Any]:
    return sys.modules.copy()


def _restore_modules(before: Mapping[str, ModuleType | None]) -> None:
    """Put back modules that were removed or replaced, and permit those that were banned."""
    now: dict[str, Any] = sys.modules
    if [*now.values()][: len(before)] != [*before.values()]:  # quicker than to put all back
        now.update(before)
    if len(now) > len(before):
        for name in [name for name, module in now.items() if module is None and name not in before]:
            del now[name]


def _names() -> list[dict[str, object]]:
    """What each of the shared modules has."""
    return [vars(module).copy() for module in _SHARED]


def _restore_names(before: Sequence[Mapping[str, object]]) -> None:
    """Put back what was replaced or removed; what was added stays."""
    for module, kept in zip(_SHARED, before, strict=True):
        now = vars(module)
        if not _is_same([*kept.values()], [*now.values()][: len(kept)]):
            now.update(kept)


def _is_same(before: object, now: object) -> bool:
    """Whether lists are equal; it takes a tenth of the time of looking at each object."""
    try:
        return before == now
    except Exception:  # noqa: BLE001 - by an object of others, such as an array
        return False


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _streams_and_hooks() -> dict[str, Any]:
    names = ("stdout", "stderr", "excepthook", "unraisablehook")  # no thread starts without a hook
    return {name: getattr(sys, name, None) for name in names}


def _restore_streams_and_hooks(before: Mapping[str, Any]) -> None:
    for name, stream in before.items():
        if not isinstance(getattr(sys, name, None), BoundedStream):  # of a call in another thread
            setattr(sys, name, stream)


def _restore_if_changed(
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


def _restore_handlers(before: Sequence[logging.Handler]) -> None:
    logging.root.handlers[:] = before


def _pandas() -> dict[str, Any]:
    """The options, in groups; none while pandas is not imported."""
    pandas: Any = sys.modules.get("pandas")
    return {} if pandas is None else _copied(pandas.options.d)


def _copied(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copied(value) if type(value) is dict else value for name, value in group.items()}


def _restore_group(prefix: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Set what was changed in the way that pandas does, as it heeds some options only then."""
    pandas: Any = sys.modules["pandas"]
    for name, value in before.items():
        if type(value) is dict:
            _restore_group(f"{prefix}{name}.", value, now[name])
        elif value != now[name]:
            pandas.set_option(f"{prefix}{name}", value)


def _scikit_learn() -> dict[str, Any]:
    from sklearn import get_config

    return get_config()


def _restore_scikit_learn(before: Mapping[str, Any]) -> None:
    from sklearn import set_config

    set_config(**before)


_SETTINGS: Final[Sequence[tuple[Callable[[], Any], Callable[[Any], object]]]] = (
    *([(os.geteuid, os.seteuid)] if hasattr(os, "geteuid") else ()),
    *([(_limits, _raise_limits)] if _limit_kinds() else ()),
    (_signals, _restore_signals),
    (_folder, _restore_folder),
    (_environment, _restore_environment),
    (_finders, _restore_finders),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (gc.isenabled, lambda was_on: gc.enable() if was_on else gc.disable()),
    (socket.getdefaulttimeout, socket.setdefaulttimeout),
    (sys.gettrace, sys.settrace),
    (sys.getprofile, sys.setprofile),
    (threading.gettrace, threading.settrace),
    (threading.getprofile, threading.setprofile),
    (lambda: logging.root.manager.disable, logging.disable),
    (lambda: logging.root.level, logging.root.setLevel),
    (lambda: [*logging.root.handlers], _restore_handlers),
    (partial(locale.setlocale, locale.LC_ALL), partial(locale.setlocale, locale.LC_ALL)),
    (np.geterr, lambda before: np.seterr(**before)),
    (np.get_printoptions, lambda before: np.set_printoptions(**before)),
    (_scikit_learn, _restore_scikit_learn),
    (_pandas, lambda before: _restore_group("", before, _pandas())),
)
"""How each setting is read, and put back if it was changed."""

_STATE: Final[Sequence[tuple[Callable[[], Any], Callable[[Any], object]]]] = (
    (_modules, _restore_modules),  # comes first: the others may need them
    (_names, _restore_names),
    *((read, partial(_restore_if_changed, read, restore)) for read, restore in _SETTINGS),
    (lambda: decimal.getcontext().copy(), decimal.setcontext),
    (_streams_and_hooks, _restore_streams_and_hooks),
    (_umask, os.umask),
)
"""How all that is kept is read, and put back."""
