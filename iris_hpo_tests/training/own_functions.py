"""Functions as users write them, which the tests of called objectives call by name."""

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier


def plane(x, y, scale=1.0):
    return scale * (x + y)


def with_metrics(x, y):
    return {"value": x * y, "sum": np.float32(x + y)}


def returns(x, y, given=None):  # noqa: ARG001 - axes
    return given


def raises(x, y):  # noqa: ARG001 - axes
    raise RuntimeError("diverged")


async def sleeps(x, y):
    return x + y


def steps(x, y):
    yield x + y


def hides_that_it_sleeps(x, y):
    return sleeps(x, y)


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


def shows_columns(trial):
    """Write what the frames hold."""
    data = trial.data
    data.train.to_json(trial.folder / "train.json", orient="table", index=False)
    (trial.folder / "types.txt").write_text(" ".join(map(str, data.train.dtypes)))
    levels = [*data.train["colour"].cat.categories], [*data.test["colour"].cat.categories]
    return {"value": 1, "same_levels": int(levels[0] == levels[1])}


def weighs(trial):
    data = trial.data
    return {"value": data.weights.sum(), "test": data.test_weights.sum()}


def weighted_tree(trial):
    """Fit to frames, by weight."""
    train = trial.data.train
    features, target = train.drop(columns=trial.data.target), train[trial.data.target]
    model = DecisionTreeClassifier(max_depth=trial.parameters["x"], random_state=0)
    return model.fit(features, target, trial.data.weights)


def prepared_tree(trial):
    """Fit a pipeline that needs the columns of a frame."""
    train = trial.data.train
    features, target = train.drop(columns=trial.data.target), train[trial.data.target]
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["colour"]))
    tree = DecisionTreeClassifier(max_depth=trial.parameters["x"], random_state=0)
    return make_pipeline(encoder, tree).fit(features, target)


def predict_colour(rows, folder):
    """Predict by what a call left."""
    left = (folder / "a.txt").read_text()
    return [f"{colour} {left}" for colour in rows["colour"]]


def predict_first(rows, folder):  # noqa: ARG001 - as it is called
    """Predict the first row alone."""
    return [1.0]


def predict_nothing(rows, folder):
    """Forget to return."""


def of_optuna(trial):
    x = trial.suggest_float("x", 0, 10, step=0.5)
    y = trial.suggest_int("y", 1, 5, log=True)
    trial.report(x, step=0)
    return -1.0 if trial.should_prune() else x + y


def misuses(trial, act):
    """Use the trial as it cannot be used."""
    acts = {
        "parameter": lambda: trial.parameters["momentum"],
        "params": lambda: trial.params["momentum"],
        "text": lambda: trial.report("low", 1),
        "step": lambda: trial.report(0.5, "one"),
        "nan": lambda: trial.report(float("nan"), 1),
        "attribute": lambda: trial.set_user_attr("a", object()),
    }
    acts[act]()


def looks_for_an_optional_one(trial):
    try:
        return trial.parameters["momentum"]
    except KeyError:
        return trial.parameters.get("momentum", 4.0)


def first_only(trial, /):
    return trial.parameters["x"]


def any_positional(*arguments):
    return arguments[0].parameters["x"]


def bound_of_text(trial):
    return trial.suggest_float("x", "0", 1)


def asks_for_more(trial):
    return trial.suggest_float("momentum", 0, 1)


def asks_for_less(trial):
    return trial.suggest_float("x", 0, 1)


def asks_for_a_choice(trial):
    return {"a": 1.0, "b": 2.0}[trial.suggest_categorical("x", ["a", "b"])]
