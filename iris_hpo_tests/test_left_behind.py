"""What a call leaves in its process: it is noted, and the command ends in spite of it."""

import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from iris_hpo.left_behind import noted

COMMAND = """
import atexit, sys, threading
from iris_hpo import left_behind
from iris_hpo.command.main import console

left_behind._PATIENCE_SECONDS = 0.0
waiting = threading.Event().wait
with left_behind.noted(warns=False):
    {}
sys.argv = ["iris-hpo", *{}]
console()
"""
THREAD = "threading.Thread(target=waiting, name='endless').start()"


@pytest.mark.parametrize(
    ("left", "arguments", "code", "named"),
    [
        (THREAD, ["--version"], 0, "the thread endless"),
        (THREAD, ["run", "--no-such-option"], 2, "the thread endless"),
        ("atexit.register(waiting)", ["--version"], 0, "a function registered with atexit"),
    ],
)
def test_the_command_does_not_wait_for_it(
    left: str, arguments: list[str], code: int, named: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND.format(left, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code
    assert ("version" in done.stdout) == (code == 0)
    assert done.stderr.splitlines()[-1] == (
        f"iris-hpo: the command ends without waiting for what a call has left: {named}"
    )


def test_a_thread_that_goes_on_is_worth_a_warning_once() -> None:
    begun, end = threading.Event(), threading.Event()

    def go_on() -> None:
        begun.set()
        end.wait()

    thread = threading.Thread(target=go_on)
    with warnings.catch_warnings(record=True) as warned, noted(), noted():
        warnings.simplefilter("always")
        thread.start()
        begun.wait()
    end.set()
    thread.join()
    (warning,) = warned
    assert warning.filename == __file__
    assert str(warning.message).startswith("go_on still runs in a thread after the call")


def test_an_idle_thread_of_a_library_is_not() -> None:
    with warnings.catch_warnings(record=True) as warned, noted():
        warnings.simplefilter("always")
        pool = ThreadPoolExecutor(1)
        pool.submit(abs, 1).result()
    pool.shutdown()
    assert not warned
