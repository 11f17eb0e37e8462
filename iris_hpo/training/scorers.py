"""What a candidate is scored by: names of scikit-learn's scorers, and functions by import path.

How a score is computed, and which scorings fit a search, is in `iris_hpo.training.scoring`.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Final

from iris_hpo.errors import InputError, at_field
from iris_hpo.parts import Part, import_object
from iris_hpo.text import one_line, shorten
from iris_hpo.training.origin import Origin
from iris_hpo.training.settings import identity
from iris_hpo.training.source_code import loaded_code

Score = Callable[..., Any]
"""Scores a fitted estimator on rows with their target."""

_GREATER: Final = "greater_is_better"
_RESPONSE: Final = "response_method"
_POSITIVE: Final = "pos_label"


@dataclass(frozen=True)
class Scorer:
    """A scoring, imported.

    Attributes
    ----------
    score
        Greater is better.
    is_known
        Whether scikit-learn computes the score: what it can judge is then tried beforehand.
    sees_model
        Whether it gets the estimator itself, and not only what its methods return.
    has_positive
        Whether it has a positive class, which is 1 where a search names it.
    """

    score: Score
    is_known: bool = True
    sees_model: bool = False
    has_positive: bool = True


@dataclass(frozen=True)
class Scoring:
    """One scoring of a search.

    Parameters
    ----------
    part
        The name of a scorer of scikit-learn, or the import path of a function: of
        ``(y_true, y_pred)``, with settings as for ``sklearn.metrics.make_scorer``, or of
        ``(estimator, X, y)``.
    pos_label
        The label of the positive class, as the table writes it; None if none is named.
    """

    part: Part
    pos_label: str | None = None

    @property
    def name(self) -> str:
        """The name in tables: the path, with settings other than those of the response."""
        settings = {**self.part.settings}
        sign = "" if settings.pop(_GREATER, True) else "neg_"
        settings.pop(_RESPONSE, None)
        written = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        return f"{sign}{self.part.use}" + (f"({written})" if written else "")

    @property
    def is_own(self) -> bool:
        """Whether it is a function by its import path."""
        return "." in self.part.use

    @property
    def import_paths(self) -> tuple[str, ...]:
        """The import path of the function."""
        return (self.part.use,) if self.is_own else ()

    @cached_property
    def scorer(self) -> Scorer:
        """The scorer.

        Raises
        ------
        InputError
            If there is no such scorer or function, or it refuses its settings.
        """
        if self.is_own:
            scorer = _by_path(self.part, names_positive=self.pos_label is not None)
        else:
            scorer = _by_name(self.part)
        loaded_code(self.import_paths)
        return scorer

    def __getstate__(self) -> dict[str, object]:
        """Return all fields; workers import the function themselves."""
        return {"part": self.part, "pos_label": self.pos_label}


@dataclass(frozen=True)
class Scorings(Origin):
    """The scorings of a search: the first decides, the others are reported.

    Parameters
    ----------
    parts
        At least one, as in `Scoring`.
    pos_label
        The label of the positive class; None if none is named.
    """

    parts: tuple[Part, ...]
    pos_label: str | None = None

    @cached_property
    def all(self) -> Sequence[Scoring]:
        """All scorings."""
        return [Scoring(part, self.pos_label) for part in self.parts]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(scoring.name for scoring in self.all)

    @property
    def name(self) -> str:
        """Name of the scoring that decides."""
        return self.names[0]

    @property
    def others(self) -> tuple[str, ...]:
        """Names of the scorings that are only reported."""
        return self.names[1:]

    @property
    def import_paths(self) -> tuple[str, ...]:
        """The import paths of functions."""
        return tuple(path for scoring in self.all for path in scoring.import_paths)

    def identity(self) -> dict[str, object]:
        """Return what decides scores beside the name of the first, as JSON; empty for that alone.

        So searches with one scorer of scikit-learn have the fingerprints that they have always had.
        """
        own = {
            scoring.name: identity(scoring.part.settings) for scoring in self.all if scoring.is_own
        }
        parts = {"others": list(self.others), "own": own, _POSITIVE: self.pos_label}
        origin = self.origin_identity() if own else {}
        return {name: part for name, part in {**parts, **origin}.items() if part}

    def __getstate__(self) -> dict[str, object]:
        """Return all fields and the code."""
        return {"parts": self.parts, "pos_label": self.pos_label, "code": self.code}


@cache
def scoring_by_name(name: str) -> Scoring:
    """Return the scoring with a name that scikit-learn knows."""
    return Scoring(Part(name))


def scorings_by_name(*names: str) -> Scorings:
    """Return scorings with names that scikit-learn knows, the one that decides first."""
    return Scorings(tuple(map(Part, names)))


def _by_name(part: Part) -> Scorer:
    from sklearn.metrics import get_scorer, get_scorer_names

    if part.settings:
        raise InputError(
            f"scoring {shorten(part.use)} is the name of a scorer and has no settings; give the "
            "import path of a function, such as sklearn.metrics.f1_score",
            field=("settings",),
        )
    try:
        return Scorer(get_scorer(part.use))
    except (ValueError, TypeError) as error:
        raise InputError(
            f"scoring {part.use!r} is unknown to scikit-learn; it knows "
            f"{', '.join(get_scorer_names())}; or give the import path of a function"
        ) from error


def _by_path(part: Part, *, names_positive: bool) -> Scorer:
    advice = "the import path of a function of (y_true, y_pred), such as my_metrics.profit"
    function: Any = import_object(part.use, "scoring", advice, field="use")
    settings = {**part.settings}
    is_greater = settings.pop(_GREATER, True)
    if not isinstance(is_greater, bool):
        raise InputError(f"{_GREATER} must be true or false", field=("settings", _GREATER))
    if type(function).__module__.startswith("sklearn.metrics."):
        _refuse_settings(part, settings)
        return Scorer(_signed(function, is_greater), is_known=False, has_positive=False)
    number = _number_of_arguments(function)
    if number == 3:
        _refuse_settings(part, settings)
        return Scorer(_signed(function, is_greater), False, sees_model=True, has_positive=False)
    if number != 2:
        raise InputError(
            f"{shorten(part.use)} is no scoring; give a function of (y_true, y_pred) that returns "
            "a number, or of (estimator, X, y)",
            field=("use",),
        )
    takes_positive = _POSITIVE in inspect.signature(function).parameters
    if takes_positive and settings.get("average", "binary") != "binary":
        settings.setdefault(_POSITIVE, None)  # as in scikit-learn's own scorers of all classes
    has_positive = takes_positive and _POSITIVE not in settings
    if has_positive and names_positive:
        settings[_POSITIVE] = 1
    return replace(
        _made(part, function, settings, is_greater=is_greater), has_positive=has_positive
    )


def _made(part: Part, function: Any, settings: dict[str, object], *, is_greater: bool) -> Scorer:
    from sklearn.metrics import make_scorer

    response: Any = settings.pop(_RESPONSE, "predict")
    try:
        inspect.signature(function).bind(None, None, **settings)
        score = make_scorer(
            function, greater_is_better=is_greater, response_method=response, **settings
        )
    except (TypeError, ValueError) as error:
        raise InputError(
            f"scoring {shorten(part.use)} refuses its settings: {one_line(error)}",
            field=("settings",),
        ) from error
    is_known = str(getattr(function, "__module__", "")).startswith("sklearn.")
    return Scorer(score, is_known)


def _number_of_arguments(function: object) -> int:
    """Count the arguments that have to be given by position; 0 if it cannot be called."""
    if not callable(function) or inspect.isclass(function):
        return 0
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(one.kind in positional and one.default is one.empty for one in parameters)


def _signed(score: Any, is_greater: bool) -> Score:  # noqa: FBT001 - a setting
    if is_greater:
        return score

    def negative(estimator: object, rows: object, target: object, **more: object) -> object:
        return -score(estimator, rows, target, **more)

    return negative


def _refuse_settings(part: Part, settings: Mapping[str, object]) -> None:
    if settings:
        with at_field("settings", next(iter(settings))):
            raise InputError(
                f"scoring {shorten(part.use)} is a scorer and has no settings but {_GREATER}"
            )
