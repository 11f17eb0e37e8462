"""The export to Optuna, read back by Optuna."""

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from iris_hpo.errors import InputError
from iris_hpo.exports.cv_results import cv_results
from iris_hpo.exports.optuna_study import make_trials, to_optuna
from iris_hpo.samplers.optuna_distributions import tried_distribution
from iris_hpo.samplers.optuna_history import History
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo_tests.exports.results import FAILED, PROPOSALS, SHRINKING, make_results


def read_journal(place: Path) -> optuna.Study:
    return optuna.load_study(
        study_name="svm", storage=JournalStorage(JournalFileBackend(str(place)))
    )


def test_a_study_has_every_candidate_with_its_numbers(tmp_path: Path) -> None:
    results, place = make_results(), tmp_path / "study.journal"
    note = to_optuna(results, str(place))
    study = read_journal(place)
    trials = study.get_trials(states=[TrialState.COMPLETE])

    assert note == f"wrote 7 trials of the study svm to {place}"
    assert [trial.user_attrs["candidate"] for trial in trials] == list(results.order)
    rows = {row["candidate"]: row for row in results.rows}
    for trial in trials:
        key = trial.user_attrs["candidate"]
        assert trial.value == rows[key]["cv_mean"]
        assert trial.user_attrs["score"] == results.scores[key].score
        assert list(trial.intermediate_values.values()) == results.scores[key].fold_scores
        assert trial.params == results.space.named(results.space.parse_key(key))
        assert trial.duration is not None
        assert trial.duration.total_seconds() == pytest.approx(0.5)
    assert study.best_trial.user_attrs["candidate"] == results.champion.key
    (failed,) = study.get_trials(states=[TrialState.FAIL])
    assert failed.user_attrs == {"candidate": FAILED, "reason": "ValueError: no kernel"}


def test_trials_say_how_they_were_proposed() -> None:
    attributes = {
        trial.user_attrs["candidate"]: trial.user_attrs
        for trial in make_trials(make_results(proposals=PROPOSALS))
    }

    for key, proposal in PROPOSALS.items():
        assert attributes.pop(key).items() >= proposal.items()
    assert all("sampler" not in each for each in attributes.values())


def test_numbers_keep_their_scale_and_texts_are_categories(tmp_path: Path) -> None:
    to_optuna(make_results(), str(tmp_path / "study.journal"))
    distributions = read_journal(tmp_path / "study.journal").trials[0].distributions

    assert distributions == {
        "C": optuna.distributions.FloatDistribution(0.5, 80.0, log=True),
        "kernel": optuna.distributions.CategoricalDistribution((None, "linear", "rbf")),
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"low": 0.01, "high": 100}, FloatDistribution(0.01, 100)),
        ({"low": 0.01, "high": 100, "log": True}, FloatDistribution(0.01, 100, log=True)),
        ({"low": 0.5, "high": 81, "step": 1.5}, FloatDistribution(0.5, 80, step=1.5)),
        ({"low": 0.5, "high": 128, "step": 2, "log": True}, FloatDistribution(0.5, 128, log=True)),
        # A number that was tried is outside of the present range, or on none of its steps.
        ({"low": 1, "high": 9}, FloatDistribution(0.5, 80)),
        ({"low": 1, "high": 1000, "log": True}, FloatDistribution(0.5, 1000, log=True)),
        ({"low": 0.5, "high": 9.5, "step": 1.5}, FloatDistribution(0.5, 80)),
        ({"low": 0.5, "high": 90.5, "step": 5}, FloatDistribution(0.5, 90.5)),
        # Optuna's arithmetic does not reach the last step of a third.
        ({"low": 0.5, "high": 100.5, "step": 1 / 3}, FloatDistribution(0.5, 100.5)),
        # Listed numbers are guessed, by all that are listed.
        ({"values": [0.01, 1]}, FloatDistribution(0.01, 80, log=True)),
    ],
)
def test_a_range_is_described_as_the_search_has_it(
    given: dict[str, Any], expected: BaseDistribution, tmp_path: Path
) -> None:
    kernels = ["rbf", "linear", "poly", None]
    space = ParameterSpace(
        [
            Axis("C", "C", parameter="svc__C", **given),
            Axis("kernel", "K", type="str", nullable=True, values=kernels),
        ]
    )
    to_optuna(replace(make_results(), space=space), str(tmp_path / "study.journal"))

    for trial in read_journal(tmp_path / "study.journal").trials:
        assert trial.distributions == {"C": expected, "kernel": CategoricalDistribution(kernels)}
        assert trial.params == space.named(space.parse_key(trial.user_attrs["candidate"]))


def test_ranges_are_described_as_for_the_sampler() -> None:
    ranges = [
        Axis("C", "C", low=0.1, high=100, log=True),
        Axis("u", "U", low=-1.5, high=90),
        Axis("depth", "D", type="int", low=2, high=90),
        Axis("leaves", "L", type="int", low=2, high=1000, log=True),
    ]
    of_sampler = History(ParameterSpace(ranges))._distributions

    assert of_sampler == [tried_distribution(axis, [2, 80]) for axis in ranges]


