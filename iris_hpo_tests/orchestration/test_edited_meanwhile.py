"""Parameter files edited while a command works on their candidates."""

from collections.abc import Callable, Sequence

import pytest

from iris_hpo.errors import InputError
from iris_hpo.orchestration import ranges
from iris_hpo.orchestration import runner as launch
from iris_hpo.orchestration.partitions import is_range
from iris_hpo.orchestration.partitions import registered_keys as read_keys
from iris_hpo.orchestration.record import data_versions
from iris_hpo.orchestration.recorder import Recorder
from iris_hpo.orchestration.study import Study
from iris_hpo.training.trial import TrialResult
from iris_hpo_tests.projects import KEYS, SpecProject
from iris_hpo_tests.projects.spec import CANDIDATES

EDITS = {
    "the first value goes": (8, 128),
    "the last value goes": (0.5, 8),
    "all go, others come": (1, 2, 4, 16),
    "one comes": (0.5, 2, 8, 128),
}


def edit_after_planning(
    monkeypatch: pytest.MonkeyPatch, *edits: Callable[[], object]
) -> list[Sequence[str]]:
    """Edit between the reading of the candidates and their run, once per edit; give what was read.

    The candidates are read once more after a run: that is not a plan.
    """
    left, read = list(edits), list[Sequence[str]]()

    def registered_keys(study: Study) -> Sequence[str]:
        found = read_keys(study)
        read.append(found)
        if left and len(read) % 2:
            left.pop(0)()
        return found

    monkeypatch.setattr(launch, "registered_keys", registered_keys)
    return read


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(values, id=name, marks=[pytest.mark.slow] * (name != "all go, others come"))
        for name, values in EDITS.items()
    ],
)
def test_one_edit_is_followed(
    project: SpecProject, monkeypatch: pytest.MonkeyPatch, values: Sequence[float]
) -> None:
    edit_after_planning(monkeypatch, lambda: project.write_axis("c", *values))
    outcome = project.launch()
    assert outcome.failures == {}
    monkeypatch.undo()
    again = project.launch()
    assert again.counts.total == len(values) * 2
    assert sorted(row["candidate"] for row in project.leaderboard()) == sorted(project.registered())
    if values != EDITS["one comes"]:  # what comes is the next command's
        assert (again.counts.trained, again.run_ids) == (0, [])
        assert outcome.counts.trained == outcome.counts.total


