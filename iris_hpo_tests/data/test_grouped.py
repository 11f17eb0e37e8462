"""The splitter ``grouped``: whole groups in the parts and folds, near the classes' proportions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from iris_hpo.data.chosen_rows import choose_rows
from iris_hpo.data.dataset import Dataset
from iris_hpo.data.grouped import Grouped, grouped_folds
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.splitters import Division, SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.parts import Part
from iris_hpo_tests.data.rows_with_roles import SIXTY, dataset, tables, with_roles


def groups_of(data: Dataset) -> np.ndarray:
    assert data.roles.group is not None
    return data.roles.group


@settings(max_examples=25, deadline=None)
@given(
    data=st.one_of(tables(), tables(numbers=True)),
    seed=st.integers(0, 9),
    test_size=st.floats(0.05, 0.6),
    folds=st.sampled_from([0, 2, 3]),
)
def test_no_group_is_in_both_parts_of_the_split_or_of_a_fold(
    data: Dataset, seed: int, test_size: float, folds: int
) -> None:
    division = Division(Part("grouped"), SplitSettings(test_size, seed, folds), data.task)
    try:
        chosen = choose_rows(data, division)
    except InputError:  # too few groups, or one class is left
        return
    groups = groups_of(data)

    assert sorted([*chosen.train, *chosen.test]) == list(range(len(groups)))
    assert not {*groups[chosen.train]} & {*groups[chosen.test]}
    inner = groups[chosen.train]
    for fit, validate in chosen.folds:
        assert not {*inner[fit]} & {*inner[validate]}
        assert sorted([*fit, *validate]) == list(range(len(inner)))


@pytest.mark.parametrize(
    ("stratify", "folder"), [(None, StratifiedGroupKFold), (False, GroupKFold)]
)
def test_folds_are_scikit_learns(stratify, folder) -> None:
    chosen = SplitSettings(seed=3, folds=4, stratify=stratify)

    folds = grouped_folds(SIXTY.target, groups_of(SIXTY), chosen, "classification")

    own = folder(4, shuffle=True, random_state=3).split(
        SIXTY.features, SIXTY.target, SIXTY.roles.group
    )
    assert [(a.tolist(), b.tolist()) for a, b in folds] == [
        (a.tolist(), b.tolist()) for a, b in own
    ]


def test_the_test_part_has_about_its_share_and_the_proportions_of_classes() -> None:
    groups = [f"g{n // 5}" for n in range(200)]
    data = with_roles(
        dataset([["a", "b"][n // 5 % 4 == 0] for n in range(200)], RowRoles()), group=groups
    )

    _, test = Grouped(test_size=0.3).split(data)

    assert abs(len(test) - 60) <= 5
    assert abs(np.mean(data.target[test] == "b") - 0.25) < 0.06


def test_a_large_group_does_not_make_the_test_part_large() -> None:
    sizes = [50, *[5] * 10]
    groups = np.repeat([f"g{n}" for n in range(11)], sizes)
    data = with_roles(dataset(np.arange(100.0), RowRoles()), group=groups)

    shares = {len(Grouped(seed=seed).split(data)[1]) for seed in range(10)}

    assert shares == {20}


def test_another_seed_gives_other_groups_and_repeats_other_folds() -> None:
    data = with_roles(dataset(np.arange(60.0), RowRoles()), group=groups_of(SIXTY))
    chosen = SplitSettings(folds=3, repeats=2)

    first, second = (Grouped(seed=seed).split(data)[1].tolist() for seed in (0, 1))
    folds = grouped_folds(data.target, groups_of(data), chosen, "regression")

    assert first != second
    assert len(folds) == 6
    assert folds[0][1].tolist() not in [validate.tolist() for _, validate in folds[3:]]


def test_repeats_that_would_be_the_same_are_refused() -> None:
    groups = np.repeat(["g0", "g1", "g2"], [5, 7, 9])
    data = with_roles(dataset(["a", "b", "b"] * 7, RowRoles()), group=groups)

    with pytest.raises(InputError, match="repeat 2 of the folds is the same as one before"):
        grouped_folds(data.target, groups, SplitSettings(folds=3, repeats=2), data.task)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["g"] * 60, "all rows have one group; at least 2 are needed"),
        (
            ["g", "h", "i"] * 20,
            "3 groups leave 2 for training, and 5 folds need as many: choose fewer",
        ),
        (np.repeat(["g", "h"], [20, 40]), "2 groups leave 1 for training"),
    ],
)
def test_too_few_groups_are_refused(groups: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Grouped().split(with_roles(SIXTY, group=groups))


@pytest.mark.parametrize("stratify", [None, False])
def test_fewer_groups_than_folds_are_refused(stratify) -> None:
    settings = SplitSettings(folds=5, stratify=stratify)

    with pytest.raises(InputError, match="have 3 groups, and 5 folds need as many: choose fewer"):
        grouped_folds(SIXTY.target, np.repeat(["g", "h", "i"], 20), settings, "classification")


def test_classes_of_one_row_are_refused() -> None:
    data = with_roles(dataset([f"k{n}" for n in range(8)], RowRoles()), group=["g", "h"] * 4)

    with pytest.raises(InputError, match="no class has more than 1 row, and 2 stratified folds"):
        Grouped(folds=0).split(data)


def test_a_class_in_one_group_is_refused_where_folds_would_lack_it() -> None:
    groups = np.repeat([f"g{n}" for n in range(5)], 4)
    data = with_roles(dataset(["a"] * 4 + ["b"] * 16, RowRoles()), group=groups)
    division = Division(Part("grouped"), SplitSettings(folds=2), "classification")

    message = (
        "splitter 'grouped' leaves nothing to predict: every fitted row of fold . has the target "
        "b; choose fewer folds, or folds: 0"
    )
    with pytest.raises(InputError, match=message):
        choose_rows(data, division)
