"""Keep the registered candidates in step with those that the sampler lists."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import dagster as dg
from sqlalchemy.exc import IntegrityError

from iris_hpo.orchestration.names import Names
from iris_hpo.orchestration.study import Study

_ATTEMPTS: Final = 5


@dataclass(frozen=True)
class PartitionChange:
    """The candidates to register and to delete.

    Attributes
    ----------
    added
        Listed candidates that are not registered, in the order of the list.
    removed
        Candidates that were registered because they were listed, and no longer are; also if a
        user has deleted them already. Candidates that a user added by hand are never removed.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


def plan_change(
    listed: Sequence[str],
    registered: Sequence[str],
    from_files: Sequence[str],
    is_in_files: Callable[[str], bool] = lambda _: False,
) -> PartitionChange:
    """Compare the listed candidates with the registered ones.

    Parameters
    ----------
    is_in_files
        Whether the parameter files list a candidate that the sampler in force does not.
    """
    registered_set, listed_set = set(registered), set(listed)
    return PartitionChange(
        tuple(key for key in listed if key not in registered_set),
        tuple(key for key in from_files if key not in listed_set and not is_in_files(key)),
    )


def registered_keys(study: Study) -> Sequence[str]:
    """The candidates, in the order in which they were registered."""
    return study.instance.get_dynamic_partitions(study.names.partitions_name)


def pending_change(study: Study) -> PartitionChange:
    """The change that makes the instance agree with the sampler's list."""
    from_files = study.instance.get_dynamic_partitions(_name(study.names.from_files))
    return plan_change(
        study.listed_keys, registered_keys(study), from_files, study.sampling.is_in_files
    )


def apply_change(study: Study, change: PartitionChange) -> None:
    """Register and delete candidates."""
    instance = study.instance
    candidates, from_files = study.names.partitions_name, _name(study.names.from_files)
    if change.added:
        # The note first: after a crash between the two, every candidate must still have its note.
        register(instance, from_files, change.added)
        register(instance, candidates, change.added)
    for key in change.removed:
        instance.delete_dynamic_partition(candidates, key)
        instance.delete_dynamic_partition(from_files, key)


def register(instance: dg.DagsterInstance, partitions: str, keys: Sequence[str]) -> None:
    """Add keys to dynamic partitions, which other processes may do at the same moment."""
    for attempt in range(_ATTEMPTS):
        try:
            instance.add_dynamic_partitions(partitions, list(keys))
        except IntegrityError:
            # Another process has registered one of them since Dagster looked; try again.
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def change_requests(
    names: Names, change: PartitionChange
) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    """Make the requests of a sensor for a change."""
    # In the order of `apply_change`, for the same reason.
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
