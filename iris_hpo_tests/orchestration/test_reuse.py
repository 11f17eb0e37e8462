"""Nothing is trained twice: what is stored and right is recorded again, not made again."""

import json
import shutil
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from iris_hpo.training.estimators import Step
from iris_hpo_tests.projects import KEYS, REPOSITORY_DATA, SpecProject, succeed

KEY = KEYS[4]


def reused(project: SpecProject, asset: str) -> set[str]:
    """Candidates whose latest event says that they were reused."""
    return {key for key in project.registered() if project.metadata(asset, key)["reused"]}


def test_a_second_run_reuses_everything(scored: SpecProject) -> None:
    files, versions = scored.files(), _versions(scored)
    succeed(scored.materialize_candidates())
    assert scored.files() == files
    assert reused(scored, "models") == reused(scored, "scores") == set(KEYS)
    assert {len(found) for found in scored.by_partition("models").values()} == {2}
    assert _versions(scored) == versions


@pytest.mark.parametrize(
    "edit", [{"scoring": "f1_macro"}, {"steps": (Step("sklearn.svm.SVC", {"shrinking": False}),)}]
)
def test_what_is_made_after_an_edit_has_no_part_of_before_the_edit(
    scored: SpecProject, edit: dict[str, Any]
) -> None:
    """`parameters` is made again later, or never; one choice of the kernel stays as it was."""
    spec = replace(scored.spec, **edit)
    edited = SpecProject(scored.root, scored.instance, spec)
    made, left = set(KEYS[:2]), set(KEYS[2:])

    succeed(edited.run("models", "scores", keys=KEYS[:2]))

    status = edited.plan().status
    assert {*status.keys("up to date")} == made
    assert {*status.keys("out of date")} == left
    succeed(edited.run("selection"))
    assert {row["candidate"] for row in edited.leaderboard()} == made
    succeed(edited.run("parameters"))
    assert {*edited.plan().status.keys("up to date")} == made


def test_what_is_reused_says_what_it_said_when_it_was_made(prepared: SpecProject) -> None:
    succeed(prepared.materialize_candidates())
    first = prepared.metadata("models", KEY), prepared.metadata("scores", KEY)
    succeed(prepared.materialize_candidates())
    again = prepared.metadata("models", KEY), prepared.metadata("scores", KEY)
    for before, after in zip(first, again, strict=True):
        assert before.pop("reused") is False
        assert after.pop("reused") is True
        assert before == after


def test_force_makes_all_anew_with_equal_results(scored: SpecProject) -> None:
    files, versions = scored.files(), _versions(scored)
    succeed(scored.materialize_candidates(candidates={"force": True}))
    assert reused(scored, "models") == reused(scored, "scores") == set()
    assert _versions(scored) == versions
    for name, (written, digest) in scored.files().items():
        if name.startswith(("models/", "scores/")):
            assert written > files[name][0], name
        if name.endswith(".pkl"):
            assert digest == files[name][1], "training repeats to the byte"


def test_more_repeats_of_the_folds_score_again_and_train_nothing(scored: SpecProject) -> None:
    models, once = scored.files("models"), scored.score_card(KEY)
    assert "repeats" not in scored.metadata("split")

    succeed(scored.run("split", split={"folds": 2, "repeats": 2}))
    succeed(scored.materialize_candidates())

    twice = scored.score_card(KEY)
    assert scored.metadata("split")["repeats"] == 2
    assert scored.files("models") == models
    assert (len(twice.fold_scores), twice.fold_scores[:2]) == (4, once.fold_scores)
    assert len(twice.evaluation.predictions.folds) == 4
    assert twice.score == once.score


