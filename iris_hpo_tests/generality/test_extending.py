"""Parts of a user's own, named in YAML: the code of docs/extending.md, in a whole search."""

import csv
import io
import re
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster.components.core.component_tree import ComponentTreeException
from sklearn.datasets import load_wine

from iris_hpo.orchestration.record import latest_metadata
from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject, cause_of, run_jobs
from iris_hpo_tests.ticks import evaluate_tick

pytestmark = [
    *DAGSTERS_WARNINGS,
    # Python warns of its own process pools where threads run, such as those of a progress bar.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

PAGE = REPOSITORY / "docs" / "extending.md"
OWN: dict[str, object] = {
    "reports": ["heatmap", {"use": "own_parts.Page", "settings": {"rows": 3}}],
    "engine": "own_parts.Processes",
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.M | re.S)


def write_search(project: YamlProject, **parts: object) -> None:
    load_wine(as_frame=True).frame.to_csv(project.root / "data" / "wine.csv", index=False)
    (project.root / "own_parts.py").write_text("\n\n".join(blocks("python")))
    project.write_values("bayes", var_smoothing=[1e-9, 1e-3, 0.1, 1.0])
    project.write_search(
        "bayes",
        data_file="wine.csv",
        estimator="sklearn.naive_bayes.GaussianNB",
        axes=[{"name": "var_smoothing", "symbol": "V"}],
        **({} if "splitter" in parts else {"folds": 2}),
        **parts,
    )


def read_selection(project: YamlProject, *names: str) -> list[bytes]:
    return [(project.selection("bayes") / name).read_bytes() for name in names]


def test_the_page_names_the_parts_that_are_tried() -> None:
    text = "".join(blocks("yaml"))

    assert "use: own_parts.Page" in text
    assert "engine: own_parts.Processes" in text


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> YamlProject:
    """A project in which the search was run without own parts; its results are not changed."""
    made = YamlProject.create(tmp_path_factory.mktemp("usual") / "project")
    write_search(made, reports=["heatmap"])
    assert made.run("bayes")["trained"] == 4
    return made


def test_a_search_with_parts_of_its_own_finds_what_another_finds(
    project: YamlProject, usual: YamlProject
) -> None:
    write_search(project, **OWN)

    first = project.call("run", "--search", "bayes", "--json")

    assert first.code == 0, first.err
    assert '"trained": 4' in first.out
    names = ("leaderboard.csv", "heatmap.png", "champion.pkl")
    assert read_selection(project, *names) == read_selection(usual, *names)
    assert read_selection(project, "best.html")[0].count(b"<tr>") == 3
    assert not (usual.selection("bayes") / "best.html").exists()

    one_row = {"use": "own_parts.Page", "settings": {"rows": 1}}
    write_search(project, **{**OWN, "reports": ["heatmap", one_row]})

    status = project.call("status", "--search", "bayes").out.splitlines()
    assert status[-1].split() == ["selection", "0", "0", "1", "0"]
    again = project.run("bayes")
    assert (again["trained"], again["reused"]) == (0, 4)
    assert read_selection(project, *names) == read_selection(usual, *names)
    assert read_selection(project, "best.html")[0].count(b"<tr>") == 1


def test_a_run_of_dagsters_uses_them(project: YamlProject) -> None:
    write_search(project, **OWN)
    defs = project.load()

    with project.code_location() as instance:
        run_jobs(defs, instance, "bayes")
        selected = latest_metadata(instance, dg.AssetKey(["bayes", "selection"]))

    assert selected["scored"].value == 4
    assert len(read_selection(project, "best.html")) == 1


@pytest.mark.parametrize(
    ("parts", "line", "message"),
    [
        ({"reports": ["pie"]}, "- pie", "report 'pie' is unknown; choose one of heatmap"),
        ({"reports": ["own_parts.Pie"]}, "- own_parts.Pie", "'own_parts.Pie' cannot be imported"),
        ({"reports": ["own_parts.Pools"]}, "- own_parts.Pools", "with the method render is needed"),
        (
            {"reports": [{"use": "own_parts.Page", "settings": {"row": 3}}]},
            "row: 3",
            "refuses its settings",
        ),
        ({"engine": "ray"}, "engine: ray", "engine 'ray' is unknown; choose one of loky, serial"),
        ({"engine": "own_parts.Page"}, "engine: own_parts.Page", "with the method map is needed"),
        (
            {"engine": {"use": "serial", "settings": {"jobs": 2}}},
            "jobs: 2",
            "has no settings here",
        ),
    ],
)
def test_a_part_that_cannot_be_is_refused_where_it_is_written(
    project: YamlProject, parts: dict[str, Sequence[object]], line: str, message: str
) -> None:
    write_search(project, **parts)

    answer = project.call("run", "--search", "bayes")

    assert answer.code == 2
    assert message in answer.err
    assert line in answer.err, "the line of the YAML is shown"
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return {'leaderboard.csv': b''}", "gives a file 'leaderboard.csv'"),
        ("return {'../x': b''}", "gives a file '../x'"),
        ("raise KeyError('D9')", "the report own.Report failed: KeyError: 'D9'"),
        ("return 3", "the report own.Report failed: TypeError"),
    ],
)
def test_a_report_that_fails_is_one_message_and_changes_nothing(
    usual: YamlProject, body: str, message: str
) -> None:
    before = usual.files("bayes")
    (usual.root / "own.py").write_text(f"class Report:\n    def render(self, _):\n        {body}\n")
    write_search(usual, reports=["own.Report"])

    answer = usual.call("run", "--search", "bayes", "--engine", "serial")

    assert answer.code == 2
    assert message in answer.err
    assert "Traceback" not in answer.err
    assert usual.files("bayes") == before


