"""A page in place of S3's answer is noticed, whatever its status: nothing passes for missing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from iris_hpo.store.digests import StoreReadError, StoreWriteError
from iris_hpo.store.objects import open_store
from iris_hpo_tests.scale.s3 import BUCKET, S3, using

HTML = b"<!DOCTYPE html>\n<html><head><meta charset=utf-8></head><body>Log in<br></body></html>"
XHTML = b'<?xml version="1.0"?>\n<html><body>Log in</body></html>'
JSON = b'{"error": "log in"}'
PAGE = "text/html; charset=utf-8"


@contextmanager
def web_server(status: int, body: bytes, headers: dict[str, str]) -> Iterator[S3]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # an earlier one does not ask for the content of PUT

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(200 if self.path == "/login" else status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the base class's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield S3(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, HTML, {"content-type": PAGE}),
        (200, HTML, {"content-type": PAGE, "etag": '"5f2a-1"'}),
        (200, XHTML, {"content-type": "application/xhtml+xml"}),
        (200, JSON, {"content-type": "application/json"}),
        (302, HTML, {"content-type": PAGE, "location": "/login"}),
        (403, HTML, {"content-type": PAGE}),
        (503, HTML, {"content-type": PAGE}),
        (404, HTML, {"content-type": PAGE}),
        (404, XHTML, {}),
        (404, b"", {}),
    ],
    ids=[
        "page", "static page", "XHTML", "JSON", "redirection", "forbidden page", "failure",
        "missing page", "missing XHTML", "nothing",
    ],
)  # fmt: skip
def test_a_page_is_neither_missing_nor_content(
    monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, headers: dict[str, str]
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with web_server(status, body, headers) as server, using(server):
        store = open_store(f"s3://{BUCKET}/a")
        for act in (store.read, store.list, *([] if status in (403, 503) else [store.exists])):
            with pytest.raises(StoreReadError, match=r"s3://bucket/a/x cannot be .*: .*not S3's"):
                act("x")
        if status >= 300 or "etag" not in headers:
            with pytest.raises(StoreWriteError, match=r"x cannot be written: .*not S3's"):
                store.write("x", b"content")
