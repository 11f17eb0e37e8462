"""Files of the instance that are damaged or no files: one message, with the file and what to do."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path

import pytest
import sqlalchemy as sa

from iris_hpo.event_log import one_message as one_message_module
from iris_hpo.event_log import sqlite
from iris_hpo.event_log.one_message import one_message
from iris_hpo.store.folder import ArtifactStore
from iris_hpo_tests.faults.conftest import Disk, home_on
from iris_hpo_tests.permissions import without_rights_of_root
from iris_hpo_tests.projects import ShippedProject

RUN = ("run", "--engine", "serial", "--folds", "2", "--quiet")
FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
COMMANDS = (
    RUN,
    ("status", "--folds", "2"),
    ("leaderboard",),
    ("why", "C0.5_G1.0"),
    ("history",),
    ("reset", "--yes"),
)


def no_database(file: Path) -> None:
    file.write_text("no database at all\n" * 100)


def half(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2 + 100])


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def dangling(file: Path) -> None:
    file.unlink()
    file.symlink_to("/nowhere/x.db")


def check(project: ShippedProject, file: Path, *command: str) -> str:
    """Expect one line, and return what it says of the file."""
    result = project.call(*command)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1, result.stderr
    home = project.root / "home"
    begin = f"iris-hpo: the Dagster instance of DAGSTER_HOME {home} cannot be used: {file}: "
    assert result.stderr.startswith(begin)
    return result.stderr.removeprefix(begin)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("damage", "advice"),
    [
        (no_database, "restore a copy, or move it away"),
        (half, "restore a copy, or move it away"),
        (folder, "it is no file; move it away"),
        (dangling, "it is no file; move it away"),
    ],
)
def test_the_file_is_named_with_what_to_do(
    done: ShippedProject, name: str, damage: Callable[[Path], None], advice: str
) -> None:
    file = done.root / "home" / name
    damage(file)
    assert advice in check(done, file, "status", "--folds", "2")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_every_command_says_so(done: ShippedProject, command: tuple[str, ...]) -> None:
    file = done.root / "home" / FILES[1]
    no_database(file)
    check(done, file, *command)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_what_the_message_advises_works(
    done: ShippedProject, undisturbed: ShippedProject, name: str
) -> None:
    file = done.root / "home" / name
    no_database(file)
    check(done, file, *RUN)
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()
    result = done.call(*RUN)
    assert result.returncode == 0, result.stderr
    leaderboard = "selection/leaderboard.csv"
    assert done.files()[leaderboard][1] == undisturbed.files()[leaderboard][1]


def test_damage_that_a_run_meets_when_it_records_is_one_message(done: ShippedProject) -> None:
    """Dagster catches and prints such an error at every event."""
    file = done.root / "home" / FILES[1]
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = database.execute("PRAGMA page_size").fetchone()
        pages = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE tbl_name = 'asset_event_tags'"
        ).fetchall()
    with file.open("r+b") as content:
        for (page,) in pages:
            content.seek((page - 1) * size)
            content.write(bytes([7]) * size)
    check(done, file, *RUN, "--force")


def test_results_that_are_removed_during_a_run(
    few: ShippedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays open, and what is written to it is lost."""
    file = few.root / "home" / FILES[1]

    def lose(_: ArtifactStore) -> None:
        for each in file.parent.glob("index.db*"):
            each.unlink()

    with monkeypatch.context() as during:
        during.setattr(ArtifactStore, "sweep", lose)
        assert check(few, file, *RUN).startswith("it was removed or replaced while it was in use; ")
    assert few.call(*RUN).returncode == 0


