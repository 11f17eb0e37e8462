"""The rows of a split in memory: what candidates are trained and scored on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Features, Target
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.shared_columns import shared
from iris_hpo.data.splitters import Fold


@dataclass(frozen=True)
class Examples:
    """The rows of a split, in memory.

    Attributes
    ----------
    features, target
        Training rows: shapes (rows, features) and (rows,). In another process features of a mixed
        table are `SharedColumns`, of which objects are made when rows are taken.
    test_features, test_target
        Test rows.
    folds
        Pairs of positions (fit, validate) within the training rows.
    roles, test_roles
        What columns say about the training rows and the test rows, such as their weights.
    """

    features: Features
    target: Target
    test_features: Features
    test_target: Target
    folds: Sequence[Fold]
    roles: RowRoles = field(default_factory=RowRoles)
    test_roles: RowRoles = field(default_factory=RowRoles)

    def together(self) -> "Examples":
        """All rows as training rows: the training rows, then the test rows; without folds."""
        return replace(
            self,
            features=np.concatenate([self.features, self.test_features]),
            target=np.concatenate([self.target, self.test_target]),
            folds=(),
            roles=self.roles.followed_by(self.test_roles),
            test_roles=self.test_roles,
        )

    def __getstate__(self) -> Mapping[str, object]:
        """Return what another process gets: rows that all processes of a machine can share."""
        features = {name: shared(getattr(self, name)) for name in ("features", "test_features")}
        return {**vars(self), **features}

    def __setstate__(self, state: Mapping[str, object]) -> None:
        """Give arrays that come from another process NumPy's own type objects.

        A model takes over the type objects of its rows, and its pickle shows whether they are one
        object or several equal ones. This way models have the same bytes on all engines.
        """
        for name, value in state.items():
            object.__setattr__(self, name, _with_own_type(value))


def _with_own_type(value: object) -> object:
    if isinstance(value, RowRoles):
        return value.each(_own_type)
    return _own_type(value) if isinstance(value, np.ndarray) else value


def _own_type(array: NDArray[Any]) -> NDArray[Any]:
    own = np.dtype(array.dtype.type)
    return array.view(own) if own == array.dtype else array  # text types have a length
