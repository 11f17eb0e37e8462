"""In place of the data of a search without a table: no rows, and a split that is a seed."""

from typing import Final, NoReturn

import numpy as np

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Dataset
from iris_hpo.data.split import SplitCard
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.store.digests import digest_of


def no_dataset() -> Dataset:
    """Make the data set of a search without a table: no rows."""
    return Dataset(np.empty((0, 0)), np.empty(0), (), "", digest_of(b""))


def refuse_division(settings: SplitSettings) -> None:
    """Refuse settings of a division, where there are no rows to divide.

    Raises
    ------
    InputError
        Names the first.
    """
    for name, default in vars(SplitSettings()).items():
        value = getattr(settings, name)
        if name != "seed" and value not in (default, *_NOTHING.get(name, ())):
            raise InputError(
                f"{name} {value}: the search has no table, so there are no rows to divide; leave "
                f"{name} out",
                field=(name,),
            )


def refuse_layout(layout: Layout, prepare: str) -> None:
    """Refuse what describes the columns and rows of a table, where there is none.

    Raises
    ------
    InputError
        Names the first.
    """
    given = {**vars(layout), "prepare": prepare}
    for name, default in {**vars(Layout()), "prepare": "auto"}.items():
        if given[name] != default:
            raise InputError(
                f"{name}: the search has no table; leave {name} out, or give a data_file",
                field=(name,),
            )


def refuse_splitter() -> NoReturn:
    """Refuse a splitter, where there are no rows to divide.

    Raises
    ------
    InputError
        Always.
    """
    raise InputError(
        "splitter: the search has no table; leave splitter out, or give a data_file",
        field=("splitter",),
    )


_NOTHING: Final = {"folds": (0,), "repeats": (1,)}
"""Values that divide nothing."""


def undivided(settings: SplitSettings) -> tuple[SplitCard, dict[str, bytes]]:
    """Make the split of a search without a table: no rows and no files, only the seed.

    Returns
    -------
    card, files
        As `divide` returns them.

    Raises
    ------
    InputError
        If the settings divide rows.
    """
    refuse_division(settings)
    nothing = digest_of(b"")
    card = SplitCard(
        data_digest=nothing,
        seed=settings.seed,
        folds=0,
        train_rows=0,
        test_rows=0,
        train_digest=nothing,
        test_digest=nothing,
        feature_names=[],
        target_name="",
    )
    return card, {}
