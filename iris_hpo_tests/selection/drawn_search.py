"""Small random searches with the predictions of their candidates."""

import numpy as np

from iris_hpo.selection.evidence import Evidence, Reference
from iris_hpo.selection.rules import Scored
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.predictions import Predictions
from iris_hpo_tests.selection import plain_bbc

SPACES = [
    ParameterSpace([Axis("C", "C", simplest=end), Axis("kind", "K", simplest="neither")])
    for end in ("low", "high")
]


def folds_of(random, training, number, repeats, groups=None):
    """Shuffled folds; whole groups, if there are any."""
    units = np.arange(training) if groups is None else np.unique(groups, return_inverse=True)[1]
    folds = []
    for _ in range(repeats):
        of_units = random.permutation(np.arange(units.max() + 1)) % number
        folds += [np.flatnonzero(of_units[units] == fold) for fold in range(number)]
    return folds


def guess(random, truth, labels, noise):
    """Predict with some noise; numbers are rounded so that scores tie at times."""
    if labels is None:
        return np.round(truth + noise * random.normal(size=len(truth)), 1)
    wrong = random.random(len(truth)) < noise
    return np.where(wrong, random.choice(labels, len(truth)), truth)


def evaluated(scoring, evidence, folds, test):
    """An evaluation with the scores that these predictions give."""
    score = plain_bbc.FUNCTIONS[scoring]
    truths = [evidence.target[rows].tolist() for rows in evidence.folds]
    truth = evidence.test_target.tolist()
    counted = scoring == "accuracy"
    return Evaluation(
        score(truth, test.tolist()),
        correct=int(np.sum(test == evidence.test_target)) if counted else None,
        total=len(test) if counted else None,
        fold_scores=tuple(score(t, p.tolist()) for t, p in zip(truths, folds, strict=True)),
        predictions=Predictions(tuple(folds), test),
    )


def drawn_case(seed, scoring, *, rows=None):
    """A small random search: evidence, scored candidates and two references."""
    random = np.random.default_rng(seed)
    training, test = rows or (int(random.integers(20, 26)), int(random.integers(4, 9)))
    labels = None if scoring in plain_bbc.NUMBERS else np.arange(2 if scoring == "f1" else 3)
    groups = (None, None)
    if random.random() < 0.4:
        groups = (random.integers(0, 12, training), 100 + np.arange(test) // 2)
        groups[0][:12] = np.arange(12)
    if labels is None:
        target, test_target = (np.round(random.normal(size=n), 1) for n in (training, test))
    else:
        target, test_target = (
            random.permutation(np.arange(n) % len(labels)) for n in (training, test)
        )
    repeats = int(random.integers(1, 4))
    folds = folds_of(random, training, int(random.integers(2, 4)), repeats, groups[0])
    task = "regression" if labels is None else "classification"
    evidence = Evidence(task, target, test_target, folds, seed, *groups)

    def candidate(noise):
        predicted = [guess(random, target[rows], labels, noise) for rows in folds]
        return evaluated(scoring, evidence, predicted, guess(random, test_target, labels, noise))

    scored = [
        Scored(
            SPACES[0].candidate((float(c), float(kind))), candidate(random.choice([0.3, 0.35, 0.8]))
        )
        for c, kind in [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2)]
    ]
    references = [Reference("default", candidate(0.4)), Reference("baseline", candidate(0.9))]
    return evidence, scored, references


def plain(evaluation, simplicity):
    predictions = evaluation.predictions
    return plain_bbc.Candidate(
        [rows.tolist() for rows in predictions.folds],
        predictions.test.tolist(),
        evaluation.score if evaluation.correct is None else evaluation.correct,
        simplicity,
    )
