"""Adaptive searches: what a sampler is shown, how far a budget goes, and what is recorded of it."""

import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from iris_hpo.command.why import _as_json, _lines
from iris_hpo.errors import InputError
from iris_hpo.orchestration.draw_requests import draw_again
from iris_hpo.orchestration.overlaps import _share
from iris_hpo.orchestration.partitions import pending_change
from iris_hpo.orchestration.plan import full_plan
from iris_hpo.orchestration.proposal_notes import read_proposals
from iris_hpo.orchestration.proposals import delete_proposals, outgrown, usable_keys
from iris_hpo.orchestration.results import read_results
from iris_hpo.orchestration.run_requests import search_request
from iris_hpo.orchestration.source_status import Settings
from iris_hpo.orchestration.why import explain
from iris_hpo.parts import Part
from iris_hpo.run_settings import BudgetSettings, SplitSettings, WorkSettings
from iris_hpo.space.axes import Axis
from iris_hpo.spec import SearchSpec
from iris_hpo_tests.command.test_json import check
from iris_hpo_tests.orchestration import bowls
from iris_hpo_tests.orchestration.following import Follower
from iris_hpo_tests.projects import CANDIDATES, SOURCES, SpecProject, failure_text, succeed

STEPS = Part("iris_hpo_tests.orchestration.bowls.Steps")
INSTALL = r"sampler 'tpe' cannot be used: it needs optuna: pip install 'iris_hpo\[optuna\]'"
SERIAL = WorkSettings(engine="serial")
FIRST = ["X0.0_Y0.0", "X0.1_Y0.0", "X0.2_Y0.0", "X0.3_Y0.0", "X0.4_Y0.0", "X0.5_Y0.0"]

Make = Callable[..., SpecProject]


def bowl_spec(home: Path, function: str = "bowl", **more: Any) -> SearchSpec:
    axes = more.pop("axes", None) or (
        Axis("x", "X", low=0.0, high=2.0),
        Axis("y", "Y", low=-2.0, high=2.0),
    )
    settings = {
        "function": f"iris_hpo_tests.orchestration.bowls:{function}",
        "direction": "minimize",
    }
    given = {"sampler": STEPS, "budget": BudgetSettings(candidates=4), "reports": (), **more}
    return SearchSpec(
        name="",
        home=home,
        axes=axes,
        objective=Part("function", settings),
        partitions="c_gamma",
        **given,
    )


@pytest.fixture
def make(tmp_path: Path, instance: dg.DagsterInstance) -> Iterator[Make]:
    bowls.Steps.shown.clear()

    def make_project(function: str = "bowl", **more: Any) -> SpecProject:
        return SpecProject(tmp_path, instance, bowl_spec(tmp_path, function, **more))

    yield make_project
    bowls.Steps.shown.clear()


def draw_by_chance(folder: Path, instance: dg.DagsterInstance, function: str) -> SpecProject:
    """A search whose candidates were drawn by chance."""
    folder.mkdir()
    spec = bowl_spec(folder, function, sampler=Part("random"))
    project = SpecProject(folder, instance, spec)
    succeed(draw(project))
    return project


@pytest.fixture(scope="module")
def random_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpecProject]:
    """Four candidates drawn by chance, and a selection; read only."""
    with dg.DagsterInstance.ephemeral() as made:
        project = draw_by_chance(tmp_path_factory.mktemp("random") / "project", made, "bowl")
        succeed(project.run("selection"))
        yield project


@pytest.fixture(scope="module")
def anywhere_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpecProject]:
    """What `anywhere` copies; read only."""
    with dg.DagsterInstance.ephemeral() as made:
        yield draw_by_chance(tmp_path_factory.mktemp("anywhere") / "project", made, "anywhere")


@pytest.fixture
def random(random_once: SpecProject, tmp_path: Path, instance: dg.DagsterInstance) -> SpecProject:
    """Four candidates drawn by chance, and a selection."""
    return random_once.copy(tmp_path / "project", instance)


