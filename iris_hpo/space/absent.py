"""`ABSENT`: what a candidate has of an axis whose condition is not met."""

from enum import Enum
from typing import Final


class Absent(Enum):
    """The type of `ABSENT`, which is no value: none is one."""

    ABSENT = "absent"

    def __str__(self) -> str:
        return ""


ABSENT: Final = Absent.ABSENT
"""Stands in `Candidate.values` for an axis that the candidate does not have."""
