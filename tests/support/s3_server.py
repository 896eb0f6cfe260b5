"""A small S3: PUT, GET, HEAD and DELETE of objects in one bucket; on demand it refuses or takes its time."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


class S3Server:
    """`status` 503 makes every answer that; `delay` is how long each takes. A context manager."""

    bucket = "pictures"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.status, self.delay = 200, 0.0
        self.asked: list[tuple[str, str]] = []
        handler = type("Handler", (_Handler,), {"store": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> S3Server:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def settings(self) -> dict[str, Any]:
        """STORAGES for Django, as the settings file makes them."""
        from botocore.config import Config

        options = {
            "bucket_name": self.bucket,
            "endpoint_url": self.url,
            "region_name": "us-east-1",
            "access_key": "test",
            "secret_key": "test-secret",
            "file_overwrite": True,
            "client_config": Config(
                connect_timeout=1,
                read_timeout=1,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
                proxies={},
            ),
        }
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


class _Handler(BaseHTTPRequestHandler):
    store: S3Server
    protocol_version = "HTTP/1.1"

    def _begin(self) -> str | None:
        key = unquote(urlsplit(self.path).path).removeprefix(f"/{self.store.bucket}/")
        self.store.asked.append((self.command, key))
        time.sleep(self.store.delay)
        if self.store.status != 200:
            self._answer(self.store.status, b"<Error><Code>SlowDown</Code></Error>")
            return None
        return key

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"0"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self) -> None:
        body = self._body()
        if (key := self._begin()) is not None:
            self.store.objects[key] = body
            self._answer(200)

    def do_GET(self) -> None:
        if (key := self._begin()) is None:
            return
        found = self.store.objects.get(key)
        if found is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._answer(200, found)

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        if (key := self._begin()) is not None:
            self.store.objects.pop(key, None)
            self._answer(204)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "") and "aws-chunked" not in (
            self.headers.get("Content-Encoding", "")
        ):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue
        return body

    def log_message(self, format: str, *args: object) -> None:
        return