@pytest.fixture
def anywhere(
    anywhere_once: SpecProject, tmp_path: Path, instance: dg.DagsterInstance
) -> SpecProject:
    """Four candidates drawn by chance, whose function knows any axes."""
    return anywhere_once.copy(tmp_path / "project", instance)


def draw(project: SpecProject, **config: Any) -> dg.ExecuteInProcessResult:
    return project.run(*SOURCES, *CANDIDATES, **config)


def again(project: SpecProject, **changes: Any) -> SpecProject:
    """The same project with another description of its search."""
    return SpecProject(project.root, project.instance, replace(project.spec, **changes))


class TestProposals:
    def test_each_is_asked_for_when_the_results_before_it_are_known(self, make: Make) -> None:
        project = make()

        succeed(draw(project))

        assert project.registered() == FIRST[:4]
        known = [
            ([seen.candidate.key for seen in observed], [one.key for one in running])
            for observed, running in bowls.Steps.shown[-3:]
        ]
        assert known == [(FIRST[:count], []) for count in (1, 2, 3)]
        (observed, _), *_ = bowls.Steps.shown[-1:]
        assert [(seen.number, seen.score) for seen in observed] == [
            (step, pytest.approx(-bowls.bowl(step / 10, 0.0))) for step in range(3)
        ]

    def test_what_was_known_is_recorded_of_each(self, random_once: SpecProject) -> None:
        project = random_once
        keys = project.registered()
        assert [
            (one.key, one.sampler, one.number, one.results_known)
            for one in read_proposals(project.study()).values()
        ] == [(key, "random", number, number) for number, key in enumerate(keys)]
        for asset in CANDIDATES:
            facts = project.metadata(asset, keys[2])
            assert [facts[name] for name in ("sampler", "number", "results_known")] == [
                "random",
                2,
                2,
            ]
        observed = project.instance.fetch_observations(project.names.asset("models"), limit=10)
        assert [one.partition_key for one in observed.records] == keys[::-1]
        assert project.partition_status("scores") == {"materialized": set(keys), "failed": set()}

    def test_the_leaderboard_shows_it(self, random_once: SpecProject) -> None:
        rows = random_once.leaderboard()
        keys = random_once.registered()
        assert {row["candidate"]: (row["sampler"], row["number"]) for row in rows} == {
            key: ("random", str(number)) for number, key in enumerate(keys)
        }

    def test_why_and_exports_show_it(self, random: SpecProject) -> None:
        project = random
        key = project.registered()[2]
        explanation = explain(project.study(), Settings(SplitSettings(), {}), key)
        proposal = {"sampler": "random", "number": 2, "results_known": 2}
        assert "proposed by the sampler random after 2 candidates, with 2 results known" in (
            _lines(explanation)
        )
        assert check("why", json.dumps(_as_json(explanation)) + "\n")["proposal"] == proposal
        assert read_results(project.study()).proposals[key] == proposal
        delete_proposals(project.study())
        assert read_results(project.study()).proposals[key] == proposal

    def test_exports_have_where_the_sampler_looks(self, random: SpecProject) -> None:
        project = random
        folder = project.study().parameters_folder
        folder.mkdir(parents=True)

        (folder / "x_parameters.txt").write_text("0.5\n1.5\n")
        (x, y) = read_results(project.study()).space.axes
        (folder / "x_parameters.txt").write_text("half\n")
        unreadable = read_results(project.study()).space.axes

        assert (x.low, x.values, y) == (None, (0.5, 1.5), project.spec.axes[1])
        assert unreadable == project.spec.axes

    def test_those_that_wait_for_a_result_come_first(self, make: Make) -> None:
        project = make()
        succeed(project.run(*SOURCES))
        project.instance.add_dynamic_partitions("c_gamma", ["X1.5_Y1.5"])

        succeed(project.run(*CANDIDATES))

        assert project.registered() == [FIRST[0], "X1.5_Y1.5", *FIRST[1:3]]
        assert set(project.by_partition("scores")) == set(project.registered())


