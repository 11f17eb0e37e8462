"""Samplers that are asked again: each asks what it should, and the same whenever it is asked."""

import csv
import importlib.util
import math
import warnings
from pathlib import Path

import optuna
import pytest

from iris_hpo.errors import InputError
from iris_hpo.parts import Part
from iris_hpo.samplers import Observation, check_sampler
from iris_hpo.samplers.by_optuna import TpeSampler
from iris_hpo.samplers.drawing import nearest_unknown
from iris_hpo.samplers.qmc import SobolSampler
from iris_hpo.samplers.random import RandomSampler
from iris_hpo.samplers.refine import RefineSampler
from iris_hpo.samplers.source import CandidateSource
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.testing import SamplerContract
from iris_hpo_tests.space.spaces import CONDITIONAL, GRID

SMALL = ParameterSpace(
    [Axis("a", "A", type="int", low=1, high=3), Axis("b", "B", type="str", values=["x", "y"])]
)
DRAWING = [RandomSampler, SobolSampler, TpeSampler]
PLANE = ParameterSpace(
    [
        Axis("x", "X", values=[0.0, 1.0, 2.0, 3.0], low=None),
        Axis("y", "Y", values=[0.01, 0.1, 1.0, 10.0], positive=True),
    ]
)


class TestRandom(SamplerContract):
    space = CONDITIONAL
    make_sampler = RandomSampler


class TestSobol(SamplerContract):
    space = CONDITIONAL
    make_sampler = SobolSampler


class TestTpe(SamplerContract):
    space = CONDITIONAL

    def make_sampler(self):
        return TpeSampler(seed=1, n_startup_trials=3)


class TestTpeOnListedValues(SamplerContract):
    space = GRID

    def make_sampler(self):
        return TpeSampler(n_startup_trials=3)


class TestRefine(SamplerContract):
    space = GRID
    make_sampler = RefineSampler


def score_of(space, candidate):
    """The nearer to 3 and linear, the better."""
    values = space.named(candidate)
    return -abs(math.log(values["C"] / 3)) - 0.1 * (values["kernel"] != "linear")


def tried(sampler, space, score, count, observations=()):
    """Try candidates one after the other; the scores may be None."""
    observations = list(observations)
    for _ in range(count):
        for candidate in sampler.propose(space, observations, ()):
            known = score(candidate)
            observations.append(Observation(candidate, known, (), len(observations)))
    return observations


@pytest.mark.parametrize("kind", DRAWING)
def test_the_seed_decides_the_candidates(kind):
    drawn = [
        [seen.candidate.key for seen in tried(kind(seed=seed), CONDITIONAL, lambda _: 0.0, 6)]
        for seed in (1, 1, 2)
    ]

    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("kind", DRAWING)
def test_a_small_space_is_tried_whole_and_nothing_twice(kind):
    observations = tried(kind(), SMALL, lambda _: 0.0, 10)

    keys = [seen.candidate.key for seen in observations]
    assert sorted(keys) == [f"A{a}_B{b}" for a in (1, 2, 3) for b in "xy"]


def test_a_sobol_sequence_fills_the_space_evenly():
    unit = ParameterSpace([Axis("x", "X", low=0, high=1), Axis("y", "Y", low=0, high=1)])
    observations = tried(SobolSampler(seed=3), unit, lambda _: 0.0, 16)

    cells = {tuple(int(4 * value) for value in seen.candidate.values) for seen in observations}
    assert len(cells) == 16


def test_tpe_finds_what_random_draws_do_not():
    square = ParameterSpace([Axis("x", "X", low=0, high=1), Axis("y", "Y", low=0, high=1)])

    def best(sampler):
        def score(candidate):
            return -sum((value - 0.3) ** 2 for value in candidate.values)

        return max(seen.score for seen in tried(sampler, square, score, 40))

    seeds = range(1, 6)
    assert sum(best(TpeSampler(seed)) for seed in seeds) > 0.5 * sum(
        best(RandomSampler(seed)) for seed in seeds
    )


