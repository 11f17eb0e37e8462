"""A mixed table gives the same models and scores in every worker, from a folder and from S3."""

import os
import pickle
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import read_dataset
from iris_hpo.data.split import divide, read_examples, write_split
from iris_hpo.data.splitters import SHUFFLED, Division, SplitSettings
from iris_hpo.engines import Done, Limits, dask_worker, shared_work
from iris_hpo.engines.dask import DaskEngine
from iris_hpo.engines.worker import ONE_THREAD
from iris_hpo.store.objects import open_store
from iris_hpo.training.cards import Conditions, load_model, model_name
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.trial import Trial, TrialResult, TrialWork
from iris_hpo_tests.scale.cluster import cluster

TRIAL = Trial("D3", {"max_depth": 3})
TREE = Step("sklearn.tree.DecisionTreeClassifier")
HEADER = "height,sunny,day,colour,note,kind\n"


def row(n: int) -> str:
    height = ["1.5", "NA", "-2", f"{n / 8}"][n % 4]
    sunny, colour = ["True", "false", "?"][n % 3], ["red", "blue", "n/a"][n % 3]
    return f"{height},{sunny},Jan {n % 28 + 1} 2012,{colour},note {n % 61},{'ab'[n % 2]}\n"


def work_on(folder: Path, url: str) -> TrialWork:
    """Store the split of a table with all kinds of columns, and make the work on it."""
    path = folder / "data.csv"
    path.write_text(HEADER + "".join(map(row, range(80))))
    dataset = read_dataset(path, Layout(), "classification", mixed=True)
    assert dataset.kinds == ("number", "truth value", "date (month first)", "category", "text")
    card, files = divide(dataset, Division(SHUFFLED, SplitSettings(folds=2), "classification", {}))
    store = open_store(url)
    write_split(store, card, files)
    objective = EstimatorObjective(Recipe((TREE,), 0, dataset.kinds), "accuracy", "classification")
    conditions = Conditions(objective, card.train_digest, card.version, "p" * 64)
    return TrialWork(url, conditions, read_examples(store, card, "classification"), "run 1")


def in_a_loky_worker(work: TrialWork, folder: Path) -> TrialResult:
    path = folder / "work"
    path.write_bytes(shared_work.pack(work))
    unpacked: Any = shared_work.unpack(path)
    return unpacked(TRIAL)


def in_a_dask_worker(work: TrialWork, folder: Path) -> TrialResult:
    token, path = f"{folder}", folder / "work"
    path.write_bytes(shared_work.pack(work))
    dask_worker.hold_work(token, str(path))
    [report] = dask_worker.run_chunk(token, pickle.dumps([TRIAL]), 0, None)
    dask_worker.release_work(token)
    return pickle.loads(report).outcome.result


def in_a_dask_worker_elsewhere(work: TrialWork, folder: Path) -> TrialResult:
    token = f"{folder} elsewhere"
    dask_worker.hold_work(token, shared_work.pack(work))
    [report] = dask_worker.run_chunk(token, pickle.dumps([TRIAL]), 0, None)
    dask_worker.release_work(token)
    return pickle.loads(report).outcome.result


def on_a_cluster(work: TrialWork, folder: Path) -> TrialResult:
    """Do the work in a real worker of Dask, with this process's credentials."""
    with cluster(folder, workers=1, environment=dict(os.environ)) as made:
        [outcome] = chain.from_iterable(DaskEngine(made.address).map(work, [TRIAL], Limits()))
    assert isinstance(outcome, Done)
    return outcome.result


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "artifacts")
    request.getfixturevalue("s3")
    return "s3://bucket/artifacts"


@pytest.mark.parametrize(
    "url", ["folder", pytest.param("s3", marks=pytest.mark.slow)], indirect=True
)
def test_models_and_scores_are_the_same(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "1")
    work = work_on(tmp_path, url)
    ways = [in_a_loky_worker, in_a_dask_worker, in_a_dask_worker_elsewhere]
    with threadpool_limits(1):
        expected = work(TRIAL)
        results = [do(work, tmp_path) for do in (*ways, *([on_a_cluster] if "://" in url else []))]

    assert expected.model is not None
    assert expected.score is not None
    for result in results:
        assert result.model is not None
        assert result.score is not None
        assert result.model.digest == expected.model.digest
        assert result.score.fold_scores == expected.score.fold_scores
    model: Any = load_model(open_store(url).read(model_name(TRIAL.key)))
    new = np.array([[np.nan, np.nan, np.nan, "violet", ""]], dtype=object)
    assert set(model.predict(new)) <= {"a", "b"}
