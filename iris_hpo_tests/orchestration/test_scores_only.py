"""A run of `scores` alone works on the recorded models, and refuses any other."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import joblib
import pytest

from iris_hpo.orchestration.failed_candidates import failure_reasons
from iris_hpo.store.digests import digest_of
from iris_hpo_tests.projects import KEYS, SpecProject, failure_text, succeed

KEY = KEYS[2]
OTHERS = set(KEYS) - {KEY}


class _Trap:
    """Unpickling it makes a folder."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._place),)


@pytest.fixture(scope="module")
def trained_once(
    prepared_once: SpecProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SpecProject]:
    """What `trained` copies; read only."""
    with dg.DagsterInstance.ephemeral() as instance:
        project = prepared_once.copy(tmp_path_factory.mktemp("trained") / "project", instance)
        succeed(project.run("models", keys=KEYS))
        yield project


@pytest.fixture
def trained(trained_once: SpecProject, tmp_path: Path, instance: dg.DagsterInstance) -> SpecProject:
    """Six models without scores."""
    return trained_once.copy(tmp_path / "project", instance)


def set_trap(project: SpecProject) -> Path:
    """Put a pickle in a model's place; give the folder that it makes when it is loaded."""
    sprung = project.root / "sprung"
    joblib.dump(_Trap(sprung), project.model_file(KEY))
    return sprung


def test_it_uses_the_stored_models(trained: SpecProject) -> None:
    models = trained.files("models")
    succeed(trained.run("scores", keys=KEYS))
    assert trained.files("models") == models
    assert {len(found) for found in trained.by_partition("models").values()} == {1}
    for key in KEYS:
        (model,), (score,) = (trained.by_partition(name)[key] for name in ("models", "scores"))
        assert trained.score_card(key).model_version == model.tags["dagster/data_version"]
        assert score.metadata["reused"].value is False


def test_its_scores_are_those_of_a_whole_run(trained: SpecProject, finished: SpecProject) -> None:
    succeed(trained.run("scores", keys=KEYS))
    for key in KEYS:
        assert trained.score_card(key).version == finished.score_card(key).version


def test_models_alone_make_no_scores(trained: SpecProject) -> None:
    assert trained.by_partition("scores") == {}
    assert trained.files("scores") == {}


def test_the_trap_of_these_tests_is_real(trained: SpecProject) -> None:
    sprung = set_trap(trained)
    joblib.load(trained.model_file(KEY))
    assert sprung.is_dir()


def test_a_changed_model_is_refused_by_name_and_never_unpickled(trained: SpecProject) -> None:
    sprung = set_trap(trained)
    text = failure_text(trained.run("scores", keys=KEYS))
    assert f"{trained.model_file(KEY)} is not the file that was recorded" in text
    assert not sprung.exists()
    assert trained.partition_status("scores") == {"materialized": OTHERS, "failed": {KEY}}


def test_a_changed_model_with_a_changed_card_is_refused_too(trained: SpecProject) -> None:
    sprung = set_trap(trained)
    path = trained.model_file(KEY).with_suffix(".json")
    content = trained.model_file(KEY).read_bytes()
    card = json.loads(path.read_text())
    path.write_text(json.dumps({**card, "digest": digest_of(content), "bytes": len(content)}))

    text = failure_text(trained.run("scores", keys=KEYS))
    assert f"{path} is not what was recorded" in text
    assert not sprung.exists()
    assert set(trained.by_partition("scores")) == OTHERS


def test_a_whole_run_replaces_a_changed_model_and_never_unpickles_it(trained: SpecProject) -> None:
    digest = trained.model_card(KEY).digest
    sprung = set_trap(trained)
    succeed(trained.materialize_candidates())
    assert not sprung.exists()
    assert digest_of(trained.model_file(KEY).read_bytes()) == digest
    assert trained.metadata("models", KEY)["reused"] is False
    assert {trained.metadata("models", key)["reused"] for key in OTHERS} == {True}


def test_a_missing_model_is_named(trained: SpecProject) -> None:
    trained.model_file(KEY).unlink()
    result = trained.run("scores", keys=KEYS)
    assert not result.success
    reasons = failure_reasons(trained.instance, result.run_id)
    assert set(reasons) == {KEY}
    assert f"{trained.model_file(KEY)} is missing" in reasons[KEY]


def test_a_candidate_without_a_model_is_told_to_get_one(prepared: SpecProject) -> None:
    succeed(prepared.run("models", keys=KEYS[:2]))
    result = prepared.run("scores", keys=KEYS[:3])
    assert not result.success
    assert failure_reasons(prepared.instance, result.run_id) == {
        KEY: "it has no model yet; materialise models first"
    }
    assert set(prepared.by_partition("scores")) == set(KEYS[:2])


def test_models_of_other_settings_are_refused(trained: SpecProject) -> None:
    succeed(trained.run("parameters", parameters={"kernel": "linear"}))
    result = trained.run("scores", keys=KEYS)
    assert not result.success
    reasons = failure_reasons(trained.instance, result.run_id)
    assert set(reasons) == set(KEYS)
    assert all("trained on other data, settings or versions" in why for why in reasons.values())
    assert trained.by_partition("scores") == {}


def test_scores_that_are_right_are_reused(scored: SpecProject) -> None:
    before = scored.files()
    succeed(scored.run("scores", keys=KEYS))
    assert scored.files() == before
    assert {scored.metadata("scores", key)["reused"] for key in KEYS} == {True}
