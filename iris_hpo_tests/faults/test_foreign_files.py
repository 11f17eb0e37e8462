"""What stands in a search's folder and is not the search's: never deleted, never waited for."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from iris_hpo.command.port import problem_of_home
from iris_hpo.store.cards import read_card, read_recorded_card
from iris_hpo.store.digests import StoreWriteError, digest_of
from iris_hpo.store.folder import SMALL, ArtifactStore, read_verified
from iris_hpo.store.objects import open_store
from iris_hpo.training.cards import ScoreCard
from iris_hpo_tests.projects import ShippedProject

RUN = ("run", "--engine", "serial", "--folds", "2")
THEIRS = (
    ".temporary/x",
    ".temporary/12-notes",
    "selection/models/notes.txt",
    "selection/models/model_of_my_own.pkl",
    "selection/models/model_C8.0_G4.0.pkl",
    "models/thesis.pdf",
    "notes.txt",
)


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 << 30)


def make_folder(path: Path) -> None:
    path.mkdir()


def replace(path: Path, make: Callable[[Path], None]) -> None:
    path.unlink()
    make(path)


@pytest.mark.parametrize("place", ["theirs", pytest.param("artifacts", marks=pytest.mark.slow)])
def test_a_run_deletes_nothing_that_it_has_not_made(
    few: ShippedProject, tmp_path: Path, place: str
) -> None:
    """Not in a folder of theirs, and not behind a link in place of the search's folder."""
    folder = tmp_path / place
    if folder != few.artifacts:
        few.artifacts.symlink_to(folder, target_is_directory=True)
    for name in THEIRS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    selected = few.artifacts / "selection" / "models"
    theirs = {path.name for path in selected.iterdir()}
    assert few.call(*RUN, "--quiet").returncode == 0
    before = {path.name for path in selected.iterdir()} - theirs
    (few.parameters / "c_parameters.txt").write_text("32\n")  # others are selected
    assert few.call(*RUN, "--quiet").returncode == 0
    after = {path.name for path in selected.iterdir()} - theirs
    assert before
    assert after
    assert not before & after, "models of an earlier selection are removed"
    assert {name: (folder / name).read_text() for name in THEIRS} == {name: name for name in THEIRS}
    assert few.call("status", "--folds", "2").returncode == 0


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (make_pipe, "it is a named pipe, not a regular file"),
        (make_folder, "it is a folder, not a file"),
        (lambda path: path.symlink_to("/nowhere/x"), "No such file or directory"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "no text in UTF-8"),
    ],
)
def test_settings_of_the_instance_that_are_no_text_are_named(
    few: ShippedProject, make: Callable[[Path], None], why: str
) -> None:
    file = few.root / "home" / "dagster.yaml"
    replace(file, make)
    result = few.call("status")
    assert result.returncode == 2
    assert result.stderr.startswith(f"iris-hpo: {file} cannot be read: {why}")
    assert result.stderr.count("\n") == 1
    assert problem_of_home(str(file.parent)) + "\n" == result.stderr.removeprefix("iris-hpo: ")


@pytest.mark.parametrize("make", [make_pipe, make_folder])
def test_a_note_of_who_runs_that_is_no_file_is_not_waited_for(
    done: ShippedProject, make: Callable[[Path], None]
) -> None:
    replace(done.root / "home" / ".search.holder", make)
    result = done.call(*RUN, "--quiet")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    "name", ["split/train.csv", pytest.param("selection/leaderboard.csv", marks=pytest.mark.slow)]
)
def test_files_of_a_folder_that_is_not_the_searchs_are_not_replaced(
    few: ShippedProject, name: str
) -> None:
    path = few.artifacts / name
    path.parent.mkdir(parents=True)
    path.write_text("theirs")
    result = few.call(*RUN)
    assert result.returncode == 2
    assert f"{path} is there, but no search has written it" in result.stderr
    assert path.read_text() == "theirs"
    assert [one for one in few.artifacts.rglob("*") if one.is_file()] == [path]


READ = (
    "models/model_C0.5_G1.0.pkl",
    "models/model_C0.5_G1.0.json",
    "scores/C0.5_G1.0.json",
    "split/split.json",
    "split/train.csv",
    "parameters/parameters.json",
    "parameters/candidates.csv",
    "selection/champion.json",
    "selection/champion.pkl",
    "selection/leaderboard.csv",
    "selection/heatmap.png",
)


