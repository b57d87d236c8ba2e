"""What doubles of forges share: a server on the loopback interface, the faults that it is told to have, and a log."""

# Documents of JSON are of any type by nature.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
import re
import threading
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


class ContractError(AssertionError):
    """Charter or the double broke the forge's own description."""


class Fault(Exception):  # noqa: N818 - an answer, not an error of ours:
    """An answer other than success."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


class Loopback(ABC):
    """A server of JSON; what it answers is decided in `answer`."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, str]] = []
        """A pattern of an operation and what happens to the first that fits."""
        self.log: list[tuple[str, str, Any]] = []
        self.broken: list[str] = []
        self.lock = threading.Lock()
        self.server: ThreadingHTTPServer | None = None
        self.thread: threading.Thread | None = None

    @abstractmethod
    def answer(
        self, method: str, path: str, query: dict[str, list[str]], headers: dict[str, str], body: Any
    ) -> tuple[int, dict[str, str], Any]:
        """The status, headers and document with which a request is answered."""

    def handle(
        self, method: str, target: str, headers: dict[str, str], raw: bytes
    ) -> tuple[int, dict[str, str], Any]:
        parts = urlsplit(target)
        body = json.loads(raw) if raw else None
        self.log.append((method, parts.path, body))
        try:
            return self.answer(method, parts.path, parse_qs(parts.query), headers, body)
        except Fault as fault:
            return fault.status, fault.headers, fault.body

    def fault(self, method: str, path: str, body: Any) -> str:
        """The fault that an operation is to have; it is used up."""
        operation = f"{method} {path} {(body or {}).get('query', '') if isinstance(body, dict) else ''}"
        for index, (wanted, kind) in enumerate(self.faults):
            if re.search(wanted, operation):
                del self.faults[index]
                return kind
        return ""

    def __enter__(self) -> Self:
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {key.lower(): value for key, value in self.headers.items()}
                try:
                    with double.lock:
                        status, extra, answer = double.handle(self.command, self.path, headers, raw)
                except Exception as error:  # noqa: BLE001 - told to the test at the end
                    double.broken.append(f"{type(error).__name__}: {error}")
                    status, extra, answer = 418, {}, {"message": str(error)}
                data = json.dumps(answer).encode()
                self.send_response(status)
                for key, value in {"Content-Type": "application/json", **extra}.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815 - http.server's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        self.server, self.thread = server, thread
        return self

    @property
    def address(self) -> str:
        assert self.server
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        assert self.server
        assert self.thread
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        assert not self.broken, self.broken
