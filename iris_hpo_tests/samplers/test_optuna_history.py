"""What the samplers of Optuna keep between two questions changes no candidate."""

import pytest
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial

from iris_hpo.samplers.by_optuna import TpeSampler
from iris_hpo.samplers.optuna_classes import UnconstrainedTrial
from iris_hpo.samplers.optuna_history import History
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo_tests.samplers.test_adaptive_samplers import score_of, tried
from iris_hpo_tests.space.spaces import CONDITIONAL


def test_the_study_holds_the_rounded_numbers_of_candidates():
    """Keys are then short, and a study that grew is as one that is made of the candidates."""
    sampler = TpeSampler(n_startup_trials=3)
    space = ParameterSpace([Axis("x", "X", low=0, high=1), Axis("y", "Y", low=1, high=9, log=True)])
    observations = tried(sampler, space, lambda candidate: sum(candidate.values), 8)

    held = [trial.params for trial in sampler._history._study.trials]
    known = [space.named(seen.candidate) for seen in observations]
    assert held == known[: len(held)]
    assert all(value == float(f"{value:.6g}") for values in known for value in values.values())


@pytest.mark.parametrize(
    "settings", [{}, {"multivariate": True, "group": True}, {"multivariate": False}]
)
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_axes_that_all_candidates_have_are_looked_up_when_another_kind_comes(
    settings, monkeypatch: pytest.MonkeyPatch
):
    looked_up = []
    infer = TPESampler.infer_relative_search_space

    def counting(self, study, trial):
        looked_up.append(trial.number)
        return infer(self, study, trial)

    monkeypatch.setattr(TPESampler, "infer_relative_search_space", counting)
    settings = {"n_startup_trials": 3, **settings}

    def candidates():
        seen = tried(
            TpeSampler(**settings), CONDITIONAL, lambda one: score_of(CONDITIONAL, one), 20
        )
        return [one.candidate.key for one in seen]

    kept, times = candidates(), len(looked_up)
    use = History.use
    monkeypatch.setattr(History, "use", lambda self, sampler, **_: use(self, sampler))

    assert candidates() == kept
    kinds = {key.count("_") for key in kept}
    assert times <= (17 if "group" in settings else len(kinds) + 1)
    assert len(looked_up) - times >= 17


def test_running_candidates_count_as_bad_and_cost_nothing_where_there_are_none():
    space = ParameterSpace([Axis("x", "X", low=0, high=1)])

    def candidates(**settings):
        sampler = TpeSampler(n_startup_trials=3, **settings)
        seen = tried(sampler, space, lambda candidate: -candidate.values[0], 12)
        running = [space.candidate([seen[-1].candidate.values[0] + 1e-4])]
        (beside,) = TpeSampler(n_startup_trials=3, **settings).propose(space, seen, running)
        return [one.candidate.key for one in seen], beside.key

    with_liar, without = candidates(constant_liar=True), candidates(constant_liar=False)

    assert candidates() == with_liar
    assert without[0] == with_liar[0]
    assert without[1] != with_liar[1]


def test_no_trial_is_searched_for_constraints(monkeypatch: pytest.MonkeyPatch):
    """Neither those that were asked for nor those that were told; and it decides nothing."""
    space = ParameterSpace([Axis("x", "X", low=0, high=1), Axis("y", "Y", low=0, high=1)])

    def candidates():
        seen = tried(TpeSampler(n_startup_trials=3), space, lambda one: sum(one.values), 12)
        resumed = TpeSampler(n_startup_trials=3).propose(space, seen, [])
        return [one.candidate.key for one in seen] + [one.key for one in resumed]

    with monkeypatch.context() as patch:
        patch.delattr(UnconstrainedTrial, "constraints")
        searched = candidates()

    def refuse(_):
        raise AssertionError("a trial was searched")

    monkeypatch.setattr(FrozenTrial, "constraints", property(refuse), raising=False)

    assert candidates() == searched