def test_edits_again_and_again_end_in_one_message(
    project: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete() -> None:
        project.instance.delete_dynamic_partition("c_gamma", KEYS[0])

    read = edit_after_planning(monkeypatch, *[delete] * 4)
    with pytest.raises(InputError) as refused:
        project.launch()
    assert str(refused.value) == (
        f"{project.parameters}: the candidates changed 3 times while the search began to work on "
        "them; run it again when they stay the same: finished candidates are kept"
    )
    assert len(read) == 6
    monkeypatch.undo()
    assert project.launch().counts.trained == len(KEYS)


def test_a_sensor_deletes_and_registers_what_is_planned(
    launched: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between plan and reading, so that a candidate is not registered; and in another order."""
    apply = launch.apply_change
    times = 0

    def apply_change(*arguments: object) -> None:
        nonlocal times
        apply(*arguments)  # type: ignore[arg-type]
        times += 1
        if times == 1:
            launched.instance.delete_dynamic_partition("c_gamma", "C32.0_G0.016")

    monkeypatch.setattr(launch, "apply_change", apply_change)
    launched.write_axis("c", 0.5, 8, 128, 32)
    outcome = launched.launch()
    assert (outcome.counts.trained, outcome.counts.reused) == (2, 6)
    assert times == 2

    def move_to_the_end() -> None:
        launched.instance.delete_dynamic_partition("c_gamma", KEYS[0])
        launched.instance.add_dynamic_partitions("c_gamma", [KEYS[0]])

    edit_after_planning(monkeypatch, move_to_the_end)
    outcome = launched.launch(force=True)
    assert (outcome.counts.trained, outcome.failures) == (8, {})


def test_what_earlier_rounds_trained_counts_as_trained(
    launched: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ranges: the second one's candidates go while the first one works."""
    monkeypatch.setattr(ranges, "_BRIDGED", 0)
    for key in (KEYS[0], KEYS[5]):
        launched.store.delete(f"models/model_{key}.pkl")
    launched.write_axis("gamma", 0.016)
    run = launch.Launcher._run  # pyright: ignore[reportPrivateUsage]
    ran: list[str] = []

    def run_then_edit(self: launch.Launcher, job: str, *arguments: object) -> None:
        run(self, job, *arguments)  # type: ignore[arg-type]
        ran.append(job)
        if len(ran) == 1:
            launched.instance.delete_dynamic_partition("c_gamma", KEYS[4])
            launched.write_axis("c", 0.5, 8)

    monkeypatch.setattr(launch.Launcher, "_run", run_then_edit)
    launched.store.delete(f"models/model_{KEYS[4]}.pkl")
    outcome = launched.launch()
    assert ran == ["search", "search", "select"]
    assert (outcome.counts.trained, outcome.counts.reused) == (1, 1)


def test_an_edit_when_there_is_nothing_to_train(
    launched: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched.write_axis("c", 8, 128)
    run = launch.Launcher._run  # pyright: ignore[reportPrivateUsage]

    def edit_then_run(self: launch.Launcher, *arguments: object) -> None:
        launched.write_axis("c", 32)
        run(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(launch.Launcher, "_run", edit_then_run)
    outcome = launched.launch()
    assert (outcome.counts.trained, outcome.counts.reused, outcome.failures) == (2, 0, {})


def test_an_edit_to_a_wrong_file_is_said(
    project: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit_after_planning(monkeypatch, lambda: project.write_axis("c", "much"))
    with pytest.raises(launch.RunFailedError, match=r"c_parameters\.txt, line 1: C 'much'"):
        project.launch()


def test_a_range_is_contiguous_and_in_order() -> None:
    registered = ["a", "b", "c", "d"]
    for keys in (["a"], ["b", "c"], registered):
        assert is_range(keys, registered)
    for keys in (["a", "c"], ["b", "a"], ["x"], ["d", "x"]):
        assert not is_range(keys, registered)


@pytest.mark.parametrize("removed", [KEYS[0], KEYS[-1], KEYS[2]])
def test_candidates_that_are_removed_while_their_run_works(
    prepared: SpecProject, monkeypatch: pytest.MonkeyPatch, removed: str
) -> None:
    """Dagster would end the run with a failure, when all of its work is done."""
    record = Recorder.record

    def remove(recorder: Recorder, results: Sequence[TrialResult]) -> None:
        record(recorder, results)
        prepared.instance.delete_dynamic_partition("c_gamma", removed)

    monkeypatch.setattr(Recorder, "record", remove)
    result = prepared.materialize_candidates()

    assert result.success
    recorded = data_versions(prepared.instance, prepared.names.asset("scores"))
    assert recorded.keys() == set(KEYS)


@pytest.mark.parametrize("values", [(8, 128), (0.5, 8), (8,), (1, 2)])
def test_candidates_that_are_removed_before_their_run_begins(
    prepared: SpecProject, values: Sequence[float]
) -> None:
    """A queued run works on those of its candidates that are left, and on no others."""
    planned = prepared.registered()
    prepared.write_axis("c", *values)
    result = prepared.run("parameters", *CANDIDATES, keys=planned)

    assert result.success
    left = set(planned) & set(prepared.registered())
    assert len(left) == len({*values} & {0.5, 8, 128}) * 2
    for name in CANDIDATES:
        assert data_versions(prepared.instance, prepared.names.asset(name)).keys() == left
