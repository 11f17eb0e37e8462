"""Small classifiers whose constructors look like those of XGBoost, LightGBM and CatBoost."""

from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.tree import DecisionTreeClassifier


class _Booster(ClassifierMixin, BaseEstimator):
    """Keeps what it is given, and gives it back; a tree does the work."""

    def get_params(self, deep=True):  # noqa: ARG002, FBT002 - as scikit-learn calls it
        return dict(vars(self).get("given", {}))

    def set_params(self, **parameters):
        self.given.update(parameters)
        return self

    def fit(self, X, y):  # noqa: N803
        self.tree_ = DecisionTreeClassifier(max_depth=self.get_params().get("depth", 1))
        self.tree_.fit(X, y)
        self.classes_ = self.tree_.classes_
        return self

    def predict(self, X):  # noqa: N803
        return self.tree_.predict(X)


class EverythingByKeyword(_Booster):
    """As `xgboost.XGBClassifier`: named parameters come from a parent, all others are welcome."""

    def __init__(self, *, objective=None, **kwargs):
        self.given = {"objective": objective, "max_depth": None, "depth": 1, **kwargs}


class Column(EverythingByKeyword):
    """Predicts a column, as `catboost.CatBoostClassifier` with several classes."""

    def predict(self, X):  # noqa: N803
        return super().predict(X).reshape(-1, 1)


class SomeByKeyword(_Booster):
    """As `lightgbm.LGBMClassifier`: some named, others welcome and given back once set."""

    def __init__(self, depth=1, **kwargs):
        self.given = {"depth": depth, **kwargs}


class OnlyWhatIsSet(_Booster):
    """As `catboost.CatBoostClassifier`: ``get_params`` gives only what was set."""

    def __init__(self, iterations=None, depth=None, verbose=None):
        stated = {"iterations": iterations, "depth": depth, "verbose": verbose}
        self.given = {name: value for name, value in stated.items() if value is not None}
