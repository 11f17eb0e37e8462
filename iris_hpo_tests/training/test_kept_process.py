"""What a call of others' code changes in its process: the next candidate finds it as before."""

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
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import sklearn

from iris_hpo.training.kept_process import kept_process

MODULES: Any = sys.modules
BUILTINS = vars(builtins)


def switch_collection() -> None:
    (gc.disable if gc.isenabled() else gc.enable)()


def switch_locale() -> None:
    locale.setlocale(locale.LC_ALL, "C" if "UTF" in locale.setlocale(locale.LC_ALL) else "C.UTF-8")


def option_of_pandas(name: str, *values: object) -> object:
    import pandas as pd

    for value in values:
        pd.set_option(name, value)
    return pd.get_option(name)


def watch(*_: object) -> None:
    pass


CHANGES: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "recursion": (sys.getrecursionlimit, lambda: sys.setrecursionlimit(3000)),
    "path": (lambda: [*sys.path], sys.path.clear),
    "no path": (lambda: sys.path, lambda: setattr(sys, "path", None)),
    "finders": (lambda: [*sys.meta_path], sys.meta_path.clear),
    "hooks": (lambda: [*sys.path_hooks], sys.path_hooks.clear),
    "variables": (lambda: dict(os.environ), os.environ.clear),
    "variable": (
        lambda: subprocess.getoutput("echo $ADDED"),
        lambda: os.environ.update(ADDED="1"),
    ),
    "folder": (Path.cwd, lambda: os.chdir("/")),
    "handler": (
        lambda: signal.getsignal(signal.SIGINT),
        lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    ),
    "blocked": (
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM}),
    ),
    "alarm": (lambda: signal.getitimer(signal.ITIMER_REAL)[0], lambda: signal.alarm(1000)),
    "locale": (lambda: locale.setlocale(locale.LC_ALL), switch_locale),
    "decimal": (
        lambda: decimal.getcontext().prec,
        lambda: setattr(decimal.getcontext(), "prec", 1),
    ),
    "errors": (np.geterr, lambda: np.seterr(all="raise")),
    "arrays": (np.get_printoptions, lambda: np.set_printoptions(precision=1)),
    "frames": (sklearn.get_config, lambda: sklearn.set_config(transform_output="pandas")),
    "log": (lambda: logging.root.manager.disable, lambda: logging.disable(logging.ERROR)),
    "level": (lambda: logging.root.level, lambda: logging.root.setLevel(7)),
    "handlers": (
        lambda: [*logging.root.handlers],
        lambda: logging.root.addHandler(logging.NullHandler()),
    ),
    "trace": (sys.gettrace, lambda: sys.settrace(watch)),
    "profile": (sys.getprofile, lambda: sys.setprofile(watch)),
    "trace of threads": (threading.gettrace, lambda: threading.settrace(watch)),
    "profile of threads": (threading.getprofile, lambda: threading.setprofile(watch)),
    "rows shown": (
        lambda: option_of_pandas("display.max_rows"),
        lambda: option_of_pandas("display.max_rows", 7),
    ),
    "writer of Excel": (
        lambda: option_of_pandas("io.excel.xlsx.writer"),
        lambda: option_of_pandas("io.excel.xlsx.writer", "openpyxl"),
    ),
    "name in json": (lambda: json.dumps, lambda: setattr(json, "dumps", watch)),
    "name in math": (lambda: math.isfinite, lambda: setattr(math, "isfinite", watch)),
    "name in os": (lambda: os.write, lambda: setattr(os, "write", watch)),
    "name in hashlib": (lambda: hashlib.sha256, lambda: setattr(hashlib, "sha256", watch)),
    "temporary folder": (lambda: tempfile.tempdir, lambda: setattr(tempfile, "tempdir", "gone")),
    "name in warnings": (
        lambda: warnings.catch_warnings,
        lambda: setattr(warnings, "catch_warnings", watch),
    ),
    "name in threading": (lambda: threading.Lock, lambda: setattr(threading, "Lock", watch)),
    "function of Python": (lambda: BUILTINS["range"], lambda: BUILTINS.update(range=None)),
    "no function of Python": (lambda: "list" in BUILTINS, lambda: BUILTINS.pop("list")),
    "array for a name": (lambda: id(np.mean), lambda: setattr(np, "mean", np.zeros(2))),
    "name removed": (lambda: hasattr(np, "mean"), lambda: delattr(np, "mean")),
    "collection": (gc.isenabled, switch_collection),
    "sockets": (socket.getdefaulttimeout, lambda: socket.setdefaulttimeout(1e-9)),
    "output": (lambda: sys.stdout, lambda: setattr(sys, "stdout", io.StringIO())),
    "hook": (lambda: sys.excepthook, lambda: setattr(sys, "excepthook", None)),
    "module": (lambda: MODULES.get("json"), lambda: MODULES.pop("json")),
    "modules": (lambda: {**MODULES}, MODULES.clear),
    "another": (lambda: MODULES["json"], lambda: MODULES.update(json=ModuleType("json"))),
    "banned": (lambda: MODULES.get("banned", 0), lambda: MODULES.update(banned=None)),
}


if os.geteuid() == 0:
    CHANGES["user"] = (os.geteuid, lambda: os.seteuid(65534))


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_ends_with_the_call(what: str) -> None:
    read, change = CHANGES[what]
    before = read()
    with kept_process():
        change()
        changed = read()
    assert changed != before
    assert read() == before


def test_modules_that_a_call_imports_stay_and_find_what_they_need(tmp_path: Path) -> None:
    before, vendored = [*sys.path], str(tmp_path)
    (tmp_path / "json.py").touch()
    (tmp_path / "of_a_call.py").touch()
    try:
        with kept_process():
            sys.path.insert(0, vendored)
            import of_a_call  # type: ignore[import-not-found]

        assert sys.modules.pop("of_a_call") is of_a_call
        assert sys.path == [*before, vendored]  # so that its json is not ours
    finally:
        sys.path[:] = before


def test_the_folder_of_a_call_may_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with kept_process():
        os.chdir("/")
        tmp_path.rmdir()
    assert Path.cwd() == Path("/")
