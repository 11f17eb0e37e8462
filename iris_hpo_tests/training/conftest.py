"""Rows that several modules of the search's tests fit."""

import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold

from iris_hpo.data.split import Examples


@pytest.fixture(scope="session")
def digits():
    """600 training rows in 3 folds, 100 test rows, 64 features, 10 classes."""
    features, target = load_digits(return_X_y=True)
    features, target, later = features[:600], target[:600], (features[600:700], target[600:700])
    folder = StratifiedKFold(3, shuffle=True, random_state=0)
    return Examples(features, target, *later, tuple(folder.split(features, target)))