def test_a_folder_that_is_removed_during_a_run(
    few: ShippedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run makes it again, with everything in it."""
    history = few.root / "home" / "history"
    with monkeypatch.context() as during:
        during.setattr(ArtifactStore, "sweep", lambda _: shutil.rmtree(history, ignore_errors=True))
        file = history / "runs.db"
        assert check(few, file, *RUN).startswith("its folder was removed; restore a copy")
    assert few.call(*RUN).returncode == 0


def test_a_folder_without_permission_during_a_run(
    few: ShippedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = few.root / "home"
    with monkeypatch.context() as during, without_rights_of_root():
        during.setattr(ArtifactStore, "sweep", lambda _: home.chmod(0))
        said = check(few, home / "history" / "runs.db", *RUN)
    home.chmod(0o755)
    assert said.startswith("Permission denied; give the user")
    assert few.call(*RUN).returncode == 0


def test_a_disk_that_can_hold_no_more_files(disk: Disk, few: ShippedProject) -> None:
    home_on(disk, few)
    disk.resize("40m,nr_inodes=13")
    result = few.call(*RUN)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1, result.stderr
    assert ".db: No space left on device; make room, then run" in result.stderr
    disk.resize("40m,nr_inodes=1000")
    assert few.call(*RUN).returncode == 0


@pytest.mark.parametrize(
    ("name", "seconds", "said"),
    [
        (FILES[0], 0, "another process has locked it for 5 s; end that process, "),
        (FILES[1], 1, "another process has locked it for 1 s; end that process, "),
    ],
)
def test_a_file_that_another_process_keeps_locked(
    done: ShippedProject, monkeypatch: pytest.MonkeyPatch, name: str, seconds: int, said: str
) -> None:
    """Dagster would wait for it again at every event of the run."""
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", seconds)
    file = done.root / "home" / name
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert check(done, file, *RUN, "--force").startswith(said)


class Interrupted(sqlite3.Connection):
    """A connection that is being closed when Ctrl-C is pressed."""

    def close(self) -> None:
        super().close()
        raise KeyboardInterrupt


def test_an_interrupt_while_a_connection_is_closed_prints_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = sa.create_engine(
        "sqlite://",
        poolclass=sa.NullPool,
        creator=lambda: sqlite3.connect(":memory:", factory=Interrupted),
    )
    with one_message(str(tmp_path)), pytest.raises(KeyboardInterrupt), engine.connect():
        pass
    assert caplog.records == []


def test_room_that_lacks_while_events_are_stored_is_one_message(
    done: ShippedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run can still record that it failed, as where the folder for temporary files is full."""
    file = done.root / "home" / "history" / "runs" / "index.db"
    trigger = (
        "CREATE TRIGGER no_room BEFORE INSERT ON event_logs "
        "WHEN NEW.dagster_event_type = 'ASSET_MATERIALIZATION' "
        "BEGIN SELECT RAISE(ABORT, 'no room'); END"
    )
    with closing(sqlite3.connect(file)) as database:
        database.execute(trigger)
    monkeypatch.setitem(one_message_module._ADVICE, "SQLITE_CONSTRAINT_TRIGGER", "make room")

    said = check(done, file, *RUN, "--force")

    assert said.startswith("no room; make room, then run the search again")


def test_a_full_folder_for_temporary_files_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, file = tmp_path / "temporary", tmp_path / "home" / "index.db"
    for folder in (temporary, file.parent):
        folder.mkdir()
    monkeypatch.delenv("SQLITE_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(one_message_module, "_is_full", lambda folder: folder == temporary)
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = "SQLITE_FULL"

    assert one_message_module._explain(file, error, None) == (
        "database or disk is full: there is no room for SQLite's temporary files in "
        f"{temporary}; make room there, or set TMPDIR to another folder"
    )


@pytest.mark.parametrize("works", [True, False])
def test_a_command_meets_no_error_with_sql(tmp_path: Path, *, works: bool) -> None:
    """Dagster prints the message of an error that it meets while it stores a log entry."""
    engine = sa.create_engine("sqlite://")
    statement = sa.text("SELECT :secret FROM nowhere").bindparams(secret="s3cret")
    with (
        one_message(str(tmp_path)) if works else nullcontext(),
        engine.connect() as connection,
        pytest.raises(sa.exc.OperationalError) as error,
    ):
        connection.execute(statement)
    assert "no such table: nowhere" in str(error.value)
    assert ("[SQL: " in str(error.value), "s3cret" in str(error.value)) == (not works, not works)
