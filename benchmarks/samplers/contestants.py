"""Who looks for the best of a problem: our samplers, and Optuna as its documentation uses it."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.samplers.problems import Problem
from iris_hpo.parts import Part
from iris_hpo.samplers import Observation
from iris_hpo.samplers.source import CandidateSource
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.space.domains import Levels, Range
from iris_hpo.space.values import Value

Contestant = Callable[[Problem, int, int], float]
"""Gives the best score of a problem after a number of candidates, with a seed."""


def ours(sampler: str, **settings: object) -> Contestant:
    """Look by a sampler of ours, asked as a search asks it, one candidate at a time."""
    part = Part(sampler, settings)

    def look(problem: Problem, candidates: int, seed: int) -> float:
        source = CandidateSource(part, problem.space, Path("/nowhere"), seed=seed)
        observations: list[Observation] = []
        while len(observations) < candidates:
            proposed = source.propose(observations, ())
            if not proposed:
                break
            for candidate in proposed[: candidates - len(observations)]:
                score = problem.score(problem.space.named(candidate))
                observations.append(Observation(candidate, score, (), len(observations)))
        return max(seen.score for seen in observations if seen.score is not None)

    return look


def refine(problem: Problem, candidates: int, seed: int) -> float:
    """Look by `refine`, from the finest even grid that has at most half of the candidates.

    The seed shifts the grid, since the best of a function may lie where a grid is halved.
    """
    number, shift = 2, Random(seed)
    if not all(isinstance(axis.domain, Range) for axis in problem.space.axes):
        return _refine_table(problem, candidates, shift)
    while (number + 1) ** len(problem.space.axes) <= candidates / 2:
        number += 1
    grid: list[Axis] = []
    for axis in problem.space.axes:
        if isinstance(axis.domain, Range):
            step = (axis.domain.high - axis.domain.low) / number
            grid.append(replace(axis, low=axis.domain.low + shift.random() * step, step=step))
    return ours("refine")(replace(problem, space=ParameterSpace(grid)), candidates, seed)


def _refine_table(problem: Problem, candidates: int, shift: Random) -> float:
    """Begin with every second of the listed numbers, or every fourth, and so on.

    The numbers of a table are evenly spaced by their ratios; halving ends at their spacing.
    """
    listed = {
        axis.name: [float(str(value)) for value in axis.domain.values]
        for axis in problem.space.axes
        if isinstance(axis.domain, Levels) and axis.domain.is_ordered
    }
    halvings = 0
    while _size(problem, listed, 2**halvings) > candidates / 2:
        halvings += 1
    grid: list[Axis] = []
    for axis in problem.space.axes:
        if numbers := listed.get(axis.name):
            first, step = shift.randrange(2**halvings), (numbers[1] / numbers[0]) ** 2**halvings
            ends = {"low": numbers[first], "high": numbers[-1], "step": step, "log": True}
            grid.append(replace(axis, values=(), **ends))
        else:
            grid.append(axis)

    def score(values: Mapping[str, Value]) -> float:
        # A sampler's numbers have six digits, those of the table have more.
        nearest = {
            name: min(numbers, key=lambda number: abs(number - float(str(values[name]))))
            for name, numbers in listed.items()
        }
        return problem.score({**values, **nearest})

    table = replace(problem, space=ParameterSpace(grid), score=score)
    return ours("refine", halvings=halvings)(table, candidates, 0)


def _size(problem: Problem, listed: Collection[str], every: int) -> int:
    """Number of candidates of a grid that has some of the listed numbers, and all choices."""
    return math.prod(
        math.ceil(axis.domain.size / every) if axis.name in listed else axis.domain.size
        for axis in problem.space.axes
        if isinstance(axis.domain, Levels)
    )


def optuna_tpe(problem: Problem, candidates: int, seed: int) -> float:
    """Look by Optuna's TPE: one study in memory with one sampler."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    for _ in range(candidates):
        trial = study.ask()
        study.tell(trial, problem.score(_suggest(trial, problem)))
    return study.best_value


def _suggest(trial: Any, problem: Problem) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for axis in problem.space.axes:
        domain = axis.domain
        if isinstance(domain, Range):
            values[axis.name] = trial.suggest_float(axis.name, domain.low, domain.high)
        elif domain is not None and domain.is_ordered:
            index = trial.suggest_int(axis.name, 0, domain.size - 1)
            values[axis.name] = domain.values[index]
        elif domain is not None:
            values[axis.name] = trial.suggest_categorical(axis.name, domain.values)
    return values


CONTESTANTS: dict[str, Contestant] = {
    "random": ours("random"),
    "qmc": ours("qmc"),
    "refine": refine,
    "tpe": ours("tpe"),
    "Optuna's TPE": optuna_tpe,
}
