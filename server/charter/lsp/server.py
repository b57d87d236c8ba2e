"""The server's message loop: one thread that owns all state and never analyses anything.

It knows the protocol's life cycle and hands each message to the function that handles its method. What analyses
runs in helper processes; what they find comes in through the same inbox as the client's messages.
"""

from __future__ import annotations

import heapq
import queue
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from charter.lsp import rpc
from charter.lsp.capabilities import Client, server_capabilities
from charter.lsp.helpers import Helper
from charter.lsp.rpc import Peer, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.lsp.documents import Document
    from charter.lsp.notebooks import Notebook
    from charter.lsp.positions import Text
    from charter.lsp.rows import Row, RulePage

    Handler = Callable[["Server", Any, Request], Any]

PENDING: Final = object()
"""What a handler returns if it will answer its request later."""

_MOMENT = 0.05
"""Seconds that requests to refresh are gathered."""

_LOG_LEVELS = {"error": 1, "warning": 2, "info": 3, "debug": 4}


class Server:
    """All that the server knows while it runs.

    Args:
        incoming: the client's messages.
        outgoing: messages to the client.
        handlers: what handles each method.
    """

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO, handlers: dict[str, Handler]) -> None:
        self.peer = Peer(outgoing)
        self.client = Client({})
        self.documents: dict[str, Document] = {}
        self.notebooks: dict[str, Notebook] = {}
        self.folders: dict[str, str] = {}
        self.rules: dict[str, RulePage] = {}
        self.options: dict[str, Any] = {}
        self.index_state: dict[str, Any] = {}
        self.told: set[str] = set()
        self.pulls: dict[str, list[tuple[Request, str, str]]] = {}
        self.workspace_pulls: list[tuple[Request, dict[str, str], Any]] = []
        self.settings_faults: dict[str, list[tuple[int, str]]] = {}
        self.closed: dict[str, Text] = {}
        self.unopened: dict[str, Document] = {}
        self.shared: dict[str, list[str]] = {}
        self.templates: dict[str, dict[str, list[Row]]] = {}
        self.inbox: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.checker = Helper("checker", lambda frame: self.inbox.put(("checker", frame)))
        self.project = Helper("indexer", lambda frame: self.inbox.put(("project", frame)))
        self.waiting: dict[int, Callable[[Any], None]] = {}
        self.busy: str = ""
        self._handlers = handlers
        self._incoming = incoming
        self._requests: dict[int | str, Request] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._asked = 0
        self._refreshing: set[str] = set()
        self._state = "new"
        self._exit: int | None = None

    # The loop
    def run(self) -> int:
        """Serve until the client leaves. Returns the exit status."""
        self.checker.start()
        threading.Thread(target=self._read, daemon=True).start()
        while self._exit is None:
            try:
                source, event = self.inbox.get(timeout=self._until_next_timer())
            except queue.Empty:
                self._fire()
                continue
            self._guarded(source, event)
        self.peer.closed = True
        self.checker.stop()
        self.project.stop()
        return self._exit

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something on this thread after a while."""
        self._asked += 1
        heapq.heappush(self._timers, (time.monotonic() + seconds, self._asked, action))

    def _until_next_timer(self) -> float | None:
        return max(self._timers[0][0] - time.monotonic(), 0.0) if self._timers else None

    def _fire(self) -> None:
        while self._timers and self._timers[0][0] <= time.monotonic():
            _, _, action = heapq.heappop(self._timers)
            try:
                action()
            except Exception:  # noqa: BLE001 (the loop goes on, whatever a part of it does)
                self.log_exception("a timer")

    def _read(self) -> None:
        while (body := rpc.read_frame(self._incoming)) is not None:
            self.inbox.put(("client", body))
        self.inbox.put(("client", None))

    def _guarded(self, source: str, event: Any) -> None:
        if self._timers:
            self._fire()
        try:
            if source == "client":
                self._receive(event)
            else:
                self._handlers[f"helper/{source}"](self, event, Request(self.peer, None))
        except Exception:  # noqa: BLE001 (as above)
            self.log_exception(source)

    # Messages
    def _receive(self, body: bytes | None) -> None:
        if body is None:
            self._exit = 0 if self._state == "shut down" else 1
            return
        try:
            message = rpc.decode(body)
        except ValueError as error:
            self.peer.send(
                {"jsonrpc": "2.0", "id": None, "error": {"code": rpc.PARSE_ERROR, "message": str(error)}}
            )
            return
        for one in rpc.items(message) or [message]:
            if rpc.fields(one):
                self._dispatch(rpc.fields(one))
            else:
                error = {"code": rpc.INVALID_REQUEST, "message": "a message must be an object"}
                self.peer.send({"jsonrpc": "2.0", "id": None, "error": error})

    def _dispatch(self, message: rpc.Message) -> None:
        method = message.get("method")
        if not isinstance(method, str):
            self.peer.answered(message)
            return
        request = Request(self.peer, message.get("id"))
        if method == "exit":
            self._exit = 0 if self._state == "shut down" else 1
            return
        if method == "$/cancelRequest":
            open_request = self._requests.pop(rpc.fields(message.get("params")).get("id", ""), None)
            if open_request is not None:
                open_request.cancel()
            return
        refused = self._refused(method)
        if refused is not None:
            request.fail(*refused)
            return
        handler = self._handlers.get(method)
        if handler is None:
            request.fail(rpc.METHOD_NOT_FOUND, f"`{method}` is not supported")
            return
        self._handle(handler, message.get("params"), request)

    def _refused(self, method: str) -> tuple[int, str] | None:
        if self._state == "new" and method != "initialize":
            return rpc.NOT_INITIALIZED, "the first request must be `initialize`"
        if self._state == "shut down":
            return rpc.INVALID_REQUEST, "the server is shut down"
        return None

    def _handle(self, handler: Handler, params: Any, request: Request) -> None:
        self._requests = {key: open_ for key, open_ in self._requests.items() if not open_.done}
        try:
            result = handler(self, params, request)
        except rpc.Failure as failure:
            request.fail(failure.code, failure.message)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            self.log_exception("a message")
            request.fail(rpc.INVALID_PARAMS, f"the parameters make no sense: {type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001 (every request is answered)
            self.log_exception("a message")
            request.fail(rpc.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
        else:
            if result is PENDING:
                if request.key is not None:
                    self._requests[request.key] = request
            else:
                request.reply(result)

    # Life cycle
    def initialize(self, params: Any) -> Any:
        """Take the client's capabilities and say what this server can do."""
        from charter import __version__

        self.client = Client(params)
        self._state = "running"
        self.options = dict(rpc.fields(params.get("initializationOptions")))
        return {
            "capabilities": server_capabilities(self.client),
            "serverInfo": {"name": "charter", "version": __version__},
        }

    def shut_down(self) -> None:
        """Do nothing any more but wait for `exit`."""
        self._state = "shut down"
        for request in self._requests.values():
            request.cancel()

    # The analysing process
    def ask(
        self,
        question: str,
        *values: Any,
        then: Callable[[Any], None],
        request: Request | None = None,
        helper: Helper | None = None,
    ) -> object:
        """Ask an analysing process something.

        Args:
            question: what.
            values: plain values that go with it.
            then: called with the answer; with None if the process died over it.
            request: the client's request that depends on it; once it is cancelled the answer is dropped.
            helper: whom; the checker by default.

        Returns:
            `PENDING`, for handlers to return.
        """
        self._asked += 1
        number = self._asked
        self.waiting[number] = then
        whom = helper or self.checker
        whom.send("ask", number, question, *values)

        def forget() -> None:
            if self.waiting.pop(number, None) is not None:
                whom.send("forget", number)

        if request is not None:
            request.when_cancelled = forget
        return PENDING

    # Documents
    def document_of(self, uri: str) -> Document | None:
        """The open document of this identifier; for a notebook's cell, the notebook as a whole."""
        document = self.documents.get(uri)
        if document is not None:
            return document
        for notebook in self.notebooks.values():
            if notebook.whole.uri == uri or notebook.cell(uri) is not None:
                return notebook.whole
        return None

    def everything(self) -> list[Document]:
        """All that the checker is to know: documents and notebooks."""
        return [*self.documents.values(), *(notebook.whole for notebook in self.notebooks.values())]

    def place_of(self, params: Any) -> tuple[Document | None, int]:
        """The document and the offset that a request's position means."""
        uri, position = params["textDocument"]["uri"], params["position"]
        document = self.documents.get(uri)
        if document is not None:
            return document, document.text.offset(position, self.client.encoding)
        for notebook in self.notebooks.values():
            cell = notebook.cell(uri)
            if cell is not None:
                return notebook.whole, notebook.offset(cell, cell.text.offset(position, self.client.encoding))
        return None, 0

    def closed_text(self, path: str) -> Text:
        """The text of a file that is not open, kept until it changes; empty if it cannot be read."""
        from charter.lsp.positions import Text
        from charter.syntax.source import decode

        if path not in self.closed:
            try:
                self.closed[path] = Text(decode(Path(path).read_bytes()).text)
            except (OSError, ValueError):
                return Text("")
        return self.closed[path]

    def refresh(self, what: str) -> None:
        """Tell the client, in a moment and once, to ask again for `diagnostic`, `codeLens` or `inlayHint`."""
        able = {
            "diagnostic": self.client.pulls,
            "codeLens": self.client.refreshes_lenses,
            "inlayHint": self.client.refreshes_hints,
        }
        if not able[what] or what in self._refreshing:
            return
        self._refreshing.add(what)

        def ask() -> None:
            self._refreshing.discard(what)
            self.peer.request(f"workspace/{what}/refresh", None)

        self.later(_MOMENT, ask)

    # What the user reads
    def log(self, level: str, text: str) -> None:
        """Write to the client's log; errors and warnings to the error stream as well."""
        if _LOG_LEVELS[level] <= 2:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()
        self.peer.notify("window/logMessage", {"type": _LOG_LEVELS[level], "message": text})

    def log_exception(self, where: str) -> None:
        """Write the current exception to the log; never a pop-up, for it may come again with every key."""
        if not self.peer.closed:
            self.log("error", f"Charter failed on {where}; the server goes on.\n{traceback.format_exc()}")

    def tell(self, level: str, text: str, *, once: str = "") -> None:
        """Show the user a message; one with the same `once` is shown a single time."""
        if once:
            if once in self.told:
                return
            self.told.add(once)
        self.peer.notify("window/showMessage", {"type": _LOG_LEVELS[level], "message": text})
