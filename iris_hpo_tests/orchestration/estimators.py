"""Estimators that behave badly on purpose; searches of the tests import them by their path."""

import os
import signal
import time
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

TRAINING_ROWS = 120
"""Of noisy iris; a fold has fewer."""


class Picky(SVC):
    """An SVM that refuses some of its parameters, loudly.

    C = 8 cannot be fitted at all; gamma = 0.25 cannot be fitted on few rows, as a fold's.
    """

    def __init__(self, C: float = 1.0, gamma: float = 1.0, kernel: str = "rbf") -> None:  # noqa: N803
        super().__init__(C=C, gamma=gamma, kernel=kernel)

    def fit(self, X: NDArray[np.float64], y: NDArray[np.str_]) -> Self:  # noqa: N803
        if self.C == 8.0:
            raise ValueError("C = 8 is not to my taste")
        if self.gamma == 0.25 and len(X) < TRAINING_ROWS:
            raise ValueError("too few rows for my taste")
        super().fit(X, y)
        return self


class Troubled(SVC):
    """An SVM that does not stand its default C, nor more rows than the training rows.

    Parameters
    ----------
    trouble
        What it does then: ``raise``, ``die`` or ``hang``.
    """

    def __init__(
        self,
        C: float = 1.0,  # noqa: N803
        gamma: float = 1.0,
        kernel: str = "rbf",
        trouble: str = "raise",
    ) -> None:
        super().__init__(C=C, gamma=gamma, kernel=kernel)
        self.trouble = trouble

    def fit(self, X: NDArray[np.float64], y: NDArray[np.str_]) -> Self:  # noqa: N803
        if self.C == 1.0 or len(X) > TRAINING_ROWS:
            if self.trouble == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.trouble == "hang":
                time.sleep(60)
            raise ValueError(f"C {self.C} on {len(X)} rows is too much")
        super().fit(X, y)
        return self
