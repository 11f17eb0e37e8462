"""Functions as a user writes them to score by."""

from sklearn.metrics import f1_score, make_scorer


def profit(y_true, y_pred, gain=3):
    return float(sum(gain if a == b else -1 for a, b in zip(y_true, y_pred, strict=True)))


def cost(y_true, y_pred):
    return float((y_true != y_pred).sum())


def surprise(y_true, y_prob):
    return float(abs((y_true == max(y_true)) - y_prob).mean())


def depth(estimator, X, y):  # noqa: N803
    assert isinstance(y[0], str)
    return -float(estimator.get_depth()) + (estimator.predict(X) == y).mean()


def recall_of(y_true, y_pred, pos_label="bad"):
    return float((y_pred[y_true == pos_label] == pos_label).mean())


def pair(y_true, y_pred):
    return y_true, y_pred


def alone(y_true):
    return y_true


made = make_scorer(f1_score, average="macro", pos_label=None)
