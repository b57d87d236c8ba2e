"""What the client can do and what the server offers it in return. It handles no message."""

from __future__ import annotations

from typing import Any

from charter.lsp.positions import Encoding, negotiate
from charter.lsp.rpc import fields, items

COMMANDS = (
    "charter.fixWorkspace",
    "charter.fixFile",
    "charter.showScore",
    "charter.showFlow",
    "charter.explain",
    "charter.ignoreInSettings",
    "charter.status",
    "charter.restart",
)
"""The commands that `workspace/executeCommand` knows."""

FIX_ALL = "source.fixAll.charter"


class Client:
    """The client's capabilities, read once.

    Args:
        params: the parameters of `initialize`.
    """

    def __init__(self, params: Any) -> None:
        self._capabilities = fields(params.get("capabilities"))
        self.encoding: Encoding = negotiate(items(self._get("general", "positionEncodings")))
        # A client that cannot be told to ask again would show stale findings after a change of settings.
        self.pulls: bool = bool(
            self._get("textDocument", "diagnostic") is not None
            and self._get("workspace", "diagnostics", "refreshSupport")
        )
        diagnostics = fields(self._get("textDocument", "publishDiagnostics"))
        if self.pulls:
            diagnostics = {**diagnostics, **fields(self._get("textDocument", "diagnostic"))}
        self.related: bool = bool(diagnostics.get("relatedInformation", self.pulls))
        self.tags: frozenset[int] = frozenset(items(fields(diagnostics.get("tagSupport")).get("valueSet")))
        self.code_description: bool = bool(diagnostics.get("codeDescriptionSupport", self.pulls))
        self.data: bool = bool(diagnostics.get("dataSupport", self.pulls))
        resolve = items(self._get("textDocument", "codeAction", "resolveSupport", "properties"))
        self.resolves: bool = "edit" in resolve
        self.disabled: bool = bool(self._get("textDocument", "codeAction", "disabledSupport"))
        self.action_literals: bool = (
            self._get("textDocument", "codeAction", "codeActionLiteralSupport") is not None
        )
        edit = fields(self._get("workspace", "workspaceEdit"))
        self.versioned_edits: bool = bool(edit.get("documentChanges"))
        self.annotations: bool = bool(edit.get("changeAnnotationSupport")) and self.versioned_edits
        self.snippets: bool = bool(edit.get("snippetEditSupport")) and self.versioned_edits
        self.applies_edits: bool = bool(self._get("workspace", "applyEdit"))
        self.configuration: bool = bool(self._get("workspace", "configuration"))
        self.watches: bool = bool(self._get("workspace", "didChangeWatchedFiles", "dynamicRegistration"))
        self.relative_watches: bool = bool(
            self._get("workspace", "didChangeWatchedFiles", "relativePatternSupport")
        )
        self.configures: bool = bool(self._get("workspace", "didChangeConfiguration", "dynamicRegistration"))
        self.progress: bool = bool(self._get("window", "workDoneProgress"))
        self.shows_documents: bool = bool(self._get("window", "showDocument", "support"))
        self.refreshes_lenses: bool = bool(self._get("workspace", "codeLens", "refreshSupport"))
        self.refreshes_hints: bool = bool(self._get("workspace", "inlayHint", "refreshSupport"))
        formats = items(self._get("textDocument", "hover", "contentFormat"))
        self.markdown: bool = not formats or "markdown" in formats

    def _get(self, *keys: str) -> Any:
        value: Any = self._capabilities
        for key in keys:
            value = fields(value).get(key)
        return value


def server_capabilities(client: Client) -> dict[str, Any]:
    """The answer to a client with these capabilities."""
    selector = [{"notebook": "jupyter-notebook", "cells": [{"language": "python"}]}]
    found: dict[str, Any] = {
        "positionEncoding": client.encoding,
        "textDocumentSync": {"openClose": True, "change": 2, "save": {"includeText": False}},
        "notebookDocumentSync": {"notebookSelector": selector, "save": False},
        "codeActionProvider": {"codeActionKinds": ["quickfix", FIX_ALL], "resolveProvider": client.resolves}
        if client.action_literals
        else True,
        "hoverProvider": True,
        "codeLensProvider": {"resolveProvider": False},
        "inlayHintProvider": True,
        "completionProvider": {"triggerCharacters": ["[", ",", '"'], "resolveProvider": True},
        "documentLinkProvider": {"resolveProvider": False},
        "executeCommandProvider": {"commands": list(COMMANDS)},
        "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
    }
    if client.pulls:
        found["diagnosticProvider"] = {
            "identifier": "charter",
            "interFileDependencies": True,
            "workspaceDiagnostics": True,
        }
    return found
