"""A search on a data set by the product's own code, in process and without Dagster.

The product divides the rows, chooses, and estimates. The fits of folds share a kernel, and are
without what a run does around each: the tests compare their scores with the product's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.generators import Generator, Sample
from iris_hpo.data.dataset import Dataset, Target
from iris_hpo.data.split import Examples
from iris_hpo.selection.estimates import Curve, Estimate, Evidence, NoEstimate, assess
from iris_hpo.selection.pool import Pool
from iris_hpo.selection.pooling import build_pool
from iris_hpo.selection.rules import Scored, Selection, select
from iris_hpo.space.axes import Axis
from iris_hpo.space.values import Value
from iris_hpo.spec import SearchSpec
from iris_hpo.spec_choosing import selection_settings
from iris_hpo.training.evaluation import Evaluation, train
from iris_hpo.training.learning_curve import LearningCurve, fit_learning_curve
from iris_hpo.training.metrics import wilson_interval
from iris_hpo.training.predictions import Predictions

Model = Any
"""A fitted estimator of scikit-learn."""


@dataclass(frozen=True, eq=False)
class Search:
    """A search that is done; what several rules need of a candidate is computed once.

    Attributes
    ----------
    spec
        What was searched.
    sample
        The data set, with fresh rows.
    examples
        The training rows, the test rows, and the folds.
    scored
        Every candidate with its evaluation, in the order of the space.
    models
        The candidates' models, trained on the training rows, by key.
    """

    spec: SearchSpec
    sample: Sample
    examples: Examples
    scored: tuple[Scored, ...]
    models: dict[str, Model]

    def __post_init__(self) -> None:
        for name in ("refitted", "curve", "truth"):
            object.__setattr__(self, name, cache(getattr(self, name)))

    def select(self, rule: str) -> Selection:
        """Choose by a rule."""
        repeats = self.evidence.repeats or 1
        return select(self.scored, self.spec.space, self.spec.scorings.name, rule, repeats=repeats)

    @cached_property
    def evidence(self) -> Evidence:
        """The rows that candidates were scored on."""
        return Evidence(
            self.spec.task,
            self.examples.target,
            self.examples.test_target,
            [validated for _, validated in self.examples.folds],
            self.spec.split.seed,
        )

    @cached_property
    def pool(self) -> Pool | None:
        """The candidates' predictions."""
        evaluations = [entry.evaluation for entry in self.scored]
        return build_pool(evaluations, self.evidence, self.spec.scorings.name, with_test=True)

    def refitted(self, key: str) -> Model:
        """Train a candidate on the training rows and the test rows."""
        return train(self.spec.make_objective(), self._parameters(key), self._together).model

    def curve(self, key: str) -> LearningCurve | None:
        """Fit a candidate to parts of all rows."""
        objective, split = self.spec.make_objective(), self.spec.split
        parameters = self._parameters(key)
        return fit_learning_curve(objective, self.models[key], parameters, self.examples, split)

    def truth(self, key: str, *, refits: bool) -> float:
        """Score a candidate's model on the fresh rows."""
        model = self.refitted(key) if refits else self.models[key]
        return true_score(self.spec, model, self.sample)

    @property
    def _together(self) -> Examples:
        return self.examples.together()

    def _parameters(self, key: str) -> Mapping[str, Value]:
        return self.spec.space.parameters(self.spec.space.parse_key(key))


def describe(generator: Generator) -> SearchSpec:
    """Describe the search on a generator's data sets: C against gamma, all else by default."""
    final = generator.steps[-1].name
    prefix = f"{final}__" if len(generator.steps) > 1 else ""
    return SearchSpec(
        name="truth",
        home=Path(),
        data_file="drawn.csv",
        axes=(
            Axis("C", symbol="C", parameter=f"{prefix}C", positive=True),
            Axis("gamma", symbol="G", parameter=f"{prefix}gamma", positive=True),
        ),
        steps=generator.steps,
    )


def run_search(
    spec: SearchSpec, sample: Sample, c: tuple[float, ...], gamma: tuple[float, ...]
) -> Search:
    """Divide a data set, then train and score every candidate."""
    examples = divide(spec, sample)
    models, scored = fit_all(spec, examples, c, gamma)
    return Search(spec, sample, examples, tuple(scored), models)


def fit_all(
    spec: SearchSpec, examples: Examples, c: tuple[float, ...], gamma: tuple[float, ...]
) -> tuple[dict[str, Model], list[Scored]]:
    """Train and score every candidate, in the order of the grid; give models by key, and scores."""
    from sklearn import config_context

    scored: list[Scored] = []
    models: dict[str, Model] = {}
    with config_context(assume_finite=True, skip_parameter_validation=True):
        for one in gamma:
            kernel = fold_kernels(one, examples)
            for candidate in spec.space.grid((c, (one,))):
                parameters = spec.space.parameters(candidate)
                model, evaluation = fit_and_score(spec, parameters, examples, kernel)
                models[candidate.key] = model
                scored.append(Scored(candidate, evaluation))
    return models, sorted(scored, key=lambda entry: spec.space.order(entry.candidate))


