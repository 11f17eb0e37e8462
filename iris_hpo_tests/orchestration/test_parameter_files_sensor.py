"""`parameter_files_sensor`: every branch, on the real sensor definition."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from iris_hpo.orchestration import ranges, ticks
from iris_hpo.orchestration.names import CODE_VERSIONS
from iris_hpo.orchestration.partitions import PartitionChange, apply_change
from iris_hpo.orchestration.selection_status import choosing_fingerprint
from iris_hpo.reports import DEFAULT_REPORTS
from iris_hpo.spec_choosing import selection_settings
from iris_hpo.training.estimators import Step
from iris_hpo_tests.orchestration.following import (
    Follower,
    assets_of,
    counted_statements,
    ends_of,
    partition_requests,
)
from iris_hpo_tests.projects import KEYS, SpecProject, small_spec, succeed

NOTES = "c_gamma_from_files"
NEW = ["C0.5_G1.0", "C8.0_G1.0", "C128.0_G1.0"]
"""What a third value of gamma adds."""


@pytest.fixture
def idle(project: SpecProject) -> Follower:
    """On a project of which nothing was run."""
    return Follower(project, "parameter_files_sensor")


@pytest.fixture
def following(scored: SpecProject) -> Follower:
    """On a project whose candidates are scored; the sensor knows them."""
    follower = Follower(scored, "parameter_files_sensor")
    assert follower.tick() == []
    return follower


def assert_nothing_asked(tick: object, message: str = "") -> None:
    """Demand a tick that skips, and says why."""
    assert not getattr(tick, "run_requests", None)
    assert not getattr(tick, "dynamic_partitions_requests", None)
    reason = str(getattr(tick, "skip_message", ""))
    assert message in reason
    assert "empty result" not in reason, "Dagster's own words, where a tick gives no reason"


class TestFirstTick:
    def test_all_is_registered_and_requested(self, idle: Follower) -> None:
        tick = idle.look()
        assert partition_requests(tick) == {
            ("add", NOTES): list(KEYS),
            ("add", "c_gamma"): list(KEYS),
        }
        (request,) = tick.run_requests
        assert request.job_name == "search"
        assert assets_of(request) == ["raw_data", "split", "parameters", "models", "scores"]
        assert ends_of(request) == (KEYS[0], KEYS[-1])
        assert tick.skip_message is None

    def test_the_cursor_is_small_json_with_the_digest_of_the_run_key(self, idle: Follower) -> None:
        (request,) = idle.look().run_requests
        assert idle.cursor is not None
        cursor = json.loads(idle.cursor)
        assert set(cursor) == {"digest", "described", "edits"}
        assert len(cursor["digest"]) == 64
        assert str(request.run_key).startswith(cursor["digest"])

    def test_nothing_is_changed_by_looking(self, idle: Follower) -> None:
        idle.look()
        assert idle.project.registered() == []

    def test_a_search_whose_events_were_lost_is_requested_again(self, idle: Follower) -> None:
        """Dagster still has the runs, and requests no key twice."""
        idle.tick()
        idle.project.instance.event_log_storage.wipe()

        (request,) = idle.tick()

        assert ends_of(request) == (KEYS[0], KEYS[-1])

    def test_its_run_makes_the_search(self, idle: Follower) -> None:
        idle.tick()
        assert idle.project.partition_status("scores")["materialized"] == set(KEYS)
        assert_nothing_asked(idle.look(), "6 candidates, nothing new")

    def test_data_that_cannot_be_read_registers_nothing(self, idle: Follower) -> None:
        data = idle.project.data_file
        content = data.read_bytes()
        data.write_bytes(b"1,2,3,4,a\n1,2,x,4,b\n")
        assert f"{data}, line 2, column 3: 'x' is not a number" in idle.refused()
        assert idle.cursor is None

        data.write_bytes(content)
        assert len(idle.look().run_requests) == 1

    def test_after_the_command_there_is_nothing_to_do(self, scored: SpecProject) -> None:
        assert_nothing_asked(Follower(scored, "parameter_files_sensor").look())

    def test_without_a_folder_nothing_happens(self, idle: Follower) -> None:
        idle.project.parameters.rename(idle.project.root / "elsewhere")
        message = f"{idle.project.parameters}: this folder of parameter files cannot be read"
        assert message in idle.refused()
        assert idle.cursor is None


class TestFilesThatAreBeingWritten:
    """At the first look 0.25 is cut to 0.2."""

    @pytest.fixture
    def cut(self, following: Follower, monkeypatch: pytest.MonkeyPatch) -> Path:
        project = following.project
        project.write_axis("gamma", 0.016, "0.2")
        file = project.parameters / "gamma_parameters.txt"

        def go_on(_: float) -> None:
            project.write_axis("gamma", 0.016, 0.25, "1.0")

        monkeypatch.setattr(ticks, "sleep", go_on)
        return file

    def test_are_left_to_the_next_tick(self, following: Follower, cut: Path) -> None:
        cursor = following.cursor
        assert "0.2\n" in cut.read_text()
        assert_nothing_asked(following.look(), "the parameter files are being written")
        assert following.cursor == cursor

        tick = following.look()
        assert partition_requests(tick) == {("add", NOTES): NEW, ("add", "c_gamma"): NEW}
        assert len(tick.run_requests) == 1


class TestNothingNew:
    def test_it_says_so(self, following: Follower) -> None:
        following.look()
        cursor = following.cursor
        assert_nothing_asked(following.look(), "6 candidates, nothing new")
        assert following.cursor == cursor

    def test_time_stamps_and_spelling_do_not_matter(self, following: Follower) -> None:
        following.project.write_axis("c", "8.0", "128.00", "5e-1", "# as before")
        following.project.write_axis("gamma", 0.25)
        following.project.write_axis("gamma", 0.016, suffix="_more")
        assert_nothing_asked(following.look(), "6 candidates, nothing new")

    def test_hand_added_candidates_are_none_of_its_business(self, following: Follower) -> None:
        following.project.instance.add_dynamic_partitions("c_gamma", ["C1.0_G1.0"])
        assert_nothing_asked(following.look(), "6 candidates, nothing new")


class TestValueAdded:
    def test_exactly_the_new_ones_are_requested(self, following: Follower) -> None:
        following.project.write_axis("gamma", 1, suffix="_fine")
        tick = following.look()
        assert partition_requests(tick) == {("add", NOTES): NEW, ("add", "c_gamma"): NEW}
        (request,) = tick.run_requests
        assert request.job_name == "search"
        assert assets_of(request) == ["parameters", "models", "scores"]
        assert ends_of(request) == (NEW[0], NEW[-1])

    def test_the_others_keep_their_runs(self, following: Follower) -> None:
        before = {
            key: len(found) for key, found in following.project.by_partition("models").items()
        }
        following.project.write_axis("gamma", 1, suffix="_fine")
        following.tick()
        after = {key: len(found) for key, found in following.project.by_partition("models").items()}
        assert after == {**before, **dict.fromkeys(NEW, 1)}
        assert_nothing_asked(following.look(), "9 candidates, nothing new")

    def test_explicit_candidates_are_not_crossed(self, following: Follower) -> None:
        (following.project.parameters / "random.csv").write_text("C,gamma\n1,1\n2,2\n3,3\n")
        tick = following.look()
        assert partition_requests(tick)["add", "c_gamma"] == ["C1.0_G1.0", "C2.0_G2.0", "C3.0_G3.0"]
        (request,) = tick.run_requests
        assert ends_of(request) == ("C1.0_G1.0", "C3.0_G3.0")

    def test_a_hand_added_candidate_that_files_name_too_is_made(self, following: Follower) -> None:
        following.project.instance.add_dynamic_partitions("c_gamma", [NEW[1]])
        following.project.write_axis("gamma", 1, suffix="_fine")
        tick = following.look()
        assert partition_requests(tick)["add", "c_gamma"] == [NEW[0], NEW[2]]
        (request,) = tick.run_requests
        assert ends_of(request) == (NEW[1], NEW[2])

    def test_failed_candidates_are_not_tried_again(
        self, tmp_path: Path, instance: dg.DagsterInstance
    ) -> None:
        folder = tmp_path / "picky"
        steps = (Step("iris_hpo_tests.orchestration.estimators.Picky"),)
        project = SpecProject.create(folder, instance, replace(small_spec(folder), steps=steps))
        project.write_axis("gamma", 0.016)
        follower = Follower(project, "parameter_files_sensor")
        follower.tick()
        assert project.partition_status("scores")["failed"] == {"C8.0_G0.016"}

        project.write_axis("c", 0.5, 8, 128, 256)
        (request,) = follower.tick()
        assert ends_of(request) == ("C256.0_G0.016", "C256.0_G0.016")

    @pytest.mark.parametrize(("bridged", "runs"), [(0, 8), (1, 1)])
    def test_scattered_candidates_make_few_runs(
        self, idle: Follower, monkeypatch: pytest.MonkeyPatch, bridged: int, runs: int
    ) -> None:
        """Every other registered candidate is a person's, so the files' do not hang together."""
        monkeypatch.setattr(ranges, "_BRIDGED", bridged)
        values = list(range(1, 21))
        idle.project.write_axis("c", *values)
        idle.project.write_axis("gamma", 1)
        ours = [f"C{value}.0_G1.0" for value in values]
        theirs = [f"C{value}.0_G2.0" for value in values]
        apply_change(idle.project.study(), PartitionChange(tuple(ours), ()))
        for key in ours:
            idle.project.instance.delete_dynamic_partition("c_gamma", key)
        mixed = [key for pair in zip(ours, theirs, strict=True) for key in pair]
        idle.project.instance.add_dynamic_partitions("c_gamma", mixed)

        requests = idle.look().run_requests
        assert len(requests) == runs
        assert len({request.run_key for request in requests}) == runs
        spans = [
            mixed[mixed.index(str(start)) : mixed.index(str(end)) + 1]
            for start, end in map(ends_of, requests)
        ]
        covered = [key for span in spans for key in span]
        assert set(ours) <= set(covered)
        assert len(covered) == len(set(covered))


class TestValueRemoved:
    def test_a_new_selection_is_requested_and_no_candidate(self, following: Follower) -> None:
        following.project.write_axis("c", 0.5, 8)
        tick = following.look()
        gone = [KEYS[4], KEYS[5]]
        assert partition_requests(tick) == {("delete", NOTES): gone, ("delete", "c_gamma"): gone}
        parameters, select = tick.run_requests
        assert (parameters.job_name, assets_of(parameters)) == ("search", ["parameters"])
        assert ends_of(parameters) == (None, None)
        assert select.job_name == "select"
        assert select.run_key != parameters.run_key

    def test_the_selection_forgets_it(self, following: Follower) -> None:
        following.project.write_axis("c", 0.5, 8)
        following.tick()
        assert {row["candidate"] for row in following.project.leaderboard()} == set(KEYS[:4])
        assert following.project.metadata("parameters")["removed"] == 2
        assert_nothing_asked(following.look(), "4 candidates, nothing new")

    def test_a_hand_added_candidate_stays(self, following: Follower) -> None:
        following.project.instance.add_dynamic_partitions("c_gamma", ["C128.0_G9.0"])
        following.project.write_axis("c", 0.5, 8)
        following.tick()
        assert following.project.registered() == [*KEYS[:4], "C128.0_G9.0"]

    def test_before_anything_was_run_nothing_is_selected(self, idle: Follower) -> None:
        idle.register(idle.look().dynamic_partitions_requests)
        idle.project.write_axis("c", 0.5)
        tick = idle.look()
        assert partition_requests(tick)["delete", "c_gamma"] == list(KEYS[2:])
        (request,) = tick.run_requests
        assert request.job_name == "search"
        assert ends_of(request) == (KEYS[0], KEYS[1])


class TestRemovedAndAddedAtOnce:
    def test_both_happen_and_only_the_new_are_made(self, following: Follower) -> None:
        following.project.write_axis("c", 0.5, 8, 256)
        tick = following.look()
        new, gone = ["C256.0_G0.016", "C256.0_G0.25"], [KEYS[4], KEYS[5]]
        assert partition_requests(tick) == {
            ("add", NOTES): new,
            ("add", "c_gamma"): new,
            ("delete", "c_gamma"): gone,
            ("delete", NOTES): gone,
        }
        (request,) = tick.run_requests
        assert assets_of(request) == ["parameters", "models", "scores"]
        assert ends_of(request) == (new[0], new[1])

    def test_its_run_works_on_what_is_registered_then(self, following: Follower) -> None:
        following.project.write_axis("c", 256, 512)
        following.tick()
        project = following.project
        assert len(project.registered()) == 4
        assert project.partition_status("scores")["materialized"] == set(project.registered())


class TestComingBack:
    def test_each_change_is_acted_upon_though_the_files_are_as_before(
        self, following: Follower
    ) -> None:
        """Run keys are remembered for ever: the same files must not give the same keys."""
        project = following.project
        counts = []
        files = []
        for _ in range(2):
            path = project.write_axis("gamma", 1, suffix="_fine")
            counts.append(len(following.tick()))
            assert len(project.registered()) == 9
            files.append(project.files("models"))
            path.unlink()
            counts.append(len(following.tick()))
            assert len(project.leaderboard()) == 6
        assert counts == [1, 2, 1, 2]
        assert len(set(following.launched)) == 6
        assert files[0] == files[1], "nothing is trained again"
        assert {project.metadata("models", key)["reused"] for key in NEW} == {True}


class TestBadFiles:
    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("gamma_parameters.txt", b"0.016\nfast\n", "line 2: gamma 'fast' is not a number"),
            ("gamma_parameters.txt", b"0.016\n-1\n", "line 2: gamma '-1' is not greater than zero"),
            ("gamma_parameters.txt", b"", "holds no value"),
            ("gamma_parameters.txt", b"0.016\n\xff\n", "line 2: byte 0xff is not UTF-8 text"),
            ("delta_parameters.txt", b"1\n", "does not begin with a known axis"),
            ("more.csv", b"C,gamma\n1,2\n3\n", "line 3: has 1 cell"),
        ],
    )
    def test_they_change_nothing_until_they_are_right(
        self, following: Follower, name: str, content: bytes, message: str
    ) -> None:
        path = following.project.parameters / name
        before = path.read_bytes() if path.exists() else None
        cursor = following.cursor
        path.write_bytes(content)
        for _ in range(2):
            refusal = following.refused()
            assert message in refusal
            assert str(path) in refusal
        assert following.cursor == cursor
        assert following.project.registered() == list(KEYS)

        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)
        assert_nothing_asked(following.look(), "6 candidates, nothing new")

    def test_recovery_acts_on_what_came_meanwhile(self, following: Follower) -> None:
        path = following.project.write_axis("gamma", "one", suffix="_fine")
        assert "'one'" in following.refused()
        path.write_text("1\n")
        (request,) = following.tick()
        assert ends_of(request) == (NEW[0], NEW[-1])

    def test_a_folder_that_vanishes_deletes_nothing(self, following: Follower) -> None:
        cursor = following.cursor
        folder, elsewhere = following.project.parameters, following.project.root / "elsewhere"
        folder.rename(elsewhere)
        assert f"{folder}: this folder of parameter files cannot" in following.refused()
        assert following.cursor == cursor
        elsewhere.rename(folder)
        assert_nothing_asked(following.look(), "6 candidates, nothing new")

    def test_an_axis_that_vanishes_deletes_nothing(self, following: Follower) -> None:
        (following.project.parameters / "c_parameters.txt").unlink()
        assert "the axis 'C' has no values" in following.refused()
        assert following.project.registered() == list(KEYS)


def _no_tags(*_: object) -> dict[str, str]:
    return {}


def _three(_: object) -> int:
    return 3


class TestHowTheSearchChooses:
    """A selection is requested when the search chooses otherwise, such as after an upgrade."""

    @pytest.fixture
    def chosen(self, searched: SpecProject) -> Follower:
        """On a project with a selection; the sensor knows its candidates."""
        follower = Follower(searched, "parameter_files_sensor")
        assert [follower.tick() for _ in range(2)] == [[], []]
        return follower

    def with_rule(self, follower: Follower, rule: str, **changed: Any) -> None:
        project = follower.project
        follower.project = SpecProject(
            project.root, project.instance, replace(project.spec, rule=rule, **changed)
        )

    def without_tag(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Leave out what earlier versions did not record of a selection."""
        monkeypatch.setattr("iris_hpo.orchestration.reselection.latest_tags", _no_tags)

    def test_another_rule_is_followed_once(self, chosen: Follower) -> None:
        self.with_rule(chosen, "cv")

        (request,) = chosen.tick()

        assert request.job_name == "select"
        assert chosen.project.metadata("selection")["rule"] == "cv"
        assert_nothing_asked(chosen.look())

    def test_each_change_of_how_it_chooses_is_followed(
        self, chosen: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project = chosen.project
        unchanged = chosen.cursor
        changes: list[dict[str, Any]] = [
            {"rule": "cv"},
            {"rule": "one_standard_error"},
            {"rule": "within"},
            {"rule": "within", "within": "2%"},
            {"rule": "test_score", "metric": "balanced_accuracy"},
            {"rule": "test_score", "ensemble": True},
            {"rule": "test_score", "refit": "all"},
            {"rule": "test_score", "reports": DEFAULT_REPORTS},
        ]
        for changed in changes:
            chosen.project, chosen.cursor = project, unchanged
            self.with_rule(chosen, **changed)
            assert [one.job_name for one in chosen.look().run_requests] == ["select"], changed

        chosen.project, chosen.cursor = project, unchanged
        monkeypatch.setitem(CODE_VERSIONS, "selection", "2")
        assert [one.job_name for one in chosen.look().run_requests] == ["select"]

    @pytest.mark.parametrize("is_known", [True, False])
    def test_a_standard_error_of_an_earlier_version_is_computed_again(
        self, chosen: Follower, monkeypatch: pytest.MonkeyPatch, *, is_known: bool
    ) -> None:
        """It counted the folds of all repeats."""
        chosen.project.run("selection", selection={"rule": "one_standard_error"})
        monkeypatch.setattr("iris_hpo.orchestration.reselection.CHANGED", "no such metadata")
        self.without_tag(monkeypatch)
        self.with_rule(chosen, "one_standard_error")
        spec = chosen.project.spec
        cursor = json.loads(str(chosen.cursor))
        cursor["choosing"] = choosing_fingerprint(spec, selection_settings(spec, folds=2))
        if not is_known:
            del cursor["choosing"]
        chosen.cursor = json.dumps(cursor)
        assert_nothing_asked(chosen.look())

        chosen.cursor = json.dumps(cursor)
        monkeypatch.setattr("iris_hpo.orchestration.reselection._repeats", _three)

        assert [one.job_name for one in chosen.look().run_requests] == ["select"]

    def test_a_selection_says_how_it_was_chosen(self, chosen: Follower) -> None:
        """So it is not made again where a cursor is lost, or the command has selected."""
        self.with_rule(chosen, "one_standard_error")
        succeed(chosen.project.run("selection"))
        before = chosen.cursor
        for cursor in (before, None):
            chosen.cursor = cursor
            assert_nothing_asked(chosen.look())

    def test_a_cursor_of_an_earlier_version_has_the_rule_of_the_selection(
        self, chosen: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.without_tag(monkeypatch)
        cursor = json.loads(str(chosen.cursor))
        del cursor["choosing"]
        chosen.cursor = json.dumps(cursor)
        assert_nothing_asked(chosen.look())

        chosen.cursor = json.dumps(cursor)
        self.with_rule(chosen, "cv")

        assert [request.job_name for request in chosen.look().run_requests] == ["select"]

    def test_what_a_run_has_chosen_stands(self, chosen: Follower) -> None:
        chosen.project.run("selection", selection={"rule": "within"})
        self.with_rule(chosen, "cv")

        assert_nothing_asked(chosen.look())


@pytest.mark.parametrize("cursor", ["{not json", "[]", '"text"', "7", "", '{"digest": 7}'])
def test_a_cursor_that_makes_no_sense_is_none(following: Follower, cursor: str) -> None:
    good = following.cursor
    following.cursor = cursor
    assert_nothing_asked(following.look())
    assert following.cursor == good


def test_a_lost_cursor_finds_what_was_never_tried(idle: Follower) -> None:
    """Registered, but their run was lost before it began: they are asked for again."""
    first = idle.look()
    idle.register(first.dynamic_partitions_requests)
    idle.cursor = None
    again = idle.look()
    assert not again.dynamic_partitions_requests
    assert [ends_of(one) for one in again.run_requests] == [(KEYS[0], KEYS[-1])]
    assert [one.run_key for one in again.run_requests] == [
        one.run_key for one in first.run_requests
    ], "so that the daemon makes it only once"


def test_a_tick_asks_the_storage_as_often_for_many_candidates_as_for_few(
    project: SpecProject, instance: dg.DagsterInstance
) -> None:
    def statements(*values: int) -> tuple[int, int]:
        project.write_axis("c", *values)
        follower = Follower(project, "parameter_files_sensor")
        with counted_statements() as first:
            tick = follower.look()
        follower.register(tick.dynamic_partitions_requests)
        with counted_statements() as second:
            assert_nothing_asked(follower.look(), "nothing new")
        return len(first), len(second)

    Follower(project, "parameter_files_sensor").look()  # the first of all notes its project
    few = statements(1)
    many = statements(*range(1, 400))
    assert len(instance.get_dynamic_partitions("c_gamma")) == 798
    assert many == few
    assert min(few) > 0


def test_a_slow_event_log_is_noted_in_the_first_tick(
    project: SpecProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as stock:
        slow = Follower(replace(project, instance=stock), "parameter_files_sensor")
        fast = Follower(project, "parameter_files_sensor")
        for follower, notes in ((slow, 1), (slow, 0), (fast, 0)):
            capsys.readouterr()
            follower.look()
            assert capsys.readouterr().err.count("iris_hpo.event_log") == notes
