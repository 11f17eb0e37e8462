"""Keep the registered candidates in step with those that the sampler lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import dagster as dg
from sqlalchemy.exc import IntegrityError

from iris_hpo.orchestration.names import Names
from iris_hpo.orchestration.study import Study

_ATTEMPTS: Final = 5


@dataclass(frozen=True)
class PartitionChange:
    """What has to be registered and deleted.

    Attributes
    ----------
    added
        Candidates that the files name and nobody registered, in the files' order.
    removed
        Candidates that files registered and no file names any more, also if a person has deleted
        them already. What a person added by hand is never among them.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


def plan_change(
    wanted: Sequence[str], registered: Sequence[str], from_files: Sequence[str]
) -> PartitionChange:
    """Compare what files say with what is registered."""
    known, named = set(registered), set(wanted)
    return PartitionChange(
        tuple(key for key in wanted if key not in known),
        tuple(key for key in from_files if key not in named),
    )


def registered_keys(study: Study) -> Sequence[str]:
    """The candidates, in the order in which they were registered."""
    return study.instance.get_dynamic_partitions(study.names.partitions_name)


def pending_change(study: Study) -> PartitionChange:
    """What would have to change for the instance to agree with the files."""
    from_files = study.instance.get_dynamic_partitions(_name(study.names.from_files))
    return plan_change(study.listed_keys, registered_keys(study), from_files)


def apply_change(study: Study, change: PartitionChange) -> None:
    """Register and delete candidates."""
    instance = study.instance
    candidates, from_files = study.names.partitions_name, _name(study.names.from_files)
    if change.added:
        # The note first: a crash between the two must not leave candidates that no file owns.
        _register(instance, from_files, change.added)
        _register(instance, candidates, change.added)
    for key in change.removed:
        instance.delete_dynamic_partition(candidates, key)
        instance.delete_dynamic_partition(from_files, key)


def _register(instance: dg.DagsterInstance, partitions: str, keys: Sequence[str]) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            instance.add_dynamic_partitions(partitions, list(keys))
        except IntegrityError:
            # Another process registered one of them since Dagster looked: it looks again.
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def change_requests(
    names: Names, change: PartitionChange
) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    """The same change as a sensor asks for it."""
    # In the order of `apply_change`, and for its reason.
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if change.added:
        added = list(change.added)
        requests.append(names.from_files.build_add_request(added))
        requests.append(names.partitions.build_add_request(added))
    if change.removed:
        removed = list(change.removed)
        requests.append(names.partitions.build_delete_request(removed))
        requests.append(names.from_files.build_delete_request(removed))
    return requests


def is_range(keys: Sequence[str], registered: Sequence[str]) -> bool:
    """Whether keys are one contiguous range of the registered order."""
    start = registered.index(keys[0]) if keys[0] in registered else 0
    return tuple(registered[start : start + len(keys)]) == tuple(keys)


def _name(partitions: dg.DynamicPartitionsDefinition) -> str:
    return str(partitions.name)
