"""The champion on all rows, and the references: what is trained, and when it is trained again."""

import pickle
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from iris_hpo.data.split import Examples
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.errors import CandidateError
from iris_hpo.parts import Part
from iris_hpo.space.values import Value
from iris_hpo.store.digests import digest_of
from iris_hpo.training.cards import Conditions, ScoreCard, dump_model, load_model
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.final_fits import (
    FinalWork,
    Refitted,
    champion_fit,
    curve_fit,
    reference_fits,
)
from iris_hpo.training.learning_curve import LearningCurve, fit_learning_curve
from iris_hpo.training.named_objective import NamedObjective
from iris_hpo.training.search_objective import SearchObjective

SVM = EstimatorObjective(Recipe((Step("sklearn.svm.SVC"),)), "accuracy", "classification")


class Plain:
    """An objective that says nothing of defaults; its score counts rows and values."""

    task, scoring = "classification", "count"

    def identity(self):
        return {}

    def train(self, parameters, features, target):
        return {"rows": len(target), "columns": features.shape[1], **parameters}

    def score(self, model, parameters, examples):
        return Evaluation(model["rows"] + sum(parameters.values()) + len(examples.test_target))


class WithDefaults(Plain):
    """An objective that can name its defaults."""

    def defaults(self):
        return {"power": 2.0}


class Undecided(Plain):
    """An objective that fails to name its defaults."""

    def defaults(self):
        raise RuntimeError("that depends")


def conditions(objective: SearchObjective = SVM) -> Conditions:
    return Conditions(objective, "t" * 64, "s" * 64, "p" * 64)


def refit(objective: SearchObjective, parameters: Mapping[str, Value], rows: Examples) -> Refitted:
    known = conditions(objective)
    result = FinalWork(known, rows)(champion_fit(known, parameters, "test"))
    assert isinstance(result, Refitted)
    return result


def references(objective: SearchObjective, rows: Examples) -> dict[str, ScoreCard]:
    known = conditions(objective)
    work = FinalWork(known, rows)
    cards: dict[str, ScoreCard] = {}
    for fit in reference_fits(known):
        card = work(fit)
        assert isinstance(card, ScoreCard)
        assert card.fingerprint == fit.fingerprint
        cards[fit.name] = card
    return cards


def together(rows: Examples):
    return (
        np.concatenate([rows.features, rows.test_features]),
        np.concatenate([rows.target, rows.test_target]),
    )


def test_the_champion_is_trained_on_all_rows(iris_examples: Examples) -> None:
    features, target = together(iris_examples)
    # What a candidate has shown to the objective must not pass for a fit of other rows.
    SVM.train({"C": 2.0, "gamma": 0.25}, iris_examples.features, iris_examples.target)

    refitted = refit(SVM, {"C": 2.0, "gamma": 0.25}, iris_examples)

    assert refitted.rows == 150
    model = load_model(refitted.content)
    expected = SVC(C=2.0, gamma=0.25, random_state=0).fit(features, target)
    assert isinstance(model, SVC)
    assert model.shape_fit_ == (150, 4)
    assert np.array_equal(model.dual_coef_, expected.dual_coef_)
    assert set(refitted.versions) == {"python", "scikit-learn"}


def test_a_worker_makes_the_same_bytes(iris_examples: Examples) -> None:
    work = FinalWork(conditions(), iris_examples)
    fit = champion_fit(work.conditions, {"C": 2.0, "gamma": 0.25}, "test")

    here = work(fit)
    there = pickle.loads(pickle.dumps(work))(pickle.loads(pickle.dumps(fit)))

    assert isinstance(here, Refitted)
    assert digest_of(there.content) == digest_of(here.content)


def test_a_learning_curve_is_fitted_as_the_split_is_made(iris_examples: Examples) -> None:
    parameters: dict[str, Value] = {"C": 2.0, "gamma": 0.25}
    settings = SplitSettings(seed=7)
    work = FinalWork(conditions(), iris_examples, settings)

    curve = work(curve_fit(work.conditions, parameters, "test"))

    model = SVM.train(parameters, iris_examples.features, iris_examples.target)
    expected = fit_learning_curve(SVM, model, parameters, iris_examples, settings)
    assert isinstance(curve, LearningCurve)
    assert expected is not None
    assert np.array_equal(curve.fewer, expected.fewer)
    assert np.array_equal(curve.more, expected.more)


def test_no_learning_curve_of_an_objective_without_predictions(iris_examples: Examples) -> None:
    work = FinalWork(conditions(NamedObjective(Part(f"{__name__}.Plain"))), iris_examples)
    with pytest.raises(CandidateError, match="no predictions"):
        work(curve_fit(work.conditions, {}, "test"))