class TestBudget:
    def test_it_is_in_total_and_whoever_raises_it_goes_on(self, make: Make) -> None:
        project = make()
        succeed(draw(project))
        succeed(draw(project))
        unchanged = project.registered()

        succeed(draw(project, parameters={"candidates": 6}))

        assert (unchanged, project.registered()) == (FIRST[:4], FIRST[:6])
        assert all(len(events) == 1 for events in project.by_partition("scores").values())

    def test_before_the_first_proposal_no_candidate_is_near(self, make: Make) -> None:
        study = make(sampler=Part("random")).study()
        with pytest.raises(InputError, match=r"is no candidate .*; none is registered$"):
            explain(study, Settings(SplitSettings(), {}), FIRST[0])

    def test_its_check_counts_what_was_proposed(self, make: Make) -> None:
        project = make()
        succeed(draw(project))

        assert project.check("partitions_agree").description == "4 candidates registered"

    def test_a_run_follows_what_was_recorded_last(self, make: Make) -> None:
        project = make()
        succeed(project.run(*SOURCES, parameters={"candidates": 5}))

        succeed(project.run(*CANDIDATES))

        assert project.registered() == FIRST[:5]

    def test_a_score_that_is_good_enough_ends_it(self, make: Make) -> None:
        project = make(budget=BudgetSettings(candidates=50, until=0.8))

        succeed(draw(project))

        scores = [bowls.bowl(step / 10, 0.0) for step in range(len(project.registered()))]
        assert scores[-1] <= 0.8 < min(scores[:-1])

    def test_the_limit_of_candidates_holds(self, make: Make) -> None:
        project = make(max_candidates=3, budget=BudgetSettings(candidates=50))

        outcome = launch(project)

        assert len(project.registered()) == 3
        assert outcome.counts.ended == "the limit of 3 candidates is reached (max_candidates)"

    def test_a_sampler_without_more_candidates_ends_it(self, make: Make) -> None:
        project = make(sampler=replace(STEPS, settings={"most": 2}))

        outcome = launch(project)
        repeated = launch(project)

        assert project.registered() == FIRST[:2]
        assert outcome.counts.ended == "the sampler has no more candidates"
        assert (repeated.counts.reused, repeated.run_ids) == (2, [])


