"""Predict with the files that a call left, by a function that a search names in ``predict``."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from iris_hpo.data.dataset import Features
from iris_hpo.text import counted
from iris_hpo.training.artifacts import Workplace, unpack
from iris_hpo.training.frames import frame_of
from iris_hpo.training.function import import_function


@dataclass(frozen=True)
class CalledPredictor:
    """The champion of a function or a program that scores itself.

    Parameters
    ----------
    address
        ``package.module:name`` of a function of the rows, a frame, and of a folder.
    files
        Archive of the files that the champion's call left, which are in the folder.
    names, kinds
        Names and kinds of the features.
    """

    address: str
    files: bytes | None
    names: Sequence[str]
    kinds: Sequence[str]

    def predict(self, features: Features) -> Any:
        """Predict rows.

        Raises
        ------
        ValueError
            If the function does not give a prediction for each row.
        """
        function = cast("Any", import_function(self.address, "predict"))
        with closing(Workplace()) as workplace:
            if self.files is not None:
                unpack(self.files, workplace.folder)
            predicted = function(frame_of(features, self.names, self.kinds), workplace.folder)
        number = 0 if predicted is None else np.size(predicted)
        if number != len(features):
            raise ValueError(
                f"the function {self.address} gave {counted(number, 'prediction')} for "
                f"{counted(len(features), 'row')}"
            )
        return predicted