# A sampler


def sampler_of_the_page() -> dict[str, Any]:
    """Give the YAML of the page."""
    (sampler,) = (yaml.safe_load(text)["sampler"] for text in blocks("yaml") if "sampler:" in text)
    assert sampler["use"] == "own_parts.RandomSearch"
    return sampler


def write_sampled(project: YamlProject, sampler: object, **attributes: object) -> None:
    """Write a search without parameter files."""
    write_search(project, sampler=sampler, **attributes)
    shutil.rmtree(project.parameters("bayes"))


def write_own_sampler(project: YamlProject, body: str) -> None:
    lines = "class Own:\n    def propose(self, space, observations, running):\n"
    (project.root / "own.py").write_text(f"{lines}        {body}\n")


def keys_of(project: YamlProject) -> list[str]:
    table = (project.artifacts("bayes") / "parameters" / "candidates.csv").read_text()
    return [row["candidate"] for row in csv.DictReader(io.StringIO(table))]


def models_of(project: YamlProject) -> dict[str, tuple[int, bytes]]:
    return {
        name: file
        for name, file in project.files("bayes").items()
        if name.startswith(("models/", "scores/"))
    }


def test_a_search_with_a_sampler_of_its_own_needs_no_parameter_files(project: YamlProject) -> None:
    write_sampled(project, sampler_of_the_page())

    first = project.run("bayes")
    second = project.run("bayes")

    assert (first["trained"], second["trained"], second["reused"]) == (4, 0, 4)
    keys = keys_of(project)
    assert len(set(keys)) == 4
    assert sorted(project.partitions("bayes")) == sorted(keys)
    assert {row["candidate"] for row in project.leaderboard("bayes")} == set(keys)


@pytest.mark.slow
def test_other_settings_of_a_sampler_keep_what_both_propose(project: YamlProject) -> None:
    sampler = sampler_of_the_page()
    write_sampled(project, sampler)
    project.run("bayes")
    before, kept = keys_of(project), models_of(project)

    sampler["settings"]["number"] = 6
    write_sampled(project, sampler)
    more = project.run("bayes")

    assert (more["trained"], more["reused"]) == (2, 4)
    assert set(keys_of(project)) > set(before)
    assert models_of(project).items() > kept.items(), "nothing was written again"

    sampler["settings"]["number"] = 1
    write_sampled(project, sampler)
    fewer = project.run("bayes")

    assert (fewer["trained"], fewer["reused"]) == (0, 1)
    assert set(project.partitions("bayes")) == set(keys_of(project)) < set(before)


