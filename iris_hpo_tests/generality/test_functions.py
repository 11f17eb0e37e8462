"""Functions and programs as searches of a project: the examples, through command and Dagster."""

import csv
import io
import json
import math
import pickle
import zipfile
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
from sklearn.datasets import load_wine

from iris_hpo.orchestration.record import latest_metadata
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, Answer, YamlProject, run_jobs
from iris_hpo_tests.ticks import evaluate_tick

pytestmark = DAGSTERS_WARNINGS

SERIAL = ("--engine", "serial")


def branin_of(x1: float, x2: float) -> float:
    bowl = x2 - 5.1 / (4 * math.pi**2) * x1**2 + 5 / math.pi * x1 - 6
    return bowl**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x1) + 10


@pytest.fixture
def branin(project: YamlProject) -> YamlProject:
    project.copy_examples("branin")
    return project


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[YamlProject, Answer]:
    """A project in which the search was run, and what the run said."""
    project = YamlProject.create(tmp_path_factory.mktemp("branin") / "project")
    project.copy_examples("branin")
    return project, project.call("run", "--search", "branin", *SERIAL)


@pytest.fixture
def searched(first: tuple[YamlProject, Answer], tmp_path: Path) -> YamlProject:
    """A copy of a project in which the search was run."""
    return first[0].copy(tmp_path / "copy")


class TestBranin:
    @pytest.mark.slow
    def test_the_least_is_the_best_and_numbers_are_shown_as_they_are(
        self, first: tuple[YamlProject, Answer]
    ) -> None:
        branin, answer = first
        again = branin.run("branin")

        assert (answer.code, answer.err) == (0, "")
        assert "25 trained, 0 reused, 0 failed" in answer.out
        assert (again["trained"], again["reused"]) == (0, 25)
        rows = branin.leaderboard("branin")
        scores = [float(row["score"]) for row in rows]
        assert scores == [branin_of(float(row["param_x1"]), float(row["param_x2"])) for row in rows]
        assert scores == pytest.approx(sorted(scores))
        key = rows[0]["candidate"]
        assert (again["champion"], again["score"]) == (key, scores[0])
        assert again["estimate"] is None
        lines = [" ".join(line.split()) for line in answer.out.splitlines()]
        assert f"champion {key}: no estimate: the objective scores itself, and shows no" in (
            answer.out
        )
        assert "height 0.397887 is the least score that the objective gave" in lines
        assert "rank candidate height" in lines
        assert f"1 {key} 0.397887 champion" in lines
        shown = branin.call("leaderboard", "--search", "branin", "--format", "json")
        assert [row["score"] for row in json.loads(shown.out)] == scores
        assert shown.err == ""  # and no note that the selection is out of date
        with (branin.selection("branin") / "champion.pkl").open("rb") as file:
            assert pickle.load(file) == scores[0]

    @pytest.mark.slow
    def test_dagster_shows_it(self, branin: YamlProject) -> None:
        defs = branin.load()

        with branin.code_location() as instance:
            run_jobs(defs, instance, "branin", "serial")
            selected = latest_metadata(instance, dg.AssetKey(["branin", "selection"]))
            split = latest_metadata(instance, dg.AssetKey(["branin", "split"]))
            score = latest_metadata(instance, dg.AssetKey(["branin", "scores"]))

        assert float(str(selected["score"].value)) == pytest.approx(0.397887, abs=1e-6)
        assert selected["rule"].value == "own_score"
        assert "heatmap" in selected
        assert split["notes"].value == ["the search has no table"]
        assert "height" in score
        graph = defs.resolve_asset_graph()
        models = graph.get(dg.AssetKey(["branin", "models"])).description
        assert str(models).startswith("What one branin per candidate gives")

    @pytest.mark.slow
    def test_an_edit_makes_exactly_its_results_out_of_date(self, searched: YamlProject) -> None:
        before = searched.files("branin")
        cursor = tick(searched, "parameter_files", None).cursor
        assert "the search has no table" in str(tick(searched, "raw_data", None).skip_message)
        assert "nothing new" in str(tick(searched, "parameter_files", cursor).skip_message)

        module = searched.root / "functions.py"
        module.write_text(module.read_text() + "# edited\n")

        assert len(tick(searched, "parameter_files", cursor).run_requests) == 1
        assert scores_of_status(searched)["out of date"] == 25
        assert searched.run("branin")["trained"] == 25
        after = searched.files("branin")
        name = "selection/leaderboard.csv"
        assert after[name][1] == before[name][1]

    @pytest.mark.slow
    def test_the_direction_selects_again_and_calls_nothing(self, searched: YamlProject) -> None:
        path = searched.root / "defs" / "branin" / "defs.yaml"
        path.write_text(path.read_text().replace("direction: minimize", "direction: maximize"))

        turned = searched.run("branin")

        assert turned["trained"] == 0
        assert turned["score"] == max(float(row["score"]) for row in searched.leaderboard("branin"))

    @pytest.mark.slow
    def test_with_a_version_a_comment_changes_nothing(self, branin: YamlProject) -> None:
        path = branin.root / "defs" / "branin" / "defs.yaml"
        text = path.read_text()
        path.write_text(text.replace("    metric:", "    version: '1'\n    metric:"))
        branin.run("branin")
        module = branin.root / "functions.py"
        module.write_text(module.read_text() + "# edited\n")

        assert scores_of_status(branin)["up to date"] == 25
        path.write_text(text.replace("    metric:", "    version: '2'\n    metric:"))
        assert scores_of_status(branin)["out of date"] == 25

    @pytest.mark.slow
    def test_it_predicts_nothing(self, searched: YamlProject) -> None:
        answer = searched.call("predict", "--search", "branin", "functions.py")

        assert answer.code == 2
        assert "its champion is no model; the search has no table with rows to" in answer.err

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--rule", "cv"), "the objective scores itself, so the rule is 'own_score'"),
            (("--rule", "test_score"), "the objective scores itself, so the rule is 'own_score'"),
            (("--refit", "all"), "the objective scores itself and gives no model"),
            (("--metric", "f1"), "the objective scores itself and gives no model"),
        ],
    )
    def test_settings_of_models_are_refused(
        self, branin: YamlProject, arguments: tuple[str, ...], message: str
    ) -> None:
        answer = branin.call("run", "--search", "branin", *SERIAL, *arguments)

        assert answer.code == 2
        assert message in answer.err


