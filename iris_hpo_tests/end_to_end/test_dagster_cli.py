"""Dagster's own commands, the present and the superseded ones, do the whole search too."""

import json

import dagster as dg
import pytest

from iris_hpo_tests.projects import ShippedProject

DG = "from dagster_dg_cli.cli import main; main()"


@pytest.fixture
def few(project: ShippedProject) -> ShippedProject:
    """Six candidates; nothing was run."""
    project.write_axis("c", 0.5, 8)
    project.write_axis("gamma", 0.25, 1, 4)
    return project


def materialize(project: ShippedProject, select: str, *arguments: str) -> tuple[int, str]:
    result = project.dagster(
        "asset", "materialize", "-m", "iris_hpo.definitions", "--select", select, *arguments
    )
    return result.returncode, result.stdout + result.stderr


@pytest.mark.slow
def test_dagster_asset_materialize_does_the_whole_search(few: ShippedProject) -> None:
    assert materialize(few, "raw_data,split,parameters")[0] == 0
    code, output = materialize(few, "models,scores", "--partition-range", "C0.5_G0.25...C8.0_G4.0")
    assert code == 0, output
    assert materialize(few, "selection")[0] == 0
    with few.instance() as instance:
        for asset in ("models", "scores"):
            assert len(instance.get_materialized_partitions(dg.AssetKey(asset))) == 6
    assert len(list((few.artifacts / "models").glob("*.pkl"))) == 6
    lines = (few.artifacts / "selection" / "leaderboard.csv").read_text().splitlines()
    assert len(lines) == 7

    code, output = materialize(few, "models,scores", "--partition", "C0.5_G0.25")
    assert code == 0, output

    status = few.call("status", "--json")
    assert json.loads(status.stdout)["assets"]["scores"]["up to date"] == 6


@pytest.mark.slow
def test_dg_launch_works_on_all_candidates_and_on_one(few: ShippedProject) -> None:
    def launch(*arguments: str) -> str:
        result = few.process("-c", DG, "launch", *arguments)
        output = result.stdout + result.stderr
        assert result.returncode == 0, output
        assert "superseded" not in output
        return output

    launch("--job", "search")
    models = few.artifacts / "models"
    assert len(list(models.glob("*.pkl"))) == 6
    launch("--assets", "selection")
    status = json.loads(few.call("status", "--json").stdout)["assets"]
    assert (status["scores"]["up to date"], status["selection"]["up to date"]) == (6, 1)

    (models / "model_C0.5_G0.25.pkl").unlink()
    output = launch("--assets", "models,scores", "--partition", "C0.5_G0.25")
    assert "1 trained, 0 reused, 0 failed" in output
    assert (models / "model_C0.5_G0.25.pkl").is_file()
