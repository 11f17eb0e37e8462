"""Proposals: register the candidates that a sampler proposed, find them again, and delete them.

A note on each is stored before the candidate is registered. So the order of the notes is the order
of the proposals, and one query reads them all.
"""

from collections.abc import Collection, Set

import dagster as dg

from iris_hpo.orchestration.partitions import register, registered_keys
from iris_hpo.orchestration.proposal_notes import Proposal, read_proposals
from iris_hpo.orchestration.record import plan_partitions
from iris_hpo.orchestration.study import Study


def outgrown(study: Study, keys: Collection[str]) -> Set[str]:
    """Those of candidates that were proposed for other axes; nothing can be done with them."""
    return study.sampling.outgrown.intersection(keys)


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
    """Delete the candidates that samplers proposed, and the notes on them; return their keys.

    The last one goes first, so that what a crash leaves is the beginning of the search.
    """
    instance, names = study.instance, study.names
    proposed = str(names.proposed.name)
    keys = registered_proposals(study)
    for key in reversed(keys):
        instance.delete_dynamic_partition(names.partitions_name, key)
    for note in reversed(instance.get_dynamic_partitions(proposed)):
        instance.delete_dynamic_partition(proposed, note)
    return keys


def registered_proposals(study: Study) -> list[str]:
    """Candidates that samplers proposed and no file lists, in the order of registration."""
    proposals = read_proposals(study)
    listed = set(study.instance.get_dynamic_partitions(str(study.names.from_files.name)))
    return [key for key in registered_keys(study) if key in proposals and key not in listed]
