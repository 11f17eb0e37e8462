"""Which splitter a search has: the one that is named, or the one that columns call for."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from iris_hpo import SearchSpec
from iris_hpo.data.columns import Layout
from iris_hpo.data.named_splitters import BUILT_IN, BY_ROLES, SHUFFLED, choose_splitter
from iris_hpo.data.split import (
    CARD,
    FOLDS,
    SplitCard,
    divide,
    read_examples,
    split_problems,
    write_split,
)
from iris_hpo.data.splitters import Division, SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.iris import iris_search
from iris_hpo.parts import Part
from iris_hpo.space.axes import Axis
from iris_hpo.store.cards import read_card
from iris_hpo.store.objects import open_store
from iris_hpo.training.estimators import Step
from iris_hpo_tests.data.rows_with_roles import SIXTY


@pytest.mark.parametrize(
    ("part", "roles", "chosen"),
    [
        (BY_ROLES, [], SHUFFLED),
        (BY_ROLES, ["group"], Part("grouped")),
        (BY_ROLES, ["time", "weight"], Part("time")),
        (BY_ROLES, ["part"], Part("given")),
        (BY_ROLES, ["part", "group"], Part("given")),
        (SHUFFLED, ["group", "time"], SHUFFLED),
        (Part("time", {"gap": 7}), ["group", "time"], Part("time", {"gap": 7})),
        (Part("own.Splitter"), ["group"], Part("own.Splitter")),
    ],
)
def test_columns_call_for_a_splitter_unless_one_is_named(part, roles, chosen) -> None:
    assert choose_splitter(part, {role: f"the {role}" for role in roles}) == chosen


@pytest.mark.parametrize(
    ("part", "columns", "message"),
    [
        (
            BY_ROLES,
            {"group": "who", "time": "when"},
            "the columns who .group., when .time. call for different splitters; name one: spl",
        ),
        (BY_ROLES, {"time": "when", "part": "p"}, "name one: splitter: time or splitter: given"),
        (Part("grouped"), {}, "the splitter grouped needs a column with the role group; write col"),
        (Part("time"), {"group": "who"}, "the splitter time needs a column with the role time"),
        (Part("given"), {}, "write columns: {<name of the column>: part}"),
        (Part("auto", {"gap": 7}), {"time": "t"}, "settings belong to one splitter; name it in pl"),
    ],
)
def test_what_contradicts_itself_is_refused_with_what_to_write(part, columns, message) -> None:
    with pytest.raises(InputError, match=message):
        choose_splitter(part, columns)


def spec(**fields: object) -> SearchSpec:
    unset = {"splitter": BY_ROLES, "split": SplitSettings()}
    return replace(iris_search(), home=Path(), **{**unset, **fields})


def test_a_search_has_the_splitter_of_its_columns() -> None:
    made = spec(layout=Layout(columns={"who": "group"}))

    assert made.splitter == Part("grouped")
    assert made.division().n_folds == 5
    assert made.division().describe() == (
        "Seeded training and test rows; those of a group stay together. Classes keep their "
        "proportions, as far as the others allow."
    )
    assert spec().splitter == SHUFFLED


@pytest.mark.parametrize(
    ("settings", "name"),
    [(SplitSettings(repeats=2), "repeats"), (SplitSettings(stratify=True), "stratify")],
)
def test_settings_that_a_splitter_does_not_follow_are_refused(settings, name) -> None:
    with pytest.raises(
        InputError, match=f"{name}: the splitter 'time' divides the rows by its own"
    ):
        spec(layout=Layout(columns={"when": "time"}), split=settings)


def test_settings_of_the_search_stand_beside_the_splitter() -> None:
    layout = Layout(columns={"when": "time"})

    with pytest.raises(InputError, match="folds is no setting of the splitter time; write it besi"):
        spec(layout=layout, splitter=Part("time", {"folds": 3}))
    assert spec(layout=layout, split=SplitSettings(folds=3, seed=4)).division().n_folds == 3


@pytest.mark.parametrize("use", [name for name in BUILT_IN if name != SHUFFLED.use])
def test_a_split_is_stored_with_its_splitter_and_what_is_known_of_the_rows(tmp_path, use) -> None:
    store = open_store(str(tmp_path))
    division = Division(Part(use), SplitSettings(folds=3), "classification")

    write_split(store, *divide(SIXTY, division))

    card = read_card(store, CARD, SplitCard)
    assert card.splitter == {"use": use, "version": 1}
    assert (card.folds, card.roles, card.is_ordered) == (
        3,
        ["group", "time", "weight"],
        use == "time",
    )
    assert store.exists(FOLDS)
    assert card.is_made_by(division)
    assert not card.is_made_by(Division(Part(use), SplitSettings(folds=2), "classification"))
    assert not card.is_made_by(Division(SHUFFLED, SplitSettings(folds=3), "classification"))
    parts = read_examples(store, card, "classification")
    rows = store.read("split/train.csv").decode().splitlines()
    assert rows[0] == "row,x,y,k,group,time,weight"
    numbers = [int(row.split(",")[0]) - 1 for row in rows[1:]]
    for role, array in SIXTY.roles.take(numbers).arrays.items():
        assert role == "part" or parts.roles.arrays[role].tolist() == array.tolist()
    assert len(parts.test_roles.arrays["time"]) == card.test_rows


def test_own_settings_are_part_of_the_identity() -> None:
    def identity(**own: object) -> object:
        return Division(Part("time", own), SplitSettings(), "regression").identity(100)["splitter"]

    assert identity() == {"use": "time", "version": 1}
    assert identity(gap=7) == {"use": "time", "version": 1, "settings": {"gap": 7}}


def test_groups_without_classes_are_drawn_three_times_where_that_is_cheap() -> None:
    division = Division(Part("grouped"), SplitSettings(), "regression")

    assert (division.repeats(100), division.repeats(10**6)) == (3, 1)
    assert Division(Part("grouped"), SplitSettings(), "classification").repeats(100) == 1
    assert Division(Part("given"), SplitSettings(), "regression").repeats(100) == 1


def test_weights_that_an_estimator_does_not_take_are_refused_when_the_search_is_built() -> None:
    layout = Layout(columns={"how": "weight"})
    neighbours = (Step("sklearn.neighbors.KNeighborsClassifier"),)

    assert spec(layout=layout).splitter == SHUFFLED
    with pytest.raises(
        InputError, match="KNeighborsClassifier takes no weights of rows"
    ) as refused:
        spec(layout=layout, steps=neighbours, axes=(Axis("n_neighbors", "N"),), choices=())
    assert refused.value.field == ("columns", "how")


@pytest.mark.parametrize(
    ("use", "problem"),
    [("grouped", r"\d+ groups in both parts"), ("time", r"\d+ test rows no later than all train")],
)
def test_a_stored_split_is_checked_for_what_its_splitter_promises(tmp_path, use, problem) -> None:
    store = open_store(str(tmp_path))
    kept = Division(Part(use), SplitSettings(folds=3), "classification")
    write_split(store, *divide(SIXTY, kept))
    assert split_problems(store, "classification") == []

    card, files = divide(SIXTY, Division(SHUFFLED, SplitSettings(folds=3), "classification"))
    write_split(store, replace(card, splitter={"use": use}), files)

    (found,) = split_problems(store, "classification")
    assert re.match(problem, found)
