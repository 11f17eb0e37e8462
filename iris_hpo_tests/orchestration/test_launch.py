"""What `iris-hpo run` does: what is left to do, in runs that the UI shows, and nothing else."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.errors import InputError
from iris_hpo.orchestration import ranges
from iris_hpo.orchestration.outcome import RunFailedError
from iris_hpo.orchestration.resources import Counts
from iris_hpo.orchestration.selection_status import selection_state
from iris_hpo.run_settings import SelectionSettings
from iris_hpo.training.artifacts import Workplace
from iris_hpo_tests.projects import KEYS, SpecProject

KEY = KEYS[3]
FRESH = {"FRESH"}


def counts(outcome: object) -> tuple[int, int, int]:
    """Trained, reused, failed."""
    found = outcome.counts  # type: ignore[attr-defined]
    assert found.total == found.trained + found.scored + found.reused + found.failed
    return found.trained, found.reused, found.failed


def events_per_key(project: SpecProject) -> dict[str, int]:
    return {key: len(found) for key, found in project.by_partition("models").items()}


def digests(project: SpecProject, folder: str = "") -> dict[str, str]:
    return {name: digest for name, (_, digest) in project.files(folder).items()}


class TestEverythingMissing:
    def test_all_is_made_in_two_runs(self, project: SpecProject) -> None:
        outcome = project.launch()
        assert counts(outcome) == (6, 0, 0)
        assert outcome.failures == {}
        assert len(outcome.run_ids) == 2
        assert project.run_ids() == set(outcome.run_ids)
        jobs = [project.instance.get_run_by_id(one).job_name for one in outcome.run_ids]  # type: ignore[union-attr]
        assert jobs == ["search", "select"]
        for asset in ("models", "scores"):
            assert set(project.staleness(asset).values()) == FRESH
        assert len(project.leaderboard()) == 6

    def test_progress_is_told_at_the_start_and_as_outcomes_come(
        self, launched_once: SpecProject
    ) -> None:
        done = [told.done for told in launched_once.told]
        assert (done[:2], done[-1]) == ([0, 1], 6)
        assert done == sorted(set(done))
        assert {told.total for told in launched_once.told} == {6}

    def test_it_equals_what_the_jobs_make(
        self, launched: SpecProject, finished: SpecProject
    ) -> None:
        assert digests(launched, "selection") == digests(finished, "selection")
        assert launched.data_version("selection") == finished.data_version("selection")

    def test_settings_reach_the_runs(self, project: SpecProject) -> None:
        project.launch(project.settings(folds=0, kernel="linear"))
        assert project.metadata("parameters")["setting kernel"] == "linear"
        assert project.metadata("split")["folds"] == 0
        assert project.score_card(KEY).fold_scores == []


class Asked(Exception):  # noqa: N818 - an answer
    """What was asked for, where the launch ends."""


class TestWorkersStartedAhead:
    """As many as what the fits read is worth: of six candidates, the file of 10,567 bytes."""

    @pytest.mark.parametrize(("folds", "workers"), [(0, 1), (2, 2), (5, 4)])
    def test_long_work_has_several(
        self, project: SpecProject, monkeypatch: pytest.MonkeyPatch, folds: int, workers: int
    ) -> None:
        def start_ahead(*asked: int, modules: object) -> None:  # noqa: ARG001
            raise Asked(*asked)

        monkeypatch.setattr("iris_hpo.engines.start_ahead", start_ahead)
        monkeypatch.setattr("iris_hpo.start_up._BYTES_PER_WORKER", 100_000)
        with pytest.raises(Asked) as asked:
            project.launch(project.settings(folds=folds), engine="loky", jobs=7)
        assert asked.value.args == (workers, 7)

    def test_there_are_none_for_nothing(
        self, launched: SpecProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr("iris_hpo.engines.start_ahead")
        assert counts(launched.launch(engine="loky")) == (0, 6, 0)


class TestUpToDate:
    def test_no_run_is_made(self, launched: SpecProject) -> None:
        runs, files = launched.run_ids(), launched.files()
        outcome = launched.launch()
        assert outcome.run_ids == []
        assert counts(outcome) == (0, 6, 0)
        assert launched.run_ids() == runs
        assert launched.files() == files

    def test_what_the_jobs_made_counts(self, searched: SpecProject) -> None:
        outcome = searched.launch()
        assert outcome.run_ids == []
        assert counts(outcome) == (0, 6, 0)

    def test_force_makes_all_anew(self, launched: SpecProject) -> None:
        before = launched.files("models")
        outcome = launched.launch(force=True)
        assert counts(outcome) == (6, 0, 0)
        after = launched.files("models")
        assert all(after[name][0] > before[name][0] for name in before)
        assert len(outcome.run_ids) == 1, "equal scores need no new selection"


class TestChangedInput:
    def test_of_an_added_value_exactly_its_candidates_are_made(self, launched: SpecProject) -> None:
        launched.write_axis("gamma", 0.016, 0.25, 1)
        outcome = launched.launch()
        assert counts(outcome) == (3, 6, 0)
        new = {"C0.5_G1.0", "C8.0_G1.0", "C128.0_G1.0"}
        assert events_per_key(launched) == dict.fromkeys((*KEYS, *new), 1)
        assert len(launched.leaderboard()) == 9

    def test_a_removed_value_is_forgotten_and_nothing_made(self, launched: SpecProject) -> None:
        launched.write_axis("c", 0.5, 8)
        outcome = launched.launch()
        assert counts(outcome) == (0, 4, 0)
        assert launched.registered() == list(KEYS[:4])
        assert {row["candidate"] for row in launched.leaderboard()} == set(KEYS[:4])
        assert launched.metadata("parameters")["removed"] == 2

        launched.write_axis("c", 0.5, 8, 128)
        files = launched.files("models")
        assert counts(launched.launch())[0] == 0
        assert launched.files("models") == files, "it came back and was not trained again"
        assert len(launched.leaderboard()) == 6

    def test_selected_models_of_removed_candidates_are_not_offered(
        self, launched: SpecProject
    ) -> None:
        champion = launched.metadata("selection")["champion"]
        value = champion.partition("_")[0].removeprefix("C")
        launched.write_axis("c", *{0.5, 8.0, 128.0} - {float(value)})
        launched.launch()
        assert champion not in {row["candidate"] for row in launched.leaderboard()}
        assert not (launched.artifacts / f"selection/models/model_{champion}.pkl").exists()
        assert launched.metadata("selection")["champion"] != champion

    def test_after_changed_data_all_is_made(self, launched: SpecProject) -> None:
        launched.change_data()
        assert counts(launched.launch()) == (6, 0, 0)
        for asset in ("models", "scores"):
            assert set(launched.staleness(asset).values()) == FRESH
        assert launched.launch().run_ids == []

    def test_other_folds_score_anew_and_train_nothing(self, launched: SpecProject) -> None:
        models = launched.files("models")
        outcome = launched.launch(launched.settings(folds=3))
        assert (counts(outcome), outcome.counts.scored) == ((0, 0, 0), 6)
        assert launched.files("models") == models
        assert {launched.metadata("models", key)["reused"] for key in KEYS} == {True}
        assert len(launched.score_card(KEY).fold_scores) == 3
        assert set(launched.staleness("models").values()) == FRESH

    def test_another_rule_only_selects(self, launched: SpecProject) -> None:
        outcome = launched.launch(rule="cv")
        assert counts(outcome) == (0, 6, 0)
        (run_id,) = outcome.run_ids
        run = launched.instance.get_run_by_id(run_id)
        assert run is not None
        assert run.job_name == "select"
        assert launched.metadata("selection")["rule"] == "cv"


class TestLostArtifacts:
    def test_all_of_them(self, launched: SpecProject) -> None:
        before = digests(launched)
        shutil.rmtree(launched.artifacts)
        assert counts(launched.launch()) == (6, 0, 0)
        after = digests(launched)
        assert set(after) == set(before)
        exact = {name for name in before if not name.startswith(("models/model_", "scores/"))}
        exact |= {name for name in before if name.endswith(".pkl")}
        assert {name: after[name] for name in exact} == {name: before[name] for name in exact}

    def test_one_model(self, launched: SpecProject) -> None:
        before = launched.model_file(KEY).read_bytes()
        launched.model_file(KEY).unlink()
        assert counts(launched.launch()) == (1, 5, 0)
        assert launched.model_file(KEY).read_bytes() == before
        assert events_per_key(launched) == {**dict.fromkeys(KEYS, 1), KEY: 2}

    def test_one_byte_of_a_model(self, launched: SpecProject) -> None:
        before = launched.model_file(KEY).read_bytes()
        content = bytearray(before)
        content[-20] ^= 4
        launched.model_file(KEY).write_bytes(content)
        assert counts(launched.launch()) == (1, 5, 0)
        assert launched.model_file(KEY).read_bytes() == before

    @pytest.mark.parametrize("name", ["champion.pkl", "champion.json", "leaderboard.csv", "models"])
    def test_a_part_of_the_selection(self, launched: SpecProject, name: str) -> None:
        before = digests(launched, "selection")
        path = launched.artifacts / "selection" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert selection_state(launched.study(), SelectionSettings("test_score")) == "out of date"
        outcome = launched.launch()
        assert counts(outcome) == (0, 6, 0)
        assert len(outcome.run_ids) == 1
        assert digests(launched, "selection") == before

    def test_a_changed_selected_model(self, launched: SpecProject) -> None:
        before = digests(launched, "selection")
        copy = next((launched.artifacts / "selection" / "models").iterdir())
        copy.write_bytes(copy.read_bytes()[::-1])
        assert len(launched.launch().run_ids) == 1
        assert digests(launched, "selection") == before


class TestAnotherInstance:
    def test_what_it_has_not_recorded_is_made_anew_and_comes_out_the_same(
        self, launched: SpecProject
    ) -> None:
        before = digests(launched, "")
        with dg.DagsterInstance.ephemeral() as other:
            elsewhere = SpecProject(launched.root, other, launched.spec)
            outcome = elsewhere.launch()
            assert counts(outcome) == (6, 0, 0)
            for asset in ("models", "scores"):
                assert set(elsewhere.staleness(asset).values()) == FRESH
                assert elsewhere.partition_status(asset)["materialized"] == set(KEYS)
            assert elsewhere.data_version("selection") == launched.data_version("selection")
        after = digests(launched, "")
        same = [name for name in before if name.endswith((".pkl", ".csv"))]
        assert len(same) == 6 + len(list((launched.artifacts / "selection/models").iterdir())) + 5
        assert {name: after[name] for name in same} == {name: before[name] for name in same}


@pytest.fixture(scope="module")
def scattered_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpecProject]:
    """A search of 19 candidates, of which every second score is lost; read only."""
    with dg.DagsterInstance.ephemeral() as instance:
        project = SpecProject.create(tmp_path_factory.mktemp("scattered") / "project", instance)
        project.write_axis("c", *range(1, 20))
        project.write_axis("gamma", 1)
        project.launch(project.settings(folds=0))
        for key in project.registered()[::2]:
            (project.artifacts / "scores" / f"{key}.json").unlink()
        yield project


@pytest.mark.parametrize(("bridged", "runs"), [(0, 8), (1, 1)])
def test_scattered_candidates_take_few_runs_and_counts_stay_right(
    scattered_once: SpecProject,
    tmp_path: Path,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    bridged: int,
    runs: int,
) -> None:
    monkeypatch.setattr(ranges, "_BRIDGED", bridged)
    project = scattered_once.copy(tmp_path / "project", instance)

    outcome = project.launch(project.settings(folds=0))
    assert (counts(outcome), outcome.counts.scored) == ((0, 9, 0), 10)
    assert len(outcome.run_ids) == runs, "equal scores need no new selection"
    assert project.told[-1].done == project.told[-1].total == 19


def test_a_killed_run_is_cleared_away_by_a_run_that_has_nothing_to_do(
    launched: SpecProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = (
        "import os, signal\n"
        "from iris_hpo.engines.leftovers import temporary_folder\n"
        "with temporary_folder() as folder:\n"
        "    (folder / 'work').touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=False)
    [folder] = tmp_path.glob("iris_hpo-*")
    assert (folder / "work").exists()
    before = time.time() - 5
    os.utime(folder, (before, before))

    assert launched.launch().run_ids == []
    assert not folder.exists()


@pytest.mark.parametrize("ending", [None, RuntimeError("the run fails")])
def test_the_folder_of_a_call_that_was_ended_goes_with_its_run(
    project: SpecProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: Exception | None
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    call = Workplace()
    place, number = call.root.name.removeprefix("iris_hpo_call-").split("-")[:2]
    call.close()
    dead = subprocess.Popen(["true"])
    dead.wait()

    def note_progress(_: object, so_far: Counts) -> None:
        (tmp_path / f"iris_hpo_call-{place}-{dead.pid}-x").mkdir(exist_ok=True)
        if ending and so_far.done:
            raise ending

    monkeypatch.setattr(project, "note_progress", note_progress)

    with pytest.raises(RunFailedError) if ending else nullcontext():
        project.launch()

    assert number == str(os.getpid())
    assert not list(tmp_path.glob("iris_hpo_call-*"))


class TestErrors:
    def test_bad_input_is_said_and_changes_nothing(self, launched: SpecProject) -> None:
        runs = launched.run_ids()
        launched.write_axis("c", 0.5, "much")
        with pytest.raises(InputError, match="line 2: C 'much' is not a number"):
            launched.launch()
        assert launched.run_ids() == runs
        assert launched.registered() == list(KEYS)

    def test_a_run_that_fails_as_a_whole_raises_its_message(self, project: SpecProject) -> None:
        with pytest.raises(RunFailedError, match="set folds to at least 2"):
            project.launch(project.settings(folds=0), rule="cv")
