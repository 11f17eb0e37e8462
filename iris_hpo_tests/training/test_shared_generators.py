"""What a candidate draws from the generators that all code shares depends on itself alone."""

import random
from pathlib import Path

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from iris_hpo.data.split import Examples
from iris_hpo.parts import Part
from iris_hpo.testing.randomness import disturb
from iris_hpo.training import Objective
from iris_hpo.training.called_objective import CalledObjective
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import evaluate, train
from iris_hpo.training.scorers import Scorings

TREE = Step("sklearn.tree.DecisionTreeClassifier")
ACCURACY = Scorings((Part("accuracy"),))
NOTHING = Examples(np.empty((0, 0)), np.empty(0), np.empty((0, 0)), np.empty(0), ())


class DrawnTree(DecisionTreeClassifier):
    """Draws a split of its own, whatever its random state."""

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        self.splitter = "random"
        self.random_state = np.random.randint(1 << 30)
        return super().fit(X, y, sample_weight)


def drawn_part(y_true, y_pred):
    rows = np.random.choice(len(y_true), 10)
    return float((y_true[rows] == y_pred[rows]).mean() + random.random() / 100)


def drawn_value(max_depth):
    return max_depth + random.random() + np.random.rand()


def tuned(estimator: Step, scorings: Scorings, seed: int = 0) -> EstimatorObjective:
    recipe = Recipe((estimator,), seed)
    return EstimatorObjective(recipe, scorings.name, "classification", scorings)


def called(seed: int = 0) -> CalledObjective:
    part = Part("function", {"function": f"{__name__}:drawn_value"})
    return CalledObjective(part, Path(__file__).parent, seed=seed)


def scores(objective: Objective, examples: Examples, *depths: int) -> list[list[float]]:
    """The scores of candidates, one after the other: on the test rows, and of the folds."""
    made: list[list[float]] = []
    for depth in depths:
        model = train(objective, {"max_depth": depth}, examples).model
        evaluation = evaluate(objective, model, {"max_depth": depth}, examples)
        made.append([evaluation.score, *evaluation.fold_scores])
    return made


@pytest.mark.parametrize(
    "objective",
    [
        tuned(Step(f"{__name__}.DrawnTree"), ACCURACY),
        tuned(TREE, Scorings((Part(f"{__name__}.drawn_part"),))),
        called(),
    ],
    ids=["an estimator", "a scoring", "a function"],
)
def test_others_before_it_and_the_worker_do_not_matter(
    objective: Objective, iris_examples: Examples
) -> None:
    examples = NOTHING if isinstance(objective, CalledObjective) else iris_examples
    disturb(1)
    first = scores(objective, examples, 2, 3)
    disturb(2)

    assert scores(objective, examples, 3, 2) == first[::-1]


def test_the_seed_of_the_search_and_the_parameters_decide() -> None:
    (one,), (another,) = scores(called(), NOTHING, 2, 3)
    ((seeded,),) = scores(called(seed=1), NOTHING, 2)

    assert len({round(one - 2, 6), round(another - 3, 6), round(seeded - 2, 6)}) == 3


def test_the_generators_are_left_as_they_were() -> None:
    disturb(3)
    expected = random.random(), np.random.rand()
    disturb(3)
    scores(called(), NOTHING, 2)

    assert (random.random(), np.random.rand()) == expected
