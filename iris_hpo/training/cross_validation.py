"""Cross-validation of candidates, all on the same folds.

A fold is what scikit-learn makes of it: an estimator built like the model, fitted to a copy of the
fold's rows, and scored on a copy of the others. What SVMs share between candidates is in the
modules named after them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from iris_hpo.data.split import Examples
from iris_hpo.space.values import Value
from iris_hpo.training.estimators import Estimator, Recipe
from iris_hpo.training.fitting import RowScore, build, fit, score
from iris_hpo.training.row_weights import weights_of
from iris_hpo.training.scorers import Scorings
from iris_hpo.training.svm_bound import Bounds, digest_of_fit
from iris_hpo.training.svm_folds import SharedFolds


@dataclass(frozen=True)
class FoldScores:
    """The score of a candidate on each fold, and what each was computed from."""

    folds: tuple[RowScore, ...] = ()

    @property
    def values(self) -> tuple[float, ...]:
        """The score of each fold."""
        return tuple(fold.value for fold in self.folds)

    @property
    def others(self) -> Mapping[str, tuple[float, ...]]:
        """The scores of each fold by the other scorings, by name."""
        names = self.folds[0].others if self.folds else ()
        return {name: tuple(fold.others[name] for fold in self.folds) for name in names}


class CrossValidation:
    """Scores candidates on the folds of the training rows.

    What the last candidate shares with others is kept: they should follow each other, in the
    `iris_hpo.training.svm_folds.kernel_order`.

    Parameters
    ----------
    recipe, scorings
        How to build and score.
    examples
        The training rows and their folds.
    """

    def __init__(self, recipe: Recipe, examples: Examples, scorings: Scorings) -> None:
        self._recipe = recipe
        self._examples = examples
        self._scorings = scorings
        self._shared = SharedFolds(recipe, examples, scorings)
        self._bounds = Bounds[FoldScores]()

    def scores(self, parameters: Mapping[str, Value]) -> FoldScores:
        """Fit and score a candidate on every fold.

        Raises
        ------
        CandidateError
            If the estimator refuses, or a score is not finite.
        """
        if not self._examples.folds:
            return FoldScores()
        estimator = build(self._recipe, parameters, self._examples.target)
        known = self._bounds.known(estimator)
        if known is not None:
            return known
        digests, folds = zip(*self._fits(estimator, parameters), strict=True)
        scores = FoldScores(folds)
        self._bounds.note(estimator, digests, scores)
        return scores

    def _fits(
        self, estimator: Estimator, parameters: Mapping[str, Value]
    ) -> Iterator[tuple[str, RowScore]]:
        from sklearn import config_context

        gamma = self._shared.gamma(estimator)
        for number in range(len(self._examples.folds)):
            with config_context(skip_parameter_validation=True):  # fitting the model did that
                fitted = self._shared.fit_and_score(gamma, number, parameters) if gamma else None
                yield fitted or self._on_rows(number, parameters)

    def _on_rows(self, number: int, parameters: Mapping[str, Value]) -> tuple[str, RowScore]:
        """Fit and score on copies of a fold's rows: a fit may change them."""
        features, target = self._examples.features, self._examples.target
        fitted, _ = self._examples.folds[number]
        estimator = build(self._recipe, parameters, target)
        weights = weights_of(self._examples.roles.weight, fitted)
        fit(estimator, features[fitted], target[fitted], weights)
        digest = digest_of_fit(estimator)
        return digest, score_fold(estimator, self._scorings, self._examples, number)


def score_fold(
    estimator: Estimator, scorings: Scorings, examples: Examples, number: int
) -> RowScore:
    """Score an estimator on the rows that a fold leaves out, by the number of the fold from 0.

    Raises
    ------
    CandidateError
        If the estimator refuses, or a score is not finite.
    """
    _, validated = examples.folds[number]
    return score(
        estimator,
        scorings,
        examples.features[validated],
        examples.target[validated],
        f"fold {number + 1}",
        weights_of(examples.roles.weight, validated),
    )
