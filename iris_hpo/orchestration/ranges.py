"""Contiguous ranges of candidates, and the runs that they are cut into.

``IRIS_HPO_CANDIDATES_PER_RUN`` says how many candidates a run may have; without it, one run has
them all. Slices of one search work one after the other as long as its pool has one slot. With more
slots they work beside each other, and here two that share candidates take turns nevertheless.
"""

import os
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import dagster as dg

from iris_hpo.errors import InputError

RANGE_START: Final = "dagster/asset_partition_range_start"
RANGE_END: Final = "dagster/asset_partition_range_end"


_VARIABLE: Final = "IRIS_HPO_CANDIDATES_PER_RUN"
PARTITION: Final = "dagster/partition"


def candidates_per_run() -> int | None:
    """How many candidates a run may have; None for all of them.

    Raises
    ------
    InputError
        If the setting is no whole number above zero.
    """
    given = os.environ.get(_VARIABLE, "").strip()
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and int(given)):
        raise InputError(f"{_VARIABLE} {given!r} must be a whole number above 0, or not be set")
    return int(given)


def backfill_policy() -> dg.BackfillPolicy:
    """How Dagster cuts a backfill into runs."""
    size = candidates_per_run()
    return dg.BackfillPolicy.multi_run(size) if size else dg.BackfillPolicy.single_run()


def cut(ranges: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    """Cut contiguous ranges of candidates into slices."""
    size = candidates_per_run()
    if size is None:
        return list(ranges)
    return [keys[at : at + size] for keys in ranges for at in range(0, len(keys), size)]


def contiguous_ranges(
    keys: Sequence[str], registered: Sequence[str], at_most: int, *, bridged: int = 0
) -> list[tuple[str, ...]]:
    """Cover keys by contiguous ranges of the registered order.

    A run works on one contiguous range. Gaps of up to ``bridged`` candidates are bridged: those are
    looked at too, and reused. So are the smallest gaps where more than ``at_most`` ranges would be
    needed.
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
    """The tags of a run that works on a contiguous range.

    Dagster takes the empty key, which a person can register, for no key at all: it can lie within a
    range, and at no end of one.
    """
    named = [key for key in keys if key]
    return {
        RANGE_START: named[0],
        RANGE_END: named[-1],
    }
