"""Predictions as a text within the card of a score: compact, exact, decoded when they are used."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.training.predictions import Column, Outputs, Predictions

LARGEST: Final = 256 * 1024
"""Largest text in bytes: cards are read whole for every status. Larger predictions are not kept."""

_LARGEST_CONTENT: Final = 16 * LARGEST
"""Largest content that is compressed at all."""

_CODES: Final = ("|u1", "<u2", "<u4")
"""Types of the positions of labels, the smallest first."""

_NAMES: Final = frozenset(one.name for one in fields(Predictions))


class StoredPredictions(Predictions):
    """Predictions that are decoded when an attribute is used, and not kept decoded.

    So a leaderboard of thousands of candidates holds their compact texts alone.

    Parameters
    ----------
    text
        What `encode` returned.
    """

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "text", text)

    def __getattr__(self, name: str) -> Any:
        if name not in _NAMES:
            raise AttributeError(name)
        return getattr(_decoded(vars(self)["text"]), name)


def encode(predictions: Predictions) -> str | None:
    """Write predictions as a text of ASCII characters.

    Labels become codes, the smallest unsigned numbers that count them, in the order of the sorted
    labels. Numbers keep all their bits.

    Returns
    -------
    str or None
        None if the predictions are too large, or not of one kind.
    """
    parts = (*predictions.folds, predictions.test)
    if len({part.dtype.kind for part in parts}) > 1:
        return None
    header: dict[str, object] = {"rows": [len(part) for part in parts]}
    values = np.concatenate(parts)
    if values.dtype.kind == "f":
        header["type"] = values.dtype.str
        blocks = [values.tobytes()]
    else:
        labels, codes = _codes(values.tolist())
        header["labels"] = labels
        blocks = [codes]
    if predictions.test_outputs is not None:
        outputs = (*predictions.fold_outputs, predictions.test_outputs)
        header["outputs"] = [_described(output) for output in outputs]
        blocks += [value.tobytes() for output in outputs for value in output.values.values()]
    content = b"".join([json.dumps(header, separators=(",", ":")).encode(), b"\n", *blocks])
    if len(content) > _LARGEST_CONTENT:
        return None
    text = base64.b64encode(zlib.compress(content)).decode()
    return text if len(text) <= LARGEST else None


def decode(text: str) -> Predictions:
    """Read what `encode` wrote."""
    header, _, content = zlib.decompress(base64.b64decode(text)).partition(b"\n")
    described: Mapping[str, Any] = json.loads(header)
    sizes: Sequence[int] = described["rows"]
    labels = np.array(described["labels"]) if "labels" in described else None
    kind = np.dtype(described["type"] if labels is None else _type_of_codes(len(labels)))
    stored: NDArray[Any] = np.frombuffer(content, kind, sum(sizes))
    values: Column = stored if labels is None else labels[stored]
    *folds, test = np.split(values, np.cumsum(sizes)[:-1])
    outputs: list[Outputs] = []
    offset = sum(sizes) * kind.itemsize
    for rows, (classes, methods) in zip(sizes, described.get("outputs", ()), strict=False):
        read: dict[str, NDArray[np.floating]] = {}
        for name, (type_name, *columns) in methods.items():
            shape = (rows, *columns)
            read[name] = np.frombuffer(content, type_name, int(np.prod(shape)), offset).reshape(
                shape
            )
            offset += read[name].nbytes
        outputs.append(Outputs(np.array(classes), read))
    return Predictions(tuple(folds), test, tuple(outputs[:-1]), outputs[-1] if outputs else None)


def _codes(values: Sequence[Any]) -> tuple[list[Any], bytes]:
    labels = sorted(set(values))
    positions = {label: position for position, label in enumerate(labels)}
    codes = map(positions.__getitem__, values)
    if len(labels) <= 256:
        return labels, bytes(codes)
    return labels, np.fromiter(codes, _type_of_codes(len(labels)), len(values)).tobytes()


def _type_of_codes(labels: int) -> str:
    return next(name for name in _CODES if labels <= np.iinfo(name).max + 1)


def _described(outputs: Outputs) -> list[object]:
    return [
        outputs.classes.tolist(),
        {name: [value.dtype.str, *value.shape[1:]] for name, value in outputs.values.items()},
    ]


@lru_cache(maxsize=1)
def _decoded(text: str) -> Predictions:
    return decode(text)
