"""Finds exceptions that are raised in a handler without saying what caused them. Re-raising is not its business."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, Span, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding


@rule(
    ast.Raise,
    code="MNT003",
    principles=("deliberate-errors",),
    severity=Severity.LOW,
    aliases=("B904", "W0707"),
)
def unchained_raise(node: ast.Raise, ctx: Context) -> Iterator[Finding]:
    """An exception raised in a handler does not name its cause.

    Without `from`, the traceback says "During handling of the above exception, another exception occurred", as if
    the handler itself had failed. `raise … from error` says that one is the cause of the other; `from None` says
    that the first does not matter.

    Ruff's B904 finds these too, without a fix. This rule leaves out what B904 does not know: the special methods
    whose protocol demands another exception (`__getattr__` must raise `AttributeError`), for which the context is
    all a reader needs, and exceptions that already carry the cause as an argument.

    ```python bad
    def port(text):
        try:
            return int(text)
        except ValueError:
            raise SystemExit("not a port")
    #       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `raise` in `except ValueError` does not say what caused it
    ```
    ```python fixed
    def port(text):
        try:
            return int(text)
        except ValueError as error:
            raise SystemExit("not a port") from error
    ```
    ```python good
    def port(text):
        try:
            return int(text)
        except ValueError as error:
            raise SystemExit("not a port") from error

    def first(items):
        try:
            return items[0]
        except IndexError:
            raise
    ```
    """
    handler = _handler(node, ctx)
    if handler is None or node.exc is None:
        ctx.not_an_opportunity()
        return
    if node.cause is not None or not _is_new(node.exc, handler, ctx):
        return
    function = ctx.function(node)
    if function is not None and function.name.startswith("__") and function.name.endswith("__"):
        return
    caught = "except" if handler.type is None else f"except {ctx.source(handler.type)}"
    yield ctx.finding(
        node, f"`raise` in `{caught}` does not say what caused it", fix=_fix(node, handler, ctx)
    )


def _handler(node: ast.Raise, ctx: Context) -> ast.ExceptHandler | None:
    """The handler that a statement belongs to, within the same function."""
    for ancestor in ctx.ancestors(node):
        if type(ancestor) is ast.ExceptHandler:
            return ancestor
        if isinstance(ancestor, shapes.DEFINITIONS):
            return None
    return None


def _is_new(exc: ast.expr, handler: ast.ExceptHandler, ctx: Context) -> bool:
    """Whether an exception is made here, and made without the one that was caught."""
    if isinstance(exc, ast.Call):
        if (
            ctx.name(exc.func) is None
            and isinstance(exc.func, ast.Attribute)
            and exc.func.attr == "with_traceback"
        ):
            return False
        return handler.name is None or handler.name not in shapes.names_in(exc)
    name = ctx.name(exc)
    return name is not None and name.rpartition(".")[2][:1].isupper()


def _fix(node: ast.Raise, handler: ast.ExceptHandler, ctx: Context) -> Fix | None:
    if handler.type is None:
        return None
    edits: list[AnyEdit] = []
    name = handler.name
    if name is None:
        around = ctx.function(node)
        taken = {known.id for known in ctx.nodes(ast.Name, within=around)}
        taken.update(known.arg for known in ctx.nodes(ast.arg, within=around))
        name = shapes.free_name(("error", "exc", "cause"), taken)
        edits.append(ctx.insert(_after_type(handler, ctx), f" as {name}"))
    end = ctx.span(node).end
    edits.append(ctx.insert(end, f" from {name}"))
    return Fix(f"Raise it `from {name}`", tuple(edits), Grade.UNSAFE)


def _after_type(handler: ast.ExceptHandler, ctx: Context) -> int:
    assert handler.type is not None
    end = ctx.span(handler.type).end
    colon = ctx.text.index(":", end)
    return Span(colon, colon).start
