"""The lower bound: a loop over the candidates, on numpy arrays, that keeps only the scores."""

import numpy as np

from benchmarks.contestants.problem import Score, make_svm, read_arguments, read_rows, report


def main() -> None:
    """Fit and score every candidate."""
    problem, output = read_arguments()
    rows = read_rows(problem)
    parts = [
        (rows.features[fit], rows.target[fit], rows.features[judge], rows.target[judge])
        for fit, judge in [*rows.folds, (rows.train, rows.test)]
    ]
    scores: list[Score] = []
    for c, gamma in problem.candidates:
        *folds, correct = [
            np.count_nonzero(make_svm(c, gamma).fit(*fitted).predict(features) == target)
            for *fitted, features, target in parts
        ]
        sizes = [len(target) for *_, target in parts[:-1]]
        means = [correct_rows / size for correct_rows, size in zip(folds, sizes, strict=True)]
        scores.append(Score(c, gamma, int(correct), float(np.mean(means)) if means else None))
    report(scores, output)


if __name__ == "__main__":
    main()
