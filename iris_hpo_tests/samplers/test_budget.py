"""Budgets: why a search asks for no more candidates."""

import math
from dataclasses import replace

import numpy as np
import pytest

from iris_hpo.errors import InputError
from iris_hpo.samplers import Observation
from iris_hpo.samplers.budget import Budget, Progress, end
from iris_hpo.samplers.gain import expected_gain, no_more_gain, standard_error
from iris_hpo.samplers.random import RandomSampler
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace

SPACE = ParameterSpace([Axis("x", "X", low=0, high=1), Axis("y", "Y", low=0, high=1)])


def observations_of(scores, spread=0.0):
    sampler, observations = RandomSampler(), []
    for number, score in enumerate(scores):
        (candidate,) = sampler.propose(SPACE, observations, ())
        value = score(*candidate.values) if callable(score) else score
        folds = () if value is None else tuple(value + spread * np.array([-2, -1, 0, 1, 2]))
        observations.append(Observation(candidate, value, folds, number))
    return observations


def why(budget, registered=1, seconds=1.0, scores=(0.5, None, 0.75), **more):
    progress = Progress(registered, seconds, observations_of(scores), **more)
    return end(budget, progress, SPACE)


@pytest.mark.parametrize(
    ("budget", "progress", "reason"),
    [
        (Budget(), {"registered": 99}, None),
        (Budget(), {"registered": 100}, "the budget of 100 candidates is used up"),
        (Budget(1), {"registered": 5}, "the budget of 1 candidate is used up: there are 5"),
        (Budget(9, seconds=60), {"seconds": 59.9}, None),
        (
            Budget(9, seconds=3600),
            {"seconds": 3671.22},
            "the budget of 3,600 seconds is used up: training and scoring took 3,671.2",
        ),
        (Budget(9, until=0.8), {}, None),
        (Budget(9, until=0.75), {}, "the score 0.75 is reached, and at least 0.75 was to be"),
        (
            Budget(9, until=-0.6),
            {"least_is_best": True, "scores": (-0.5, 0.7)},
            "the score -0.7 is reached, and at most -0.6 was to be",
        ),
        (Budget(9, until=-0.8), {"least_is_best": True, "scores": (-0.5, 0.7)}, None),
        (Budget(9, until=0.1), {"scores": (None,)}, None),
        (Budget(9, while_it_gains=True), {"folds": 5}, None),
    ],
)
def test_a_budget_ends_with_its_reason(budget, progress, reason):
    assert why(budget, **progress) == reason


@pytest.mark.parametrize(
    ("settings", "message", "field"),
    [
        ({"candidates": 0}, "candidates 0 must be at least 1", "candidates"),
        ({"seconds": 0}, "seconds 0 must be a number greater than 0", "seconds"),
        ({"seconds": math.inf}, "seconds inf must be a number greater than 0", "seconds"),
        ({"until": math.nan}, "until nan must be a finite number", "until"),
    ],
)
def test_a_budget_is_refused_with_its_number(settings, message, field):
    with pytest.raises(InputError) as refusal:
        Budget(**settings)

    assert (str(refusal.value), refusal.value.field) == (message, (field,))


def hill(x, y):
    return 1 - 0.2 * (x - 0.4) ** 2 - 0.2 * (y - 0.7) ** 2


def test_a_search_stops_when_the_gain_is_less_than_the_error():
    noisy = observations_of([hill] * 40, spread=0.05)

    reason = no_more_gain(SPACE, noisy, folds=5)

    assert reason is not None
    assert reason.startswith("the expected gain of another candidate, ")
    assert reason.endswith(f"error of the best score, {0.05 * math.sqrt(2.5 * 0.45):.2g}")


def test_a_search_goes_on_while_the_gain_is_more_than_the_error():
    rising = observations_of([lambda x, y: 10 * x + 10 * y] * 20, spread=1e-4)
    gain = expected_gain(SPACE, rising, folds=5)

    assert gain is not None
    assert 0.1 < gain.expected < 20 - max(seen.score for seen in rising)
    assert no_more_gain(SPACE, rising, folds=5) is None


@pytest.mark.parametrize("count", [5, 19])
def test_the_gain_is_computed_from_a_number_of_results_on(count):
    assert no_more_gain(SPACE, observations_of([hill] * count, spread=0.05), folds=5) is None


def test_a_search_that_has_ended_stays_so_when_the_last_results_come():
    """Two workers bring one or two results after the number at which the gain is computed."""
    noisy = observations_of([hill] * 44, spread=0.05)

    reasons = {no_more_gain(SPACE, noisy[:count], folds=5) for count in range(40, 45)}

    assert len(reasons) == 1
    assert None not in reasons


def test_equal_scores_gain_nothing():
    gain = expected_gain(SPACE, observations_of([0.9] * 20, spread=0.1), folds=5)

    assert gain is not None
    assert gain.expected == 0.0


def test_a_best_candidate_without_an_error_has_the_least_one_of_others():
    """As where it predicts all rows right."""
    noisy = observations_of([hill] * 20, spread=0.05)
    perfect = replace(noisy[3], score=1.0, fold_scores=(1.0,) * 5)
    others = [*noisy[:3], *noisy[4:]]

    gain = expected_gain(SPACE, [*noisy[:3], perfect, *noisy[4:]], folds=5)

    assert gain is not None
    assert gain.error == min(standard_error(seen.fold_scores, 5) for seen in others) > 0
    assert expected_gain(SPACE, [perfect, perfect], folds=5) is None


def test_without_folds_no_error_is_known():
    assert expected_gain(SPACE, observations_of([hill] * 20), folds=0) is None
    assert standard_error([0.5], 5) == 0.0


def test_the_error_accounts_for_training_rows_that_folds_share():
    assert standard_error([0.8, 0.9, 1.0], 3) == pytest.approx(math.sqrt((1 / 3 + 1 / 2) * 0.01))