def test_who_lists_a_candidate_does_not_decide_about_its_model(usual: YamlProject) -> None:
    before = usual.files("bayes")
    values = "[1.0, 0.1, 0.001, 1e-9, 0.1]"
    write_own_sampler(usual, f"return [space.candidate([value]) for value in {values}]")

    write_sampled(usual, "own.Own", reports=["heatmap"])

    assert usual.run("bayes")["trained"] == 0
    assert usual.files("bayes") == before


@pytest.mark.slow
def test_dagster_follows_a_sampler(project: YamlProject) -> None:
    write_sampled(project, sampler_of_the_page())
    defs = project.load()

    with project.code_location() as instance:
        tick = evaluate_tick(defs, instance, "bayes_parameter_files_sensor")
        run_jobs(defs, instance, "bayes", "serial")
        next_tick = evaluate_tick(defs, instance, "bayes_parameter_files_sensor", tick.cursor)
        metadata = latest_metadata(instance, dg.AssetKey(["bayes", "parameters"]))
        selected = latest_metadata(instance, dg.AssetKey(["bayes", "selection"]))

    added = {
        request.partitions_def_name: request.partition_keys
        for request in tick.dynamic_partitions_requests
    }
    assert added["bayes_candidates"] == keys_of(project)
    assert len(tick.run_requests) == 1
    assert next_tick.skip_message == "4 candidates, nothing new"
    assert metadata["sampler"].value == "own_parts.RandomSearch"
    assert metadata["explicit_candidates"].value == 4
    assert "path" not in metadata
    assert selected["scored"].value == 4


def test_a_check_of_the_yaml_asks_for_no_files(
    project: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_IS_DEFS_VALIDATION_CLI", "1")
    write_sampled(project, "files")
    with pytest.raises(ComponentTreeException) as refused:
        load_with_parts(project)
    assert "the axis 'var_smoothing' has no file" in cause_of(refused.value)

    write_sampled(project, sampler_of_the_page())

    defs = load_with_parts(project)
    parameters = defs.resolve_asset_graph().get(dg.AssetKey(["bayes", "parameters"]))
    assert parameters.description is not None
    assert "candidates that own_parts.RandomSearch proposes" in parameters.description


def load_with_parts(project: YamlProject) -> dg.Definitions:
    with project.entered():
        sys.path.insert(0, str(project.root))
        return project.load()


@pytest.mark.parametrize(
    ("sampler", "line", "message"),
    [
        ("tea", "sampler: tea", "sampler 'tea' is unknown; choose one of files, random"),
        ("own_parts.Page", "sampler: own_parts.Page", "with the method propose is needed"),
        (
            {"use": "own_parts.RandomSearch", "settings": {"number": 3}},
            "number: 3",
            "refuses its settings",
        ),
        (
            {"use": "files", "settings": {"folder": "grid"}},
            "folder: grid",
            "has no settings here; the search has parameters_folder and max_candidates",
        ),
    ],
)
def test_a_sampler_that_cannot_be_is_refused_where_it_is_written(
    project: YamlProject, sampler: object, line: str, message: str
) -> None:
    write_search(project, sampler=sampler)

    answer = project.call("run", "--search", "bayes")

    assert answer.code == 2
    assert message in answer.err
    assert line in answer.err, "the line of the YAML is shown"
    assert "Traceback" not in answer.err


def test_a_sampler_that_fails_is_one_message_and_changes_nothing(usual: YamlProject) -> None:
    before = usual.files("bayes")
    write_own_sampler(usual, "return [space.candidate(['x'])]")
    write_search(usual, sampler="own.Own")

    answer = usual.call("run", "--search", "bayes", "--engine", "serial")

    assert answer.code == 2
    assert "the sampler own.Own failed: ValueError: has var_smoothing 'x', which is" in answer.err
    assert "Traceback" not in answer.err
    assert usual.files("bayes") == before
    assert len(usual.partitions("bayes")) == 4


def test_engine_names_the_engine_of_the_search_by_its_path(project: YamlProject) -> None:
    write_search(project, engine="own_parts.Processes")

    by_path = project.call("run", "--search", "bayes", "--engine", "own_parts.Processes")
    other = project.call("run", "--search", "bayes", "--engine", "own_parts.Others")

    assert "4 trained" in by_path.out
    assert other.code == 2
    assert other.err == (
        "iris-hpo: engine 'own_parts.Others' is unknown; choose one of loky, serial, dask, "
        "own_parts.Processes\n"
    )
