"""Keeps the documents as the client has them and the checker as the documents are. It looks for no finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from charter.lsp import diagnostics, indexing, templates, workspace
from charter.lsp.documents import Document, Mark, path_of
from charter.lsp.notebooks import Notebook
from charter.lsp.positions import Text
from charter.lsp.rows import SYNTAX_RULE, Row, RulePage

if TYPE_CHECKING:
    from charter.lsp.rows import Frame
    from charter.lsp.rpc import Request
    from charter.lsp.server import Server

SETTINGS_FILES = ("charter.toml", "pyproject.toml")


def did_open(server: Server, params: Any, _request: Request) -> None:
    """`textDocument/didOpen`."""
    item = params["textDocument"]
    uri = item["uri"]
    document = Document(uri, item.get("languageId", ""), item.get("version", 0), Text(item["text"]))
    server.documents[uri] = document
    send_open(server, document)


def did_change(server: Server, params: Any, _request: Request) -> None:
    """`textDocument/didChange`; a change of a document that is not open is dropped."""
    item = params["textDocument"]
    document = server.documents.get(item["uri"])
    if document is None:
        return
    edits = document.change(
        item.get("version", document.version + 1), params["contentChanges"], server.client.encoding
    )
    if document.python:
        server.checker.send("edit", document.uri, document.version, tuple(edits))


def did_close(server: Server, params: Any, _request: Request) -> None:
    """`textDocument/didClose`: the findings go, unless the whole workspace is shown."""
    uri = params["textDocument"]["uri"]
    document = server.documents.pop(uri, None)
    if document is not None:
        server.checker.send("close", uri)
        server.project.send("extracts", path_of(uri) or "", 0, None)
        diagnostics.withdraw(server, uri)
        templates.take(server, uri, ())


def did_save(server: Server, params: Any, _request: Request) -> None:
    """`textDocument/didSave`: other files may see this one anew."""
    path = path_of(params["textDocument"]["uri"])
    if path is not None:
        workspace.files_changed(server, [path])


def notebook_open(server: Server, params: Any, _request: Request) -> None:
    """`notebookDocument/didOpen`."""
    item = params["notebookDocument"]
    notebook = Notebook(item["uri"], item.get("version", 0))
    notebook.open(item["cells"], params["cellTextDocuments"])
    notebook.join()
    server.notebooks[item["uri"]] = notebook
    send_open(server, notebook.whole)


def notebook_change(server: Server, params: Any, _request: Request) -> None:
    """`notebookDocument/didChange`."""
    notebook = server.notebooks.get(params["notebookDocument"]["uri"])
    if notebook is None:
        return
    _, gone = notebook.change_cells(params["change"], server.client.encoding)
    for uri in gone:
        diagnostics.withdraw(server, uri)
    edit = notebook.join()
    if edit is not None:
        server.checker.send("edit", notebook.whole.uri, notebook.whole.version, (edit,))
    else:
        diagnostics.publish(server, notebook.whole)


def notebook_close(server: Server, params: Any, _request: Request) -> None:
    """`notebookDocument/didClose`."""
    notebook = server.notebooks.pop(params["notebookDocument"]["uri"], None)
    if notebook is not None:
        server.checker.send("close", notebook.whole.uri)
        for cell in notebook.cells:
            diagnostics.withdraw(server, cell.uri)


def send_open(server: Server, document: Document) -> None:
    """Tell the checker of a document as it is now."""
    if not document.python:
        if path_of(document.uri) in server.settings_faults:
            workspace.settings_problems(
                server, path_of(document.uri) or "", server.settings_faults[path_of(document.uri) or ""]
            )
    elif not document.poisoned:
        path = path_of(document.uri) or ""
        server.checker.send(
            "open", document.uri, path, document.language, document.version, document.text.text
        )


def from_checker(server: Server, frame: Frame | None, _request: Request) -> None:
    """What the checking process sends; None when it died."""
    if frame is None:
        _checker_died(server)
        return
    kind, *values = frame
    _FRAMES[kind](server, *values)


def _found(server: Server, uri: str, version: int, complete: bool, rows: list[Any]) -> None:  # noqa: FBT001 (a frame's value)
    """Take findings, unless the text they are about is no longer the newest."""
    notebook = server.notebooks.get(uri)
    document = notebook.whole if notebook is not None else server.documents.get(uri)
    if document is None or document.version != version:
        return
    before = document.result_id
    changed_late = complete and document.checked == version
    document.marks = [Mark(start, end, Row(*row)) for start, end, row in rows]
    document.checked = version
    document.complete = complete
    server.busy = ""
    diagnostics.publish(server, document)
    templates.take(server, uri, document.marks)
    if changed_late and server.client.pulls and document.result_id != before:
        server.refresh("diagnostic")
    if complete:
        server.refresh("codeLens")
        if server.options.get("inlayHints") is True:
            server.refresh("inlayHint")
        indexing.start(server)


def _answer(server: Server, number: int, value: Any) -> None:
    then = server.waiting.pop(number, None)
    if then is not None:
        then(value)


def _rules(server: Server, pages: list[Any]) -> None:
    server.rules = {page[0]: RulePage(*page) for page in pages}


def _busy(server: Server, uri: str) -> None:
    server.busy = uri


def _log(server: Server, level: str, text: str) -> None:
    server.log(level, text)


def _tell(server: Server, level: str, text: str, once: str) -> None:
    server.tell(level, text, once=once)


def _settings(server: Server, path: str, problems: list[Any]) -> None:
    """Findings on a settings file; [] when it is sound again."""
    workspace.settings_problems(server, path, problems)


def _extracts(server: Server, uri: str, path: str, number: int, extracts: dict[str, bytes]) -> None:
    """What the rest of the project needs to know of an open document."""
    document = server.document_of(uri)
    if document is not None:
        server.project.send("extracts", path, number, extracts)


def _checker_died(server: Server) -> None:
    """Start the checker again and tell it all it had known, but for the text that killed it."""
    status = server.checker.buried()
    culprit = server.busy
    server.busy = ""
    waiting, server.waiting = server.waiting, {}
    for then in waiting.values():
        then(None)
    if server.checker.hopeless:
        server.tell(
            "error",
            "Charter's analysing process cannot be started; see the server's log. Restart the server to try again.",
            once="hopeless",
        )
        return
    server.log(
        "warning",
        f"Charter's analysing process died ({status}) on {culprit or 'no file'} and is started again.",
    )
    for document in server.everything():
        if document.uri == culprit:
            document.poisoned = True
            document.marks = [
                Mark(0, 0, Row(0, SYNTAX_RULE, "", "the code cannot be analysed: it is nested too deeply", 1))
            ]
            document.checked = document.version
            document.complete = True
            diagnostics.publish(server, document)
    server.checker.start()
    workspace.send_configuration(server)
    for root, paths in server.shared.items():
        server.checker.send("shared", root, paths)
    for document in server.everything():
        send_open(server, document)


_FRAMES = {
    "found": _found,
    "answer": _answer,
    "rules": _rules,
    "busy": _busy,
    "log": _log,
    "tell": _tell,
    "settings": _settings,
    "extracts": _extracts,
}
