"""Object storage: what the store promises, on an S3 endpoint that sometimes fails.

That files are written, read, listed, deleted and verified as on a disk is tested with the other
stores, in ``iris_hpo_tests/store``.
"""

import os
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from fsspec.registry import _registry
from s3fs import S3FileSystem

from iris_hpo.errors import InputError
from iris_hpo.store.digests import ArtifactError, StoreReadError, StoreWriteError
from iris_hpo.store.objects import open_store
from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.scale.s3 import BUCKET, CREDENTIALS, proxy_before, using


@pytest.fixture
def proxy(s3):
    with proxy_before(s3) as before, using(before):
        yield before


def prefix():
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


def test_each_operation_is_one_request(proxy):
    store = open_store(prefix())

    store.write("models/a.json", b"a")
    assert proxy.requests == {"PUT": 1}
    assert store.read("models/a.json") == b"a"
    assert proxy.requests == {"PUT": 1, "GET": 1}
    with pytest.raises(ArtifactError, match="is missing"):
        store.read("models/none.json")
    assert proxy.requests == {"PUT": 1, "GET": 2}
    assert store.list("models") == ["a.json"]
    assert proxy.requests == {"PUT": 1, "GET": 3}
    store.delete("models/a.json")
    assert proxy.requests == {"PUT": 1, "GET": 3, "DELETE": 1}


@pytest.mark.slow
def test_a_listing_is_one_pass_however_long(proxy):
    store = open_store(prefix())
    names = [f"{number:04}.json" for number in range(1_100)]
    with ThreadPoolExecutor(8) as writers:
        list(writers.map(lambda name: store.write(f"scores/{name}", b""), names))
    proxy.requests.clear()

    assert store.list("scores") == names

    assert proxy.requests == {"GET": 2}  # a thousand names a page


@pytest.mark.usefixtures("s3")
def test_files_of_another_process_are_seen_at_once():
    root = prefix()
    store = open_store(root)
    store.write("scores/mine.json", b"1")
    assert store.list("scores") == ["mine.json"]
    assert not store.exists("scores/theirs.json")

    other = S3FileSystem(skip_instance_cache=True)  # knows as little of the store's as a process
    other.pipe_file(f"{root}/scores/theirs.json", b"2")
    other.pipe_file(f"{root}/scores/mine.json", b"3")

    assert store.exists("scores/theirs.json")  # before a new listing could show the file
    assert store.list("scores") == ["mine.json", "theirs.json"]
    assert store.read("scores/mine.json") == b"3"


def test_an_endpoint_that_fails_twice_costs_nothing_but_time(proxy):
    store = open_store(prefix())

    proxy.refusals = 2
    store.write("models/a.pkl", b"a")
    assert proxy.requests == {"PUT": 3}
    proxy.refusals = 2
    assert store.read("models/a.pkl") == b"a"
    assert proxy.requests == {"PUT": 3, "GET": 3}


def test_an_answer_that_breaks_off_is_asked_for_again(proxy):
    store = open_store(prefix())
    store.write("models/a.pkl", b"all of it")

    proxy.cuts = 1

    assert store.read("models/a.pkl") == b"all of it"
    assert proxy.requests == {"PUT": 1, "GET": 2}


