"""Two projects with a search of one name on one instance do not undo each other."""

import json
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from iris_hpo.errors import InputError
from iris_hpo.orchestration import claims
from iris_hpo.orchestration.study import Study
from iris_hpo.parts import Part
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.spec import SearchSpec
from iris_hpo_tests.orchestration.following import Follower, counted_statements
from iris_hpo_tests.projects import (
    DAGSTERS_WARNINGS,
    KEYS,
    SpecProject,
    YamlProject,
    failure_text,
    small_spec,
)

SpecOf = Callable[[SpecProject, int], SearchSpec]

BELONGS = "this Dagster instance already has the search of {}, with other candidates"
ADVICE = "Give this search another name, or this project an instance of its own (DAGSTER_HOME)"


@pytest.fixture
def first(project: SpecProject) -> SpecProject:
    """A project whose candidates are registered and nothing else is done."""
    Follower(project, "parameter_files_sensor").register(
        Follower(project, "parameter_files_sensor").look().dynamic_partitions_requests
    )
    assert project.registered() == list(KEYS)
    return project


@pytest.fixture
def second(first: SpecProject, tmp_path: Path) -> SpecProject:
    """Another project on the same instance, with one value more and one less."""
    made = SpecProject.create(tmp_path / "second", first.instance)
    made.write_axis("c", 0.5, 8, 32)
    return made


def tick(project: SpecProject) -> Any:
    return Follower(project, "parameter_files_sensor").look()


def is_free(project: SpecProject) -> bool:
    """Whether a claim would be granted."""
    try:
        claims.check_claim(project.study())
    except InputError:
        return False
    return True


def refused(project: SpecProject) -> str:
    return Follower(project, "parameter_files_sensor").refused()


class TestBothAreThere:
    def test_the_second_ones_ticks_fail(self, first: SpecProject, second: SpecProject) -> None:
        message = refused(second)
        assert BELONGS.format(first.root) in message
        assert f"with those of {second.root}, each project would delete" in message
        assert ADVICE in message
        assert message.endswith(f"needs the search, move {first.parameters} away")

    def test_the_first_ones_ticks_go_on(self, first: SpecProject, second: SpecProject) -> None:
        for _ in range(2):
            refused(second)
            assert not tick(first).dynamic_partitions_requests
        assert first.registered() == list(KEYS)

    def test_new_data_in_the_second_asks_for_no_run(
        self, first: SpecProject, second: SpecProject
    ) -> None:
        follower = Follower(second, "raw_data_sensor")
        follower.look()
        second.change_data()
        assert BELONGS.format(first.root) in follower.refused()

    def test_the_command_is_refused(self, first: SpecProject, second: SpecProject) -> None:
        with pytest.raises(InputError, match=f"search of {first.root}, with other"):
            second.launch()
        assert first.registered() == list(KEYS)
        assert second.run_ids() == set()

    @pytest.mark.parametrize("asset", ["raw_data", "split", "parameters", "models", "selection"])
    def test_nothing_is_materialised(
        self, first: SpecProject, second: SpecProject, asset: str
    ) -> None:
        result = second.run(asset, keys=KEYS if asset == "models" else ())
        assert BELONGS.format(first.root) in failure_text(result)
        assert first.registered() == list(KEYS)
        assert second.materializations(asset) == []

    def test_other_names_are_kept_apart(self, first: SpecProject, second: SpecProject) -> None:
        second.spec = replace(second.spec, name="other", partitions="")
        shutil.move(second.parameters, second.root / "data" / "other")
        shutil.move(second.root / "data" / "other", second.parameters / "other")
        claims.claim_search(second.study())
        assert not tick(first).dynamic_partitions_requests

    def test_partitions_of_another_name(self, first: SpecProject, second: SpecProject) -> None:
        """The assets are the same, so that the second would replace the results of the first."""
        second.spec = replace(second.spec, partitions="mine")
        assert refused(second).startswith(
            f"this Dagster instance already has the search of {first.root}, with the partitions "
            f"'c_gamma'; with 'mine' of {second.root}, each project would replace the results"
        )
        result = second.run("selection")
        assert "with the partitions 'c_gamma'" in failure_text(result)

    def test_the_partitions_of_another_search(
        self, first: SpecProject, second: SpecProject
    ) -> None:
        folder = "parameters"
        second.spec = replace(second.spec, name="other", parameters_folder=folder)
        with pytest.raises(InputError) as error:
            claims.claim_search(second.study())
        message = str(error.value)
        assert f"the search of {first.root}, with the same partitions 'c_gamma' and" in message
        assert "Give the partitions of this search 'other' another name" in message


