"""``iris-hpo history``, ``search`` and ``why`` for people; their JSON is in `test_json`."""

from pathlib import Path

import pytest

from iris_hpo.command.why import written
from iris_hpo_tests.command.conftest import FAILED
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, ShippedProject, YamlProject

TREE = {
    "data_file": "d.csv",
    "estimator": "sklearn.tree.DecisionTreeClassifier",
    "axes": [{"name": "depth", "symbol": "D", "parameter": "max_depth", "type": "int"}],
    "folds": 2,
}


def test_the_history_names_each_selection(searched: ShippedProject) -> None:
    lines = searched.call("history").stdout.splitlines()

    assert len(lines) == 3
    assert " UTC  C" in lines[0]
    assert ": expect 0." in lines[0]
    assert lines[1] == "    the first selection"
    assert lines[2].startswith("    rule test_score, data ")


def test_why_says_what_is_left_to_do_and_what_it_depends_on(searched: ShippedProject) -> None:
    lines = searched.call("why", "C8.0_G0.25").stdout.splitlines()

    assert lines[0] == ("C8.0_G0.25: model up to date, score up to date; nothing is left to do")
    assert "    parameters: C 8.0, gamma 0.25" in lines
    assert str(searched.artifacts / "models" / "model_C8.0_G0.25.pkl") in "".join(lines)
    assert lines[-1] == (
        "settings of the last run: folds 2 (the search's default: 5); --defaults takes the "
        "search's own"
    )


def test_why_writes_steps_without_marks_of_python() -> None:
    steps = [["sklearn.svm.SVC", {"kernel": "rbf"}], ["a.B", {}]]

    assert written({"steps": steps, "settings": {}, "prepare": [2, "text"], "seed": 0}) == (
        "steps (sklearn.svm.SVC (kernel rbf), a.B), settings none, prepare (2, text), seed 0"
    )


def test_why_names_what_differs(searched: ShippedProject) -> None:
    lines = searched.call("why", "C8.0_G0.25", "--kernel", "linear").stdout.splitlines()

    assert lines[0].endswith("it is trained and scored")
    assert lines[1] == "    setting kernel: rbf when it was made, linear now"


def test_why_gives_the_reason_of_a_failure(searched: ShippedProject) -> None:
    text = searched.call("why", FAILED).stdout

    assert f": '{FAILED}' is no candidate: it is spelled 'C0.5_G1.0'" in text
    assert "failed in run " in text


def test_an_unknown_candidate_is_one_message(searched: ShippedProject) -> None:
    answer = searched.call("why", "C8.0_G0.26")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith(
        "iris-hpo: C8.0_G0.26 is no candidate of this search; the nearest are C8.0_G0.25"
    )


class TestProject:
    pytestmark = DAGSTERS_WARNINGS

    @pytest.fixture
    def project(self, tmp_path: Path) -> YamlProject:
        project = YamlProject.create(tmp_path)
        project.write_data("d.csv", [[n % 7, n % 5, "ab"[n % 2]] for n in range(60)])
        project.write_search("new", **TREE)
        project.write_values("new", depth=[1, 2])
        return project

    def test_a_project_without_a_search_says_how_to_begin(self, tmp_path: Path) -> None:
        answer = YamlProject.create(tmp_path).call("search")

        assert answer.code == 0
        assert "has no search yet; describe one in defs/<name>/defs.yaml" in answer.out

    def test_every_search_is_listed_with_what_is_wrong(self, project: YamlProject) -> None:
        project.write_search("lost", **{**TREE, "data_file": "no.csv"})
        project.write_search("wrong", **{**TREE, "estimator": "sklearn.tree.Decision"})

        answer = project.call("search")

        assert answer.code == 2
        lines = [line.split() for line in answer.out.splitlines()]
        assert lines[0] == ["search", "model", "candidates", "state", "champion", "defined", "in"]
        assert lines[1][:4] == ["lost", "DecisionTreeClassifier", "-", "unusable"]
        assert lines[2] == [
            *("new", "DecisionTreeClassifier", "2", "not", "run", "-"),
            "defs/new/defs.yaml:1",
        ]
        assert lines[3][:4] == ["wrong", "-", "-", "broken"]
        assert "defs/wrong/defs.yaml" in answer.out

    def test_a_narrow_terminal_gets_fewer_columns(
        self, project: YamlProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("iris_hpo.command.output._PIPE_WIDTH", 40)
            lines = project.call("search").out.splitlines()

        assert lines[0].split() == ["search", "candidates", "state", "champion"]
        assert max(map(len, lines)) <= 40
