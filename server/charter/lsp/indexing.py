"""The server's side of the workspace index: when it runs, what it is told and what is done with what it finds.

The indexing process checks every file of the workspace in the background and knows what only the whole can tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from charter.lsp import diagnostics, templates
from charter.lsp.documents import Document, Mark, path_of, uri_of
from charter.lsp.rows import Row
from charter.lsp.server import PENDING

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.lsp.pipes import Frame
    from charter.lsp.rpc import Request
    from charter.lsp.server import Server

_TOKEN = "charter-index"  # noqa: S105 (names a progress bar)
_CHANGED_AFTER = 0.2


def start(server: Server) -> None:
    """Start the index, unless it runs, or the settings forbid it, or there is no folder to index."""
    if server.project.running or server.project.hopeless or not _folders(server):
        return
    if server.options.get("index") is False:
        return
    server.project.start()
    _begin(server)


def reload(server: Server) -> None:
    """Index anew: folders or settings changed."""
    if not server.project.running:
        return
    if server.options.get("index") is False or not _folders(server):
        server.project.stop()
        _forget(server)
        return
    _begin(server)


def files_changed(server: Server, paths: list[str]) -> None:
    """Files on the disk are other than they were."""
    server.project.send("changed", paths)


def ask(
    server: Server, question: str, *values: Any, then: Callable[[Any], None], request: Request | None
) -> object:
    """Ask the indexing process something; see `Server.ask`. Without an index the answer is None at once."""
    if not server.project.running:
        start(server)
    if not server.project.running:
        then(None)
        return PENDING
    return server.ask(question, *values, then=then, request=request, helper=server.project)


def cancelled(server: Server, params: Any, _request: Request) -> None:
    """`window/workDoneProgress/cancel`: the user wants no index now."""
    if params.get("token") == _TOKEN:
        server.project.stop()
        server.options["index"] = False
        _progress(server, {"kind": "end", "message": "cancelled"})


def from_indexer(server: Server, frame: Frame | None, _request: Request) -> None:
    """What the indexing process sends; None when it died."""
    if frame is None:
        status = server.project.buried()
        server.log("warning", f"Charter's indexing process died ({status}).")
        _progress(server, {"kind": "end"})
        waiting, server.waiting = server.waiting, {}
        for then in waiting.values():
            then(None)
        if not server.project.hopeless:
            server.later(1.0, lambda: start(server))
        return
    kind, *values = frame
    _FRAMES[kind](server, *values)


def _folders(server: Server) -> list[str]:
    return [path for uri in server.folders if (path := path_of(uri))]


def _begin(server: Server) -> None:
    shown = server.options.get("diagnosticScope") == "workspace"
    if not shown:
        _forget(server)
    wanted = {name: server.options[name] for name in ("select", "ignore") if server.options.get(name)}
    server.project.send("index", _folders(server), {**wanted, "shown": shown})
    server.checker.send("extracts")


def _forget(server: Server) -> None:
    for path in list(server.unopened):
        _unopened(server, path, [])


def _unopened(server: Server, path: str, rows: list[Any]) -> None:
    """Take the findings of a file that is not open."""
    uri = uri_of(path)
    if not rows:
        server.unopened.pop(path, None)
    else:
        document = Document(uri, "python", 0, server.closed_text(path))
        server.closed.pop(path, None)
        document.marks = [Mark(start, end, Row(*row)) for start, end, row in rows]
        document.result_id = f"i{hash(str(rows)) & 0xFFFFFFFF}"
        server.unopened[path] = document
    if uri in server.documents:
        return
    document = server.unopened.get(path)
    templates.take(server, uri, document.marks if document else ())
    if server.client.pulls:
        server.later(_CHANGED_AFTER, lambda: diagnostics.answer_workspace_pulls(server))
    else:
        items = diagnostics.rendered(server, document.text, document.marks) if document else []
        server.peer.notify("textDocument/publishDiagnostics", {"uri": uri, "diagnostics": items})


def _files(server: Server, files: list[str]) -> None:
    """Take back what is shown of files that are none of the workspace's any more."""
    for path in server.unopened.keys() - set(files):
        _unopened(server, path, [])


def _facts(server: Server, path: str, number: int, data: bytes) -> None:
    """What only the whole project tells of an open file goes to the checker, which knows its suppressions."""
    for document in server.everything():
        if path_of(document.uri) == path:
            server.checker.send("facts", document.uri, number, data)


def _state(server: Server, state: dict[str, Any]) -> None:
    """How far the index is."""
    before, server.index_state = server.index_state, state
    done, total = state["done"], state["total"]
    if done >= total:
        if before and before["done"] < before["total"]:
            _progress(server, {"kind": "end", "message": f"{total} files"})
        server.log("debug", f"Charter's index: {state}")
    elif not before or before["done"] >= before["total"]:
        if server.client.progress:
            server.peer.request("window/workDoneProgress/create", {"token": _TOKEN})
        begin = {
            "kind": "begin",
            "title": "Charter: reading the workspace",
            "cancellable": True,
            "percentage": 0,
        }
        _progress(server, begin)
    else:
        share = {
            "kind": "report",
            "percentage": 100 * done // max(total, 1),
            "message": f"{done} of {total} files",
        }
        _progress(server, share)


def _progress(server: Server, value: dict[str, Any]) -> None:
    if server.client.progress:
        server.peer.notify("$/progress", {"token": _TOKEN, "value": value})


def _shared(server: Server, root: str, paths: list[str]) -> None:
    """Take the files of a project whose names several folders have."""
    server.shared[root] = paths
    server.checker.send("shared", root, paths)


def _answer(server: Server, number: int, value: Any) -> None:
    then = server.waiting.pop(number, None)
    if then is not None:
        then(value)


def _log(server: Server, level: str, text: str) -> None:
    server.log(level, text)


_FRAMES = {
    "files": _files,
    "shared": _shared,
    "facts": _facts,
    "unopened": _unopened,
    "state": _state,
    "answer": _answer,
    "log": _log,
}
