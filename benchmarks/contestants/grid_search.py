"""scikit-learn's own grid search, with the folds and the test as its splits."""

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from benchmarks.contestants.problem import Score, read_arguments, read_rows, report


def main() -> None:
    """Fit and score every candidate: on each fold, and on the test after all training rows."""
    problem, output = read_arguments()
    rows = read_rows(problem)
    search = GridSearchCV(
        SVC(),
        {"C": problem.c, "gamma": problem.gamma},
        cv=[*rows.folds, (rows.train, rows.test)],
        n_jobs=problem.jobs,
        refit=False,
    ).fit(rows.features, rows.target)
    results = search.cv_results_
    folds = len(rows.folds)
    splits = np.array([results[f"split{number}_test_score"] for number in range(folds + 1)])
    means = splits[:folds].mean(axis=0) if folds else [None] * splits.shape[1]
    report(
        [
            Score(
                float(parameters["C"]),
                float(parameters["gamma"]),
                round(accuracy * len(rows.test)),
                None if mean is None else float(mean),
            )
            for parameters, accuracy, mean in zip(results["params"], splits[-1], means, strict=True)
        ],
        output,
    )


if __name__ == "__main__":
    main()
