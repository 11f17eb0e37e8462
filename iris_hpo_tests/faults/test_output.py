"""Standard output is for the result, whatever prints and whatever becomes of it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from iris_hpo.command import output
from iris_hpo_tests.projects import SETTINGS_OF_THE_MACHINE, YamlProject

pytestmark = pytest.mark.filterwarnings("always::FutureWarning")  # the estimator's own

PRINTS = """
import ctypes, os, warnings
from sklearn.tree import DecisionTreeClassifier

C = ctypes.CDLL(None)


class Tree(DecisionTreeClassifier):
    def fit(self, X, y):
        print("by Python")
        C.printf(b"by C\\n")
        os.write(1, b"by the system\\n")
        os.system("echo by a process")
        warnings.warn("of old", FutureWarning)
        return super().fit(X, y)

    def predict(self, X):
        print("predicting")
        return super().predict(X)
"""
COMMAND = f"{sys.executable} -m iris_hpo"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def shell(
    project: YamlProject, line: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a line as a user types it."""
    inherited = {
        name: value for name, value in os.environ.items() if name not in SETTINGS_OF_THE_MACHINE
    }
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("iris-hpo", COMMAND)],
        cwd=project.root,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def printing(tmp_path_factory: pytest.TempPathFactory) -> YamlProject:
    """A project whose estimator prints; its search was run in this process."""
    project = YamlProject.create(tmp_path_factory.mktemp("printing"))
    (project.root / "printing.py").write_text(PRINTS)
    project.write_data("d.csv", [[n % 7, n % 5, "ab"[n % 2]] for n in range(60)])
    project.write_search(
        "s",
        data_file="d.csv",
        estimator="printing.Tree",
        axes=[{"name": "depth", "symbol": "D", "parameter": "max_depth", "type": "int"}],
        folds=2,
    )
    project.write_values("s", depth=[1, 2])
    assert project.call("run", "--search", "s", "--engine", "serial").code == 0
    return project


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["serial", "loky"])
def test_prints_do_not_mix_with_the_json_of_a_run(printing: YamlProject, engine: str) -> None:
    """One JSON object is all there is; what was printed is not lost."""
    done = shell(printing, f"iris-hpo run --search s --engine {engine} --force --json")

    assert json.loads(done.stdout)["candidates"] == 2
    for source in ("by Python", "by C", "by the system", "by a process", "predicting"):
        assert done.stderr.count(source) >= 2, source
    (warning,) = re.findall(r"^warning: .*/printing.py:.*$", done.stderr, re.MULTILINE)
    assert warning.endswith(" FutureWarning: of old (6 times)")
    assert done.stderr.count("of old") == 1


@pytest.mark.slow
def test_prints_do_not_mix_with_predictions(printing: YamlProject) -> None:
    done = shell(printing, "iris-hpo predict data/d.csv --search s")
    assert (done.returncode, len(done.stdout.split())) == (0, 60)
    assert set(done.stdout.split()) <= {"a", "b"}
    assert "predicting" in done.stderr


def test_prints_do_not_mix_with_the_result_in_this_process(printing: YamlProject) -> None:
    """Under `redirect_stdout` there is no descriptor to put aside."""
    answer = printing.call("predict", "data/d.csv", "--search", "s")
    assert (answer.code, len(answer.out.split())) == (0, 60)
    assert "predicting" in answer.err


FULL = "iris-hpo: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    ("line", "code", "stderr_text"),
    [
        ("iris-hpo --help > /dev/full", 2, FULL),
        *(
            pytest.param(line, code, stderr_text, marks=pytest.mark.slow)
            for line, code, stderr_text in (
                ("iris-hpo leaderboard --search s | head -0", 0, ""),
                ("iris-hpo leaderboard --search s --format csv >&-", 0, ""),
                ("cd / && iris-hpo status 2> /dev/full", 2, ""),  # where there is no project
                ("iris-hpo leaderboard --search no <&- >&- 2>&-", 2, ""),
                ("iris-hpo status --search s --json > /dev/full", 2, FULL),
            )
        ),
    ],
)
def test_an_output_that_is_full_or_closed(
    printing: YamlProject, line: str, code: int, stderr_text: str
) -> None:
    done = shell(printing, line)
    assert (done.returncode, done.stderr) == (code, stderr_text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("output", "code"),
    [("> /dev/full", 2), ("| head -1", 0), ("--engine loky 2>&-", 0), (">&- 2>&-", 0)],
)
def test_a_run_is_finished_if_its_output_is_closed_or_full(
    printing: YamlProject, output: str, code: int
) -> None:
    card = printing.artifacts("s") / "scores" / "D1.json"
    before = card.stat().st_mtime_ns
    done = shell(printing, f"iris-hpo run --search s --engine serial --force {output}")
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stderr.count(FULL) == int(code == 2)
    assert card.stat().st_mtime_ns > before


