"""Data sets with groups, times and parts, drawn and fixed."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from iris_hpo.data.dataset import Dataset
from iris_hpo.data.roles import RowRoles


def dataset(target: Sequence[object], roles: RowRoles) -> Dataset:
    """Make a data set of two features."""
    numbers = np.random.default_rng(0).normal(size=(len(target), 2))
    return Dataset(numbers, np.asarray(target), ("x", "y"), "k", "digest", roles=roles)


def with_roles(data: Dataset, **roles: Sequence[object]) -> Dataset:
    """Give rows groups, times, weights or parts."""
    return replace(data, roles=RowRoles(**{name: np.asarray(of) for name, of in roles.items()}))


SIXTY = dataset(
    ["a", "b", "c"] * 20,
    RowRoles(
        group=np.array([f"g{n // 4}" for n in range(60)]),
        time=np.array([float(n * 7 % 60 // 2) for n in range(60)]),
        weight=1.0 + np.arange(60) % 3,
        part=np.array([["1", "2", "3", "test", "1"][n * 7 % 5] for n in range(60)]),
    ),
)
"""60 rows of 3 classes, in 15 groups, at 30 times, in 3 folds and a test part."""


@st.composite
def tables(draw: st.DrawFn, numbers: bool = False) -> Dataset:  # noqa: FBT001, FBT002
    """Draw data sets with groups, and times that are often equal."""
    rows = draw(st.integers(12, 60))
    of = st.integers(0, draw(st.integers(4, 20)))
    groups = draw(st.lists(of, min_size=rows, max_size=rows))
    times = draw(st.lists(of, min_size=rows, max_size=rows))
    classes = draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows))
    target = np.arange(rows) / 8 if numbers else np.array(["a", "b", "c"])[classes]
    roles = RowRoles(np.array([f"g{group}" for group in groups]), np.array(times, float))
    return dataset(target, roles)
