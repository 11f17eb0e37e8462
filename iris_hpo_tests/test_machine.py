"""What the machine lacks is told from what a candidate does wrong, and is one message."""

import errno
import os
import resource
import tempfile
import threading
from collections.abc import Collection, Set
from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path

import pytest

from iris_hpo import start_up
from iris_hpo.command.main import main
from iris_hpo.engines import make_engine
from iris_hpo.engines.dispatch import Dispatch
from iris_hpo.engines.interface import Chunk, Failed, Limits, Report, Workers, attempt
from iris_hpo.engines.tries import Shares, Try
from iris_hpo.engines.worker import run_chunk
from iris_hpo.errors import CandidateError, InputError, WholeRunError
from iris_hpo.machine import lack, limit_threads
from iris_hpo.parts import import_object

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FULL, "No space left on device; make room"),
        (OSError(errno.EMFILE, "", "a.py"), "Too many open files: a.py; raise"),
        (PermissionError(errno.EACCES, "", "a.py"), "Permission denied: a.py; give"),
        (MemoryError(), "Cannot allocate memory; free memory"),
        (RuntimeError("can't start new thread"), "raise the number of processes"),
        (ImportError("x.so: failed to map segment from shared object"), "free memory"),
        (caused(RuntimeError("it failed"), FULL), "make room"),
    ],
)
def test_an_error_names_what_the_machine_lacks(error: Exception, words: str) -> None:
    assert words in (lack(error) or "")


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a"),
        FileNotFoundError(errno.ENOENT, "", "a.csv"),
        PermissionError(errno.EACCES, "of a place that it does not name"),
    ],
)
def test_other_errors_name_no_lack(error: Exception) -> None:
    assert lack(error) is None


@pytest.mark.parametrize("arguments", [["run"], ["status"], ["search"], ["leaderboard"]])
def test_a_current_folder_that_was_removed_is_one_message(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()

    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("iris-hpo: the current folder has been removed or moved; change to")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("most", "is_refused"), [(resource.RLIM_INFINITY, False), (4 << 30, False), (700 << 20, True)]
)
def test_too_little_address_space_is_refused_before_libraries_stand_still(
    most: int, monkeypatch: pytest.MonkeyPatch, *, is_refused: bool
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (most, resource.RLIM_INFINITY))
    expectation = (
        pytest.raises(InputError, match=r"limited to 716,800 kB \(ulimit -v\).* 1,048,576 kB")
        if is_refused
        else nullcontext()
    )
    with expectation:
        make_engine("loky")


@pytest.mark.parametrize(("started", "limit"), [(2, "2"), (1, "1")])
def test_libraries_start_no_threads_where_they_could_not(
    started: int, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = iter([threading.Thread.start] * started)

    def start(thread: threading.Thread) -> None:
        begin = next(starts, None)
        if begin is None:
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(resource, "getrlimit", lambda _: (60_000, 60_000))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(threading.Thread, "start", start)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")

    limit_threads()

    assert os.environ["OPENBLAS_NUM_THREADS"] == limit


def test_a_module_that_the_memory_does_not_suffice_for_names_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "too_large.py").write_text("raise MemoryError\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(InputError, match=r"'too_large.Tree' cannot be imported \(MemoryError\)"):
        import_object(
            "too_large.Tree", "estimator", "the import path of a class", field="estimator"
        )


def fail(error: Exception) -> None:
    raise error


FAILURES = [
    pytest.param(caused(CandidateError("training failed"), FULL), id="training"),
    pytest.param(CandidateError("exit code 1: No space left on device"), id="program"),
    pytest.param(FULL, id="this package"),
]


def test_work_that_leaves_too_many_files_open_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError(errno.EMFILE, "Too many open files")
    monkeypatch.setattr(tempfile, "tempdir", None)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        outcome = attempt(fail, error, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert outcome == Failed(error, "OSError: [Errno 24] Too many open files")


@pytest.mark.parametrize("error", FAILURES)
def test_a_full_temporary_folder_ends_the_run(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    monkeypatch.setattr(tempfile, "tempdir", str(gone))

    outcome = attempt(fail, error, 1)

    assert isinstance(outcome, Failed)
    assert outcome.ends_run
    assert f"temporary files cannot be written in {gone}: No such file" in outcome.reason
    assert "set TMPDIR" in outcome.reason


@pytest.mark.parametrize("error", FAILURES)
def test_a_candidate_that_gave_the_room_back_fails_alone(error: Exception) -> None:
    outcome = attempt(fail, error, 1)

    assert isinstance(outcome, Failed)
    assert not outcome.ends_run


def test_a_failure_of_another_kind_is_the_candidates_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")

    error = CandidateError("the score is nan")

    assert attempt(fail, error, 1) == Failed(error, "the score is nan")


class LostWork(Workers[int]):
    """A worker in this process; the file with its work was removed."""

    most = 1

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def present(self) -> Set[int]:
        return {1}

    def submit(self, worker: int, chunk: Chunk) -> Future[list[Report]]:  # noqa: ARG002
        future: Future[list[Report]] = Future()
        try:
            future.set_result(run_chunk(str(self.folder / "work"), chunk))
        except WholeRunError as error:
            future.set_exception(error)
        return future

    def kill(self, workers: Collection[int]) -> None:
        pass


def test_temporary_files_that_were_removed_during_a_run_end_it(tmp_path: Path) -> None:
    waiting = Shares(Try(item, item) for item in range(3))
    outcomes = next(iter(Dispatch(LostWork(tmp_path), waiting, Limits(retries=1)).outcomes()))

    (failed, *_) = outcomes
    assert isinstance(failed, Failed)
    assert failed.ends_run
    assert f"{tmp_path / 'work'} cannot be used: No such file or directory" in failed.reason


def test_what_is_imported_ahead_of_need_may_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """What draws imports it again, and says what the machine lacks."""

    def refuse() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("iris_hpo.reports.figure.import_matplotlib", refuse)
    start_up.import_matplotlib_ahead()
