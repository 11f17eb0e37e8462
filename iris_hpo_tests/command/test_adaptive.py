"""An adaptive search by the command: the sampler and the budget of a run, what is left, a reset."""

import io
import json
from pathlib import Path

import pytest

from iris_hpo_tests.command.test_json import call
from iris_hpo_tests.projects import ShippedProject

SMALL = ("--engine", "serial", "--folds", "2")


@pytest.mark.slow
def test_a_sampler_is_named_kept_and_reset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = ShippedProject.create(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))

    first = call(project, "run", *SMALL, "--sampler", "random", "--candidates", "2")
    kept = project.call("status", "--json")
    raised = call(project, "run", "--candidates", "3", "--engine", "serial", "--while-it-gains")
    page = call(project, "report", "--no-open", "--output", str(tmp_path / "page.html"))
    notes = "\n".join(json.loads(project.call("status", "--json").stdout)["kept"])
    asked = call(project, "reset")["deleted"]
    unanswered = project.call("reset")
    deleted = call(project, "reset", "--yes")["deleted"]

    assert (first["trained"], first["ended"]) == (2, "the budget of 2 candidates is used up")
    status = json.loads(kept.stdout)
    assert (status["left"], status["ended"]) == (0, first["ended"])
    assert "settings of the last run: sampler random" in "\n".join(status["kept"])
    assert (raised["trained"], raised["reused"]) == (1, 2)
    assert "while_it_gains true (the search's default: false)" in notes
    assert Path(page["file"]).stat().st_size > 10_000
    assert asked == []
    assert (unanswered.returncode, unanswered.stdout) == (2, "")
    assert "\niris-hpo: nobody answered, so nothing was deleted; reset --yes " in unanswered.stderr
    assert len(deleted) == 3
    with project.instance() as instance:
        assert not instance.get_dynamic_partitions("c_gamma")


def test_a_sampler_that_does_not_exist_is_refused(searched: ShippedProject) -> None:
    answer = searched.call("run", "--sampler", "tea")

    assert answer.returncode == 2
    assert answer.stderr.startswith("iris-hpo: sampler 'tea' is unknown; choose one of files, ")


def test_no_candidates_are_no_budget(searched: ShippedProject) -> None:
    answer = searched.call("status", "--candidates", "0")

    assert (answer.returncode, answer.stderr) == (
        2,
        "iris-hpo: candidates 0 must be at least 1\n",
    )
