"""Findings as the protocol's diagnostics, pushed or pulled, never both for one client. It computes no finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from charter.lsp import rpc
from charter.lsp.documents import Mark, path_of, uri_of
from charter.lsp.positions import Text
from charter.lsp.rows import SYNTAX_RULE, Row
from charter.lsp.server import PENDING, Server

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.lsp.documents import Document
    from charter.lsp.rows import Place

SOURCE: Final = "charter"
_SEVERITIES: Final = (4, 3, 2, 1, 1)
"""The protocol's severity (1 error … 4 hint) for Charter's 0 (info) to 4 (critical)."""
_TAGS: Final = {"unnecessary": 1, "deprecated": 2}
_MAX_RELATED: Final = 12
_PART: Final = 100
"""Reports in one part of a streamed answer."""


def publish(server: Server, document: Document) -> None:
    """Let the client have a document's findings: send them, or answer who waits for them."""
    document.result_id = f"{document.checked}.{int(document.complete)}.{_state(document)}"
    if server.client.pulls:
        for request, previous, uri in server.pulls.pop(document.uri, ()):
            request.reply(report(server, document, previous, uri))
        return
    for uri, items in _by_client_document(server, document):
        params: dict[str, Any] = {"uri": uri, "diagnostics": items}
        version = _client_version(server, document, uri)
        if version is not None:
            params["version"] = version
        server.peer.notify("textDocument/publishDiagnostics", params)


def withdraw(server: Server, uri: str) -> None:
    """Take back what was pushed for a document."""
    if not server.client.pulls:
        server.peer.notify("textDocument/publishDiagnostics", {"uri": uri, "diagnostics": []})
    for request, _, _ in server.pulls.pop(uri, ()):
        request.reply({"kind": "full", "items": []})


def pull(server: Server, params: Any, request: rpc.Request) -> Any:
    """`textDocument/diagnostic`: at once if the newest text is analysed, else as soon as it is."""
    uri = params["textDocument"]["uri"]
    document = server.document_of(uri)
    previous = params.get("previousResultId") or ""
    if document is None or not document.python:
        return {"kind": "full", "items": settings_items(server, path_of(uri) or "")}
    if document.checked == document.version:
        return report(server, document, previous, uri)
    waiting = server.pulls.setdefault(document.uri, [])
    waiting[:] = [one for one in waiting if not one[0].done]
    waiting.append((request, previous, uri))
    return PENDING


def report(server: Server, document: Document, previous: str, uri: str = "") -> dict[str, Any]:
    """The answer to a pull."""
    if previous and previous == document.result_id:
        return {"kind": "unchanged", "resultId": previous}
    items = dict(_by_client_document(server, document)).get(uri or document.uri, [])
    return {"kind": "full", "resultId": document.result_id, "items": items}


def rendered(server: Server, text: Text, marks: Iterable[Mark]) -> list[dict[str, Any]]:
    """The diagnostics of findings in one text."""
    encoding = server.client.encoding
    return [_diagnostic(server, text.range(mark.start, mark.end, encoding), mark.row) for mark in marks]


def workspace_report(server: Server, params: Any, request: rpc.Request) -> Any:
    """`workspace/diagnostic`: what changed since the client last asked; held open while nothing did."""
    previous = {item["uri"]: item["value"] for item in params.get("previousResultIds") or ()}
    items = _workspace_items(server, previous)
    if not items and previous:
        server.workspace_pulls.append((request, previous, params.get("partialResultToken")))
        return PENDING
    return _streamed(server, items, params.get("partialResultToken"))


def answer_workspace_pulls(server: Server) -> None:
    """Answer who waits for a change anywhere in the workspace."""
    waiting, server.workspace_pulls = server.workspace_pulls, []
    for request, previous, token in waiting:
        if request.done:
            continue
        items = _workspace_items(server, previous)
        if items:
            request.reply(_streamed(server, items, token))
        else:
            server.workspace_pulls.append((request, previous, token))


def _streamed(server: Server, items: list[dict[str, Any]], token: Any) -> dict[str, Any]:
    """The items, in parts if the client takes them so."""
    if token is None:
        return {"items": items}
    for at in range(0, len(items), _PART):
        part = {"items": items[at : at + _PART]}
        server.peer.notify("$/progress", {"token": token, "value": part})
    return {"items": []}


