"""An objective of a user's own, named in YAML: the code of docs/extending.md, in a whole search."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sklearn.datasets import load_wine

from iris_hpo.orchestration.record import latest_metadata
from iris_hpo.training.origin import Origin
from iris_hpo_tests.generality.test_extending import blocks
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject, run_jobs
from iris_hpo_tests.ticks import evaluate_tick

pytestmark = DAGSTERS_WARNINGS

SERIAL = ("--engine", "serial")
FAILS = """\
from iris_hpo.training.evaluation import Evaluation


class Fails:
    task = "classification"
    scoring = "hits"

    def identity(self):
        return {}

    def train(self, parameters, features, target):
        if parameters["power"] == 1:
            raise RuntimeError("diverged")
        return (lambda: 1) if parameters["power"] == 2 else {"power": parameters["power"]}

    def score(self, model, parameters, examples):
        return Evaluation({3: float("nan"), 4: None}.get(parameters["power"], 0.5))
"""


def write_search(project: YamlProject, **attributes: object) -> None:
    load_wine(as_frame=True).frame.to_csv(project.root / "data" / "wine.csv", index=False)
    (project.root / "own_parts.py").write_text("\n\n".join(blocks("python")))
    project.write_values("centre", power=[0.0, 0.5, 1.0])
    project.write_search(
        "centre",
        **{
            "data_file": "wine.csv",
            "objective": "own_parts.NearestCentre",
            "axes": [{"name": "power", "symbol": "P"}],
            "folds": 2,
            **attributes,
        },
    )


@pytest.fixture(scope="module")
def _searched(tmp_path_factory: pytest.TempPathFactory) -> YamlProject:
    project = YamlProject.create(tmp_path_factory.mktemp("objective") / "project")
    write_search(project)
    assert project.run("centre")["trained"] == 3
    return project


@pytest.fixture
def searched(_searched: YamlProject, tmp_path: Path) -> YamlProject:
    """A copy of a project in which the search was run."""
    return _searched.copy(tmp_path / "copy")


def results_of(project: YamlProject) -> dict[str, bytes]:
    names = (
        *(f"models/model_P{power}.pkl" for power in (0.0, 0.5, 1.0)),
        "selection/leaderboard.csv",
        "selection/champion.pkl",
    )
    return {name: (project.artifacts("centre") / name).read_bytes() for name in names}


def test_a_search_runs_with_it_and_its_champion_predicts(searched: YamlProject) -> None:
    again = searched.run("centre")
    rows = load_wine(as_frame=True).frame.drop(columns="target").head(3)
    rows.to_csv(searched.root / "rows.csv", index=False)
    answer = searched.call("predict", "--search", "centre", "rows.csv")

    assert again["reused"] == 3
    best = searched.leaderboard("centre")[0]
    assert best["champion"] == "true"
    assert 0.6 < float(best["score"]) < 1.0
    assert 0.6 < float(best["cv_mean"]) < 1.0
    assert "correct" not in best
    assert (answer.code, answer.err, answer.out.split()) == (0, "", ["0", "0", "0"])


def test_a_champion_that_cannot_predict_is_one_message(
    searched: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would be refused before; what compiled code or a file changes is not seen.
    monkeypatch.setattr(Origin, "check_made_with", lambda *_: None)
    module = searched.root / "own_parts.py"
    module.write_text(
        module.read_text().replace("def predict(", "def predict(self): ...\n    def p(")
    )

    answer = searched.call("predict", "--search", "centre", "data/wine.csv")

    assert answer.code == 2
    assert "the champion cannot predict these rows: TypeError: " in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.slow
def test_worker_processes_import_it_and_give_the_same(project: YamlProject, tmp_path: Path) -> None:
    write_search(project)
    other = YamlProject.create(tmp_path / "other")
    write_search(other)
    project.run("centre")

    answer = other.tool("iris-hpo", "run", "--search", "centre", "--engine", "loky", "--jobs", "2")

    assert answer.code == 0, answer.out
    assert results_of(other) == results_of(project)


def test_a_run_of_dagsters_uses_it(project: YamlProject) -> None:
    write_search(project, engine="serial")
    defs = project.load()

    with project.code_location() as instance:
        run_jobs(defs, instance, "centre")
        selected = latest_metadata(instance, dg.AssetKey(["centre", "selection"]))

    assert selected["scored"].value == 3
    spec = defs.resolve_asset_graph().get(dg.AssetKey(["centre", "models"]))
    assert str(spec.description).startswith("One NearestCentre per candidate")
    assert "scikitlearn" not in spec.kinds


def test_an_edit_of_it_makes_its_results_out_of_date(searched: YamlProject) -> None:
    cursor = tick(searched, None).cursor
    assert "nothing new" in str(tick(searched, cursor).skip_message)

    module = searched.root / "own_parts.py"
    module.write_text(module.read_text() + "# edited\n")

    (request,) = tick(searched, cursor).run_requests
    assert request.tags["dagster/asset_partition_range_end"] == "P1.0"
    status = searched.call("status", "--search", "centre").out
    assert ["models", "0", "0", "3", "0"] in [line.split() for line in status.splitlines()]
    assert searched.run("centre")["trained"] == 3


def test_what_fails_is_its_candidate_or_its_rule(project: YamlProject) -> None:
    write_search(project, objective="own.Fails", rule="test_score")
    (project.root / "own.py").write_text(FAILS)
    project.write_values("centre", power=[1, 2, 3, 4, 5])

    answer = project.call("run", "--search", "centre", "--quiet", *SERIAL)

    assert answer.code == 1
    assert "Traceback" not in answer.err
    for reason in (
        "P1.0: training failed: RuntimeError: diverged",
        "P2.0: storing the model failed: AttributeError: Can't pickle local object",
        "P3.0: the score on the test rows is nan, which is no score",
        "P4.0: scoring failed: TypeError: the score on the test rows is None, which is no number",
    ):
        assert reason in answer.out + answer.err
    assert [row["candidate"] for row in project.leaderboard("centre")] == ["P5.0"]

    (project.root / "rows.csv").write_text((project.root / "data" / "wine.csv").read_text())
    answer = project.call("predict", "--search", "centre", "rows.csv")
    assert answer.code == 2
    assert "the champion is a dict without a method predict" in answer.err
    assert "Traceback" not in answer.err

    # A rule over folds needs fold scores.
    write_search(project, objective="own.Fails")
    project.write_values("centre", power=[5])
    answer = project.call("run", "--search", "centre", "--quiet", *SERIAL)
    assert answer.code == 2
    assert "P5.0 has no fold scores" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("attributes", "line", "message"),
    [
        ({"estimator": "sklearn.svm.SVC"}, "objective: own", "either an estimator or steps, or an"),
        (
            {"steps": [{"estimator": "sklearn.svm.SVC"}]},
            "objective: own",
            "either an estimator or steps, or an objective",
        ),
        ({"objective": ""}, "attributes:", "either an estimator or steps, or an objective"),
        ({"objective": "network"}, "objective: network", "objective 'network' is unknown"),
        ({"objective": "own_parts.Page"}, "own_parts.Page", "identity and train and score is need"),
        ({"objective": "estimator"}, "objective: estimator", "is named in the field estimator"),
        (
            {"objective": {"use": "own_parts.NearestCentre", "settings": {"depth": 1}}},
            "depth: 1",
            "refuses its settings",
        ),
        ({"settings": {"depth": 1}}, "settings:", "settings are those of the estimator"),
        ({"scoring": "accuracy"}, "scoring: accuracy", "has its own, 'hits'; leave this out"),
        (
            {"choices": [{"name": "power", "default": 1, "options": [1, 2]}]},
            "choices:",
            "choices are settings of an estimator",
        ),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_written(
    project: YamlProject, attributes: dict[str, object], line: str, message: str
) -> None:
    write_search(project, **attributes)

    answer = project.call("status", "--search", "centre")

    assert answer.code == 2
    assert message in answer.err
    assert line in answer.err, "the line of the YAML is shown"
    assert "Traceback" not in answer.err


def test_a_run_cannot_set_what_it_has_not(project: YamlProject) -> None:
    write_search(project)

    answer = project.call("run", "--search", "centre", "--set", "power=1", *SERIAL)

    assert answer.code == 2
    assert "this search has no choice 'power'; it has none" in answer.err


def tick(project: YamlProject, cursor: str | None) -> Any:
    defs = project.load()
    with project.code_location() as instance:
        return evaluate_tick(defs, instance, "centre_parameter_files_sensor", cursor)
