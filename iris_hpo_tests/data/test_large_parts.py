"""Large parts of a split, read by columns: the same as row by row."""

from typing import Any

import numpy as np
import pytest

from iris_hpo.data import large_parts
from iris_hpo.data.dataset import Dataset
from iris_hpo.data.kinds import CATEGORY, NUMBER, TEXT
from iris_hpo.data.part_files import read_part, read_target, write_part
from iris_hpo.data.roles import RowRoles

NAN = float("nan")
NUMBERS = [-0.0, 1e300, 5e-324, 0.1 + 0.2, 123456789.12345679, -7.0]
TEXTS = ["", "NA", "007", "7.0", "=1+1", "'=1", 'a "b", c', "two\nlines\r\n", " é 🎯 ", "'"]


def mixed() -> Dataset:
    rows = [
        [NUMBERS[at % 6] if at % 4 else NAN, TEXTS[at % 10], TEXTS[at % 7], float(at % 2)]
        for at in range(40)
    ]
    labels = np.array([TEXTS[1 + at % 9] for at in range(40)])
    weight = np.array([NUMBERS[1 + at % 4] for at in range(40)])
    kinds = (NUMBER, CATEGORY, TEXT, NUMBER)
    roles = RowRoles(weight=weight, group=labels)
    features = np.array(rows, dtype=object)
    return Dataset(features, labels, ("a", "b,c", 'd"', "e"), "y", "", kinds=kinds, roles=roles)


def numeric() -> Dataset:
    features = np.array([NUMBERS, NUMBERS[::-1]]).T.copy()
    return Dataset(features, np.array(NUMBERS), ("a", "b"), "y", "")


def described(array: Any) -> tuple[object, ...]:
    """What a model may see of an array."""
    flags = array.flags
    return repr(array.tolist()), array.dtype, array.shape, flags.c_contiguous, flags.writeable


@pytest.mark.parametrize("make", [mixed, numeric])
def test_it_is_read_as_row_by_row(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data: Dataset = make()
    content = write_part(data, np.arange(len(data.target))[::-1])
    roles = [*data.roles.arrays]
    known = (data.task, data.kinds, roles)
    expected = read_part(content, *known)
    monkeypatch.setattr(large_parts, "LARGE", 1)
    assert large_parts.is_large_part(content)

    found = read_part(content, *known)

    assert [*map(described, found)] == [*map(described, expected)]
    rows, target = read_target(content, data.task, roles)
    assert [described(rows), described(target)] == [described(expected[at]) for at in (0, 2)]


def test_the_same_texts_of_a_column_are_one_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_parts, "LARGE", 1)
    data = mixed()

    _, features, _ = read_part(
        write_part(data, np.arange(40)), data.task, data.kinds, ["group", "weight"]
    )

    assert features[6, 1] is features[16, 1]
    assert features[6, 1] == TEXTS[6]
