"""Dagster's own commands, the present and the superseded ones, do the whole search too."""

import json

import dagster as dg
import pytest

from iris_hpo_tests.projects import ShippedProject

DG = "from dagster_dg_cli.cli import main; main()"


def materialize(project: ShippedProject, select: str, *arguments: str) -> tuple[int, str]:
    result = project.dagster(
        "asset", "materialize", "-m", "iris_hpo.definitions", "--select", select, *arguments
    )
    return result.returncode, result.stdout + result.stderr


@pytest.mark.slow
def test_dagster_asset_materialize_does_the_whole_search(project: ShippedProject) -> None:
    assert materialize(project, "raw_data,split,parameters")[0] == 0
    code, output = materialize(
        project, "models,scores", "--partition-range", "C0.031_G0.001...C32768.0_G4.0"
    )
    assert code == 0, output
    assert materialize(project, "selection")[0] == 0
    with project.instance() as instance:
        for asset in ("models", "scores"):
            assert len(instance.get_materialized_partitions(dg.AssetKey(asset))) == 77
    assert len(list((project.artifacts / "models").glob("*.pkl"))) == 77
    lines = (project.artifacts / "selection" / "leaderboard.csv").read_text().splitlines()
    assert len(lines) == 78

    code, output = materialize(project, "models,scores", "--partition", "C0.5_G0.25")
    assert code == 0, output

    status = project.call("status", "--json")
    assert json.loads(status.stdout)["assets"]["scores"]["up to date"] == 77

    model = project.artifacts / "models" / "model_C0.5_G0.25.pkl"
    model.write_bytes(model.read_bytes() + b" ")
    code, output = materialize(project, "scores", "--partition", "C0.5_G0.25")
    assert code == 1
    assert f"{model} is not the file that was recorded" in output


@pytest.mark.slow
def test_dg_launch_works_on_all_candidates_and_on_one(project: ShippedProject) -> None:
    def launch(*arguments: str) -> str:
        result = project.process("-c", DG, "launch", *arguments)
        output = result.stdout + result.stderr
        assert result.returncode == 0, output
        assert "superseded" not in output
        return output

    launch("--job", "search")
    models = project.artifacts / "models"
    assert len(list(models.glob("*.pkl"))) == 77
    launch("--assets", "selection")
    status = json.loads(project.call("status", "--json").stdout)["assets"]
    assert (status["scores"]["up to date"], status["selection"]["up to date"]) == (77, 1)

    (models / "model_C0.5_G0.25.pkl").unlink()
    output = launch("--assets", "models,scores", "--partition", "C0.5_G0.25")
    assert "1 trained, 0 reused, 0 failed" in output
    assert (models / "model_C0.5_G0.25.pkl").is_file()
