"""``iris-hpo predict``: predict the rows of a file with the champion."""

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo import left_behind
from iris_hpo.command.output import results
from iris_hpo.command.result_file import is_stdout, refuse_kept
from iris_hpo.command.session import open_study
from iris_hpo.data.dataset import Features, Task
from iris_hpo.data.prediction_rows import read_features
from iris_hpo.errors import InputError
from iris_hpo.known_rules import RULES
from iris_hpo.orchestration.study import Study
from iris_hpo.selection.champion import CHAMPION, ChampionCard
from iris_hpo.selection.ensemble import ENSEMBLE
from iris_hpo.selection.selected_files import read_files
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.text import clean, quote_cell, shorten
from iris_hpo.training.called_predictor import CalledPredictor
from iris_hpo.training.cards import load_model
from iris_hpo.training.code_of_others import describe
from iris_hpo.training.frames import named_rows
from iris_hpo.writing import write_result

_KEPT: Final = ("target", "category", "feature")
"""Roles of columns that are features or the target."""


def predict_file(
    *,
    search: str | None,
    data: str | None,
    artifacts: str | None,
    file: Path,
    output: Path | None,
    proba: bool,
    as_json: bool,
    ensemble: bool,
) -> int:
    """Predict a file with the champion or the ensemble, verified before it is unpickled."""
    if output and output.exists() and file.exists() and output.samefile(file):
        raise InputError(f"{output} is the file to predict; give another one for the labels")
    with open_study(search, data, artifacts) as study:
        if output:
            refuse_kept(output, study)
        champion = study.champion()
        make_model = _predictor(study, champion, ensemble=ensemble)
    if proba and study.spec.task == "regression":
        raise InputError("this search predicts numbers, which have no probabilities")
    origin = study.spec.make_objective().origin
    origin.check_made_with("the champion", champion.versions, champion.source)
    layout = study.spec.layout
    features = read_features(
        file,
        champion.feature_names,
        champion.target_name,
        layout.target_column,
        champion.kinds or (),
        skip_lines=layout.skip_lines,
        header=layout.header,
        encoding=layout.encoding,
        missing=layout.missing,
        left_out=[name for name, role in layout.columns.items() if role not in _KEPT],
    )
    with left_behind.noted(warns=False):
        text = _predict(study, champion, make_model(), features, proba=proba, as_json=as_json)
    _write(text, output)
    return 0


def _predict(
    study: Study,
    champion: ChampionCard,
    model: Any,
    features: Features,
    *,
    proba: bool,
    as_json: bool,
) -> str:
    """Predict rows, and write down the labels or their probabilities."""
    if study.spec.called and not study.spec.scores_itself:
        features = named_rows(model, features, champion.feature_names, champion.kinds or ())
    if proba:
        labels = _labels(model)
        return _table(labels, _probabilities(model, features, len(labels)), as_json=as_json)
    return _column(_predictions(model, features), study.spec.task, as_json=as_json)


def _predictor(study: Study, champion: ChampionCard, *, ensemble: bool) -> Callable[[], Any]:
    """Read what predicts and verify it; return what loads it."""
    called = study.spec.called
    if called is None or not called.made.predict or ensemble:
        return partial(_load, read_predictor(study.store, champion, ensemble=ensemble))
    files = read_files(study.store, champion.key, champion.model_version)
    known = called.made.predict, files, champion.feature_names, champion.kinds or ()
    return lambda: CalledPredictor(*known)


def read_predictor(store: ArtifactStore, champion: ChampionCard, *, ensemble: bool) -> bytes:
    """Read the champion's model, or the vote of the selected models, and verify it."""
    if RULES[champion.rule].scores_itself:
        advice = "the search has no table with rows to predict"
        if champion.feature_names:
            advice = (
                "name a function that predicts with the files of its folder, predict: module:name, "
                "below objective"
            )
        raise InputError(
            "the objective of this search scores itself, so its champion is no model; "
            f"{advice}; what the champion gave and left is in {store.path('selection')}"
        )
    if not ensemble:
        return read_verified(store, CHAMPION, champion.digest)
    if champion.ensemble is None:
        raise InputError(
            "the last selection made no ensemble; run the search with --ensemble, or write "
            "ensemble: true in its YAML"
        )
    return read_verified(store, ENSEMBLE, champion.ensemble["digest"])


def _load(content: bytes) -> Any:
    try:
        return load_model(content)
    except Exception as error:
        raise InputError(f"the champion cannot be loaded: {describe(error)}") from error


def _predictions(model: Any, features: Features) -> NDArray[np.generic]:
    """Predict rows with a model, which may be of a user's own class."""
    if not hasattr(model, "predict"):
        raise InputError(
            f"the champion is a {type(model).__name__} without a method predict; give the "
            f"objective's models one, or use {CHAMPION} in a program of your own"
        )
    if not len(features):
        return np.array([])
    try:
        # CatBoost gives a column.
        return np.asarray(model.predict(features)).reshape(len(features))
    except Exception as error:
        raise _cannot(error) from error


def _labels(model: Any) -> Sequence[str]:
    """List the classes, in the order of the probabilities."""
    if not hasattr(model, "predict_proba"):
        reason = "it has decision values, which are no probabilities"
        if not hasattr(model, "decision_function"):
            reason = "it predicts classes only"
        raise InputError(
            f"the champion gives no probabilities: {reason}; leave out --proba, or search an "
            "estimator that has predict_proba, such as sklearn.calibration.CalibratedClassifierCV "
            "around this one"
        )
    if not hasattr(model, "classes_"):
        raise InputError(
            f"the champion is a {type(model).__name__} without an attribute classes_, which names "
            "the columns of its probabilities; leave out --proba"
        )
    return [str(label) for label in np.asarray(model.classes_).tolist()]


def _probabilities(model: Any, features: Features, classes: int) -> NDArray[np.floating]:
    if not len(features):
        return np.empty((0, classes))
    try:
        return np.asarray(model.predict_proba(features), float).reshape(len(features), classes)
    except Exception as error:
        raise _cannot(error) from error


def _cannot(error: Exception) -> InputError:
    return InputError(f"the champion cannot predict these rows: {describe(error)}")


def _column(predicted: NDArray[np.generic], task: Task, *, as_json: bool) -> str:
    """One prediction a line, or a list in JSON."""
    if not as_json:
        return "".join(f"{_in_one_line(value)}\n" for value in predicted)
    is_number = task == "regression" and predicted.dtype.kind in "iuf"
    values: list[Any] = [str(value) for value in predicted]
    if is_number:  # JSON has no infinity
        values = [value if math.isfinite(value) else None for value in map(float, predicted)]
    return f"{json.dumps(values)}\n"


def _in_one_line(value: object) -> str:
    """Spell a prediction, which has a line of its own."""
    text = str(value)
    if "\n" in text or "\r" in text:
        raise InputError(
            f"the champion predicts {shorten(text)}, and each prediction is one line; add --json"
        )
    return text


def _table(labels: Sequence[str], rows: NDArray[np.floating], *, as_json: bool) -> str:
    """One row a line below the labels, or a list of mappings in JSON."""
    if as_json:
        values = [dict(zip(labels, row, strict=True)) for row in rows.tolist()]
        return f"{json.dumps(values)}\n"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(quote_cell, labels))
    writer.writerows([repr(value) for value in row] for row in rows.tolist())
    return text.getvalue()


def _write(text: str, output: Path | None) -> None:
    if output is None or is_stdout(output):
        out = results()
        out.write(clean(text) if out.isatty() else text)  # exact for what reads a pipe
        return
    write_result(output, text.encode())