def _workspace_items(server: Server, previous: dict[str, str]) -> list[dict[str, Any]]:
    """The reports of unopened files and settings files whose findings are other than the client knows."""
    found: list[dict[str, Any]] = []
    now: dict[str, tuple[str, list[dict[str, Any]]]] = {}
    for path in server.settings_faults:
        items = settings_items(server, path)
        now[uri_of(path)] = (f"{hash(str(items))}", items)
    for path, document in server.unopened.items():
        if document.uri not in server.documents:
            now[document.uri] = (document.result_id, [])
            if previous.get(document.uri) != document.result_id:
                now[document.uri] = (
                    document.result_id,
                    rendered(server, server.closed_text(path), document.marks),
                )
    for uri in previous:
        if uri not in now and uri not in server.documents:
            now[uri] = ("gone", [])
    for uri, (result_id, items) in now.items():
        if previous.get(uri) != result_id:
            found.append({"uri": uri, "version": None, "kind": "full", "resultId": result_id, "items": items})
    return found


def settings_items(server: Server, path: str) -> list[dict[str, Any]]:
    """The diagnostics of a settings file."""
    document = next((one for uri, one in server.documents.items() if path_of(uri) == path), None)
    text = document.text if document is not None else server.closed_text(path)
    return [
        {
            "range": text.range(*text.line_span(max(line - 1, 0)), server.client.encoding),
            "severity": 1,
            "source": SOURCE,
            "code": "settings",
            "message": f"{message}; the last good settings stay in force",
        }
        for line, message in server.settings_faults.get(path, ())
    ]


def _state(document: Document) -> int:
    return hash(tuple((mark.start, mark.end, mark.row) for mark in document.marks)) & 0xFFFFFFFF


def _client_version(server: Server, document: Document, uri: str) -> int | None:
    notebook = server.notebooks.get(document.uri)
    if notebook is None:
        return document.checked
    return next((cell.version for cell in notebook.cells if cell.uri == uri), None)


def _by_client_document(server: Server, document: Document) -> list[tuple[str, list[dict[str, Any]]]]:
    """The diagnostics by the document that the client knows: a notebook's by cell."""
    notebook = server.notebooks.get(document.uri)
    if notebook is None:
        return [(document.uri, rendered(server, document.text, document.marks))]
    return [(cell.uri, rendered(server, cell.text, marks)) for cell, marks in notebook.by_cell()]


def shown_at(server: Server, place: Any, row: Row) -> dict[str, Any]:
    """The diagnostic of a finding in its template; the code that leads there mends it, so it offers no action."""
    found = _diagnostic(server, place, row._replace(fixes=()))
    principle = f" ({row.principles[0]})" if row.principles else ""
    found["message"] = f"{row.at[5] if row.at else row.message}{principle}"
    found.pop("data", None)
    return found


def _diagnostic(server: Server, place: Any, row: Row) -> dict[str, Any]:
    client = server.client
    principle = f" ({row.principles[0]})" if row.principles else ""
    found: dict[str, Any] = {
        "range": place,
        "severity": _SEVERITIES[row.severity],
        "code": row.rule,
        "source": SOURCE,
        "message": row.message + principle,
    }
    page = server.rules.get(row.rule)
    if client.code_description and page is not None and page.link:
        found["codeDescription"] = {"href": page.link}
    tags = [_TAGS[tag] for tag in row.tags if _TAGS.get(tag) in client.tags]
    if tags:
        found["tags"] = tags
    if client.related and (row.related or row.flow):
        found["relatedInformation"] = _related(server, row)
    if client.data and row.rule != SYNTAX_RULE:
        found["data"] = {
            "key": row.key,
            "rule": row.rule,
            "fixes": [{"title": title, "grade": grade} for title, grade in row.fixes],
        }
    return found


def _related(server: Server, row: Row) -> list[dict[str, Any]]:
    total = len(row.flow)
    stations = [(*place[:5], f"{at}/{total}: {place[5]}") for at, place in enumerate(row.flow, 1)]
    places: list[Place] = [*stations, *row.related]
    if len(places) > _MAX_RELATED:
        places = [*places[: _MAX_RELATED // 2], *places[-_MAX_RELATED // 2 :]]
    return [{"location": location(server, place), "message": place[5]} for place in places]


def location(server: Server, place: Place) -> dict[str, Any]:
    """A place in any file of the project as the protocol's location."""
    path, line, column, end_line, end_column, _ = place
    uri = uri_of(path)
    document = server.document_of(uri) or next(
        (document for document in server.documents.values() if path_of(document.uri) == path), None
    )
    text = document.text if document is not None else server.closed_text(path)
    start = text.starts[min(line, len(text.starts)) - 1] + column
    end = text.starts[min(end_line, len(text.starts)) - 1] + end_column
    uri = document.uri if document is not None else uri
    return {"uri": uri, "range": text.range(start, max(start, end), server.client.encoding)}
