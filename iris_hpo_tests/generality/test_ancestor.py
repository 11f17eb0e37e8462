"""The example that this project follows, rebuilt with two programs: one trains, one tests."""

import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from iris_hpo_tests.projects import (
    DAGSTERS_WARNINGS,
    REPOSITORY_DATA,
    ShippedProject,
    YamlProject,
)

pytestmark = [pytest.mark.slow, *DAGSTERS_WARNINGS]

BOTH = """\
set -eu
sh programs/train.sh "$2" "$3" "$IRIS_HPO_TRAIN" "$IRIS_HPO_OUTPUT/model.json"
"$1" -S programs/test.py "$IRIS_HPO_OUTPUT/model.json" < "$IRIS_HPO_TEST"
"""
ASK = """\
echo "$@" > requests
read -r _ < answers
"""
"""Training by a process that has scikit-learn loaded: 77 imports would take a minute."""
TRAIN = """\
import csv
import json
import sys

from sklearn.svm import SVC


def train(c, gamma, rows, model):
    with open(rows) as file:
        _, *rows = csv.reader(file)
    features = [[float(cell) for cell in row[:-1]] for row in rows]
    fitted = SVC(C=float(c), gamma=float(gamma)).fit(features, [row[-1] for row in rows])
    learnt = {name: getattr(fitted, name + "_").tolist() for name in (
        "classes", "support_vectors", "n_support", "dual_coef", "intercept")}
    with open(model, "w") as file:
        json.dump({"gamma": fitted.gamma, **learnt}, file)


if sys.argv[1:]:
    train(*sys.argv[1:])
while not sys.argv[1:]:
    with open("requests") as file:
        request = file.read().split()
    if not request:
        break
    train(*request)
    with open("answers", "w") as file:
        print("trained", file=file)
"""
TEST = """\
import csv
import json
import math
import sys

with open(sys.argv[1]) as file:
    model = json.load(file)
owners = [at for at, number in enumerate(model["n_support"]) for _ in range(number)]


def predict(row):
    kernel = [
        math.exp(-model["gamma"] * sum((a - b) ** 2 for a, b in zip(row, vector)))
        for vector in model["support_vectors"]
    ]
    votes, pair = [0] * len(model["classes"]), 0
    for first in range(len(votes)):
        for second in range(first + 1, len(votes)):
            value = model["intercept"][pair]
            for at, owner in enumerate(owners):
                if owner == first:
                    value += model["dual_coef"][second - 1][at] * kernel[at]
                if owner == second:
                    value += model["dual_coef"][first][at] * kernel[at]
            votes[first if value > 0 else second] += 1
            pair += 1
    return model["classes"][votes.index(max(votes))]


_, *rows = csv.reader(sys.stdin)
right = sum(predict([float(cell) for cell in row[:-1]]) == row[-1] for row in rows)
print(json.dumps({"accuracy": right / len(rows)}))
"""


PROGRAMS = {"both.sh": BOTH, "train.sh": ASK, "train.py": TRAIN, "test.py": TEST}


def test_it_leaves_the_models_and_scores_of_the_built_in_search(tmp_path: Path) -> None:
    ancestor = YamlProject.create(tmp_path / "ancestor")
    write_search(ancestor)
    built_in = ShippedProject.create(tmp_path / "built_in")

    with training(ancestor.root):
        outcome = ancestor.run("ancestor")
    assert built_in.call("run", "--engine", "serial", "--folds", "0", "--quiet").returncode == 0

    assert outcome["trained"] == 77
    scores = [
        {row["candidate"]: float(row["score"]) for row in rows}
        for rows in (ancestor.leaderboard("ancestor"), built_in.leaderboard())
    ]
    assert len(scores[0]) == 77
    assert scores[0] == scores[1]
    for key in scores[0]:
        name = f"models/model_{key}"
        with (built_in.artifacts / f"{name}.pkl").open("rb") as file:
            model = pickle.load(file)
        with zipfile.ZipFile(ancestor.artifacts("ancestor") / f"{name}.zip") as files:
            learnt = json.loads(files.read("model.json"))
        assert learnt.pop("gamma") == model.gamma
        for attribute, values in learnt.items():
            assert np.array_equal(values, getattr(model, f"{attribute}_")), (key, attribute)


def test_the_program_alone_trains_the_same_model(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    rows = "x,y,class\n0.5,1,a\n1,0,b\n2,2,a\n"
    (tmp_path / "rows.csv").write_text(rows)
    arguments = [sys.executable, "train.py", "2", "0.5", "rows.csv", "model.json"]

    subprocess.run(arguments, cwd=tmp_path, check=True)

    model = json.loads((tmp_path / "model.json").read_text())
    assert model["classes"] == ["a", "b"]
    assert len(model["support_vectors"]) == 3


@contextmanager
def training(root: Path) -> Generator[None]:
    """Start the process that trains; the shell program asks it."""
    for name in ("requests", "answers"):
        os.mkfifo(root / name)
    process = subprocess.Popen([sys.executable, "programs/train.py"], cwd=root)
    try:
        yield
        with (root / "requests").open("w"):  # no request: it ends
            pass
        process.wait(60)
    finally:
        process.kill()
        process.wait()


def write_search(project: YamlProject) -> None:
    """Write a search that calls the two programs."""
    shutil.copy(REPOSITORY_DATA / "noisy_iris.csv", project.root / "data")
    shutil.copytree(REPOSITORY_DATA / "parameters", project.parameters("ancestor"))
    programs = project.root / "programs"
    programs.mkdir()
    for name, text in PROGRAMS.items():
        (programs / name).write_text(text)
    project.write_search(
        "ancestor",
        data_file="noisy_iris.csv",
        objective={
            "command": ["sh", "programs/both.sh", sys.executable, "{C}", "{gamma}"],
            "inputs": ["programs"],
            "task": "classification",
            "metric": "accuracy",
            "time_limit": 60.0,
        },
        axes=[
            {"name": "c", "symbol": "C", "parameter": "C"},
            {"name": "gamma", "symbol": "G"},
        ],
    )
