"""The learning curve: out-of-fold predictions of all rows, by fits to a half and to four fifths."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import make_friedman1
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, cross_val_predict

from iris_hpo.data.roles import RowRoles
from iris_hpo.data.split import Examples
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.training import learning_curve
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.learning_curve import fit_learning_curve

SETTINGS = SplitSettings(seed=3, repeats=3)


def curve_of(examples, estimator, scoring, task, settings=SETTINGS, *, grouped=False, **parameters):
    objective = EstimatorObjective(Recipe((Step(estimator),)), scoring, task)
    model = objective.train(parameters, examples.features, examples.target)
    return fit_learning_curve(objective, model, parameters, examples, settings, grouped=grouped)


def numbers(rows):
    features, target = make_friedman1(rows, noise=1.0, random_state=0)
    training = rows * 4 // 5
    return Examples(
        features[:training], target[:training], features[training:], target[training:], ()
    )


def seeds_of(number):
    return np.random.SeedSequence([SETTINGS.seed, 1991]).generate_state(number)


def test_columns_are_out_of_fold_predictions_of_all_rows(iris_examples):
    curve = curve_of(iris_examples, "sklearn.svm.SVC", "accuracy", "classification", C=8.0)

    features = np.concatenate([iris_examples.features, iris_examples.test_features])
    target = np.concatenate([iris_examples.target, iris_examples.test_target])
    columns = [*curve.fewer, *curve.more]
    assert (len(curve.fewer), len(curve.more)) == (5, 3)
    for column, number, seed in zip(columns, [2] * 5 + [5] * 3, seeds_of(8), strict=True):
        folds = StratifiedKFold(number, shuffle=True, random_state=int(seed))
        estimator = Recipe((Step("sklearn.svm.SVC"),)).build({"C": 8.0})
        assert (column == cross_val_predict(estimator, features, target, cv=folds)).all()


def test_numbers_are_predicted_by_folds_without_classes():
    examples = numbers(40)

    curve = curve_of(examples, "sklearn.linear_model.Ridge", "r2", "regression", alpha=2.0)

    features = np.concatenate([examples.features, examples.test_features])
    target = np.concatenate([examples.target, examples.test_target])
    folds = KFold(5, shuffle=True, random_state=int(seeds_of(8)[-1]))
    estimator = Recipe((Step("sklearn.linear_model.Ridge"),)).build({"alpha": 2.0})
    assert curve.more[-1] == pytest.approx(cross_val_predict(estimator, features, target, cv=folds))


def test_dear_fits_are_repeated_less(iris_examples, monkeypatch):
    monkeypatch.setattr(learning_curve, "CHEAP_NUMBERS", 100)

    curve = curve_of(iris_examples, "sklearn.svm.SVC", "accuracy", "classification")

    assert (len(curve.fewer), len(curve.more)) == (2, 1)


def in_groups(examples, groups):
    groups = np.asarray(groups, dtype=str)
    training = len(examples.target)
    return replace(
        examples,
        roles=RowRoles(group=groups[:training]),
        test_roles=RowRoles(group=groups[training:]),
    )


RIDGE = "sklearn.linear_model.Ridge", "r2", "regression"


def test_groups_are_left_out_whole_and_their_share_is_kept():
    examples = in_groups(numbers(60), np.repeat(range(20), 3))

    curve = curve_of(examples, *RIDGE, grouped=True)

    together = examples.together()
    folds = GroupKFold(5, shuffle=True, random_state=int(seeds_of(8)[-1]))
    expected = cross_val_predict(
        Recipe((Step(RIDGE[0]),)).build({}),
        together.features,
        together.target,
        cv=folds,
        groups=together.roles.group,
    )
    assert curve.more[-1] == pytest.approx(expected)
    assert curve.shares == pytest.approx((1 / 2, 4 / 5))


def test_shares_are_those_of_unequal_groups():
    groups = np.repeat(range(10), (1, 11, 1, 11, 1, 11, 1, 11, 1, 11))
    examples = in_groups(numbers(60), groups)

    curve = curve_of(examples, *RIDGE, grouped=True)

    seen = []
    for number, seed in zip([2] * 5 + [5] * 3, seeds_of(8), strict=True):
        folds = GroupKFold(number, shuffle=True, random_state=int(seed))
        split = folds.split(groups, groups=groups.astype(str))
        seen.append(sum(len(validated) / len(fitted) for fitted, validated in split))
    assert curve.shares == pytest.approx((1 / np.mean(seen[:5]), 1 / np.mean(seen[5:])))
    assert curve.shares[0] < 0.49


def test_no_curve_of_fewer_groups_than_folds():
    examples = in_groups(numbers(60), np.repeat(range(4), 15))

    assert curve_of(examples, *RIDGE, grouped=True) is None


def test_no_curve_of_a_group_that_is_nearly_everything(iris_examples):
    groups = np.random.default_rng(0).permutation(np.repeat(range(5), (110, 10, 10, 10, 10)))

    examples = in_groups(iris_examples, groups)

    assert curve_of(examples, "sklearn.svm.SVC", "accuracy", "classification", grouped=True) is None


def test_no_curve_of_few_rows():
    assert curve_of(numbers(9), "sklearn.linear_model.Ridge", "r2", "regression") is None


def test_no_curve_if_parts_of_the_rows_are_too_few_for_the_estimator():
    examples = numbers(20)

    curve = curve_of(
        replace(examples, folds=()),
        "sklearn.neighbors.KNeighborsRegressor",
        "r2",
        "regression",
        n_neighbors=12,
    )

    assert curve is None
