"""The stored scores of the references: what is written is read again."""

from pathlib import Path

import numpy as np
import pytest

from iris_hpo.selection.references import REFERENCES, ReferenceScores, read_references
from iris_hpo.store.digests import digest_of
from iris_hpo.store.objects import open_store
from iris_hpo.training.learning_curve import SHARES, LearningCurve, Shares


@pytest.mark.parametrize("shares", [SHARES, (0.41, 0.77)])
def test_a_learning_curve_is_read_with_the_shares_of_its_rows(
    tmp_path: Path, shares: Shares
) -> None:
    columns = np.array([1.5, 2.5, 4.0]), np.array([1.0, 2.0, 3.0])
    curve = LearningCurve(columns[:1], columns[1:], shares)
    content = ReferenceScores().with_curve("known", curve).to_bytes()
    store = open_store(str(tmp_path))
    store.write(REFERENCES, content)

    stored = read_references(store, digest_of(content)).learning_curve

    assert stored is not None
    assert stored.shares == shares
    assert np.array_equal(stored.fewer, curve.fewer)
    assert np.array_equal(stored.more, curve.more)
    assert (b"0.77" in content) == (shares != SHARES), "earlier versions stored no shares"
