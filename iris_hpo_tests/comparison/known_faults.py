"""Searches in which faults that were once made change a score: drawn ones may miss them."""

from collections.abc import Mapping

import numpy as np
from sklearn.datasets import make_classification

from iris_hpo.data.split import Examples
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo_tests.comparison.sides import Search, examples_of

_OWN = "iris_hpo_tests.comparison.own_estimators."


def _noisy(labels: list[str], features: int, *, wrong: float = 0.2) -> Examples:
    """76 rows, a share of the labels wrong; with 100 features folds may share a kernel."""
    rows, numbers = make_classification(
        76,
        features,
        n_informative=3,
        n_redundant=0,
        n_classes=len(labels),
        n_clusters_per_class=1,
        weights=[0.75],
        flip_y=wrong,
        random_state=1,
    )
    return examples_of(rows, np.array(labels)[numbers], 9, "classification")


def _weights_that_name_labels() -> Search:
    step = Step("sklearn.svm.SVC", {"class_weight": {"no": 1.0, "yes": 20.0}})
    candidates = [{"gamma": 0.002, "C": bound} for bound in (0.02, 0.1, 0.5)]
    return Search(
        Recipe((step,)), "accuracy", "classification", _noisy(["no", "yes"], 100), candidates
    )


def _weights_of_numbers() -> Search:
    """The labels 1 and 2: renumbered to 0 and 1, the weight of 1 would go to the label 2."""
    step = Step("sklearn.svm.SVC", {"class_weight": {1: 20.0}})
    examples = _noisy(["no", "yes"], 100)
    numbers = {"no": 1, "yes": 2}
    train = np.array([numbers[label] for label in examples.target])
    test = np.array([numbers[label] for label in examples.test_target])
    renamed = Examples(examples.features, train, examples.test_features, test, examples.folds)
    candidates = [{"gamma": 0.002, "C": bound} for bound in (0.02, 0.1, 0.5)]
    return Search(Recipe((step,)), "accuracy", "classification", renamed, candidates)


def _a_subclass_that_changes_rows() -> Search:
    examples = _noisy(["a", "b"], 100)
    scales = np.linspace(0.01, 1.0, 100)  # unscaled, the first features would hardly count
    scaled = Examples(
        examples.features * scales,
        examples.target,
        examples.test_features * scales,
        examples.test_target,
        examples.folds,
    )
    candidates = [{"gamma": gamma, "C": 1.0} for gamma in (0.002, 0.01, 0.05)]
    return Search(
        Recipe((Step(_OWN + "ScaledSVC"),)), "accuracy", "classification", scaled, candidates
    )


def _a_constructor_that_derives_state() -> Search:
    candidates = [{"max_depth": depth} for depth in (1, 2, 3)]
    return Search(
        Recipe((Step(_OWN + "DerivesDepth"),)),
        "accuracy",
        "classification",
        _noisy(["a", "b"], 4, wrong=0.5),
        candidates,
    )


KNOWN: Mapping[str, Search] = {
    "weights that name labels": _weights_that_name_labels(),
    "weights of numbers": _weights_of_numbers(),
    "a subclass that changes rows": _a_subclass_that_changes_rows(),
    "a constructor that derives state": _a_constructor_that_derives_state(),
}
