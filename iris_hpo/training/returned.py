"""What calls return: numbers, or estimators that are scored as the others are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from iris_hpo.data.dataset import Task
from iris_hpo.data.split import Examples
from iris_hpo.data.splitters import Rows
from iris_hpo.errors import CandidateError
from iris_hpo.space.values import Value
from iris_hpo.training.cross_validation import FoldScores
from iris_hpo.training.estimator_objective import evaluate_fitted
from iris_hpo.training.estimators import Estimator
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.fitting import RowScore, score
from iris_hpo.training.frames import named_rows
from iris_hpo.training.given import Numbers, is_estimator, is_mapping, read_numbers
from iris_hpo.training.row_weights import weights_of
from iris_hpo.training.scorers import Scorings


def check_numbers(returned: object, metric: str) -> float | Numbers:
    """Return the number that a call gave, or all by name.

    Raises
    ------
    CandidateError
        If it gave something else.
    """
    if is_estimator(returned) and not is_mapping(returned):
        raise CandidateError(
            f"the function returned a {type(returned).__name__}; write scoring, such as accuracy, "
            "into the search, by which it is to be scored"
        )
    numbers = read_numbers(returned, metric)
    return numbers if is_mapping(returned) else numbers[metric]


@dataclass(frozen=True)
class ReturnedEstimators:
    """Estimators that a function returns.

    Parameters
    ----------
    scorings, task
        How to score.
    names, kinds
        Names and kinds of the features, which a model that was fitted to a frame needs.
    call
        Calls the function with parameters and training rows; returns the estimator.
    """

    scorings: Scorings
    task: Task
    names: Sequence[str]
    kinds: Sequence[str]
    call: Callable[[Mapping[str, Value], Examples], object]

    def check(self, returned: object) -> object:
        """Return the estimator that a call gave.

        Raises
        ------
        CandidateError
            If it gave something else.
        """
        if is_estimator(returned):
            return returned
        kind = type(returned).__name__
        raise CandidateError(
            f"the function returned a {kind}, which has no method predict; the search's scoring "
            f"{self.scorings.name} needs a fitted estimator: return one, or leave scoring out"
        )

    def evaluate(
        self, model: object, parameters: Mapping[str, Value], examples: Examples
    ) -> Evaluation:
        """Score an estimator on the test rows, and the function by a call for each fold.

        Raises
        ------
        CandidateError
            If a call or an estimator fails.
        """
        named = replace(
            examples,
            test_features=named_rows(model, examples.test_features, self.names, self.kinds),
        )

        def score_folds() -> FoldScores:
            return FoldScores(
                tuple(self._score_fold(parameters, examples, *fold) for fold in examples.folds)
            )

        estimator = cast("Estimator", model)
        return evaluate_fitted(estimator, self.scorings, self.task, named, score_folds)

    def _score_fold(
        self, parameters: Mapping[str, Value], examples: Examples, fit: Rows, rows: Rows
    ) -> RowScore:
        fitted = replace(
            examples,
            features=examples.features[fit],
            target=examples.target[fit],
            roles=examples.roles.take(fit),
            folds=(),
        )
        model = self.call(parameters, fitted)
        named = named_rows(model, examples.features[rows], self.names, self.kinds)
        weights = weights_of(examples.roles.weight, rows)
        estimator, target = cast("Estimator", model), examples.target[rows]
        return score(estimator, self.scorings, named, target, "validation", weights)