def test_a_study_that_grew_asks_as_one_that_is_made_at_once():
    """With candidates that fail, that run while others are asked for, and that are not tried."""
    sampler, observations, running = TpeSampler(n_startup_trials=4), {}, {}
    for step in range(30):
        shown = [
            Observation(candidate, score, (), number)
            for number, (candidate, score) in sorted(observations.items())
        ]
        (grown,) = sampler.propose(CONDITIONAL, shown, list(running.values()))
        (at_once,) = TpeSampler(n_startup_trials=4).propose(
            CONDITIONAL, shown, list(running.values())
        )

        assert grown == at_once
        if step % 7 == 5:
            continue  # it never becomes a candidate
        running[len(observations) + len(running)] = grown
        if len(running) > 2:
            number = sorted(running)[step % 3]
            candidate = running.pop(number)
            failed = step % 5 == 0
            score = None if failed else score_of(CONDITIONAL, candidate)
            observations[number] = candidate, score


def test_what_does_not_extend_a_study_makes_another():
    first = tried(TpeSampler(n_startup_trials=4), CONDITIONAL, lambda _: 1.0, 8)
    changed = [
        Observation(seen.candidate, float(seen.number), (), seen.number) for seen in first[:-1]
    ]
    sampler = TpeSampler(n_startup_trials=4)
    sampler.propose(CONDITIONAL, first, ())

    assert sampler.propose(CONDITIONAL, changed, ()) == TpeSampler(n_startup_trials=4).propose(
        CONDITIONAL, changed, ()
    )


@pytest.mark.parametrize(
    ("like", "near"),
    [
        ("C1.0_Krbf_G0.1", "C0.1_Krbf_G0.1"),
        ("C0.1_Klinear", "C10.0_Klinear"),
        ("C100.0_Kpoly_G1.0_D4", "C10.0_Kpoly_G1.0_D4"),
    ],
)
def test_the_most_similar_candidate_takes_the_place_of_a_known_one(like, near):
    known = {"C1.0_Krbf_G0.1", "C0.1_Klinear", "C1.0_Klinear", "C100.0_Kpoly_G1.0_D4"}

    found = nearest_unknown(GRID, known, GRID.parse_key(like))

    assert found is not None
    assert found.key == near


def test_of_a_large_space_nothing_is_the_most_similar():
    candidate = CONDITIONAL.candidate([1, "linear", 1, 1])

    assert nearest_unknown(CONDITIONAL, {candidate.key}, candidate) is None


@pytest.mark.slow
def test_tpe_finds_the_best_of_the_iris_grid_with_half_of_its_candidates():
    """The table has the means over the folds of all 77 candidates, for 20 seeds of the split.

    The same seeds begin the sampler; in a run, that is the seed of the search.
    """
    with (Path(__file__).parent / "iris_means.csv").open(newline="") as file:
        rows = [tuple(map(float, row)) for row in list(csv.reader(file))[1:]]
    space = ParameterSpace(
        [
            Axis("C", "C", positive=True, values=[row[0] for row in rows]),
            Axis("gamma", "G", positive=True, values=[row[1] for row in rows]),
        ]
    )

    def finds_the_best(seed):
        means = {(c, gamma): by_seed[seed] for c, gamma, *by_seed in rows}
        observations = tried(TpeSampler(seed), space, lambda c: means[c.values], 40)
        return max(seen.score for seen in observations) == max(means.values())

    assert len(rows) == 77
    assert sum(map(finds_the_best, range(20))) >= 15


def refined(score, space=PLANE, **settings):
    return tried(RefineSampler(**settings), space, score, 40)


def test_refine_tries_the_grid_then_halves_the_step_around_the_best():
    def score(candidate):
        x, y = candidate.values
        return -((x - 1.3) ** 2) - math.log(y / 0.15) ** 2

    observations = refined(score)
    best = max(observations, key=lambda seen: seen.score)

    assert [seen.candidate.key for seen in observations[:16]] == [
        candidate.key for candidate in PLANE.grid([axis.domain.values for axis in PLANE.axes])
    ]
    assert best.candidate.values[0] == pytest.approx(1.25, abs=0.13)
    assert best.candidate.values[1] == pytest.approx(0.15, rel=0.35)
    assert 16 < len(observations) < 60
    assert len({seen.candidate.key for seen in observations}) == len(observations)


def test_refine_steps_out_where_the_best_is_on_the_edge():
    observations = refined(lambda candidate: -abs(candidate.values[0] - 5.0))

    assert max(seen.candidate.values[0] for seen in observations) == 6.0
    assert max(observations, key=lambda seen: seen.score).candidate.values[0] == 5.0


