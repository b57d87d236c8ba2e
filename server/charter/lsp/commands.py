"""What `workspace/executeCommand` can do. Work goes to the checking processes; results come back as edits and documents."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charter.lsp import indexing, rpc, sync, workspace
from charter.lsp.actions import UNSAFE_WHY, workspace_edit
from charter.lsp.diagnostics import location
from charter.lsp.documents import path_of

if TYPE_CHECKING:
    from charter.lsp.rpc import Request
    from charter.lsp.server import Server


def execute(server: Server, params: Any, request: Request) -> Any:
    """`workspace/executeCommand`."""
    name = params.get("command", "")
    arguments = rpc.items(params.get("arguments"))
    command = _COMMANDS.get(name)
    if command is None:
        raise rpc.Failure(rpc.INVALID_PARAMS, f"there is no command `{name}`")
    argument = rpc.fields(arguments[0]) if arguments else {}
    return command(server, argument, request)


def _fix_file(server: Server, argument: dict[str, Any], request: Request) -> Any:
    document = server.document_of(argument.get("uri", ""))
    if document is None:
        raise rpc.Failure(rpc.INVALID_PARAMS, "the document is not open")
    return server.ask(
        "fix-all",
        document.uri,
        argument.get("rule", ""),
        then=lambda result: _apply(server, request, "Fix all that is safe", result),
        request=request,
    )


def _fix_workspace(server: Server, argument: dict[str, Any], request: Request) -> Any:
    """Fix what is not open as the disk has it, and each open document as its editor has it."""
    rule = argument.get("rule", "")
    documents = [document for document in server.everything() if document.python]
    label = f"Fix all `{rule}` in the workspace" if rule else "Fix all that is safe in the workspace"
    results: list[dict[str, Any]] = []
    left = 1 + len(documents)

    def then(result: Any) -> None:
        nonlocal left
        left -= 1
        if rpc.fields(result).get("edits"):
            results.append(result)
        if not left:
            _apply(server, request, label, _together(server, results))

    for document in documents:
        server.ask("fix-all", document.uri, rule, then=then, request=None)
    return indexing.ask(server, "fix-workspace", rule, then=then, request=request)


def _together(server: Server, results: list[dict[str, Any]]) -> dict[str, Any]:
    """The edits of several answers as one; of an open document, only those that are about its open text."""
    opened = {path_of(document.uri) for document in server.everything()}
    edits = {key: made for result in results for key, made in result["edits"].items() if key not in opened}
    if not edits:
        return {"refused": "nothing can be fixed safely"}
    return {
        "edits": edits,
        "applied": sum(result["applied"] for result in results),
        "grade": max(result["grade"] for result in results),  # "unsafe" comes after "safe"
    }


def _apply(server: Server, request: Request, label: str, result: Any) -> None:
    if result is None or "refused" in result:
        reason = rpc.fields(result).get("refused", "the analysis failed")
        server.tell("info", f"Charter changes nothing: {reason}.")
        request.reply({"applied": False, "reason": reason})
        return
    note = (label, UNSAFE_WHY) if result.get("grade") == "unsafe" else None
    edit = workspace_edit(server, result["edits"], note=note, create=bool(result.get("create")))

    def then(answer: Any) -> None:
        applied = bool(answer and answer.get("applied"))
        request.reply({"applied": applied, "fixes": result.get("applied", 0)})

    if server.client.applies_edits:
        server.peer.request("workspace/applyEdit", {"label": label, "edit": edit}, then)
    else:
        request.reply({"applied": False, "edit": edit})


def _show_score(server: Server, argument: dict[str, Any], request: Request) -> Any:
    """The scores of a file, or of the project if none is named, as plain data for a view."""
    document = server.document_of(argument.get("uri", ""))
    if document is None:
        return indexing.ask(server, "score", then=request.reply, request=request)
    return server.ask("score", document.uri, then=request.reply, request=request)


def _show_flow(server: Server, argument: dict[str, Any], _request: Request) -> Any:
    """The stations of a finding's flow, as locations."""
    document = server.document_of(argument.get("uri", ""))
    if document is None:
        return None
    mark = next((mark for mark in document.marks if mark.row.key == argument.get("key")), None)
    if mark is None:
        return None
    return [{**location(server, place), "message": place[5]} for place in mark.row.flow]


def _explain(server: Server, argument: dict[str, Any], _request: Request) -> Any:
    """Show a rule's page; its text is the answer."""
    page = server.rules.get(argument.get("rule", ""))
    if page is None:
        raise rpc.Failure(rpc.INVALID_PARAMS, "no rule has this name")
    if server.client.shows_documents and page.link and argument.get("show", True):
        server.peer.request("window/showDocument", {"uri": page.link, "takeFocus": True})
    return {"name": page.name, "page": page.page, "link": page.link}


def _ignore_in_settings(server: Server, argument: dict[str, Any], request: Request) -> Any:
    """Add a rule to `ignore` of the project's settings, as an edit that the user sees."""
    rule = argument.get("rule", "")
    path = path_of(argument.get("uri", "")) or ""
    if server.rules and rule not in server.rules:
        raise rpc.Failure(rpc.INVALID_PARAMS, "no rule has this name")

    def then(result: Any) -> None:
        _apply(server, request, f"Ignore `{rule}` in the project", result)

    return server.ask("ignore-in-settings", path, rule, then=then, request=request)


def _status(server: Server, _argument: dict[str, Any], _request: Request) -> Any:
    """What is being analysed, and how much memory that takes."""
    documents = [
        {
            "uri": document.uri,
            "version": document.version,
            "checked": document.checked,
            "findings": len(document.marks),
        }
        for document in server.documents.values()
    ]
    processes = {
        name: {"pid": pid, "memory": _memory(pid)}
        for name, pid in (
            ("server", os.getpid()),
            ("checker", server.checker.pid),
            ("indexer", server.project.pid),
        )
        if pid
    }
    found = {"documents": documents, "busy": server.busy, "index": server.index_state, "processes": processes}
    server.log("info", json.dumps(found, indent=1))
    return found


def _memory(pid: int) -> int | None:
    """Resident memory of a process in bytes; None where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _restart(server: Server, _argument: dict[str, Any], _request: Request) -> Any:
    """Start the analysing processes anew."""
    for document in server.everything():
        document.poisoned = False
    server.checker.stop()
    server.checker.start()
    workspace.send_configuration(server)
    for document in server.everything():
        sync.send_open(server, document)
    indexing.reload(server)
    return None


_COMMANDS = {
    "charter.fixFile": _fix_file,
    "charter.fixWorkspace": _fix_workspace,
    "charter.showScore": _show_score,
    "charter.showFlow": _show_flow,
    "charter.explain": _explain,
    "charter.ignoreInSettings": _ignore_in_settings,
    "charter.status": _status,
    "charter.restart": _restart,
}
