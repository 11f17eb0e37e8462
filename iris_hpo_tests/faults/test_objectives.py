"""Functions and programs that go wrong: only the candidate fails, with its reason, and all ends."""

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from iris_hpo.data.split import Examples
from iris_hpo.errors import CandidateError, WholeRunError
from iris_hpo.parts import Part
from iris_hpo.processes import is_alive
from iris_hpo.training import process_group, pump_process
from iris_hpo.training.artifacts import Workplace, pack, remove_left_folders
from iris_hpo.training.bounded_prints import bounded_prints
from iris_hpo.training.called_objective import CalledObjective
from iris_hpo.training.evaluation import Training, train
from iris_hpo_tests.faults import faulty_calls

CUT = b"... what it printed beyond the first MiB is left out ...\n"
NOTHING = Examples(np.empty((0, 0)), np.empty(0), np.empty((0, 0)), np.empty(0), ())


def run(folder: Path, text: str, **settings: object) -> Training:
    """Run a shell script for a candidate."""
    (folder / "script.sh").write_text(text)
    part = Part("program", {"command": ["sh", "script.sh"], **settings})
    return train(CalledObjective(part, folder), {"x": 1.0}, NOTHING)


def call(folder: Path, fault: str) -> Training:
    """Call the faulty function for a candidate."""
    name = f"{faulty_calls.__name__}:{faulty_calls.faulty.__name__}"
    objective = CalledObjective(Part("function", {"function": name}), folder)
    return train(objective, {"fault": fault}, NOTHING)


def assert_ends(process: int) -> None:
    wait_for(lambda: not is_alive(process))


def wait_for(is_true: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < ends_at
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "echo of no use; echo 'no such file' >&2; exit 3",
            r"ended with exit code 3 after \d\.\d s: no such file$",
        ),
        ("exit 1", r"ended with exit code 1 after .*, and wrote nothing to standard error$"),
        ("kill -SEGV $$", r"was ended by the signal SIGSEGV after \d\.\d s"),
        ("kill -KILL $$", r"was ended by the signal SIGKILL after"),
        ("printf 'caf\\351 \\033[31m' >&2; exit 1", r"exit code 1 after .*: caf.* \\x1b\[31m"),
        ("echo done", r"the last line of its output is 'done', and neither a number nor a JSON"),
        ("printf '\\377\\376\\n'", r"the last line of its output is '..', and neither"),
        ("printf '9\\0'", r"the last line of its output is '9\\x00', and neither a number"),
        ('echo \'{"value": 1, "value": 1}\'', "it gave 'value' more than once; give each name"),
        ("yes [ | head -n 9999 | tr -d '\\n'", r"output is '\[\[.*, and neither a number"),
        ("(echo 1; yes '') | head -c 1048577 > $IRIS_HPO_OUTPUT/result.json", "more than 1 MiB$"),
        (":", "it printed nothing, and left no result"),
        ("echo NaN", "value is nan, which is no score"),
        ("echo '{\"value\": -Infinity}'", "value is -inf, which is no score"),
        ("echo '{\"loss\": 1}'", "it gave 'loss', and no 'value' to rank by"),
        ("echo '\"0.5\"'", "value is a str, which is no number"),
        ("echo null", "value is None, which is no number"),
        ("echo '1 {' > $IRIS_HPO_OUTPUT/result.json; echo 1", r"result\.json is '1 \{"),
        ("mkfifo $IRIS_HPO_OUTPUT/pipe; echo 1", "pipe in the folder is neither a file nor a fol"),
        ("cd $IRIS_HPO_OUTPUT; truncate -s 1G big; echo 1", "the folder holds 1024 MiB; at most"),
    ],
)
def test_a_program_that_fails_is_its_candidates_failure(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(CandidateError, match=reason):
        run(tmp_path, text)


def test_a_program_that_is_missing_is_one_message(tmp_path: Path) -> None:
    part = Part("program", {"command": ["no-such-program"]})

    with pytest.raises(WholeRunError, match=r"'no-such-program' cannot be started in .*: No such"):
        train(CalledObjective(part, tmp_path), {}, NOTHING)


def test_a_time_limit_ends_all_processes_even_those_that_ignore_sigterm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_group, "GRACE_SECONDS", 0.1)
    text = "trap '' TERM; sh -c 'sleep 60; sleep 60' & echo $! > child; echo working >&2; wait"

    with pytest.raises(CandidateError, match=r"by its time limit, after 0\.\d s: working"):
        run(tmp_path, text, time_limit=0.3)

    assert_ends(int((tmp_path / "child").read_text()))


def test_a_program_may_end_in_its_own_way_at_the_time_limit(tmp_path: Path) -> None:
    text = "trap 'echo saved >&2; kill $!; exit' TERM; sleep 60 & wait"

    with pytest.raises(CandidateError, match=r"time limit, after .* saved"):
        run(tmp_path, text, time_limit=0.2)


def test_what_a_program_leaves_running_ends_with_it(tmp_path: Path) -> None:
    started = time.monotonic()

    assert run(tmp_path, "sleep 60 & echo $! > child; echo 1").model == 1

    assert time.monotonic() - started < 10
    assert_ends(int((tmp_path / "child").read_text()))


