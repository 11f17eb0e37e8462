"""What is left to do, by the files, the record and the store."""

import shutil
from collections.abc import Sequence

import dagster as dg
import pytest

from iris_hpo.errors import InputError
from iris_hpo.orchestration.plan import quick_plan
from iris_hpo.orchestration.ranges import range_tags
from iris_hpo_tests.projects import CANDIDATES, KEYS, SOURCES, SpecProject, succeed

KEY = KEYS[3]
NEW = ("C0.5_G1.0", "C8.0_G1.0", "C128.0_G1.0")


def states(project: SpecProject, **settings: object) -> dict[str, dict[str, int]]:
    """Per asset the number of results in each state that there is."""
    plan = project.plan(project.settings(**settings))  # type: ignore[arg-type]
    return {
        asset: {state: count for state, count in counts.items() if count}
        for asset, counts in plan.counts().items()
    }


def begin(project: SpecProject, keys: Sequence[str]) -> dg.DagsterRun:
    """Begin a run over a range of candidates."""
    assets = {dg.AssetKey(name) for name in CANDIDATES}
    return project.instance.create_run_for_job(
        project.defs.resolve_job_def("search").get_subset(asset_selection=assets),
        asset_selection=frozenset(assets),
        status=dg.DagsterRunStatus.STARTED,
        tags=range_tags(keys),
    )


def die_at_work(project: SpecProject, keys: Sequence[str]) -> None:
    """Leave a run over a range of candidates whose process ended before any was done."""
    project.instance.report_run_failed(begin(project, keys))


def test_at_first_everything_is_missing(project: SpecProject) -> None:
    plan = project.plan()
    assert plan.sources == SOURCES
    assert plan.change.added == plan.keys == plan.candidates == KEYS
    assert plan.change.removed == ()
    assert states(project) == {
        **{name: {"missing": 1} for name in SOURCES},
        "models": {"missing": 6},
        "scores": {"missing": 6},
    }


def test_planning_changes_nothing(project: SpecProject) -> None:
    project.plan()
    assert project.registered() == []
    assert project.run_ids() == set()
    assert not project.artifacts.exists()


def test_candidates_that_a_run_is_to_try_are_left_to_it(prepared: SpecProject) -> None:
    """Also one that has failed before, which its new attempt hides."""
    prepared.occupy(KEY)
    assert not prepared.run(*CANDIDATES, partition=KEY).success
    run = begin(prepared, KEYS[2:4])
    others = tuple(key for key in KEYS if key not in KEYS[2:4])
    assert quick_plan(prepared.study(), all_candidates=False).candidates == others

    prepared.instance.report_run_failed(run)
    assert quick_plan(prepared.study(), all_candidates=False).candidates == KEYS


def test_after_the_search_nothing_is_left(scored: SpecProject) -> None:
    plan = scored.plan()
    assert (plan.sources, plan.candidates) == ((), ())
    assert not plan.change
    assert plan.keys == KEYS
    assert states(scored) == {
        **{name: {"up to date": 1} for name in SOURCES},
        "models": {"up to date": 6},
        "scores": {"up to date": 6},
    }


def test_of_an_added_value_exactly_its_candidates_are_left(scored: SpecProject) -> None:
    scored.write_axis("gamma", 0.016, 0.25, 1)
    plan = scored.plan()
    assert plan.sources == ("parameters",)
    assert plan.change.added == plan.candidates == NEW
    assert plan.keys == (*KEYS, *NEW)


def test_of_a_removed_value_no_candidate_is_left(scored: SpecProject) -> None:
    scored.write_axis("c", 0.5, 8)
    plan = scored.plan()
    assert plan.sources == ("parameters",)
    assert plan.change.removed == KEYS[4:]
    assert plan.keys == KEYS[:4]
    assert plan.candidates == ()


