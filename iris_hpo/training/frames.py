"""Rows as frames: what functions see, and the models that they fit to frames."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from iris_hpo.data.dataset import Features
from iris_hpo.data.dates import DATES
from iris_hpo.data.kinds import CATEGORY, TEXT

if TYPE_CHECKING:
    from pandas import DataFrame


def frame_of(
    features: Features,
    names: Sequence[str],
    kinds: Sequence[str] = (),
    others: Features | None = None,
) -> "DataFrame":
    """Make a frame of rows, a copy.

    Categories have the type ``category``, and dates ``datetime64``; texts are objects. What is
    missing is nan, or NaT in dates.

    Parameters
    ----------
    features
        Shape (rows, features).
    kinds
        Kinds of the features (`iris_hpo.data.kinds`); empty if all are complete numbers.
    others
        More rows, whose categories are among those of the frame too.
    """
    import pandas as pd

    if not kinds:
        return pd.DataFrame(np.array(features), columns=list(names))
    columns = dict[int, Any]()
    for at, kind in enumerate(kinds):
        values: Any = features[:, at]
        if kind == CATEGORY:
            levels = np.concatenate([values, values[:0] if others is None else others[:, at]])
            given = [value or None for value in values.tolist()]
            columns[at] = pd.Categorical(given, categories=sorted({*levels.tolist()} - {""}))
        elif kind == TEXT:
            columns[at] = pd.Series([value or None for value in values.tolist()], dtype=object)
        elif kind in DATES:
            dates: Any = pd.to_datetime(values.astype(np.float64), unit="D", origin="unix")
            columns[at] = dates.round("s")
        else:
            columns[at] = values.astype(np.float64)
    frame = pd.DataFrame(columns)
    frame.columns = list(names)
    return frame


def named_rows(
    model: object, features: Features, names: Sequence[str], kinds: Sequence[str] = ()
) -> Features:
    """Return the rows as a frame, if the model was fitted to one."""
    if not names or not (kinds or hasattr(model, "feature_names_in_")):
        return features
    return cast("Features", frame_of(features, names, kinds))
