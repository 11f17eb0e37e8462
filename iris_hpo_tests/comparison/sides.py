"""Both sides of a comparison: candidates as a search works on them, and as scikit-learn does."""

import importlib
import warnings
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from iris_hpo.data.dataset import Task
from iris_hpo.data.split import Examples
from iris_hpo.engines import Done, Limits, make_engine
from iris_hpo.store.objects import open_store
from iris_hpo.training.cards import Conditions, load_model, model_name
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.fitting import replayed_score
from iris_hpo.training.trial import Trial, TrialWork

Parameters = Mapping[str, Any]

LAST_BITS = ("sklearn.svm.SVR", "sklearn.svm.NuSVR")
"""Where folds share a kernel, predictions of numbers, and so scores, may differ in the last bits;
the fits, and the stored models, do not."""


@dataclass(frozen=True)
class Search:
    """What is compared: candidates of one estimator, in the order in which they are worked on."""

    recipe: Recipe
    scoring: str
    task: Task
    examples: Examples
    candidates: Sequence[Parameters]
    engine: str = "serial"


@dataclass(frozen=True)
class Outcome:
    """Of one candidate; None is for what could not be done.

    Attributes
    ----------
    predictions
        The fitted model's, for test rows and then training rows: their types, and the values.
    scores
        On the test rows, then on each fold.
    replayed
        A search's scores, computed again from the predictions that it stores.
    """

    predictions: tuple[str, tuple[object, ...]] | None
    scores: tuple[float, ...] | None
    replayed: tuple[float, ...] | None = field(default=None, compare=False)


def examples_of(features: Any, target: Any, test: int, task: Task, folds: int = 3) -> Examples:
    """The last rows are the test rows."""
    splitter = (StratifiedKFold if task == "classification" else KFold)(
        folds, shuffle=True, random_state=1
    )
    train = slice(None, -test)
    return Examples(
        features[train],
        target[train],
        features[-test:],
        target[-test:],
        tuple(splitter.split(features[train], target[train])),
    )


def compare(search: Search, folder: Path) -> tuple[list[str], list[Outcome]]:
    """Let both sides work on a search.

    Returns
    -------
    differences
        Each candidate of which the search finds something else than scikit-learn, in a line.
    expected
        What scikit-learn finds, for every candidate.
    """
    with quiet():
        found = _of_a_search(search, folder)
        known: dict[str, Outcome] = {}
        for parameters in search.candidates:
            if repr(parameters) not in known:
                known[repr(parameters)] = _scikit_learns(search, parameters)
    expected = [known[repr(parameters)] for parameters in search.candidates]
    differences = [
        f"candidate {number} {parameters}: {one}, scikit-learn's {other}"
        for number, (parameters, one, other) in enumerate(
            zip(search.candidates, found, expected, strict=True)
        )
        if not _are_same(search, one, other) or one.scores != one.replayed
    ]
    return differences, expected


def _are_same(search: Search, one: Outcome, other: Outcome) -> bool:
    if one == other:
        return True
    if search.recipe.steps[-1].estimator not in LAST_BITS or not one.scores or not other.scores:
        return False
    return one.predictions == other.predictions and bool(
        np.allclose(one.scores, other.scores, rtol=1e-12, atol=1e-15)
    )


def _scikit_learns(search: Search, parameters: Parameters) -> Outcome:
    """What scikit-learn finds for a candidate; every fit and every score has copies of its rows."""
    examples, scorer = search.examples, get_scorer(search.scoring)
    features, target = examples.features, examples.target
    base = _base(search.recipe)
    try:
        fitted = clone(base).set_params(**parameters).fit(features.copy(), target.copy())
    except Exception:  # noqa: BLE001 - any refusal is one
        return Outcome(None, None)
    predictions = _predictions(fitted, examples)
    try:
        scores = [scorer(fitted, examples.test_features.copy(), examples.test_target.copy())]
        for rows, others in examples.folds:
            fitted = clone(base).set_params(**parameters).fit(features[rows], target[rows])
            scores.append(scorer(fitted, features[others], target[others]))
    except Exception:  # noqa: BLE001
        return Outcome(predictions, None)
    finite = np.isfinite(scores).all()
    return Outcome(predictions, tuple(float(score) for score in scores) if finite else None)


