"""What the client shows beside findings: hovers, lenses, hints, completions, links. It computes no finding."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charter.api import regex
from charter.lsp.documents import path_of, uri_of
from charter.lsp.rows import FIX_NOTES, SYNTAX_RULE
from charter.lsp.rpc import fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.lsp.documents import Document, Mark
    from charter.lsp.rows import Place, RulePage
    from charter.lsp.rpc import Request
    from charter.lsp.server import Server

_SUPPRESSION = regex(r"#\s*charter:\s*ignore(?:-file)?\s*\[([^\]\r\n]*)\]?")
_OPEN_BRACKET = regex(r"#\s*charter:\s*ignore(?:-file)?\s*\[[^\]]*$")
_SETTINGS_LIST = regex(r"(?:select|extend-select|ignore|rules)\s*=\s*\[[^\]]*$")
_WORD = regex(r"[\w-]+")
_SETTINGS_NAMES = ("charter.toml", "pyproject.toml")


def hover(server: Server, params: Any, _request: Request) -> Any:
    """`textDocument/hover`: on a finding its rule's page, on a name in a suppression that rule's."""
    document, offset = server.place_of(params)
    if document is None:
        return None
    named = next((item for item in _named_rules(server, document) if item[0] <= offset <= item[1]), None)
    if named is not None:
        start, end, page = named
        return _hover(server, document, start, end, page.page)
    here = [
        mark for mark in document.marks if mark.start <= offset <= mark.end and mark.row.rule != SYNTAX_RULE
    ]
    if not here:
        return None
    here.sort(key=lambda mark: mark.end - mark.start)
    parts = [_about(server, mark) for mark in here[:3]]
    page = server.rules.get(here[0].row.rule)
    if page is not None and page.body:
        parts.append(page.body)
    return _hover(server, document, here[0].start, here[0].end, "\n\n---\n\n".join(parts))


def code_lens(server: Server, params: Any, request: Request) -> Any:
    """`textDocument/codeLens`: scores and complexity, once the whole document is checked."""
    document = server.documents.get(params["textDocument"]["uri"])
    if document is None or not document.python or server.options.get("codeLens") is False:
        return []
    version = document.version

    def then(lenses: Any) -> None:
        current = document.version == version
        request.reply([_lens(server, document, *lens) for lens in lenses or ()] if current else [])

    return server.ask("lenses", document.uri, then=then, request=request)


def _lens(
    server: Server, document: Document, start: int, end: int, title: str, symbol: str
) -> dict[str, Any]:
    arguments = [{"uri": document.uri, "symbol": symbol}]
    command = {"title": title, "command": "charter.showScore", "arguments": arguments}
    return {"range": document.text.range(start, end, server.client.encoding), "command": command}


def inlay_hints(server: Server, params: Any, request: Request) -> Any:
    """`textDocument/inlayHint`: off unless the settings ask for it."""
    document = server.documents.get(params["textDocument"]["uri"])
    if document is None or not document.python or server.options.get("inlayHints") is not True:
        return []
    version = document.version
    low = document.text.offset(params["range"]["start"], server.client.encoding)
    high = document.text.offset(params["range"]["end"], server.client.encoding)

    def then(hints: Any) -> None:
        wanted = (
            [hint for hint in hints or () if low <= hint[0] <= high] if document.version == version else []
        )
        request.reply(
            [
                {
                    "position": document.text.position(offset, server.client.encoding),
                    "label": label,
                    "tooltip": tooltip,
                    "paddingLeft": True,
                }
                for offset, label, tooltip in wanted
            ]
        )

    return server.ask("hints", document.uri, then=then, request=request)


def completion(server: Server, params: Any, _request: Request) -> Any:
    """`textDocument/completion`: names of rules in suppressions and settings."""
    document, offset = server.place_of(params)
    if document is None:
        return []
    start, _ = document.text.line_span(document.text.line_of(offset))
    before = document.text.text[start:offset]
    if _is_settings(document):
        # A list may go over lines.
        if not _SETTINGS_LIST.search(document.text.text[max(offset - 2000, 0) : offset]):
            return []
    elif not _OPEN_BRACKET.search(before):
        return []
    word = re.search(r"[\w-]*$", before)
    at = offset - (len(word[0]) if word else 0)
    place = document.text.range(at, offset, server.client.encoding)
    here = {
        mark.row.rule
        for mark in document.marks
        if document.text.line_of(mark.start) == document.text.line_of(offset)
    }
    return {
        "isIncomplete": False,
        "items": [
            {
                "label": page.name,
                "kind": 12,
                "detail": f"{page.code}: {page.title}",
                "sortText": f"{page.name not in here:d}{page.name}",
                "textEdit": {"range": place, "newText": page.name},
                "data": {"rule": page.name},
            }
            for page in server.rules.values()
        ],
    }


def resolve_completion(server: Server, item: Any, _request: Request) -> Any:
    """`completionItem/resolve`: the rule's page."""
    page = server.rules.get(fields(item.get("data")).get("rule", ""))
    if page is not None:
        item["documentation"] = {"kind": "markdown", "value": page.page}
    return item


def links(server: Server, params: Any, _request: Request) -> Any:
    """`textDocument/documentLink`: from names of rules to their pages."""
    document = server.documents.get(params["textDocument"]["uri"])
    if document is None:
        return []
    return [
        {
            "range": document.text.range(start, end, server.client.encoding),
            "target": page.link,
            "tooltip": page.title,
        }
        for start, end, page in _named_rules(server, document)
        if page.link
    ]


def _named_rules(server: Server, document: Document) -> Iterator[tuple[int, int, RulePage]]:
    """The names of rules in a document's suppressions, or in a settings file, with their places."""
    text = document.text.text
    if _is_settings(document):
        for word in re.finditer(r'"([\w-]+)"', text):
            page = server.rules.get(word[1])
            if page is not None:
                yield word.start(1), word.end(1), page
        return
    for comment in _SUPPRESSION.finditer(text):
        for word in _WORD.finditer(comment[1]):
            page = server.rules.get(word[0].lower().replace("_", "-"))
            if page is not None:
                yield comment.start(1) + word.start(), comment.start(1) + word.end(), page


def _is_settings(document: Document) -> bool:
    return (path_of(document.uri) or "").replace("\\", "/").rpartition("/")[2] in _SETTINGS_NAMES


def _about(server: Server, mark: Mark) -> str:
    row = mark.row
    fixes = "".join(f"\n- {title}{FIX_NOTES.get(grade, '')}" for title, grade in row.fixes)
    flow = "".join(f"\n{at}. {_linked(place)}" for at, place in enumerate(row.flow, 1))
    page = server.rules.get(row.rule)
    name = f"[{row.rule}]({page.link})" if page is not None and page.link else f"`{row.rule}`"
    about = [name, row.code, *([page.severity] if page is not None else []), *row.principles]
    head = f"**{row.message}**\n\n{' · '.join(about)}"
    return (
        head + (f"\n\nFixes:\n{fixes}" if fixes else "") + (f"\n\nHow it gets here:\n{flow}" if flow else "")
    )


def _linked(place: Place) -> str:
    path, line = place[0], place[1]
    return f"[{Path(path).name}:{line}]({uri_of(path)}#L{line}) {place[5]}"


def _hover(server: Server, document: Document, start: int, end: int, text: str) -> dict[str, Any]:
    kind = "markdown" if server.client.markdown else "plaintext"
    found: dict[str, Any] = {"contents": {"kind": kind, "value": text}}
    if document.uri in server.documents:
        found["range"] = document.text.range(start, end, server.client.encoding)
    return found
