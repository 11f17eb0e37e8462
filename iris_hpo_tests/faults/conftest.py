"""Faults are tried on real projects, as in the end-to-end tests."""

import multiprocessing
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from iris_hpo.processes import is_alive
from iris_hpo.training import WORKER_MODULES
from iris_hpo_tests.end_to_end.conftest import project
from iris_hpo_tests.projects import ShippedProject

__all__ = ["project"]

PATIENCE = 240
CASES = pytest.StashKey[Counter[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Count the cases per file, before those are left out that are slow."""
    here = Path(__file__).parent
    config.stash[CASES] = Counter(item.path.name for item in items if item.path.parent == here)


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> ForkServerContext:
    """Starts processes that have imported what a run needs, which saves seconds each time.

    That is the test module, what it names in ``PRELOADED``, and what workers import.
    """
    context = multiprocessing.get_context("forkserver")
    module = request.module
    context.set_forkserver_preload([module.__name__, *module.PRELOADED, *WORKER_MODULES])
    return context


def wait_for(condition: Callable[[], bool], what: str, *, poll: float = 0.005) -> None:
    """Wait as long as a busy machine may take."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(poll)


def processes_of(home: Path) -> list[int]:
    """The living processes that runs on an instance have started: workers, and their watchers."""
    wanted = f"DAGSTER_HOME={home}".encode()
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        # What this process has started itself, loky's tracker of resources too, stays with it.
        ours = os.getpid() in (int(folder.name), parent)
        if wanted in environment and not ours and is_alive(int(folder.name)):
            found.append(int(folder.name))
    return found


def small(project: ShippedProject) -> ShippedProject:
    """Leave six candidates."""
    project.write_axis("c", 0.5, 8)
    project.write_axis("gamma", 0.25, 1, 4)
    return project


@pytest.fixture
def few(project: ShippedProject) -> ShippedProject:
    """Six candidates; nothing was run."""
    return small(project)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> ShippedProject:
    """Six candidates, done in a project of their own that tests only read."""
    made = small(ShippedProject.create(tmp_path_factory.mktemp("undisturbed")))
    result = made.call("run", "--engine", "serial", "--folds", "2", "--quiet")
    assert result.returncode == 0, result.stderr
    return made


@pytest.fixture
def done(undisturbed: ShippedProject, tmp_path: Path) -> ShippedProject:
    """Six candidates, all of it done: a copy, which is quicker than a run."""
    root = tmp_path / "done"
    shutil.copytree(undisturbed.root, root)
    return ShippedProject(root)


class Disk:
    """A small disk of its own: a tmpfs."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def _mount(self, *arguments: str) -> None:
        subprocess.run(["mount", *arguments, str(self.place)], check=True, capture_output=True)

    def mount(self, size: str) -> None:
        self.place.mkdir(exist_ok=True)
        self._mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs")

    def resize(self, size: str) -> None:
        self._mount("-o", f"remount,rw,size={size}")

    def protect(self) -> None:
        """Make it read-only, as soon as nobody holds a file open for writing."""

        def attempt() -> bool:
            command = ["mount", "-o", "remount,ro", str(self.place)]
            return subprocess.run(command, check=False, capture_output=True).returncode == 0

        wait_for(attempt, "the disk stays busy", poll=0.1)

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", str(self.place)], check=True)


def home_on(disk: Disk, project: ShippedProject) -> None:
    """Keep the instance of a project on a disk."""
    home = project.root / "home"
    (disk.place / "dagster.yaml").write_bytes((home / "dagster.yaml").read_bytes())
    (home / "dagster.yaml").unlink()
    home.rmdir()
    home.symlink_to(disk.place, target_is_directory=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk that is full soon; CI works as root, who may mount one."""
    made = Disk(tmp_path / "disk")
    try:
        made.mount("40m")
    except subprocess.CalledProcessError:
        pytest.skip("only root can mount a disk")
    yield made
    made.unmount()
