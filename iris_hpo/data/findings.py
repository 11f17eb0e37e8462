"""`Finding`: what a check comes to, of the data, of the split and of the selection."""

from dataclasses import dataclass


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
