"""Functions as users write them, which the tests of called objectives call by name."""

import numpy as np
from sklearn.tree import DecisionTreeClassifier


def plane(x, y, scale=1.0):
    return scale * (x + y)


def with_metrics(x, y):
    return {"value": x * y, "sum": np.float32(x + y)}


def returns(x, y, given=None):  # noqa: ARG001 - axes
    return given


def raises(x, y):  # noqa: ARG001 - axes
    raise RuntimeError("diverged")


def writes(trial):
    (trial.folder / "deep").mkdir()
    (trial.folder / "deep" / "weights.bin").write_bytes(b"\x00\xff")
    (trial.folder / "a.txt").write_text("first")
    trial.log("epoch 1")
    trial.report(0.5, 1)
    trial.report(value=0.25, step=2)
    trial.set_user_attr("note", ["a", 1])
    return trial.parameters["x"] + trial.seed


def takes_both(x, y, trial):
    return x + y + trial.seed


def tree(trial):
    train = trial.data.train
    features = train.drop(columns=trial.data.target)
    return DecisionTreeClassifier(max_depth=trial.parameters["x"], random_state=trial.seed).fit(
        features, train[trial.data.target]
    )


def peeks(trial):
    return len(trial.data.test)


def counts_rows(trial):
    data = trial.data
    (fit, validated), *_ = data.folds
    return {
        "value": len(data.train),
        "test": len(data.test),
        "fit": len(fit),
        "validated": len(validated),
        "columns": data.train.shape[1],
    }


def of_optuna(trial):
    x = trial.suggest_float("x", 0, 10, step=0.5)
    y = trial.suggest_int("y", 1, 5, log=True)
    trial.report(x, step=0)
    return -1.0 if trial.should_prune() else x + y


def asks_for_more(trial):
    return trial.suggest_float("momentum", 0, 1)


def asks_for_less(trial):
    return trial.suggest_float("x", 0, 1)


def asks_for_a_choice(trial):
    return {"a": 1.0, "b": 2.0}[trial.suggest_categorical("x", ["a", "b"])]