class TestTheSameCandidates:
    def test_in_one_run_or_in_several(self, make: Make, instance: dg.DagsterInstance) -> None:
        project = make(sampler=Part("random"), budget=BudgetSettings(candidates=6))
        succeed(draw(project))
        at_once = project.registered()
        delete_proposals(project.study())
        for key in project.registered():
            instance.delete_dynamic_partition("c_gamma", key)

        for candidates in (2, 6):
            other = again(project, budget=BudgetSettings(candidates=candidates))
            succeed(draw(other))

        assert other.registered() == at_once

    @pytest.mark.parametrize("deleted", [1, 3])
    def test_after_a_reset_that_was_killed(
        self, make: Make, monkeypatch: pytest.MonkeyPatch, deleted: int
    ) -> None:
        project = make(sampler=Part("random"), budget=BudgetSettings(candidates=6))
        succeed(draw(project))
        at_once = project.registered()
        delete, left = dg.DagsterInstance.delete_dynamic_partition, [None] * deleted

        def delete_some(*arguments: Any) -> None:
            left.pop()
            delete(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(dg.DagsterInstance, "delete_dynamic_partition", delete_some)
            with pytest.raises(IndexError):
                delete_proposals(project.study())
        assert project.registered() == at_once[:-deleted]

        succeed(draw(project))

        assert project.registered() == at_once

    def test_what_failed_is_shown_as_failed_and_is_tried_again_by_a_user(self, make: Make) -> None:
        project = make("holed")

        result = draw(project)

        assert not result.success
        assert "no ground" in failure_text(result)
        assert project.registered() == FIRST[:4]
        assert project.partition_status("scores") == {
            "materialized": {FIRST[0], FIRST[3]},
            "failed": {FIRST[1], FIRST[2]},
        }
        (observed, _), *_ = bowls.Steps.shown[-1:]
        assert [seen.score is None for seen in observed] == [False, True, True]

    def test_those_outside_of_changed_ranges_are_left_out(self, make: Make) -> None:
        project = make()
        succeed(draw(project))
        axes = (replace(project.spec.axes[0], low=0.15), project.spec.axes[1])
        lines: list[str] = []
        narrow = again(
            project, axes=axes, budget=BudgetSettings(candidates=6), sampler=Part("random")
        )

        launch(narrow, lines.append)

        assert [one.results_known for one in read_proposals(narrow.study()).values()][-3:] == [
            2,
            3,
            4,
        ]
        assert len(narrow.registered()) == 6  # the first was listed, and no longer is
        line = (
            "1 registered candidate outside of the present ranges, which the sampler is not "
            f"shown: {FIRST[1]}"
        )
        assert [text for text in lines if "outside" in text] == [line]

    @pytest.mark.parametrize("change", ["an axis more", "an axis less", "another type", "a grid"])
    def test_those_of_other_axes_are_left_as_they_are(
        self, anywhere: SpecProject, change: str
    ) -> None:
        project = anywhere
        before = project.registered()
        x, y = project.spec.axes
        whole = Axis("x", "X", type="int", low=0, high=9)
        axes = {
            "an axis more": (x, y, Axis("z", "Z", low=0.0, high=1.0)),
            "an axis less": (x,),
            "another type": (whole, y),
            "a grid": (replace(whole, step=9), replace(y, step=4.0)),
        }[change]
        lines: list[str] = []
        sampler = Part("files" if change == "a grid" else "random")
        budget = BudgetSettings(candidates=8)
        changed = again(project, axes=axes, sampler=sampler, budget=budget)

        outcome = launch(changed, lines.append)

        assert outcome.failures == {}
        assert (outcome.counts.trained, outcome.counts.reused) == (4, 0)
        assert changed.registered()[:4] == before
        assert len(changed.by_partition("scores")) == len(changed.registered()) == 8
        repeated = launch(changed)
        assert (repeated.counts.trained, repeated.run_ids) == (0, [])
        line = (
            "4 registered candidates of other axes, which the sampler is not shown: "
            f"{', '.join(before[:3])}, ..."
        )
        assert [text for text in lines if "axes" in text] == [line] * (change != "a grid")


def test_notes_on_proposals_are_read_once_to_find_those_of_other_axes(
    anywhere: SpecProject, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = anywhere.registered()
    study = again(anywhere, axes=anywhere.spec.axes[:1]).study()
    names: list[str] = []
    read = instance.get_dynamic_partitions

    def reading(name: str) -> Any:
        names.append(name)
        return read(name)

    monkeypatch.setattr(instance, "get_dynamic_partitions", reading)
    usable = [usable_keys(study), usable_keys(study)]

    assert (usable, outgrown(study, keys[1:])) == ([[], []], set(keys[1:]))
    assert names.count(str(study.names.proposed.name)) == 1


def launch(
    project: SpecProject,
    say: Callable[[str], None] = lambda _: None,
    work: WorkSettings = SERIAL,
) -> Any:
    """What `iris-hpo run` does."""
    from iris_hpo.orchestration.runner import Launcher
    from iris_hpo.run_settings import SelectionSettings

    settings = Settings(project.spec.split, {}, project.spec.sampling)
    launcher = Launcher(project.study(), project.note_progress, say)
    return launcher.bring_up_to_date(settings, SelectionSettings("own_score"), work)


@pytest.mark.slow
def test_results_are_seen_where_the_sampler_is_not_installed(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make(sampler=Part("tpe"))
    succeed(draw(project))
    succeed(project.run("selection"))
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "optuna" else find(name)
    )
    more = again(project, budget=BudgetSettings(candidates=6))

    assert len(read_results(project.study()).rows) == 4
    assert (launch(project).counts.reused, launch(project).run_ids) == (4, [])
    (project.artifacts / "scores" / f"{project.registered()[0]}.json").unlink()
    assert launch(project, work=WorkSettings(engine="loky", jobs=1)).counts.scored == 1
    settings = Settings(more.spec.split, {}, more.spec.sampling)
    assert full_plan(more.study(), settings).left == 2
    with pytest.raises(InputError, match=INSTALL):
        launch(more)
    succeed(more.run("parameters"))
    with pytest.raises(InputError, match=INSTALL):
        draw_again(more.study(), "")
    assert re.search(INSTALL, failure_text(more.run(*CANDIDATES)))
    assert len(more.registered()) == 4


class TestFiles:
    def test_what_they_list_stays_under_another_sampler(self, project: SpecProject) -> None:
        project.materialize_sources()
        listed = project.registered()

        succeed(project.run("parameters", parameters={"sampler": "random"}))

        assert set(listed) <= set(project.registered())
        project.write_axis("gamma", 0.016)
        change = pending_change(project.study())
        assert change.removed == tuple(key for key in listed if key.endswith("G0.25"))

    def test_a_reset_deletes_what_a_sampler_proposed(self, project: SpecProject) -> None:
        project.write_axis("c", 0.5)
        project.materialize_sources()
        listed = project.registered()
        config = {"sampler": "random", "candidates": 3}
        project.write_axis("c", 0.5, 8, 128)
        succeed(draw(project, parameters=config, split={"folds": 2, "repeats": 1}))
        assert len(project.registered()) == 3

        deleted = delete_proposals(project.study())

        assert len(deleted) == 3 - len(project.registered()) > 0
        assert set(listed) <= set(project.registered())
        assert not read_proposals(project.study())


class TestSensor:
    def test_the_next_run_is_requested_while_there_is_budget(self, make: Make) -> None:
        project = make()
        succeed(draw(project, parameters={"candidates": 2}))
        assert draw_again(project.study(), "")[0] == []

        succeed(project.run("parameters", parameters={"candidates": 3}))
        requests, cursor = draw_again(project.study(), "")
        first, repeated = requests, [draw_again(project.study(), cursor)[0]]
        cursor = draw_again(project.study(), cursor)[1]
        cursor = draw_again(project.study(), cursor)[1]

        assert [key.path[-1] for key in first[0].asset_selection or ()] == [*CANDIDATES]
        assert len(repeated[0]) == 1
        assert draw_again(project.study(), cursor)[0] == [], "nothing new came of three runs"
        succeed(project.run(*CANDIDATES))
        assert draw_again(project.study(), cursor)[0] == []
        assert project.registered() == FIRST[:3]

    def test_nothing_is_requested_of_a_search_that_a_command_has_finished(
        self, random: SpecProject
    ) -> None:
        sensor = Follower(random, "parameter_files_sensor")
        assert [sensor.tick() for _ in range(2)] == [[], []]

        larger = replace(random.spec, budget=BudgetSettings(candidates=5))
        sensor.project = SpecProject(random.root, random.instance, larger)
        assert len(sensor.look().run_requests) == 1

    def test_its_runs_record_again_what_a_run_has_changed(self, make: Make) -> None:
        project = make()
        own = search_request(project.study(), "1", ["parameters"], ()).run_config
        succeed(project.run("parameters", parameters={"candidates": 3, "until": 0.5}))

        kept = search_request(project.study(), "2", ["parameters"], ()).run_config

        assert own == {}
        assert kept == {"ops": {"parameters": {"config": {"candidates": 3, "until": 0.5}}}}

    def test_a_search_that_has_not_begun_is_left_alone(self, make: Make) -> None:
        assert draw_again(make().study(), "") == ([], "")


@pytest.mark.parametrize(
    ("keys", "others", "share"),
    [
        (None, None, True),
        (None, ("a",), True),
        ({"a"}, None, True),
        (None, (), False),
        ({"a"}, ("b",), False),
        ({"a"}, ("a", "b"), True),
    ],
)
def test_an_adaptive_run_covers_all_candidates(
    keys: set[str] | None, others: tuple[str, ...] | None, *, share: bool
) -> None:
    assert _share(keys, others) == share
