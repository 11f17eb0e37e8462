"""Score fitted classifiers and regressors, and refuse what a scoring cannot judge."""

import numbers
import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Features, Target, Task
from iris_hpo.errors import InputError, at_field
from iris_hpo.text import listed, one_line, shorten
from iris_hpo.training.estimators import Estimator
from iris_hpo.training.labels import numbered, numbers_of, renamed, same_label
from iris_hpo.training.row_weights import Weights
from iris_hpo.training.scorers import Scoring, Scorings, scoring_by_name

_FOR_ALL_CLASSES: Final = ("accuracy", "balanced_accuracy")
_SEVERAL_LABELS: Final = "_samples"
"""How the names of scorers end that are for several labels a row."""
_FOR_ALL_NUMBERS: Final = (
    *("r2", "neg_mean_squared_error", "neg_root_mean_squared_error"),
    "neg_mean_absolute_error",
)
_RESPONSES: Final = ("predict_proba", "decision_function")


def score_by(
    scoring: str | Scoring,
    estimator: Estimator,
    features: Features,
    target: Target,
    weights: Weights | None = None,
) -> float:
    """Score as scikit-learn does when it reads labels such as ``1.0`` and ``True`` as numbers."""
    if isinstance(scoring, str):
        scoring = scoring_by_name(scoring)
    scorer = scoring.scorer
    weighted = {} if weights is None else {"sample_weight": weights}
    codes = None
    if not scorer.sees_model:
        codes = numbers_of(target, estimator, scoring.pos_label if scorer.has_positive else None)
    if codes is None:
        value = scorer.score(estimator, features, target, **weighted)
    else:
        rows = features, renamed(target, codes)
        value = scorer.score(numbered(estimator, codes), *rows, **weighted)
    if isinstance(value, numbers.Real) or np.ndim(value) == 0:
        return float(value)
    raise TypeError(f"{scoring.name} gives a {type(value).__name__} instead of a number")


def check_scorings(scorings: Scorings, task: Task) -> None:
    """Check that all scorings exist and are for the task.

    Raises
    ------
    InputError
        For the first that is not; it names the field.
    """
    for at, scoring in enumerate(scorings.all):
        with at_field(*_place(at)):
            if scoring.name in scorings.names[:at]:
                raise InputError(f"scoring {scoring.name!r} is named twice; name it once")
            if scoring.scorer.is_known:
                _check_task(scoring, task)
    if scorings.pos_label is not None and task == "regression":
        raise InputError(
            "pos_label is for two classes, and this search predicts numbers; leave it out",
            field=("pos_label",),
        )


def check_responses(scorings: Scorings, estimators: Sequence[object], name: str) -> None:
    """Check that estimators have the methods that the scorings of a classifier need.

    Parameters
    ----------
    estimators
        Unfitted estimators with the settings that a run may have; one that fits is enough.
    name
        Describes them.

    Raises
    ------
    InputError
        Names the method, and what to write instead.
    """
    for at, scoring in enumerate(scorings.all):
        needed = () if scoring.scorer.sees_model else _needed_responses(scoring)
        if not needed or any(_has(one, method) for one in estimators for method in needed):
            continue
        with at_field(*_place(at)):
            raise InputError(
                f"scoring {scoring.name!r} needs {' or '.join(needed)}, which {name} does not have "
                "with these settings; choose a scoring of predicted classes, such as "
                "balanced_accuracy, or another estimator or setting, such as "
                "sklearn.calibration.CalibratedClassifierCV around this one"
            )


def check_target(scorings: Scorings, task: Task, *targets: Target) -> None:
    """Check that the scorings can judge the classes or the numbers of targets.

    Raises
    ------
    InputError
        Names the classes and what to write.
    """
    if scorings.pos_label is not None and task == "classification":
        _check_positive(scorings.pos_label, _classes_of(targets))
    judges_all = _FOR_ALL_CLASSES if task == "classification" else _FOR_ALL_NUMBERS
    for scoring in scorings.all:
        # The names first: a scorer imports scikit-learn, which the process of a run can do without.
        if scoring.name in judges_all or not scoring.scorer.is_known:
            continue
        if task == "classification":
            check_classes(scoring, *targets)
        else:
            _check_numbers(scoring, np.concatenate(targets))