@pytest.mark.parametrize(
    "make",
    [
        make_pipe,
        *(pytest.param(make, marks=pytest.mark.slow) for make in (make_sparse, make_folder)),
    ],
)
def test_a_run_replaces_artifacts_that_are_not_files(
    done: ShippedProject, undisturbed: ShippedProject, make: Callable[[Path], None]
) -> None:
    """In place of an artifact: a named pipe, more zeros than there is memory, an empty folder."""
    for name in READ:
        replace(done.artifacts / name, make)
    assert done.call("status", "--folds", "2").returncode == 0
    rows = done.root / "rows.csv"
    rows.write_text("1,2,3,4\n")
    refused = done.call("predict", str(rows))
    assert refused.returncode == 2
    assert f"{done.artifacts / 'selection/champion.json'} cannot be read: i" in refused.stderr

    result = done.call(*RUN, "--quiet")
    assert (result.returncode, result.stderr) == (0, "")
    expected = {
        name: content
        for name, (_, content) in undisturbed.files().items()
        if not name.endswith(".json")
    }
    found = done.files()
    assert {name: found[name][1] for name in expected} == expected


@pytest.mark.parametrize("name", ["models/model_C0.5_G1.0.pkl", "split/split.json"])
def test_a_folder_that_holds_something_is_named_and_left(done: ShippedProject, name: str) -> None:
    path = done.artifacts / name
    replace(path, make_folder)
    (path / "precious").write_text("theirs")
    result = done.call(*RUN, "--force")
    assert result.returncode in (1, 2)
    assert f"{path} is in the way" in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) <= 2
    assert (path / "precious").read_text() == "theirs"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (make_pipe, "it is a named pipe, not a regular file"),
        (make_sparse, "its 107374182400 bytes are more than the"),
        (lambda path: path.symlink_to("/dev/zero"), "it is a device, not a regular file"),
    ],
)
def test_a_parameter_file_that_is_no_file_is_named(
    few: ShippedProject, make: Callable[[Path], None], problem: str
) -> None:
    path = few.parameters / "c_parameters.txt"
    replace(path, make)
    for command in (RUN, ("status",)):
        result = few.call(*command)
        assert result.returncode == 2
        assert result.stderr.startswith(f"iris-hpo: {path}: cannot be read: {problem}")
        assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("depth", [50, 900, 10_000])
@pytest.mark.parametrize("field", ["seconds", "run_id", "metrics"])
def test_a_field_without_a_digest_that_is_nested_is_refused(
    tmp_path: Path, field: str, depth: int
) -> None:
    store = open_store(str(tmp_path / "artifacts"))
    fields = dict.fromkeys(ScoreCard.__dataclass_fields__, 0) | {"run_id": "r", "seconds": 0.5}
    store.write("good.json", json.dumps(fields).encode())
    version = read_card(store, "good.json", ScoreCard).version
    del fields[field]
    nested = json.dumps(fields)[:-1] + f', "{field}": {"[" * depth}{"]" * depth}}}'
    store.write("card.json", nested.encode())
    with pytest.raises(ValueError, match=r"card.json is not"):
        read_recorded_card(store, "card.json", ScoreCard, version)


def test_a_run_makes_a_nested_card_again(done: ShippedProject) -> None:
    depth = 10_000
    for name in ("scores/C0.5_G1.0.json", "models/model_C0.5_G4.0.json"):
        path = done.artifacts / name
        fields = json.loads(path.read_text())
        del fields["seconds"]
        nested = json.dumps(fields)[:-1] + f', "seconds": {"[" * depth}{"]" * depth}}}'
        path.write_text(nested)
    result = done.call(*RUN)
    assert (result.returncode, result.stderr) == (0, "")
    assert "1 trained, 1 only scored, 4 reused, 0 failed" in result.stdout


def test_a_sparse_file_is_not_loaded_to_find_out_that_it_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(tmp_path))
    with (tmp_path / "model").open("wb") as file:
        file.truncate(2 * SMALL)
    monkeypatch.setattr("iris_hpo.store.digests.digest_of", None)  # what was loaded goes there
    with pytest.raises(ValueError, match="not the file that was recorded"):
        read_verified(store, "model", "d" * 64)
    monkeypatch.undo()
    assert read_verified(store, "model", digest_of(b"\0" * 2 * SMALL)) == b"\0" * 2 * SMALL


def test_an_older_folder_of_ours_is_written_to(tmp_path: Path) -> None:
    """Copied without its hidden folder: a card shows whose it is."""
    store = ArtifactStore(open_store(str(tmp_path)).root)
    for name in ("split/train.csv", "split/split.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    store.write("split/train.csv", b"new")
    other = tmp_path / "other" / "split"
    other.mkdir(parents=True)
    (other / "test.csv").write_text("theirs")
    with pytest.raises(StoreWriteError, match="no search has written it"):
        open_store(str(other.parent)).write("split/test.csv", b"new")
