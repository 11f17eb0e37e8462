"""The run of an adaptive search whose sampler decides in a process of its own."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from iris_hpo import engines
from iris_hpo.orchestration import drawing_run
from iris_hpo.parts import Part
from iris_hpo.run_settings import BudgetSettings
from iris_hpo.samplers import beside
from iris_hpo_tests.orchestration.test_drawing import bowl_spec, draw
from iris_hpo_tests.projects import SpecProject, succeed


class Processes:
    """Starts processes, and waits until each has made its sampler."""

    def __init__(self) -> None:
        self.started: list[Any] = []
        self.calls: list[Any] = []

    def start(self) -> Any:
        process = engines.start_process()
        begin = process.begin

        def begin_and_wait(function: Any, *arguments: Any) -> Any:
            future = begin(function, *arguments)
            if not self.calls:
                future.result()
            self.calls.append(function)
            return future

        process.begin = begin_and_wait
        self.started.append(process)
        return process


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_candidates_are_the_same_in_whichever_process_a_sampler_decides(
    sampler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "FROM_RESULTS", 4)
    processes = Processes()
    monkeypatch.setattr(drawing_run, "start_process", processes.start)
    registered: list[list[str]] = []
    for engine in ("serial", "loky"):
        root = tmp_path / engine
        (root / "data").mkdir(parents=True)
        spec = bowl_spec(
            root,
            sampler=Part(sampler, {"n_startup_trials": 3} if sampler == "tpe" else {}),
            budget=BudgetSettings(candidates=12),
        )
        with dg.DagsterInstance.ephemeral() as instance:
            project = SpecProject(root, instance, spec)
            succeed(draw(project, candidates={"engine": engine, "jobs": 1}))
            registered.append(project.registered())
        assert bool(processes.started) == (engine == "loky" and sampler == "tpe")

    assert registered[0] == registered[1]
    assert len(processes.calls) == (9 if sampler == "tpe" else 0), "one that makes it, 8 answers"
    for process in processes.started:
        # Loky says what it notices first: the end, or that no answer can come any more.
        with pytest.raises(RuntimeError, match=r"shutdown|un-serialize"):
            process.begin(len, "")
