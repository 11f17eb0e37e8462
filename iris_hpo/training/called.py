"""What functions and programs have in common: what a search says of them, and their calls."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from iris_hpo.data.dataset import Task
from iris_hpo.errors import InputError
from iris_hpo.space.values import Value
from iris_hpo.training.artifacts import Workplace
from iris_hpo.training.call import Data
from iris_hpo.training.metric_names import check_metric

Direction = Literal["maximize", "minimize"]

FILES: Final = "zip"
LOG: Final = "txt"
"""Suffixes of what is stored beside the model: the files of the folder, and the log."""


@dataclass(frozen=True)
class Site:
    """Where a call takes place.

    Attributes
    ----------
    parameters
        The values of the axes, by their ``parameter``.
    seed
        The search's seed.
    home
        The project's folder.
    data
        The rows; None if the search has no table.
    workplace
        Where files are left.
    """

    parameters: Mapping[str, Value]
    seed: int
    home: Path
    data: Data | None
    workplace: Workplace


@dataclass(frozen=True)
class Returned:
    """What a call returned, and its log."""

    value: object
    log: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Called(ABC):
    """Something that is called once for each candidate.

    Parameters
    ----------
    metric
        The name of the number to rank by.
    direction
        Whether the greatest number is the best, or the least.
    version
        Replaces all that decides a result beside parameters, settings, seed and rows; by default
        the source code, the inputs and the versions of packages do.
    inputs
        Files and folders that decide a result, from the project's folder on.
    task
        How the target of a table is read.
    predict
        ``package.module:name`` of a function of rows and of the champion's folder, which predicts;
        it decides no result.
    """

    metric: str = "value"
    direction: Direction = "maximize"
    version: str | None = None
    inputs: Sequence[str] = ()
    task: Task = "regression"
    predict: str = ""
    settings: Mapping[str, object] = field(default_factory=dict[str, object])

    def __post_init__(self) -> None:
        check_metric(self.metric)
        _check(self.direction, "direction", get_args(Direction))
        _check(self.task, "task", get_args(Task))
        if self.version is not None and self.inputs:
            raise InputError("version replaces the inputs too; give one of them")

    @property
    def import_paths(self) -> tuple[str, ...]:
        """Import paths of the code that is called."""
        return ()

    @property
    def words(self) -> Sequence[str]:
        """Texts that may name files; those that do are inputs too."""
        return ()

    @abstractmethod
    def identity(self) -> Mapping[str, object]:
        """Return what is called, as JSON."""

    @abstractmethod
    def describe(self) -> str:
        """Name what is called."""

    @abstractmethod
    def load(self) -> None:
        """Import what is called.

        Raises
        ------
        InputError
            If that is not possible.
        """

    @abstractmethod
    def check_axes(self, parameters: Sequence[str], *, has_table: bool) -> None:
        """Refuse axes that it does not take, and rows that are not there.

        Raises
        ------
        InputError
            Names the parameter.
        """

    @abstractmethod
    def call(self, site: Site) -> Returned:
        """Call it for one candidate.

        Raises
        ------
        Exception
            The failure of the candidate.
        """


def _check(value: str, name: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise InputError(f"{name} {value!r}: choose {' or '.join(allowed)}")
