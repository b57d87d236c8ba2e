"""Finds signatures and digests that are compared with `==`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    AddImport,
    Fix,
    Grade,
    Severity,
    regex,
    rule,
)
from charter_rules import protocols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_NO_DEFENCE: Final = regex(r"(?i)crack|brute|guess|pseudo|fake|mock")
"""Names of code that looks for a key, or stands in for what protects."""


@rule(
    ast.Compare,
    code="SEC020",
    principles=("sound-cryptography",),
    severity=Severity.MEDIUM,
    cwe=(208, 203),
    mentions=("hmac",),
    references=("https://docs.python.org/3/library/hmac.html#hmac.compare_digest",),
)
def digest_compared_by_equality(compare: ast.Compare, ctx: Context) -> Iterator[Finding]:
    """Compare signatures in constant time.

    `==` stops at the first character that differs, so the time of the answer tells how much of a forged signature is right, and
    it can be guessed character by character. `hmac.compare_digest` takes the same time wherever the difference is.

    ```python bad
    import hashlib
    import hmac

    def is_genuine(key, body, signature):
        return hmac.new(key, body, hashlib.sha256).hexdigest() == signature
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ how long `==` takes tells how much of a forged signature is right
    ```
    ```python fixed
    import hashlib
    import hmac

    def is_genuine(key, body, signature):
        return hmac.compare_digest(hmac.new(key, body, hashlib.sha256).hexdigest(), signature)
    ```
    ```python good
    import hashlib
    import hmac

    def is_genuine(key, body, signature):
        return hmac.compare_digest(hmac.new(key, body, hashlib.sha256).hexdigest(), signature)

    def unchanged(path, checksum):
        return hashlib.sha256(path.read_bytes()).hexdigest() == checksum
    ```
    """
    if len(compare.ops) != 1 or not isinstance(compare.ops[0], (ast.Eq, ast.NotEq)):
        ctx.not_an_opportunity()
        return
    left, right = compare.left, compare.comparators[0]
    sides = (left, right)
    if any(isinstance(ctx.value(side), (str, bytes, int, type(None))) for side in sides):
        ctx.not_an_opportunity()
        return
    if not any(_is_mac(side, ctx) for side in sides):
        ctx.not_an_opportunity()
        return
    if ctx.is_test or protocols.dictated(ctx, compare) or "commitment" in ctx.source(compare).lower():
        return  # who keeps to a commitment shows its key
    if _NO_DEFENCE.search(f"{ctx.path} {ctx.symbol(compare)}"):
        return
    negation = "not " if isinstance(compare.ops[0], ast.NotEq) else ""
    text = f"{negation}hmac.compare_digest({ctx.source(left)}, {ctx.source(right)})"
    if negation and isinstance(ctx.parent(compare), (ast.Compare, ast.BinOp, ast.Call)):
        text = f"({text})"
    fix = Fix("Compare in constant time", (ctx.replace(compare, text), AddImport("hmac")), Grade.UNSAFE)
    yield ctx.finding(compare, "how long `==` takes tells how much of a forged signature is right", fix=fix)


def _is_mac(expression: ast.expr, ctx: Context, depth: int = 0) -> bool:
    """Whether an expression is a message authentication code, computed here."""
    made = ctx.origin(expression)
    if depth > 5:
        return False
    if isinstance(made, ast.BinOp) and isinstance(made.op, (ast.Add, ast.Mod)):
        return _is_mac(made.right, ctx, depth + 1) or _is_mac(made.left, ctx, depth + 1)
    if isinstance(made, ast.JoinedStr):
        return any(
            _is_mac(part.value, ctx, depth + 1)
            for part in made.values
            if isinstance(part, ast.FormattedValue)
        )
    if isinstance(made, ast.Call) and ctx.made_by(made).startswith(("hmac.digest", "hmac.new().")):
        return True
    if isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute):
        if made.func.attr in {"hexdigest", "digest"}:
            owner = ctx.origin(made.func.value)
            return isinstance(owner, ast.Call) and ctx.name(owner.func) in {"hmac.new", "hmac.HMAC"}
        if made.func.attr in {
            "decode",
            "b64encode",
            "urlsafe_b64encode",
            "hex",
            "rstrip",
            "strip",
            "upper",
            "lower",
        }:
            inner = made.args[0] if made.args and "64" in made.func.attr else made.func.value
            return depth < 5 and _is_mac(inner, ctx, depth + 1)
    return False
