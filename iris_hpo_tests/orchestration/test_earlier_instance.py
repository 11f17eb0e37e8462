"""An instance whose tables an earlier Dagster made, and that was not migrated."""

import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.orchestration.outcome import RunFailedError
from iris_hpo_tests.projects import SpecProject


def test_a_run_names_the_command_that_migrates(tmp_path: Path) -> None:
    limited = {"concurrency": {"pools": {"default_limit": 1}}}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=limited) as instance:
        project = SpecProject.create(tmp_path / "project", instance)
        database = tmp_path / "history" / "runs" / "index.db"
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("ALTER TABLE concurrency_limits DROP COLUMN using_default_limit")

        with pytest.raises(RunFailedError) as failed:
            project.launch()

    assert "using_default_limit" in str(failed.value)
    assert str(failed.value).endswith("made this instance: run `dagster instance migrate`")
