"""What the component refuses: each with one message, and the line of the YAML it points at."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTreeException
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import get_scorer_names
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from iris_hpo import HyperparameterSearch
from iris_hpo.command.project import find_search
from iris_hpo.component.fields import AxisFields
from iris_hpo.component.places import SearchYamlError
from iris_hpo.data.checks import DATA_CHECKS, SPLIT_CHECKS
from iris_hpo.errors import InputError
from iris_hpo.selection.checks import CHECKS
from iris_hpo_tests.generality.searches import FOREST, PIPELINE, line_of
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject, cause_of

pytestmark = DAGSTERS_WARNINGS

FOREST_PARAMETERS = ", ".join(sorted(RandomForestClassifier().get_params()))
PIPELINE_PARAMETERS = ", ".join(sorted(make_pipeline(StandardScaler(), SVC()).get_params()))


@pytest.fixture
def project(tmp_path: Path) -> YamlProject:
    """A project with values for the axes `n_estimators` and `depth`, and no search."""
    made = YamlProject.create(tmp_path / "project")
    made.write_values("wine", n_estimators=[2, 4], depth=["none", 3])
    return made


@contextmanager
def validating() -> Iterator[None]:
    """Load as ``dg check defs`` does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_IS_DEFS_VALIDATION_CLI", "1")
        yield


def refusal(project: YamlProject, text: str) -> tuple[Path, str]:
    """The file of a search that cannot be used, and what is said."""
    path = project.write_yaml("wine", text)
    with validating(), pytest.raises(ComponentTreeException) as refused:
        project.load()
    return path, cause_of(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "field", "marker", "message"),
    [
        (
            "rule: cv",
            "rule: best",
            "rule",
            "best",
            "Input should be 'test_score', 'cv', 'one_standard_error', 'within' or 'own_score'",
        ),
        ("folds: 3", "fold: 3", "fold", "fold: 3", "Extra inputs are not permitted"),
        (
            "symbol: D",
            "sign: D",
            "axes.1.symbol",
            "name: depth",
            "Field required",
        ),
        (
            "symbol: D",
            "symbol: D\n      logarithmic: true",
            "axes.1.logarithmic",
            "logarithmic: true",
            "Extra inputs are not permitted",
        ),
        (
            "default: gini",
            "default: gini\n      value: gini",
            "choices.0.value",
            "value: gini",
            "Extra inputs are not permitted",
        ),
        ("  data_file: wine.csv\n", "", "data_file", "attributes:", "Field required"),
        ("data_file: wine.csv", "data: null", "data_file", "attributes:", "Field required"),
        (
            "data_file: wine.csv",
            "data: {asset: ''}",
            "data.asset",
            "data:",
            "String should have at least 1 character",
        ),
        ("data_file: wine.csv", "data: {table: a}", "data.asset", "data:", "Field required"),
        ("  name: wine\n", "", "name", "attributes:", "Field required"),
        (
            "folds: 3",
            "folds: three",
            "folds",
            "folds",
            "Input should be a valid integer",
        ),
        (
            "seed: 1",
            "max_candidates: 0",
            "max_candidates",
            "max_candidates",
            "Input should be greater than or equal to 1",
        ),
        (
            "options: [gini, entropy]",
            "options: [{}, entropy]",
            "choices.0.options.0.str",
            "options",
            "Input should be a valid string",
        ),
        (
            "options: [gini, entropy]",
            "options: []",
            "choices.0.options",
            "options",
            "List should have at least 1 item after validation, not 0",
        ),
        ("name: wine", "name: ''", "name", "name: ''", "String should have at least 1 character"),
    ],
)
def test_a_field_that_is_not_of_the_schema_is_refused_with_its_line(
    project: YamlProject, old: str, new: str, field: str, marker: str, message: str
) -> None:
    assert FOREST.count(old) == 1
    text = FOREST.replace(old, new)
    path, said = refusal(project, text)
    assert f"`attributes.{field} at {path}:{line_of(text, marker)}`\n  {message} [" in said


def test_missing_axes_are_refused(project: YamlProject) -> None:
    for axes, message in (
        ("", "Field required"),
        ("  axes: []\n", "List should have at least 1 item after validation, not 0"),
    ):
        text = re.sub(r"  axes:\n(    .*\n)+", axes, FOREST)
        path, said = refusal(project, text)
        line = line_of(text, "axes:" if axes else "attributes:")
        assert f"`attributes.axes at {path}:{line}`\n  {message} [" in said


