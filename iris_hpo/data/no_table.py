"""In place of the data of a search without a table: no rows, and a split that is a seed."""

import numpy as np

from iris_hpo.data.dataset import Dataset
from iris_hpo.data.split import SplitCard
from iris_hpo.store.digests import digest_of


def no_dataset() -> Dataset:
    """Make the data set of a search without a table: no rows."""
    return Dataset(np.empty((0, 0)), np.empty(0), (), "", digest_of(b""))


def undivided(seed: int) -> tuple[SplitCard, dict[str, bytes]]:
    """Make the split of a search without a table: no rows and no files, only the seed.

    Returns
    -------
    card, files
        As `divide` returns them.
    """
    nothing = digest_of(b"")
    card = SplitCard(
        data_digest=nothing,
        seed=seed,
        folds=0,
        train_rows=0,
        test_rows=0,
        train_digest=nothing,
        test_digest=nothing,
        feature_names=[],
        target_name="",
    )
    return card, {}
