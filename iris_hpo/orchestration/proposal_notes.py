"""Notes on the candidates that a sampler proposed, and what it knew at the time.

They are stored in the same place as the candidates. What is done with proposals is in `proposals`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from iris_hpo.orchestration.study import Study


@dataclass(frozen=True)
class Proposal:
    """A candidate that a sampler proposed.

    Attributes
    ----------
    key
        The candidate.
    sampler
        Short name or import path of the sampler.
    number
        Number of candidates that were registered before.
    results_known
        Number of candidates whose results the sampler was shown, those that failed among them.
    """

    key: str
    sampler: str
    number: int
    results_known: int

    @property
    def note(self) -> str:
        """The stored text."""
        return f"{self.number} {self.results_known} {self.sampler} {self.key}"

    @classmethod
    def from_note(cls, note: str) -> Self | None:
        """Read a stored text; None if a user has added it by hand."""
        number, _, rest = note.partition(" ")
        results_known, _, rest = rest.partition(" ")
        sampler, _, key = rest.partition(" ")
        if not (number.isdecimal() and results_known.isdecimal() and sampler and key):
            return None
        return cls(key, sampler, int(number), int(results_known))

    @property
    def facts(self) -> dict[str, str | int]:
        """What tables and metadata show."""
        return {
            "sampler": self.sampler,
            "number": self.number,
            "results_known": self.results_known,
        }


def read_proposals(study: "Study") -> Mapping[str, Proposal]:
    """Read the proposals by candidate; the last one, if a candidate was proposed again."""
    notes = study.instance.get_dynamic_partitions(str(study.names.proposed.name))
    proposals = (Proposal.from_note(note) for note in notes)
    return {proposal.key: proposal for proposal in proposals if proposal is not None}
