"""Shells complete commands, options, searches and candidates."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from iris_hpo.command.completing import COMPLETE_VARIABLE, SHELLS
from iris_hpo.command.main import cli
from iris_hpo_tests.projects import ShippedProject

WINE = """\
# A search.
type: iris_hpo.HyperparameterSearch

attributes:  # its fields
  # the name
  data_file: wine.csv
  axes:
    - name: depth
  name: 'wine'  # of the search
---
type: iris_hpo.HyperparameterSearch
attributes:
    name: second
---
type: dagster.PipesSubprocessScriptCollectionComponent
attributes:
  name: other
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with searches, and with results of one that has a name and of one that has none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IRIS_HPO_ARTIFACTS", raising=False)
    (tmp_path / "defs" / "all").mkdir(parents=True)
    (tmp_path / "defs" / "all" / "defs.yaml").write_text(WINE)
    for folder, keys in (("artifacts/wine", "D1 D2"), ("artifacts", "C1.0_G1.0"), ("new", "N1")):
        table = tmp_path / folder / "parameters" / "candidates.csv"
        table.parent.mkdir(parents=True)
        rows = (f'{key},"1"\n' for key in keys.split())
        table.write_text("candidate,depth\n" + "".join(rows))
    return tmp_path


def complete(line: str) -> list[str]:
    """Complete the last word of a line."""
    *words, incomplete = line.split(" ")
    completion = BashComplete(cli, {}, "iris-hpo", COMPLETE_VARIABLE)
    items = completion.get_completions(words, incomplete)
    return [item.value for item in items if item.type == "plain"]


@pytest.mark.parametrize(
    ("line", "completions"),
    [
        ("lea", ["leaderboard"]),
        ("export --to ", ["optuna", "mlflow", "csv", "parquet"]),
        ("run --rep", ["--repeats"]),
        ("run --rule one", ["one_standard_error"]),
        ("run --search ", ["second", "wine"]),
        ("status --search w", ["wine"]),
        ("why D", ["D1", "D2"]),
        ("why --search wine ", ["D1", "D2"]),
        ("why C", ["C1.0_G1.0"]),
        ("why --artifacts new ", ["N1"]),
        ("why --artifacts s3://bucket/a ", []),
        ("why --search no ", []),
        ("completion ", [*SHELLS]),
    ],
)
@pytest.mark.usefixtures("project")
def test_completions(line: str, completions: list[str]) -> None:
    assert complete(line) == completions


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("line", "kind"), [("run --data", "dir"), ("predict", "file")])
def test_the_shell_completes_files_and_folders(line: str, kind: str) -> None:
    completion = BashComplete(cli, {}, "iris-hpo", COMPLETE_VARIABLE)

    items = completion.get_completions(line.split(), "d")

    assert [(item.value, item.type) for item in items] == [("d", kind)]


def test_a_file_that_cannot_be_read_is_no_error(project: Path) -> None:
    (project / "defs" / "bad.yaml").write_bytes(b"\xff\xfe\x00type: HyperparameterSearch")
    (project / "artifacts" / "wine" / "parameters" / "candidates.csv").write_bytes(b'\xff"')

    assert complete("run --search ") == ["second", "wine"]
    assert complete("why --search wine ") == []


@pytest.mark.parametrize(
    ("file", "searches", "keys"),
    [
        ("defs/all/defs.yaml", ["wine"], ["D1", "D2"]),
        ("artifacts/wine/parameters/candidates.csv", ["second", "wine"], []),
        (".dagster/history/runs.db", ["second", "wine"], ["D1", "D2"]),
        (".dagster/history/runs/index.db", ["second", "wine"], ["D1", "D2"]),
    ],
)
def test_a_named_pipe_in_place_of_a_file_is_not_waited_for(
    project: Path, file: str, searches: list[str], keys: list[str]
) -> None:
    place = project / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    os.mkfifo(place)

    assert complete("run --search ") == searches
    assert complete("why --search wine ") == keys


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_has_a_script(shell: str, searched: ShippedProject) -> None:
    answer = searched.call("completion", shell)

    assert answer.returncode == 0
    assert f"{COMPLETE_VARIABLE}={shell}_complete" in answer.stdout


def read_until(terminal: int, text: str, seconds: float = 60) -> str:
    """Read a terminal until it shows a text."""
    shown, end = "", time.monotonic() + seconds
    while text not in shown:
        assert time.monotonic() < end, shown
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
    return shown


def test_bash_completes_when_tab_is_pressed(project: Path) -> None:
    ours, theirs = pty.openpty()
    folder = Path(sys.executable).parent
    bash = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=project,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PS1": "> ", "TERM": "dumb"},
        start_new_session=True,
    )
    os.close(theirs)
    try:
        os.write(ours, b'eval "$(iris-hpo completion bash)"; echo is read""y\n')
        read_until(ours, "is ready")
        os.write(ours, b"iris-hpo comp\tfi\t | head -n 1\n")
        read_until(ours, "function _iris_hpo_completion;")
        os.write(ours, b"echo iris-hpo; iris-hpo why --search wi\tD2\t --help | tail -n 1\n")
        read_until(ours, "Show this message and exit.")
        os.write(ours, b"iris-hpo run --search sec\t")
        read_until(ours, "--search second ")
    finally:
        bash.kill()
        bash.wait()
        os.close(ours)
