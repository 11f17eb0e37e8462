"""Journals of Optuna: what an export finds there, and what it leaves."""

import os
import resource
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from iris_hpo.errors import InputError
from iris_hpo.exports import optuna_journal
from iris_hpo.exports.optuna_study import to_optuna
from iris_hpo_tests.exports.results import make_results


def studies_of(place: Path) -> dict[str, int]:
    """Names of the studies of a journal, with their numbers of trials, as Optuna reads them."""
    storage = JournalStorage(JournalFileBackend(str(place)))
    names = optuna.get_all_study_names(storage)
    return {name: len(optuna.load_study(study_name=name, storage=storage).trials) for name in names}


def write_other_study(place: Path) -> bytes:
    """Write a journal of a program that uses Optuna itself; return its content."""
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(place))), study_name="other"
    )
    study.add_trial(optuna.trial.create_trial(value=0.5))
    return place.read_bytes()


@pytest.mark.parametrize("before", ["", "empty", "other"])
def test_a_new_file_an_empty_one_and_the_journal_of_another_study_are_written_to(
    before: str, tmp_path: Path
) -> None:
    place = tmp_path / "study.journal"
    content = b""
    if before == "empty":
        place.touch()
    elif before == "other":
        content = write_other_study(place)

    to_optuna(make_results(), str(place))

    assert place.read_bytes().startswith(content)
    assert studies_of(place) == {**({"other": 1} if before == "other" else {}), "svm": 7}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"hello\n", "line 1 is no step of a study"),
        (b"hello", "line 1 is no step of a study"),
        (b"\xff\x00\n", "line 1 is no step of a study"),
        (b"1\n2\n", "line 1 is no step of a study"),
        (b"[]\n", "line 1 is no step of a study"),
        (b'{"a":1}\n', "line 1 is no step of a study"),
        (b'{"op_code":0,"worker_id":"w"}\n', "its lines are no steps of a study"),
        (b'{"op_code":99,"worker_id":"w"}\n', "its lines are no steps of a study"),
    ],
)
def test_a_file_that_is_no_journal_stays_as_it_is(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    place = tmp_path / "notes.json"
    place.write_bytes(content)

    with pytest.raises(InputError) as caught:
        to_optuna(make_results(), str(place))

    message = f"{place} is no journal of Optuna: {reason}; give another file"
    assert str(caught.value) == message
    assert place.read_bytes() == content


@pytest.mark.parametrize("lines", [1, 2])
def test_a_journal_is_not_written_after_an_unfinished_line(lines: int, tmp_path: Path) -> None:
    place = tmp_path / "study.journal"
    whole = b"".join(write_other_study(place).splitlines(keepends=True)[:lines])
    place.write_bytes(whole[:-1])

    with pytest.raises(InputError, match=f"line {lines}, the last, is unfinished"):
        to_optuna(make_results(), str(place))

    assert place.read_bytes() == whole[:-1]


@contextmanager
def full_disk(size: int) -> Generator[None]:
    """Let no file grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("before", ["", "other", "earlier"])
def test_a_journal_on_a_full_disk_is_as_it_was(before: str, tmp_path: Path) -> None:
    place = tmp_path / "study.journal"
    if before:
        write_other_study(place)
    if before == "earlier":
        to_optuna(make_results(failures={}), str(place))
    content = place.read_bytes() if before else b""

    with (
        full_disk(len(content) + 1000),
        pytest.raises(InputError, match="cannot be used by Optuna: File too large"),
    ):
        to_optuna(make_results(), str(place))

    assert place.exists() == bool(before)
    assert not before or place.read_bytes() == content
    to_optuna(make_results(), str(place))
    assert studies_of(place)["svm"] == 7


def test_a_study_of_which_there_is_only_its_first_step_is_replaced(tmp_path: Path) -> None:
    place = tmp_path / "study.journal"
    optuna.create_study(storage=JournalStorage(JournalFileBackend(str(place))), study_name="svm")
    assert len(place.read_bytes().splitlines()) == 1

    to_optuna(make_results(), str(place))

    assert studies_of(place) == {"svm": 7}


def make_lock(place: str, age: float) -> Path:
    """Lock a journal as Optuna does, by a program that is then killed."""
    assert JournalFileSymlinkLock(place).acquire()
    lock = Path(f"{place}.lock")
    then = time.time() - age
    os.utime(lock, (then, then), follow_symlinks=False)
    return lock


@pytest.mark.parametrize("place", ["out/r.journal", "{}/out/r.journal"])
def test_an_old_lock_is_removed(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    place = place.format(tmp_path)
    lock = make_lock(place, age=60)

    assert to_optuna(make_results(), place) == f"wrote 7 trials of the study svm to {place}"

    assert not lock.is_symlink()
    assert studies_of(Path(place)) == {"svm": 7}


def test_a_young_lock_that_stays_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optuna_journal, "_PATIENCE_SECONDS", 0.1)
    place = str(tmp_path / "r.journal")
    lock = make_lock(place, age=0)

    with pytest.raises(InputError, match=f"^{lock}: a program writes the journal, or was stopped"):
        to_optuna(make_results(), place)

    assert lock.is_symlink()
    assert not Path(place).exists()


def test_a_lock_of_ours_leads_to_the_journal_and_is_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    with optuna_journal.open_journal("out/r.journal"):
        Path("out/r.journal").touch()
        assert Path("out/r.journal.lock").samefile("out/r.journal")

    assert not Path("out/r.journal.lock").is_symlink()
