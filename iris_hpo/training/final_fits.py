"""The fits of a selection: the champion's on all rows and on parts of them, and the references'.

They are work for an engine, as candidates are. Nothing is stored here: results are returned, so
that the selection is written as a whole.
"""

import importlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from platform import python_version
from typing import Final

from iris_hpo.data.split import Examples
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.errors import CandidateError, InputError
from iris_hpo.space.hints import types_explained
from iris_hpo.space.values import Value
from iris_hpo.store.cards import fingerprint
from iris_hpo.training.cards import Conditions, ScoreCard
from iris_hpo.training.evaluation import evaluate, train
from iris_hpo.training.learning_curve import CURVE_VERSION, LearningCurve, fit_learning_curve
from iris_hpo.training.search_objective import SearchObjective
from iris_hpo.training.stopped_objective import StoppedObjective
from iris_hpo.training.stored_model import store_and_load

_CHAMPION: Final = "champion"
_CURVE: Final = "learning curve"


@dataclass(frozen=True)
class FinalFit:
    """One fit.

    Attributes
    ----------
    name
        ``champion``, ``learning curve``, or the name of a reference.
    objective
        What is trained: for a reference, not always what the candidates are.
    parameters
        The values of the axes; those that are left out are the objective's own.
    fingerprint
        sha256 of everything that decides the result.
    """

    name: str
    objective: SearchObjective
    parameters: Mapping[str, Value]
    fingerprint: str

    @property
    def is_champion(self) -> bool:
        """Whether it is that of the champion."""
        return self.name == _CHAMPION

    @property
    def is_curve(self) -> bool:
        """Whether the champion is fitted to parts of all rows."""
        return self.name == _CURVE


@dataclass(frozen=True)
class Refitted:
    """The champion, trained on the training and the test rows.

    Attributes
    ----------
    content
        The pickled model.
    rows
        Number of rows that it was trained on.
    versions
        Versions of Python and of the packages.
    fingerprint
        sha256 of everything that decides the model.
    """

    content: bytes
    rows: int
    versions: dict[str, str]
    fingerprint: str


@dataclass(frozen=True)
class FinalWork:
    """The work of the final fits.

    Parameters
    ----------
    conditions
        What the candidates were trained and scored under.
    examples
        The rows.
    settings
        Those of the split, for the parts of the rows that a learning curve is fitted to.
    grouped
        Whether these are parts of whole groups.
    """

    conditions: Conditions
    examples: Examples
    settings: SplitSettings = field(default_factory=SplitSettings)
    grouped: bool = False

    def load(self) -> None:
        """Import what fits need, so that it is no part of their time."""
        for name in ("sklearn.dummy", "sklearn.metrics", "sklearn.model_selection"):
            importlib.import_module(name)
        with suppress(InputError):  # it fails each fit, with the reason
            self.conditions.objective.load()

    def __call__(self, fit: FinalFit) -> Refitted | LearningCurve | ScoreCard:
        """Train the champion on all rows or parts of them, or score a reference like a candidate.

        Raises
        ------
        CandidateError
            If the objective fails.
        WholeRunError
            If this process has other code than the work was planned with.
        """
        self.conditions.objective.load()
        self.conditions.objective.check_code()
        # What an objective knows of its last rows does not hold for other rows.
        fit = replace(fit, objective=replace(fit.objective))
        with types_explained(fit.parameters):
            if fit.is_curve:
                return self._fit_curve(fit)
            return self._refit(fit) if fit.is_champion else self._score(fit)

    def _refit(self, fit: FinalFit) -> Refitted:
        together = self.examples.together()
        training = train(fit.objective, fit.parameters, together)
        content, _ = store_and_load(fit.objective, training.model, fit.parameters, self.examples)
        return Refitted(
            content,
            len(together.target),
            {"python": python_version(), **fit.objective.origin.package_versions()},
            fit.fingerprint,
        )

    def _fit_curve(self, fit: FinalFit) -> LearningCurve:
        model = train(fit.objective, fit.parameters, self.examples).model
        fresh = replace(fit.objective)
        curve = fit_learning_curve(
            fresh, model, fit.parameters, self.examples, self.settings, grouped=self.grouped
        )
        if curve is None:
            raise CandidateError("fits to parts of the rows give no predictions")
        return curve

    def _score(self, fit: FinalFit) -> ScoreCard:
        model = train(fit.objective, fit.parameters, self.examples).model
        evaluation = evaluate(fit.objective, model, fit.parameters, self.examples)
        conditions = replace(self.conditions, objective=fit.objective)
        version = conditions.model_fingerprint(fit.parameters)
        # Without time and run, selections of the same scores have the same bytes.
        timeless = replace(evaluation, seconds=0.0)
        return conditions.score_card(fit.name, fit.parameters, version, timeless, run_id="")


def champion_fit(
    conditions: Conditions,
    parameters: Mapping[str, Value],
    test_digest: str,
    iterations: int | None = None,
) -> FinalFit:
    """Describe the fit of the champion on all rows.

    Parameters
    ----------
    iterations
        How many the fit takes, if it stops early: as many as the model that was scored.
    """
    model, objective = conditions.model_fingerprint(parameters), conditions.objective
    if isinstance(objective, StoppedObjective):
        objective = replace(objective, iterations=iterations)
    return FinalFit(_CHAMPION, objective, parameters, fingerprint(model=model, test=test_digest))


def curve_fit(
    conditions: Conditions, parameters: Mapping[str, Value], test_digest: str
) -> FinalFit:
    """Describe the fits of the champion to parts of all rows."""
    score = conditions.score_fingerprint(conditions.model_fingerprint(parameters))
    known = fingerprint(score=score, test=test_digest, curve=CURVE_VERSION)
    return FinalFit(_CURVE, conditions.objective, parameters, known)


def reference_fits(conditions: Conditions) -> list[FinalFit]:
    """Describe the fits of the references.

    Raises
    ------
    CandidateError
        If the objective cannot name them.
    """
    fits: list[FinalFit] = []
    for name, (objective, parameters) in conditions.objective.references().items():
        own = replace(conditions, objective=objective)
        known = own.score_fingerprint(own.model_fingerprint(parameters))
        fits.append(FinalFit(name, objective, parameters, known))
    return fits
