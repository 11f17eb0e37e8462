"""BBC-CV written as plain loops over rows, to compare with.

The draws are given; nothing else is shared with the product.
"""

import math
from collections import Counter
from dataclasses import dataclass
from functools import partial
from operator import eq

import numpy as np


def accuracy(truth, predicted):
    return sum(map(eq, truth, predicted)) / len(truth)


def balanced_accuracy(truth, predicted):
    recalls = []
    for label in set(truth):
        rows = [guess for true, guess in zip(truth, predicted, strict=True) if true == label]
        recalls.append(rows.count(label) / len(rows))
    return sum(recalls) / len(recalls)


def f1_of(label, truth, predicted):
    both = sum(true == guess == label for true, guess in zip(truth, predicted, strict=True))
    size = truth.count(label) + predicted.count(label)
    return 2 * both / size if size else 0.0


def f1_macro(truth, predicted):
    labels = {*truth, *predicted}
    return sum(f1_of(label, truth, predicted) for label in labels) / len(labels)


def f1_weighted(truth, predicted):
    counts = Counter(truth)
    return sum(n * f1_of(label, truth, predicted) for label, n in counts.items()) / len(truth)


def mean_squared(truth, predicted):
    return sum((true - guess) ** 2 for true, guess in zip(truth, predicted, strict=True)) / len(
        truth
    )


def mean_absolute(truth, predicted):
    return sum(abs(true - guess) for true, guess in zip(truth, predicted, strict=True)) / len(truth)


def r2(truth, predicted):
    mean = sum(truth) / len(truth)
    return 1 - mean_squared(truth, predicted) / mean_squared(truth, [mean] * len(truth))


CLASSES = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "f1_macro": f1_macro,
    "f1_micro": accuracy,
    "f1_weighted": f1_weighted,
    "f1": partial(f1_of, 1),
}
NUMBERS = {
    "r2": r2,
    "neg_mean_squared_error": lambda t, p: -mean_squared(t, p),
    "neg_root_mean_squared_error": lambda t, p: -math.sqrt(mean_squared(t, p)),
    "neg_mean_absolute_error": lambda t, p: -mean_absolute(t, p),
}
FUNCTIONS = CLASSES | NUMBERS
RATIOS = dict.fromkeys(NUMBERS, 0.0) | {"r2": 1.0}


@dataclass
class Candidate:
    """A candidate: what it predicts for each fold's rows and for the test rows."""

    folds: list
    test: list
    test_score: float
    simplicity: tuple


def score(scoring, truth, predicted, weights):
    """The metric over rows that count so often; None where they define none."""
    rows = [row for row, weight in enumerate(weights) for _ in range(int(weight))]
    truth, predicted = [truth[row] for row in rows], [predicted[row] for row in rows]
    if not rows or (scoring == "r2" and len(set(truth)) == 1):
        return None
    return float(FUNCTIONS[scoring](truth, predicted))


def choose(rule, share, standings):
    """Position of the champion, from (mean, error, test score, simplicity) of each candidate."""
    return choose_all(rule, share, standings)[1]


def choose_all(rule, share, standings):
    """Positions of the selected candidates, and of the champion."""
    if rule == "test_score":
        best = max(one[2] for one in standings)
        tied = [at for at, one in enumerate(standings) if ties(one[2], best)]
        mean = max(standings[at][0] for at in tied)
        return tied, next(at for at in tied if ties(standings[at][0], mean))
    best = max(one[0] for one in standings)
    tied = [at for at, one in enumerate(standings) if ties(one[0], best)]
    if rule == "cv":
        return tied, tied[0]
    leader = min(tied, key=lambda at: (standings[at][3], at))
    mean, error = standings[leader][:2]
    margin = error if rule == "one_standard_error" else share * abs(mean)
    close = [
        at
        for at, one in enumerate(standings)
        if at in tied or one[0] >= mean - margin or ties(one[0], mean - margin)
    ]
    simplest = min(standings[at][3] for at in close)
    equals = [at for at in close if standings[at][3] == simplest]
    best = max(standings[at][0] for at in equals)
    return close, next(at for at in equals if ties(standings[at][0], best))