def tick(project: YamlProject, sensor: str, cursor: str | None) -> Any:
    defs = project.load()
    with project.code_location() as instance:
        return evaluate_tick(defs, instance, f"branin_{sensor}_sensor", cursor)


def scores_of_status(project: YamlProject, search: str = "branin") -> dict[str, int]:
    answer = project.call("status", "--search", search, "--json")
    counts: dict[str, int] = json.loads(answer.out)["assets"]["scores"]
    return counts


@pytest.mark.slow
def test_an_objective_of_optuna_runs_as_it_is(project: YamlProject) -> None:
    project.copy_examples("descend")

    outcome = project.run("descend")

    assert outcome["trained"] == 12
    key = outcome["champion"]
    archive = project.selection("descend") / "models" / f"model_{key}.zip"
    with zipfile.ZipFile(archive) as files:
        attributes = json.loads(files.read("user_attrs.json"))
        steps = list(csv.DictReader(io.StringIO(files.read("steps.csv").decode())))
    assert abs(attributes["place"]) == outcome["score"] == float(steps[-1]["value"])
    other = next(row["candidate"] for row in project.leaderboard("descend")[1:])
    assert (project.artifacts("descend") / "models" / f"model_{other}.zip").is_file()
    assert not archive.with_name(f"model_{other}.zip").exists()


