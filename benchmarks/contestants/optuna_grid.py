"""Optuna with its grid sampler, in memory or, with a third argument, on SQLite.

One trial at a time: with ``n_jobs=2`` the sampler gave a candidate twice, and was not faster.
"""

import sys

import numpy as np
import optuna
from sklearn.model_selection import cross_val_score

from benchmarks.contestants.problem import Score, make_svm, read_arguments, read_rows, report


def main() -> None:
    """Make every candidate a trial of one study."""
    problem, output = read_arguments()
    storage = f"sqlite:///{sys.argv[3]}" if len(sys.argv) > 3 else None
    rows = read_rows(problem)
    features, target = rows.features[rows.train], rows.target[rows.train]
    test_features, test_target = rows.features[rows.test], rows.target[rows.test]
    scores: list[Score] = []

    def objective(trial: optuna.Trial) -> float:
        c = trial.suggest_float("C", min(problem.c), max(problem.c))
        gamma = trial.suggest_float("gamma", min(problem.gamma), max(problem.gamma))
        model = make_svm(c, gamma).fit(features, target)
        correct = int(np.count_nonzero(model.predict(test_features) == test_target))
        cv_mean = None
        if rows.folds:
            folds = cross_val_score(make_svm(c, gamma), rows.features, rows.target, cv=rows.folds)
            cv_mean = float(np.mean(folds))
        # Kept here, and not as an attribute of the trial, which would cost Optuna a transaction.
        scores.append(Score(c, gamma, correct, cv_mean))
        return correct / len(test_target) if cv_mean is None else cv_mean

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=storage,
        sampler=optuna.samplers.GridSampler({"C": problem.c, "gamma": problem.gamma}, seed=0),
        direction="maximize",
    )
    study.optimize(objective)  # the sampler stops the study when the grid is done
    print(study.best_trial.params)
    report(scores, output)


if __name__ == "__main__":
    main()
