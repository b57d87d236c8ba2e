"""Code actions: fixes, comments that silence, explanations. Their edits are made and proved when one is chosen.

A fix's action carries in its data what names it; what it would change is asked of the checker when the client
resolves it, against the text as it then is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from charter.lsp import rpc
from charter.lsp.capabilities import FIX_ALL
from charter.lsp.diagnostics import SOURCE
from charter.lsp.documents import uri_of
from charter.lsp.positions import Text
from charter.lsp.rows import FIX_NOTES, SYNTAX_RULE
from charter.lsp.server import PENDING

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.lsp.documents import Document
    from charter.lsp.rpc import Request
    from charter.lsp.server import Server

_ORDER = {"safe": 0, "unsafe": 1, "suggestion": 2}
_REASON = "why it is all right here"


def code_actions(server: Server, params: Any, request: Request) -> Any:
    """`textDocument/codeAction`."""
    uri = params["textDocument"]["uri"]
    context = rpc.fields(params.get("context"))
    only: list[str] = rpc.items(context.get("only"))
    found: list[dict[str, Any]] = []
    if _wanted("quickfix", only):
        ranked: list[tuple[int, dict[str, Any]]] = []
        for diagnostic in _own(server, uri, params["range"], rpc.items(context.get("diagnostics"))):
            ranked += _for_diagnostic(server, uri, diagnostic)
        # Where findings meet, what mends comes before what silences, whichever of them it is about.
        ranked.sort(key=lambda item: item[0])
        found += [action for _, action in ranked]
    if only and _wanted(FIX_ALL, only):
        found.append(_action("Fix all that is safe", FIX_ALL, uri, "fix-all", rule=""))
    if server.client.resolves or not found:
        return found
    return _resolve_all(server, found, request)


def resolve(server: Server, action: Any, request: Request) -> Any:
    """`codeAction/resolve`: the edit, proved against the newest text."""
    data = rpc.fields(action.get("data"))
    if "uri" not in data:
        return action

    def then(result: dict[str, Any] | None) -> None:
        refused = _complete(server, action, result)
        if refused:
            request.fail(rpc.CONTENT_MODIFIED, f"The change is not offered: {refused}.")
        else:
            request.reply(action)

    return _ask(server, data, then, request)


def _wanted(kind: str, only: list[str]) -> bool:
    return not only or any(kind == one or kind.startswith(f"{one}.") or one == "" for one in only)


def _own(server: Server, uri: str, where: Any, diagnostics: list[Any]) -> list[Any]:
    """Charter's diagnostics that the client asks about; those in the range if the client keeps no data for us."""
    own = [one for one in diagnostics if one.get("source") == SOURCE and one.get("code") != SYNTAX_RULE]
    with_data = [one for one in own if isinstance(one.get("data"), dict)]
    if with_data or (server.client.data and own):
        return with_data
    from charter.lsp.diagnostics import rendered

    document = server.document_of(uri)
    if document is None or document.uri != uri:
        return []
    start = document.text.offset(where["start"], server.client.encoding)
    end = document.text.offset(where["end"], server.client.encoding)
    marks = [m for m in document.marks if m.start <= end and start <= m.end and m.row.rule != SYNTAX_RULE]
    shown = rendered(server, document.text, marks)
    for one, mark in zip(shown, marks, strict=True):
        fixes = [{"title": title, "grade": grade} for title, grade in mark.row.fixes]
        one["data"] = {"key": mark.row.key, "rule": mark.row.rule, "fixes": fixes}
    return shown


def _for_diagnostic(server: Server, uri: str, diagnostic: Any) -> list[tuple[int, dict[str, Any]]]:
    """The actions on a finding, each with its rank among those on all findings of the place."""
    data = diagnostic["data"]
    rule, key = data["rule"], data["key"]
    found: list[tuple[int, dict[str, Any]]] = []
    fixes = sorted(enumerate(data.get("fixes") or ()), key=lambda item: _ORDER.get(item[1]["grade"], 3))
    for index, fix in fixes:
        grade = fix["grade"]
        title = fix["title"] + FIX_NOTES.get(grade, "")
        action = _action(title, "quickfix", uri, "fix", key=key, index=index)
        if grade == "safe" and not found:
            action["isPreferred"] = True
        found.append((_ORDER.get(grade, 3), action))
    arguments = [{"uri": uri, "rule": rule}]
    if any(fix["grade"] != "suggestion" for _, fix in fixes):
        if _count(server, uri, rule) > 1:
            action = _action(f"Fix all `{rule}` in this file", "quickfix", uri, "fix-all", rule=rule)
            found.append((4, action))
        if server.folders and server.options.get("index") is not False:
            title = f"Fix all `{rule}` in the workspace"
            found.append((5, _command(title, "charter.fixWorkspace", arguments)))
    here = _action(f"Ignore `{rule}` here", "quickfix", uri, "ignore", key=key, file=False)
    in_file = _action(f"Ignore `{rule}` in this file", "quickfix", uri, "ignore", key=key, file=True)
    in_settings = f"Ignore `{rule}` in the project's settings"
    found += [
        (6, here),
        (7, in_file),
        (8, _command(in_settings, "charter.ignoreInSettings", arguments)),
        (9, _command(f"Explain `{rule}`", "charter.explain", arguments)),
    ]
    for _, action in found:
        action["diagnostics"] = [diagnostic]
    return found


def _count(server: Server, uri: str, rule: str) -> int:
    document = server.document_of(uri)
    return sum(mark.row.rule == rule for mark in document.marks) if document else 0


