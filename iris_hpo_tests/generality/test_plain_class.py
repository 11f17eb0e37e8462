"""A class of one's own with fit and predict alone is tuned as the same class of scikit-learn is."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris

from iris_hpo.training.estimators import Recipe, Step
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS

MODULE = """\
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Near:
    def __init__(self, k, power=2.0, random_state=None):
        self.number, self.exponent = k, power

    def fit(self, X, y, sample_weight=None):
        self.rows, self.labels = X, np.asarray(y)
        self.names = np.unique(y)
        self.weights = np.ones(len(y)) if sample_weight is None else sample_weight
        return "nothing of use"

    def predict_proba(self, X):
        far = (np.abs(X[:, None] - self.rows[None]) ** self.exponent).sum(axis=2)
        near = np.argsort(far, axis=1, kind="stable")[:, : self.number]
        weights = [(self.labels[near] == name) * self.weights[near] for name in self.names]
        votes = np.array([each.sum(axis=1) for each in weights]).T
        return votes / votes.sum(axis=1, keepdims=True)

    def predict(self, X):
        return list(self.names[self.predict_proba(X).argmax(axis=1)])


class Twin(ClassifierMixin, BaseEstimator):
    def __init__(self, k=3, power=2.0, random_state=None):
        self.k, self.power, self.random_state = k, power, random_state

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.near_ = Near(self.k, self.power)
        self.near_.fit(X, y, sample_weight)
        return self

    def predict_proba(self, X):
        return self.near_.predict_proba(X)

    def predict(self, X):
        return np.asarray(self.near_.predict(X))


class Silent:
    def fit(self, X, y): ...

    def predict(self, X): ...


class Mean:
    _estimator_type = "regressor"

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y):
        self.value = float(np.mean(y)) + self.shift

    def predict(self, X):
        return np.full(len(X), self.value)
"""
K = {"name": "k", "symbol": "K", "type": "int"}


@pytest.fixture
def project(tmp_path: Path) -> YamlProject:
    project = YamlProject.create(tmp_path / "project")
    (project.root / "near.py").write_text(MODULE)
    frame = load_iris(as_frame=True).frame
    frame["much"] = np.arange(150) % 3 + 1
    frame[::2].to_csv(project.root / "data" / "iris.csv", index=False)
    return project


def write(project: YamlProject, name: str, **fields: object) -> None:
    given = {"data_file": "iris.csv", "target": "target", "axes": [K], "folds": 3}
    project.write_search(name, **{**given, **fields})


def results(project: YamlProject, name: str, *options: str) -> Mapping[str, object]:
    outcome = project.run(name, *options)
    assert outcome["failed"] == {}
    board = (project.selection(name) / "leaderboard.csv").read_text()
    predicted = project.call("predict", "--search", name, "data/iris.csv", "--proba")
    assert (predicted.code, predicted.err) == (0, "")
    return {"board": board, "estimate": outcome["estimate"], "predicted": predicted.out}


@pytest.mark.parametrize(
    "fields",
    [
        {"scoring": "neg_log_loss", "columns": {"much": "weight"}},
        {"steps": ["sklearn.preprocessing.StandardScaler"]},
    ],
    ids=["weighted probabilities", "pipeline"],
)
def test_it_has_the_results_of_its_twin_of_scikit_learn(
    project: YamlProject, fields: dict[str, object]
) -> None:
    found: list[Mapping[str, object]] = []
    for name, kind in (("plain", "near.Near"), ("twin", "near.Twin")):
        if "steps" in fields:
            last = kind.rpartition(".")[2].lower()
            axes = [{**K, "parameter": f"{last}__k"}]
            write(project, name, axes=axes, steps=[*_steps(fields), {"estimator": kind}])
        else:
            write(project, name, estimator=kind, settings={"power": 3}, **fields)
        project.write_values(name, k=[1, 5])
        found.append(results(project, name))
    plain, twin = found
    assert str(plain["board"]) == str(twin["board"]).replace("twin__k", "near__k")
    assert plain["estimate"] == twin["estimate"]
    assert plain["predicted"] == twin["predicted"]


def _steps(fields: Mapping[str, object]) -> list[dict[str, object]]:
    steps = fields["steps"]
    assert isinstance(steps, list)
    return [{"estimator": step} for step in steps]


def test_its_source_decides_and_a_regressor_says_what_it_is(project: YamlProject) -> None:
    axis = {"name": "shift", "symbol": "S"}
    write(project, "mean", estimator="near.Mean", axes=[axis], columns={"much": "drop"})
    project.write_values("mean", shift=[0, 1])
    assert project.run("mean")["trained"] == 2

    file = project.root / "near.py"
    file.write_text(file.read_text().replace("float(np.mean(y))", "float(np.median(y))"))
    assert project.call("status", "--search", "mean", "--json").out.count('"out of date": 2') == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"estimator": "near.Silent"}, "_estimator_type = 'classifier' or 'regressor'"),
        (
            {"estimator": "near.Near", "settings": {"powr": 1}},
            "has no setting 'powr'; did you mean 'power'?",
        ),
        (
            {"estimator": "near.Near", "axes": [{**K, "parameter": "kk"}]},
            "Near has no parameter 'kk'; it has k, power, random_state",
        ),
        (
            {"estimator": "near.Near", "axes": [{**K, "parameter": "power"}]},
            "Near requires 'k': give it in the settings, or search it",
        ),
    ],
)
def test_what_it_cannot_take_is_refused(
    project: YamlProject, fields: dict[str, object], message: str
) -> None:
    write(project, "plain", **fields)

    answer = project.call("run", "--search", "plain", "--engine", "serial")

    assert (answer.code, "Traceback" in answer.err) == (2, False)
    assert message in answer.err


def test_each_fit_makes_a_new_object(project: YamlProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(project.root)
    recipe = Recipe((Step("near.Near", {"k": 1}),), seed=7)
    rows, labels = np.arange(8.0).reshape(4, 2), np.array(["a", "b", "a", "b"])

    first, second = recipe.build(), recipe.build({"k": 3})
    for estimator in (first, second):
        estimator.fit(rows, labels)

    assert repr(second) == "Near(k=3, random_state=7)"
    assert first.model is not second.model
    assert list(first.predict(rows)) == list(labels)
