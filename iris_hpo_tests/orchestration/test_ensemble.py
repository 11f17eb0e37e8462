"""The ensemble of a selection: stored, verified, estimated, removed when it is no longer made."""

import json
import pickle

import pytest

from iris_hpo.command.predict import read_predictor
from iris_hpo.data.split import read_examples
from iris_hpo.errors import InputError
from iris_hpo.orchestration.selection_status import selection_state
from iris_hpo.run_settings import SelectionSettings
from iris_hpo.selection.files import selected_problems
from iris_hpo.selection.sentences import champion_lines
from iris_hpo.store.digests import digest_of
from iris_hpo_tests.projects import SpecProject, succeed

VOTING = SelectionSettings("test_score", ensemble=True)


def select(project: SpecProject, *, ensemble: bool) -> None:
    succeed(project.run("selection", selection={"rule": "test_score", "ensemble": ensemble}))


def test_the_selected_models_vote(scored: SpecProject) -> None:
    select(scored, ensemble=True)

    card = scored.study().champion()
    path = scored.artifacts / "selection" / "ensemble.pkl"
    content = path.read_bytes()
    described = card.ensemble or {}
    assert described["models"] == card.tied
    assert (described["digest"], described["bytes"]) == (digest_of(content), len(content))
    assert read_predictor(scored.store, card, ensemble=True) == content
    assert 0.8 < described["estimate"]["value"] <= 1
    assert described["estimate"]["method"].endswith("for a vote of models of 120 rows")
    assert scored.metadata("selection")["ensemble_estimate"] == described["estimate"]["value"]
    assert scored.metadata("selection")["ensemble"] == champion_lines(card, "classification", 6)[-1]

    rows = read_examples(
        scored.store, scored.study().upstream().split_card, "classification"
    ).test_features
    voted = pickle.loads(content).predict(rows)
    models = {
        tuple(pickle.loads(file.read_bytes()).predict(rows))
        for file in (scored.artifacts / "selection" / "models").glob("*.pkl")
    }
    assert len(voted) == 30
    for at, label in enumerate(voted):
        assert label in {predicted[at] for predicted in models}


def test_it_is_verified_and_part_of_the_state(scored: SpecProject) -> None:
    select(scored, ensemble=True)
    plain = SelectionSettings("test_score")
    states = [selection_state(scored.study(), one) for one in (VOTING, plain)]
    assert states == ["up to date", "out of date"]

    path = scored.artifacts / "selection" / "ensemble.pkl"
    path.write_bytes(path.read_bytes() + b"x")

    assert selection_state(scored.study(), VOTING) == "out of date"
    assert selected_problems(scored.store) == [
        "ensemble.pkl is not the file that the champion's card describes"
    ]
    with pytest.raises(InputError, match=r"ensemble\.pkl is not the file that was recorded"):
        read_predictor(scored.store, scored.study().champion(), ensemble=True)


def test_it_is_removed_by_a_selection_without_one(scored: SpecProject) -> None:
    select(scored, ensemble=False)
    before = scored.files("selection")
    assert "ensemble" not in json.loads((scored.artifacts / "selection/champion.json").read_text())

    select(scored, ensemble=True)
    select(scored, ensemble=False)

    assert scored.files("selection").keys() == before.keys()
    with pytest.raises(InputError, match="the last selection made no ensemble; run the search"):
        read_predictor(scored.store, scored.study().champion(), ensemble=True)