def check_classes(scoring: str | Scoring, *targets: Target) -> None:
    """Check that a scoring can judge the classes of targets.

    Scorings such as ``f1`` are for two classes of which one is 1, or is named.

    Raises
    ------
    InputError
        Names the classes and what to write.
    """
    if isinstance(scoring, str):
        scoring = scoring_by_name(scoring)
    if scoring.name in _FOR_ALL_CLASSES:
        return
    from sklearn.dummy import DummyClassifier

    classes = np.array(_classes_of(targets))
    tried = np.repeat(classes[:3], 2)  # three are as many as more
    features = np.zeros((len(tried), 1))
    guess: Any = DummyClassifier().fit(features, tried)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            score_by(scoring, guess, features, tried)
        except AttributeError:  # it has other methods than the estimator of the search
            return
        except (ValueError, TypeError) as error:
            shown = listed([str(label) for label in classes.tolist()])
            raise InputError(
                f"scoring {scoring.name!r} cannot judge the classes {shown}; choose "
                f"{_instead(scoring.name, classes.tolist())}"
            ) from error


def _place(at: int) -> tuple[str | int, ...]:
    """The field of a scoring in a spec."""
    return ("metrics", at - 1) if at else ("scoring",)


def _check_task(scoring: Scoring, task: Task) -> None:
    name = scoring.name
    is_for_numbers = _judges_numbers(scoring)
    if task == "regression" and not is_for_numbers:
        raise InputError(f"scoring {name!r} is for classes, and this search predicts numbers")
    if task == "classification" and is_for_numbers:
        raise InputError(
            f"scoring {name!r} is for numbers, and this search predicts classes; choose one for "
            "classes, such as balanced_accuracy"
        )
    if name.endswith(_SEVERAL_LABELS):
        raise InputError(
            f"scoring {name!r} is for several labels a row, and a row has one here; choose "
            f"{name.removesuffix(_SEVERAL_LABELS)}_macro"
        )


def _judges_numbers(scoring: Scoring) -> bool:
    from sklearn.dummy import DummyRegressor

    features, target = np.zeros((4, 1)), np.array([0.5, 1.25, 2.5, 4.75])
    guess = DummyRegressor().fit(features, target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", UserWarning)  # of numbers where labels are expected
        try:
            scoring.scorer.score(guess, features, target)
        except (ValueError, TypeError, AttributeError, UserWarning):
            return False
    return True


def _check_numbers(scoring: Scoring, target: NDArray[np.generic]) -> None:
    """Check that a scoring can judge numbers, such as negative ones."""
    from sklearn.dummy import DummyRegressor

    features = np.zeros((len(target), 1))
    guess = DummyRegressor(strategy="median").fit(features, target)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scoring.scorer.score(guess, features, target)
    except ValueError as error:
        raise InputError(
            f"scoring {scoring.name!r} cannot judge this target: {one_line(error)}; "
            "choose another, such as neg_mean_absolute_error"
        ) from error


def _needed_responses(scoring: Scoring) -> Sequence[str]:
    """Name the methods any of which is enough beside ``predict``; none if that is enough."""
    from iris_hpo.training.predictions import Outputs
    from iris_hpo.training.responses import replay

    classes = np.array([0, 1])
    target = np.array([0, 1, 0, 1])
    values = {
        "predict_proba": np.array([[0.75, 0.25], [0.25, 0.75]] * 2),
        "decision_function": np.array([-1.0, 1.0] * 2),
    }
    enough: list[str] = []
    for methods in ((), *((name,) for name in _RESPONSES)):
        outputs = Outputs(classes, {name: values[name] for name in methods})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                scoring.scorer.score(replay(target, outputs), np.zeros((4, 1)), target)
            except AttributeError:
                continue
            except Exception:  # noqa: BLE001, S110 - a function of a user's own; the method is there
                pass
        if not methods:
            return ()
        enough += methods
    return enough


def _has(estimator: object, method: str) -> bool:
    """Whether an unfitted estimator has a method, as far as it can be known."""
    try:
        return hasattr(estimator, method)
    except Exception:  # noqa: BLE001 - it may say so of a fitted one only
        return True


def _classes_of(targets: Sequence[Target]) -> list[Any]:
    return sorted({label for target in targets for label in np.unique(target).tolist()})


def _check_positive(pos_label: str, classes: Sequence[Any]) -> None:
    labels = [str(label) for label in classes]
    if same_label(pos_label, labels) is None:
        raise InputError(
            f"pos_label {shorten(pos_label)} is no class of the target; there are {listed(labels)}",
            field=("pos_label",),
        )
    if len(labels) > 2:
        raise InputError(
            f"pos_label is for two classes, and there are {len(labels)}: {listed(labels)}; leave "
            "it out",
            field=("pos_label",),
        )


def _instead(scoring: str, classes: Sequence[Any]) -> str:
    from sklearn.metrics import get_scorer_names

    known = get_scorer_names()
    other = next(
        (f"{scoring}_{end}" for end in ("macro", "ovr") if f"{scoring}_{end}" in known),
        "another, such as balanced_accuracy",
    )
    if len(classes) != 2:
        return other
    return f"{other}, or say which class is the positive one, as in pos_label: {classes[-1]!r}"