def test_what_nobody_reads_on_standard_error_is_dropped() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    program = (
        "import sys\n"
        "from iris_hpo.command.output import make_console, say, take_stdout\n"
        "take_stdout()\n"
        "say(make_console(for_results=False), 'a note')\n"
        "print('a line', file=sys.stderr)\n"
        "print('done')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=writer, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stdout) == (0, b"done\n")


def test_labels_are_not_written_over_what_is_predicted(printing: YamlProject) -> None:
    file = printing.root / "data" / "d.csv"
    before = file.read_bytes()
    answer = printing.call("predict", "data/d.csv", "--search", "s", "--output", str(file))
    assert (answer.code, answer.out) == (2, "")
    assert (
        answer.err == f"iris-hpo: {file} is the file to predict; give another one for the labels\n"
    )
    assert file.read_bytes() == before


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_results_for_standard_output_go_there(printing: YamlProject, name: str) -> None:
    of_search = ("--search", "s")
    plain = printing.call("predict", "data/d.csv", *of_search)
    assert printing.call("predict", "data/d.csv", "--output", name, *of_search).out == plain.out
    table = printing.call("export", "--to", "csv", *of_search)
    assert printing.call("export", "--to", "csv", name, *of_search).out == table.out
    page = printing.call("report", "--output", name, *of_search)
    assert (page.out[:2], page.out[-7:]) == ("<!", "</html>")
    assert not Path(printing.root, "-").exists()


DATA = "the data of the search"


@pytest.mark.parametrize(
    ("command", "place", "what"),
    [
        ("report --output", "data/d.csv", DATA),
        ("export --to csv", "link.csv", DATA),
        ("export --to csv", "data/parameters/s/depth_parameters.txt", "one of the parameter files"),
        (
            "predict data/new.csv --output",
            "artifacts/s/scores/D1.json",
            "an artifact of the search",
        ),
        ("export --to parquet", ".dagster/dagster.yaml", "a file of the Dagster instance"),
        ("export --to csv", "defs/s/defs.yaml", "part of the project"),
    ],
)
def test_a_result_is_not_written_over_what_it_is_made_of(
    printing: YamlProject, command: str, place: str, what: str
) -> None:
    file, link = printing.root / place, printing.root / "link.csv"
    link.unlink(missing_ok=True)
    link.symlink_to("data/d.csv")
    shutil.copy(printing.root / "data/d.csv", printing.root / "data/new.csv")
    before = file.read_bytes()
    answer = printing.call(*command.split(), str(file), "--search", "s")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"iris-hpo: {file} is {what}, and is not replaced; name another file\n"
    assert file.read_bytes() == before


@pytest.mark.slow
def test_a_locale_without_utf_8_gets_plain_text(printing: YamlProject) -> None:
    done = shell(printing, "iris-hpo leaderboard --search s", **ASCII, LANG="C")
    assert (done.returncode, done.stderr) == (0, "")
    assert "champion D1: expect 0." in done.stdout
    assert done.stdout.isascii()


def test_signs_that_an_encoding_lacks_are_spelled() -> None:
    text = "0.9 \u00b1 0.1, 11 \u00d7 7, and more\u2026"
    assert text.encode("ascii", output._PLAIN_TEXT) == b"0.9 +/- 0.1, 11 x 7, and more..."


@pytest.mark.slow
def test_a_run_in_an_encoding_without_other_signs(printing: YamlProject) -> None:
    done = shell(printing, "iris-hpo run --search s", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "champion D1: expect 0." in done.stdout
    assert done.stdout.isascii()


def test_only_one_module_prints() -> None:
    """What it shows is clean; so nothing else in the command may write to the terminal."""
    folder = Path(sys.modules["iris_hpo.command.main"].__file__ or "").parent
    prints = ("click.echo", "click.secho", "print(f", 'print("', "sys.stdout.write", "sys.stderr.")
    found = [
        f"{path.name}: {name}"
        for path in folder.rglob("*.py")
        if path.name != "output.py"
        for name in prints
        if name in path.read_text()
    ]
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize("options", ["ro", "size=4k"])
def test_a_machine_without_semaphores_is_named_once(printing: YamlProject, options: str) -> None:
    """The project's estimator imports joblib, which would warn of the same."""
    mount = f"mount -t tmpfs -o {options} tmpfs /dev/shm"
    fill = "head -c 4096 /dev/zero > /dev/shm/full || true"
    if shell(printing, f"unshare -m bash -c '{mount}'").returncode:
        pytest.skip("only root can mount a disk")
    line = f"unshare -m bash -c '{mount}; {fill}; iris-hpo run --search s --force --json'"
    done = shell(printing, line)
    assert done.returncode == 0
    assert json.loads(done.stdout)["trained"] == 2
    assert done.stderr.count("no worker processes can be started (semaphores cannot be made") == 1
    assert "joblib" not in done.stderr
