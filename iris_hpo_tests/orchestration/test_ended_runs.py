"""Whichever way a run ends, the temporary files of its own ended workers are removed."""

import errno
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.engines import Failed, Limits
from iris_hpo.errors import InputError
from iris_hpo.orchestration import candidates_run, own_run
from iris_hpo.store import folder
from iris_hpo.store.temporary import new_names
from iris_hpo.training.trial import Trial, TrialWork
from iris_hpo_tests.projects import KEYS, SpecProject

End = Callable[[TrialWork, Sequence[Trial]], Sequence[Failed[Trial]]]


def all_fail(_: TrialWork, trials: Sequence[Trial]) -> list[Failed[Trial]]:
    return [Failed(trial, "its worker process died") for trial in trials]


def disk_is_full(_: TrialWork, trials: Sequence[Trial]) -> list[Failed[Trial]]:
    return [Failed(trials[0], "No space left on device", ends_run=True)]


def no_worker_is_left(_: TrialWork, trials: Sequence[Trial]) -> list[Failed[Trial]]:
    raise InputError(f"worker processes end before {len(trials)} candidates are done")


def no_room(_: TrialWork, trials: Sequence[Trial]) -> list[Failed[Trial]]:
    raise OSError(errno.ENOSPC, f"no room for {len(trials)} candidates", "/work")


def interrupted(_: TrialWork, trials: Sequence[Trial]) -> list[Failed[Trial]]:
    os.kill(os.getpid(), signal.SIGINT)
    return all_fail(_, trials)


def turn_is_lost(work: TrialWork, trials: Sequence[Trial]) -> list[Failed[Trial]]:
    instance = dg.DagsterInstance.ephemeral()
    own_run._own[work.run_id] = own_run._OwnRun(work.run_id, instance, is_over=True)
    return all_fail(work, trials)


class KilledWriter:
    """An engine whose worker is killed while it writes, when the work ends."""

    def __init__(self, end: End, artifacts: Path) -> None:
        self._end = end
        self._artifacts = artifacts
        self.left: list[Path] = []

    def map(
        self, work: TrialWork, trials: Sequence[Trial], _: Limits
    ) -> Iterator[Sequence[Failed[Trial]]]:
        try:
            yield self._end(work, trials)
        finally:
            worker = subprocess.Popen(["true"])
            worker.wait()
            (name,) = new_names(1)
            file = self._artifacts / name.replace(f"-{os.getpid()}-", f"-{worker.pid}-")
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(b"half of a model")
            self.left.append(file)


@pytest.mark.parametrize(
    ("end", "message"),
    [
        (all_fail, "its worker process died"),
        (disk_is_full, "No space left on device"),
        (no_worker_is_left, "worker processes end before 6 candidates are done"),
        (no_room, "No space left on device: /work; make room"),
        (interrupted, ""),
        (turn_is_lost, "ended from outside"),
    ],
)
def test_what_a_killed_worker_left_is_removed(
    prepared: SpecProject, monkeypatch: pytest.MonkeyPatch, end: End, message: str
) -> None:
    monkeypatch.setattr(own_run, "_own", {})
    engine = KilledWriter(end, prepared.artifacts)
    monkeypatch.setattr(candidates_run, "make_engine", lambda *_: engine)

    with suppress(KeyboardInterrupt):
        result = prepared.run("models", "scores", keys=KEYS)
        assert not result.success
        assert any(message in str(event) for event in result.all_events)

    assert len(engine.left) == 1
    assert not engine.left[0].exists()


def test_a_file_that_cannot_be_removed_does_not_hide_why_the_run_ended(
    prepared: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = KilledWriter(disk_is_full, prepared.artifacts)
    monkeypatch.setattr(candidates_run, "make_engine", lambda *_: engine)

    def refuse(_: object) -> None:
        if engine.left:
            raise PermissionError

    monkeypatch.setattr(folder.ArtifactStore, "sweep", refuse)
    result = prepared.run("models", "scores", keys=KEYS)
    assert any("No space left on device" in str(event) for event in result.all_events)
