"""A store in a folder: what it promises beside the contract of all stores."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from iris_hpo.processes import is_alive
from iris_hpo.start_up import start_worker_of_first_run
from iris_hpo.store import folder as artifacts
from iris_hpo.store.digests import ArtifactError, OccupiedError, StoreReadError, StoreWriteError
from iris_hpo.store.objects import open_store
from iris_hpo_tests.permissions import without_rights_of_root

TEMPORARY = ".temporary"

USES = [
    lambda store, name: store.read(name),
    lambda store, name: store.delete(name),
    lambda store, name: store.write(name, b"x"),
]


@pytest.fixture
def local(tmp_path):
    return open_store(str(tmp_path / "artifacts"))


def test_a_file_that_cannot_be_read_is_named(local):
    local.write("models/a.json", b"")

    with pytest.raises(ArtifactError) as refusal:
        local.read("models")

    assert str(refusal.value).startswith(f"{local.root / 'models'} cannot be read: ")


@pytest.fixture
def closable(local):
    """A store whose folders a test may close."""
    folders = ("", "models", TEMPORARY)
    for name in folders[1:]:
        local.write(f"{name}/a.json", b"{}")
    yield local
    for folder in folders:
        Path(local.root, folder).chmod(0o755)


@pytest.mark.parametrize(
    ("folder", "use", "kind"),
    [
        ("models", lambda store: store.read("models/a.json"), StoreReadError),
        ("models", lambda store: store.exists("models/a.json"), StoreReadError),
        ("models", lambda store: store.list("models"), StoreReadError),
        ("", lambda store: store.list("models"), StoreReadError),
        (TEMPORARY, lambda store: store.sweep(), StoreReadError),
        (TEMPORARY, lambda store: store.write("models/a.json", b"x"), StoreWriteError),
    ],
)
def test_a_folder_without_permission_is_named_and_passes_for_nothing(closable, folder, use, kind):
    place = Path(closable.root, folder)
    place.chmod(0)

    with without_rights_of_root(), pytest.raises(kind) as refusal:
        use(closable)

    assert f"{place} cannot be " in str(refusal.value)
    assert "Permission denied" in str(refusal.value)


def test_a_file_without_permission_is_named_and_passes_for_nothing(closable):
    file = Path(closable.root, "models/a.json")
    file.chmod(0)

    with without_rights_of_root(), pytest.raises(StoreReadError) as refusal:
        closable.read("models/a.json")

    assert str(refusal.value).startswith(f"{file} cannot be read: Permission denied; give the user")


def test_a_first_run_begins_although_the_artifacts_may_not_be_looked_at(closable, monkeypatch):
    """What the run then lacks, it names itself."""
    closable.root.chmod(0)
    monkeypatch.setattr("iris_hpo.engines.start_ahead", lambda **_: None)

    with without_rights_of_root():
        start_worker_of_first_run(None, None, str(closable.root))


@pytest.mark.parametrize(
    "use",
    USES,
    ids=["read", "delete", "write"],
)
@pytest.mark.parametrize("name", ["file.txt", "folder/file.txt"])
def test_a_link_that_leads_out_of_the_store_is_refused(local, tmp_path, use, name):
    (tmp_path / "folder").mkdir()
    for outside in (tmp_path / "file.txt", tmp_path / "folder" / "file.txt"):
        outside.write_text("mine")
    local.write("other.txt", b"")
    (tmp_path / "artifacts" / "file.txt").symlink_to(tmp_path / "file.txt")
    (tmp_path / "artifacts" / "folder").symlink_to(tmp_path / "folder")

    with pytest.raises(ArtifactError) as refusal:
        use(local, name)

    assert str(refusal.value) == (
        f"{tmp_path / 'artifacts' / name} leads out of the store, to {tmp_path / name}; "
        "remove the link"
    )
    assert (tmp_path / name).read_text() == "mine"


def test_a_store_with_the_same_beginning_of_its_name_is_outside(local, tmp_path):
    (tmp_path / "artifacts-of-others").mkdir()
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "link").symlink_to(tmp_path / "artifacts-of-others")

    with pytest.raises(ArtifactError, match="leads out of the store"):
        local.write("link/x", b"x")


def test_links_within_the_store_and_to_the_store_are_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "artifacts").symlink_to(tmp_path / "real")
    store = open_store(str(tmp_path / "artifacts"))
    store.write("a/x", b"x")
    (tmp_path / "real" / "b").symlink_to(tmp_path / "real" / "a")

    assert store.read("b/x") == b"x"


def test_a_write_that_fails_leaves_only_the_old_files(local):
    local.write("models/a.pkl", b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))  # a full disk
    try:
        with pytest.raises(OSError, match="File too large"):
            local.write("models/a.pkl", b"new" * 1_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert local.read("models/a.pkl") == b"old"
    assert local.list("models") == ["a.pkl"]
    assert local.list(TEMPORARY) == []


def test_a_write_onto_a_folder_fails_and_leaves_nothing(local):
    local.write("models/a.pkl", b"old")

    with pytest.raises(OccupiedError, match=r"models is in the way: .*; move it away"):
        local.write("models", b"new")

    assert local.read("models/a.pkl") == b"old"
    assert local.list(TEMPORARY) == []


NO_PROCESS = 2**22 + 1
"""More than any process of Linux can have for a number."""


def leave(local, *names, hours=0.0):
    """Write files as killed writers left them."""
    (local.root / TEMPORARY).mkdir(parents=True, exist_ok=True)
    for name in names:
        path = local.root / TEMPORARY / name
        path.write_bytes(b"half a model")
        os.utime(path, (time.time() - hours * 3600,) * 2)


@pytest.fixture
def here(local):
    """How names of temporary files begin on this machine, as a writer names them."""
    names = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(artifacts, "_put", lambda place, _: names.append(place.name))
        local.write("a", b"")
    found, process, *_ = names[0].split("-")
    assert process == str(os.getpid())
    return found


NUMBER = "0123456789abcdef" * 2
TOO_LARGE = 10**26
"""More than the id of any process."""


def test_a_sweep_removes_only_files_of_dead_writers(local, here):
    local.write("models/a.pkl", b"model")
    theirs = {
        f"{here}-{os.getpid()}-{NUMBER}-0",
        f"{here}-²-{NUMBER}-0",
        "notes.txt",
        f"{NO_PROCESS}-notes",
        "99",
        "probe-",
    }
    left = [f"{here}-{process}-{NUMBER}-0" for process in (NO_PROCESS, TOO_LARGE)]
    leave(local, *left, f"probe-{NUMBER}", *theirs)

    local.sweep()

    assert set(local.list(TEMPORARY)) == theirs
    assert local.read("models/a.pkl") == b"model"


def test_a_sweep_leaves_files_of_writers_on_another_machine(local, here):
    """Its processes cannot be seen, and one with the same number may live or not live here."""
    other = "0" * 12
    assert other != here
    left = [
        f"{place}{process}-{NUMBER}-0"
        for place in (f"{other}-", "")  # earlier versions wrote no place
        for process in (NO_PROCESS, os.getpid(), 1)
    ]
    leave(local, *left, hours=23)

    local.sweep()

    assert set(local.list(TEMPORARY)) == set(left)


def test_a_sweep_removes_files_that_are_a_day_old(local, here):
    left = [f"{place}{os.getpid()}-{NUMBER}-0" for place in ("0" * 12 + "-", f"{here}-", "")]
    leave(local, *left, hours=25)
    leave(local, "notes.txt", f"{here}-notes", hours=25)

    local.sweep()

    assert set(local.list(TEMPORARY)) == {"notes.txt", f"{here}-notes"}


def test_a_process_is_alive_or_not():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    assert is_alive(os.getpid())
    assert is_alive(1)
    assert not is_alive(ended.pid)