@pytest.mark.slow
def test_names_that_do_not_fit_the_axes_are_one_message(project: YamlProject) -> None:
    project.copy_examples("descend")
    module = project.root / "functions.py"
    module.write_text(module.read_text().replace('suggest_int("steps"', 'suggest_int("epochs"'))

    answer = project.call("run", "--search", "descend", "--quiet", *SERIAL)

    assert answer.code == 2
    assert answer.err.count("the objective asks for 'epochs', which no axis searches") == 1
    assert len(answer.err.splitlines()) == 1


@pytest.mark.slow
def test_a_program_of_awk_scores_wine(project: YamlProject) -> None:
    project.copy_examples("centres")
    load_wine(as_frame=True).frame.rename(columns={"target": "grower"}).to_csv(
        project.root / "data" / "wine.csv", index=False
    )

    outcome = project.run("centres")

    assert outcome["trained"] == 4
    split = project.artifacts("centres") / "split"
    train, test = (np.loadtxt(split / f"{name}.csv", delimiter=",", skiprows=1) for name in PARTS)
    for row in project.leaderboard("centres"):
        right = hits(train[:, 1:], test[:, 1:], float(row["param_power"]))
        assert float(row["score"]) == pytest.approx(right / len(test))
        assert int(float(row["errors"])) == len(test) - right
    answer = project.call("predict", "--search", "centres", "data/wine.csv")
    assert "its champion is no model; name a function that predicts with the files" in answer.err
    log = project.selection("centres") / "models" / f"model_{outcome['champion']}.txt"
    assert "the centres of 4 lines are stored" in log.read_text()
    program = project.root / "programs" / "score.awk"
    program.write_text(program.read_text() + "# edited\n")
    assert scores_of_status(project, "centres")["out of date"] == 4


PARTS = ("train", "test")


def hits(train: np.ndarray, test: np.ndarray, power: float) -> int:
    features, target = train[:, :-1], train[:, -1]
    scale = features.std(axis=0) ** power
    labels = np.unique(target)
    centres = np.array([features[target == label].mean(axis=0) for label in labels])
    distances = np.linalg.norm((test[:, None, :-1] - centres) / scale, axis=2)
    return int((labels[distances.argmin(axis=1)] == test[:, -1]).sum())


@pytest.mark.slow
def test_an_estimator_that_a_function_returns_is_selected_and_predicts(
    project: YamlProject,
) -> None:
    load_wine(as_frame=True).frame.to_csv(project.root / "data" / "wine.csv", index=False)
    (project.root / "trees.py").write_text(
        "from sklearn.tree import DecisionTreeClassifier\n\n\n"
        "def tree(trial):\n"
        "    train = trial.data.train\n"
        "    model = DecisionTreeClassifier(random_state=trial.seed, **trial.parameters)\n"
        "    return model.fit(train.drop(columns='target'), train['target'])\n"
    )
    project.write_values("trees", max_depth=[1, 3])
    project.write_search(
        "trees",
        data_file="wine.csv",
        objective={"function": "trees:tree", "task": "classification"},
        scoring="balanced_accuracy",
        axes=[{"name": "max_depth", "symbol": "D", "type": "int"}],
        folds=3,
    )

    outcome = project.run("trees")
    answer = project.call("predict", "--search", "trees", "data/wine.csv")

    assert outcome["champion"] == "D3"
    assert outcome["estimate"] is not None
    assert outcome["refit"] == "all"
    assert [each["name"] for each in outcome["references"]] == ["baseline"]
    labels = load_wine().target
    assert (answer.code, answer.err) == (0, "")
    assert np.mean(np.array(answer.out.split(), dtype=int) == labels) > 0.9