def test_a_changed_range_is_written_again(tmp_path: Path) -> None:
    results, place = make_results(), str(tmp_path / "study.journal")
    to_optuna(results, place)
    axis = replace(results.space.axes[0], low=0.1, high=100.0)
    space = ParameterSpace([axis, *results.space.axes[1:]])

    assert to_optuna(replace(results, space=space), place).startswith("wrote 7 trials")


def test_a_trial_has_no_parameter_that_its_candidate_does_not_have(tmp_path: Path) -> None:
    results = make_results(more=[SHRINKING])
    to_optuna(results, str(tmp_path / "study.journal"))
    trials = read_journal(tmp_path / "study.journal").trials

    assert {("shrink" in trial.params) for trial in trials} == {True, False}
    for trial in trials:
        candidate = results.space.parse_key(trial.user_attrs["candidate"])
        assert trial.params == results.space.named(candidate)
        assert trial.distributions.keys() == trial.params.keys()


def test_the_same_results_are_written_once_and_others_replace_them(tmp_path: Path) -> None:
    place = tmp_path / "study.journal"
    to_optuna(make_results(), str(place))
    size = place.stat().st_size

    assert to_optuna(make_results(), str(place)) == f"the study svm in {place} is up to date"
    assert place.stat().st_size == size
    assert to_optuna(make_results(failures={}), str(place)).startswith("wrote 6 trials")
    assert len(read_journal(place).trials) == 6


def test_a_key_that_is_no_candidate_is_a_failure_without_parameters() -> None:
    results = make_results(failures={"C0.50_Krbf": "it is spelled C0.5_Krbf"})
    trial = make_trials(results)[-1]

    assert (trial.params, trial.user_attrs["candidate"]) == ({}, "C0.50_Krbf")
    assert cv_results(results)[-1]["reason"] == trial.user_attrs["reason"]


def test_the_least_value_is_the_best_where_the_search_minimizes(tmp_path: Path) -> None:
    results = make_results()
    champion = replace(results.champion, direction="minimize")
    to_optuna(replace(results, champion=champion), str(tmp_path / "study.journal"))
    study = read_journal(tmp_path / "study.journal")

    assert study.best_value == min(trial.value for trial in study.trials if trial.value is not None)


@pytest.mark.parametrize("content", ["a trial", "an attribute"])
def test_a_study_of_others_is_not_replaced(content: str, tmp_path: Path) -> None:
    place = tmp_path / "study.journal"
    storage = JournalStorage(JournalFileBackend(str(place)))
    study = optuna.create_study(storage=storage, study_name="svm")
    if content == "a trial":
        study.add_trial(optuna.trial.create_trial(value=0.5))
    else:
        study.set_user_attr("purpose", "a later search")

    with pytest.raises(InputError, match="has a study 'svm' that iris_hpo did not write"):
        to_optuna(make_results(), str(place))


def test_a_storage_that_cannot_be_opened_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be used by Optuna: unable to open") as caught:
        to_optuna(make_results(), f"sqlite:///{tmp_path}/missing/study.db")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("prefix", ["", "sqlite:///"])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("/dev/null", "it is a device, not a regular file"),
        ("pipe", "it is a named pipe, not a regular file"),
        ("folder", "it is a folder, not a file"),
    ],
)
def test_what_is_no_file_is_refused_before_it_is_read(
    kind: str, reason: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_arguments: object) -> None:
        pytest.fail("Optuna would read a device without end, and wait at a pipe")

    monkeypatch.setattr(optuna, "get_all_study_summaries", opened)
    monkeypatch.setattr("optuna.storages.journal.JournalFileBackend", opened)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    place = f"{prefix}{tmp_path / kind}"

    with pytest.raises(InputError) as caught:
        to_optuna(make_results(), place)

    assert str(caught.value) == f"{place} cannot be used by Optuna: {reason}"


def test_the_database_of_another_program_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "runs.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE alembic_version (version_num)")
    before = file.read_bytes()

    with pytest.raises(InputError, match="Optuna: it is the database of another program"):
        to_optuna(make_results(), f"sqlite:///{file}")

    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nothing://me:secret@127.0.0.1/db", "nothing://me:***@127.0.0.1/db cannot be used"),
        ("two words://me:se@cret@here/db", "two words://me:***@here/db cannot be used"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    with pytest.raises(InputError) as caught:
        to_optuna(make_results(), url)

    assert str(caught.value).startswith(shown)
    assert "cret" not in str(caught.value)


@pytest.mark.slow
def test_a_database_holds_the_same(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    to_optuna(make_results(), url)
    study = optuna.load_study(study_name="svm", storage=url)

    assert len(study.trials) == 7
    assert study.best_trial.user_attrs["candidate"] == make_results().champion.key
