"""A Dask cluster on loopback: a scheduler and workers as processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from iris_hpo_tests.processes import answers, free_port, running, stop, wait_for

SELDOM = {
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "5s",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
    "DASK_DISTRIBUTED__WORKER__PROFILE__INTERVAL": "10s",
}
"""How often Dask's processes look at themselves: by default up to a hundred times a second, which
takes a tenth of a core while all wait."""


@dataclass
class Cluster:
    """A running scheduler, and the workers that were started for it.

    Attributes
    ----------
    scheduler
        Its process.
    workers
        The nannies' processes, by the names of the workers.
    """

    port: int
    folder: Path
    scheduler: "subprocess.Popen[bytes]"
    environment: Mapping[str, str]
    workers: dict[str, "subprocess.Popen[bytes]"] = field(
        default_factory=dict[str, "subprocess.Popen[bytes]"]
    )
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start_worker(
        self, name: str, *options: str, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a worker process with a nanny; does not wait for it."""
        command = [sys.executable, "-m", "distributed.cli.dask_worker", self.address]
        command += ["--name", name]
        command += ["--no-dashboard", "--local-directory", str(self.folder), *options]
        if "--nthreads" not in options:
            command += ["--nthreads", "1"]
        self.workers[name] = self._stack.enter_context(
            running(
                command,
                self.folder / f"{name}.log",
                {**self.environment, **(environment or {})},
                patience=3,  # without its scheduler a nanny waits for much longer
            )
        )

    def stop_worker(self, name: str) -> None:
        """End a worker and its nanny."""
        stop(self.workers.pop(name))

    @contextmanager
    def with_worker(
        self, *options: str, environment: Mapping[str, str] | None = None
    ) -> Generator[None]:
        """Add a worker to a cluster that has none, and end it afterwards."""
        self.start_worker("guest", *options, environment=environment)
        try:
            self.wait_for_workers(1)
            yield
        finally:
            self.stop_worker("guest")
            wait_for("leave of the worker", lambda: not self._count_workers())

    def _count_workers(self) -> int:
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            return len(client.scheduler_info(n_workers=-1)["workers"])

    def wait_for_workers(self, count: int) -> None:
        """Wait until so many have joined."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=120)

    def processes(self) -> dict[str, int]:
        """The process id of each worker, not its nanny's, by name."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            found = client.run(_tell)
        return dict(found.values())

    def kill_scheduler(self) -> None:
        self.scheduler.kill()
        self.scheduler.wait()


@contextmanager
def frozen(*processes: int) -> Generator[None]:
    """Stop processes, as a machine that swaps does, and let them go on afterwards."""
    try:
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def _tell(dask_worker: object) -> tuple[str, int]:
    return str(dask_worker.name), os.getpid()  # type: ignore[attr-defined]


@contextmanager
def cluster(
    folder: Path,
    workers: int = 2,
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
    *,
    settings: Mapping[str, str] = SELDOM,
) -> Generator[Cluster]:
    """Start a scheduler and workers, and wait for them; at the end nothing of them is left.

    Parameters
    ----------
    folder
        For logs and the workers' files.
    workers
        How many, named ``worker-0`` and so on, with one thread each.
    settings
        Of Dask, as variables of the environment.
    """
    port = port or free_port()
    environment = {**settings, **(environment or {})}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--no-dashboard"]
    with running(command, folder / "scheduler.log", environment) as scheduler:
        wait_for("Dask scheduler", lambda: answers(port))
        made = Cluster(port, folder, scheduler, environment)
        with made._stack:
            for number in range(workers):
                made.start_worker(f"worker-{number}")
            if workers:
                made.wait_for_workers(workers)
            yield made
