"""One data set: a search, then every rule's champion, what is reported of it, and what is true."""

import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

from benchmarks.truth.beside import grid_search_champion, nested_intervals, nested_scores
from benchmarks.truth.generators import GAMMA, GENERATORS, Generator
from benchmarks.truth.outcomes import Nested, Outcome
from benchmarks.truth.search import Search, deliver, describe, known, run_search
from benchmarks.truth.vote import VOTING, judge_vote
from iris_hpo.known_rules import RULES, default_rule


@dataclass(frozen=True)
class Size:
    """The size of a simulation.

    Attributes
    ----------
    sets
        Data sets per generator.
    fresh
        Fresh rows that show the truth.
    nested_every
        Every so many data sets, nested cross-validation is run beside.
    step
        Every so many values of C and of gamma are searched.
    """

    sets: int
    fresh: int
    nested_every: int
    step: int


CHOOSING: Final = tuple(name for name, rule in RULES.items() if not rule.scores_itself)
"""The rules that choose among models."""

FULL: Final = Size(sets=100, fresh=20_000, nested_every=10, step=1)
QUICK: Final = Size(sets=1, fresh=500, nested_every=1, step=5)


@dataclass(frozen=True)
class Finding:
    """What was found on one data set."""

    outcomes: tuple[Outcome, ...]
    nested: tuple[Nested, ...]


def simulate(size: Size, processes: int, seconds: float = math.inf) -> Iterator[list[Finding]]:
    """Yield the findings of one data set of each generator, again and again.

    Parameters
    ----------
    seconds
        After so many seconds no more are yielded.

    Raises
    ------
    NoEstimateError
        If a champion has no estimate.
    """
    end = time.monotonic() + seconds
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        rounds = [
            [pool.submit(examine, size, index, seed) for index in range(len(GENERATORS))]
            for seed in range(size.sets)
        ]
        for futures in rounds:
            findings = [future.result() for future in futures]
            if time.monotonic() > end:
                break
            yield findings
        pool.shutdown(cancel_futures=True)


def examine(size: Size, index: int, seed: int) -> Finding:
    """Search on one data set of the generator at a position."""
    generator = GENERATORS[index]
    sample = generator.sample(seed, size.fresh)
    spec = describe(generator)
    grid = generator.c[:: size.step], GAMMA[:: size.step]
    search = run_search(spec, sample, *grid)
    outcomes = {
        outcome.rule: outcome for rule in CHOOSING for outcome in judge(generator, search, rule)
    }
    nested: tuple[Nested, ...] = ()
    if seed % size.nested_every == 0:
        truth = outcomes[default_rule(len(search.examples.folds))].truth
        scores = nested_scores(spec, sample, *grid, seed)
        nested = (nested_intervals(generator.name, scores, truth),)
    return Finding(tuple(outcomes.values()), nested)


def judge(generator: Generator, search: Search, rule: str) -> Iterator[Outcome]:
    """Compare what is reported of a rule's champion, and of a vote, with the truth."""
    delivered = deliver(search, rule, votes=rule in VOTING)
    estimate = known(delivered.estimate, f"{generator.name}, {rule}")
    evaluation = delivered.champion.evaluation
    champion = Outcome(
        generator.name,
        rule,
        truth=search.truth(delivered.champion.candidate.key, refits=delivered.refits),
        raw=evaluation.score if rule == "test_score" else mean(evaluation.fold_scores),
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        wilson=None if evaluation.interval is None else width(evaluation.interval),
        grid_search=search.truth(grid_search_champion(search), refits=False),
    )
    yield champion
    if rule in VOTING:
        yield judge_vote(search, delivered, champion)


def mean(scores: Sequence[float]) -> float:
    """Average fold scores."""
    return sum(scores) / len(scores)


def width(interval: tuple[float, float]) -> float:
    """Length of an interval."""
    low, high = interval
    return high - low
