"""Run a command as a process, and measure its time and memory, with those of its children."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

SAMPLE_SECONDS: Final = 0.1
_FIRST_SAMPLE_SECONDS: Final = 0.005
"""Time between the first samples, for commands that end at once."""
_MEGABYTE: Final = 1e6


class CommandFailedError(Exception):
    """A measured command ended with another exit code than 0."""


@dataclass(frozen=True)
class Measurement:
    """Time and memory of a command.

    Attributes
    ----------
    seconds
        Time from the start to the end of the process.
    cpu_seconds
        User and system time, of the process and of the children it waited for.
    peak_mb
        Greatest sum, over samples, of the resident memory of the process and all its descendants;
        shared pages count in each.
    driver_mb
        Greatest resident memory of the command's first process alone.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    driver_mb: float


def measure(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], output: Path
) -> Measurement:
    """Run a command in a folder until it ends; its standard output goes to a file.

    Raises
    ------
    CommandFailedError
        If the command fails; with the last lines of its output.
    """
    errors = output.with_suffix(".err")
    with output.open("wb") as out, errors.open("wb") as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=err)
        memory = _MemorySampler(process.pid)
        memory.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:  # stopped: leave no process behind
            process.terminate()
            process.wait()
            raise
        seconds = time.perf_counter() - started
        memory.finish()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        text = (output.read_text(errors="replace") + errors.read_text(errors="replace"))[-2000:]
        raise CommandFailedError(f"{' '.join(command)}: exit code {process.returncode}\n{text}")
    # A command can end before its first sample.
    driver = memory.driver or usage.ru_maxrss * 1024
    return Measurement(
        seconds,
        usage.ru_utime + usage.ru_stime,
        max(memory.tree, driver) / _MEGABYTE,
        driver / _MEGABYTE,
    )


class _MemorySampler(threading.Thread):
    """Keeps the peaks, in bytes, of a process and of its whole tree."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.tree = self.driver = 0
        self._pid = pid
        self._ended = threading.Event()

    def run(self) -> None:
        """Sample until the process has ended."""
        pause = _FIRST_SAMPLE_SECONDS
        try:
            process = psutil.Process(self._pid)
            while not self._ended.is_set():
                driver = process.memory_info().rss
                children = sum(map(_resident, process.children(recursive=True)))
                self.driver = max(self.driver, driver)
                self.tree = max(self.tree, driver + children)
                self._ended.wait(pause)
                pause = min(2 * pause, SAMPLE_SECONDS)
        except psutil.NoSuchProcess:
            return

    def finish(self) -> None:
        """Stop sampling."""
        self._ended.set()
        self.join()


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:  # gone since it was listed
        return 0
