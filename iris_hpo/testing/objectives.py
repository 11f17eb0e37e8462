"""What every objective promises."""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from iris_hpo.data.split import Examples
from iris_hpo.space.values import Value
from iris_hpo.testing.randomness import disturb
from iris_hpo.training import Objective
from iris_hpo.training.cards import dump_model, load_model
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.metric_names import check_metric
from iris_hpo.training.predictions import check_labels, check_predictions
from iris_hpo.training.stored_predictions import encode


class ObjectiveContract(ABC):
    """What every objective promises.

    Attributes
    ----------
    parameters
        Values of two candidates or more, by name; give those that the objective takes.
    """

    parameters: ClassVar[tuple[Mapping[str, Value], ...]] = ({}, {})

    @abstractmethod
    def make_objective(self) -> Objective:
        """Make the objective to test; called twice, it makes one like the first."""

    def make_examples(self) -> Examples:
        """Make rows that it can learn from: by default 60 of 2 features, 20 for the test, 2 folds.

        The target has 3 classes, or is a number, by the objective's task.
        """
        generator = np.random.default_rng(0)
        target = np.arange(60) % 3
        features = target[:, None] + generator.normal(scale=0.3, size=(60, 2))
        labels = np.array(["a", "b", "c"])[target]
        if self.make_objective().task == "regression":
            labels = features.sum(axis=1)
        half, other = np.arange(20), np.arange(20, 40)
        return Examples(
            features[:40], labels[:40], features[40:], labels[40:], ((half, other), (other, half))
        )

    def test_its_task_and_its_scoring_are_known(self) -> None:
        """Tables and figures show the name of the score."""
        objective = self.make_objective()

        assert objective.task in ("classification", "regression")
        check_metric(objective.scoring)

    def test_its_identity_is_json_and_always_the_same(self) -> None:
        """It goes into the fingerprint of each result."""
        first, second = (
            json.dumps(dict(self.make_objective().identity()), sort_keys=True, allow_nan=False)
            for _ in range(2)
        )

        assert first == second

    def test_its_scores_are_finite_numbers(self) -> None:
        """One for the test rows, one for each fold or none, and the same metrics each time."""
        examples = self.make_examples()
        evaluations = [self.evaluate(parameters, examples) for parameters in self.parameters]

        for evaluation in evaluations:
            assert len(evaluation.fold_scores) in (0, len(examples.folds))
            numbers = [evaluation.score, *evaluation.fold_scores, *evaluation.metrics.values()]
            assert all(math.isfinite(number) for number in numbers)
            assert set(evaluation.metrics) == set(evaluations[0].metrics)
            for name in evaluation.metrics:
                check_metric(name)

    def test_its_predictions_are_those_of_the_rows(self) -> None:
        """One for each validation row and test row, of the classes or finite; or None."""
        examples = self.make_examples()
        for parameters in self.parameters:
            predictions = self.evaluate(parameters, examples).predictions
            if predictions is not None:
                check_labels(check_predictions(predictions, examples), examples)
                assert encode(predictions) is not None

    def test_the_same_candidate_gives_the_same_model_and_score(self) -> None:
        """The same bytes, in any order, on any worker, whatever other code does with randomness."""
        examples, objective = self.make_examples(), self.make_objective()
        disturb(1)
        first = [self.train_and_score(objective, each, examples) for each in self.parameters]
        disturb(2)
        again = [
            self.train_and_score(objective, each, examples) for each in reversed(self.parameters)
        ]

        alone = self.train_and_score(self.make_objective(), self.parameters[0], examples)
        assert again[::-1] == first
        assert alone == first[0]

    def test_a_model_has_its_score_in_another_process_too(self) -> None:
        """A model is pickled when it is trained; a run that only scores loads it."""
        examples, parameters = self.make_examples(), self.parameters[0]
        objective = self.make_objective()
        model = objective.train(parameters, examples.features, examples.target)
        loaded = load_model(dump_model(model))

        there = self.make_objective().score(loaded, parameters, examples)

        assert there == objective.score(model, parameters, examples)

    def evaluate(self, parameters: Mapping[str, Value], examples: Examples) -> Evaluation:
        """Train and score a candidate by a new objective."""
        return self.train_and_score(self.make_objective(), parameters, examples)[1]

    def train_and_score(
        self, objective: Objective, parameters: Mapping[str, Value], examples: Examples
    ) -> tuple[bytes, Evaluation]:
        """Train a candidate, and score its model."""
        model = objective.train(parameters, examples.features.copy(), examples.target.copy())
        return dump_model(model), objective.score(model, parameters, examples)