@pytest.mark.slow
def test_an_upload_in_parts_that_fails_shows_nothing(proxy, monkeypatch):
    """Neither the file nor its parts, for which the owner of the bucket would have to pay."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    large = bytes(101 * 2**20)
    store = open_store(prefix())
    store.write("models/a.pkl", b"old")

    proxy.refused_part = 3
    with pytest.raises(StoreWriteError, match=r"models/a.pkl cannot be written: .*UploadPart"):
        store.write("models/a.pkl", large)

    assert store.read("models/a.pkl") == b"old"
    assert S3FileSystem().list_multipart_uploads(BUCKET) == []
    proxy.refused_part = None
    store.write("models/a.pkl", large)
    assert store.read("models/a.pkl") == large


@pytest.mark.parametrize(
    ("use", "what"),
    [
        (lambda store: store.write("a", b""), "written"),
        (lambda store: store.read("a"), "read"),
        (lambda store: store.list("a"), "listed"),
        (lambda store: store.exists("a"), "looked for"),
        (lambda store: store.delete("a"), "deleted"),
    ],
    ids=["write", "read", "list", "exists", "delete"],
)
def test_an_endpoint_that_stays_away_gives_one_message(proxy, monkeypatch, use, what):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    store = open_store(f"s3://{BUCKET}/prefix")

    proxy.refusals = 1_000
    with pytest.raises((StoreReadError, StoreWriteError)) as refusal:
        use(store)

    message = str(refusal.value)
    assert message.startswith(f"s3://{BUCKET}/prefix/a cannot be {what}: ")
    assert "\n" not in message
    assert not any(secret in message for secret in CREDENTIALS.values() if secret != "us-east-1")


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there_is_named():
    with pytest.raises(StoreWriteError) as refusal:
        open_store("s3://nowhere/prefix").write("a", b"")

    assert str(refusal.value) == (
        "s3://nowhere/prefix/a cannot be written: The specified bucket does not exist"
    )


@pytest.mark.usefixtures("s3")
def test_missing_credentials_give_one_message(monkeypatch, tmp_path):
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(StoreWriteError) as refusal:
        open_store(f"s3://{BUCKET}/prefix").write("a", b"")

    assert str(refusal.value) == (
        f"s3://{BUCKET}/prefix/a cannot be written: Unable to locate credentials"
    )


def test_what_is_refused_is_not_missing(proxy):
    """Others would be selected, or all would be trained again."""
    store = open_store(prefix())
    store.write("scores/a.json", b"a")
    proxy.denies = True
    for act in (store.read, store.exists, store.list, store.delete):
        with pytest.raises(StoreReadError, match=r"scores/a\.json cannot be .*(Denied|Forbidden)"):
            act("scores/a.json")


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_does_not_exist_is_named_so():
    store = open_store("s3://iris-hpo-nobodys/a")
    for error, act in (
        (StoreReadError, lambda: store.read("scores/a.json")),
        (StoreReadError, lambda: store.list("scores")),
        (StoreWriteError, lambda: store.write("scores/a.json", b"a")),
    ):
        with pytest.raises(error, match="bucket does not exist"):
            act()


@pytest.mark.slow
def test_access_denied_during_a_run_gives_one_message(proxy, tmp_path):
    """Workers are in the middle of their work, and results in the middle of being sent."""
    place = prefix()
    environment = {**os.environ, **proxy.environment, "DAGSTER_HOME": str(tmp_path / "home")}
    proxy.writes = 40

    done = subprocess.run(
        [sys.executable, "-m", "iris_hpo", "run", "--artifacts", place, "--jobs", "3", "--quiet"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert done.returncode == 2
    error_lines = [line for line in done.stderr.splitlines() if line.startswith("iris-hpo: ")]
    assert len(error_lines) == 1
    assert error_lines[0].startswith(f"iris-hpo: {place}/")
    assert "AccessDenied" in error_lines[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("s3://key:secret@bucket/a", "the artifacts' URL s3://... carries credentials; give them"),
        ("nope://bucket", "artifacts 'nope://bucket' cannot be used: Unsupported filesystem"),
    ],
)
def test_a_place_that_cannot_be_used_is_refused(place, message):
    with pytest.raises(InputError) as refusal:
        open_store(place)

    assert str(refusal.value).startswith(message)
    assert "secret" not in str(refusal.value)


def test_without_the_extra_the_message_says_what_to_install(monkeypatch):
    monkeypatch.delitem(_registry, "s3", raising=False)  # it keeps what was imported
    monkeypatch.setitem(sys.modules, "s3fs", None)

    with pytest.raises(InputError) as refusal:
        open_store("s3://bucket/prefix")

    assert str(refusal.value) == (
        "artifacts 's3://bucket/prefix' cannot be used: Install s3fs to access S3; "
        "pip install 'iris_hpo[s3]'"
    )


@pytest.mark.usefixtures("s3")
def test_settings_of_the_user_are_kept(monkeypatch):
    from fsspec.config import conf

    monkeypatch.setitem(conf, "s3", {"config_kwargs": {"user_agent_extra": "mine"}})
    files = open_store(f"s3://{BUCKET}/prefix").root.fs

    assert files.config_kwargs["user_agent_extra"] == "mine"
    assert files.config_kwargs["retries"]["mode"] == "standard"
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    S3FileSystem.clear_instance_cache()
    assert "retries" not in open_store(f"s3://{BUCKET}/prefix").root.fs.config_kwargs
    assert not any("AWS" in name for name in files.storage_options)
    assert os.environ["AWS_MAX_ATTEMPTS"] == "2"
