"""A function and a script that go wrong in as many ways as their parameter says."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

STUBBORN = "trap '' TERM; sleep 60 & echo $! > child; wait; sleep 60"
"""A script of its own, ``stubborn.sh``, in the project's folder."""

SCRIPT = r"""
cd "$IRIS_HPO_OUTPUT"
case $1 in
  raises) echo "no such column" >&2; exit 3 ;;
  crashes) kill -SEGV $$ ;;
  "kills its worker") kill -KILL $PPID; sleep 60 ;;
  "takes too long") cd "$OLDPWD"; exec sh stubborn.sh ;;
  "gives nan") echo NaN ;;
  "writes without end") yes ;;
  "leaves a large folder") truncate -s 1G large; echo 1 ;;
  "leaves 10,000 files") seq 10000 | xargs touch; echo 1 ;;
  "writes other encodings") printf 'caf\351\n'; echo 1 ;;
  "leaves a child") sh -c 'trap "" TERM; sleep 60' & echo $! > child; echo 1 ;;
esac
"""


def faulty(trial: Any, home: str = "") -> object:
    """Fail in the way that the parameter names; ``home`` is the project's folder."""
    if trial.parameters["fault"] == "takes too long":
        return subprocess.run(["sh", "stubborn.sh"], check=True, cwd=home)
    act = FAULTS.get(trial.parameters["fault"])
    return act(trial) if act else 1


def diverge(trial: Any) -> object:  # noqa: ARG001 - called as the others
    raise RuntimeError("diverged")


def write_without_end(trial: Any) -> object:
    for _ in range(100_000):
        trial.log("loud" * 10)
    return 1


def print_without_end(trial: Any) -> object:  # noqa: ARG001
    for _ in range(1000):
        sys.stdout.write("loud\n" * 1000)
        sys.stderr.writelines(["loud\n"] * 1000)
    return 1


def flood(trial: Any) -> object:
    """Print from compiled code that keeps other threads from running, and from a process."""
    line = b"compiled" * 16
    puts = ctypes.PyDLL(None).puts
    for _ in range(20_000):
        puts(line)
    subprocess.run("yes error | head -c 9000000 >&2", shell=True, check=True)
    trial.log("done")
    return 1


def leave_a_loud_child(trial: Any) -> object:
    subprocess.run("yes & echo $! > child", shell=True, check=True, cwd=trial.folder)
    return 1


def leave_a_large_folder(trial: Any) -> object:
    with (trial.folder / "large").open("wb") as file:
        file.truncate(1 << 30)  # takes no room
    return 1


def leave_many_files(trial: Any) -> object:
    for number in range(10_000):
        (trial.folder / str(number)).touch()
    return 1


def write_other_encodings(trial: Any) -> object:
    trial.log("caf\udce9")
    return 1


FAULTS: dict[str, Callable[[Any], object]] = {
    "raises": diverge,
    "crashes": lambda _: os.abort(),
    "kills its worker": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "gives nan": lambda _: float("nan"),
    "writes without end": write_without_end,
    "prints without end": print_without_end,
    "floods": flood,
    "leaves a loud child": leave_a_loud_child,
    "leaves a large folder": leave_a_large_folder,
    "leaves 10,000 files": leave_many_files,
    "writes other encodings": write_other_encodings,
}