def test_a_program_dies_with_its_worker(tmp_path: Path) -> None:
    (tmp_path / "script.sh").write_text(
        "trap '' TERM; sleep 60 & echo $! > made; mv made child; wait"
    )
    code = (
        "import os; from pathlib import Path\n"
        "from iris_hpo.training.process_group import run_program\n"
        "run_program(['sh', 'script.sh'], Path(), os.environ, None)"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    wait_for((tmp_path / "child").exists)
    child = int((tmp_path / "child").read_text())

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    assert_ends(child)


def test_endless_output_takes_little_memory(tmp_path: Path) -> None:
    text = "echo first; yes loud & yes error >&2 & sleep 0.3; kill $!; echo; echo 0.5; sleep 0.1"

    with pytest.raises(CandidateError, match="time limit"):
        run(tmp_path, "yes", time_limit=0.2)
    training = run(tmp_path, text.replace("yes loud &", "yes loud | head -c 5000000;"))

    assert training.model == 0.5
    log = training.beside["txt"]
    assert log.startswith(b"first\n")
    assert b"0.5\n" in log
    assert b" bytes left out ...\n" in log
    assert len(log) < 1 << 20


def test_a_function_that_prints_without_end_fills_no_disk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    streams = sys.stdout, sys.stderr

    training = call(tmp_path, "prints without end")

    assert training.model == 1
    assert training.beside["txt"] == CUT
    assert (sys.stdout, sys.stderr) == streams
    for printed in capsys.readouterr():
        assert printed.startswith("loud\n")
        assert printed.endswith("... what it prints further is left out ...\n")
        assert len(printed) < (1 << 20) + 100


def test_compiled_code_and_processes_of_a_function_fill_no_disk(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    training = call(tmp_path, "floods")
    call(tmp_path, "no fault")
    subprocess.run("echo after; echo after >&2", shell=True, check=True)

    assert training.model == 1
    assert training.beside["txt"] == b"done\n" + CUT
    for printed, first in zip(capfd.readouterr(), ("compiled" * 16, "error"), strict=True):
        assert printed.startswith(f"{first}\n")
        assert printed.endswith("... what it prints further is left out ...\nafter\n")
        assert len(printed) < (1 << 20) + 100


def test_what_a_function_prints_is_bounded_after_its_pump_was_killed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    call(tmp_path, "no fault")
    children = psutil.Process().children()
    pumps = [each for each in children if pump_process.__file__ in each.cmdline()]
    for each in pumps:
        each.kill()
        each.wait()

    training = call(tmp_path, "floods")

    assert pumps
    assert training.beside["txt"] == b"done\n" + CUT
    assert len("".join(capfd.readouterr())) < (1 << 21) + 200


def test_what_a_call_left_running_prints_delays_no_later_call(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    training = call(tmp_path, "leaves a loud child")
    with zipfile.ZipFile(io.BytesIO(training.beside["zip"])) as files:
        child = int(files.read("child"))

    after = call(tmp_path, "no fault")

    assert is_alive(child)
    os.kill(child, signal.SIGKILL)
    assert (training.model, after.model, after.beside) == (1, 1, {})
    assert len(capfd.readouterr().out) < (1 << 20) + 100


def test_what_a_call_left_running_does_not_print_without_end_after_the_run(tmp_path: Path) -> None:
    code = (
        "import subprocess\n"
        "from iris_hpo.training.bounded_prints import bounded_prints\n"
        "with bounded_prints():\n"
        "    subprocess.run('timeout 60 yes & echo $! > child', shell=True)"
    )

    command = [sys.executable, "-c", code]
    subprocess.run(command, cwd=tmp_path, stdout=subprocess.DEVNULL, check=True)

    assert_ends(int((tmp_path / "child").read_text()))


def test_calls_that_overlap_leave_no_bound_behind(capsys: pytest.CaptureFixture[str]) -> None:
    """As in a worker with several threads."""
    stream = sys.stdout
    one, other = bounded_prints(), bounded_prints()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    other.__exit__(None, None, None)

    sys.stdout.write("x" * (1 << 21))

    assert len(capsys.readouterr().out) == 1 << 21
    with bounded_prints():
        pass
    assert sys.stdout is stream


def test_other_encodings_are_kept_byte_by_byte(tmp_path: Path) -> None:
    training = run(tmp_path, "printf 'caf\\351\\n'; echo 2")

    assert (training.model, training.beside["txt"]) == (2, b"caf\xe9\n2\n")


@pytest.mark.slow
def test_ten_thousand_files_are_kept(tmp_path: Path) -> None:
    for number in range(10_000):
        (tmp_path / f"{number:05}").touch()

    content = pack(tmp_path)

    assert content is not None
    with zipfile.ZipFile(io.BytesIO(content)) as files:
        assert files.namelist() == [f"{number:05}" for number in range(10_000)]


def test_folders_of_killed_workers_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = subprocess.Popen(["true"])
    dead.wait()
    own = Workplace()
    place = own.root.name.split("-")[1]
    others = {tmp_path / f"iris_hpo_call-{place}-{odd}-x" for odd in ("²", "-1", "", "x")}
    for each in others:
        each.mkdir()
    left = own.root.with_name(own.root.name.replace(f"-{os.getpid()}-", f"-{dead.pid}-"))
    (left / "output").mkdir(parents=True)
    impossible = tmp_path / f"iris_hpo_call-{place}-{10**26}-x"
    impossible.mkdir()
    other = Workplace()
    (other.folder / "file").touch()

    remove_left_folders()

    assert not left.exists()
    assert not impossible.exists()
    assert own.root.exists()
    other.close()
    own.close()
    assert {*tmp_path.iterdir()} == others


@pytest.mark.parametrize("replace", [os.symlink, lambda _, path: path.touch()])
def test_what_lies_in_the_place_of_the_folder_is_not_kept(
    tmp_path: Path, replace: Callable[[Path, Path], object]
) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "file").touch()
    folder = tmp_path / "folder"
    replace(tmp_path / "foreign", folder)

    with pytest.raises(CandidateError, match="something else lies in the place of the folder"):
        pack(folder)