Matrix = NDArray[np.float64]


def fold_kernels(gamma: float, examples: Examples) -> list[tuple[Matrix, Matrix]]:
    """Compute for each fold the RBF kernel to fit, and that to predict; candidates share it."""
    from sklearn.metrics.pairwise import rbf_kernel

    matrix = rbf_kernel(examples.features, gamma=gamma)
    return [
        (matrix[np.ix_(fitted, fitted)], matrix[np.ix_(validated, fitted)])
        for fitted, validated in examples.folds
    ]


def fit_and_score(
    spec: SearchSpec,
    parameters: Mapping[str, Value],
    examples: Examples,
    kernels: Sequence[tuple[Matrix, Matrix]],
) -> tuple[Model, Evaluation]:
    """Train and score an SVM as `iris_hpo.training.evaluation` does, by the plain score."""
    fold_model: Model = spec.recipe().build({**parameters, "kernel": "precomputed"})
    features, target = examples.features, examples.target
    folds = tuple(
        fold_model.fit(fit_kernel, target[fitted]).predict(kernel)
        for (fitted, _), (fit_kernel, kernel) in zip(examples.folds, kernels, strict=True)
    )
    model: Model = spec.recipe().build(parameters).fit(features, target)
    test = model.predict(examples.test_features)
    total = len(test)
    correct = (
        int((test == examples.test_target).sum()) if spec.scorings.name == "accuracy" else None
    )
    return model, Evaluation(
        plain_score(spec.scorings.name, examples.test_target, test),
        correct=correct,
        total=None if correct is None else total,
        interval=None if correct is None else wilson_interval(correct, total),
        fold_scores=tuple(
            plain_score(spec.scorings.name, target[validated], predicted)
            for (_, validated), predicted in zip(examples.folds, folds, strict=True)
        ),
        predictions=Predictions(folds, test),
    )


def plain_score(scoring: str, truth: Target, predicted: NDArray[Any]) -> float:
    """Accuracy or r2, without scikit-learn's checks."""
    if scoring == "accuracy":
        return float((predicted == truth).mean())
    numbers = cast("NDArray[np.float64]", truth)
    spread = ((numbers - numbers.mean()) ** 2).sum()
    return float(1 - ((numbers - predicted) ** 2).sum() / spread)


def divide(spec: SearchSpec, sample: Sample) -> Examples:
    """Divide the rows as the search's splitter does by default."""
    dataset = Dataset(
        sample.features,
        sample.target,
        tuple(f"feature_{number}" for number in range(sample.features.shape[1])),
        "target",
        digest="",
    )
    train_rows, test_rows = spec.division().splitter().split(dataset)
    features, target = dataset.rows(train_rows)
    repeated = replace(spec.split, repeats=spec.split.repeats_of(features.size))
    folds = (
        spec.division(repeated).splitter().folds(replace(dataset, features=features, target=target))
    )
    return Examples(features, target, *dataset.rows(test_rows), tuple(folds))


def true_score(spec: SearchSpec, model: Model, sample: Sample) -> float:
    """Score a model on the fresh rows."""
    return plain_score(
        spec.scorings.name, sample.fresh_target, model.predict(sample.fresh_features)
    )


class NoEstimateError(Exception):
    """A champion, or a vote, has no estimate."""


def known(estimate: Estimate | NoEstimate | None, where: str) -> Estimate:
    """Return an estimate that there is; otherwise raise `NoEstimateError`, which says where."""
    if isinstance(estimate, Estimate):
        return estimate
    raise NoEstimateError(f"{where}: {estimate.reason if estimate else 'no vote'}")


@dataclass(frozen=True)
class Delivered:
    """What a rule selects, whether the champion was refitted, and what is reported.

    Attributes
    ----------
    selected
        The champion, and those that tie with it.
    of_vote
        Estimate for the vote of all of these; None if there is none.
    """

    champion: Scored
    selected: tuple[Scored, ...]
    refits: bool
    estimate: Estimate | NoEstimate
    of_vote: Estimate | NoEstimate | None


def deliver(search: Search, rule: str, *, votes: bool) -> Delivered:
    """Choose by a rule, refit as the search does by default, and estimate, the vote too."""
    examples, spec = search.examples, search.spec
    selection = search.select(rule)
    refits = selection_settings(spec, len(examples.folds), rule).refits
    rows = len(examples.target) + (len(examples.test_target) if refits else 0)
    fits = search.curve(selection.champion.candidate.key)
    curve = None if fits is None else Curve(fits, rows)
    assessment = assess(selection, search.evidence, curve=curve, pool=search.pool, votes=votes)
    return Delivered(
        selection.champion, selection.selected, refits, assessment.estimate, assessment.of_vote
    )