def test_refine_keeps_to_a_range_and_to_positive_numbers():
    space = ParameterSpace(
        [
            Axis("x", "X", low=0, high=4, step=1),
            Axis("y", "Y", values=[1.0, 2.0, 3.0], positive=True),
        ]
    )
    observations = refined(lambda candidate: candidate.values[0] - candidate.values[1], space)

    assert {seen.candidate.values[0] <= 4 for seen in observations} == {True}
    assert min(seen.candidate.values[1] for seen in observations) > 0


def test_refine_of_whole_numbers_and_of_choices_ends_when_there_are_no_others():
    space = ParameterSpace(
        [
            Axis("n", "N", type="int", values=[1, 5, 9]),
            Axis("k", "K", type="str", values=["a", "b"]),
        ]
    )
    observations = refined(lambda each: -abs(each.values[0] - 4) - (each.values[1] == "b"), space)

    best = max(observations, key=lambda seen: seen.score).candidate
    assert best.values == (4, "a")
    assert {seen.candidate.values[0] for seen in observations} == {1, 3, 4, 5, 6, 7, 9}


def test_refine_waits_for_a_step_that_is_running():
    grid = RefineSampler().propose(PLANE, (), ())
    seen = [Observation(each, -each.values[0], (), at) for at, each in enumerate(grid)]

    assert RefineSampler().propose(PLANE, seen[:-1], grid[-1:]) != ()
    inner = [
        Observation(each, float(each.key == "X1.0_Y0.1"), (), at) for at, each in enumerate(grid)
    ]
    assert RefineSampler().propose(PLANE, inner[:-1], grid[-1:]) == ()
    assert RefineSampler().propose(PLANE, inner, ()) != ()


def test_refine_ends_if_all_candidates_fail():
    assert refined(lambda _: None)[-1].score is None


def test_refine_needs_listed_values():
    with pytest.raises(InputError, match="axis 'C' has a range without a step"):
        RefineSampler().propose(CONDITIONAL, (), ())


@pytest.mark.parametrize("use", ["tpe", "gp"])
def test_a_sampler_names_what_is_not_installed(use, monkeypatch, tmp_path):
    find = importlib.util.find_spec
    missing = {"tpe": "optuna", "gp": "torch"}[use]
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else find(name)
    )
    check_sampler(Part(use))
    source = CandidateSource(Part(use), CONDITIONAL, tmp_path)
    assert len(source.first()) == 0

    with pytest.raises(InputError) as refusal:
        source.propose((), ())

    extra = {"tpe": "optuna", "gp": "gp"}[use]
    assert str(refusal.value) == (
        f"sampler '{use}' cannot be used: it needs {missing}: pip install 'iris_hpo[{extra}]'"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"n_startup_trial": 5},
            "it has no 'n_startup_trial'; did you mean 'n_startup_trials'? It has seed, ",
        ),
        ({"x": 5}, "it has no 'x'; it has seed, "),
        ({"n_startup_trials": "abc"}, "n_startup_trials 'abc' must be a whole number"),
    ],
)
def test_a_setting_that_optuna_does_not_have_is_refused(settings, message, tmp_path):
    with pytest.raises(InputError) as refusal:
        CandidateSource(Part("tpe", settings), CONDITIONAL, tmp_path).first()

    assert str(refusal.value).startswith(f"sampler 'tpe' refuses its settings: {message}")


class AgingSampler(optuna.samplers.TPESampler):
    """A sampler of Optuna with a setting that it will have no longer."""

    def __init__(self, *, seed=None, n_startup_trials=10, old=False, **more):
        if old:
            warnings.warn("`old` has been\n deprecated in v4.9.0.", FutureWarning, stacklevel=2)
        super().__init__(seed=seed, n_startup_trials=n_startup_trials, **more)


def test_what_optuna_says_of_a_setting_is_a_note(tmp_path, monkeypatch):
    """Python would show a warning with a line of code; here it would be an error."""
    monkeypatch.setattr(TpeSampler, "kind", AgingSampler)
    source = CandidateSource(Part("tpe", {"old": True, "n_startup_trials": 1}), PLANE, tmp_path)
    first = PLANE.candidate((1.0, 0.1))

    assert source.propose([Observation(first, 1.0, (), 0)], ()) != ()
    assert source.sampler_notes == ("`old` has been deprecated in v4.9.0.",)
