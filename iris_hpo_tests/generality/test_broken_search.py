"""A search that cannot be used takes no other with it, and is shown with what is wrong."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

import iris_hpo
from iris_hpo.orchestration.names import CODE_VERSIONS
from iris_hpo_tests.generality.searches import FOREST
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS

SEARCH = """\
type: iris_hpo.HyperparameterSearch

attributes:
  name: {name}
  data_file: points.csv
  estimator: sklearn.neighbors.KNeighborsClassifier
  axes:
    - {{name: n_neighbors, symbol: K, type: int}}
  folds: 2
"""
WHOLE = SEARCH.format(name="whole")
GOOD = SEARCH.format(name="broken")
POINTS = [["x", "y", "kind"]] + [[n, n * n % 7, "ab"[n % 2]] for n in range(30)]

BROKEN = {
    "unknown field": (GOOD + "  fold: 3\n", 10, "there is no such field; did you mean 'folds'?"),
    "wrong type": (GOOD.replace("folds: 2", "folds: many"), 9, "valid integer"),
    "missing field": (GOOD.replace("  data_file: points.csv\n", ""), 3, "Field required"),
    "no attributes": ("type: iris_hpo.HyperparameterSearch\n", 1, "the attributes are missing"),
    "no estimator": (GOOD.replace("KNeighborsC", "KNeighbourC"), 6, "KNeighbourClassifier"),
    "bad axis": (GOOD.replace("n_neighbors", "k"), 8, "has no parameter 'k'"),
    "syntax": (GOOD.replace("folds: 2", "folds: [2"), 10, "expected ',' or ']'"),
    "unknown type": (GOOD.replace("HyperparameterSearch", "Hyperparameters"), 0, "Hyperparameters"),
    "no mapping": ("- 1\n", 1, ""),
    "empty": ("", 0, "No components found"),
}
SOME = {name: BROKEN[name] for name in ("unknown field", "bad axis", "syntax", "empty")}


@pytest.fixture
def project(tmp_path: Path) -> YamlProject:
    """A project with a whole search."""
    made = YamlProject.create(tmp_path / "project")
    made.write_data("points.csv", POINTS)
    for search in ("whole", "broken"):
        made.write_values(search, n_neighbors=[1, 3])
    made.write_yaml("whole", WHOLE)
    return made


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    """A project with a whole search beside every broken one, each in a folder of its own."""
    made = YamlProject.create(tmp_path_factory.mktemp("broken") / "project")
    made.write_yaml("whole", WHOLE)
    for name, (text, _, _) in BROKEN.items():
        made.write_yaml(folder_of(name), text.replace("name: broken", f"name: {folder_of(name)}"))
    defs = made.load()
    dg.Definitions.validate_loadable(defs)
    assert {"whole/models", "whole/selection"} <= keys_of(defs)
    return defs


def folder_of(name: str) -> str:
    return name.replace(" ", "_")


@pytest.mark.parametrize(("name", "line", "message"), [(n, *BROKEN[n][1:]) for n in BROKEN])
def test_the_location_loads_and_shows_the_message(
    loaded: dg.Definitions, name: str, line: int, message: str
) -> None:
    folder = folder_of(name)
    shown = described(loaded, f"{folder}/parameters")
    assert message in shown
    if line:
        assert f"{folder}/defs.yaml" in shown
    with (
        dg.build_sensor_context() as context,
        pytest.raises(dg.Failure) as failure,
    ):
        loaded.resolve_sensor_def(f"{folder}_parameter_files_sensor").evaluate_tick(context)
    assert str(failure.value.description) in shown


def test_a_job_over_all_assets_does_not_fail_by_it(tmp_path: Path) -> None:
    """What is broken makes nothing, and is passed over."""
    project = YamlProject.create(tmp_path / "project")
    project.write_yaml("broken", BROKEN["unknown field"][0])

    @dg.asset
    def theirs() -> None: ...

    everything = dg.define_asset_job("everything", dg.AssetSelection.all())
    defs = dg.Definitions.merge(project.load(), dg.Definitions(assets=[theirs], jobs=[everything]))
    result = defs.resolve_job_def("everything").execute_in_process(raise_on_error=False)
    assert result.success
    made = [event.asset_key for event in result.get_asset_materialization_events()]
    assert made == [dg.AssetKey("theirs")]


def test_what_uses_its_names_is_loaded_and_fails_with_its_message(tmp_path: Path) -> None:
    project = YamlProject.create(tmp_path / "project")
    text, _, message = BROKEN["unknown field"]
    project.write_yaml("broken", text)
    project.write_yaml("second", text.replace("name: broken", "name: second"))

    @dg.asset(ins={"champion": dg.AssetIn(["broken", "selection"])})
    def labelled(champion: object) -> None: ...

    @dg.asset(deps=[["broken", "scores"]])
    def counted() -> None: ...

    names = dg.AssetSelection.assets(*(["broken", name] for name in CODE_VERSIONS))
    second = dg.AssetSelection.groups("second")
    used = [
        dg.define_asset_job("used", names),
        dg.define_asset_job("with_what_depends_on_them", names.downstream()),
        dg.define_asset_job("with_another_broken_one", names | second),
    ]
    nightly = [
        dg.ScheduleDefinition(job_name=f"broken_{job}", cron_schedule="@daily")
        for job in ("search", "select")
    ]
    own = dg.Definitions(
        assets=[labelled, counted],
        jobs=[*used, dg.define_asset_job("labels", dg.AssetSelection.assets(labelled))],
        schedules=nightly,
    )
    with project.entered():
        defs = dg.Definitions.merge(iris_hpo.load_searches(project.root), own)
        dg.Definitions.validate_loadable(defs)
        for job in (*(job.name for job in used), "labels", "broken_search", "broken_select"):
            with pytest.raises(dg.Failure) as failure:
                defs.resolve_job_def(job).execute_in_process()
            assert message in str(failure.value.description), job
        alone = defs.resolve_implicit_global_asset_job_def()
        with pytest.raises(dg.Failure, match=message.split(";")[0]):
            alone.execute_in_process(asset_selection=[dg.AssetKey(["broken", "models"])])


def keys_of(defs: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}


def described(defs: dg.Definitions, key: str) -> str:
    return str(defs.resolve_asset_graph().get(dg.AssetKey(key.split("/"))).description)


@pytest.mark.parametrize(
    ("name", "folder"), [("syntax", ""), ("unknown type", "group/"), ("syntax", "group/deep/")]
)
def test_several_searches_are_loaded_beside_a_broken_one(
    project: YamlProject, name: str, folder: str
) -> None:
    for search in ("inner", "second"):
        project.write_values(search, n_neighbors=[1, 3])
        project.write_yaml(f"{folder}{search}", SEARCH.format(name=search))
    project.write_yaml(f"{folder}broken", BROKEN[name][0])

    defs = project.load()
    dg.Definitions.validate_loadable(defs)
    assert {"inner/selection", "second/selection", "whole/selection"} <= keys_of(defs)
    assert len(keys_of(defs)) == 4 * 6


@pytest.mark.parametrize(
    ("text", "line", "message"), [BROKEN["bad axis"], BROKEN["empty"]], ids=["bad axis", "empty"]
)
def test_a_search_in_the_same_folder_of_a_folder_is_loaded(
    project: YamlProject, text: str, line: int, message: str
) -> None:
    path = project.write_yaml("broken", text)
    inner = project.root / "defs" / "group" / "inner"
    inner.mkdir(parents=True)
    for search in ("whole", "broken"):
        shutil.move(project.root / "defs" / search, inner / search)
    keys = {
        key.to_user_string() for key in project.load().resolve_asset_graph().get_all_asset_keys()
    }
    assert "whole/models" in keys
    assert project.call("status", "--search", "whole").code == 0
    (name,) = {key.partition("/")[0] for key in keys if "broken" in key}
    assert name in ("broken", "group_inner_broken")
    answer = project.call("status", "--search", name)
    assert message in answer.err
    if line:
        assert str(inner / "broken" / path.name) in answer.err


@pytest.mark.parametrize(("text", "line", "message"), SOME.values(), ids=SOME)
def test_the_command_works_on_the_others_and_explains_this_one(
    project: YamlProject, text: str, line: int, message: str
) -> None:
    path = project.write_yaml("broken", text)
    assert project.call("status", "--search", "whole").code == 0

    answer = project.call("status", "--search", "broken")
    assert answer.code == 2
    assert answer.err.startswith("iris-hpo: 'broken' cannot be loaded: ")
    assert message in answer.err
    assert "Traceback" not in answer.err
    if line:
        assert f"{path}:{line} - " in answer.err or f'"{path}", line {line}' in answer.err


ASSET = "import dagster as dg\n\n\n@dg.asset\ndef {}(): ...\n\n\n"


class TestBesideWhatIsBroken:
    """Everything else of ``defs`` is loaded, as Dagster loads it."""

    @pytest.fixture(autouse=True)
    def _break(self, project: YamlProject) -> None:
        project.write_yaml("broken", BROKEN["syntax"][0])

    def test_python_files(self, project: YamlProject) -> None:
        defs = project.root / "defs"
        (defs / "package").mkdir()
        context = "@dg.definitions\ndef every(context: dg.ComponentLoadContext):\n"
        loader = "@dg.component_instance\ndef part(context):\n    return Part()\n"
        for file, text in {
            "plain.py": ASSET.format("plain"),
            "package/__init__.py": ASSET.format("package"),
            "package/nested.py": ASSET.format("nested"),
            "given.py": ASSET.format("given") + "every = dg.Definitions(assets=[given])\n",
            "lazy.py": ASSET.format("lazy")
            + f"{context}    return dg.Definitions(assets=[lazy])\n",
            "others.py": f"import dagster as dg\n\n{context}"
            "    other = len(list(context.build_defs('whole').assets))\n"
            "    return dg.Definitions(assets=[dg.AssetSpec(f'of_{other}')])\n",
            "component.py": "import dagster as dg\n\n\nclass Part(dg.Component):\n"
            "    def build_defs(self, context):\n"
            f"        return dg.Definitions(assets=[dg.AssetSpec('part')])\n\n\n{loader}",
        }.items():
            (defs / file).write_text(text)
        loaded = {"plain", "package", "nested", "given", "lazy", "of_5", "part"}
        assert loaded <= keys_of(project.load())

    def test_a_python_file_that_fails_is_not_called_a_search(self, project: YamlProject) -> None:
        (project.root / "defs" / "own.py").write_text("1 / 0\n")
        defs = project.load()
        assert {"whole/selection", "own/parameters", "broken/parameters"} <= keys_of(defs)
        assert described(defs, "own/parameters").startswith("This Python file cannot be loaded.")
        assert described(defs, "broken/parameters").startswith("This YAML file cannot be loaded.")
        sensor = defs.resolve_sensor_def("own_parameter_files_sensor")
        assert sensor.description == "Fails because its Python file cannot be loaded."
        answer = project.call("status", "--search", "own")
        assert answer.err.startswith("iris-hpo: 'own' cannot be loaded: ")

    def test_folders_without_definitions_or_with_a_dot(self, project: YamlProject) -> None:
        project.write_yaml("v1.2", SEARCH.format(name="dotted"))
        for folder in ("v1.3", "v1.4"):
            project.write_yaml(folder, BROKEN["syntax"][0])
        (project.root / "defs" / "notes" / "deep").mkdir(parents=True)
        assert len(keys_of(project.load())) == 5 * 6

    def test_a_package_that_fails_is_named(self, project: YamlProject) -> None:
        path = project.root / "defs" / "package" / "__init__.py"
        path.parent.mkdir()
        path.write_text("1 / 0\n")
        assert f"{path}:1 - ZeroDivisionError" in project.call("status").err

    @pytest.mark.parametrize("original", ["whole", "broken"])
    def test_a_copy_with_a_mistake(self, project: YamlProject, original: str) -> None:
        """It still has the name of the original, which is whole or broken."""
        text = SEARCH.format(name=original) + "  fold: 3\n"
        project.write_yaml("broken", BROKEN["unknown field"][0])
        project.write_yaml("copy", text)
        defs = project.load()
        dg.Definitions.validate_loadable(defs)
        (message,) = {described(defs, key) for key in keys_of(defs) if key.startswith("copy")}
        assert "there is no such field" in message
        assert project.call("status", "--search", "whole").code == 0

    def test_names_that_are_taken(self, project: YamlProject) -> None:
        """A search of that name is loaded, or the other one is broken too."""
        project.write_yaml("sound", WHOLE)
        for folder in ("whole", "one_broken", "one/broken"):
            project.write_yaml(folder, BROKEN["syntax"][0])
        defs = project.load()
        dg.Definitions.validate_loadable(defs)
        assert len(keys_of(defs)) == 5 * 6
        err = project.call("status").err
        for name in ("whole/defs.yaml", "one_broken", "one_broken/defs.yaml"):
            assert f"\n{name!r} cannot be loaded: " in err


def use_stock_loader(project: YamlProject) -> None:
    file = project.root / "definitions.py"
    file.write_text(
        file.read_text().replace(
            "iris_hpo.load_searches(", "dg.load_from_defs_folder(project_root="
        )
    )


def test_a_stock_loader_is_no_obstacle_to_the_command(project: YamlProject) -> None:
    use_stock_loader(project)
    project.write_yaml("broken", BROKEN["syntax"][0])
    assert project.call("status", "--search", "whole").code == 0
    assert "expected ',' or ']'" in project.call("status", "--search", "broken").err


@pytest.mark.parametrize("load", ["our loader", "stock loader"])
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (os.mkfifo, "it is a named pipe, not a regular file"),
        (lambda path: path.symlink_to("/nowhere/defs.yaml"), "No such file or directory"),
    ],
    ids=["pipe", "link to nothing"],
)
def test_a_description_that_is_no_file_is_named_and_not_waited_for(
    project: YamlProject, make: Callable[[Path], None], why: str, load: str
) -> None:
    if load == "stock loader":
        use_stock_loader(project)
    path = project.write_yaml("broken", GOOD)
    path.unlink()
    make(path)
    assert project.call("status", "--search", "whole").code == 0
    answer = project.call("status", "--search", "broken")
    assert answer.code == 2
    assert f"{path} cannot be read: {why}\n" in answer.err
    assert answer.err.count("\n") == 1


def test_a_project_file_that_is_no_file_is_named_and_not_waited_for(project: YamlProject) -> None:
    path = project.root / "pyproject.toml"
    path.unlink()
    os.mkfifo(path)
    answer = project.call("status", "--search", "whole")
    assert answer.code == 2
    assert (
        answer.err == f"iris-hpo: {path} cannot be read: it is a named pipe, not a regular file\n"
    )


@pytest.mark.slow
def test_a_stray_file_stops_its_own_search_alone(project: YamlProject) -> None:
    project.write_yaml("broken", GOOD)
    project.run("broken")
    stray = project.parameters("broken") / "notes.txt"
    stray.write_text("remember the milk\n")

    assert project.run("whole")["trained"] == 2
    data = str(project.root / "data" / "points.csv")
    for search in ("whole", "broken"):
        assert project.call("predict", data, "--search", search).code == 0
    keys = project.load().resolve_asset_graph().get_all_asset_keys()
    assert len(keys) == 12
    answer = project.call("run", "--search", "broken")
    assert answer.code == 2
    assert answer.err.startswith(f"iris-hpo: {stray}")


def test_values_may_come_after_the_search(project: YamlProject) -> None:
    shutil.rmtree(project.parameters("broken"))
    project.write_yaml("broken", GOOD)
    assert len(project.load().resolve_asset_graph().get_all_asset_keys()) == 12
    assert str(project.parameters("broken")) in project.call("run", "--search", "broken").err


class TestWithoutAName:
    def test_the_only_search_is_meant(self, project: YamlProject) -> None:
        assert project.call("run", "--engine", "serial").code == 0
        assert "K1" in project.call("leaderboard").out

    def test_of_several_one_must_be_chosen(self, project: YamlProject) -> None:
        project.write_yaml("wine", FOREST)
        answer = project.call("status")
        assert answer.code == 2
        assert answer.err == (
            f"iris-hpo: the project in {project.root} has several searches: whole, wine; choose "
            "one with --search NAME\n"
        )

    def test_a_project_without_a_search_says_what_to_do(self, project: YamlProject) -> None:
        shutil.rmtree(project.root / "defs" / "whole")
        answer = project.call("status")
        assert answer.code == 2
        assert "has no search yet; describe one in defs/<name>/defs.yaml" in answer.err

    @pytest.mark.parametrize(
        "arguments", [("run",), ("status",), ("leaderboard",), ("predict", "x.csv")]
    )
    def test_outside_a_project_nothing_is_touched(
        self, project: YamlProject, arguments: tuple[str, ...]
    ) -> None:
        (project.root / "pyproject.toml").unlink()
        before = sorted(project.root.rglob("*"))
        answer = project.call(*arguments)
        assert answer.code == 2
        assert answer.err.startswith(f"iris-hpo: {project.root} is no Dagster project")
        assert sorted(project.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("  data_file: points.csv\n", "", 3, "Field required: data_file"),
        ("  data_file: points.csv\n  est", "  est", 3, "Field required: data_file"),
        ("symbol: K, ", "", 8, "Field required: symbol"),
        ("symbol: K", "symbol: no", 8, "Input should be a valid string; quote it if it is a text"),
        (
            "  folds: 2",
            "  target: 1.5",
            9,
            "Input should be a valid boolean, or a valid integer, or a valid string; quote it",
        ),
        ("  folds: 2", "  engine: [serial]", 9, "valid string, or a valid dictionary"),
    ],
)
def test_a_mistake_in_a_field_is_one_message(
    project: YamlProject, old: str, new: str, line: int, message: str
) -> None:
    assert old in GOOD
    path = project.write_yaml("broken", GOOD.replace(old, new))
    answer = project.call("status", "--search", "broken")
    assert answer.code == 2
    assert message in answer.err.splitlines()[0]
    assert answer.err.count(f"{path}:{line} - ") == answer.err.count(" - attributes") == 1


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("  folds: 2", "  folds: 2\n  folds: 3", 10, "'folds' is written twice, in lines 9 and 10"),
        ("symbol: K", "symbol: K, symbol: N", 8, "'symbol' is written twice, in lines 8 and 8"),
    ],
)
def test_a_key_that_is_written_twice_is_refused(
    project: YamlProject, old: str, new: str, line: int, message: str
) -> None:
    path = project.write_yaml("broken", GOOD.replace(old, new))
    answer = project.call("status", "--search", "broken")
    assert answer.code == 2
    assert f"{path}:{line} - " in answer.err
    assert f"{message}; keep one of them" in answer.err
    assert project.call("status", "--search", "whole").code == 0


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("  folds: 2", '  folds: "{{ env.VALUE }}"', 9),
        ("  folds: 2", '  rule: "{{ env.VALUE }}"', 9),
        ("  folds: 2", '  description: "in {{env.VALUE}} folds"', 9),
        ("  folds: 2", "  settings: {weights: '{{ env.VALUE }}'}", 9),
        ("points.csv", '"{{ env.VALUE }}"', 5),
    ],
    ids=["number", "choice", "text", "setting", "file"],
)
def test_a_template_is_refused(project: YamlProject, old: str, new: str, line: int) -> None:
    path = project.write_yaml("broken", GOOD.replace(old, new))
    answer = project.call("status", "--search", "broken")
    assert answer.code == 2
    assert f"{path}:{line} - " in answer.err
    assert "env.VALUE" in answer.err
    assert (
        "is a template, and a search has none; write the value, or describe the search in Python "
        "(iris_hpo.build_search)"
    ) in answer.err


def test_several_missing_fields_are_all_named(project: YamlProject) -> None:
    text = GOOD.replace("  name: broken\n", "").replace("  data_file: points.csv\n", "")
    project.write_yaml("broken", text)
    answer = project.call("status", "--search", "broken")
    assert "Field required: name; Field required: data_file\n" in answer.err


class TestAFileThatDagsterOrPythonRefuses:
    @pytest.mark.parametrize(
        "content",
        [
            GOOD.replace("HyperparameterSearch", "Hyperparameters").encode(),
            GOOD.replace("iris_hpo.", "iris_hpoo.").encode(),
            GOOD.encode() + b"  description: \xe9\n",
            b"",
        ],
        ids=["unknown type", "unknown package", "no UTF-8", "empty"],
    )
    def test_a_description_is_named(self, project: YamlProject, content: bytes) -> None:
        path = project.write_yaml("broken", "")
        path.write_bytes(content)
        answer = project.call("status", "--search", "broken")
        assert answer.code == 2
        assert answer.err.startswith(f"iris-hpo: 'broken' cannot be loaded: {path} - ")

    @pytest.mark.parametrize(
        ("code", "message"),
        [("import os\n\n1 / 0\n", "ZeroDivisionError: division by zero"), ("\n\nx = (\n", "'('")],
    )
    def test_a_module_is_named_with_its_line(
        self, project: YamlProject, code: str, message: str
    ) -> None:
        path = project.root / "defs" / "own.py"
        path.write_text(code)
        assert project.call("status", "--search", "whole").code == 0
        answer = project.call("status")
        assert answer.code == 2
        assert "has several searches: own, whole; choose one with --search NAME\n" in answer.err
        assert f"\n'own' cannot be loaded: {path}:3 - " in answer.err
        assert message in answer.err

    def test_the_definitions_are_named_with_their_line(self, project: YamlProject) -> None:
        path = project.root / "definitions.py"
        path.write_text("assert False\n")
        answer = project.call("status")
        assert answer.code == 2
        assert f"cannot be loaded: {path}:1 - AssertionError" in answer.err

    @pytest.mark.parametrize(
        ("end", "named"),
        [
            ("sys.exit(0)", "called exit (0)"),
            ("sys.exit(3)", "called exit (3)"),
            ("sys.exit()", "called exit (None)"),
            ("os._exit(0)", "called exit (os._exit(0))"),
            ("raise BaseException('base')", "raised BaseException: base"),
        ],
    )
    def test_definitions_that_end_the_command_are_named(
        self, project: YamlProject, end: str, named: str
    ) -> None:
        path = project.root / "definitions.py"
        path.write_text(f"import os, sys\n{end}\n")
        answer = project.call("status", "--json")
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith(f"iris-hpo: {path}:2 has {named}; a module")


def test_two_searches_of_one_name_are_refused(project: YamlProject) -> None:
    project.write_yaml("copy", WHOLE.replace("folds: 2", "folds: 3"))
    for arguments in (("run",), ("status", "--search", "whole")):
        answer = project.call(*arguments)
        assert answer.code == 2
        assert answer.err == (
            f"iris-hpo: {project.root} has several searches named 'whole'; give each its own name "
            "(the command iris-hpo search shows the file of one that Dagster does not load)\n"
        )
    assert not project.artifacts("whole").exists()
    defs = project.load()
    dg.Definitions.validate_loadable(defs)
    graph = defs.resolve_asset_graph()
    shown = [str(graph.get(key).description) for key in graph.get_all_asset_keys()]
    first, second = (project.root / "defs" / name / "defs.yaml" for name in ("copy", "whole"))
    problem = f"attributes.name the search 'whole' of {first}:1 has the same name; give each its"
    assert any(f"{second}:4 - {problem} own name" in description for description in shown)
    project.write_yaml("broken", "")  # all are loaded twice then
    shutil.rmtree(project.root / "defs" / "copy")
    assert project.call("status", "--search", "whole").code == 0


PYTHON = """
from pathlib import Path

