"""What a function gets of its candidate: parameters, seed, rows, a folder, reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from iris_hpo.data.dataset import Features, Target
from iris_hpo.data.split import Examples
from iris_hpo.space.values import Value
from iris_hpo.training.artifacts import Workplace
from iris_hpo.training.frames import frame_of
from iris_hpo.training.row_weights import Weights
from iris_hpo.training.suggestions import Suggestions

if TYPE_CHECKING:
    from pandas import DataFrame

_LONGEST_LOG: Final = 1 << 20
"""Number of characters of a log that are kept."""


@dataclass(frozen=True, eq=False)
class Data:
    """The rows of a split as frames; each is a copy.

    Parameters
    ----------
    examples
        The rows.
    columns
        Names of the features, then that of the target.
    kinds
        Kinds of the features, if not all are complete numbers.
    shows_test
        Whether the test rows may be read.
    """

    examples: Examples
    columns: Sequence[str]
    kinds: Sequence[str] = ()
    shows_test: bool = True

    @property
    def target(self) -> str:
        """Name of the column to predict."""
        return self.columns[-1]

    @cached_property
    def train(self) -> "DataFrame":
        """The training rows."""
        examples = self.examples
        return self._frame(examples.features, examples.target, examples.test_features)

    @cached_property
    def test(self) -> "DataFrame":
        """The test rows.

        Raises
        ------
        AttributeError
            If the result is an estimator: it is scored on them.
        """
        self._refuse_test()
        examples = self.examples
        return self._frame(examples.test_features, examples.test_target, examples.features)

    @property
    def weights(self) -> Weights | None:
        """How much each training row counts; None if all count alike."""
        weights = self.examples.roles.weight
        return None if weights is None else weights.copy()

    @property
    def test_weights(self) -> Weights | None:
        """How much each test row counts; None if all count alike.

        Raises
        ------
        AttributeError
            As for `test`.
        """
        self._refuse_test()
        weights = self.examples.test_roles.weight
        return None if weights is None else weights.copy()

    @cached_property
    def folds(self) -> "list[tuple[DataFrame, DataFrame]]":
        """For each fold, the rows to fit and the rows to validate on, of the training rows."""
        return [(self.train.iloc[fit], self.train.iloc[rows]) for fit, rows in self.examples.folds]

    def _frame(self, features: Features, target: Target, others: Features) -> "DataFrame":
        frame = frame_of(features, self.columns[:-1], self.kinds, others)
        frame[self.columns[-1]] = np.array(target)
        return frame

    def _refuse_test(self) -> None:
        if not self.shows_test:
            raise AttributeError(
                "the test rows score what the function returns, so they are not shown to it"
            )


class Trial(Suggestions):
    """One candidate, as a function sees it.

    An objective that was written for Optuna can use it as its trial.

    Parameters
    ----------
    parameters
        The values of the axes, by their ``parameter``.
    seed
        The search's seed.
    data
        The rows; None if the search has no table.
    workplace
        Where files are left.
    """

    def __init__(
        self,
        parameters: Mapping[str, Value],
        seed: int,
        data: Data | None,
        workplace: Workplace,
    ) -> None:
        super().__init__(parameters)
        self.seed = seed
        self.data = data
        self._workplace = workplace
        self._log: list[str] = []
        self._room = _LONGEST_LOG

    @property
    def folder(self) -> Path:
        """A folder; the files that are left in it are kept with the candidate."""
        return self._workplace.folder

    def log(self, text: object) -> None:
        """Write a line into the candidate's log; one that is too long is cut."""
        if self._room < 0:
            return
        line = f"{text}\n"
        self._log.append(line[: self._room])
        self._room -= len(line)
        if self._room < 0:
            self._log.append("\n... what it logs further is left out ...\n")

    @property
    def logged(self) -> bytes:
        """The log."""
        return "".join(self._log).encode(errors="backslashreplace")
