"""Which headers of HTTP an assignment, a call or a dictionary sets, and to what. It knows no header's meaning."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context


def set_by(node: ast.AST, ctx: Context) -> Iterator[tuple[str, ast.expr]]:
    """The names of headers in lower case, each with what it is set to."""
    if isinstance(node, ast.Assign):
        yield calls.identifier(node.targets[0]).lower(), node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield calls.identifier_of_key(key).lower(), value
    elif isinstance(node, ast.Call) and len(node.args) == 2:
        yield str(ctx.value(node.args[0])).lower(), node.args[1]
