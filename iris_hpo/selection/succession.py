"""How a champion compares with the champion of the selection before, on the same rows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self

from iris_hpo.selection.estimates import Assessment, NoEstimate

Verdict = Literal["first", "same", "better", "indistinguishable", "incomparable"]

VERDICTS: Final[Mapping[Verdict, str]] = {
    "first": "the first selection",
    "same": "{before} again",
    "better": "better than {before} beyond chance",
    "indistinguishable": "cannot be distinguished from {before}",
    "incomparable": "cannot be compared with {before}: {reason}",
}
"""What a selection says of its champion and of the one before."""


@dataclass(frozen=True)
class Succession:
    """How a champion compares with the one before.

    Attributes
    ----------
    verdict
        One of `VERDICTS`.
    before
        Key of the champion before; None if it is not known, or there was none.
    reason
        Why they cannot be compared; empty if they can.
    """

    verdict: Verdict
    before: str | None = None
    reason: str = ""

    @classmethod
    def unknown(cls, before: str | None, reason: str) -> Self:
        """Say that a champion cannot be compared with the one before, and why."""
        return cls("incomparable", before, reason)

    def content(self) -> dict[str, Any]:
        """Return the fields as JSON."""
        return asdict(self)

    def sentence(self) -> str:
        """Write the comparison in a line."""
        before = self.before or "the one before"
        return VERDICTS[self.verdict].format(before=before, reason=self.reason)


def compare_champions(before: str, champion: str, assessment: Assessment) -> Succession:
    """Compare a champion with an earlier one, which is a candidate of the same selection.

    The test is the paired test that decides which candidates are as good as the champion
    (`iris_hpo.selection.estimates.Assessment`): both are scored in 1,000 draws of the same rows.

    Parameters
    ----------
    before, champion
        Keys of both.
    assessment
        How good the champion is.
    """
    if before == champion:
        return Succession("same", before)
    if assessment.as_good is None:
        estimate = assessment.estimate
        reason = estimate.reason if isinstance(estimate, NoEstimate) else "rows cannot be drawn"
        return Succession.unknown(before, reason)
    return Succession("indistinguishable" if before in assessment.as_good else "better", before)
