"""A candidate that failed by itself counts as tried, however its run ends after that."""

import errno
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.engines import Failed, Limits
from iris_hpo.errors import AwayError
from iris_hpo.orchestration import candidates_run
from iris_hpo.orchestration.draw_requests import draw_again
from iris_hpo.orchestration.failed_candidates import failed_partitions, reasons_of
from iris_hpo.orchestration.run_requests import requests_again
from iris_hpo.training.trial import Trial, TrialWork
from iris_hpo_tests.orchestration import bowls
from iris_hpo_tests.orchestration.following import ends_of
from iris_hpo_tests.orchestration.test_drawing import bowl_spec
from iris_hpo_tests.projects import CANDIDATES, KEYS, SOURCES, SpecProject, succeed

Outcomes = Iterator[Sequence[Failed[Trial]]]


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def fill_the_disk() -> None:
    raise OSError(errno.ENOSPC, "no room")


def lose_the_store() -> None:
    raise AwayError("the store does not answer")


class FailsOnce:
    """An engine whose first candidate fails, and whose run ends then."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def map(self, _: TrialWork, trials: Sequence[Trial], limits: Limits) -> Outcomes:  # noqa: ARG002
        (first,) = [trial for trial in trials if trial.key == KEYS[0]]
        yield [Failed(first, "no ground")]
        self._end()


@pytest.mark.parametrize("is_range", [True, False], ids=["a range", "all candidates"])
@pytest.mark.parametrize("end", [interrupt, fill_the_disk, lose_the_store])
def test_of_a_grid(
    prepared: SpecProject,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[], None],
    *,
    is_range: bool,
) -> None:
    def make_engine(*_: object) -> FailsOnce:
        return FailsOnce(end)

    monkeypatch.setattr(candidates_run, "make_engine", make_engine)

    with suppress(KeyboardInterrupt):
        prepared.run(*CANDIDATES, keys=KEYS if is_range else ())

    study, instance = prepared.study(), prepared.instance
    for asset in CANDIDATES:
        failed = failed_partitions(instance, dg.AssetKey(asset))
        assert list(failed) == [KEYS[0]]
        assert reasons_of(study, failed) == {KEYS[0]: "no ground"}
    status = prepared.plan().status
    assert [status.keys(state) for state in ("failed", "missing")] == [[KEYS[0]], [*KEYS[1:]]]
    if is_range:  # candidates that no run has planned are requested by the plan
        (request,), _ = requests_again(study, "")
        assert ends_of(request) == (KEYS[1], KEYS[-1])


def test_of_an_adaptive_search(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def holed(x: float, y: float) -> float:
        if x == 0.2:
            interrupt()
        return bowls.holed(x, y)

    monkeypatch.setattr(bowls, "interrupted", holed, raising=False)
    project = SpecProject(tmp_path, instance, bowl_spec(tmp_path, "interrupted"))
    succeed(project.run(*SOURCES))

    with suppress(KeyboardInterrupt):
        project.run(*CANDIDATES)

    failed = failed_partitions(instance, project.names.asset("scores"))
    assert list(failed) == ["X0.1_Y0.0"]
    assert reasons_of(project.study(), failed) == {
        "X0.1_Y0.0": "training failed: RuntimeError: no ground"
    }
    (request,), _ = draw_again(project.study(), "")
    monkeypatch.setattr(bowls, "interrupted", bowls.bowl)
    succeed(project.run(*CANDIDATES, tags={"dagster/sensor_name": "it", **request.tags}))
    assert "X0.1_Y0.0" not in project.by_partition("scores"), "it was tried once"
    assert len(project.by_partition("scores")) == 3
