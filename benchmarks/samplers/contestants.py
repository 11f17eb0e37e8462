"""Who looks for the best of a problem: our samplers, and Optuna as its documentation uses it."""

import math
from collections.abc import Callable
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
from iris_hpo.space.domains import Range

Contestant = Callable[[Problem, int, int], float]
"""Gives the best score of a problem after a number of candidates, with a seed."""


def ours(sampler: str) -> Contestant:
    """Look by a sampler of ours, asked as a search asks it, one candidate at a time."""

    def look(problem: Problem, candidates: int, seed: int) -> float:
        source = CandidateSource(Part(sampler), problem.space, Path("/nowhere"), seed=seed)
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

    The seed shifts the grid, since the best of a function may lie where a grid is halved. The score
    is not-a-number for a problem of listed values: there is nothing between them.
    """
    number, shift = 2, Random(seed)
    while (number + 1) ** len(problem.space.axes) <= candidates / 2:
        number += 1
    grid: list[Axis] = []
    for axis in problem.space.axes:
        if not isinstance(axis.domain, Range):
            return math.nan
        step = (axis.domain.high - axis.domain.low) / number
        grid.append(replace(axis, low=axis.domain.low + shift.random() * step, step=step))
    return ours("refine")(replace(problem, space=ParameterSpace(grid)), candidates, seed)


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
