"""Where a program's settings apply, as the path of a file or the name of a class says. It judges nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from charter.api import regex

if TYPE_CHECKING:
    import ast

    from charter.api import Context

_NOT_DEPLOYED: Final = regex(
    r"(?:^|[/_. -]|(?<=[a-z0-9])(?=[A-Z]))(?i:dev(?!ic)|test|local(?!e|i)|debug|demo|bench|sandbox|workbench"
    r"|global_settings|(?:examples?|samples?|docs?)/|(?:example|sample)_settings|settings_(?:example|sample)|ci(?=[/_. -]|$))"
)
"""Beginnings of words, in snake and camel case, for what only developers and readers run."""


def is_deployed(ctx: Context, node: ast.AST | None = None) -> bool:
    """Whether settings may be those of a deployed program: neither the file's path nor the name around a node says otherwise."""
    name = "" if node is None else ctx.symbol(node)
    return _NOT_DEPLOYED.search(f"{ctx.path} {name}") is None