def test_missing_attributes_are_refused(project: YamlProject) -> None:
    path, said = refusal(project, "type: iris_hpo.HyperparameterSearch\n")
    assert f"{path}:1 - attributes the attributes are missing" in said


ESTIMATOR = "sklearn.ensemble.RandomForestClassifier"


@pytest.mark.parametrize(
    ("old", "new", "field", "marker", "message"),
    [
        # The estimator
        (
            ESTIMATOR,
            "sklearn.ensemble.Forest",
            "estimator",
            "Forest",
            (
                "the estimator 'sklearn.ensemble.Forest' cannot be imported (module "
                "'sklearn.ensemble' has no attribute 'Forest'); give the path of a class, such as "
                "sklearn.svm.SVC"
            ),
        ),
        (
            ESTIMATOR,
            "slearn.svm.SVC",
            "estimator",
            "slearn",
            (
                "the estimator 'slearn.svm.SVC' cannot be imported (No module named 'slearn'); "
                "give the path of a class, such as sklearn.svm.SVC"
            ),
        ),
        (
            ESTIMATOR,
            "sklearn.pipeline.make_pipeline",
            "estimator",
            "make_pipeline",
            (
                "'sklearn.pipeline.make_pipeline' is neither a scikit-learn estimator class nor "
                "one with fit and predict"
            ),
        ),
        (
            "oob_score: false",
            "bag: false",
            "settings.bag",
            "bag",
            f"RandomForestClassifier has no setting 'bag'; it has {FOREST_PARAMETERS}",
        ),
        (
            f"  estimator: {ESTIMATOR}\n",
            "",
            "",
            "attributes:",
            "give either an estimator or steps, or an objective",
        ),
        (
            "  scoring",
            "  steps:\n    - estimator: sklearn.svm.SVC\n  scoring",
            "steps",
            "steps:",
            "give either an estimator or steps, or an objective",
        ),
        # Axes
        (
            "      type: int\n      positive",
            "      type: integer\n      positive",
            "axes.0.type",
            "integer",
            (
                "axis 'n_estimators': type 'integer' is unknown; use one of float, int, str, bool, "
                "tuple"
            ),
        ),
        (
            "      type: int\n      positive",
            "      type: [int, date]\n      positive",
            "axes.0.type",
            "date",
            "axis 'n_estimators': type 'date' is unknown; use one of float, int, str, bool, tuple",
        ),
        (
            "      type: int\n      positive",
            "      type: []\n      positive",
            "axes.0.type",
            "type: []",
            "axis 'n_estimators': no type is given; use one of float, int, str, bool, tuple",
        ),
        (
            "parameter: max_depth",
            "parameter: depth_max",
            "axes.1.parameter",
            "depth_max",
            f"RandomForestClassifier has no parameter 'depth_max'; it has {FOREST_PARAMETERS}",
        ),
        (
            "      parameter: max_depth\n",
            "",
            "axes.1",
            "name: depth",
            f"RandomForestClassifier has no parameter 'depth'; it has {FOREST_PARAMETERS}",
        ),
        (
            "parameter: max_depth",
            "parameter: max_features",
            "axes.1.parameter",
            "parameter: max_features",
            "axis 'depth' searches 'max_features', which the settings fix too",
        ),
        (
            "name: depth",
            "name: N_Estimators",
            "axes.1.name",
            "N_Estimators",
            "two axes are named 'N_Estimators'; names must differ in more than case",
        ),
        (
            "parameter: max_depth",
            "parameter: n_estimators",
            "axes.1.parameter",
            "parameter: n_estimators",
            "axes 'n_estimators' and 'depth' both set the parameter 'n_estimators'",
        ),
        (
            "symbol: D",
            "symbol: N",
            "axes.1.symbol",
            "symbol: N",
            (
                "axes 'n_estimators' and 'depth': the symbols 'N' and 'N' could be confused in a "
                "key; choose symbols that do not begin alike"
            ),
        ),
        (
            "symbol: D",
            "symbol: nest",
            "axes.1.symbol",
            "nest",
            (
                "axes 'n_estimators' and 'depth': the symbols 'N' and 'nest' could be confused in "
                "a key; choose symbols that do not begin alike"
            ),
        ),
        (
            "symbol: D",
            "symbol: D1",
            "axes.1",
            "name: depth",
            "axis 'depth': symbol 'D1' must be 1 to 16 letters",
        ),
        (
            "name: depth",
            "name: max-depth",
            "axes.1",
            "max-depth",
            (
                "axis 'max-depth': a name is letters, digits and underscores, begins with a letter "
                "and does not contain '_parameters'"
            ),
        ),
        (
            "type: int\n      positive",
            "type: str\n      positive",
            "axes.0",
            "name: n_estimators",
            "axis 'n_estimators': only numbers can be positive, not str",
        ),
        # Choices
        (
            "default: gini",
            "default: log_loss",
            "choices.0",
            "name: criterion",
            "criterion 'log_loss' is unknown; choose one of gini, entropy",
        ),
        (
            "options: [gini, entropy]",
            "options: [gini, 'none', null]",
            "choices.0",
            "name: criterion",
            "criterion: two options are both written none",
        ),
        (
            "name: criterion",
            "name: kernel",
            "choices.0",
            "name: kernel",
            f"RandomForestClassifier has no setting 'kernel'; it has {FOREST_PARAMETERS}",
        ),
        (
            "name: criterion",
            "name: max_depth",
            "choices.0",
            "name: max_depth",
            "'max_depth' is both an axis and a choice",
        ),
        (
            "name: criterion",
            "name: max_features",
            "choices.0",
            "name: max_features",
            "choice 'max_features' is offered, but the settings fix it",
        ),
        (
            "  scoring",
            "    - {name: criterion, default: gini, options: [gini, log_loss]}\n  scoring",
            "choices.1",
            "log_loss",
            "two choices are named 'criterion'",
        ),
        (
            "name: criterion",
            "name: tree__criterion",
            "choices.0",
            "tree__criterion",
            "choice 'tree__criterion' names no setting of a step; write <setting>",
        ),
        # How to judge
        (
            "scoring: accuracy",
            "scoring: acuracy",
            "scoring",
            "acuracy",
            (
                f"scoring 'acuracy' is unknown to scikit-learn; it knows "
                f"{', '.join(get_scorer_names())}; or give the import path of a function"
            ),
        ),
        ("folds: 3", "folds: 1", "folds", "folds", "folds 1 must be 0 (off) or at least 2"),
        (
            "rule: cv",
            "rule: cv\n  blocking_checks: [folds_agree, better]",
            "blocking_checks.1",
            "better]",
            (
                "check 'better' is unknown; choose from "
                f"{', '.join([*CHECKS, *DATA_CHECKS, *SPLIT_CHECKS])}"
            ),
        ),
        (
            "folds: 3",
            "folds: 0",
            "rule",
            "rule",
            "rule 'cv' ranks by cross-validation; set folds to at least 2",
        ),
        (
            "test_size: 0.25",
            "test_size: 20",
            "test_size",
            "test_size",
            "test_size 20.0 must lie between 0 and 1, such as 0.2",
        ),
        (
            "rule: cv",
            "rule: cv\n  early_stopping: {rounds: 50}",
            "early_stopping",
            "early_stopping",
            (
                "RandomForestClassifier cannot stop early: its fit takes no eval_set and "
                "early_stopping_rounds; leave early_stopping out"
            ),
        ),
        (
            "rule: cv",
            "rule: cv\n  early_stopping: {rounds: 50, share: 1}",
            "early_stopping.share",
            "share: 1",
            "share 1 must be between 0 and 1, such as 0.1",
        ),
        (
            "seed: 1",
            "seed: -1",
            "seed",
            "seed",
            "seed -1 must lie between 0 and 4294967295",
        ),
        # Names
        (
            "name: wine",
            "name: Wine",
            "name",
            "name: Wine",
            (
                "search name 'Wine': use lower-case letters, digits and underscores, beginning "
                "with a letter, at most 50"
            ),
        ),
        (
            "name: wine",
            "name: models",
            "name",
            "name: models",
            "search name 'models': the search without a name uses it; choose another",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_its_line(
    project: YamlProject, old: str, new: str, field: str, marker: str, message: str
) -> None:
    assert FOREST.count(old) == 1
    text = FOREST.replace(old, new)
    path, said = refusal(project, text)
    place = f"attributes.{field}".removesuffix(".")
    line = next(n for n, found in enumerate(text.splitlines(), 1) if marker in found)
    if field == "axes.1.symbol":
        line = [n for n, found in enumerate(text.splitlines(), 1) if "symbol:" in found][1]
    first, _, snippet = said.partition("\n")
    assert first == f"{path}:{line} - {place} {message}"
    assert f"^ {message}" in snippet


@pytest.mark.parametrize(
    ("old", "new", "field", "marker", "message"),
    [
        (
            "sklearn.svm.SVC",
            "sklearn.svm.SVM",
            "steps.1.estimator",
            "SVM",
            (
                "the estimator 'sklearn.svm.SVM' cannot be imported (module 'sklearn.svm' has no "
                "attribute 'SVM'); give the path of a class, such as sklearn.svm.SVC"
            ),
        ),
        (
            "with_std",
            "scale",
            "steps.0.settings.scale",
            "scale:",
            "StandardScaler has no setting 'scale'; it has copy, with_mean, with_std",
        ),
        (
            "sklearn.svm.SVC",
            "sklearn.preprocessing.StandardScaler",
            "steps.1.estimator",
            "- estimator: sklearn.preprocessing.StandardScaler",
            "two steps of the pipeline are both 'standardscaler'",
        ),
        (
            "sklearn.svm.SVC",
            "sklearn.decomposition.PCA",
            "steps.1.estimator",
            "PCA",
            "StandardScaler -> PCA is neither a classifier nor a regressor",
        ),
        (
            "parameter: svc__C",
            "parameter: C",
            "axes.0.parameter",
            "parameter: C",
            f"StandardScaler -> SVC has no parameter 'C'; it has {PIPELINE_PARAMETERS}",
        ),
        (
            "parameter: svc__C",
            "parameter: svc",
            "axes.0.parameter",
            "parameter: svc",
            "'svc' is a part of the pipeline, not a parameter of a step; write <step>__<parameter>",
        ),
        (
            "parameter: svc__C",
            "parameter: standardscaler__with_std",
            "axes.0.parameter",
            "parameter: standardscaler",
            "axis 'n_estimators' searches 'standardscaler__with_std', which the settings fix too",
        ),
        (
            "  axes:",
            "  choices:\n    - {name: kernel, default: rbf, options: [rbf]}\n  axes:",
            "choices.0",
            "kernel",
            (
                "choice 'kernel' names no setting of a step; write standardscaler__<setting> or "
                "svc__<setting>"
            ),
        ),
    ],
)
def test_a_pipeline_that_cannot_work_is_refused_with_its_line(
    project: YamlProject, old: str, new: str, field: str, marker: str, message: str
) -> None:
    assert PIPELINE.count(old) == 1
    text = PIPELINE.replace(old, new)
    path, said = refusal(project, text)
    lines = [n for n, found in enumerate(text.splitlines(), 1) if marker in found]
    line = lines[-1] if field.startswith("steps") else lines[0]
    assert said.partition("\n")[0] == f"{path}:{line} - attributes.{field} {message}"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("stratify", "true", "stratify needs classes; regression targets have none"),
        (
            "scoring",
            "accuracy",
            "scoring 'accuracy' is for classes, and this search predicts numbers",
        ),
    ],
)
def test_what_needs_classes_is_refused_of_a_regression(
    project: YamlProject, field: str, value: str, message: str
) -> None:
    text = f"{PIPELINE.replace('SVC', 'SVR').replace('svc', 'svr')}  {field}: {value}\n"
    path, said = refusal(project, text)
    line = len(text.splitlines())
    assert said.partition("\n")[0] == f"{path}:{line} - attributes.{field} {message}"


def test_an_axis_without_a_file_is_refused_with_the_file_to_write(project: YamlProject) -> None:
    file = project.parameters("wine") / "depth_parameters.txt"
    file.unlink()
    path, said = refusal(project, FOREST)
    assert said.partition("\n")[0] == (
        f"{path}:{line_of(FOREST, 'name: depth')} - attributes.axes.1 the axis 'depth' has no "
        f"file; write its values, one a line, into {file}"
    )

    (project.parameters("wine") / "drawn.csv").write_text("n_estimators,depth\n1,2\n")
    project.load()  # all candidates may be explicit


def test_the_first_axis_is_named_if_there_is_no_folder_yet(project: YamlProject) -> None:
    for file in project.parameters("wine").iterdir():
        file.unlink()
    project.parameters("wine").rmdir()
    path, said = refusal(project, FOREST)
    assert said.partition("\n")[0] == (
        f"{path}:{line_of(FOREST, 'name: n_estimators')} - attributes.axes.0 the axis "
        "'n_estimators' has no file; write its values, one a line, into "
        f"{project.parameters('wine') / 'n_estimators_parameters.txt'}"
    )


def test_a_file_of_no_axis_is_refused(project: YamlProject) -> None:
    stray = project.parameters("wine") / "dept_parameters.txt"
    stray.write_text("1\n")
    path, said = refusal(project, FOREST)
    assert said.partition("\n")[0] == (
        f"{path}:{line_of(FOREST, 'axes:')} - attributes.axes {stray}: the name does not begin "
        "with a known axis; parameter files are called n_estimators_parameters*.txt, "
        "depth_parameters*.txt or *.csv"
    )


def test_the_line_is_that_of_the_document_in_the_file(project: YamlProject) -> None:
    project.write_values("grape", n_estimators=[1], depth=[1])
    second = PIPELINE.replace("name: wine", "name: grape")
    text = f"{PIPELINE}---\n{second}  scoring: acuracy\n"
    path, said = refusal(project, text)
    assert said.startswith(f"{path}:{line_of(text, 'acuracy')} - attributes.scoring ")


def test_in_python_the_message_stands_alone(project: YamlProject) -> None:
    component = HyperparameterSearch(
        name="wine",
        data_file="wine.csv",
        estimator="sklearn.svm.SVC",
        axes=[AxisFields(name="gama", symbol="G")],
    )
    with project.entered(), pytest.raises(SearchYamlError) as refused:
        dg.build_defs_for_component(component)
    assert "SVC has no parameter 'gama'; did you mean 'gamma'? It has C, " in str(refused.value)


def test_the_command_gives_the_same_message(project: YamlProject) -> None:
    path = project.write_yaml("wine", FOREST.replace("name: wine", "name: Wine"))
    with project.entered(), pytest.raises(InputError) as refused:
        find_search("wine", project.root)
    assert str(refused.value).startswith(
        f"{project.root} has no search 'wine'; it has none\n'Wine' cannot be loaded: {path}:5 - "
        "attributes.name search name 'Wine': use lower-case letters"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, " is no Dagster project: it has no pyproject.toml; change to the folder of"),
        (
            "[tool.ruff]\n",
            "/pyproject.toml names no definitions: neither [tool.dg.project] nor [tool.dagster]",
        ),
        ("[tool", "/pyproject.toml cannot be read: Expected ']'"),
    ],
)
def test_a_folder_that_is_no_project_is_refused(
    project: YamlProject, content: str | None, message: str
) -> None:
    file = project.root / "pyproject.toml"
    file.unlink()
    if content:
        file.write_text(content)
    answer = project.call("status", "--search", "wine")
    assert answer.code == 2
    assert answer.err.startswith(f"iris-hpo: {project.root}{message}")


