"""Servers of tests: processes on loopback, waited for by what they do, stopped by their id."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

REPOSITORY = Path(__file__).resolve().parents[1]

Found = TypeVar("Found")


def copy_repository(target: Path) -> Path:
    """Copy what is tracked, or would be: no results, no environments."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (REPOSITORY / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, target / name)
    return target


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(what: str, look: Callable[[], Found | None], seconds: float = 300) -> Found:
    """Look ten times a second until there is something."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"no {what} in {seconds} s"
        time.sleep(0.1)
    return found


@contextmanager
def running(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    patience: float = 30,
) -> Generator["subprocess.Popen[bytes]"]:
    """A process in a session of its own; at the end nothing of it is left.

    Parameters
    ----------
    patience
        Seconds that it may take to end by itself.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        stop(process, patience)


def stop(process: "subprocess.Popen[bytes]", seconds: float = 30) -> bool:
    """End a process and what it has started; tell whether it went when it was asked to."""
    if process.poll() is None:
        process.terminate()
    end = time.monotonic() + seconds
    while (is_left := _is_anyone_left(process)) and time.monotonic() < end:
        time.sleep(0.05)
    if is_left:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return not is_left


def _is_anyone_left(process: "subprocess.Popen[bytes]") -> bool:
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True