def vote(candidates, champion, scoring):
    """The candidate that predicts what the candidates do together; the champion decides ties."""
    folds = [
        [together(values, champion, scoring) for values in zip(*predicted, strict=True)]
        for predicted in zip(*(one.folds for one in candidates), strict=True)
    ]
    test = [
        together(values, champion, scoring)
        for values in zip(*(one.test for one in candidates), strict=True)
    ]
    return Candidate(folds, test, None, None)


def together(values, champion, scoring):
    """What values of one row are together, of which the champion's is at this position."""
    if scoring in NUMBERS:
        return sum(values) / len(values)
    most = max(values.count(value) for value in values)
    tied = [value for value in values if values.count(value) == most]
    return values[champion] if values[champion] in tied else min(tied)


def ties(value, level):
    return value >= level - 1e-9 * max(1e-3, abs(level))


def standing(candidate, target, folds, counts, scoring, repeats):
    """Mean over the folds and its standard error; each fold counts by its drawn rows."""
    scores, weights = [], []
    for rows, predicted in zip(folds, candidate.folds, strict=True):
        drawn = [counts[row] for row in rows]
        value = score(scoring, [target[row] for row in rows], predicted, drawn)
        if value is not None:
            scores.append(value)
            weights.append(sum(drawn) / len(rows))
    mean = sum(w * s for w, s in zip(weights, scores, strict=True)) / sum(weights)
    squares = sum(w * (s - mean) ** 2 for w, s in zip(weights, scores, strict=True)) / sum(weights)
    error = math.sqrt(repeats * squares / max(len(scores) - 1, 1))
    return mean, error, candidate.test_score, candidate.simplicity


def pooled(candidate, target, test_target, folds, weights, scoring, repeats, with_test):
    """Score on all rows with weights; the rows of every repeat count, the test rows as often."""
    truth, predicted, counts = [], [], []
    for rows, values in zip(folds, candidate.folds, strict=True):
        truth += [target[row] for row in rows]
        predicted += list(values)
        counts += [weights[row] for row in rows]
    if with_test:
        truth += list(test_target)
        predicted += list(candidate.test)
        counts += [repeats * weight for weight in weights[len(target) :]]
    return score(scoring, truth, predicted, counts)


def percentiles(values, perfect=None, stretch=1.1):
    if perfect is not None and all(value < perfect for value in values):
        ends = percentiles([-math.log(perfect - value) for value in values], None, stretch)
        return tuple(perfect - math.exp(-end) for end in ends)
    mean = sum(values) / len(values)
    low, high = np.percentile(values, [2.5, 97.5])
    return mean, mean - stretch * (mean - low), mean + stretch * (high - mean)


def bbc(candidates, references, champion, case, draws):
    """The estimate, the candidates as good, the gains over references, and that of the vote."""
    target, test_target, folds, scoring, rule, repeats = case
    with_test = rule != "test_score"
    shared = (target, test_target, folds)
    scores, votes, of_references, as_good = [], [], [[] for _ in references], Counter()
    for drawn in draws:
        counts = [int(count) for count in drawn]
        left = [int(count == 0) for count in counts]
        standings = [standing(one, target, folds, counts, scoring, repeats) for one in candidates]
        selected, winning = choose_all(rule, 0.01, standings)
        winner = candidates[winning]
        voters = vote([candidates[at] for at in selected], selected.index(winning), scoring)
        value = pooled(winner, *shared, left, scoring, repeats, with_test)
        if value is not None:
            scores.append(value)
            votes.append(pooled(voters, *shared, left, scoring, repeats, with_test))
            for kept, one in zip(of_references, references, strict=True):
                kept.append(pooled(one, *shared, left, scoring, repeats, with_test))
        level = pooled(candidates[champion], *shared, counts, scoring, repeats, with_test)
        for at, one in enumerate(candidates):
            value = pooled(one, *shared, counts, scoring, repeats, with_test)
            as_good[at] += value is not None and value >= level - 1e-9 * abs(level)
    gains = [
        percentiles([a - b for a, b in zip(scores, kept, strict=True)]) for kept in of_references
    ]
    shares = [as_good[at] / len(draws) for at in range(len(candidates))]
    perfect = RATIOS.get(scoring)
    return percentiles(scores, perfect), shares, gains, percentiles(votes, perfect)