def test_definitions_that_warn_are_loaded(project: YamlProject) -> None:
    project.write_yaml("wine", FOREST)
    file = project.root / "definitions.py"
    body = '    warnings.warn("a name is deprecated", stacklevel=1)\n    root ='
    file.write_text("import warnings\n" + file.read_text().replace("    root =", body))
    assert "warnings.warn" in file.read_text()

    with project.entered(), pytest.warns(UserWarning, match="a name is deprecated"):
        assert find_search("wine", project.root).name == "wine"


def test_settings_in_a_file_of_dg_are_read(project: YamlProject) -> None:
    project.write_yaml("wine", FOREST)
    pyproject = project.root / "pyproject.toml"
    settings = pyproject.read_text().replace("[tool.dg]\n", "").replace("[tool.dg.", "[")
    pyproject.write_text("[project]\nname = 'mine'\n")
    (project.root / "dg.toml").write_text(settings)

    with project.entered():
        assert find_search("wine", project.root).name == "wine"


def test_a_file_of_dg_without_definitions_is_named(project: YamlProject) -> None:
    (project.root / "dg.toml").write_text('directory_type = "workspace"\n')

    answer = project.call("status", "--search", "wine")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(
        f"iris-hpo: {project.root}/dg.toml names no definitions: neither [project] nor "
        "[tool.dagster] of pyproject.toml. `iris-hpo example"
    )


def test_a_search_that_the_project_does_not_have_is_refused(project: YamlProject) -> None:
    project.write_yaml("wine", FOREST)
    answer = project.call("status", "--search", "vine")
    assert (answer.code, answer.err) == (
        2,
        f"iris-hpo: {project.root} has no search 'vine'; it has wine\n",
    )


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_number_that_scikit_learn_refuses_is_one_message(
    project: YamlProject, number: str
) -> None:
    text = FOREST.replace("oob_score: false", f"min_impurity_decrease: .{number}")

    path, message = refusal(project, text)

    assert message.startswith(
        f"{path}:{line_of(text, 'min_impurity')} - attributes.settings.min_impurity_decrease The "
        "'min_impurity_decrease' parameter of RandomForestClassifier must be a float in the range "
        f"[0.0, inf). Got {number} instead."
    )
