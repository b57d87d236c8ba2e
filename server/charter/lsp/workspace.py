"""Folders, settings and files of the workspace as the client reports them. It analyses nothing.

Settings are the client's own (section `charter`) and the project's files; a fault in a project's file is shown on
that file, and the last good settings stay in force.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from charter.lsp import diagnostics, indexing
from charter.lsp.documents import path_of, uri_of
from charter.lsp.rpc import fields, items

if TYPE_CHECKING:
    from charter.lsp.rpc import Request
    from charter.lsp.server import Server

_SETTINGS_ENDINGS = (".toml", ".gitignore")
_WATCHED = "**/{*.py,*.pyi,*.ipynb,*.toml,*.html,*.jinja,*.jinja2,*.j2,.gitignore}"
_INDEXED = (".py", ".pyi", ".ipynb", ".html", ".jinja", ".jinja2", ".j2")


def initialize(server: Server, params: Any, _request: Request) -> Any:
    """`initialize`."""
    result = server.initialize(params)
    folders = params.get("workspaceFolders")
    if folders is None:
        root = params.get("rootUri") or (uri_of(params["rootPath"]) if params.get("rootPath") else None)
        folders = [{"uri": root, "name": ""}] if root else []
    server.folders = {folder["uri"]: folder.get("name", "") for folder in folders}
    send_configuration(server)
    return result


def initialized(server: Server, _params: Any, _request: Request) -> None:
    """`initialized`: ask to be told of files and settings, and for the client's settings."""
    client = server.client
    registrations: list[dict[str, Any]] = []
    if client.watches:
        watchers = [{"globPattern": _WATCHED}]
        registrations.append(_registration("workspace/didChangeWatchedFiles", {"watchers": watchers}))
    if client.configures:
        registrations.append(_registration("workspace/didChangeConfiguration", {"section": "charter"}))
    if registrations:
        server.peer.request("client/registerCapability", {"registrations": registrations})
    ask_configuration(server)


def _registration(method: str, options: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"charter {method}", "method": method, "registerOptions": options}


def ask_configuration(server: Server) -> None:
    """Ask for the client's settings, if it can be asked."""
    if server.client.configuration:
        items = [{"section": "charter"}]
        server.peer.request(
            "workspace/configuration", {"items": items}, lambda result: _configured(server, result)
        )


def _configured(server: Server, result: Any) -> None:
    options = fields(next(iter(items(result)), None))
    if options:
        take_options(server, options)


def take_options(server: Server, options: dict[str, Any]) -> None:
    """Take the client's settings; the documents are checked again if that may change a finding."""
    old, server.options = server.options, {**server.options, **options}
    if server.options != old:
        send_configuration(server)
        if old.get("codeLens") != server.options.get("codeLens"):
            server.refresh("codeLens")
        if old.get("inlayHints") != server.options.get("inlayHints"):
            server.refresh("inlayHint")
        indexing.reload(server)


def send_configuration(server: Server) -> None:
    """Tell the checker of folders and settings."""
    first = next(iter(server.folders), "")
    wanted = {name: server.options[name] for name in ("select", "ignore") if server.options.get(name)}
    server.checker.send("configure", path_of(first) or "" if first else "", wanted)


def did_change_configuration(server: Server, params: Any, _request: Request) -> None:
    """`workspace/didChangeConfiguration`: the settings come along, or are to be asked for."""
    own = fields(fields(fields(params).get("settings")).get("charter"))
    if own:
        take_options(server, own)
    else:
        ask_configuration(server)


def did_change_folders(server: Server, params: Any, _request: Request) -> None:
    """`workspace/didChangeWorkspaceFolders`."""
    event = params["event"]
    for folder in items(event.get("removed")):
        server.folders.pop(folder["uri"], None)
    for folder in items(event.get("added")):
        server.folders[folder["uri"]] = folder.get("name", "")
    send_configuration(server)
    indexing.reload(server)


def did_change_files(server: Server, params: Any, _request: Request) -> None:
    """`workspace/didChangeWatchedFiles`."""
    paths = [path for change in params["changes"] if (path := path_of(change["uri"]))]
    files_changed(server, paths)


def files_changed(server: Server, paths: list[str]) -> None:
    """Files are other than they were: settings are read anew, the index takes the Python files and templates."""
    for path in paths:
        server.closed.pop(path, None)
    if any(
        path.endswith(_SETTINGS_ENDINGS) for path in paths
    ):  # models of the project may be in any TOML file
        server.checker.send("reload")
        indexing.reload(server)
    others = [path for path in paths if path.endswith(_INDEXED)]
    if others:
        indexing.files_changed(server, others)


def settings_problems(server: Server, path: str, problems: list[tuple[int, str]]) -> None:
    """Show the faults of a settings file on it; none takes older ones back."""
    server.settings_faults[path] = problems
    uri = next((uri for uri in server.documents if path_of(uri) == path), uri_of(path))
    if server.client.pulls:
        server.refresh("diagnostic")
        diagnostics.answer_workspace_pulls(server)
    else:
        items = diagnostics.settings_items(server, path)
        server.peer.notify("textDocument/publishDiagnostics", {"uri": uri, "diagnostics": items})
