"""What the code of others does to the process: it does not remain, and nobody else pays for it."""

import asyncio
import multiprocessing
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import numpy as np
import pytest

from iris_hpo.data.split import Examples
from iris_hpo.errors import CandidateError, EndOfCommandError
from iris_hpo.interrupts import Interrupt
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


def end_at_once(x: float) -> float:  # noqa: ARG001
    os._exit(0)


def become_another(x: float) -> float:  # noqa: ARG001
    os.execlp("true", "true")


def hide_the_process(x: float) -> float:
    os.getpid = lambda: 1
    return x


def start_a_process(x: float) -> float:
    process = multiprocessing.get_context("fork").Process(target=abs, args=(x,))
    process.start()
    process.join()
    return float(process.exitcode or 0)


class PanicError(BaseException):
    """As the panic of a library in Rust."""


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


@pytest.mark.parametrize(
    ("function", "reason"), [(end_at_once, r"os\._exit\(0\)"), (become_another, r"os\.execve?\(")]
)
def test_a_call_does_not_end_the_process(
    tmp_path: Path, function: Callable[[float], float], reason: str
) -> None:
    with pytest.raises(CandidateError, match=rf"^training failed: SystemExit: {reason}"):
        call(function, tmp_path)


def test_a_call_that_replaces_the_id_of_its_process_is_no_copy(tmp_path: Path) -> None:
    before = os.getpid

    assert call(hide_the_process, tmp_path) == 0.0
    assert os.getpid is before


def test_a_process_that_a_call_starts_ends_by_itself(tmp_path: Path) -> None:
    assert call(start_a_process, tmp_path) == 0.0


def test_a_thread_does_not_end_the_process_as_if_all_were_well() -> None:
    program = (
        "import os, threading\n"
        "from iris_hpo.process_end import no_exit\n"
        "with no_exit():\n"
        "    ending = threading.Thread(target=os._exit, args=(0,))\n"
        "    ending.start()\n"
        "    ending.join()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == "iris-hpo: a thread has ended the process by os._exit(0)\n"


@pytest.mark.parametrize(("library", "code"), [("CDLL", 2), ("PyDLL", 2), ("", 0)])
def test_compiled_code_does_not_end_the_process_as_if_all_were_well(
    library: str, code: int
) -> None:
    program = (
        "import ctypes\n"
        "from iris_hpo.process_end import no_exit, refuse_exit\n"
        "refuse_exit()\n"
        "with no_exit():\n"
        f"    {f'ctypes.{library}(None).exit(0)' if library else 'pass'}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == code
    assert done.stderr == (
        "iris-hpo: compiled code has ended the process by exit\n" if code else ""
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BaseException("base"), "BaseException: base"),
        (PanicError("index out of bounds"), "PanicError: index out of bounds"),
        (asyncio.CancelledError(), "CancelledError"),
    ],
)
def test_no_error_of_others_ends_the_run(error: BaseException, reason: str) -> None:
    with pytest.raises(CandidateError, match=f"^fitting failed: {reason}$"), own_failure("fitting"):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        Interrupt(),
        EndOfCommandError("the disk is full"),
        dg.DagsterExecutionInterruptedError(),
        pytest.fail.Exception("a test"),
    ],
)
def test_what_steers_the_run_passes(error: BaseException) -> None:
    with pytest.raises(type(error)), own_failure("fitting"):
        raise error
