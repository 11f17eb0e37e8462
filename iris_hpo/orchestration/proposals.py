"""Proposals: the candidates that a sampler proposed, and what it knew at the time.

A note on each is stored in the same place as the candidates, before the candidate is registered.
So the order of the notes is the order of the proposals, and one query reads them all.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

import dagster as dg

from iris_hpo.orchestration.partitions import register, registered_keys
from iris_hpo.orchestration.record import plan_partitions
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


def read_proposals(study: Study) -> Mapping[str, Proposal]:
    """Read the proposals by candidate; the last one, if a candidate was proposed again."""
    notes = study.instance.get_dynamic_partitions(str(study.names.proposed.name))
    proposals = (Proposal.from_note(note) for note in notes)
    return {proposal.key: proposal for proposal in proposals if proposal is not None}


def outgrown(study: Study, keys: Collection[str]) -> set[str]:
    """Proposed candidates that the present axes do not have; nothing can be done with them."""
    proposals, space = read_proposals(study), study.spec.space
    return {key for key in keys if key in proposals and not space.is_key(key)}


def usable_keys(study: Study) -> list[str]:
    """The registered candidates without those that are `outgrown`."""
    keys = registered_keys(study)
    useless = outgrown(study, keys)
    return [key for key in keys if key not in useless]


def register_proposal(context: dg.AssetExecutionContext, study: Study, proposal: Proposal) -> None:
    """Note a proposal, register its candidate, and record that the run works on it.

    After a crash between any two steps, each registered candidate has its note, and each that was
    begun shows as failed.
    """
    register(study.instance, str(study.names.proposed.name), [proposal.note])
    register(study.instance, study.names.partitions_name, [proposal.key])
    models = study.names.asset("models")
    with study.events_together():
        plan_results(context, study, proposal.key)
        context.log_event(
            dg.AssetObservation(models, partition=proposal.key, metadata=dict(proposal.facts))
        )


def plan_results(context: dg.AssetExecutionContext, study: Study, key: str) -> None:
    """Record that a run works on a candidate, which its tags did not name at launch."""
    for name in ("models", "scores"):
        plan_partitions(context, study.names.asset(name), [key])


def delete_proposals(study: Study) -> list[str]:
    """Delete the candidates that samplers proposed, and the notes on them; return their keys."""
    instance, names = study.instance, study.names
    proposed = str(names.proposed.name)
    keys = registered_proposals(study)
    for key in keys:
        instance.delete_dynamic_partition(names.partitions_name, key)
    for note in instance.get_dynamic_partitions(proposed):
        instance.delete_dynamic_partition(proposed, note)
    return keys


def registered_proposals(study: Study) -> list[str]:
    """Candidates that samplers proposed and no file lists, in the order of registration."""
    proposals = read_proposals(study)
    listed = set(study.instance.get_dynamic_partitions(str(study.names.from_files.name)))
    return [key for key in registered_keys(study) if key in proposals and key not in listed]