def _of_a_search(search: Search, folder: Path) -> list[Outcome]:
    objective = EstimatorObjective(search.recipe, search.scoring, search.task)
    conditions = Conditions(objective, "t", "s", "p")
    work = TrialWork(str(folder), conditions, search.examples, "run")
    trials = [Trial(f"N{number}", given) for number, given in enumerate(search.candidates)]
    engine = make_engine(search.engine, 2 if search.engine == "loky" else 0)
    folder.mkdir(parents=True, exist_ok=True)
    # Without what loads and prepares a worker: there is no split's card in the folder.
    outcomes = {
        outcome.item.key: outcome
        for together in engine.map(_Unprepared(work), trials, Limits(retries=0))
        for outcome in together
    }
    return [_outcome(outcomes[trial.key], search, folder) for trial in trials]


class _Unprepared:
    """The work, in a folder without the card of a split, which preparing it would ask for."""

    def __init__(self, work: TrialWork) -> None:
        self.work = work

    def __call__(self, trial: Trial) -> object:
        with quiet():
            return self.work(trial)


def _outcome(outcome: Any, search: Search, folder: Path) -> Outcome:
    if not isinstance(outcome, Done) or outcome.result.model is None:
        return Outcome(None, None)
    predictions = _predictions(
        load_model(open_store(str(folder)).read(model_name(outcome.item.key))), search.examples
    )
    if outcome.result.score is None:
        return Outcome(predictions, None)
    evaluation = outcome.result.score.evaluation
    return Outcome(
        predictions, (evaluation.score, *evaluation.fold_scores), _replayed(search, evaluation)
    )


def _replayed(search: Search, evaluation: Evaluation) -> tuple[float, ...]:
    examples, stored = search.examples, evaluation.predictions
    assert stored is not None
    targets = [examples.test_target, *(examples.target[rows] for _, rows in examples.folds)]
    outputs = [stored.test_outputs, *stored.fold_outputs] + [None] * len(examples.folds)
    return tuple(
        replayed_score(search.scoring, *of_rows)
        for of_rows in zip(targets, [stored.test, *stored.folds], outputs, strict=False)
    )


def _predictions(fitted: Any, examples: Examples) -> tuple[str, tuple[object, ...]] | None:
    rows = np.concatenate([examples.test_features, examples.features])
    try:
        found = np.asarray(fitted.predict(rows))
    except Exception:  # noqa: BLE001
        return None
    return f"{found.dtype} {found.shape}", tuple(found.ravel().tolist())


def _base(recipe: Recipe) -> Any:
    """The estimator with its settings and seeds, without the code under test."""
    made = [(step.name, _made(step.estimator, step.settings)) for step in recipe.steps]
    base = made[0][1] if len(made) == 1 else Pipeline(made)
    return base.set_params(
        **{
            name: recipe.seed
            for name, value in base.get_params().items()
            if name.endswith("random_state") and value is None
        }
    )


def _made(path: str, settings: Parameters) -> Any:
    module, _, name = path.rpartition(".")
    kind = getattr(importlib.import_module(module), name)
    return kind(**{key: _value(value) for key, value in settings.items()})


def _value(value: Any) -> Any:
    if isinstance(value, Mapping) and "estimator" in value:
        return _made(value["estimator"], value.get("settings", {}))
    if isinstance(value, (list, tuple)):
        return type(value)(_value(item) for item in value)
    return value


@contextmanager
def quiet():
    """Without estimators' warnings, and with one thread, as a search's workers have."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
