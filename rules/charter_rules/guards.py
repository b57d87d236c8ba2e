"""Turns an `if` around the rest of a function or of a loop's body into a guard clause. It decides nothing.

`if ready:` around all that is left does what `if not ready: return` in front of it does. Only the indentation of what
follows changes, so the two are the same wherever nothing comes behind the `if`.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.api import Context, Edit

_OPPOSITES: dict[type[ast.cmpop], str] = {
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Eq: "!=",
    ast.NotEq: "==",
}


def way_out(statement: ast.stmt, ctx: Context) -> str | None:
    """What leaves from a statement behind which nothing comes: `return` or `continue`; None where something does."""
    inner: ast.stmt = statement
    while True:
        parent = ctx.parent(inner)
        if isinstance(parent, shapes.FUNCTIONS):
            return _return(parent, ctx) if parent.body[-1] is inner else None
        if isinstance(parent, shapes.LOOPS):
            return "continue" if parent.body[-1] is inner else None
        if not isinstance(parent, (ast.If, ast.With, ast.AsyncWith)):
            return None
        if parent.body[-1] is not inner and getattr(parent, "orelse", [None])[-1:] != [inner]:
            return None
        inner = parent


def _return(function: shapes.FunctionNode, ctx: Context) -> str:
    """A return of nothing, written out where the function returns something elsewhere."""
    valued = any(
        isinstance(node, ast.Return) and node.value is not None
        for node in ctx.walk(function, into_functions=False)
    )
    return "return None" if valued and not _yields(function, ctx) else "return"


def _yields(function: shapes.FunctionNode, ctx: Context) -> bool:
    return any(
        isinstance(node, (ast.Yield, ast.YieldFrom)) for node in ctx.walk(function, into_functions=False)
    )


def is_wrapper(statement: ast.stmt, ctx: Context) -> bool:
    """Whether a statement is an `if` without `else` around all that is left."""
    return (
        isinstance(statement, ast.If)
        and not statement.orelse
        and not ctx.text.startswith("elif", ctx.span(statement).start)
        and way_out(statement, ctx) is not None
    )


def opposite(test: ast.expr, ctx: Context) -> str:
    """The text of a condition that is true exactly where another is not."""
    text = ctx.source(test)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        text = ctx.source(test.operand)
    elif isinstance(test, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)):
        text = f"not {text}"
    elif isinstance(test, ast.Compare) and len(test.ops) == 1 and (word := _opposite_word(test)):
        text = f"{ctx.source(test.left)} {word} {ctx.source(test.comparators[0])}"
    else:
        return f"not ({text})"
    return f"({text})" if "\n" in text else text


def _opposite_word(test: ast.Compare) -> str | None:
    """The opposite operator; of equality only against a constant, since a class may define `!=` as it likes."""
    sides = (test.left, test.comparators[0])
    simple = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant)
    if isinstance(test.ops[0], (ast.Eq, ast.NotEq)) and not any(
        isinstance(side, ast.Constant) for side in sides
    ):
        return None
    return _OPPOSITES.get(type(test.ops[0])) if all(isinstance(side, simple) for side in sides) else None


def clauses(wrappers: Sequence[ast.If], ctx: Context) -> Edit | None:
    """Guard clauses in the place of some wrappers, each inside of the one before it.

    Returns:
        The edit; None where moving lines to the left is not provably harmless: a string over several lines, code on
        the line of the colon, tabs mixed with spaces.
    """
    outer = wrappers[0]
    if _holds_text_block(outer, ctx):
        return None
    last = outer.end_lineno or outer.lineno
    lines = dict(enumerate(ctx.text.split("\n")[outer.lineno - 1 : last], outer.lineno))
    for wrapper in wrappers:
        if not _unwrap(wrapper, lines, ctx):
            return None
    span = ctx.span(outer)
    start = ctx.text.rfind("\n", 0, span.start) + 1
    return ctx.replace(type(span)(start, span.end), "\n".join(lines[number] for number in sorted(lines)))


def _holds_text_block(statement: ast.stmt, ctx: Context) -> bool:
    """Whether a string goes over line ends, so that its text would change with the indentation."""
    for node in ast.walk(statement):
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and node.lineno != node.end_lineno:
            text = ctx.source(node)
            if '"""' in text or "'''" in text or "\\\n" in text:
                return True
    return False


def _unwrap(wrapper: ast.If, lines: dict[int, str], ctx: Context) -> bool:
    """Write one guard clause into numbered lines, and move what it guarded to the left; whether that could be done."""
    test_end = ctx.span(wrapper.test).end
    header, colon, comment = ctx.text[test_end : ctx.text.find("\n", test_end)].partition(":")
    first, leave = wrapper.body[0].lineno, way_out(wrapper, ctx)
    end = wrapper.test.end_lineno or wrapper.lineno
    while not colon and end < first:
        end += 1
        header, colon, comment = lines[end].partition(":")
    head, inside = lines[wrapper.lineno], lines[first]
    before = head[: len(head) - len(head.lstrip())]
    inner = inside[: len(inside) - len(inside.lstrip())]
    if not colon or header.strip(" )\t\\") or (comment.strip() and not comment.strip().startswith("#")):
        return False
    if first <= end or leave is None or inner == before or not inner.startswith(before):
        return False
    for number in range(end + 1, (wrapper.end_lineno or first) + 1):
        if lines[number].startswith(inner):
            lines[number] = before + lines[number][len(inner) :]
    for number in range(wrapper.lineno + 1, end + 1):
        del lines[number]
    guard = f"{before}if {opposite(wrapper.test, ctx)}:{comment.rstrip()}"
    lines[wrapper.lineno] = f"{guard}\n{inner}{leave}"
    return True
