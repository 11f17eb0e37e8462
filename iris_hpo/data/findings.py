"""`Check` and `Finding`: checks of the data, the split and the selection, and what they come to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Examined = TypeVar("Examined")


@dataclass(frozen=True)
class Finding:
    """What a check comes to.

    Attributes
    ----------
    text
        The result in one sentence; the reason if the check does not apply.
    passed
        False if a user is to be warned.
    applies
        Whether there was something to check.
    """

    text: str
    passed: bool = True
    applies: bool = True


def does_not_apply(reason: str) -> Finding:
    """Make the finding of a check that has nothing to look at."""
    return Finding(f"does not apply: {reason}", applies=False)


@dataclass(frozen=True)
class Check(Generic[Examined]):
    """A check.

    Attributes
    ----------
    name
        Its name in Dagster and in ``blocking_checks``.
    description
        What is the case if it passes.
    examine
        Makes the finding.
    """

    name: str
    description: str
    examine: Callable[[Examined], Finding]