def test_a_hand_added_candidate_is_left(scored: SpecProject) -> None:
    scored.instance.add_dynamic_partitions("c_gamma", ["C1.0_G1.0"])
    plan = scored.plan()
    assert (plan.sources, plan.candidates) == ((), ("C1.0_G1.0",))


def test_a_hand_added_key_that_is_no_candidate_is_missing(scored: SpecProject) -> None:
    scored.instance.add_dynamic_partitions("c_gamma", ["../x"])
    assert scored.plan().candidates == ("../x",)
    assert states(scored)["scores"] == {"up to date": 6, "missing": 1}


def test_changed_data_leaves_all(scored: SpecProject) -> None:
    scored.change_data()
    plan = scored.plan()
    assert plan.sources == ("raw_data", "split")
    assert plan.candidates == KEYS
    assert states(scored) == {
        "raw_data": {"out of date": 1},
        "split": {"out of date": 1},
        "parameters": {"up to date": 1},
        "models": {"out of date": 6},
        "scores": {"out of date": 6},
    }


def test_other_folds_leave_the_scores(scored: SpecProject) -> None:
    plan = scored.plan(scored.settings(folds=3))
    assert plan.sources == ("split",)
    assert plan.candidates == KEYS
    assert states(scored, folds=3)["models"] == {"up to date": 6}
    assert states(scored, folds=3)["scores"] == {"out of date": 6}


def test_another_kernel_leaves_all_but_the_data(scored: SpecProject) -> None:
    plan = scored.plan(scored.settings(kernel="linear"))
    assert plan.sources == ("parameters",)
    assert plan.candidates == KEYS
    assert states(scored, kernel="linear")["models"] == {"out of date": 6}


class TestDamage:
    """A file that is not what was recorded is as good as none."""

    def test_a_deleted_model(self, scored: SpecProject) -> None:
        scored.model_file(KEY).unlink()
        assert scored.plan().candidates == (KEY,)
        assert states(scored)["models"] == {"up to date": 5, "missing": 1}
        assert states(scored)["scores"] == {"up to date": 5, "out of date": 1}

    def test_a_changed_byte_in_a_model(self, scored: SpecProject) -> None:
        content = bytearray(scored.model_file(KEY).read_bytes())
        content[100] ^= 1
        scored.model_file(KEY).write_bytes(content)
        assert scored.plan().candidates == (KEY,)
        assert states(scored)["models"] == {"up to date": 5, "missing": 1}

    def test_a_deleted_card(self, scored: SpecProject) -> None:
        scored.model_file(KEY).with_suffix(".json").unlink()
        assert scored.plan().candidates == (KEY,)

    def test_a_deleted_score(self, scored: SpecProject) -> None:
        (scored.artifacts / "scores" / f"{KEY}.json").unlink()
        assert scored.plan().candidates == (KEY,)
        assert states(scored)["models"] == {"up to date": 6}
        assert states(scored)["scores"] == {"up to date": 5, "missing": 1}

    @pytest.mark.parametrize(
        ("name", "source"),
        [
            ("split/train.csv", "split"),
            ("split/test.csv", "split"),
            ("split/split.json", "split"),
            ("parameters/parameters.json", "parameters"),
            ("parameters/candidates.csv", "parameters"),
        ],
    )
    def test_a_lost_or_cut_file_of_a_source(
        self, scored: SpecProject, name: str, source: str
    ) -> None:
        path = scored.artifacts / name
        content = path.read_bytes()
        path.unlink()
        assert scored.plan().sources == (source,)
        path.write_bytes(content[:-5])
        assert scored.plan().sources == (source,)
        path.write_bytes(content)
        assert scored.plan().sources == ()

    def test_all_artifacts(self, scored: SpecProject) -> None:
        shutil.rmtree(scored.artifacts)
        plan = scored.plan()
        assert plan.sources == ("split", "parameters")
        assert plan.candidates == KEYS
        assert states(scored)["models"] == states(scored)["scores"] == {"missing": 6}


