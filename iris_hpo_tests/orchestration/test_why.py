"""Why a candidate would be trained again: the very thing that differs is named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.data.splitters import SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.orchestration.differences import Difference, differing
from iris_hpo.orchestration.past_events import log_files
from iris_hpo.orchestration.source_status import Settings
from iris_hpo.orchestration.why import Explanation, explain
from iris_hpo.training.origin import Origin
from iris_hpo_tests.projects import KEYS, SpecProject, succeed

KEY = KEYS[2]


def why(project: SpecProject, settings: Settings | None = None, key: str = KEY) -> Explanation:
    return explain(project.study(), settings or project.settings(), key)


def test_a_candidate_that_is_up_to_date_has_nothing_left(searched: SpecProject) -> None:
    explanation = why(searched)

    assert (explanation.model_state, explanation.score_state) == ("up to date", "up to date")
    assert explanation.action == "nothing"
    assert (explanation.notes, explanation.differences, explanation.failure) == ([], [], None)
    assert explanation.parameters == {"C": 8.0, "gamma": 0.016}
    assert explanation.model == searched.model_card(KEY)
    assert explanation.score == searched.score_card(KEY)
    depends_on = explanation.depends_on
    assert depends_on["data"]["sha256"] == searched.study().data_digest
    assert depends_on["split"]["version"] == searched.data_version("split")
    assert set(depends_on["packages"]) == {"scikit-learn"}
    assert depends_on["objective"]["steps"] == [["sklearn.svm.SVC", {"kernel": "rbf"}]]


def split(**changes: float) -> Callable[[SpecProject], Settings]:
    return lambda project: replace(
        project.settings(), split=replace(SplitSettings(folds=2, repeats=1), **changes)
    )


def kernel(project: SpecProject) -> Settings:
    return project.settings(kernel="linear")


@pytest.mark.parametrize(
    ("settings", "action", "difference"),
    [
        (kernel, "train", Difference("setting kernel", "rbf", "linear")),
        (split(seed=1), "train", Difference("seed", 0, 1)),
        (split(test_size=0.3), "train", Difference("test_size", 0.2, 0.3)),
        (split(folds=3), "score", Difference("folds", 2, 3)),
    ],
    ids=["kernel", "seed", "test_size", "folds"],
)
def test_a_setting_that_differs_is_named(
    searched: SpecProject,
    settings: Callable[[SpecProject], Settings],
    action: str,
    difference: Difference,
) -> None:
    explanation = why(searched, settings(searched))

    assert explanation.differences == [difference]
    assert (explanation.action, explanation.notes) == (action, [])
    assert explanation.score_state == "out of date"


def test_changed_data_is_named_and_not_what_follows_from_it(searched: SpecProject) -> None:
    before = searched.study().data_digest
    searched.change_data()

    explanation = why(searched)

    now = searched.study().data_digest
    assert explanation.differences == [Difference("data", before, now)]
    assert explanation.action == "train"


def test_another_version_of_a_package_is_named(
    searched: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = searched.model_card(KEY).versions["scikit-learn"]
    monkeypatch.setattr(Origin, "package_versions", lambda _: {"scikit-learn": "99"})

    explanation = why(searched)

    assert explanation.differences == [Difference("scikit-learn", before, "99")]


@pytest.fixture
def moved_on(searched: SpecProject) -> SpecProject:
    """The split and the parameters were made again with other settings, and nothing since."""
    succeed(searched.run("split", split={"test_size": 0.3, "folds": 2, "repeats": 1}))
    succeed(searched.run("parameters", parameters={"kernel": "linear"}))
    return searched


MOVED_ON = [Difference("test_size", 0.2, 0.3), Difference("setting kernel", "rbf", "linear")]


def test_what_was_made_under_earlier_cards_is_compared_by_the_event_log(
    moved_on: SpecProject,
) -> None:
    """Those cards are gone: the present ones have taken their places."""
    settings = split(test_size=0.3)(moved_on)

    assert why(moved_on, replace(settings, choices={"kernel": "linear"})).differences == MOVED_ON


def test_the_event_log_of_an_earlier_version_has_less(
    moved_on: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iris_hpo.orchestration.differences.IDENTITY", "not recorded")
    settings = replace(split(test_size=0.3, seed=1)(moved_on), choices={"kernel": "linear"})

    differences = why(moved_on, settings).differences

    assert [difference.what for difference in differences] == ["seed", "axes, estimator or scoring"]


def test_another_version_of_this_package_is_named(
    searched: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iris_hpo.training.cards.TRAINING_VERSION", "2")

    assert [each.what for each in why(searched).differences] == ["training by iris_hpo"]


def test_a_missing_file_and_a_new_candidate_are_noted(searched: SpecProject) -> None:
    searched.model_file(KEY).unlink()
    searched.write_axis("gamma", 4, suffix="_more")

    assert why(searched).notes == ["the file of its model is missing or was changed"]
    new = why(searched, key="C8.0_G4.0")
    assert (new.action, new.model_state, new.notes) == (
        "train",
        "missing",
        ["no model is recorded"],
    )


def test_a_changed_card_is_named(searched: SpecProject) -> None:
    card = searched.artifacts / "scores" / f"{KEY}.json"
    card.write_text(card.read_text().replace("accuracy", "agreement"))

    (note,) = why(searched).notes

    assert str(card) in note


def test_a_result_that_is_recorded_again_says_so(searched: SpecProject) -> None:
    succeed(searched.run("parameters", parameters={"kernel": "linear"}))
    succeed(searched.run("parameters"))

    explanation = why(searched)

    assert (explanation.action, explanation.differences) == ("record", [])
    assert len(explanation.notes) == 1


def test_a_failure_has_its_reason_and_its_run(searched: SpecProject) -> None:
    searched.instance.add_dynamic_partitions("c_gamma", ["wrong"])
    assert not searched.run("models", "scores", keys=searched.registered()).success

    failure = why(searched, key="wrong").failure

    assert failure is not None
    assert failure.reason.startswith("'wrong' is no candidate")
    assert failure.run_id in searched.run_ids()
    assert why(searched).failure is None


def test_the_files_with_what_a_run_printed_are_given(finished: SpecProject) -> None:
    (run_id,) = {finished.model_card(KEY).run_id}
    manager = finished.instance.compute_log_manager
    (captured,) = finished.instance.all_logs(run_id, of_type=dg.DagsterEventType.LOGS_CAPTURED)
    assert captured.dagster_event is not None
    key = captured.dagster_event.logs_captured_data.file_key
    place = manager.get_log_metadata([run_id, "compute_logs", key]).stderr_location
    file = Path(str(place))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    assert log_files(finished.instance, run_id) == []

    file.write_text("printed")

    assert log_files(finished.instance, run_id) == [str(file)]
    file.write_text("")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (
            "C8.0_G0.017",
            r"C8\.0_G0\.017 is no candidate of this search; the nearest are C8\.0_G0\.016",
        ),
        ("C8_G0.016", r"'C8_G0\.016' is no candidate: .*; the nearest are C8\.0_G0\.016, "),
        ("champion", r"'champion' is no candidate: a key has the form C<C>_G<gamma>; the nearest"),
    ],
)
def test_an_unknown_key_gives_the_nearest(finished: SpecProject, key: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        why(finished, key=key)


@pytest.mark.parametrize(
    ("recorded", "present", "names"),
    [
        ({"a": 1}, {"a": 1}, []),
        (
            {"recipe": {"steps": [["S", {"C": 1}]]}},
            {"recipe": {"steps": [["T", {"C": 2}]]}},
            ["estimator 1", "estimator 1, setting C"],
        ),
        ({"recipe": {"code": {"own": "1"}}}, {"recipe": {"code": {"own": "2"}}}, ["source of own"]),
        ({"axes": [{"name": "C"}]}, {"axes": [{"name": "D"}]}, ["axis 1, name"]),
        ({"axes": [{}]}, {"axes": [{}, {}]}, ["axes"]),
        ({"scoring": "f1"}, {}, ["scoring"]),
    ],
)
def test_each_part_that_differs_is_named(
    recorded: object, present: object, names: list[str]
) -> None:
    assert [difference.what for difference in differing(recorded, present)] == names
