"""Stock Dagster: two plain assets, a dynamic partition per candidate, Dagster's own storage.

A user runs ``dagster asset materialize --partition KEY`` per candidate, as many at a time as there
are cores. A backfill by Dagster's daemon took as long (58 s against 61 s for 12 candidates),
and it has to be started first.
"""

import os
from pathlib import Path

import dagster as dg
import numpy as np
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

from benchmarks.contestants.problem import Problem, Score, make_svm, read_rows

PROBLEM = "BENCHMARK_PROBLEM"

candidates = dg.DynamicPartitionsDefinition(name="candidates")


def parse_key(key: str) -> tuple[float, float]:
    """C and gamma of a key such as ``0.5_0.25``."""
    c, gamma = map(float, key.split("_"))
    return c, gamma


def problem() -> Problem:
    """Read the problem that the environment names."""
    return Problem.read(Path(os.environ[PROBLEM]))


@dg.asset(partitions_def=candidates)
def model(context: dg.AssetExecutionContext) -> SVC:
    """Fit a candidate on the training rows."""
    rows = read_rows(problem())
    c, gamma = parse_key(context.partition_key)
    return make_svm(c, gamma).fit(rows.features[rows.train], rows.target[rows.train])


@dg.asset(partitions_def=candidates)
def score(context: dg.AssetExecutionContext, model: SVC) -> Score:
    """Count the test rows predicted right, and compute the mean over the folds."""
    rows = read_rows(problem())
    correct = np.count_nonzero(model.predict(rows.features[rows.test]) == rows.target[rows.test])
    cv_mean = None
    if rows.folds:
        folds = cross_val_score(
            SVC(**model.get_params()), rows.features, rows.target, cv=rows.folds
        )
        cv_mean = float(np.mean(folds))
    context.add_output_metadata({"correct": int(correct), "cv_mean": cv_mean})
    return Score(*parse_key(context.partition_key), int(correct), cv_mean)


search = dg.define_asset_job("search", [model, score])
defs = dg.Definitions([model, score], jobs=[search], executor=dg.in_process_executor)
