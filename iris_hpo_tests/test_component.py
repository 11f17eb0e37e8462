"""The component `iris_hpo.HyperparameterSearch`: what it makes, its documentation, and `dg`."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sklearn.ensemble import RandomForestClassifier

from iris_hpo import HyperparameterSearch
from iris_hpo.command.project import find_search
from iris_hpo.component.fields import AxisFields, ChoiceFields, StepFields
from iris_hpo.data.columns import Layout
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.space.axes import Axis
from iris_hpo.spec import SearchSpec
from iris_hpo.training.choices import Choice
from iris_hpo.training.estimators import Step
from iris_hpo_tests.generality.searches import FOREST, PIPELINE, line_of
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, Answer, YamlProject, finish

pytestmark = DAGSTERS_WARNINGS

FOREST_PARAMETERS = ", ".join(sorted(RandomForestClassifier().get_params()))


@pytest.fixture
def project(tmp_path: Path) -> YamlProject:
    """A project with values for the axes `n_estimators` and `depth`, and no search."""
    made = YamlProject.create(tmp_path / "project")
    made.write_values("wine", n_estimators=[2, 4], depth=["none", 3])
    return made


def test_every_field_reaches_the_spec(project: YamlProject) -> None:
    text = FOREST + (
        "  header: true\n  parameters_folder: parameters/wine\n  stratify: false\n"
        "  max_candidates: 10\n  description: Wines of three growers.\n"
    )
    project.write_yaml("wine", text)
    with project.entered():
        spec = find_search("wine", project.root)
    assert spec == SearchSpec(
        name="wine",
        home=project.root,
        data_file="wine.csv",
        axes=(
            Axis("n_estimators", "N", type="int", positive=True),
            Axis("depth", "D", "max_depth", "int", nullable=True),
        ),
        steps=(
            Step(
                "sklearn.ensemble.RandomForestClassifier",
                {"max_features": "sqrt", "oob_score": False},
            ),
        ),
        parameters_folder="parameters/wine",
        choices=(Choice("criterion", "gini", ("gini", "entropy")),),
        layout=Layout("grower", header=True),
        split=SplitSettings(0.25, seed=1, folds=3, stratify=False),
        scoring="accuracy",
        rule="cv",
        max_candidates=10,
        description="Wines of three growers.",
    )


def test_what_is_left_out_has_the_defaults_of_the_spec(project: YamlProject) -> None:
    project.write_yaml("wine", PIPELINE)
    with project.entered():
        spec = find_search("wine", project.root)
    assert spec == SearchSpec(
        "wine",
        project.root,
        "wine.csv",
        (Axis("n_estimators", "N", "svc__C"), Axis("depth", "D", "svc__gamma")),
        (
            Step("sklearn.preprocessing.StandardScaler", {"with_std": True}),
            Step("sklearn.svm.SVC"),
        ),
    )
    assert (spec.scoring, spec.rule, spec.split) == ("accuracy", None, SplitSettings())


def test_an_asset_may_be_the_data(project: YamlProject) -> None:
    project.write_yaml(
        "wine", PIPELINE.replace("data_file: wine.csv", "data: {asset: warehouse/features}")
    )
    with project.entered():
        spec = find_search("wine", project.root)
    assert (spec.data_file, spec.data_asset) == ("", "warehouse/features")


def test_yaml_and_python_make_the_same_definitions(project: YamlProject) -> None:
    project.write_yaml("wine", PIPELINE)
    from_yaml = project.load()
    component = HyperparameterSearch(
        name="wine",
        data_file="wine.csv",
        steps=[
            StepFields(
                estimator="sklearn.preprocessing.StandardScaler", settings={"with_std": True}
            ),
            StepFields(estimator="sklearn.svm.SVC"),
        ],
        axes=[
            AxisFields(name="n_estimators", symbol="N", parameter="svc__C"),
            AxisFields(name="depth", symbol="D", parameter="svc__gamma"),
        ],
    )
    with project.entered():
        in_python = dg.build_defs_for_component(component)

    def names(defs: dg.Definitions) -> dict[str, object]:
        graph = defs.resolve_asset_graph()
        keys = graph.get_all_asset_keys()
        return {
            "assets": {
                key.to_user_string(): (graph.get(key).description, graph.get(key).code_version)
                for key in keys
            },
            "jobs": {job.name for job in defs.resolve_all_job_defs()},
            "sensors": {sensor.name for sensor in defs.sensors or ()},
        }

    assert names(from_yaml) == names(in_python)


def test_two_documents_of_a_file_are_two_searches(project: YamlProject) -> None:
    project.write_values("grape", n_estimators=[1], depth=[1])
    second = PIPELINE.replace("name: wine", "name: grape")
    project.write_yaml("wine", f"{PIPELINE}---\n{second}")
    keys = project.load().resolve_asset_graph().get_all_asset_keys()
    assert {key.path[0] for key in keys} == {"wine", "grape"}


def test_it_is_documented() -> None:
    description = str(HyperparameterSearch.get_description())
    assert description.startswith("Tune the hyperparameters of a scikit-learn estimator")
    assert "`<axis>_parameters*.txt`, one value a line" in description
    spec = HyperparameterSearch.get_spec()
    assert set(spec.produces) == {"asset", "asset_check", "job", "sensor"}


@pytest.mark.parametrize("fields", [HyperparameterSearch, AxisFields, StepFields, ChoiceFields])
def test_every_field_is_explained_in_the_schema(fields: Any) -> None:
    schema = fields.model_json_schema()
    assert schema["additionalProperties"] is False
    for name, one in schema["properties"].items():
        assert one.get("description"), f"{name} is not explained"
    assert schema["description"]


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer, Path, Answer]:
    """What `dg check defs` says of a YAML against the schema, and of one that cannot work.

    `test_component_refusals.py` loads such files as it does, in this process.
    """
    started = []
    for name, text in (
        (
            "schema",
            FOREST.replace("rule: cv", "rule: best").replace("  name: wine\n", "") + "  fold: 3\n",
        ),
        ("meaning", FOREST.replace("max_depth", "depth_max")),
    ):
        project = YamlProject.create(tmp_path_factory.mktemp(name) / "project")
        project.write_values("wine", n_estimators=[2], depth=[3])
        path = project.write_yaml("wine", text)
        started.append((path, project.start("dg", "check", "defs")))
    (schema, first), (meaning, second) = started
    return schema, finish(first), meaning, finish(second)


@pytest.mark.slow
def test_dg_points_at_every_line_against_the_schema(
    checked: tuple[Path, Answer, Path, Answer],
) -> None:
    path, answer, _, _ = checked
    assert answer.code == 1
    text = path.read_text()
    kind = "iris_hpo.HyperparameterSearch"
    for line, message in (
        (
            line_of(text, "best"),
            (
                "attributes.rule 'best' is not one of ['test_score', 'cv', 'one_standard_error', "
                "'within', 'own_score']"
            ),
        ),
        (line_of(text, "attributes:"), "attributes 'name' is a required property"),
        (
            line_of(text, "fold: 3"),
            "attributes.fold Additional properties are not allowed ('fold' was unexpected)",
        ),
    ):
        assert f"{path}:{line} - {kind} {message}\n" in answer.out


@pytest.mark.slow
def test_dg_points_at_the_line_of_what_cannot_work(
    checked: tuple[Path, Answer, Path, Answer],
) -> None:
    _, _, path, answer = checked
    assert answer.code == 1
    line = line_of(path.read_text(), "depth_max")
    assert (
        f"SearchYamlError: {path}:{line} - attributes.axes.1.parameter RandomForestClassifier has "
        f"no parameter 'depth_max'; it has {FOREST_PARAMETERS}\n" in answer.out
    )
