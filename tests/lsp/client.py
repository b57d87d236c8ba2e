"""A small client of the Language Server Protocol: it starts the real server and waits for what it says."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

MODERN: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
    "workspace": {
        "applyEdit": True,
        "configuration": True,
        "workspaceFolders": True,
        "workspaceEdit": {
            "documentChanges": True,
            "changeAnnotationSupport": {"groupsOnLabel": True},
            "snippetEditSupport": True,
        },
        "didChangeConfiguration": {"dynamicRegistration": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True, "relativePatternSupport": True},
        "diagnostics": {"refreshSupport": True},
        "codeLens": {"refreshSupport": True},
        "inlayHint": {"refreshSupport": True},
    },
    "textDocument": {
        "diagnostic": {"dynamicRegistration": True},
        "publishDiagnostics": {
            "relatedInformation": True,
            "tagSupport": {"valueSet": [1, 2]},
            "codeDescriptionSupport": True,
            "dataSupport": True,
        },
        "codeAction": {
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "quickfix", "source.fixAll"]}},
        },
        "hover": {"contentFormat": ["markdown"]},
    },
}
"""What VS Code of 2026 can do, as far as it matters here."""


def plain(*encodings: str) -> dict[str, Any]:
    """The capabilities of a simple client: findings are pushed to it, and it resolves nothing."""
    return {
        "general": {"positionEncodings": list(encodings)},
        "textDocument": {
            "publishDiagnostics": {},
            "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}},
        },
    }


class Client:
    """One session with one server."""

    def __init__(self, root: Path, capabilities: dict[str, Any] = MODERN, **options: Any) -> None:
        self.root = root
        self.configuration: dict[str, Any] = {}
        self.answers: dict[int, dict[str, Any]] = {}
        self.published: dict[str, list[dict[str, Any]]] = {}
        self.heard: list[tuple[str, Any]] = []
        self.applied: list[Any] = []
        self._came = threading.Condition()
        self._leaving = False
        self._next = 0
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "charter.lsp"],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        folders = [{"uri": root.as_uri(), "name": "root"}]
        parameters = {"processId": None, "rootUri": root.as_uri(), "workspaceFolders": folders}
        self.capabilities = self.request(
            "initialize",
            parameters | {"capabilities": capabilities, "initializationOptions": {"index": False} | options},
        )["capabilities"]
        self.notify("initialized", {})

    def send(self, message: dict[str, Any]) -> None:
        self.send_raw(json.dumps({"jsonrpc": "2.0"} | message).encode())

    def send_raw(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method: str, params: Any) -> None:
        self.send({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> int:
        self._next += 1
        self.send({"id": self._next, "method": method, "params": params})
        return self._next

    def answer(self, number: int, timeout: float = 30) -> dict[str, Any]:
        """The whole answer to a request."""
        self.wait(lambda: number in self.answers, timeout)
        return self.answers.pop(number)

    def request(self, method: str, params: Any, timeout: float = 30) -> Any:
        """The result of a request."""
        answer = self.answer(self.ask(method, params), timeout)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def wait(self, condition: Any, timeout: float = 30) -> None:
        with self._came:
            assert self._came.wait_for(lambda: condition() or self.process.poll() is not None, timeout), (
                "timed out"
            )
        assert condition(), f"the server left with {self.process.returncode}"

    def _listen(self) -> None:
        assert self.process.stdout is not None
        while True:
            length = 0
            while (line := self.process.stdout.readline()) not in {b"\r\n", b""}:
                if line.lower().startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            if not length:
                break
            self._hear(json.loads(self.process.stdout.read(length)))
        with self._came:
            self._came.notify_all()

    def _hear(self, message: dict[str, Any]) -> None:
        with self._came:
            method = message.get("method")
            if method is None:
                self.answers[message["id"]] = message
            else:
                self.heard.append((method, message.get("params")))
                if method == "textDocument/publishDiagnostics":
                    self.published.setdefault(message["params"]["uri"], []).append(message["params"])
                if "id" in message and not self._leaving:
                    self.send({"id": message["id"], "result": self._result(method, message.get("params"))})
            self._came.notify_all()

    def _result(self, method: str, params: Any) -> Any:
        if method == "workspace/configuration":
            return [self.configuration]
        if method == "workspace/applyEdit":
            self.applied.append(params["edit"])
            return {"applied": True}
        return None

    # Documents
    def open(self, path: Path, text: str, *, save: bool = True, language: str = "python") -> str:
        """Open a document. Returns its identifier."""
        if save:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8", newline="")
        uri = path.as_uri()
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    def change(self, uri: str, version: int, *changes: dict[str, Any]) -> None:
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})

    def pull(self, uri: str, previous: str = "") -> dict[str, Any]:
        params: dict[str, Any] = {"textDocument": {"uri": uri}}
        if previous:
            params["previousResultId"] = previous
        return self.request("textDocument/diagnostic", params)

    def settled(self, uri: str) -> list[dict[str, Any]]:
        """The findings once the whole file was checked: the score's lens waits for just that."""
        self.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
        return self.pull(uri)["items"]

    def published_for(self, uri: str, version: int) -> list[dict[str, Any]]:
        """The findings pushed for a version."""
        self.wait(lambda: any(one.get("version") == version for one in self.published.get(uri, ())))
        return [one for one in self.published[uri] if one.get("version") == version][-1]["diagnostics"]

    def actions(self, uri: str, diagnostic: dict[str, Any], *only: str) -> list[dict[str, Any]]:
        context: dict[str, Any] = {"diagnostics": [diagnostic]} | ({"only": list(only)} if only else {})
        params = {"textDocument": {"uri": uri}, "range": diagnostic["range"], "context": context}
        return self.request("textDocument/codeAction", params)

    def close(self) -> int:
        self.request("shutdown", None)
        self.leave()
        self.notify("exit", None)
        return self.process.wait(20)

    def leave(self) -> None:
        """Answer no more: a request of the server's that is still on its way finds nobody to write to."""
        with self._came:
            self._leaving = True

    def end(self) -> None:
        """End the server, whatever it is at."""
        self.leave()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._listener.join(20)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


def insert(line: int, character: int, text: str) -> dict[str, Any]:
    """A change that puts text at a place."""
    return replace(line, character, line, character, text)


def replace(line: int, character: int, end_line: int, end_character: int, text: str) -> dict[str, Any]:
    """A change that puts text in the place of a range."""
    start, end = {"line": line, "character": character}, {"line": end_line, "character": end_character}
    return {"range": {"start": start, "end": end}, "text": text}


def edited(text: str, edits: list[dict[str, Any]]) -> str:
    """A text after an edit's changes, in UTF-16 positions; lines end at LF only here."""
    lines = text.split("\n")

    def offset(position: dict[str, int]) -> int:
        line = lines[position["line"]]
        before = line.encode("utf-16-le")[: 2 * position["character"]].decode("utf-16-le")
        return sum(len(one) + 1 for one in lines[: position["line"]]) + len(before)

    places = [(offset(e["range"]["start"]), offset(e["range"]["end"]), e) for e in edits]
    for start, end, edit in sorted(places, key=lambda item: item[0], reverse=True):
        new = edit.get("newText", edit.get("snippet", {}).get("value"))
        text = text[:start] + new + text[end:]
    return text


def eventually(condition: Any, timeout: float = 20) -> None:
    """Wait for something that no message announces."""
    until = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)