class TestTheSameCandidatesMakeOtherResults:
    """Each project would replace the results of the other, though no candidate changes."""

    @pytest.fixture
    def alike(self, first: SpecProject, tmp_path: Path) -> SpecProject:
        """Another project with the same files."""
        return SpecProject.create(tmp_path / "second", first.instance)

    def check_refused(self, first: SpecProject, other: SpecProject, difference: str) -> None:
        message = (
            f"the search of {first.root}, with {difference}; with those of {other.root}, each "
            "project would replace the results of the other. " + ADVICE
        )
        assert message in refused(other)
        assert message in failure_text(other.run("models", keys=KEYS))
        with pytest.raises(InputError) as launched:
            other.launch()
        assert message in str(launched.value)
        assert tick(first)
        assert is_free(first)

    def test_other_data(self, first: SpecProject, alike: SpecProject) -> None:
        alike.change_data()
        self.check_refused(first, alike, "other data")

    def test_another_data_file(self, first: SpecProject, alike: SpecProject) -> None:
        alike.spec = replace(alike.spec, data_file="wine.csv")
        alike.data_file.rename(alike.data_file.with_name("wine.csv"))
        self.check_refused(first, alike, "another data file, estimator or axis")

    def test_both_have_the_same_new_data(self, first: SpecProject, alike: SpecProject) -> None:
        for project in (alike, first):
            project.change_data()
        assert is_free(alike)

    @pytest.mark.parametrize("gone", [".", "data/parameters", "data/noisy_iris.csv"])
    def test_the_first_no_longer_has_them(
        self, first: SpecProject, alike: SpecProject, gone: str
    ) -> None:
        alike.change_data()
        assert not is_free(alike)
        (first.root / gone).rename(first.root.with_name("elsewhere"))
        assert is_free(alike)


class TestNothingIsUndone:
    def test_the_same_candidates_are_shared(self, first: SpecProject, second: SpecProject) -> None:
        second.write_axis("c", 128, 8, 0.5)
        tick(second)
        first.write_axis("c", 8)
        first.instance.delete_dynamic_partition("c_gamma", KEYS[0])
        tick(first)  # it still is the first one's
        assert BELONGS.format(first.root) in refused(second)

    def test_both_edited_alike_and_the_second_looks_first(
        self, first: SpecProject, second: SpecProject
    ) -> None:
        for one in (first, second):
            one.write_axis("c", 32)
        assert tick(second).dynamic_partitions_requests

    def test_its_own_files_edited_and_its_folders_given(
        self, first: SpecProject, tmp_path: Path
    ) -> None:
        first.write_axis("c", 32)
        shutil.copytree(first.root / "data", tmp_path / "data")
        given = first.storage.model_copy(update={"data": str(tmp_path / "data")})
        for storage in (given, first.storage):
            claims.claim_search(Study(first.spec, first.instance, storage))

    def test_an_idle_tick_asks_once_and_writes_nothing(self, first: SpecProject) -> None:
        tick(first)
        with counted_statements() as sent:
            claims.claim_search(first.study())
        (statement,) = (one for one in sent if not one.startswith("PRAGMA"))
        assert statement.startswith("SELECT kvs")


class Line:
    """Proposes as many values of C as it is made with."""

    def __init__(self, number: int) -> None:
        self.number = number

    def propose(self, space: ParameterSpace, *_: object) -> list[Candidate]:
        return [space.candidate([index + 1.0, 0.5]) for index in range(self.number)]


def sampled_spec(project: SpecProject, number: int) -> SearchSpec:
    """A search with a sampler of its own that proposes some candidates."""
    return replace(project.spec, sampler=Part(f"{__name__}.Line", {"number": number}))


def described_spec(project: SpecProject, number: int) -> SearchSpec:
    """A search whose description lists the values."""
    listed = [tuple(index + 1.0 for index in range(number)), (0.5,)]
    axes = zip(project.spec.axes, listed, strict=True)
    return replace(project.spec, axes=[replace(axis, values=values) for axis, values in axes])


