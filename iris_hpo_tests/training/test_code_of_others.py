"""What the code of others does to the process: it does not remain, and nobody else pays for it."""

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from iris_hpo.data.split import Examples
from iris_hpo.parts import Part
from iris_hpo.training.called_objective import CalledObjective
from iris_hpo.training.code_of_others import own_failure
from iris_hpo.training.evaluation import train

NOTHING = Examples(np.empty((0, 0)), np.empty(0), np.empty((0, 0)), np.empty(0), ())

copies: list[int] = []


def fork(x: float) -> float:
    process = os.fork()
    if process:
        copies.append(process)
    elif x:
        raise RuntimeError("a failure of the copy")
    return 2.0 if process else 3.0


def open_few(x: float) -> float:  # noqa: ARG001 - called as the other
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, most))
    return 1.0


def close_stdout(x: float) -> float:  # noqa: ARG001
    del sys.stdout
    return 1.0


def call(function: Callable[[float], float], home: Path, x: float = 0.0) -> object:
    part = Part("function", {"function": f"{__name__}:{function.__name__}"})
    return train(CalledObjective(part, home), {"x": x}, NOTHING).model


def end_of_copy(process: int) -> int:
    """The exit code of a copy; one that comes here ends with another."""
    if os.getpid() != process:
        os._exit(9)
    return os.waitstatus_to_exitcode(os.waitpid(copies.pop(), 0)[1])


@pytest.mark.parametrize(("x", "code"), [(0.0, 0), (1.0, 1)])
def test_a_copy_of_the_process_ends_with_the_call(tmp_path: Path, x: float, code: int) -> None:
    process = os.getpid()
    try:
        model = call(fork, tmp_path, x)
    finally:
        ended = end_of_copy(process)
    assert ended == code
    assert model == 2.0


def test_a_copy_of_the_process_ends_with_a_fit() -> None:
    process = os.getpid()
    try:
        with own_failure("fitting"):
            fork(0.0)
    finally:
        ended = end_of_copy(process)
    assert ended == 0


def test_a_copy_may_end_by_itself() -> None:
    process = os.getpid()
    try:
        with own_failure("fitting"):
            fork(0.0)
            if os.getpid() != process:
                sys.exit()
    finally:
        ended = end_of_copy(process)
    assert ended == 0


def test_limits_that_were_lowered_are_as_before(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    call(open_few, tmp_path)

    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


def test_the_next_call_can_print(tmp_path: Path) -> None:
    before = sys.stdout

    call(close_stdout, tmp_path)

    assert sys.stdout is before