def test_a_changed_byte_trains_that_model_alone(scored: SpecProject) -> None:
    files = scored.files()
    content = bytearray(scored.model_file(KEY).read_bytes())
    content[len(content) // 2] ^= 1
    scored.model_file(KEY).write_bytes(content)
    succeed(scored.materialize_candidates())
    assert reused(scored, "models") == set(KEYS) - {KEY}
    assert _digests(scored.files()).items() >= {
        (name, digest) for name, (_, digest) in files.items() if name.endswith(".pkl")
    }


def test_a_missing_card_trains_that_model_alone(scored: SpecProject) -> None:
    scored.model_file(KEY).with_suffix(".json").unlink()
    succeed(scored.materialize_candidates())
    assert reused(scored, "models") == set(KEYS) - {KEY}
    assert reused(scored, "scores") == set(KEYS), "the model is the same again"


def test_a_card_that_is_not_the_recorded_one_is_not_believed(scored: SpecProject) -> None:
    path = scored.model_file(KEY).with_suffix(".json")
    card = json.loads(path.read_text())
    path.write_text(json.dumps({**card, "support_vectors": card["support_vectors"] + 1}))
    succeed(scored.materialize_candidates())
    assert reused(scored, "models") == set(KEYS) - {KEY}
    assert json.loads(path.read_text())["support_vectors"] == card["support_vectors"]


def test_a_missing_score_is_made_from_the_stored_model(scored: SpecProject) -> None:
    models = scored.files("models")
    (scored.artifacts / "scores" / f"{KEY}.json").unlink()
    succeed(scored.materialize_candidates())
    assert scored.files("models") == models
    assert reused(scored, "models") == set(KEYS)
    assert reused(scored, "scores") == set(KEYS) - {KEY}


def test_an_edited_score_is_made_again(scored: SpecProject) -> None:
    path = scored.artifacts / "scores" / f"{KEY}.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps({**card, "score": 1.0, "correct": 30}))
    succeed(scored.materialize_candidates())
    assert reused(scored, "scores") == set(KEYS) - {KEY}
    assert json.loads(path.read_text())["score"] == card["score"]


def test_going_back_to_an_earlier_setting_trains_again(scored: SpecProject) -> None:
    """One file per candidate is kept: the earlier model was replaced."""
    versions = _versions(scored)
    for kernel in ("linear", "rbf"):
        succeed(scored.run("parameters", parameters={"kernel": kernel}))
        succeed(scored.materialize_candidates())
        assert reused(scored, "models") == set()
    assert _versions(scored) == versions


def test_equal_searches_give_the_same_bytes(searched: SpecProject, finished: SpecProject) -> None:
    assert searched.root != finished.root
    mine, other = _digests(searched.files()), _digests(finished.files())
    exact = {name for name in mine if name.endswith((".csv", ".pkl"))}
    assert exact >= {"selection/leaderboard.csv", "split/train.csv", f"models/model_{KEY}.pkl"}
    assert {name: mine[name] for name in exact} == {name: other[name] for name in exact}


@pytest.mark.slow
def test_with_a_linear_kernel_gamma_cannot_matter(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """The shipped grid: 11 values of C by 7 of gamma; models tie in complete rows of 7."""
    project = SpecProject.create(tmp_path / "project", instance)
    for path in (REPOSITORY_DATA / "parameters").iterdir():
        shutil.copyfile(path, project.parameters / path.name)
    project.search(parameters={"kernel": "linear"}, split={"folds": 0})

    rows = project.leaderboard()
    assert len(rows) == 77
    scores = defaultdict(list)
    for row in rows:
        scores[row["param_C"]].append((row["correct"], row["rank"], row["selected"]))
    assert len(scores) == 11
    for found in scores.values():
        assert len(found) == 7
        assert len(set(found)) == 1
    tied = project.metadata("selection")["tied"]
    assert tied == sum(row["selected"] == "true" for row in rows)
    assert tied % 7 == 0
    assert tied > 0
    assert len(project.files("selection/models")) == tied


def _versions(project: SpecProject) -> dict[str, dict[str, str]]:
    return {
        asset: {
            key: str((events[0].tags or {})["dagster/data_version"])
            for key, events in project.by_partition(asset).items()
        }
        for asset in ("models", "scores")
    }


def _digests(files: dict[str, tuple[int, str]]) -> dict[str, str]:
    return {name: digest for name, (_, digest) in files.items()}
