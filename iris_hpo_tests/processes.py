"""Servers of tests: processes on loopback, waited for by what they do, stopped by their id."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
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


def stop(process: "subprocess.Popen[bytes]", seconds: float = 30) -> list[str]:
    """End a process and what it has started; give the commands of those that had to be killed."""
    if process.poll() is None:
        process.terminate()
    end = time.monotonic() + seconds
    while (commands := _commands_of_group(process)) and time.monotonic() < end:
        time.sleep(0.1)
    if commands:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return commands


def _commands_of_group(leader: "subprocess.Popen[bytes]") -> list[str]:
    """The commands of the living processes of a group; a zombie has ended."""
    leader.poll()
    try:
        os.killpg(leader.pid, 0)
    except ProcessLookupError:
        return []
    commands: list[str] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:  # no process, or one that has just ended
            continue
        if int(group) == leader.pid and state != "Z":
            commands.append(command)
    return commands
