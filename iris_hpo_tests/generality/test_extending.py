"""Parts of a user's own, named in YAML: the code of docs/extending.md, in a whole search."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest
from sklearn.datasets import load_wine

from iris_hpo_tests.generality.project import DAGSTERS_WARNINGS, Project
from iris_hpo_tests.processes import REPOSITORY

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


def write_search(project: Project, **parts: object) -> None:
    load_wine(as_frame=True).frame.to_csv(project.root / "data" / "wine.csv", index=False)
    (project.root / "own_parts.py").write_text("\n\n".join(blocks("python")))
    project.write_values("bayes", var_smoothing=[1e-9, 1e-3, 0.1, 1.0])
    project.write_search(
        "bayes",
        data_file="wine.csv",
        estimator="sklearn.naive_bayes.GaussianNB",
        axes=[{"name": "var_smoothing", "symbol": "V"}],
        folds=2,
        **parts,
    )


def read_selection(project: Project, *names: str) -> list[bytes]:
    return [(project.selection("bayes") / name).read_bytes() for name in names]


def test_the_page_names_the_parts_that_are_tried() -> None:
    (yaml,) = blocks("yaml")

    assert "use: own_parts.Page" in yaml
    assert "engine: own_parts.Processes" in yaml


def test_a_search_with_parts_of_its_own_finds_what_another_finds(
    project: Project, tmp_path: Path
) -> None:
    write_search(project, **OWN)
    usual = Project.create(tmp_path / "usual")
    write_search(usual)

    first = project.call("run", "--search", "bayes", "--json")
    second = project.call("run", "--search", "bayes", "--json")
    usual.run("bayes")

    assert first.code == second.code == 0, first.err + second.err
    assert '"trained": 4' in first.out
    assert '"reused": 4' in second.out
    names = ("leaderboard.csv", "heatmap.png", "champion.pkl")
    assert read_selection(project, *names) == read_selection(usual, *names)
    (page,) = read_selection(project, "best.html")
    assert page.decode().count("<tr>") == 3
    assert not (usual.selection("bayes") / "best.html").exists()


def test_a_run_of_dagsters_uses_them(project: Project) -> None:
    write_search(project, **OWN)
    defs = project.load()

    with project.entered(), project.instance() as instance:
        sys.path.insert(0, str(project.root))  # as in a code location
        assert defs.resolve_job_def("bayes_search").execute_in_process(instance=instance).success
        assert defs.resolve_job_def("bayes_select").execute_in_process(instance=instance).success
        selected = instance.get_latest_materialization_event(dg.AssetKey(["bayes", "selection"]))

    assert selected is not None
    assert selected.asset_materialization is not None
    assert selected.asset_materialization.metadata["scored"].value == 4
    assert len(read_selection(project, "best.html")) == 1


def test_what_a_report_makes_follows_its_settings(project: Project) -> None:
    write_search(project, reports=["own_parts.Page"])
    project.run("bayes")
    assert read_selection(project, "best.html")[0].count(b"<tr>") == 4

    write_search(project, reports=[{"use": "own_parts.Page", "settings": {"rows": 1}}])

    status = project.call("status", "--search", "bayes").out.splitlines()
    assert status[-1].split() == ["selection", "0", "0", "1", "0"]
    assert project.run("bayes")["trained"] == 0
    assert read_selection(project, "best.html")[0].count(b"<tr>") == 1


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
    project: Project, parts: dict[str, Sequence[object]], line: str, message: str
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
    project: Project, body: str, message: str
) -> None:
    write_search(project)
    project.run("bayes")
    before = project.files("bayes")
    (project.root / "own.py").write_text(
        f"class Report:\n    def render(self, _):\n        {body}\n"
    )
    write_search(project, reports=["own.Report"])

    answer = project.call("run", "--search", "bayes", "--engine", "serial")

    assert answer.code == 2
    assert message in answer.err
    assert "Traceback" not in answer.err
    assert project.files("bayes") == before
