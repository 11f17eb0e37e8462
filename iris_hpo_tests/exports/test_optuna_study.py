"""The export to Optuna, read back by Optuna."""

from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from iris_hpo.errors import InputError
from iris_hpo.exports.cv_results import cv_results
from iris_hpo.exports.optuna_study import make_trials, to_optuna
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


def test_a_study_of_others_is_not_replaced(tmp_path: Path) -> None:
    place = tmp_path / "study.journal"
    storage = JournalStorage(JournalFileBackend(str(place)))
    optuna.create_study(storage=storage, study_name="svm")

    with pytest.raises(InputError, match="has a study 'svm' that iris_hpo did not write"):
        to_optuna(make_results(), str(place))


def test_a_storage_that_cannot_be_opened_is_one_message_without_its_password(
    tmp_path: Path,
) -> None:
    with pytest.raises(InputError, match="cannot be used by Optuna") as caught:
        to_optuna(make_results(), f"sqlite:///{tmp_path}/missing/study.db")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError) as caught:
        to_optuna(make_results(), "nothing://me:secret@127.0.0.1/db")
    assert "secret" not in str(caught.value)


@pytest.mark.slow
def test_a_database_holds_the_same(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    to_optuna(make_results(), url)
    study = optuna.load_study(study_name="svm", storage=url)

    assert len(study.trials) == 7
    assert study.best_trial.user_attrs["candidate"] == make_results().champion.key
