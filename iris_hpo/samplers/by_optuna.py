"""Samplers of Optuna: `tpe` and `gp`, which propose one candidate at a time.

Optuna decides and stores nothing: a study in memory is made from what the sampler is shown. It is
kept as long as what is shown extends it, which only saves time. A study that grew and one that is
made at once from the same observations give the same candidate, because each is asked for by a new
sampler with its own seed, and numbers are rounded before a trial keeps them.
"""

import importlib.util
import inspect
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final

from iris_hpo.errors import NotInstalledError
from iris_hpo.samplers import Observation
from iris_hpo.samplers.drawing import (
    ShownKeys,
    check_whole,
    draw_unknown,
    generator,
    nearest_unknown,
)
from iris_hpo.samplers.optuna_history import History
from iris_hpo.samplers.qmc import SobolSampler
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.text import names_for

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

STARTUP: Final = 10
"""Number of results before which nothing is known to look by, as in Optuna."""

MAX_ASKS: Final = 10
"""Number of asks after which a candidate is drawn at random, because all were known."""


class OptunaSampler(ABC):
    """Asks a sampler of Optuna for one candidate at a time.

    The first candidates, which Optuna would draw at random, are those of a Sobol sequence: they are
    spread more evenly.

    Parameters
    ----------
    seed
        Decides the draws; by default the search's seed.
    settings
        Further arguments of Optuna's sampler.

    Attributes
    ----------
    notes
        What a user should know of the settings, a line each.

    Raises
    ------
    NotInstalledError
        If Optuna, or what its sampler needs, is not installed.
    """

    needs: ClassVar[Mapping[str, str]] = {"optuna": "optuna"}
    """Modules that must be installed, and the extra that installs them."""

    defaults: ClassVar[Mapping[str, Any]] = {}
    """Arguments of Optuna's sampler where the settings say nothing."""

    alone: ClassVar[Mapping[str, Any]] = {}
    """Arguments in place of these while no candidate is running."""

    def __init__(self, seed: int = 0, **settings: Any) -> None:
        for module, extra in self.needs.items():
            if importlib.util.find_spec(module) is None:
                raise NotInstalledError(f"it needs {module}: pip install 'iris_hpo[{extra}]'")
        self.seed = seed
        self._settings = settings
        self._check_settings()
        self._startup: int = settings.get("n_startup_trials", STARTUP)
        self._history: History | None = None
        self._shown = ShownKeys()
        self.notes = self._notes()
        self._make(0, is_alone=False)  # what it refuses, it refuses now

    @property
    @abstractmethod
    def kind(self) -> "type[BaseSampler]":
        """The class of Optuna."""

    def _check_settings(self) -> None:
        known = [name for name in inspect.signature(self.kind).parameters if name != "seed"]
        for name in self._settings:
            if name not in known:
                raise ValueError(f"it has no {name!r}; {names_for(name, ['seed', *known])}")
        startup = self._settings.get("n_startup_trials", STARTUP)
        check_whole(seed=self.seed, n_startup_trials=startup)

    def _notes(self) -> tuple[str, ...]:
        """What Optuna says of settings that it will have no longer, a line each."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.kind(**self._settings)
        return tuple(
            " ".join(str(each.message).split())
            for each in caught
            if issubclass(each.category, FutureWarning)
        )

    def _make(self, seed: int, *, is_alone: bool) -> "BaseSampler":
        from optuna.exceptions import ExperimentalWarning

        with warnings.catch_warnings():
            # Before version 5 the arguments below are called experimental.
            warnings.simplefilter("ignore", ExperimentalWarning)
            warnings.simplefilter("ignore", FutureWarning)  # see `notes`
            defaults = {**self.defaults, **self.alone} if is_alone else self.defaults
            return self.kind(**{**defaults, **self._settings, "seed": seed})

    def propose(
        self,
        space: ParameterSpace,
        observations: Sequence[Observation],
        running: Sequence[Candidate],
    ) -> Sequence[Candidate]:
        """Ask Optuna for a candidate; ``()`` if none is left."""
        results = (seen for seen in observations if seen.score is not None)
        if sum(1 for _ in islice(results, self._startup)) < self._startup:
            return SobolSampler(self.seed).propose(space, observations, running)
        is_continued = self._shown.update(observations, running)
        shown = self._shown.by_key
        if self._history is None or not self._history.begins(
            space, shown, is_continued=is_continued
        ):
            self._history = History(space)
        self._history.extend(shown, {candidate.key: candidate for candidate in running})
        seed = int(generator(self.seed, len(shown)).integers(2**32))
        # A sampler that groups axes has to find the groups itself.
        sampler = self._make(seed, is_alone=not running)
        self._history.use(sampler, keeps_space=not self._settings.get("group"))
        for _ in range(MAX_ASKS):
            candidate = self._history.ask()
            if candidate.key not in shown:
                return (candidate,)
            if (near := nearest_unknown(space, shown, candidate)) is not None:
                return (near,)
        places = generator(self.seed, len(shown), 1)
        left = draw_unknown(
            space, shown, lambda _: places.random(len(space.axes)).tolist(), self.seed
        )
        return () if left is None else (left,)


class TpeSampler(OptunaSampler):
    """Looks where good candidates are dense, and bad ones are not (tree-structured Parzen).

    Running candidates count as bad, so that workers do not all look at one place. ``settings`` are
    those of `optuna.samplers.TPESampler`, such as ``n_startup_trials``, the number of results from
    which on it looks there.
    """

    defaults: ClassVar[Mapping[str, Any]] = {"constant_liar": True}

    # It only concerns running candidates, and takes longer with each candidate.
    alone: ClassVar[Mapping[str, Any]] = {"constant_liar": False}

    @property
    def kind(self) -> "type[BaseSampler]":
        """The class of Optuna."""
        from optuna.samplers import TPESampler

        return TPESampler


class GpSampler(OptunaSampler):
    """Looks where a Gaussian process expects the greatest improvement.

    It is slower than ``tpe`` and needs fewer candidates if they are costly. ``settings`` are those
    of `optuna.samplers.GPSampler`.
    """

    needs: ClassVar[Mapping[str, str]] = {"optuna": "gp", "torch": "gp"}
    defaults: ClassVar[Mapping[str, Any]] = {"warn_independent_sampling": False}

    @property
    def kind(self) -> "type[BaseSampler]":
        """The class of Optuna."""
        from optuna.samplers import GPSampler

        return GPSampler
