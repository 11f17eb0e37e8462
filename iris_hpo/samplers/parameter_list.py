"""The candidates of a search as `parameters` stores them, and the card of axes and settings."""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, overload

from iris_hpo.space.absent import Absent
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.space.values import Value
from iris_hpo.store.cards import Card
from iris_hpo.text import quote_cell

PARAMETERS_CARD = "parameters/parameters.json"
CANDIDATES_TABLE = "parameters/candidates.csv"


@dataclass(frozen=True)
class CandidateList(Sequence[Candidate]):
    """All candidates of a search.

    Attributes
    ----------
    candidates
        Every candidate once, ordered by the first axis, then the second, and so on.
    axis_values
        Per axis name, distinct values in order: those that were crossed or, of a sampler that
        crosses none, those of the candidates.
    explicit
        Number of distinct candidates that were listed one by one.
    digest
        sha256 of the candidates' keys: equal for equal candidates, wherever they come from.
    """

    candidates: tuple[Candidate, ...]
    axis_values: Mapping[str, tuple[Value, ...]]
    explicit: int
    digest: str

    @classmethod
    def of(cls, candidates: Iterable[Candidate], space: ParameterSpace) -> Self:
        """List candidates of a sampler that names them one by one."""
        distinct = {candidate.key: candidate for candidate in candidates}
        values: dict[str, dict[str, Value]] = {axis.name: {} for axis in space.axes}
        for candidate in distinct.values():
            for axis, value in zip(space.axes, candidate.values, strict=True):
                if not isinstance(value, Absent):
                    values[axis.name][axis.encode(value)] = value
        return cls.ordered(distinct, space, ordered_values(space, values), explicit=len(distinct))

    @classmethod
    def ordered(
        cls,
        candidates: Mapping[str, Candidate],
        space: ParameterSpace,
        axis_values: Mapping[str, tuple[Value, ...]],
        *,
        explicit: int,
    ) -> Self:
        """Put candidates, given by their keys, in order."""
        ordered = tuple(sorted(candidates.values(), key=space.order))
        digest = hashlib.sha256("\n".join(candidate.key for candidate in ordered).encode())
        return cls(ordered, axis_values, explicit, digest.hexdigest())

    def __len__(self) -> int:
        return len(self.candidates)

    @overload
    def __getitem__(self, index: int) -> Candidate: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Candidate]: ...
    def __getitem__(self, index: int | slice) -> Candidate | Sequence[Candidate]:
        return self.candidates[index]


def ordered_values(
    space: ParameterSpace, values: Mapping[str, Mapping[str, Value]]
) -> dict[str, tuple[Value, ...]]:
    """Put the values of each axis in order.

    Parameters
    ----------
    values
        Per axis name, the values by their spelling in keys: 1, 1.0 and true are equal in Python.
    """
    return {
        axis.name: tuple(sorted(values[axis.name].values(), key=axis.sort_key))
        for axis in space.axes
    }


@dataclass(frozen=True)
class ParametersCard(Card):
    """What `parameters` declared: the axes and the estimator with its settings, not the values.

    A model depends on its own values, which are its key; so a value more makes no model stale.

    Attributes
    ----------
    scorings
        What decides scores beside the name of the scoring; None, and not stored, if nothing does.
    """

    axes: list[dict[str, Any]]
    recipe: dict[str, Any]
    choices: dict[str, str]
    scoring: str
    scorings: dict[str, Any] | None = None

    def content(self) -> dict[str, object]:
        """Return the fields that are stored."""
        content = dict(super().content())
        if self.scorings is None:
            del content["scorings"]
        return content


def candidates_csv(axes: Sequence[Axis], candidates: CandidateList) -> bytes:
    """The candidates as a table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["candidate", *(axis.name for axis in axes)])
    for candidate in candidates:
        writer.writerow([candidate.key, *map(_cell, candidate.values)])
    return text.getvalue().encode()


def _cell(value: Value | Absent) -> Value:
    if isinstance(value, Absent):
        return None
    return quote_cell(value) if isinstance(value, str) else value
