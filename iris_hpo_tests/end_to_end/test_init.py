"""A project that begins with a table: ``iris-hpo init``, then ``iris-hpo run``."""

import csv
import errno
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import cast

import dagster as dg
import pytest
import yaml
from threadpoolctl import threadpool_limits

from iris_hpo.command import init
from iris_hpo.command.init import project_files, write_project
from iris_hpo.component import HyperparameterSearch
from iris_hpo.data.dataset import read_dataset
from iris_hpo.data.split import divide, read_examples, write_split
from iris_hpo.errors import InputError
from iris_hpo.files import open_regular
from iris_hpo.new_project.curated import CURATED
from iris_hpo.new_project.description import describe
from iris_hpo.new_project.start import Start, plan
from iris_hpo.selection.leaderboard import leaderboard
from iris_hpo.selection.rules import Scored, select
from iris_hpo.spec import SearchSpec
from iris_hpo.store.objects import open_store
from iris_hpo_tests.projects.command import Answer, call_command, environment_of
from iris_hpo_tests.projects.yaml import DAGSTERS_WARNINGS, YamlProject
from iris_hpo_tests.test_writing import files_of_at_most

HOME = ("DAGSTER_HOME", "IRIS_HPO_DATA", "IRIS_HPO_ARTIFACTS")


def write_table(path: Path, rows: int = 60) -> Path:
    """A table with texts, missing values and dates; two targets."""
    random = Random(0)
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["city", "opened", "staff", "notes", "rent", "rating", "grade"])
        for at in range(rows):
            staff = random.randint(1, 40)
            table.writerow(
                [
                    random.choice(["Bern", "Graz", "Lyon"]),
                    f"20{at % 14 + 10}-0{at % 9 + 1}-11",
                    "" if at % 9 == 0 else staff,
                    random.choice(["near the station", "top floor", "to be repaired"]),
                    round(20 * staff + random.gauss(0, 9), 2),
                    "good" if staff > 20 else "poor",
                    at % 3,
                ]
            )
    return path


def write_days(path: Path) -> Path:
    """A table of days: a date first, then measurements, and texts to predict."""
    random = Random(1)
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["date", "rain", "highest", "sky"])
        for at in range(60):
            rain = round(max(random.gauss(0, 4), 0), 1)
            date = f"2012/{at // 28 + 1:02}/{at % 28 + 1:02}"
            table.writerow([date, rain, round(random.gauss(12, 4), 1), "wet" if rain else "dry"])
    return path


def write_birds(path: Path) -> Path:
    """A table with the numbers of its rows, texts, and missing values, also of the target."""
    random = Random(2)
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["", "island", "bill", "mass", "sex"])
        for at in range(60):
            sex = ["male", "female"][at % 2]
            bill = "NA" if at % 11 == 3 else round(random.gauss(45 - 4 * (at % 2), 2), 1)
            table.writerow([at + 1, ["Dream", "Biscoe"][at % 3 > 0], bill, 3000 + at, sex])
        table.writerow([61, "Dream", "NA", "NA", ""])
    return path


SHAPES = {"": write_table, "days": write_days, "birds": write_birds}


def call(folder: Path, *arguments: str) -> Answer:
    """Run the command in a folder."""
    with environment_of(dict.fromkeys(HOME)) as patch:
        patch.chdir(folder)
        return call_command(environment_of({}), arguments)


def spec_of(start: Start, root: Path, **changes: object) -> SearchSpec:
    """The search that a description says, with other values of some fields."""
    attributes = yaml.safe_load(describe(start))["attributes"] | changes
    context = cast("dg.ComponentLoadContext", SimpleNamespace(project_root=root))
    return HyperparameterSearch.model_validate(attributes).spec(context)


@pytest.mark.parametrize(
    ("target", "task"),
    [("rent", "regression"), ("rating", "classification"), ("grade", "classification")],
)
def test_the_task_follows_the_target(target: str, task: str, tmp_path: Path) -> None:
    assert plan(write_table(tmp_path / "shops.csv"), target, None, None).task == task


def test_a_given_task_and_estimator_are_taken(tmp_path: Path) -> None:
    start = plan(write_table(tmp_path / "shops.csv"), "grade", "ridge", "regression")

    assert (start.task, start.estimator) == ("regression", "ridge")


NUMBERS = "".join(f"{n % 7},{n}.5\n" for n in range(30))


