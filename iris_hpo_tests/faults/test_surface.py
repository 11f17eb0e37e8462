"""What can be reached from outside, and what must not be seen there."""

import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from iris_hpo_tests.faults.conftest import wait_for
from iris_hpo_tests.processes import free_port, running
from iris_hpo_tests.projects import ShippedProject

SECRET = "hunter2"
LISTENING = "0A"
LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}


def group(leader: int) -> set[int]:
    """The processes that were started together with one."""
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":  # the session that it leads
            found.add(int(stat.parent.name))
    return found


def sockets(processes: set[int]) -> set[str]:
    """Numbers of the sockets that they hold."""
    found: set[str] = set()
    for process in processes:
        try:
            for descriptor in Path(f"/proc/{process}/fd").iterdir():
                found.add(str(descriptor.readlink()).removeprefix("socket:[").rstrip("]"))
        except OSError:
            continue
    return found


def listening(processes: set[int]) -> set[tuple[str, int]]:
    """Address, as the kernel writes it, and port of what they listen on."""
    ours = sockets(processes)
    found: set[tuple[str, int]] = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            address, _, port = fields[1].partition(":")
            if fields[3] == LISTENING and fields[9] in ours:
                found.add((address, int(port, 16)))
    return found


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def dev(few: ShippedProject, port: int, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A running `make dev`."""
    command = ["make", "dev", f"PORT={port}"]
    with running(command, tmp_path / "dev.log", few.environment, patience=60) as process:
        yield process


@pytest.mark.slow
def test_make_dev_listens_on_this_machine_only(dev: "subprocess.Popen[bytes]", port: int) -> None:
    def answers() -> bool:
        assert dev.poll() is None, "make dev has ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    wait_for(answers, "the UI does not answer", poll=0.5)
    found = listening(group(dev.pid))
    assert port in {number for _, number in found}
    assert {address for address, _ in found} <= LOOPBACK


@pytest.mark.parametrize("by", ["environment", "argument"])
@pytest.mark.parametrize("command", ["run", "status", "leaderboard"])
def test_a_password_in_a_url_is_refused_and_never_shown_or_stored(
    few: ShippedProject, monkeypatch: pytest.MonkeyPatch, command: str, by: str
) -> None:
    url = f"ftp://me:{SECRET}@example.invalid/results"
    arguments = [command]
    if by == "environment":
        environment = {**few.environment, "IRIS_HPO_ARTIFACTS": url}
        monkeypatch.setattr(ShippedProject, "environment", environment)
    else:
        arguments += ["--artifacts", url]
    result = few.call(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("iris-hpo: the artifacts' URL ftp://... carries credentials")
    assert SECRET not in result.stderr
    kept = [path for path in few.root.rglob("*") if path.is_file()]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]


def test_no_variable_of_the_environment_is_stored(
    few: ShippedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials of a storage stand there; neither record nor artifacts nor output has them."""
    environment = {**few.environment, "AWS_SECRET_ACCESS_KEY": SECRET}
    monkeypatch.setattr(ShippedProject, "environment", environment)
    result = few.call("run", "--engine", "serial", "--folds", "2")
    assert result.returncode == 0
    assert SECRET not in result.stdout + result.stderr
    kept = [path for path in few.root.rglob("*") if path.is_file()]
    assert len(kept) > 30
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]
