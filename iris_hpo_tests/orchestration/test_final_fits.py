"""The champion on all rows, and the references: stored, used again, and refused as a whole."""

import csv
import io
import json
import logging
import pickle
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from iris_hpo.data.split import read_examples
from iris_hpo.engines import Engine, LokyEngine, SerialEngine
from iris_hpo.errors import InputError
from iris_hpo.orchestration.final_fits import FinalFits
from iris_hpo.orchestration.selection_status import selection_state
from iris_hpo.run_settings import SelectionSettings, WorkSettings
from iris_hpo.selection.champion import ChampionCard
from iris_hpo.selection.estimates import Assessment, assess
from iris_hpo.selection.files import selected_problems
from iris_hpo.store.cards import read_card
from iris_hpo.store.digests import digest_of
from iris_hpo.training.estimators import Step
from iris_hpo.training.final_fits import FinalFit, FinalWork
from iris_hpo_tests.projects import KEYS, SpecProject, failure_text, small_spec, succeed


def select(project: SpecProject, rule: str, **settings: Any) -> None:
    succeed(project.run("selection", selection={"rule": rule, **settings}))


def champion_card(project: SpecProject) -> ChampionCard:
    return read_card(project.store, "selection/champion.json", ChampionCard)


def selection_file(project: SpecProject, name: str) -> bytes:
    return (project.artifacts / "selection" / name).read_bytes()


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the fits that are done from now on."""
    done: list[str] = []
    original = FinalWork.__call__

    def note(work: FinalWork, fit: FinalFit) -> object:
        done.append(fit.name)
        return original(work, fit)

    monkeypatch.setattr(FinalWork, "__call__", note)
    return done


def test_under_cv_the_champion_is_trained_on_all_rows(scored: SpecProject) -> None:
    select(scored, "cv")

    card = champion_card(scored)
    scored_model = scored.model_file(card.key).read_bytes()
    assert (card.refit, card.training_rows) == ("all", 150)
    assert card.digest == digest_of(selection_file(scored, "champion.pkl")) != card.scored_digest
    assert selection_file(scored, f"models/model_{card.key}.pkl") == scored_model
    assert digest_of(scored_model) == card.scored_digest
    split = scored.study().upstream().split_card
    rows = read_examples(scored.store, split, "classification")
    refitted = pickle.loads(selection_file(scored, "champion.pkl"))
    expected = pickle.loads(scored_model).fit(
        np.concatenate([rows.features, rows.test_features]),
        np.concatenate([rows.target, rows.test_target]),
    )
    assert np.array_equal(refitted.dual_coef_, expected.dual_coef_)
    assert scored.metadata("selection")["refit"] == "all"
    assert scored.metadata("selection")["training_rows"] == 150
    assert selected_problems(scored.store) == []


@pytest.mark.parametrize(
    "settings", [{"rule": "test_score"}, {"rule": "cv", "refit": "train"}], ids=str
)
def test_without_a_refit_the_champion_is_the_model_that_was_scored(
    scored: SpecProject, settings: Mapping[str, str]
) -> None:
    select(scored, **settings)

    card = champion_card(scored)
    assert (card.refit, card.training_rows) == ("train", 120)
    assert selection_file(scored, "champion.pkl") == scored.model_file(card.key).read_bytes()
    assert card.digest == card.scored_digest


def test_fits_are_done_once(scored: SpecProject, fits: list[str]) -> None:
    select(scored, "cv")
    assert fits == ["default", "baseline", "learning curve", "champion"]
    before = scored.files("selection").keys(), champion_card(scored)

    select(scored, "cv")
    assert fits == ["default", "baseline", "learning curve", "champion"]
    assert (scored.files("selection").keys(), champion_card(scored)) == before

    select(scored, "test_score")
    select(scored, "cv")
    assert fits[4:] == ["learning curve", "learning curve", "champion"], (
        "only what is the champion's is gone with the other selection"
    )
    assert champion_card(scored) == before[1]


def test_the_estimate_accounts_for_the_learning_curve(
    scored: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    curves: list[Any] = []

    def note(*arguments: Any, **named: Any) -> Assessment:
        curves.append(arguments[3])
        return assess(*arguments, **named)

    monkeypatch.setattr("iris_hpo.orchestration.assets.selection.assess", note)
    select(scored, "cv")
    select(scored, "cv")  # from the stored columns
    select(scored, "cv", refit="train")

    first, second, third = curves
    assert None not in curves
    assert (first.rows, second.rows, third.rows) == (150, 150, 120)
    assert np.array_equal(first.fits.fewer, second.fits.fewer)
    assert np.array_equal(first.fits.more, second.fits.more)
    assert np.shape(third.fits.more) == (3, 150)


def test_a_stored_fit_that_was_changed_is_done_again(scored: SpecProject, fits: list[str]) -> None:
    select(scored, "cv")
    before = scored.files("selection")
    for name, again in (
        ("champion.pkl", ["champion"]),
        ("references.json", ["default", "baseline", "learning curve"]),
    ):
        path = scored.artifacts / "selection" / name
        path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))
        assert selection_state(scored.study(), SelectionSettings("cv")) == "out of date"
        fits.clear()
        select(scored, "cv")
        assert fits == again
        assert {name: content for name, (_, content) in scored.files("selection").items()} == {
            name: content for name, (_, content) in before.items()
        }


def test_the_setting_is_part_of_the_state(scored: SpecProject) -> None:
    select(scored, "cv")
    states = {
        refit: selection_state(scored.study(), SelectionSettings("cv", refit))
        for refit in ("auto", "all", "train")
    }
    assert states == {"auto": "up to date", "all": "up to date", "train": "out of date"}


def test_the_check_names_a_champion_that_was_changed(scored: SpecProject) -> None:
    select(scored, "cv")
    path = scored.artifacts / "selection" / "champion.pkl"
    path.write_bytes(path.read_bytes() + b"x")
    assert selected_problems(scored.store) == [
        "champion.pkl is not the file that its card describes"
    ]


def test_references_are_on_the_card(searched: SpecProject) -> None:
    baseline, default = champion_card(searched).references or ()
    assert (default["name"], baseline["name"]) == ("default", "baseline")
    assert default["score"] > 0.8
    assert baseline["score"] == pytest.approx(1 / 3)
    stored = json.loads(selection_file(searched, "references.json"))
    assert stored["scores"]["default"]["score"] == default["score"]


def test_a_card_without_the_new_fields_stays_the_same_card(searched: SpecProject) -> None:
    """As earlier versions wrote it: its recorded version must hold."""
    new = champion_card(searched)
    fields = json.loads(new.to_bytes())
    for name in ("refit", "training_rows", "scored_digest", "references", "references_digest"):
        del fields[name]
    for name in ("estimate", "estimate_reason", "as_good"):
        fields.pop(name, None)
    content = (json.dumps(fields, indent=1, sort_keys=True) + "\n").encode()
    searched.store.write("selection/champion.json", content)
    assert champion_card(searched).to_bytes() == content


def troubled(folder: Path, instance: dg.DagsterInstance, trouble: str) -> SpecProject:
    """A search whose default cannot be fitted, and whose champion cannot on all rows."""
    step = Step("iris_hpo_tests.orchestration.estimators.Troubled", {"trouble": trouble})
    spec = replace(small_spec(folder), steps=(step,))
    made = SpecProject.create(folder, instance, spec)
    made.write_axis("c", 8)
    return made


REFUSED = (
    "the champion C8.0_G0.016 cannot be trained on all rows: fitting failed: ValueError: C 8.0 on "
    "150 rows is too much; nothing was selected; the setting refit: train (--refit train) takes "
    "the model that was scored"
)


def test_a_refit_that_fails_is_one_message_and_changes_nothing(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    project = troubled(tmp_path / "troubled", instance, "raise").search()
    before = project.files("selection")
    baseline, default = champion_card(project).references or ()
    assert default == {
        "name": "default",
        "reason": "fitting failed: ValueError: C 1.0 on 120 rows is too much",
    }
    assert baseline["name"] == "baseline"

    result = project.run("selection", selection={"rule": "cv"})

    assert failure_text(result) == REFUSED
    assert project.files("selection") == before
    assert selection_state(project.study(), SelectionSettings("cv")) == "out of date"
    assert selection_state(project.study(), SelectionSettings("test_score")) == "up to date"
    select(project, "cv", refit="train")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("die", "its worker process died 1 time (killed, or out of memory)"),
        ("hang", "did not finish within 5 s (candidate_timeout)"),
    ],
)
def test_a_fit_that_dies_or_hangs_harms_nothing(
    tmp_path: Path, instance: dg.DagsterInstance, trouble: str, reason: str
) -> None:
    project = troubled(tmp_path / "troubled", instance, trouble)
    project.materialize_sources()
    succeed(project.materialize_candidates())
    loky = {"engine": "loky", "jobs": 1, "candidate_timeout": 5, "retries": 0}

    select(project, "test_score", **loky)
    assert {one["name"]: one.get("reason") for one in champion_card(project).references or ()} == {
        "baseline": None,
        "default": reason,
    }
    before = project.files("selection")

    result = project.run("selection", selection={"rule": "cv", **loky})
    assert f"cannot be trained on all rows: {reason}; nothing was" in failure_text(result)
    assert project.files("selection") == before


def test_without_workers_there_are_no_references_but_a_selection(
    scored: SpecProject, monkeypatch: pytest.MonkeyPatch, fits: list[str]
) -> None:
    def no_workers(*_: object, **__: object) -> None:
        raise InputError("no scheduler")

    with monkeypatch.context() as patch:
        patch.setattr("iris_hpo.orchestration.final_fits.make_engine", no_workers)
        select(scored, "test_score")
        assert failure_text(scored.run("selection", selection={"rule": "cv"})) == "no scheduler"
    assert champion_card(scored).references == [
        {"name": "baseline", "reason": "no scheduler"},
        {"name": "default", "reason": "no scheduler"},
    ]

    select(scored, "test_score")
    assert {"default", "baseline"} <= set(fits)


@pytest.mark.parametrize(
    ("engine", "stated", "slowest", "limit"),
    [
        (LokyEngine(1), None, 0.1, 60.0),
        (LokyEngine(1), None, 20.0, 200.0),
        (LokyEngine(1), 7.0, 20.0, 7.0),
        (SerialEngine(), None, 20.0, None),
    ],
)
def test_a_fit_has_a_time_limit_where_the_engine_can_keep_one(
    prepared: SpecProject,
    engine: Engine,
    stated: float | None,
    slowest: float,
    limit: float | None,
) -> None:
    study = prepared.study()
    upstream = study.upstream()
    work = WorkSettings("loky", candidate_timeout=stated)
    examples = study.examples(upstream.split_card)
    fits = FinalFits(study, upstream, examples, work, logging.getLogger())

    assert fits._time_limit(engine, slowest) == limit


def test_another_metric_chooses_without_training(scored: SpecProject, fits: list[str]) -> None:
    files = {path: path.stat().st_mtime_ns for path in (scored.artifacts / "scores").iterdir()}

    select(scored, "cv", metric="macro_f1", refit="train")

    card = champion_card(scored)
    rows = csv.DictReader(io.StringIO(selection_file(scored, "leaderboard.csv").decode()))
    best = next(rows)
    assert card.scoring == "f1_macro"
    assert best["champion"] == "true"
    assert best["score"] == best["macro_f1"] == repr(card.score) != best["accuracy"]
    assert card.estimate is not None
    assert {*fits} == {"default", "baseline", "learning curve"}, "no candidate"
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert scored.metadata("selection")["changed_settings"] == {
        "rule": "cv",
        "metric": "f1_macro",
        "refit": "train",
    }


def test_a_metric_of_another_task_is_refused(scored: SpecProject) -> None:
    result = scored.run("selection", selection={"rule": "cv", "metric": "r2"})

    assert "metric 'r2': choose one of accuracy, balanced_accuracy" in failure_text(result)


def test_the_share_reaches_the_rule(scored: SpecProject) -> None:
    select(scored, "within", within="30%", refit="train")

    assert champion_card(scored).key == KEYS[0]
    assert champion_card(scored).tied > 1
