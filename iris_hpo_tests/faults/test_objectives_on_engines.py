"""Functions and programs that go wrong, on every engine and kind of storage: each fails alone."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from iris_hpo.data.no_table import undivided
from iris_hpo.data.split import Examples, write_split
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.engines import Engine, Failed, Limits, make_engine
from iris_hpo.parts import Part
from iris_hpo.processes import is_alive
from iris_hpo.store.folder import ArtifactStore
from iris_hpo.store.objects import open_store
from iris_hpo.testing.engines import all_of
from iris_hpo.training.called_objective import CalledObjective
from iris_hpo.training.cards import Conditions, beside_name
from iris_hpo.training.trial import Trial, TrialResult, TrialWork
from iris_hpo_tests.faults import faulty_calls
from iris_hpo_tests.processes import wait_for
from iris_hpo_tests.scale.cluster import cluster
from iris_hpo_tests.scale.s3 import BUCKET, S3, using

pytestmark = pytest.mark.slow

NOTHING = Examples(np.empty((0, 0)), np.empty(0), np.empty((0, 0)), np.empty(0), ())
NO_LIMIT = 300.0
SHORT_LIMIT = 0.5
"""Seconds that a program may take."""

DIED = "its worker process died 1 time (killed, or out of memory)"
ABORTED = "its worker process died 1 time (SIGABRT)"
LARGE = "the folder holds 1024 MiB; at most 128 MiB are kept"
OVERDUE = "the program was ended by its time limit, after"
CASES = {
    ("function", "raises"): "training failed: RuntimeError: diverged",
    ("function", "gives nan"): "value is nan, which is no score",
    ("function", "leaves a large folder"): LARGE,
    ("function", "writes without end"): "",
    ("function", "floods"): "",
    ("function", "leaves 10,000 files"): "",
    ("function", "writes other encodings"): "",
    ("program", "raises"): "the program ended with exit code 3 after",
    ("program", "crashes"): "the program was ended by the signal SIGSEGV after",
    ("program", "gives nan"): "value is nan, which is no score",
    ("program", "leaves a large folder"): LARGE,
    ("program", "leaves 10,000 files"): "",
    ("program", "writes other encodings"): "",
    ("program", "leaves a child"): "",
    ("limited program", "takes too long"): OVERDUE,
    ("limited program", "writes without end"): OVERDUE,
}
"""The reason for which each fails; empty if its files are kept."""

WITH_WORKERS = {
    "serial": {},
    "loky": {
        ("function", "crashes"): ABORTED,
        ("function", "kills its worker"): DIED,
        ("program", "kills its worker"): DIED,
    },
    "dask": {("function", "kills its worker"): DIED, ("program", "kills its worker"): DIED},
}

OVERDUE_KINDS = {
    "serial": (),  # it cannot end a call
    "loky": ("function", "program"),
    "dask": ("function",),  # starting workers takes longer
}


@dataclass(frozen=True)
class Works:
    """The work of several searches at once, which saves starting workers for each."""

    by_kind: Mapping[str, TrialWork]

    def load(self) -> None:
        for work in self.by_kind.values():
            work.load()

    def prepare(self) -> None:
        for work in self.by_kind.values():
            work.prepare()

    def __call__(self, trial: Trial) -> TrialResult:
        return self.by_kind[trial.key.rpartition(" ")[0]](trial)


@pytest.fixture
def place(
    name: str, storage: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Engine, str]]:
    """An engine, and where it stores."""
    with ExitStack() as servers:
        address, url = None, str(tmp_path / "artifacts")
        if storage == "S3":
            endpoint: S3 = request.getfixturevalue("s3_process")
            endpoint.clear()
            servers.enter_context(using(endpoint))
            url = f"s3://{BUCKET}/objectives"
        if name == "dask":
            address = servers.enter_context(cluster(tmp_path, workers=1)).address
        yield make_engine(name, 1 if name == "loky" else 0, address), url


@pytest.mark.parametrize(
    ("name", "storage"), [("serial", "folder"), ("loky", "S3"), ("dask", "S3")]
)
def test_each_fails_alone(name: str, place: tuple[Engine, str], tmp_path: Path) -> None:
    engine, url = place
    store = open_store(url)
    works = make_works(store, url, tmp_path)
    cases = {**CASES, **WITH_WORKERS[name]}
    keys = {f"{kind} {at}": (kind, fault) for at, (kind, fault) in enumerate(cases)}
    trials = [Trial(key, {"fault": fault}) for key, (_, fault) in keys.items()]

    outcomes = all_of(engine.map(works, trials, Limits(retries=0)))

    assert {keys[outcome.item.key] for outcome in outcomes} == {*cases}
    kept = store.list("models")
    for outcome in outcomes:
        kind, fault = keys[outcome.item.key]
        reason = cases[kind, fault]
        if isinstance(outcome, Failed):
            assert reason, (kind, fault, outcome.reason)
            assert reason in outcome.reason
            assert not [name for name in kept if f"_{outcome.item.key}." in name]
        else:
            assert not reason, (kind, fault)
            check_files(store, kind, fault, outcome.item.key)
    check_child(tmp_path)
    for kind in OVERDUE_KINDS[name]:
        overdue = Trial(f"{kind} 99", {"fault": "takes too long"})
        for limit in (3, 30):
            (outcome,) = all_of(engine.map(works, [overdue], Limits(retries=0, timeout=limit)))
            assert isinstance(outcome, Failed)
            assert outcome.reason == f"did not finish within {limit} s (candidate_timeout)"
            if (tmp_path / "child").exists():  # a busy machine may not come so far in 3 s
                break
        check_child(tmp_path)


def check_child(home: Path) -> None:
    """The process that a call started ends with the call, though it ignores SIGTERM."""
    note = home / "child"
    child = int(note.read_text())
    wait_for("end of the child", lambda: not is_alive(child))
    note.unlink()


def make_works(store: ArtifactStore, url: str, home: Path) -> Works:
    (home / "faulty.sh").write_text(faulty_calls.SCRIPT)
    (home / "stubborn.sh").write_text(faulty_calls.STUBBORN)
    card, files = undivided(SplitSettings())
    write_split(store, card, files)
    name = f"{faulty_calls.__name__}:{faulty_calls.faulty.__name__}"
    command = ["sh", "faulty.sh", "{fault}"]
    parts = {
        "function": Part("function", {"function": name, "settings": {"home": str(home)}}),
        "program": Part("program", {"command": command, "time_limit": NO_LIMIT}),
        "limited program": Part("program", {"command": command, "time_limit": SHORT_LIMIT}),
    }
    works = dict[str, TrialWork]()
    for kind, part in parts.items():
        objective = CalledObjective(part, home)
        conditions = Conditions(objective, card.version, card.version, "parameters")
        works[kind] = TrialWork(url, conditions, NOTHING, "run")
    return Works(works)


def check_files(store: ArtifactStore, kind: str, fault: str, key: str) -> None:
    """What the call left is stored."""
    if fault == "writes other encodings":
        log = store.read(beside_name(key, "txt"))
        assert log == {"program": b"caf\xe9\n1\n", "function": b"caf\\udce9\n"}[kind]
    if fault == "leaves 10,000 files":
        assert len(files_of(store, key).namelist()) == 10_000
    if fault == "writes without end":
        log = store.read(beside_name(key, "txt"))
        assert log.endswith(b"\n... what it logs further is left out ...\n")
        assert len(log) < (1 << 20) + 100
    if fault == "floods":
        log = store.read(beside_name(key, "txt"))
        assert log == b"done\n... what it printed beyond the first MiB is left out ...\n"
    if fault == "leaves a child":
        child = int(files_of(store, key).read("child"))
        wait_for("end of the child", lambda: not is_alive(child))


def files_of(store: ArtifactStore, key: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(store.read(beside_name(key, "zip"))))