import iris_hpo
from iris_hpo.space.axes import Axis
from iris_hpo.training.estimators import Step

defs = iris_hpo.build_search(
    iris_hpo.SearchSpec(
        name="{name}",
        home=Path(__file__).resolve().parents[1],
        data_file="points.csv",
        axes=(Axis("n_neighbors", symbol="K", type="int"),),
        steps=(Step("sklearn.neighbors.KNeighborsClassifier", {{"leaf_size": {leaf}}}),),
    )
)
"""


def test_a_name_that_is_defined_twice_is_one_message(
    project: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster would load nothing: searches in Python, a search and YAML, and what is not ours."""
    folder = project.root / "defs"
    own = "import dagster as dg\n\n\n@dg.asset(key={key})\ndef theirs() -> None: ...\n"
    files = {
        "a.py": PYTHON.format(name="twin", leaf=20),
        "b.py": PYTHON.format(name="twin", leaf=30),
        "within/c.py": PYTHON.format(name="whole", leaf=30),
        "d.py": own.format(key="['other', 'models']"),
        "e.py": own.format(key="['twin', 'models']"),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    defs = project.load()

    dg.Definitions.validate_loadable(defs)
    graph = defs.resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert {"twin/models", "whole/models", "other/models"} <= keys
    for shown, problem in {
        "b": f"{folder}/b.py - the search 'twin' is defined in {folder}/a.py too; give each its",
        "within_c": f"{folder}/within/c.py - the search 'whole' is defined in "
        f"{folder}/whole/defs.yaml too; give each its own name",
        "e": f"{folder}/e.py - the asset twin/models is defined in {folder}/a.py too; give each",
    }.items():
        assert problem in str(graph.get(dg.AssetKey([shown, "parameters"])).description)

    monkeypatch.setenv("DAGSTER_IS_DEFS_VALIDATION_CLI", "1")
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"b\.py - the search 'twin' is def"):
        project.load()
