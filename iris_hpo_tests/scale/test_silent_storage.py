"""Object storage that hangs is waited for, with one line, and is given up once."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from fsspec.config import conf

from iris_hpo import interrupts
from iris_hpo.interrupts import Interrupt
from iris_hpo.store import patience
from iris_hpo.store.digests import StoreReadError, StoreWriteError
from iris_hpo.store.objects import open_store
from iris_hpo.store.patience import CountedSocket, Patience, SilentError
from iris_hpo.store.s3 import _takes_sockets
from iris_hpo_tests.scale.s3 import BUCKET, S3, proxy_before, using

LINE = "iris-hpo: waiting up to 90 s for an answer of s3://bucket/a, which is slow or away\n"


class Storage:
    """A request whose time is simulated: twice a second a step says what moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.requests, self.patience = 1_000.0, 0, Patience("s3://bucket/a")
        self.steps: Iterator[int] = iter(())
        clock = SimpleNamespace(monotonic=lambda: self.now)
        monkeypatch.setattr(patience, "time", clock)
        monkeypatch.setattr(patience, "wait", self.look)
        monkeypatch.setattr(patience, "_traffic", patience._Traffic())

    def look(self, tasks: list[Any], seconds: float) -> Any:
        size = next(self.steps, None)
        if size is None:
            return SimpleNamespace(done=set(tasks))
        self.now += seconds
        if size:
            patience._traffic.note(size)
        return SimpleNamespace(done=set())

    def ask(self, *moves: int) -> str:
        """Ask once; each number of bytes moves in a half second of its own."""
        self.steps = iter(moves)
        with running_loop() as loop:
            return self.patience.result(self.answer, loop, 90.0)

    def ask_in_vain(self) -> None:
        with pytest.raises(SilentError, match=r"^no answer for 90 s$"):
            self.ask(*[0] * 10_000)

    async def answer(self) -> str:
        self.requests += 1
        return "answer"


class running_loop:  # noqa: N801 - a context manager
    def __enter__(self) -> asyncio.AbstractEventLoop:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        return self.loop

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.rest(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def rest(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Storage:
    return Storage(monkeypatch)


Captured = pytest.CaptureFixture[str]


def test_a_short_wait_is_not_worth_a_line(storage: Storage, capsys: Captured) -> None:
    assert storage.ask(*[0] * 9) == "answer"
    assert not capsys.readouterr().err


def test_a_wait_is_said_once_and_ends(storage: Storage, capsys: Captured) -> None:
    assert storage.ask(*[0] * 20) == "answer"
    assert storage.ask(*[0] * 20) == "answer"
    storage.ask_in_vain()
    assert storage.now < 1_000 + 120
    assert capsys.readouterr().err == LINE


def test_after_giving_up_nothing_is_asked_for_a_moment(storage: Storage) -> None:
    """One command would wait again with each request."""
    storage.ask_in_vain()
    before = storage.requests
    with pytest.raises(SilentError):
        storage.ask()
    assert storage.requests == before
    storage.now += 6
    assert storage.ask() == "answer"


def test_a_transfer_that_goes_on_is_neither_said_nor_cut(
    storage: Storage, capsys: Captured
) -> None:
    assert storage.ask(*[20_000] * 7_200) == "answer"  # for an hour
    assert not capsys.readouterr().err


def test_a_transfer_that_creeps_is_said_but_not_cut(storage: Storage, capsys: Captured) -> None:
    assert storage.ask(*[1, *[0] * 100] * 10) == "answer"
    assert capsys.readouterr().err.splitlines(keepends=True)[0] == LINE


def test_a_server_that_fails_again_and_again_is_said(storage: Storage, capsys: Captured) -> None:
    """The client library tries the request again, and each failure moves some bytes."""
    assert storage.ask(*[500] * 20) == "answer"
    assert capsys.readouterr().err == LINE


def test_what_a_buffer_takes_has_not_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    traffic = patience._Traffic()
    monkeypatch.setattr(patience, "time", clock)
    monkeypatch.setattr(patience, "_traffic", traffic)
    own, other = socket.socketpair()
    with other, CountedSocket(fileno=own.detach()) as counted:
        counted.send(b"request")
        clock.now = 0.9
        counted.send(b"buffered")
        assert traffic.size == 0
        clock.now = 1.1
        counted.send(b"upload")
        assert traffic.size == 6
        other.send(b"answer")
        assert counted.recv(100) == b"answer"
        other.send(b"more")
        assert counted.recv_into(bytearray(100)) == 4
        assert traffic.size == 16
        clock.now = 9.0
        counted.send(b"request")
        assert traffic.size == 16


pytestmark = pytest.mark.skipif(
    not _takes_sockets(), reason="this aiobotocore does not show what moves"
)


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An endpoint that takes connections and never answers; what takes 0.2 seconds is said."""
    monkeypatch.setattr(patience, "QUIET_SECONDS", 0.2)
    monkeypatch.setattr(patience, "_LOOK_SECONDS", 0.05)
    patience.patience_of.cache_clear()
    retries = {"mode": "standard", "total_max_attempts": 2}
    kept = {"read_timeout": 0.3, "retries": retries}
    monkeypatch.setitem(conf, "s3", {"config_kwargs": kept})
    server = socket.create_server(("127.0.0.1", 0), backlog=100)
    with server, using(S3(server.getsockname()[1])):
        yield
    patience.patience_of.cache_clear()


@pytest.mark.usefixtures("frozen")
def test_a_server_that_never_answers_gives_a_line_and_a_message(capsys: Captured) -> None:
    store = open_store(f"s3://{BUCKET}/a")
    with pytest.raises(StoreReadError, match=r"^s3://bucket/a/x cannot be read: (no|Read)"):
        store.read("x")
    with pytest.raises(StoreWriteError, match=r"^s3://bucket/a/x cannot be written: (no|Read)"):
        store.write("x", b"content")
    assert capsys.readouterr().err == LINE.replace("90", "0.6")


@pytest.mark.usefixtures("frozen")
def test_an_upload_that_a_server_stops_to_take_is_given_up() -> None:
    """No limit of the client library applies before the upload is sent."""
    with pytest.raises(StoreWriteError, match=r"x cannot be written: no answer for 0\.6 s$"):
        open_store(f"s3://{BUCKET}/a").write("x", bytes(50_000_000))


@pytest.mark.usefixtures("frozen")
def test_an_interrupt_ends_the_waits_of_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The main thread, which received it, waits for them."""
    monkeypatch.setattr(interrupts, "received", lambda: 2)
    store = open_store(f"s3://{BUCKET}/a")
    with ThreadPoolExecutor(1) as pool, pytest.raises(Interrupt):
        pool.submit(store.read, "x").result()


def test_two_layers_do_not_retry_one_another(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    calls: list[Callable[..., object]] = [
        lambda store: store.read("a"),
        lambda store: store.list("a"),
    ]
    with proxy_before(s3) as proxy, using(proxy):
        proxy.hangs_up = True
        for number, call in enumerate(calls, 1):
            with pytest.raises(StoreReadError, match="Connection was closed"):
                call(open_store(f"s3://{BUCKET}/a"))
            assert proxy.requests["GET"] <= 4 * number  # aiohttp asks once more by itself
