"""The vote of models as one predictor, and what a vote of candidates predicts."""

import pickle

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.svm import SVC

from iris_hpo.selection.ensemble import Ensemble, make_ensemble
from iris_hpo.selection.estimates import NoEstimate, assess
from iris_hpo.selection.rules import select
from iris_hpo.selection.votes import Voters
from iris_hpo.training.cards import dump_model
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.predictions import Outputs, Predictions
from iris_hpo_tests.selection.drawn_search import SPACES, drawn_case
from iris_hpo_tests.selection.test_estimates import with_probabilities, without_predictions


class Says:
    """A model that predicts these values, whatever the rows are."""

    def __init__(self, *values):
        self.values = np.array(values)

    def predict(self, rows):
        return self.values[: len(rows)]


ROWS = np.zeros((3, 1))


def ensemble(*models, champion=0, vote="classes"):
    return Ensemble(tuple(map(dump_model, models)), champion, vote)


def test_most_votes_win():
    voted = ensemble(Says("a", "b", "c"), Says("a", "c", "b"), Says("b", "c", "b"))

    assert voted.predict(ROWS).tolist() == ["a", "c", "b"]


@pytest.mark.parametrize(("champion", "expected"), [(0, [2, 1, 3]), (1, [1, 2, 1])])
def test_the_champion_decides_between_equal_votes(champion, expected):
    """The last row is a tie in which the second model is the champion, and votes for 1."""
    voted = ensemble(Says(2, 1, 3), Says(1, 2, 1), champion=champion)

    assert voted.predict(ROWS).tolist() == expected


def test_the_first_class_wins_if_the_champion_has_fewer_votes():
    voted = ensemble(*(Says(label, 1, 1) for label in (9, 2, 2, 1, 1)))

    assert voted.predict(ROWS)[0] == 1


def test_numbers_are_averaged():
    voted = ensemble(Says(1.0, 2.0, 3.0), Says(3.0, 2.0, 1.5), vote="numbers")

    assert voted.predict(ROWS).tolist() == [2.0, 2.0, 2.25]


def test_probabilities_are_averaged(iris_examples):
    rows, target = iris_examples.features, iris_examples.target
    forests = [RandomForestClassifier(5, random_state=seed).fit(rows, target) for seed in range(3)]
    voted = ensemble(*forests, vote="probabilities")

    mean = np.mean([forest.predict_proba(rows) for forest in forests], axis=0)

    np.testing.assert_allclose(voted.predict_proba(rows), mean)
    assert (voted.predict(rows) == forests[0].classes_[mean.argmax(axis=1)]).all()
    assert (voted.classes_ == forests[0].classes_).all()


def test_it_holds_one_model_at_a_time_and_is_as_large_as_its_models(iris_examples):
    models = [SVC(C=c).fit(iris_examples.features, iris_examples.target) for c in range(1, 6)]
    sizes = [len(dump_model(model)) for model in models]

    content = dump_model(ensemble(*models))

    assert sum(sizes) < len(content) < sum(sizes) + 1_000
    loaded = pickle.loads(content)
    assert all(isinstance(model, bytes) for model in loaded.models)
    assert dump_model(loaded) == content


@pytest.mark.parametrize(
    ("task", "outputs", "vote"),
    [
        ("classification", None, "classes"),
        ("regression", None, "numbers"),
        ("classification", {"decision_function": np.zeros(3)}, "classes"),
        ("classification", {"predict_proba": np.zeros((3, 2))}, "probabilities"),
    ],
)
def test_what_the_scoring_takes_says_how_models_vote(task, outputs, vote):
    given = None if outputs is None else Outputs(np.arange(2), outputs)
    predictions = Predictions((), np.zeros(3), (), given)

    assert make_ensemble([], 0, task, Evaluation(0.5, predictions=predictions)).vote == vote
    assert make_ensemble([], 0, task, Evaluation(0.5)).vote != "probabilities"


@pytest.mark.parametrize("vote", ["classes", "numbers"])
def test_candidates_vote_as_models_do(vote):
    random = np.random.default_rng(0)
    columns = random.integers(0, 4, (12, 6)) if vote == "classes" else random.normal(size=(12, 6))
    selected = random.random((20, 6)) < 0.5
    champions = random.integers(0, 6, 20)
    selected[np.arange(20), champions] = True

    together = Voters(selected, champions).predict(vote, columns)

    for draw, (members, champion) in enumerate(zip(selected, champions, strict=True)):
        at = np.flatnonzero(members)
        models = [Says(*columns[:, one]) for one in at]
        voted = ensemble(*models, champion=int(np.searchsorted(at, champion)), vote=vote)
        np.testing.assert_allclose(together[:, draw], voted.predict(np.zeros((12, 1))))


@pytest.mark.usefixtures("few_draws")
def test_probabilities_of_candidates_are_averaged():
    evidence, scored, _ = drawn_case(1, "accuracy")
    labels = np.arange(3)
    equal = with_probabilities(evidence, labels, 1)
    scored = [type(one)(one.candidate, equal) for one in scored]

    assessment = assess(select(scored, SPACES[0], "neg_log_loss", "cv"), evidence, votes=True)

    estimates = (assessment.estimate, assessment.of_vote)
    assert estimates[1].value == pytest.approx(estimates[0].value)
    assert estimates[1].kind == "bbc"


def test_a_vote_has_no_estimate_where_only_scores_are_known():
    evidence, scored, _ = drawn_case(2, "accuracy", rows=(60, 8))
    selection = without_predictions(select(scored, SPACES[0], "accuracy", "cv"))

    refused = assess(selection, evidence, votes=True).of_vote

    assert isinstance(refused, NoEstimate)


def test_no_vote_is_estimated_unless_it_is_made():
    evidence, scored, _ = drawn_case(2, "accuracy")

    assert assess(select(scored, SPACES[0], "accuracy", "cv"), evidence).of_vote is None


def test_a_vote_of_numbers_has_the_mean_of_the_models(iris_examples):
    models = [
        Ridge(alpha).fit(iris_examples.features[:, 1:], iris_examples.features[:, 0])
        for alpha in (0.1, 1, 10)
    ]
    rows = iris_examples.test_features[:, 1:]

    predicted = ensemble(*models, vote="numbers").predict(rows)

    np.testing.assert_allclose(predicted, np.mean([one.predict(rows) for one in models], axis=0))
