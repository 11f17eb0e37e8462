"""An S3 endpoint on loopback, and a proxy before it that counts and misbehaves."""

import http.client
import sys
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from iris_hpo_tests.processes import answers, free_port, running, wait_for

BUCKET = "bucket"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "iris-hpo-key",
    "AWS_SECRET_ACCESS_KEY": "iris-hpo-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}
_FAILURES = {"refuse": (503, "ServiceUnavailable"), "deny": (403, "AccessDenied")}
_OWN = {
    "connection",
    "transfer-encoding",
    "keep-alive",
    "expect",
    "content-length",
    "date",
    "server",
}


@dataclass(frozen=True)
class S3:
    """An endpoint with one bucket."""

    port: int

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find it."""
        return environment_of(self.port)

    def clear(self) -> None:
        """Empty the bucket; `moto` then forgets everything, and the bucket is made again."""
        _request(self.port, "POST", "/moto-api/reset")
        _request(self.port, "PUT", f"/{BUCKET}")


def environment_of(port: int) -> dict[str, str]:
    """What a process needs to find an endpoint."""
    return {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}


@contextmanager
def using(place: "S3 | Proxy") -> Generator[None]:
    """Let this process find an endpoint, and no other."""
    from s3fs import S3FileSystem

    with pytest.MonkeyPatch.context() as patch:
        for name, value in place.environment.items():
            patch.setenv(name, value)
        S3FileSystem.clear_instance_cache()  # it would go on with the endpoint from before
        try:
            yield
        finally:
            S3FileSystem.clear_instance_cache()


@contextmanager
def s3_server(folder: Path) -> Generator[S3]:
    """Start an endpoint; its log lies in a folder."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "moto.server"]
    command += ["-H", "127.0.0.1", "-p", str(port)]
    with running(command, folder / "s3.log"):
        wait_for("S3 endpoint", lambda: answers(port))
        server = S3(port)
        server.clear()
        yield server


@dataclass
class Proxy:
    """What stands before an endpoint.

    Attributes
    ----------
    requests
        How many came, by method; also those that were refused.
    refusals
        How many of the next are answered by 503 instead of being passed on.
    cuts
        How many of the next answers break off in the middle.
    refused_part
        Of an upload in parts, the one that is never taken.
    writes
        How many are allowed before access is denied; None for all.
    denies
        Whether access is denied to all.
    hangs_up
        Whether each request is answered by the end of its connection.
    """

    port: int
    requests: Counter[str] = field(default_factory=Counter)
    refusals: int = 0
    cuts: int = 0
    refused_part: int | None = None
    writes: int | None = None
    denies: bool = False
    hangs_up: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environment(self) -> dict[str, str]:
        return environment_of(self.port)

    def count(self, method: str, path: str) -> str:
        """Note a request; return the failure to give instead of a response; empty for none."""
        with self._lock:
            self.requests[method] += 1
            if self.denies or self.hangs_up:
                return "deny" if self.denies else "hang up"
            if f"partNumber={self.refused_part}&" in f"{path}&":
                return "refuse"
            if self.writes is not None and method == "PUT":
                self.writes -= 1
                if self.writes < 0:
                    return "deny"
            if self.refusals:
                self.refusals -= 1
                return "refuse"
            if self.cuts:
                self.cuts -= 1
                return "cut"
            return "pass"


@contextmanager
def proxy_before(server: S3) -> Generator[Proxy]:
    """Start a proxy in this process."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            fate = proxy.count(self.command, self.path)
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length)
            if fate in ("pass", "cut"):
                self._pass(body, missing=100 if fate == "cut" else 0)
            elif fate == "hang up":
                self.close_connection = True
            else:
                status, code = _FAILURES[fate]
                self._answer(status, [], f"<Error><Code>{code}</Code></Error>".encode())

        def _pass(self, body: bytes, missing: int) -> None:
            upstream = http.client.HTTPConnection("127.0.0.1", server.port)
            headers = {
                name: value for name, value in self.headers.items() if name.lower() != "expect"
            }
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            upstream.close()
            self._answer(answer.status, answer.getheaders(), content, missing)
            if missing:
                self.close_connection = True

        do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the base class's names

        def _answer(
            self, status: int, headers: list[tuple[str, str]], content: bytes, missing: int = 0
        ) -> None:
            self.send_response(status)
            kept = (name for name in headers if name[0].lower() not in _OWN)
            for name, value in kept:
                self.send_header(name, value)
            length = {name.lower(): value for name, value in headers}.get("content-length")
            head = self.command == "HEAD" and length is not None
            self.send_header("content-length", str(length) if head else str(len(content) + missing))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy = Proxy(listener.server_address[1])
    threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield proxy
    finally:
        listener.shutdown()
        listener.server_close()


def _request(port: int, method: str, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path)
    status = connection.getresponse().status
    connection.close()
    assert status < 300, f"{method} {path}: {status}"
