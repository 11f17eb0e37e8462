"""Contiguous ranges of candidates, and slices of them for runs.

``IRIS_HPO_CANDIDATES_PER_RUN`` is the largest number of candidates of a run; without it, one run
has all. Slices of a search work one after the other if its pool has one slot. With more slots they
work at the same time, but slices that share candidates take turns (`overlaps`).
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

import dagster as dg

from iris_hpo.errors import InputError

RANGE_START: Final = "dagster/asset_partition_range_start"
RANGE_END: Final = "dagster/asset_partition_range_end"


_MOST_RUNS: Final = 8
_BRIDGED: Final = 20
"""Largest number of runs for scattered candidates, and largest number of candidates between two
ranges that are reused so that one run covers both: a run takes a second in the command and twenty
from a sensor, a reused candidate less than a hundredth of a second."""
_VARIABLE: Final = "IRIS_HPO_CANDIDATES_PER_RUN"
PARTITION: Final = "dagster/partition"


def candidates_per_run() -> int | None:
    """Largest number of candidates of a run; None for all.

    Raises
    ------
    InputError
        If the setting is not a whole number above zero.
    """
    given = os.environ.get(_VARIABLE, "").strip()
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and int(given)):
        raise InputError(f"{_VARIABLE} {given!r} must be a whole number above 0, or not be set")
    return int(given)


def backfill_policy() -> dg.BackfillPolicy:
    """The policy by which Dagster cuts a backfill into runs."""
    size = candidates_per_run()
    return dg.BackfillPolicy.multi_run(size) if size else dg.BackfillPolicy.single_run()


def cut(ranges: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    """Cut contiguous ranges of candidates into slices."""
    size = candidates_per_run()
    if size is None:
        return list(ranges)
    return [keys[at : at + size] for keys in ranges for at in range(0, len(keys), size)]


def ranges_of_runs(keys: Sequence[str], registered: Sequence[str]) -> list[tuple[str, ...]]:
    """Cover keys by as few ranges as is sensible; each becomes a run, or several slices."""
    return contiguous_ranges(keys, registered, _MOST_RUNS, bridged=_BRIDGED)


def contiguous_ranges(
    keys: Sequence[str], registered: Sequence[str], at_most: int, *, bridged: int = 0
) -> list[tuple[str, ...]]:
    """Cover keys by contiguous ranges of the registered order.

    A run works on one contiguous range. Gaps of up to ``bridged`` candidates become part of a
    range: their candidates are reused. So do the smallest gaps if there would be more than
    ``at_most`` ranges.
    """
    position = {key: index for index, key in enumerate(registered)}
    places = sorted(position[key] for key in keys)
    if not places:
        return []
    gaps = [(later - earlier, index) for index, (earlier, later) in enumerate(pairwise(places), 1)]
    cuts = sorted(
        index for gap, index in sorted(gaps, reverse=True)[: at_most - 1] if gap > bridged + 1
    )
    starts, ends = [0, *cuts], [*cuts, len(places)]
    return [
        tuple(registered[places[start] : places[end - 1] + 1])
        for start, end in zip(starts, ends, strict=True)
    ]


def range_tags(keys: Sequence[str]) -> dict[str, str]:
    """Make the tags of a run that works on a contiguous range.

    Dagster reads the empty key, which a user can register, as no key: it can be within a range, but
    not at an end.
    """
    named = [key for key in keys if key]
    return {
        RANGE_START: named[0],
        RANGE_END: named[-1],
    }


def has_its_partitions(tags: Mapping[str, str], registered: Sequence[str]) -> bool:
    """Whether the ends of a run's range, by its tags, are still registered, if it has a range."""
    ends = {tags[name] for name in (RANGE_START, RANGE_END) if name in tags}
    return ends <= set(registered)