@pytest.mark.parametrize(
    ("rows", "task", "reason"),
    [
        (f"{NUMBERS}1,NA\n2,n/a\n", "regression", "'y' has 30 different numbers"),
        ("1,True\n2,False\n" * 9, "classification", "'y' has truth values"),
        ("1,0\n2,1\n3,NA\n" * 9, "classification", "2 whole numbers and NA, which is a class"),
    ],
)
def test_a_missing_target_does_not_decide_the_task(
    rows: str, task: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(f"x,y\n{rows}")

    start = plan(tmp_path / "t.csv", "y", None, None)

    assert start.task == task
    assert reason in start.why_task


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        (f"{NUMBERS}rotary,1\n", "columns: {'x': category}"),
        ("1,2.5\n3,NA\n" * 9, "without_target: drop"),
        ("2020,\n\nx,y\n1,2\n", "skip_lines: 2"),
    ],
)
def test_what_a_message_says_to_write_is_written(rows: str, field: str, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(f"x,y\n{rows}" if "skip" not in field else f"{rows}{NUMBERS}")
    with pytest.raises(InputError) as refused:
        plan(table, "y", None, None)
    message, _, options = str(refused.value).partition("; init takes that as: ")
    assert f'--write "{field}"' in options.split(" or ")
    assert field in message

    start = plan(table, "y", None, None, [field])

    attributes = yaml.safe_load(describe(start))["attributes"]
    assert attributes.items() >= yaml.safe_load(field).items()


def test_a_class_of_one_row_is_noted(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("size,y\n1,odd\n" + "1,a\n2,b\n" * 5)

    [note] = plan(table, "y", None, None).notes

    assert note.startswith("odd: a class of 1 row cannot be in both parts")
    assert plan(table, "size", None, None).notes == []


def test_the_encoding_of_windows_is_written(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes(("size,y\n" + "1,Köln\n2,Bern\n" * 5).encode("cp1252"))

    start = plan(table, "y", None, None)

    assert start.written == {"encoding": "cp1252"}
    assert start.notes == [
        "cp1252: the table is no UTF-8, so encoding: cp1252 is written, as line 2 then reads 'Köln'"
    ]


@pytest.mark.parametrize(
    "field", ["missing: -999", "missing: [-999, unknown]", "missing: {rent: [0]}"]
)
def test_marks_of_missing_values_are_written(field: str, tmp_path: Path) -> None:
    start = plan(write_table(tmp_path / "shops.csv"), "rating", None, None, [field])

    assert yaml.safe_load(describe(start))["attributes"].items() >= yaml.safe_load(field).items()


def test_columns_may_be_written_one_by_one(tmp_path: Path) -> None:
    fields = ["columns: {city: drop}", "columns: {opened: category}"]

    start = plan(write_table(tmp_path / "shops.csv"), "rent", None, None, fields)

    assert start.written == {"columns": {"city": "drop", "opened": "category"}}


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ("folds: 3", "a table is read by columns, header, skip_lines, without_target"),
        ("columns: 3", "columns must be such as"),
        ("missing: true", "missing must be a list, such as"),
        ("skip", "write a field, such as"),
    ],
)
def test_other_fields_are_refused(field: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=problem):
        plan(write_table(tmp_path / "shops.csv"), "rent", None, None, [field])


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (["$1", "$2", "$3"], "has 3 different texts in 3 rows; write plain numbers"),
        (["a", "a", "a"], "is 'a' in every row; name another column"),
    ],
)
def test_a_target_that_is_no_class_is_refused(
    cells: list[str], problem: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(
        "x,y\n" + "".join(f"{n % 2},{y}\n" for n, y in enumerate(cells))
    )

    with pytest.raises(InputError, match=re.escape(f"column y: the target {problem}")):
        plan(tmp_path / "t.csv", "y", None, None)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        ("forest", "'forest' is unknown; choose one of random_forest"),
        ("lasso", "lasso does no classification; choose one of random_forest"),
    ],
)
def test_an_estimator_that_does_not_suit_is_refused(
    estimator: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        plan(write_table(tmp_path / "shops.csv"), "rating", estimator, None)


@pytest.mark.parametrize("estimator", CURATED)
def test_every_curated_estimator_makes_a_search(estimator: str, tmp_path: Path) -> None:
    for task in CURATED[estimator].estimators:
        target = "rating" if task == "classification" else "rent"
        start = plan(write_table(tmp_path / "shops.csv"), target, estimator, None)
        spec = spec_of(start, tmp_path)
        assert spec.task == task
        for axis, curated in zip(spec.axes, start.curated.axes, strict=True):
            assert len({axis.parse(value) for value in curated.values}) == len(curated.values)


def test_every_field_is_described(tmp_path: Path) -> None:
    text = describe(plan(write_table(tmp_path / "shops.csv"), "rent", None, None))

    for name in HyperparameterSearch.model_fields:
        assert f"\n  {name}:" in text or f"\n  # {name}:" in text, name


def test_the_readme_says_how_to_open_the_results_in_dagster(tmp_path: Path) -> None:
    start = plan(write_table(tmp_path / "shops.csv"), "-1", None, None)
    readme = project_files(start)["README.md"].decode()

    assert "Predicts the column `-1` of `data/shops.csv`" in readme
    assert '`DAGSTER_HOME="$PWD/.dagster" dg dev`' in readme


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    table = write_table(tmp_path / "shops.csv")
    project = tmp_path / "project"
    project.mkdir()
    (project / "README.md").write_text("mine")

    with pytest.raises(InputError, match=r"README\.md exists, and nothing is overwritten"):
        write_project(table, "rent", project, None, None)
    assert [path.name for path in project.iterdir()] == ["README.md"]


def grow(table: Path) -> None:
    with table.open("a") as file:
        file.write(table.read_text().splitlines()[-1] + "\n")


def make_pipe(table: Path) -> None:
    table.unlink()
    os.mkfifo(table)


def fail(_: Path) -> None:
    raise OSError(errno.EIO, "Input/output error")


def interrupt(_: Path) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("happen", "problem"),
    [
        (grow, r"shops\.csv has changed while it was copied; repeat"),
        (make_pipe, r"shops\.csv cannot be read: it is a named pipe"),
        (Path.unlink, r"shops\.csv cannot be read: No such file"),
        (fail, r"shops\.csv cannot be read: Input/output error"),
        (interrupt, "^$"),
    ],
)
def test_without_its_table_no_project_is_written(
    happen: Callable[[Path], None],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever happens between the plan and the end of the copy; then it is repeated."""
    table, project = write_table(tmp_path / "shops.csv"), tmp_path / "new" / "project"

    def open_late(path: Path, limit: int) -> object:
        happen(path)
        return open_regular(path, limit)

    with monkeypatch.context() as patch:
        patch.setattr(init, "open_regular", open_late)
        with pytest.raises((InputError, KeyboardInterrupt), match=problem):
            write_project(table, "rent", project, None, None)
    assert not (tmp_path / "new").exists()

    table.unlink(missing_ok=True)
    write_table(table)
    write_project(table, "rent", project, None, None)
    assert (project / "data" / "shops.csv").read_bytes() == table.read_bytes()


def test_a_table_without_room_leaves_no_project(tmp_path: Path) -> None:
    table = write_table(tmp_path / "shops.csv", rows=2_000)
    project = tmp_path / "project"

    with files_of_at_most(50_000), pytest.raises(InputError, match=r"shops\.csv cannot be written"):
        write_project(table, "rent", project, None, None)
    assert not project.exists()

    write_project(table, "rent", project, None, None)
    assert (project / "data" / "shops.csv").read_bytes() == table.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("estimator", CURATED)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_curated_estimator_ends_in_a_leaderboard(estimator: str, tmp_path: Path) -> None:
    """The first and the last candidate, on texts, missing values and dates."""
    table = write_table(tmp_path / "shops.csv")
    for task in CURATED[estimator].estimators:
        start = plan(table, "rating" if task == "classification" else "rent", estimator, None)
        few = {"settings": {"n_estimators": 5}} if "n_estimators" in start.curated.settings else {}
        spec = spec_of(start, tmp_path, folds=3, repeats=1, **few)
        dataset = read_dataset(table, spec.layout, task, mixed=True)
        store = open_store(str(tmp_path / task))
        card, files = divide(dataset, spec.division())
        write_split(store, card, files)
        examples = read_examples(store, card, task)
        objective = spec.make_objective(seed=card.seed, kinds=dataset.kinds)
        scored: list[Scored] = []
        for end in (0, -1):
            values = [axis.values[end] for axis in start.curated.axes]
            candidate = spec.space.candidate(
                [axis.parse(value) for axis, value in zip(spec.axes, values, strict=True)]
            )
            parameters = spec.space.parameters(candidate)
            with threadpool_limits(1):
                model = objective.train(parameters, examples.features, examples.target)
                scored.append(Scored(candidate, objective.score(model, parameters, examples)))
        rows = leaderboard(select(scored, spec.space, spec.scorings.name, "cv"))
        assert len({row["candidate"] for row in rows}) == 2
        assert rows[0]["champion"]


class TestTwoCommands:
    pytestmark: Sequence[pytest.MarkDecorator] = [pytest.mark.slow, *DAGSTERS_WARNINGS]

    @pytest.mark.parametrize(("shape", "target"), [("", "rent"), ("days", "sky"), ("birds", "sex")])
    def test_from_a_table_to_a_leaderboard(self, shape: str, target: str, tmp_path: Path) -> None:
        SHAPES[shape](tmp_path / "shops.csv")
        made = call(
            tmp_path, "init", "shops.csv", "--target", target, "--estimator", "decision_tree"
        )
        assert made.code == 0, made.err
        assert "cd shops && " in made.out

        answer = YamlProject(tmp_path / "shops").call("run", "--jobs", "1")
        assert answer.code == 0, answer.err
        assert "16 trained" in answer.out
        assert len(YamlProject(tmp_path / "shops").leaderboard("shops")) == 16
