"""Estimators of a user's own: they write to their rows, change them, or derive state."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier


class _Scaled:
    """Changes the rows before the parent makes a kernel of them."""

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        self.scaler_ = StandardScaler().fit(X)
        return super().fit(self.scaler_.transform(X), y, sample_weight)

    def predict(self, X):  # noqa: N803
        return super().predict(self.scaler_.transform(X))


class ScaledSVC(_Scaled, SVC):
    """Predicts classes."""


class ScaledSVR(_Scaled, SVR):
    """Predicts numbers."""


class WeightlessSVC(SVC):
    """Uses C for something else than the bound."""

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        return super().fit(np.clip(X, -self.C, self.C), y, sample_weight)


class WritesRows(ClassifierMixin, BaseEstimator):
    """Scales features in place, in fits and in predictions."""

    def __init__(self, factor=2.0, max_depth=3, random_state=None):
        self.factor = factor
        self.max_depth = max_depth
        self.random_state = random_state

    def fit(self, X, y):  # noqa: N803
        np.multiply(X, self.factor, out=X)
        np.add(X, 1, out=X)
        self.tree_ = DecisionTreeClassifier(
            max_depth=self.max_depth, random_state=self.random_state
        ).fit(X, y)
        self.classes_ = self.tree_.classes_
        return self

    def predict(self, X):  # noqa: N803
        np.multiply(X, self.factor, out=X)
        np.add(X, 1, out=X)
        return self.tree_.predict(X)


class WritesLabels(ClassifierMixin, BaseEstimator):
    """Turns the first labels into the last one, in place."""

    def __init__(self, spoiled=3, max_depth=3, random_state=None):
        self.spoiled = spoiled
        self.max_depth = max_depth
        self.random_state = random_state

    def fit(self, X, y):  # noqa: N803
        y[: self.spoiled] = y[-1]
        self.tree_ = DecisionTreeClassifier(
            max_depth=self.max_depth, random_state=self.random_state
        ).fit(X, y)
        self.classes_ = self.tree_.classes_
        return self

    def predict(self, X):  # noqa: N803
        return self.tree_.predict(X)


class WritesNumbers(RegressorMixin, BaseEstimator):
    """Centres features and target in place."""

    def __init__(self, factor=2.0):
        self.factor = factor

    def fit(self, X, y):  # noqa: N803
        self.mean_ = y.mean()
        y -= self.mean_
        np.multiply(X, self.factor, out=X)
        self.line_ = LinearRegression().fit(X, y)
        return self

    def predict(self, X):  # noqa: N803
        np.multiply(X, self.factor, out=X)
        return self.line_.predict(X) + self.mean_


class DerivesDepth(ClassifierMixin, BaseEstimator):
    """Derives state in its constructor, which ``set_params`` does not renew."""

    def __init__(self, max_depth=1, random_state=None):
        self.max_depth = max_depth
        self.random_state = random_state
        self._depth = 2 * max_depth

    def fit(self, X, y):  # noqa: N803
        self.tree_ = DecisionTreeClassifier(
            max_depth=self._depth + self.max_depth, random_state=self.random_state
        ).fit(X, y)
        self.classes_ = self.tree_.classes_
        return self

    def predict(self, X):  # noqa: N803
        return self.tree_.predict(X)