def test_a_pipeline_with_weights_by_label_is_trained_on_all_rows(iris_examples: Examples) -> None:
    weights = {"Iris-setosa": 5.0}
    pipeline = EstimatorObjective(
        Recipe(
            (
                Step("sklearn.preprocessing.StandardScaler"),
                Step("sklearn.svm.SVC", {"class_weight": weights}),
            ),
            seed=3,
        ),
        "accuracy",
        "classification",
    )

    model = load_model(refit(pipeline, {"svc__C": 0.1}, iris_examples).content)

    features, target = together(iris_examples)
    svc = SVC(C=0.1, class_weight=weights, random_state=3)
    expected = make_pipeline(StandardScaler(), svc).fit(features, target)
    assert dump_model(model.predict(features)) == dump_model(expected.predict(features))
    assert np.array_equal(model[-1].dual_coef_, expected[-1].dual_coef_)


def test_the_references_are_the_defaults_and_the_most_frequent_class(
    iris_examples: Examples,
) -> None:
    cards = references(SVM, iris_examples)

    assert list(cards) == ["default", "baseline"]
    features, target = iris_examples.features, iris_examples.target
    for name, estimator in (("default", SVC(random_state=0)), ("baseline", DummyClassifier())):
        folds = cross_val_score(estimator, features, target, cv=list(iris_examples.folds))
        assert cards[name].fold_scores == list(folds)
        fitted = estimator.fit(features, target)
        assert cards[name].score == fitted.score(
            iris_examples.test_features, iris_examples.test_target
        )
        # Two selections of the same scores have the same bytes.
        assert (cards[name].seconds, cards[name].run_id) == (0.0, "")


def test_settings_of_the_search_hold_for_the_default(iris_examples: Examples) -> None:
    linear = replace(SVM, recipe=Recipe((Step("sklearn.svm.SVC", {"kernel": "linear"}),)))

    card = references(linear, iris_examples)["default"]

    expected = SVC(kernel="linear").fit(iris_examples.features, iris_examples.target)
    assert card.score == expected.score(iris_examples.test_features, iris_examples.test_target)


def test_the_baseline_of_numbers_is_their_mean(iris_examples: Examples) -> None:
    numbers = replace(
        iris_examples,
        target=iris_examples.features[:, 0],
        test_target=iris_examples.test_features[:, 0],
    )
    ridge = EstimatorObjective(Recipe((Step("sklearn.linear_model.Ridge"),)), "r2", "regression")

    cards = references(ridge, numbers)

    assert cards["baseline"].score == pytest.approx(0.0, abs=0.1)
    expected = Ridge().fit(numbers.features, numbers.target)
    assert cards["default"].score == expected.score(numbers.test_features, numbers.test_target)


@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc_ovr", "f1_macro"])
def test_the_baseline_has_a_score_where_probabilities_are_needed(
    iris_examples: Examples, scoring: str
) -> None:
    objective = EstimatorObjective(
        Recipe((Step("sklearn.naive_bayes.GaussianNB"),)), scoring, "classification"
    )
    assert references(objective, iris_examples)["baseline"].scoring == scoring


def own(name: str) -> NamedObjective:
    return NamedObjective(Part(f"{__name__}.{name}"))


def test_an_objective_of_the_user_s_own_may_name_its_defaults(iris_examples: Examples) -> None:
    cards = references(own("WithDefaults"), iris_examples)

    assert {name: card.score for name, card in cards.items()} == {"default": 152.0}
    assert refit(own("WithDefaults"), {"power": 1.0}, iris_examples).content == dump_model(
        {"rows": 150, "columns": 4, "power": 1.0}
    )
    assert reference_fits(conditions(own("Plain"))) == []
    with pytest.raises(CandidateError, match="naming the defaults failed: RuntimeError: that"):
        reference_fits(conditions(own("Undecided")))


def test_what_decides_a_fit_is_in_its_fingerprint() -> None:
    base = conditions()
    linear = replace(SVM, recipe=Recipe((Step("sklearn.svm.SVC", {"kernel": "linear"}),)))

    def champion(known: Conditions, c: float = 1.0, test: str = "test") -> str:
        return champion_fit(known, {"C": c}, test).fingerprint

    changed = [
        champion(base),
        champion(base, 2.0),
        champion(base, test="other"),
        champion(replace(base, training_digest="other")),
        champion(replace(base, objective=linear)),
    ]
    assert len(set(changed)) == len(changed)
    # Other folds of the same rows change nothing.
    assert champion(replace(base, split_version="other")) == champion(base)

    def known(conditions: Conditions) -> list[str]:
        return [fit.fingerprint for fit in reference_fits(conditions)]

    others = [
        known(base),
        known(replace(base, split_version="other")),
        known(replace(base, training_digest="other")),
        known(replace(base, objective=replace(SVM, scoring="balanced_accuracy"))),
    ]
    assert len({one for pair in others for one in pair}) == 8
    default, baseline = known(replace(base, objective=linear))
    assert default != known(base)[0]
    assert baseline == known(base)[1]
