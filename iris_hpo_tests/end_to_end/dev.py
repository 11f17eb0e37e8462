"""A real `dagster dev` on a project of one's own, asked over GraphQL."""

import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from iris_hpo_tests.end_to_end.graphql import UNFINISHED, GraphQL, Partitions, Run
from iris_hpo_tests.processes import free_port, running, stop
from iris_hpo_tests.projects import ShippedProject

T = TypeVar("T")

CANDIDATES = ("models", "scores")

# The test's own patience; how runs are queued and worked on stays as shipped.
IMPATIENCE = """
run_queue:
  dequeue_interval_seconds: 1
code_servers:
  wait_for_local_processes_on_shutdown: true
"""


@dataclass(frozen=True)
class Dev:
    """A running `dagster dev` and the project that it works on."""

    project: ShippedProject
    ui: GraphQL
    process: "subprocess.Popen[bytes]"
    log: Path

    def wait(self, what: str, look: Callable[[], T | None], seconds: float = 300) -> T:
        """Look twice a second until there is something."""
        end = time.monotonic() + seconds
        while (found := look()) is None:
            assert self.process.poll() is None, f"dagster dev has ended\n{self._last_lines()}"
            assert time.monotonic() < end, f"no {what} in {seconds} s\n{self._last_lines()}"
            time.sleep(0.5)
        return found

    def partitions(self, registered: int) -> dict[str, Partitions]:
        """Models and scores of that many candidates, all of them done."""
        for asset in CANDIDATES:
            assert self.ui.partition_stats(asset) == (registered, 0, registered)
        return {asset: self.ui.partitions(asset) for asset in CANDIDATES}

    def wait_for_selection(self, *, after: float = 0, **expected: object) -> dict[str, Any]:
        """Wait until the latest selection says this; gives all that it says."""

        def look() -> dict[str, Any] | None:
            made, found = self.ui.latest("selection")
            return found if made > after and expected.items() <= found.items() else None

        return self.wait(f"selection with {expected}", look)

    def requests(self, sensor: str) -> list[Run]:
        """Runs that a sensor has requested, the latest first."""
        return self.ui.runs(tags=[{"key": "dagster/sensor_name", "value": sensor}])

    def wait_for_request(self, sensor: str, since: float) -> Run:
        """Wait until a sensor has requested a run."""
        return self.wait(
            f"run requested by {sensor}",
            lambda: next((run for run in self.requests(sensor) if run.created > since), None),
        )

    def wait_for_runs(self, *run_ids: str) -> list[Run]:
        """Wait until these have ended; gives them as they were created."""

        def look() -> list[Run] | None:
            runs = self.ui.runs(runIds=run_ids)
            unfinished = [run for run in runs if run.status in UNFINISHED]
            return None if unfinished else sorted(runs, key=lambda run: run.created)

        return self.wait(f"end of runs {run_ids}", look)

    def wait_until_idle(self) -> None:
        """Wait until no run is left to do, or at work."""
        self.wait("end of all runs", lambda: not self.ui.runs(statuses=UNFINISHED) or None)

    def follow(self, sensor: str, change: Callable[[], object]) -> Run:
        """Change a file, wait for the run that follows, and for its success."""
        since = time.time()
        change()
        run_id = self.wait_for_request(sensor, since).run_id
        (run,) = self.wait_for_runs(run_id)
        assert run.status == "SUCCESS", "\n".join(self.ui.failures(run_id))
        return run

    def offered_models(self) -> set[str]:
        """Whose models lie in the folder of the selected."""
        files = (self.project.artifacts / "selection" / "models").iterdir()
        return {path.name.removeprefix("model_").removesuffix(".pkl") for path in files}

    def _last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-60:])


@contextmanager
def dagster_dev(project: ShippedProject, environment: Mapping[str, str]) -> Generator[Dev]:
    """Start it and wait for its web server; at the end nothing of it is left."""
    with (project.root / "home" / "dagster.yaml").open("a") as settings:
        settings.write(IMPATIENCE)
    port, log = free_port(), project.root / "dev.log"
    command = [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port)]
    with running(command, log, {**project.environment, **environment}) as process:
        started = Dev(project, GraphQL(f"http://127.0.0.1:{port}"), process, log)
        started.wait("web server", lambda: started.ui.is_up() or None)
        yield started
        started.wait_until_idle()  # Dagster's code servers end after their runs, however long
        left = stop(process, seconds=60)
        assert not left, f"dagster dev did not end by SIGTERM and was killed: {left}"
