"""Which calls set a cookie on a response. It judges nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter_rules import calls

if TYPE_CHECKING:
    from charter.api import Context

_NO_KEY: Final = frozenset({"self", "handler", "request", "response", "resp"})


def is_response(call: ast.Call, ctx: Context) -> bool:
    """Whether a call sets a cookie on a response, rather than in the jar of a client or by a helper of one's own."""
    if not isinstance(call.func, ast.Attribute) or (len(call.args) < 2 and not calls.keyword(call, "value")):
        return False
    key = call.args[0] if call.args else None
    if isinstance(key, ast.Name) and key.id in _NO_KEY:
        return False
    receiver = calls.identifier(call.func.value).lower()
    return "jar" not in receiver and "cookies" not in receiver and "super" not in ctx.source(call.func.value)