@pytest.mark.parametrize("spec_of", [sampled_spec, described_spec])
class TestWithoutParameterFiles:
    """Only what is registered is known of the candidates of another project."""

    @pytest.fixture
    def owner(self, project: SpecProject, spec_of: SpecOf) -> SpecProject:
        project.spec = spec_of(project, 2)
        shutil.rmtree(project.parameters)
        Follower(project, "parameter_files_sensor").register(
            tick(project).dynamic_partitions_requests
        )
        assert project.registered() == ["C1.0_G0.5", "C2.0_G0.5"]
        return project

    @pytest.fixture
    def another(self, owner: SpecProject, spec_of: SpecOf, tmp_path: Path) -> SpecProject:
        made = SpecProject.create(tmp_path / "second", owner.instance)
        shutil.rmtree(made.parameters)
        made.spec = spec_of(made, 3)
        return made

    def test_other_candidates_are_refused(self, owner: SpecProject, another: SpecProject) -> None:
        message = refused(another)
        assert BELONGS.format(owner.root) in message
        assert message.endswith(f"needs the search, move {owner.root} away")
        assert not tick(owner).dynamic_partitions_requests

    def test_tables_beside_the_first_are_no_candidates(
        self, owner: SpecProject, another: SpecProject
    ) -> None:
        (owner.root / "notes.csv").write_text("c,gamma\n3,0.5\n")
        assert BELONGS.format(owner.root) in refused(another)

    def test_the_same_candidates_are_shared(self, another: SpecProject, spec_of: SpecOf) -> None:
        another.spec = spec_of(another, 2)
        assert not tick(another).dynamic_partitions_requests

    def test_a_project_that_was_moved_gives_way(
        self, owner: SpecProject, another: SpecProject
    ) -> None:
        owner.root.rename(owner.root.with_name("elsewhere"))
        assert tick(another).dynamic_partitions_requests


class TestTheFirstIsGone:
    @pytest.mark.parametrize("gone", [".", "data/parameters"])
    def test_deleted_moved_or_without_the_search(
        self, first: SpecProject, second: SpecProject, gone: str
    ) -> None:
        (first.root / gone).rename(first.root.with_name("elsewhere"))
        assert tick(second).dynamic_partitions_requests

    def test_moved_itself(self, first: SpecProject, tmp_path: Path) -> None:
        moved = first.root.rename(tmp_path / "moved")
        there = SpecProject(moved, first.instance, small_spec(moved))
        there.write_axis("c", 32)
        assert tick(there).dynamic_partitions_requests

    def test_it_comes_back_when_the_second_has_taken_over(
        self, first: SpecProject, second: SpecProject, tmp_path: Path
    ) -> None:
        first.root.rename(tmp_path / "away")
        tick(second)
        (tmp_path / "away").rename(first.root)
        Follower(second, "parameter_files_sensor").register(
            tick(second).dynamic_partitions_requests
        )
        assert BELONGS.format(second.root) in refused(first)


