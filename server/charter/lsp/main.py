"""The language server's entry: which function handles which method, and the streams it runs on."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charter.lsp import actions, commands, diagnostics, indexing, reading, sync, workspace
from charter.lsp.server import Server

if TYPE_CHECKING:
    from charter.lsp.rpc import Request
    from charter.lsp.server import Handler


def serve() -> int:
    """Serve a client on the standard streams until it leaves. Returns the exit status."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _leave_the_workspace()
    # What anything prints must not get into the protocol's stream, and no child may read the client's messages.
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 (a device, not a path)
        os.dup2(nothing.fileno(), 0)
    sys.stdout = sys.stderr
    server = Server(incoming, outgoing, HANDLERS)
    gc.freeze()
    gc.enable()
    status = server.run()
    sys.stderr.flush()
    os._exit(status)  # the thread that reads the client's messages cannot be woken


def _leave_the_workspace() -> None:
    """Import nothing from the current folder from here on, where `python -m` puts it on the path."""
    here = os.path.realpath(os.curdir)
    own = os.path.realpath(Path(__file__).parents[2])
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or os.curdir) != here or here == own]


def _shutdown(server: Server, _params: Any, _request: Request) -> None:
    server.shut_down()


def _nothing(_server: Server, _params: Any, _request: Request) -> None:
    return


HANDLERS: dict[str, Handler] = {
    "initialize": workspace.initialize,
    "initialized": workspace.initialized,
    "shutdown": _shutdown,
    "$/setTrace": _nothing,
    "$/progress": _nothing,
    "window/workDoneProgress/cancel": indexing.cancelled,
    "textDocument/didOpen": sync.did_open,
    "textDocument/didChange": sync.did_change,
    "textDocument/didClose": sync.did_close,
    "textDocument/didSave": sync.did_save,
    "notebookDocument/didOpen": sync.notebook_open,
    "notebookDocument/didChange": sync.notebook_change,
    "notebookDocument/didSave": _nothing,
    "notebookDocument/didClose": sync.notebook_close,
    "textDocument/diagnostic": diagnostics.pull,
    "workspace/diagnostic": diagnostics.workspace_report,
    "textDocument/codeAction": actions.code_actions,
    "codeAction/resolve": actions.resolve,
    "textDocument/hover": reading.hover,
    "textDocument/codeLens": reading.code_lens,
    "textDocument/inlayHint": reading.inlay_hints,
    "textDocument/completion": reading.completion,
    "completionItem/resolve": reading.resolve_completion,
    "textDocument/documentLink": reading.links,
    "workspace/executeCommand": commands.execute,
    "workspace/didChangeConfiguration": workspace.did_change_configuration,
    "workspace/didChangeWorkspaceFolders": workspace.did_change_folders,
    "workspace/didChangeWatchedFiles": workspace.did_change_files,
    "helper/checker": sync.from_checker,
    "helper/project": indexing.from_indexer,
}
"""What handles each method; a method that is not here is answered as unknown."""
