"""Pickled models: what is handed out has to be what was scored."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Features
from iris_hpo.data.split import Examples
from iris_hpo.errors import CandidateError
from iris_hpo.space.values import Value
from iris_hpo.text import counted
from iris_hpo.training.called_objective import CalledObjective
from iris_hpo.training.cards import dump_model, load_model
from iris_hpo.training.code_of_others import own_failure
from iris_hpo.training.evaluation import at_work
from iris_hpo.training.frames import named_rows
from iris_hpo.training.search_objective import SearchObjective
from iris_hpo.training.shared_generators import seeded


def store_and_load(
    objective: SearchObjective,
    model: object,
    parameters: Mapping[str, Value],
    examples: Examples,
) -> tuple[bytes, object]:
    """Pickle a model; one of others' code, which may pickle only a part of it, is loaded again.

    Parameters
    ----------
    parameters
        Those of the candidate.
    examples
        The loaded model has to predict the test rows as the model did.

    Returns
    -------
    content, model
        The pickle, and the model to score.

    Raises
    ------
    CandidateError
        If the model cannot be pickled or loaded, or predicts otherwise then.
    """
    with own_failure("storing the model"):
        content = dump_model(model)
    if not objective.calls_others:
        return content, model
    with at_work(objective, parameters, "the stored model"):
        loaded = load_model(content)
        rows = examples.test_features
        if isinstance(objective, CalledObjective):
            rows = named_rows(model, rows, objective.columns[:-1], objective.kinds)
        predicted = None
        with suppress(Exception):  # scoring gives the reason
            predicted = _predict(model, rows)
        if predicted is not None:
            _compare(predicted, _predict(loaded, rows))
            loaded = load_model(content)  # as it is handed out, without a prediction before
    return content, loaded


def _predict(model: Any, rows: Features) -> NDArray[Any] | None:
    if not hasattr(model, "predict") or not len(rows):
        return None
    with seeded(0, {}):  # both draw alike
        return np.array(model.predict(rows.copy()))


def _compare(before: NDArray[Any], after: NDArray[Any] | None) -> None:
    if after is None or before.shape != after.shape:
        others = len(before)
    else:
        is_same = before == after
        if before.dtype.kind in "fc":
            is_same = np.isclose(before, after, equal_nan=True)
        others = int(np.sum(~is_same.reshape(len(before), -1).all(axis=1)))
    if others:
        raise CandidateError(
            f"its stored model predicts {counted(others, 'test row')} of {len(before)} otherwise "
            "than before it was stored; what it predicts by must be part of its pickle"
        )
