"""`History`: the candidates of a search as an Optuna study in memory."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from iris_hpo.samplers import Observation
from iris_hpo.samplers.drawing import domains_of
from iris_hpo.samplers.optuna_distributions import range_distribution
from iris_hpo.space.absent import ABSENT, Absent
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.space.domains import Domain, Range
from iris_hpo.space.values import Value

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import Trial

Shown = dict[str, Observation | None]
"""What is known of each candidate, by key, in the order of proposal; None while it is running."""


class History:
    """An Optuna study that holds what a sampler is shown.

    Failed candidates are failed trials, running ones are running trials. A trial that was asked for
    and did not become a candidate is a failed trial; Optuna's samplers pass over those.
    """

    def __init__(self, space: ParameterSpace) -> None:
        import optuna

        from iris_hpo.samplers.optuna_classes import UnconstrainedStorage

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space = space
        self._domains = domains_of(space)
        self._by_name = {
            axis.name: domain for axis, domain in zip(space.axes, self._domains, strict=True)
        }
        self._distributions = list(map(_distribution, self._domains))
        self._study = optuna.create_study(
            storage=UnconstrainedStorage(),
            sampler=optuna.samplers.RandomSampler(0),
            direction="maximize",
        )
        self._trials = 0
        self._numbers: dict[str, int] = {}
        self._told: dict[str, Observation] = {}
        self._running: set[str] = set()
        self._shapes: set[tuple[bool, ...]] = set()
        self._relative_space: tuple[int, Mapping[str, BaseDistribution]] | None = None
        self._asked: tuple[str, int] | None = None

    def begins(self, space: ParameterSpace, shown: Shown, *, is_continued: bool) -> bool:
        """Whether what is shown begins with what the study holds.

        Parameters
        ----------
        is_continued
            Whether it is known to begin with what was shown last.
        """
        return space.axes == self.space.axes and (
            is_continued
            or (
                list(islice(shown, len(self._numbers))) == list(self._numbers)
                and self._told.items() <= shown.items()
            )
        )

    def extend(self, shown: Shown, running: Mapping[str, Candidate]) -> None:
        """Add what is shown and not yet held.

        Parameters
        ----------
        running
            The running candidates by key.
        """
        new_keys = [*islice(reversed(shown), len(shown) - len(self._numbers))][::-1]
        proposal, self._asked = self._asked, None
        if proposal is not None and new_keys and proposal[0] == new_keys[0]:
            self._numbers[proposal[0]] = proposal[1]
            self._running.add(new_keys.pop(0))
        elif proposal is not None:
            self._fail(proposal[1])
        for key in sorted(self._running, key=self._numbers.__getitem__):
            if (seen := shown[key]) is not None:
                self._tell(self._numbers[key], seen.score)
                self._hold(seen)
        for key in new_keys:
            seen = shown[key]
            self._add(seen.candidate if seen else running[key], seen)

    def use(self, sampler: "BaseSampler", *, keeps_space: bool = False) -> None:
        """Ask a sampler from now on.

        Parameters
        ----------
        keeps_space
            Whether the sampler's relative search space may be kept until a finished trial has other
            axes than those before, because nothing else decides it. Optuna goes through all trials
            to find it, each time that a new sampler is asked.
        """
        from iris_hpo.samplers.optuna_classes import RoundingSampler

        self._study.sampler = RoundingSampler(
            sampler, self._kept_space if keeps_space else None, self._by_name
        )

    def ask(self) -> Candidate:
        """Ask for a candidate, which may be one that is known."""
        if self._asked is not None:
            self._fail(self._asked[1])
        trial = self._study.ask()
        self._trials += 1
        values: list[Value | Absent] = []
        for index, (axis, domain) in enumerate(zip(self.space.axes, self._domains, strict=True)):
            has_axis = self.space.has_axis(index, values)
            values.append(_suggested(trial, axis.name, domain) if has_axis else ABSENT)
        candidate = self.space.candidate(values)
        self._asked = candidate.key, trial.number
        return candidate

    def _add(self, candidate: Candidate, seen: Observation | None) -> None:
        from optuna.trial import TrialState

        from iris_hpo.samplers.optuna_classes import unconstrained_trial

        state, score = TrialState.RUNNING, None
        if seen is not None:
            score = seen.score
            state = TrialState.FAIL if score is None else TrialState.COMPLETE
        params: dict[str, Any] = {}
        distributions: dict[str, BaseDistribution] = {}
        for index, (axis, value) in enumerate(zip(self.space.axes, candidate.values, strict=True)):
            if not isinstance(value, Absent):
                params[axis.name] = _parameter(self._domains[index], axis.encode(value), value)
                distributions[axis.name] = self._distributions[index]
        self._study.add_trial(unconstrained_trial(state, score, params, distributions))
        self._numbers[candidate.key] = self._trials
        self._trials += 1
        if seen is None:
            self._running.add(candidate.key)
        else:
            self._hold(seen)

    def _hold(self, seen: Observation) -> None:
        """Note that the study has a result."""
        self._told[seen.candidate.key] = seen
        self._running.discard(seen.candidate.key)
        if seen.score is not None:
            self._shapes.add(tuple(value is ABSENT for value in seen.candidate.values))

    def _kept_space(
        self, find: Callable[[], "Mapping[str, BaseDistribution]"]
    ) -> "Mapping[str, BaseDistribution]":
        """Return the relative search space, which is found again when trials have other axes."""
        if self._relative_space is None or self._relative_space[0] != len(self._shapes):
            self._relative_space = len(self._shapes), find()
        return dict(self._relative_space[1])

    def _tell(self, number: int, score: float | None) -> None:
        if score is None:
            self._fail(number)
        else:
            self._study.tell(number, score)

    def _fail(self, number: int) -> None:
        from optuna.trial import TrialState

        self._study.tell(number, state=TrialState.FAIL)


def _distribution(domain: Domain) -> "BaseDistribution":
    """Where to look, as Optuna describes it: of listed numbers it draws the index."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if isinstance(domain, Range):
        return range_distribution(domain)
    if domain.is_ordered:
        return IntDistribution(0, domain.size - 1)
    return CategoricalDistribution(domain.keys)


def _parameter(domain: Domain, key: str, value: Value) -> Any:
    """A value as a trial holds it."""
    if isinstance(domain, Range):
        return value
    return domain.index(key) if domain.is_ordered else key


def _suggested(trial: "Trial", name: str, domain: Domain) -> Value:
    if not isinstance(domain, Range):
        if domain.is_ordered:
            return domain.values[trial.suggest_int(name, 0, domain.size - 1)]
        return domain.values[domain.keys.index(trial.suggest_categorical(name, domain.keys))]
    if domain.whole:
        return trial.suggest_int(name, int(domain.low), int(domain.high), log=domain.log)
    return trial.suggest_float(name, float(domain.low), float(domain.high), log=domain.log)
