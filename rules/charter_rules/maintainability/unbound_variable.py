"""Finds variables that are read where a `try` may have left them unbound."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_BINDING = (ast.Assign, ast.AnnAssign)
_JUMPS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def _may_lose(statement: ast.Try) -> bool:
    """Whether a `try` binds something, and a handler goes on behind it or a `finally` may read it."""
    if not any(isinstance(item, _BINDING) for item in statement.body):
        return False
    if statement.finalbody:
        return True
    return not statement.orelse and not all(
        isinstance(handler.body[-1], _JUMPS) for handler in statement.handlers
    )


@rule(
    ast.Try,
    code="MNT225",
    principles=("robust-comparisons", "deliberate-errors"),
    severity=Severity.MEDIUM,
    when=_may_lose,
    aliases=("E0606", "E0601"),
    cwe=(457,),
)
def unbound_variable(statement: ast.Try, ctx: Context) -> Iterator[Finding]:
    """A variable is bound in a `try` only, an exception is caught, and the variable is read behind it.

    If the exception comes, the variable has no value, and reading it raises `UnboundLocalError` far from what went wrong.
    The same holds for a `finally` that reads what the `try` was to bind.

    Only variables that nothing else in the function binds, and handlers that go on behind the `try`, are looked at.

    ```python bad
    def load(path):
        try:
            text = path.read_text()
        except OSError as error:
            print(error)
        return text.splitlines()
    #          ^^^^ `text` has no value here if `OSError` was caught on line 4
    ```
    ```python good
    def load(path):
        try:
            text = path.read_text()
        except OSError as error:
            print(error)
            return []
        return text.splitlines()
    ```
    """
    bound = _bound(statement.body)
    # Few are read behind, and that is quickly seen.
    if _first_read(bound, _behind(statement, ctx), ctx) is None and not any(
        name in bound for item in statement.finalbody for name in shapes.names_in(item)
    ):
        return
    going_on = [handler for handler in statement.handlers if not _leaves(handler)]
    function = ctx.function(statement) if going_on or statement.finalbody else None
    if function is None or ctx.is_test or not _is_owned(statement, function, ctx):
        ctx.not_an_opportunity()
        return
    bound -= _bound_outside(statement, function, ctx)
    for handler in going_on:
        missing = {name for name in bound if name not in shapes.stored_in(handler.body)}
        if not missing or statement.orelse:
            continue
        use = _first_read(missing, _behind(statement, ctx), ctx)
        if use is not None:
            caught = f"`{ctx.source(handler.type)}`" if handler.type is not None else "an exception"
            line = ctx.location(handler).line
            yield ctx.finding(
                use,
                f"`{use.id}` has no value here if {caught} was caught on line {line}",
                related=[ctx.related(handler, "caught here, and gone on")],
            )
            return
    first = statement.body[0]
    if isinstance(first, ast.Assign) and not shapes.is_pure(first.value):
        use = _first_read(bound & _bound([first]), statement.finalbody, ctx)
        if use is not None:
            yield ctx.finding(
                use,
                f"`{use.id}` has no value here if line {first.lineno} raises",
                related=[ctx.related(first, "bound here, if nothing is raised")],
            )


def _is_owned(statement: ast.Try, function: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether the `try` is the function's own, and in no loop, whose round before may have bound the variable."""
    for ancestor in ctx.ancestors(statement):
        if ancestor is function:
            return True
        if isinstance(ancestor, (*shapes.LOOPS, ast.ClassDef, ast.Try)):
            return False
    return False


def _bound(body: list[ast.stmt]) -> set[str]:
    """The names that the statements of a block bind on the straight way, blocks inside left out."""
    found: set[str] = set()
    for item in body:
        targets = (
            item.targets
            if isinstance(item, ast.Assign)
            else [item.target]
            if isinstance(item, ast.AnnAssign) and item.value
            else []
        )
        for target in targets:
            found.update(
                node.id
                for node in ast.walk(target)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            )
    return found


