"""Splitters: what decides which rows are for training, for the test, and in which fold.

A splitter is any class with the members of `Splitter`; a search names its splitter in ``splitter``.
What a splitter returns is checked in `iris_hpo.data.chosen_rows`.
"""

import json
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from numbers import Integral
from typing import Any, Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Dataset, Task
from iris_hpo.errors import InputError
from iris_hpo.parts import Part, make_part
from iris_hpo.run_settings import SplitSettings
from iris_hpo.text import shorten

Rows = NDArray[np.intp]
Fold = tuple[Rows, Rows]

SHUFFLED: Final = Part("shuffled")
"""The default splitter."""

SPLITTERS: Final = {SHUFFLED.use: "iris_hpo.data.shuffled.Shuffled"}
"""Short names of splitters."""


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
            All rows. The arrays are read-only.

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


def names_of_settings(part: Part) -> tuple[str, ...]:
    """Names of the `SplitSettings` that hold with a splitter: only the seed, unless built in."""
    return tuple(asdict(SplitSettings())) if part.use in SPLITTERS else ("seed",)


def refuse_settings(part: Part, given: Iterable[str], written: Callable[[str], str] = str) -> None:
    """Refuse split settings that another splitter does not follow.

    Parameters
    ----------
    given
        Names of the settings.
    written
        How the user writes a name.

    Raises
    ------
    InputError
        For the first name that is not one of `names_of_settings`.
    """
    for name in given:
        if name not in names_of_settings(part):
            raise InputError(
                f"{written(name)}: the splitter {shorten(part.use)} divides the rows by its own "
                f"settings; leave {written(name)} out, or use the splitter {SHUFFLED.use}",
                field=(name,),
            )


class RefusedError(ValueError):
    """What a splitter has or returns cannot be used; `naming` completes the message."""


@contextmanager
def naming(part: Part) -> Generator[None]:
    """Turn an error of a splitter that is not built in into an `InputError` that names it."""
    try:
        yield
    except Exception as error:
        if part.use in SPLITTERS:
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
        return self.part.use in SPLITTERS

    @cached_property
    def n_folds(self) -> int:
        """Number of folds, of one repeat if they are repeated."""
        return self.settings.folds if self.is_built_in else int(self.splitter().n_folds)

    def splitter(self, call: Callable[..., tuple[Rows, Rows]] | None = None) -> Splitter:
        """Make the splitter.

        Parameters
        ----------
        call
            How the built-in splitter calls the function that imports scikit-learn.

        Raises
        ------
        InputError
            If there is no such splitter, it refuses its settings, or has no number of folds.
        """
        part = self.part
        if self.is_built_in:
            if part.settings:
                raise InputError(
                    f"the splitter {part.use} has no settings here; give "
                    f"{', '.join(names_of_settings(part))} beside it",
                    field=("settings",),
                )
            part = Part(part.use, {**asdict(self.settings), "call": call})
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
        stratifies = self.settings.stratifies(self.task)
        return "Seeded training and test rows." + (
            " Classes keep their proportions." if stratifies else ""
        )

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
            repeats = self.settings.repeats_of(numbers)
            return {
                **asdict(self.settings),
                "stratify": self.settings.stratifies(self.task),
                "repeats": repeats if repeats > 1 else None,
            }
        return {
            "seed": self.settings.seed,
            "folds": self.n_folds,
            "splitter": {"use": self.part.use, **self.code, **self._own_identity()},
        }

    def _own_identity(self) -> dict[str, object]:
        own: Callable[[], object] = getattr(self.splitter(), "identity", dict)
        with naming(self.part):
            text = json.dumps(own(), allow_nan=False)
        identity: object = json.loads(text)
        return {"identity": identity} if identity else {}