def _action(title: str, kind: str, uri: str, what: str, **data: Any) -> dict[str, Any]:
    return {"title": title, "kind": kind, "data": {"uri": uri, "what": what, **data}}


def _command(title: str, command: str, arguments: list[Any]) -> dict[str, Any]:
    return {
        "title": title,
        "kind": "quickfix",
        "command": {"title": title, "command": command, "arguments": arguments},
    }


def _ask(
    server: Server, data: dict[str, Any], then: Callable[[Any], None], request: Request | None
) -> object:
    document = server.document_of(data["uri"])
    if document is None:
        then({"refused": "the document is closed"})
        return PENDING
    what = data["what"]
    if what == "fix":
        values: tuple[Any, ...] = (data["key"], data["index"])
    elif what == "ignore":
        values = (data["key"], bool(data["file"]), _REASON)
    else:
        values = (data["rule"],)
    return server.ask(what, document.uri, *values, then=then, request=request)


def _resolve_all(server: Server, actions: list[dict[str, Any]], request: Request) -> object:
    """For a client that cannot resolve: give it whole actions, and leave out what cannot be proved."""
    left = [action for action in actions if "data" in action]
    done: list[dict[str, Any]] = [action for action in actions if "data" not in action]
    if not left:
        return done
    missing = len(left)

    def taken(action: dict[str, Any]) -> Callable[[Any], None]:
        def then(result: Any) -> None:
            nonlocal missing
            missing -= 1
            if not _complete(server, action, result):
                done.append(action)
            if not missing:
                request.reply([action for action in actions if action in done])

        return then

    for action in left:
        _ask(server, action["data"], taken(action), None)
    return PENDING


def _complete(server: Server, action: dict[str, Any], result: dict[str, Any] | None) -> str:
    """Put the edit into an action. Returns why there is none; "" if there is one."""
    if result is None:
        return "the analysis failed"
    if "refused" in result:
        return str(result["refused"])
    data = action.pop("data")
    document = server.document_of(data["uri"])
    if document is None or document.version != result["version"]:
        return "the text has changed"
    grade = result.get("grade", "safe")
    doubt = result.get("doubt", "")
    action["edit"] = workspace_edit(
        server,
        result["edits"],
        note=None if grade == "safe" else (action["title"], doubt or _WHY[grade]),
        snippet=_REASON if data["what"] == "ignore" else "",
    )
    return ""


UNSAFE_WHY: Final = "It is probably what was meant, but may change what the program does"
_WHY = {
    "unsafe": UNSAFE_WHY,
    "suggestion": "It needs a person's judgement",
}


def workspace_edit(
    server: Server,
    edits: dict[str, list[tuple[int, int, str]]],
    *,
    note: tuple[str, str] | None = None,
    snippet: str = "",
    create: bool = False,
) -> dict[str, Any]:
    """The protocol's edit for text edits by document or absolute path, with versions where the client takes them.

    Args:
        server: the server.
        edits: offsets and new text; keys are identifiers of open documents or absolute paths of files.
        note: a label and a description, if the client is to ask before it applies them.
        create: whether the files are new.
        snippet: a part of the new text that the user is to write over, where the client can do that.
    """
    changes: list[dict[str, Any]] = []
    for key, made in edits.items():
        for uri, version, text, parts in _targets(server, key, made):
            rendered: list[dict[str, Any]] = []
            for start, end, new in parts:
                edit: dict[str, Any] = {
                    "range": text.range(start, end, server.client.encoding),
                    "newText": new,
                }
                if note is not None and server.client.annotations:
                    edit["annotationId"] = "charter"
                elif snippet and snippet in new and server.client.snippets:
                    value = (
                        new.replace("\\", "\\\\").replace("$", "\\$").replace(snippet, "${1:" + snippet + "}")
                    )
                    edit = {"range": edit["range"], "snippet": {"kind": "snippet", "value": value}}
                rendered.append(edit)
            if create:
                changes.append({"kind": "create", "uri": uri, "options": {"ignoreIfExists": True}})
            changes.append({"textDocument": {"uri": uri, "version": version}, "edits": rendered})
    if not server.client.versioned_edits:
        return {"changes": {one["textDocument"]["uri"]: one["edits"] for one in changes}}
    found: dict[str, Any] = {"documentChanges": changes}
    if note is not None and server.client.annotations:
        label, description = note
        annotation = {"label": label, "needsConfirmation": True, "description": description}
        found["changeAnnotations"] = {"charter": annotation}
    return found


def _targets(
    server: Server, key: str, made: list[tuple[int, int, str]]
) -> list[tuple[str, int | None, Text, list[tuple[int, int, str]]]]:
    """The client's documents that edits concern: a notebook's are parted by cell."""
    notebook = server.notebooks.get(key)
    if notebook is not None:
        cells: dict[str, tuple[Document, list[tuple[int, int, str]]]] = {}
        for start, end, new in made:
            cell, at = notebook.place(start)
            cells.setdefault(cell.uri, (cell, []))[1].append((at, at + end - start, new))
        return [(uri, cell.version, cell.text, parts) for uri, (cell, parts) in cells.items()]
    document = server.documents.get(key)
    if document is not None:
        return [(document.uri, document.version, document.text, made)]
    opened = server.documents.get(uri_of(key))
    if opened is not None:
        return [(opened.uri, opened.version, opened.text, made)]
    text = server.closed_text(key)
    return [(Path(key).as_uri(), None, text, made)]
