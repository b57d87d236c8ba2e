"""Findings that code has in a template: shown at the code, and here in the template as well, open or not.

A template is no document of the server's: clients send it none, and ask nothing about it. So its findings are pushed,
also to a client that pulls those of its code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from charter.lsp.diagnostics import location, shown_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.lsp.documents import Mark
    from charter.lsp.rows import Row
    from charter.lsp.server import Server


def take(server: Server, owner: str, marks: Iterable[Mark]) -> None:
    """Show what a code file now has in templates, and no longer what it had.

    Args:
        server: the server.
        owner: the URI of the code file.
        marks: its findings; none when it is closed.
    """
    now: dict[str, list[Row]] = {}
    for mark in marks:
        if mark.row.at is not None:
            now.setdefault(mark.row.at[0], []).append(mark.row)
    before = server.templates.pop(owner, {})
    if now:
        server.templates[owner] = now
    for path in before.keys() | now.keys():
        if before.get(path) != now.get(path):
            _push(server, path)


def _push(server: Server, path: str) -> None:
    """Send all that any code file has in a template, each finding once."""
    items: dict[str, dict[str, Any]] = {}
    uri = ""
    for shown in server.templates.values():
        for row in shown.get(path, ()):
            assert row.at is not None
            place = location(server, row.at)
            uri = place["uri"]
            items[f"{place['range']} {row.rule} {row.at[5]}"] = shown_at(server, place["range"], row)
    if not uri:
        uri = location(server, (path, 1, 0, 1, 0, ""))["uri"]
    server.peer.notify("textDocument/publishDiagnostics", {"uri": uri, "diagnostics": list(items.values())})
