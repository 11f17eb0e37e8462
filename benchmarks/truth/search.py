"""A search on a data set by the product's own code, in process and without Dagster."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.truth.generators import Generator, Sample
from iris_hpo.data.dataset import Dataset
from iris_hpo.data.split import Examples
from iris_hpo.selection.estimates import Curve, Estimate, Evidence, NoEstimate, assess
from iris_hpo.selection.rules import Scored, Selection, select
from iris_hpo.space.axes import Axis
from iris_hpo.space.values import Value
from iris_hpo.spec import SearchSpec
from iris_hpo.training.evaluation import evaluate, train
from iris_hpo.training.learning_curve import fit_learning_curve


@dataclass(frozen=True)
class Search:
    """A search that is done.

    Attributes
    ----------
    spec
        What was searched.
    examples
        The training rows, the test rows, and the folds.
    scored
        Every candidate with its evaluation.
    models
        The candidates' models, trained on the training rows, by key.
    """

    spec: SearchSpec
    examples: Examples
    scored: tuple[Scored, ...]
    models: dict[str, object]

    def select(self, rule: str) -> Selection:
        """Choose by a rule."""
        return select(self.scored, self.spec.space, self.spec.scorings.name, rule)


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
    objective = spec.make_objective()
    candidates = list(spec.space.grid((c, gamma)))
    candidates.sort(key=lambda candidate: objective.order(spec.space.parameters(candidate)))
    scored: list[Scored] = []
    models: dict[str, object] = {}
    for candidate in candidates:
        parameters = spec.space.parameters(candidate)
        model = models[candidate.key] = train(objective, parameters, examples).model
        scored.append(Scored(candidate, evaluate(objective, model, parameters, examples)))
    return Search(spec, examples, tuple(scored), models)


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


def true_score(spec: SearchSpec, model: object, sample: Sample) -> float:
    """Score a model on the fresh rows."""
    from sklearn.metrics import get_scorer

    scorer = get_scorer(spec.scorings.name)
    return float(scorer(model, sample.fresh_features, sample.fresh_target))


@dataclass(frozen=True)
class Delivered:
    """A champion, its model as users get it, and what is reported of it."""

    champion: Scored
    model: object
    estimate: Estimate | NoEstimate


def deliver(search: Search, rule: str) -> Delivered:
    """Choose by a rule, refit as the search does by default, and estimate."""
    examples, spec = search.examples, search.spec
    selection = search.select(rule)
    candidate = selection.champion.candidate
    parameters, model = spec.space.parameters(candidate), search.models[candidate.key]
    rows = len(examples.target)
    if spec.selection_settings(len(examples.folds), rule).refits:
        model = train_on_all(spec, parameters, examples)
        rows += len(examples.test_target)
    curve = fit_learning_curve(spec.make_objective(), model, parameters, examples, spec.split)
    evidence = Evidence(
        spec.task,
        examples.target,
        examples.test_target,
        [validated for _, validated in examples.folds],
        spec.split.seed,
    )
    growth = None if curve is None else Curve(curve.fewer, curve.more, rows)
    assessment = assess(selection, evidence, curve=growth)
    return Delivered(selection.champion, model, assessment.estimate)


def train_on_all(spec: SearchSpec, parameters: Mapping[str, Value], examples: Examples) -> object:
    """Train a candidate on the training rows and the test rows."""
    together = replace(
        examples,
        features=np.concatenate([examples.features, examples.test_features]),
        target=np.concatenate([examples.target, examples.test_target]),
        folds=(),
    )
    return train(spec.make_objective(), parameters, together).model