class TestAnotherMachine:
    """Its folders cannot be looked at; only its sensors show that it still works."""

    @pytest.fixture
    def away(
        self, first: SpecProject, second: SpecProject, monkeypatch: pytest.MonkeyPatch
    ) -> SpecProject:
        del first
        monkeypatch.setattr(socket, "gethostname", lambda: "another")
        return second

    def test_its_sensor_has_just_looked(self, first: SpecProject, away: SpecProject) -> None:
        message = refused(away)
        here = f"the search of {first.root} on "
        assert here in message
        assert message.endswith("no longer needs the search, stop its sensors")

    def test_its_sensor_has_not_looked_for_long(
        self, away: SpecProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(claims, "FOLLOWED_SECONDS", 0.0)
        assert tick(away).dynamic_partitions_requests

    @pytest.mark.parametrize("step", [-3600.0, 86_400.0])
    def test_after_a_step_of_the_clock_its_sensor_is_followed_again(
        self,
        first: SpecProject,
        second: SpecProject,
        monkeypatch: pytest.MonkeyPatch,
        step: float,
    ) -> None:
        """Set back, its last look lies in the future; that neither lasts nor hides a later one."""
        clock = time.time
        monkeypatch.setattr(time, "time", lambda: clock() + step)
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(socket, "gethostname", lambda: "another")
            assert is_free(second)  # nobody has looked for so long
        tick(first)
        monkeypatch.setattr(socket, "gethostname", lambda: "another")
        assert f"the search of {first.root} on " in refused(second)

    def test_it_was_only_used_by_the_command(
        self, project: SpecProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        claims.claim_search(project.study())
        made = SpecProject.create(tmp_path / "second", project.instance)
        monkeypatch.setattr(socket, "gethostname", lambda: "another")
        assert tick(made).dynamic_partitions_requests

    def test_the_next_container_of_the_same_project(
        self, first: SpecProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(socket, "gethostname", lambda: "another")
        first.write_axis("c", 32)
        assert tick(first).dynamic_partitions_requests

    def test_another_project_in_the_same_place_of_another_container(
        self, first: SpecProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(socket, "gethostname", lambda: "another")
        first.write_axis("c", 32)
        other = SpecProject(first.root, first.instance, replace(first.spec, data_file="wine.csv"))
        assert BELONGS.partition(",")[0].format(first.root) in refused(other)


def test_two_that_come_at_the_same_moment(
    project: SpecProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that wrote first sees the other's claim, and gives way."""
    other = SpecProject.create(tmp_path / "second", project.instance)
    claims.claim_search(other.study())
    storage = project.instance.daemon_cursor_storage
    keys = claims.claim_keys(project.names)
    other.write_axis("c", 32)
    theirs = storage.get_cursor_values(set(keys))
    storage.set_cursor_values(dict.fromkeys(keys, ""))
    write = storage.set_cursor_values

    def overtaken(pairs: dict[str, str]) -> None:
        write(pairs)
        write(theirs)

    monkeypatch.setattr(storage, "set_cursor_values", overtaken)
    assert BELONGS.format(other.root) in refused(project)


def test_a_claim_of_another_version_is_replaced(first: SpecProject) -> None:
    storage, keys = first.instance.daemon_cursor_storage, claims.claim_keys(first.names)
    before = storage.get_cursor_values(set(keys))
    assert before.keys() == set(keys)
    for key, other in product(keys, ("", "[]", '{"folder": "/"}', "no JSON")):
        storage.set_cursor_values({key: other})
        claims.claim_search(first.study())
        assert storage.get_cursor_values(set(keys)) == before


def test_a_claim_of_an_earlier_version_still_holds(first: SpecProject, second: SpecProject) -> None:
    """It was stored under the partitions alone, without the names."""
    storage, keys = first.instance.daemon_cursor_storage, claims.claim_keys(first.names)
    claim = json.loads(storage.get_cursor_values({keys[0]})[keys[0]])
    earlier = {name: claim[name] for name in claim if name not in {"name", "partitions"}}
    storage.set_cursor_values({keys[0]: json.dumps(earlier), keys[1]: ""})
    assert BELONGS.format(first.root) in refused(second)


@pytest.mark.slow
class TestCommand:
    pytestmark = DAGSTERS_WARNINGS

    @pytest.fixture
    def pair(self, tmp_path: Path) -> tuple[YamlProject, YamlProject]:
        """Two projects of which each searches other values of `points`."""
        made = YamlProject.create(tmp_path / "first"), YamlProject.create(tmp_path / "second")
        for one, values in zip(made, ([1, 3], [3, 5]), strict=True):
            one.write_data("points.csv", [[n, n * n % 7, "ab"[n % 2]] for n in range(30)])
            one.write_values("points", neighbors=values)
            one.write_search(
                "points",
                data_file="points.csv",
                estimator="sklearn.neighbors.KNeighborsClassifier",
                axes=[
                    {
                        "name": "neighbors",
                        "symbol": "N",
                        "parameter": "n_neighbors",
                        "type": "int",
                    }
                ],
                folds=0,
            )
        made[0].run("points")
        return made

    def test_on_one_instance(self, pair: tuple[YamlProject, YamlProject]) -> None:
        first, second = pair
        shutil.rmtree(second.root / ".dagster")
        (second.root / ".dagster").symlink_to(first.root / ".dagster")
        for command in ("run", "status"):
            answer = second.call(command)
            assert (answer.code, answer.out) == (2, "")
            (line,) = answer.err.splitlines()
            assert line.startswith(
                "iris-hpo: this Dagster instance already has the search 'points' of "
                f"{first.root}, with other candidates; with those of {second.root}, each"
            )
        assert first.partitions("points") == ["N1", "N3"]
        assert not second.artifacts("points").exists()
        assert first.run("points")["reused"] == 2

        shutil.rmtree(first.root / "data")
        assert second.run("points")["candidates"] == 2
        assert second.partitions("points") == ["N3", "N5"]

    def test_copied_with_its_instance(
        self, pair: tuple[YamlProject, YamlProject], tmp_path: Path
    ) -> None:
        first, _ = pair
        shutil.copytree(first.root, tmp_path / "copy")
        copy = YamlProject(tmp_path / "copy")
        copy.write_values("points", neighbors=[3, 7])
        assert copy.run("points")["candidates"] == 2
        assert first.run("points")["reused"] == 2
