"""Ctrl-C and SIGTERM: one line, nothing recorded as failed, nothing selected from a part."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from sklearn.datasets import load_diabetes

from iris_hpo.orchestration.failed_candidates import failed_partitions
from iris_hpo.orchestration.failures import INTERRUPTED
from iris_hpo_tests.faults.conftest import processes_of, wait_for
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS

DEPTHS = (1, 2, 3, 4)
LINE = "iris-hpo: stopped; finished candidates are kept, run it again to go on"
PATIENCE = "iris-hpo: stopping after the present step; Ctrl-C again ends it at once"
"""What a stop of more than five seconds says, which one on a busy machine may take."""
MODULE = """\
import os
import signal
import time
from pathlib import Path

from sklearn.tree import DecisionTreeRegressor


class Held(DecisionTreeRegressor):
    def fit(self, X, y):
        if self.max_depth == 3 and Path("signal").exists():
            number = int(Path("signal").read_text())
            if Path("swallow").exists():
                try:
                    os.kill(os.getpid(), number)
                    time.sleep(5)
                except BaseException:
                    pass
            else:
                os.kill(os.getpid(), number)
        while self.max_depth >= 3 and Path("hold").exists():
            Path("fitting").touch()
            try:
                time.sleep(0.05)
            except BaseException:
                if not Path("stubborn").exists():
                    raise
        return super().fit(X, y)
"""


def make(root: Path) -> YamlProject:
    """Four candidates; while there is a file `hold`, the last two do not end."""
    project = YamlProject.create(root)
    load_diabetes(as_frame=True).frame[:60].to_csv(root / "data" / "d.csv", index=False)
    (root / "held.py").write_text(MODULE)
    project.write_values("held", max_depth=DEPTHS)
    axis = {"name": "max_depth", "symbol": "D", "type": "int"}
    project.write_search("held", data_file="d.csv", estimator="held.Held", axes=[axis], folds=0)
    return project


@pytest.fixture
def project(tmp_path: Path) -> YamlProject:
    return make(tmp_path / "project")


@pytest.fixture(scope="module")
def leaderboard(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The leaderboard of a run that nothing disturbs."""
    made = make(tmp_path_factory.mktemp("undisturbed") / "project")
    made.run("held")
    return (made.selection("held") / "leaderboard.csv").read_bytes()


def check_interrupted(project: YamlProject, *, most_scored: int = 2) -> None:
    """The run is cancelled; what it left is missing, and nothing was selected."""
    answer = project.call("status", "--search", "held", "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert found["failed"] == []
    assert found["assets"]["selection"]["missing"] == 1
    assert found["assets"]["scores"]["up to date"] <= most_scored
    assert found["assets"]["scores"]["failed"] == found["assets"]["models"]["failed"] == 0
    with project.instance() as instance:
        runs = instance.get_runs()
        assert [run.status for run in runs] in ([], [dg.DagsterRunStatus.CANCELED])
        assert all(INTERRUPTED in run.tags for run in runs)
        assert failed_partitions(instance, dg.AssetKey(["held", "scores"])) == {}


def check_goes_on(project: YamlProject, leaderboard: bytes) -> None:
    outcome = project.run("held")
    assert (outcome["candidates"], outcome["failed"]) == (4, {})
    assert (project.selection("held") / "leaderboard.csv").read_bytes() == leaderboard


@pytest.mark.parametrize(
    ("number", "code", "swallow"),
    [(signal.SIGINT, 130, "swallow"), (signal.SIGTERM, 143, "let through")],
    ids=["ctrl-c", "terminated"],
)
def test_serial(
    project: YamlProject, leaderboard: bytes, number: signal.Signals, code: int, swallow: str
) -> None:
    """Also if the estimator takes the interrupt for itself, and ends its fit early."""
    (project.root / "signal").write_text(str(int(number)))
    (project.root / swallow).touch()

    answer = project.call("run", "--search", "held", "--engine", "serial", "--quiet")

    assert answer.code == code
    assert messages_of(answer.err.split("\n")) == [LINE]
    check_interrupted(project)
    (project.root / "signal").unlink()
    check_goes_on(project, leaderboard)


class Terminal:
    """A command that runs on a terminal, and what it has written there."""

    def __init__(self, project: YamlProject, *arguments: str) -> None:
        self._descriptor, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "iris_hpo", "run", "--search", "held", *arguments],
            cwd=project.root,
            env={**os.environ, "DAGSTER_HOME": str(project.root / ".dagster")},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - the terminal has to be the session's own
        )
        os.close(theirs)
        self._written = b""

    def press_ctrl_c(self) -> None:
        os.write(self._descriptor, b"\x03")

    def wait_for(self, line: str) -> None:
        """Wait until a line was written."""
        while line not in self._written.decode():
            assert self._read(), f"it ended without {line!r}"

    def end(self) -> tuple[int, list[str]]:
        """Wait; give the exit code and the lines."""
        while self._read():
            pass
        return self.process.wait(60), self._written.decode().replace("\r", "").split("\n")

    def _read(self) -> bool:
        try:
            chunk = os.read(self._descriptor, 1 << 16)
        except OSError:  # nobody has it open any more
            return False
        self._written += chunk
        return bool(chunk)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._descriptor)


def _take_terminal() -> None:
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def terminal(project: YamlProject, *arguments: str) -> Iterator[Terminal]:
    made = Terminal(project, *arguments, "--quiet")
    try:
        yield made
    finally:
        made.close()


def scored(project: YamlProject, count: int) -> Callable[[], bool]:
    return lambda: len(list((project.artifacts("held") / "scores").glob("*.json"))) >= count


def messages_of(lines: list[str]) -> list[str]:
    """What is no echo of the key, nor click's empty line after it."""
    return [line.removeprefix("^C") for line in lines if line.removeprefix("^C")]


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["starting", "parameters", "fitting"])
def test_loky_on_a_terminal(project: YamlProject, leaderboard: bytes, moment: str) -> None:
    """The terminal sends Ctrl-C to workers, and to Dagster's processes for logs, too."""
    (project.root / "hold").touch()
    moments: dict[str, Callable[[], bool]] = {
        "starting": lambda: True,
        "parameters": (project.artifacts("held") / "parameters").exists,
        "fitting": scored(project, 2),
    }
    with terminal(project, "--jobs", "2") as opened:
        if moment == "starting":
            home = project.root / ".dagster"
            wait_for(lambda: len(processes_of(home)) > 2, "no worker starts", poll=0.05)
        wait_for(moments[moment], f"never {moment}")
        opened.press_ctrl_c()
        code, lines = opened.end()

    assert (code, [line for line in messages_of(lines) if line != PATIENCE]) == (130, [LINE])
    check_interrupted(project)
    wait_for(lambda: not processes_of(project.root / ".dagster"), "a process is left", poll=0.2)
    (project.root / "hold").unlink()
    check_goes_on(project, leaderboard)


@pytest.mark.slow
def test_a_second_ctrl_c_ends_a_fit_that_does_not_stop(
    project: YamlProject, leaderboard: bytes
) -> None:
    for name in ("hold", "stubborn"):
        (project.root / name).touch()
    with terminal(project, "--engine", "serial") as opened:
        wait_for((project.root / "fitting").exists, "no candidate is fitted")
        opened.press_ctrl_c()
        opened.wait_for(PATIENCE)
        assert opened.process.poll() is None
        opened.press_ctrl_c()
        code, lines = opened.end()

    assert code == 130
    assert messages_of(lines)[-1].endswith(LINE.replace("stopped", "ended"))
    (project.root / "hold").unlink()
    check_goes_on(project, leaderboard)
