"""Splitters: what decides which rows are for training, for the test, and in which fold.

A splitter is any class with the members of `Splitter`; a search names its splitter in ``splitter``.
What a splitter returns is checked in `iris_hpo.data.chosen_rows`.
"""

import json
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Integral
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Dataset, Task
from iris_hpo.data.named_splitters import (
    ALL_SETTINGS,
    BUILT_IN,
    SHUFFLED,
    SPLITTERS,
    VERSION,
    names_of_settings,
)
from iris_hpo.errors import InputError
from iris_hpo.parts import Part, make_part
from iris_hpo.run_settings import SplitSettings
from iris_hpo.text import shorten

Rows = NDArray[np.intp]
Fold = tuple[Rows, Rows]


class Splitter(Protocol):
    """Divides the rows of a data set.

    A class may also have a method ``identity()``. It returns, as JSON, what decides about the rows
    beside the data, the settings and the code of the splitter, such as the digest of a file that
    the splitter reads.

    Attributes
    ----------
    n_folds
        Number of folds; 0 for none. It depends on the settings alone.
    """

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        ...

    def split(self, data: Dataset) -> tuple[Rows, Rows]:
        """Choose the training rows and the test rows.

        Parameters
        ----------
        data
            All rows. The arrays are read-only; ``data.roles`` has the groups, times, weights and
            parts of the rows, where columns have these roles.

        Returns
        -------
        train, test
            Row numbers from 0, arrays or lists in any order, disjoint, neither empty. The same data
            has to give the same rows. Rows in neither part are left out of the search.
        """
        ...

    def folds(self, data: Dataset) -> Iterable[Fold]:
        """Choose the folds of cross-validation.

        Parameters
        ----------
        data
            The training rows alone, in the order of the data file.

        Returns
        -------
        iterable of (fit, validate)
            Positions from 0 within the training rows, ``n_folds`` pairs, disjoint, neither empty.
        """
        ...


class RefusedError(ValueError):
    """What a splitter has or returns cannot be used; `naming` completes the message."""


@contextmanager
def naming(part: Part) -> Generator[None]:
    """Turn what a splitter returns wrong, or an error of a user's own, into an `InputError`."""
    try:
        yield
    except Exception as error:
        if part.use in SPLITTERS and not isinstance(error, RefusedError):
            raise
        problem = (
            str(error)
            if isinstance(error, RefusedError)
            else f"failed: {type(error).__name__}: {error}; correct it, or use another splitter"
        )
        raise InputError(f"the splitter {shorten(part.use)} {problem}", field=("use",)) from error


@dataclass(frozen=True)
class Division:
    """How the rows of a search are divided.

    Parameters
    ----------
    part
        The splitter.
    settings
        Settings of a run.
    task
        What the estimator is for.
    code
        What identifies the code of a splitter that is not built in, as JSON.
    """

    part: Part
    settings: SplitSettings
    task: Task
    code: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def is_built_in(self) -> bool:
        """Whether `SplitSettings` configure the splitter."""
        return self.part.use in BUILT_IN

    @property
    def is_shuffled(self) -> bool:
        """Whether the splitter is the default one, whose folds are not stored."""
        return self.part.use == SHUFFLED.use

    @cached_property
    def n_folds(self) -> int:
        """Number of folds, of one repeat if they are repeated."""
        return self.settings.folds if self.is_built_in else int(self.splitter().n_folds)

    def repeats(self, numbers: int) -> int:
        """Return how often a built-in splitter draws the folds.

        Stratified groups can often be divided in one way only, so they are not drawn more than once
        unless the settings say so.

        Parameters
        ----------
        numbers
            Training rows times features.
        """
        draws = self.is_shuffled or (self.part.use == "grouped" and not self._stratifies)
        return self.settings.repeats_of(numbers) if draws else self.settings.repeats or 1

    def repeated(self, numbers: int) -> "Division":
        """Return the division with the number of repeats that rows of so many numbers have."""
        if "repeats" not in names_of_settings(self.part) or not self.is_built_in:
            return self
        return replace(self, settings=replace(self.settings, repeats=self.repeats(numbers)))

    def splitter(self, call: Callable[..., tuple[Rows, Rows]] | None = None) -> Splitter:
        """Make the splitter.

        Parameters
        ----------
        call
            How the splitter ``shuffled`` calls the function that imports scikit-learn.

        Raises
        ------
        InputError
            If there is no such splitter, it refuses its settings, or has no number of folds.
        """
        part = self._configured(call) if self.is_built_in else self.part
        splitter = cast("Splitter", make_part(part, SPLITTERS, "splitter", "split", "folds"))
        with naming(part):
            number: object = getattr(splitter, "n_folds", None)
            if isinstance(number, bool) or not isinstance(number, Integral) or int(number) < 0:
                raise RefusedError(
                    f"has the n_folds {shorten(repr(number))}; it must be the number of folds, 0 "
                    "for none"
                )
        return splitter

    def describe(self) -> str:
        """Describe the parts in a sentence."""
        if not self.is_built_in:
            return f"Training and test rows chosen by {self.part.use}."
        sentence = BUILT_IN[self.part.use].description
        if not self._stratifies:
            return sentence
        near = "" if self.is_shuffled else ", as far as the others allow"
        return f"{sentence} Classes keep their proportions{near}."

    def identity(self, numbers: int) -> dict[str, Any]:
        """What decides about the rows beside the data, as fields of the split's card.

        Folds that are not repeated have the identity that they had before there were repeats.

        Parameters
        ----------
        numbers
            Training rows times features, which may decide how often the folds are repeated.

        Raises
        ------
        InputError
            If the splitter's own identity is not JSON.
        """
        if self.is_built_in:
            names = names_of_settings(self.part)
            identity: dict[str, Any] = {name: getattr(self.settings, name) for name in names}
            if "stratify" in names:
                identity["stratify"] = self._stratifies
            if "repeats" in names:
                repeats = self.repeats(numbers)
                identity["repeats"] = repeats if repeats > 1 else None
            if not self.is_shuffled:
                own = {"settings": dict(self.part.settings)} if self.part.settings else {}
                identity["splitter"] = {"use": self.part.use, "version": VERSION, **own}
            return identity
        return {
            "seed": self.settings.seed,
            "folds": self.n_folds,
            "splitter": {"use": self.part.use, **self.code, **self._own_identity()},
        }

    @property
    def _stratifies(self) -> bool:
        return "stratify" in names_of_settings(self.part) and self.settings.stratifies(self.task)

    def _configured(self, call: Callable[..., tuple[Rows, Rows]] | None) -> Part:
        """Name a built-in splitter with the settings that it follows, and its own."""
        part, names = self.part, names_of_settings(self.part)
        if self.is_shuffled and part.settings:
            raise InputError(
                f"the splitter {part.use} has no settings here; give {', '.join(names)} beside it",
                field=("settings",),
            )
        for name in part.settings:
            if name in ALL_SETTINGS:
                raise InputError(
                    f"{name} is no setting of the splitter {part.use}; write it beside it",
                    field=("settings",),
                )
        followed = {name: getattr(self.settings, name) for name in names}
        own = {"call": call} if self.is_shuffled else {}
        return Part(part.use, {**followed, **part.settings, **own})

    def _own_identity(self) -> dict[str, object]:
        own: Callable[[], object] = getattr(self.splitter(), "identity", dict)
        with naming(self.part):
            text = json.dumps(own(), allow_nan=False)
        identity: object = json.loads(text)
        return {"identity": identity} if identity else {}