def test_a_failed_attempt_is_made_again(scored: SpecProject) -> None:
    """Its earlier result is right; but the last thing that Dagster shows of it is a failure."""
    train = scored.artifacts / "split" / "train.csv"
    content = train.read_bytes()
    train.unlink()
    assert not scored.run("models", "scores", partition=KEY).success
    train.write_bytes(content)

    plan = scored.plan()
    assert plan.candidates == (KEY,)
    assert states(scored)["scores"] == {"up to date": 6}
    scored.launch()
    assert scored.plan().candidates == ()
    assert scored.partition_status("scores")["failed"] == set()


def test_a_candidate_that_failed_is_failed_until_it_succeeds(prepared: SpecProject) -> None:
    prepared.occupy(KEY)
    assert not prepared.materialize_candidates().success
    assert states(prepared)["models"] == {"up to date": 5, "failed": 1}
    assert states(prepared)["scores"] == {"up to date": 5, "failed": 1}
    assert prepared.plan().candidates == (KEY,)


def test_what_a_dead_run_left_is_missing_and_is_made(prepared: SpecProject) -> None:
    """Dagster shows all of it as failed, as it does one that was tried and failed before."""
    prepared.instance.add_dynamic_partitions("c_gamma", ["C0.5"])
    assert not prepared.run("models", "scores", partition="C0.5").success
    die_at_work(prepared, KEYS[1:4])
    assert prepared.partition_status("scores")["failed"] == {"C0.5", *KEYS[1:4]}

    plan = prepared.plan()
    assert states(prepared)["scores"] == {"missing": 6, "failed": 1}
    assert {*plan.status.failed_runs} == {"C0.5"}
    assert {*plan.candidates} == {"C0.5", *KEYS}
    outcome = prepared.launch()
    assert (outcome.counts.trained, set(outcome.failures)) == (6, {"C0.5"})
    assert prepared.partition_status("scores")["failed"] == {"C0.5"}


def test_models_that_dagster_calls_stale_are_recorded_again(scored: SpecProject) -> None:
    """The folds do not change a model, but they do change the split that it names."""
    succeed(scored.run("split", split={"folds": 3}))
    succeed(scored.run("scores", keys=KEYS))
    settings = scored.settings(folds=3)
    assert set(scored.staleness("models").values()) == {"STALE"}
    assert scored.plan(settings).candidates == KEYS

    outcome = scored.launch(settings)
    assert (outcome.counts.trained, outcome.counts.reused) == (0, 6)
    assert set(scored.staleness("models").values()) == {"FRESH"}
    assert scored.plan(settings).candidates == ()


def test_raw_data_of_unchanged_content_makes_nothing_out_of_date(scored: SpecProject) -> None:
    succeed(scored.run("raw_data"))
    assert scored.plan().sources == ()
    assert scored.plan().candidates == ()


def test_a_split_of_unknown_raw_data_is_made_again(scored: SpecProject) -> None:
    """Someone materialised other data in between, and not the split."""
    before = scored.change_data()
    succeed(scored.run("raw_data"))
    scored.data_file.write_bytes(before)
    assert scored.plan().sources == ("raw_data", "split")


@pytest.mark.parametrize("spoil", ["data", "parameters"])
def test_input_that_cannot_be_used_is_said(scored: SpecProject, spoil: str) -> None:
    path = scored.data_file if spoil == "data" else scored.write_axis("c", "x")
    if spoil == "data":
        path.write_text("1,2,3,4,a\n")
    with pytest.raises(InputError):
        scored.plan()


def test_another_instance_knows_nothing_of_the_store(scored: SpecProject) -> None:
    with dg.DagsterInstance.ephemeral() as other:
        elsewhere = SpecProject(scored.root, other, scored.spec)
        plan = elsewhere.plan()
        assert plan.sources == SOURCES
        assert plan.candidates == KEYS
