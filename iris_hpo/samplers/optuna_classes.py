"""What our studies in memory add to Optuna's classes. It is imported when Optuna is needed."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from iris_hpo.space.domains import Domain, Range

Space = Mapping[str, BaseDistribution]

KeepSpace = Callable[[Callable[[], Space]], Space]
"""Gives the relative search space, by a function that finds it or as it was found before."""


class RoundingSampler(BaseSampler):
    """A sampler whose numbers are rounded as those of candidates, before a trial keeps them.

    Parameters
    ----------
    keep
        Keeps the relative search space; None to find it each time.
    domains
        Where to look, by the name of an axis.
    """

    def __init__(
        self, sampler: BaseSampler, keep: KeepSpace | None, domains: Mapping[str, Domain]
    ) -> None:
        self._sampler = sampler
        self._keep = keep
        self._domains = domains

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> Any:
        """Return the axes that are drawn together."""
        find = partial(self._sampler.infer_relative_search_space, study, trial)
        return self._keep(find) if self._keep else find()

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: Any) -> Any:
        """Draw a value for each of these axes."""
        drawn = self._sampler.sample_relative(study, trial, search_space)
        return {name: self._rounded(name, value) for name, value in drawn.items()}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: Any
    ) -> Any:
        """Draw a value for another axis."""
        value = self._sampler.sample_independent(study, trial, param_name, param_distribution)
        return self._rounded(param_name, value)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Do what the sampler does before it is asked."""
        self._sampler.before_trial(study, trial)

    def _rounded(self, name: str, value: Any) -> Any:
        domain = self._domains[name]
        if isinstance(domain, Range) and not domain.whole:
            return domain.rounded(value)
        return value


class UnconstrainedTrial(FrozenTrial):
    """A trial without constraints, for which TPE looks in every trial each time that it is asked.

    To find none costs a tenth of the time that TPE takes.
    """

    constraints: Any = MappingProxyType[str, float]({})


def unconstrained_trial(
    state: TrialState, score: float | None, params: Mapping[str, Any], distributions: Space
) -> UnconstrainedTrial:
    """Make a trial, to which a study gives its number."""
    now = datetime.now()  # noqa: DTZ005 - as Optuna's own
    return UnconstrainedTrial(
        number=-1,
        trial_id=-1,
        state=state,
        value=score,
        params=dict(params),
        distributions=dict(distributions),
        user_attrs={},
        system_attrs={},
        intermediate_values={},
        datetime_start=now,
        datetime_complete=now if state.is_finished() else None,
    )


class UnconstrainedStorage(InMemoryStorage):
    """A storage in memory whose trials have no constraints."""

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Add a trial; without a template it is one that is running."""
        trial = template_trial or unconstrained_trial(TrialState.RUNNING, None, {}, {})
        return super().create_new_trial(study_id, trial)