@pytest.mark.slow
def test_a_function_predicts_with_the_files_of_the_champion(project: YamlProject) -> None:
    rows = [["colour", "size"], *(["red", 1.0], ["blue", 3.0], ["", 3.5], ["red", 1.5]) * 10]
    project.write_data("sizes.csv", rows)
    (project.root / "means.py").write_text(
        "import json\n\n\n"
        "def fit(trial):\n"
        "    train = trial.data.train\n"
        "    means = train.groupby('colour', observed=True)['size'].mean()\n"
        "    (trial.folder / 'means.json').write_text(json.dumps(means.to_dict()))\n"
        "    return -abs(trial.parameters['shift'])\n\n\n"
        "def predict(rows, folder):\n"
        "    means = json.loads((folder / 'means.json').read_text())\n"
        "    return [means.get(colour, -1.0) for colour in rows['colour']]\n"
    )
    project.write_values("means", shift=[0.0, 1.0])
    objective = {"function": "means:fit", "predict": "means:predict"}
    axes = [{"name": "shift", "symbol": "S"}]
    project.write_search("means", data_file="sizes.csv", objective=objective, axes=axes)
    project.write_data("new.csv", [["colour"], ["blue"], ["red"], ["green"]])

    outcome = project.run("means")
    answer = project.call("predict", "--search", "means", "data/new.csv")

    assert outcome["champion"] == "S0.0"
    assert (answer.code, answer.err) == (0, "")
    assert [float(line) for line in answer.out.split()] == [3.0, pytest.approx(1.25, abs=0.2), -1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("objective", "line", "message"),
    [
        ({"function": "functions:none"}, "function:", "cannot be imported"),
        ({"function": "functions"}, "function: functions", "write package.module:name"),
        ({"function": "functions.branin"}, "function: functions.", "write functions:branin"),
        ({"function": "functions:branin", "use": "a.B"}, "use: a.B", "give one of function"),
        ({"metric": "height"}, "objective:", "give one of function, command and use"),
        ({"use": "a.B", "metric": "height"}, "metric: height", "metric is no field beside use"),
        (
            {"function": "functions:branin", "time_limit": 1.0},
            "time_limit: 1.0",
            "time_limit is no field beside function",
        ),
        ({"function": "functions:branin", "direction": "down"}, "direction: down", "minimize"),
        ({"function": "functions:descend", "settings": {"a": 1}}, "objective:", "argument 'a'"),
        ({"command": ["sh", "{none}"]}, "command:", "{none}, which names nothing"),
        ({"command": ["sh"], "inputs": ["no"]}, "inputs:", "input 'no' of the objective"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_written(
    project: YamlProject, objective: dict[str, object], line: str, message: str
) -> None:
    project.copy_examples("branin")
    axes = [{"name": name, "symbol": name.upper()} for name in ("x", "y")]
    project.write_search("branin", data_file="wine.csv", objective=objective, axes=axes)

    answer = project.call("status", "--search", "branin")

    assert answer.code == 2
    assert message in answer.err
    lines = answer.err.splitlines()
    marked = next(at for at, each in enumerate(lines) if "^" in each)
    assert line in lines[marked - 1], "the line of the YAML is marked"
    assert "Traceback" not in answer.err


@pytest.mark.slow
def test_rows_that_are_not_there_are_not_divided(branin: YamlProject) -> None:
    answer = branin.call("run", "--search", "branin", *SERIAL, "--folds", "3")
    path = branin.root / "defs" / "branin" / "defs.yaml"
    before = path.read_text()
    path.write_text(before + "  test_size: 0.3\n")
    written = branin.call("status", "--search", "branin")
    path.write_text(before + "  splitter: shuffled\n")
    split = branin.call("status", "--search", "branin")

    assert (answer.code, written.code, split.code) == (2, 2, 2)
    assert "splitter: the search has no table; leave splitter out" in split.err
    assert "folds 3: the search has no table, so there are no rows to divide" in answer.err
    assert "test_size 0.3: the search has no table" in written.err
    assert "test_size: 0.3" in written.err, "the line of the YAML is shown"


@pytest.mark.slow
def test_a_table_is_needed_for_an_estimator(project: YamlProject) -> None:
    project.write_search("none", estimator="sklearn.svm.SVC", axes=[{"name": "C", "symbol": "C"}])

    answer = project.call("status", "--search", "none")

    assert answer.code == 2
    assert "Field required: data_file" in answer.err
