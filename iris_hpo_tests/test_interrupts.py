"""How interrupts are raised, held back and remembered."""

import inspect
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from dagster._core.executor.multiprocess import MultiprocessExecutor

from iris_hpo import interrupts
from iris_hpo.interrupts import Interrupt, as_interrupt, check, held
from iris_hpo.orchestration.failures import user_errors

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def twice(number: int, done: list[str]) -> None:
    try:
        signal.raise_signal(number)
    finally:
        signal.raise_signal(signal.SIGINT)
        done.append("cleaned up")


def within_two_blocks(done: list[str]) -> None:
    with held():
        with held():
            signal.raise_signal(signal.SIGINT)
            done.append("inner")
        done.append("outer")


def swallowed() -> None:
    with suppress(BaseException):  # as estimators do
        signal.raise_signal(signal.SIGINT)
    check()


@pytest.mark.parametrize("number", SIGNALS)
def test_only_the_first_is_raised(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in SIGNALS]
    done: list[str] = []
    with pytest.raises(Interrupt), as_interrupt():
        twice(number, done)
    assert done == ["cleaned up"]
    assert [signal.getsignal(each) for each in SIGNALS] == before
    assert interrupts.received() == number


def test_it_waits_for_the_end_of_the_outer_block() -> None:
    done: list[str] = []
    with pytest.raises(Interrupt), as_interrupt():
        within_two_blocks(done)
    assert done == ["inner", "outer"]


def test_one_that_was_swallowed_is_raised_again() -> None:
    with pytest.raises(Interrupt), as_interrupt():
        swallowed()


def test_a_later_block_starts_afresh() -> None:
    with pytest.raises(Interrupt), as_interrupt():
        signal.raise_signal(signal.SIGINT)
    with as_interrupt(), held():
        check()


def test_other_threads_leave_the_handlers_alone() -> None:
    before = [signal.getsignal(each) for each in SIGNALS]
    seen: list[object] = []

    def look() -> None:
        with as_interrupt(), held():
            seen.extend(signal.getsignal(each) for each in SIGNALS)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == before


def test_dagster_knows_the_interrupt_of_a_step_by_its_name() -> None:
    """Its multiprocess executor fails a run for any other class, also if the UI terminated it."""
    with pytest.raises(KeyboardInterrupt) as interrupt, user_errors():
        signal.raise_signal(signal.SIGTERM)
    assert type(interrupt.value).__name__ == "KeyboardInterrupt"
    assert '"KeyboardInterrupt"' in inspect.getsource(MultiprocessExecutor.execute)


def exit_code_of(program: str, number: signal.Signals) -> int:
    """Send a signal to a program that is ready for it, and writes nothing; give its exit code."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.communicate() == (b"", b"")
    return process.returncode


COMMAND = """
import signal, sys, time
from iris_hpo import interrupts

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
interrupts.watch()
try:
    with interrupts.as_interrupt():
        print("ready", flush=True)
        time.sleep(60)
except interrupts.Interrupt:
    sys.exit(128 + interrupts.received())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_knows_which_signal_has_stopped_it(number: signal.Signals) -> None:
    assert exit_code_of(COMMAND, number) == 128 + number


def test_a_command_in_the_background_of_a_script_ignores_ctrl_c() -> None:
    """Also while a run executes, for which Dagster sets handlers; SIGTERM stops it."""
    program = COMMAND.replace("signal.default_int_handler", "signal.SIG_IGN").replace(
        "        time.sleep(60)",
        "        signal.raise_signal(signal.SIGINT)\n"
        "        assert not signal.sigtimedwait({signal.SIGTERM}, 0.2)\n"
        "        signal.raise_signal(signal.SIGTERM)",
    )
    assert exit_code_of(program, signal.SIGINT) == 128 + signal.SIGTERM


HELD = """
import signal, sys, time
from iris_hpo import interrupts

signal.signal(signal.SIGINT, signal.default_int_handler)
interrupts.watch()
finished = False
try:
    with interrupts.held():
        print("ready", flush=True)
        end = time.monotonic() + 60
        while interrupts.received() is None and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.1)
        finished = True
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(128 + interrupts.received() if finished else 1)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_finishes_what_is_held_before_a_run_too(number: signal.Signals) -> None:
    """The start of a worker, for example: a worker that is half started could not be ended."""
    assert exit_code_of(HELD, number) == 128 + number


DROPPED = """
import contextlib, signal, sys, time
from iris_hpo import interrupts

class Removed:
    def __del__(self):
        print("ready", flush=True)
        time.sleep(10)

signal.signal(signal.SIGINT, signal.default_int_handler)
interrupts.watch()
try:
    with {block}:
        Removed()
        time.sleep(10)
except KeyboardInterrupt:
    sys.exit(128 + interrupts.received())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("block", ["contextlib.nullcontext()", "interrupts.as_interrupt()"])
def test_an_interrupt_that_python_drops_is_repeated(block: str, number: signal.Signals) -> None:
    """While an object is removed; within the work of a run too."""
    assert exit_code_of(DROPPED.replace("{block}", block), number) == 128 + number


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_terminal_does_not_reach_what_is_started_out_of_reach(number: signal.Signals) -> None:
    """Its Ctrl-C and its end go to all processes; a tracker that ends first is loud."""
    with interrupts.out_of_reach():
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, text=True)
    child.send_signal(number)
    child.communicate()
    assert child.returncode == 0


FORKED = """
import os, signal
from iris_hpo import interrupts
interrupts.watch()
process = os.fork()
if not process:
    try:
        signal.raise_signal(signal.SIGTERM)
    finally:
        os._exit(0)
os.waitpid(process, 0)
print(interrupts.received())
"""


def test_a_signal_to_a_copy_of_the_process_is_not_its_own() -> None:
    """As the end of a pool of processes sends to each."""
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, check=True)

    assert done.stdout == b"None\n"


PROGRAM = """\
from iris_hpo.interrupts import watch

def goes_on():
    try:
        yield 1
    except GeneratorExit:
        {then}

watch()
one = goes_on()
next(one)
del one
"""


@pytest.mark.parametrize(
    ("then", "shown"), [("yield 2", ""), ("raise ValueError('own error')", "own error")]
)
def test_a_generator_that_goes_on_when_it_is_closed_is_not_shown(then: str, shown: str) -> None:
    """Those of Dagster do where the database is away; what they met is reported."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(then=then)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown in result.stderr
    assert bool(result.stderr) is bool(shown)