def _bound_outside(statement: ast.Try, function: shapes.FunctionNode, ctx: Context) -> set[str]:
    """The names that the function binds anywhere but in the body of the `try`, or not for itself."""
    inside = ctx.span(statement.body[0]).start, ctx.span(statement.body[-1]).end
    found = {argument.arg for argument in shapes.parameters(function)}
    for kind in (ast.Global, ast.Nonlocal):
        for node in ctx.nodes(kind, within=function):
            found.update(node.names)
    for node in ctx.nodes(ast.Name, within=function):
        if not isinstance(node.ctx, ast.Load) and not inside[0] <= ctx.span(node).start < inside[1]:
            handler_start = ctx.span(statement.handlers[0]).start if statement.handlers else -1
            in_handlers = (
                handler_start >= 0 and handler_start <= ctx.span(node).start < ctx.span(statement).end
            )
            if not in_handlers:
                found.add(node.id)
    return found


def _leaves(handler: ast.ExceptHandler) -> bool:
    """Whether a handler may leave the function or the program: by a jump, or by a call that may never come back."""
    for item in handler.body:
        for node in ast.walk(item):
            if isinstance(node, (*_JUMPS, ast.Assert)):
                return True
            if isinstance(node, ast.Call) and (_may_end(node) or _takes_error(node, handler.name)):
                return True
    return False


def _may_end(call: ast.Call) -> bool:
    """Whether a call's name says that it ends something; `logger.error` comes back, `parser.error` does not."""
    if any(isinstance(argument, ast.Constant) and argument.value is False for argument in call.args):
        return True  # `validate(False, "…")`
    last = calls.identifier(call.func)
    if isinstance(call.func, ast.Attribute) and last in _LOGS:
        owner = calls.identifier(call.func.value)
        return last == "error" and (owner == "self" or "parser" in owner.lower())
    return any(word in last.lower() for word in _ENDS)


def _takes_error(call: ast.Call, error: str | None) -> bool:
    """Whether the exception is handed to a function of the project's own, which may raise it again."""
    last = calls.identifier(call.func)
    if error is None or last in _LOGS or last in _HARMLESS:
        return False
    return any(
        shapes.is_name(argument, error) for argument in (*call.args, *(k.value for k in call.keywords))
    )


_LOGS = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "append", "write"}
)
_HARMLESS = frozenset({"print", "str", "repr", "format", "type", "isinstance", "getattr"})
_ENDS = (
    "fail",
    "abort",
    "exit",
    "raise",
    "error",
    "exception",
    "die",
    "fatal",
    "quit",
    "skip",
    "usage",
    "throw",
)


def _behind(statement: ast.stmt, ctx: Context) -> list[ast.stmt]:
    """The statements of the same block behind one."""
    parent = ctx.parent(statement)
    for field in ("body", "orelse", "finalbody"):
        block: list[ast.stmt] = getattr(parent, field, [])
        if statement in block:
            return block[block.index(statement) + 1 :]
    return []


def _first_read(names: set[str], block: list[ast.stmt], ctx: Context) -> ast.Name | None:
    """Where the first of some statements that read one of the names certainly reads it."""
    for item in block:
        if isinstance(item, (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return)):
            roots: list[ast.AST] = [item]
        elif isinstance(item, (ast.For, ast.AsyncFor)):
            roots = [item.iter]
        elif isinstance(item, ast.With):
            roots = [part.context_expr for part in item.items]
        else:
            return None  # a condition may know whether the variable is there
        for root in roots:
            for node in ast.walk(root):
                if (
                    isinstance(node, ast.Name)
                    and node.id in names
                    and isinstance(node.ctx, ast.Load)
                    and _is_certain(node, item, ctx)
                ):
                    return node
        if len(roots) != 1 or roots[0] is not item or isinstance(item, ast.Return):
            return None
    return None


def _is_certain(node: ast.Name, statement: ast.stmt, ctx: Context) -> bool:
    """Whether a name is read whenever its statement is reached."""
    for ancestor in ctx.ancestors(node):
        if ancestor is statement:
            return True
        if isinstance(
            ancestor, (ast.IfExp, ast.BoolOp, ast.Lambda, *shapes.COMPREHENSIONS, *shapes.FUNCTIONS)
        ):
            return False
    return True
