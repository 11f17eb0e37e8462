"""A splitter of a user's own, named in YAML: the code of docs/extending.md, in whole searches."""

import csv
import json
import sys
from pathlib import Path
from types import ModuleType

import dagster as dg
import pytest

from iris_hpo import SearchSpec
from iris_hpo.data.split import CARD, SplitCard
from iris_hpo.data.splitters import SplitSettings, Splitter
from iris_hpo.errors import InputError
from iris_hpo.parts import Part
from iris_hpo.space.axes import Axis
from iris_hpo.spec_choosing import default_rule
from iris_hpo.store.cards import read_card
from iris_hpo.store.objects import open_store
from iris_hpo.testing import SplitterContract
from iris_hpo.training.estimators import Step
from iris_hpo_tests.generality.test_extending import blocks, write_search
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = [
    *DAGSTERS_WARNINGS,
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def grouped(**settings: object) -> dict[str, object]:
    return {"use": "own_parts.Grouped", "settings": {"feature": "magnesium", **settings}}


SPLITTER = grouped(n_folds=3)


def read_split(project: YamlProject, part: str) -> list[dict[str, str]]:
    text = (project.artifacts("bayes") / "split" / f"{part}.csv").read_text()
    return list(csv.DictReader(text.splitlines()))


def status(project: YamlProject) -> dict[str, list[int]]:
    """Numbers of results per asset: up to date, missing, out of date, failed."""
    lines = project.call("status", "--search", "bayes").out.splitlines()
    assets = ("raw_data", "split", "parameters", "models", "scores", "selection")
    rows = (line.split() for line in lines)
    return {row[0]: [int(number) for number in row[1:]] for row in rows if row[0] in assets}


def champion(project: YamlProject) -> dict[str, object]:
    card: dict[str, object] = json.loads((project.selection("bayes") / "champion.json").read_text())
    return card


def test_the_page_names_the_splitter_that_is_tried() -> None:
    yaml = "".join(blocks("yaml"))

    assert "splitter: {use: own_parts.Grouped, settings: {feature: magnesium, n_folds: 3}}" in yaml


class TestGrouped(SplitterContract):
    """The splitter of the page keeps the promises of all splitters."""

    def make_splitter(self) -> Splitter:
        page = ModuleType("page")
        exec("\n\n".join(blocks("python")), vars(page))
        made: Splitter = page.Grouped("first", n_folds=3)
        return made


def test_it_is_named_in_python_too(searched: YamlProject) -> None:
    def spec(test_size: float = 0.2) -> SearchSpec:
        return SearchSpec(
            name="bayes",
            home=searched.root,
            data_file="wine.csv",
            axes=(Axis("var_smoothing", "V"),),
            steps=(Step("sklearn.naive_bayes.GaussianNB"),),
            splitter=Part("own_parts.Grouped", {"feature": "magnesium", "n_folds": 3}),
            split=SplitSettings(test_size),
        )

    with searched.entered():
        sys.path.insert(0, str(searched.root))
        stored = read_card(open_store(str(searched.artifacts("bayes"))), CARD, SplitCard)

        assert stored.is_made_by(spec().division())
        assert default_rule(spec(), spec().division().n_folds) == "cv"
        with pytest.raises(InputError, match="divides the rows by its own settings") as refusal:
            spec(test_size=0.3)
    assert refusal.value.field == ("test_size",)


@pytest.fixture(scope="module")
def _searched(tmp_path_factory: pytest.TempPathFactory) -> YamlProject:
    project = YamlProject.create(tmp_path_factory.mktemp("searched"))
    write_search(project, splitter=SPLITTER)
    assert project.run("bayes")["trained"] == 4
    return project


@pytest.fixture
def searched(_searched: YamlProject, tmp_path: Path) -> YamlProject:
    """A copy of a project in which the search was run."""
    return _searched.copy(tmp_path / "copy")


def test_the_rows_are_divided_by_it(searched: YamlProject) -> None:
    train, test = read_split(searched, "train"), read_split(searched, "test")
    folds = read_split(searched, "folds")

    assert len(train) + len(test) == 178
    assert not {row["magnesium"] for row in train} & {row["magnesium"] for row in test}
    assert [fold["row"] for fold in folds] == [row["row"] for row in train]
    assert list(folds[0]) == ["row", "fold_1", "fold_2", "fold_3"]
    for name in ("fold_1", "fold_2", "fold_3"):
        parts: dict[str, set[str]] = {"fit": set(), "validate": set()}
        for row, fold in zip(train, folds, strict=True):
            parts[fold[name]].add(row["magnesium"])
        assert parts["fit"]
        assert parts["validate"]
        assert not parts["fit"] & parts["validate"]


def test_nothing_is_done_twice(searched: YamlProject) -> None:
    files = searched.files("bayes")

    outcome = searched.run("bayes")

    assert (outcome["trained"], outcome["reused"]) == (0, 4)
    assert searched.files("bayes") == files
    assert all(numbers[1:] == [0, 0, 0] for numbers in status(searched).values())


def test_other_settings_make_the_split_and_all_candidates_out_of_date(
    searched: YamlProject,
) -> None:
    write_search(searched, splitter=grouped(n_folds=3, test_size=0.3))

    states = status(searched)
    outcome = searched.run("bayes")

    assert states["raw_data"] == [1, 0, 0, 0]
    assert states["split"] == [0, 0, 1, 0]
    assert states["models"] == states["scores"] == [0, 0, 4, 0]
    assert (outcome["trained"], outcome["reused"]) == (4, 0)


def test_other_folds_make_the_scores_alone_out_of_date(searched: YamlProject) -> None:
    write_search(searched, splitter=grouped(n_folds=2))

    states = status(searched)

    assert states["split"] == [0, 0, 1, 0]
    assert states["models"] == [4, 0, 0, 0], "they have the same training rows"
    assert states["scores"] == [0, 0, 4, 0]


def test_an_edit_of_its_module_makes_the_split_out_of_date(searched: YamlProject) -> None:
    module = searched.root / "own_parts.py"
    module.write_text(module.read_text() + "# edited\n")

    states = status(searched)

    assert states["split"] == [0, 0, 1, 0]
    assert states["models"] == [4, 0, 0, 0], "they have the same training rows"
    assert states["scores"] == [0, 0, 4, 0]


@pytest.mark.slow
def test_worker_processes_give_the_same_bytes(project: YamlProject, searched: YamlProject) -> None:
    write_search(project, splitter=SPLITTER, engine="own_parts.Processes")

    answer = project.call("run", "--search", "bayes")

    assert answer.code == 0, answer.err
    for name in ("selection/leaderboard.csv", "selection/champion.pkl", "split/folds.csv"):
        content = (project.artifacts("bayes") / name).read_bytes()
        assert content == (searched.artifacts("bayes") / name).read_bytes()


def test_a_run_of_dagsters_uses_it(project: YamlProject) -> None:
    write_search(project, splitter=SPLITTER, engine="serial")
    defs = project.load()
    search = defs.resolve_job_def("bayes_search")

    with project.code_location() as instance:
        result = search.execute_in_process(
            instance=instance, run_config={"ops": {"bayes__split": {"config": {"seed": 1}}}}
        )
        selection = defs.resolve_job_def("bayes_select").execute_in_process(instance=instance)

    assert result.success
    assert selection.success
    (sound,) = (
        check
        for check in result.get_asset_check_evaluations()
        if check.check_name == "parts_are_sound"
    )
    assert sound.passed, sound.description
    (split,) = result.asset_materializations_for_node("bayes__split")
    assert split.metadata["folds"].value == 3
    splitter = split.metadata["splitter"].value
    assert isinstance(splitter, dict)
    assert splitter["use"] == "own_parts.Grouped"
    assert champion(project)["rule"] == "cv"
    assert status(project)["split"] == [1, 0, 0, 0], "the seed of the last run is kept"


def test_the_graph_and_the_launchpad_say_what_holds_with_it(project: YamlProject) -> None:
    write_search(project, splitter=SPLITTER)
    defs = project.load()
    search = defs.resolve_job_def("bayes_search")
    split = defs.resolve_assets_def(dg.AssetKey(["bayes", "split"]))

    assert split.get_asset_spec().kinds == {"python", "csv"}
    description = str(split.get_asset_spec().description)
    assert description.startswith("Training and test rows chosen by own_parts.Grouped. The folds")
    with pytest.raises(dg.DagsterInvalidConfigError, match='unexpected config entry "test_size"'):
        dg.validate_run_config(search, {"ops": {"bayes__split": {"config": {"test_size": 0.3}}}})


@pytest.mark.slow
@pytest.mark.parametrize(("n_folds", "rule"), [(2, "cv"), (0, "test_score")])
def test_its_folds_decide_about_the_default_rule(
    project: YamlProject, n_folds: int, rule: str
) -> None:
    write_search(project, splitter=grouped(n_folds=n_folds))

    project.run("bayes")

    assert champion(project)["rule"] == rule
    assert (project.artifacts("bayes") / "split" / "folds.csv").exists() is bool(n_folds)


@pytest.mark.slow
def test_what_the_last_run_changed_of_another_splitter_is_not_kept(project: YamlProject) -> None:
    write_search(project)
    project.run("bayes", "--test-size", "0.4", "--folds", "3", "--seed", "5")

    write_search(project, splitter=SPLITTER)
    answer = project.call("run", "--search", "bayes", "--engine", "serial")

    assert answer.code == 0, answer.err
    kept = [line for line in answer.err.splitlines() if "settings of the last run" in line]
    assert len(kept) == 1
    assert "seed 5" in kept[0]
    assert (
        json.loads((project.artifacts("bayes") / "split" / "split.json").read_text())["seed"] == 5
    )


@pytest.mark.parametrize(
    ("attributes", "line", "message"),
    [
        ({"test_size": 0.3}, "test_size: 0.3", "test_size: the splitter 'own_parts.Grouped'"),
        ({"folds": 5}, "folds: 5", "folds: the splitter 'own_parts.Grouped' divides the rows by"),
        ({"stratify": None}, "stratify: null", "leave stratify out, or use the splitter shuffled"),
        (
            {"splitter": "groups"},
            "splitter: groups",
            "choose one of shuffled, grouped, time, given",
        ),
        ({"splitter": "grouped"}, "splitter: grouped", "needs a column with the role group; write"),
        ({"splitter": "own_parts.Gone"}, "splitter: own_parts.Gone", "cannot be imported"),
        ({"splitter": "own_parts.Page"}, "own_parts.Page", "the method split and folds is needed"),
        ({"splitter": grouped(rows=3)}, "rows: 3", "refuses its settings: "),
        ({"splitter": grouped(n_folds=-3)}, "use: own_parts.Grouped", "has the n_folds '-3'"),
        (
            {"splitter": {"use": "shuffled", "settings": {"folds": 2}}},
            "folds: 2",
            "the splitter shuffled has no settings here; give test_size, seed, folds, stratify",
        ),
        ({"rule": "cv", "splitter": grouped(n_folds=0)}, "rule: cv", "ranks by cross-validation"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_written(
    project: YamlProject, attributes: dict[str, object], line: str, message: str
) -> None:
    write_search(project, **{"splitter": SPLITTER, **attributes})

    answer = project.call("run", "--search", "bayes")

    assert answer.code == 2
    assert message in answer.err
    assert line in answer.err, "the line of the YAML is shown"
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("option", [("--test-size", "0.3"), ("--folds", "3")])
def test_options_that_it_does_not_follow_are_refused(
    project: YamlProject, option: tuple[str, str]
) -> None:
    write_search(project, splitter=SPLITTER)

    answer = project.call("run", "--search", "bayes", *option)

    assert answer.code == 2
    assert len(answer.err.splitlines()) == 1
    assert f"{option[0]}: the splitter 'own_parts.Grouped' divides the rows by" in answer.err
    assert not project.artifacts("bayes").exists()


def test_a_splitter_that_fails_is_one_message(project: YamlProject) -> None:
    write_search(project, splitter={"use": "own_parts.Grouped", "settings": {"feature": "iron"}})

    answer = project.call("run", "--search", "bayes", "--engine", "serial")

    assert answer.code == 2
    assert "wine.csv: the splitter 'own_parts.Grouped' failed: ValueError: " in answer.err
    assert "Traceback" not in answer.err
