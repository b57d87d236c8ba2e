"""Finds handlers that catch everything and do nothing, without a word why. Narrow handlers are not its business."""

from __future__ import annotations

import ast
import re
import sys
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, regex, rule
from charter_rules import calls, lifetimes, lines, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_BROAD = frozenset({"Exception", "BaseException"})
_BLANKET = frozenset(f"builtins.{name}" for name in _BROAD)
_LAST_RESORTS = frozenset({"__del__", "__exit__", "__aexit__", "__repr__", "__str__"})


@rule(
    ast.ExceptHandler,
    code="MNT002",
    principles=("deliberate-errors",),
    severity=Severity.MEDIUM,
    cwe=(390,),
    aliases=("S110", "S112", "B110", "B112"),
)
def swallowed_exception(handler: ast.ExceptHandler, ctx: Context) -> Iterator[Finding]:
    """Every exception is caught and dropped.

    A handler for `Exception` with an empty body also swallows the errors that nobody thought of: a misspelt name,
    a changed interface, a full disk. The program goes on with wrong data and nothing says why. Catch what you
    expect, or log what you drop; if dropping everything is right, say why in a comment, and this rule is content.

    Ruff's S110 reports the same handlers, commented or not, and neither reports `contextlib.suppress`, which says itself what is meant; here a comment, a docstring that speaks of it, a destructor,
    a narrow type, or a body that only closes what is no longer needed is reason enough to stay silent, and so is cleaning
    up behind a result or another error, writing a message, and making sure that something is gone before it is made. So is code that answers the error: variables keep the values they had, or the function goes on to
    another result.

    ```python bad
    import logging

    logger = logging.getLogger(__name__)

    def refresh(cache):
        try:
            cache.reload()
        except Exception:
    #   ^^^^^^^^^^^^^^^^^ `except Exception` drops every error, also those nobody expected
            pass
    ```
    ```python fixed
    import logging

    logger = logging.getLogger(__name__)

    def refresh(cache):
        try:
            cache.reload()
        except Exception:
            logger.warning("ignored an error in refresh", exc_info=True)
    ```
    ```python good
    def refresh(cache):
        try:
            cache.reload()
        except Exception:
            pass  # a stale cache is fine; the next run reloads it

    def close(connection):
        try:
            connection.close()
        except OSError:
            pass
    ```
    """
    caught = _blanket(handler, ctx)
    if caught is None:
        return
    body = handler.body
    if not all(isinstance(item, (ast.Pass, ast.Continue)) or shapes.is_trivial([item]) for item in body):
        return
    function = ctx.function(handler)
    if function is not None and (function.name in _LAST_RESORTS or _is_promised(function)):
        return
    attempt = ctx.parent(handler)
    if isinstance(attempt, ast.Try) and (
        attempt.orelse
        or _only_releases(attempt.body, ctx)
        or _only_tells(attempt.body, ctx)
        or _is_on_the_way_out(attempt, ctx)
        or _clears_the_way(attempt, ctx)
        or _is_asked_for(attempt, ctx)
        or _is_announced(attempt, ctx)
        or _leaves_default(attempt, attempt.body, ctx)
        or _only_finds_out(attempt, ctx)
        or _waits_for_cancelled(attempt, ctx)
        or (ctx.is_test and not _asserts(attempt.body))
        or _goes_on_without(attempt, ctx)
    ):
        return
    if _is_explained(handler, ctx):
        return
    span = ctx.span(handler)
    what = "`except:`" if handler.type is None else f"`except {caught}`"
    head = ctx.text.index(":", span.start if handler.type is None else ctx.span(handler.type).end)
    yield ctx.finding(
        type(span)(span.start, head + 1),
        f"{what} drops every error, also those nobody expected",
        fix=_log(handler, ctx),
    )


def _blanket(handler: ast.ExceptHandler, ctx: Context) -> str | None:
    if handler.type is None:
        return ""
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return next((ctx.source(item) for item in types if _is_blanket(item, ctx)), None)


def _is_blanket(caught: ast.expr, ctx: Context) -> bool:
    """Whether an exception that is caught is one of all; most have another name, which the file does not assign."""
    if isinstance(caught, ast.Name) and caught.id not in _BROAD and caught.id not in ctx.binds:
        return False
    return ctx.name(caught) in _BLANKET


def _is_promised(function: shapes.FunctionNode) -> bool:
    if len(shapes.without_docstring(function.body)) < 3 and _ATTEMPTS.search(function.name):
        return True
    return _PROMISED.search(ast.get_docstring(function, clean=False) or "") is not None


def _only_releases(body: list[ast.stmt], ctx: Context) -> bool:
    """Whether all that may fail is to let go of something."""
    releases = False
    for statement in body:
        if isinstance(statement, ast.If) and all(
            _only_releases(part, ctx) for part in (statement.body, statement.orelse) if part
        ):
            releases = True
            continue
        if releases and isinstance(statement, (ast.Delete, ast.AugAssign)):
            continue  # counted, or forgotten
        value = statement.value if isinstance(statement, ast.Expr) else None
        call = value.value if isinstance(value, ast.Await) else value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            return False
        word = call.func.attr.partition("_")[0]  # `stop_ranging`
        releases = (
            releases or call.func.attr in _RELEASES or word in _RELEASES or ctx.name(call.func) in _REMOVES
        )
        if not releases or not {call.func.attr, word} & {*_RELEASES, "remove", "rmdir", "wait", "join"}:
            return False
    return releases


def _only_tells(body: list[ast.stmt], ctx: Context) -> bool:
    """Whether all that may fail is to tell somebody something: a program does not fail for want of a message."""
    return all(
        (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Call)
            and (
                ctx.name(statement.value.func) == "builtins.print"
                or (
                    isinstance(statement.value.func, ast.Attribute)
                    and statement.value.func.attr in _TELLS
                    and _TELLERS.search(calls.identifier(statement.value.func.value)) is not None
                )
            )
        )
        or (isinstance(statement, (ast.If, ast.For)) and _only_tells(statement.body, ctx))
        for statement in body
    )


def _is_on_the_way_out(block: ast.Try, ctx: Context) -> bool:
    """Whether something is cleaned up, behind which nothing comes that could miss it.

    That is in a `finally`, before an error is raised, in the handler of one that counts more, or in a function that
    stops something.
    """
    around = lifetimes.block_of(block, ctx) or [block]
    if block is not around[-1] and isinstance(around[around.index(block) + 1], ast.Raise):
        return True
    short = len(block.body) < 4 and not any(isinstance(each, (ast.For, ast.While)) for each in block.body)
    child: ast.AST = block
    for parent in ctx.ancestors(block):
        if isinstance(parent, ast.Try) and child in parent.finalbody:
            return short
        if isinstance(parent, ast.ExceptHandler):
            return short and (len(block.body) == 1 or _only_releases(block.body[-1:], ctx))
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = parent.name.strip("_").partition("_")[0]
            return short and (
                first in _RELEASES or first in _ENDS or _HANDLES.search(parent.name) is not None
            )
        child = parent
    return False


def _is_asked_for(attempt: ast.Try, ctx: Context) -> bool:
    """Whether a condition chooses between the attempt and the same statements without a handler."""
    choice = ctx.parent(attempt)
    if not isinstance(choice, ast.If):
        return False
    other = choice.body if choice.orelse == [attempt] else choice.orelse
    return shapes.are_same(other, attempt.body)


def _clears_the_way(attempt: ast.Try, ctx: Context) -> bool:
    """Whether something is deleted so that it can be made anew right after: mostly it is not there."""
    around = lifetimes.block_of(attempt, ctx) or [attempt]
    following = around[around.index(attempt) + 1 :][:1]
    last = attempt.body[-1]
    value = last.value if isinstance(last, ast.Expr) else None
    call = value.value if isinstance(value, ast.Await) else value
    return (
        len(attempt.body) == 1
        and isinstance(call, ast.Call)
        and _DELETES.match(calls.identifier(call.func)) is not None
        and any(
            isinstance(node, ast.Call) and _MAKES.match(calls.identifier(node.func)) is not None
            for statement in following
            for node in ast.walk(statement)
        )
    )


def _only_finds_out(block: ast.Try, ctx: Context) -> bool:
    """Whether all that is done is to give values to variables, which keep those they had, or which nothing else reads."""
    function = ctx.function(block) or ctx.tree
    found: set[str] = set()
    if not _takes_down(block.body, found):
        return False
    inside = range(block.lineno, (block.body[-1].end_lineno or block.lineno) + 1)
    for name in found:
        given = [getattr(node, "lineno", block.lineno) for node in shapes.bindings(name, function, ctx)]
        if min(given, default=block.lineno) < block.lineno:
            continue
        later = min((line for line in given if line not in inside), default=sys.maxsize)
        if isinstance(function, ast.Module) or any(
            use.lineno not in inside and use.lineno < later for use in shapes.reads_in(name, function, ctx)
        ):
            return False
    return bool(found)


def _takes_down(body: list[ast.stmt], found: set[str]) -> bool:
    """Whether statements do nothing but give values to local variables, whose names are added; not those of loops."""
    for statement in body:
        if isinstance(statement, (ast.Import, ast.ImportFrom, ast.Break, ast.Continue, ast.Pass)):
            continue
        if isinstance(statement, (ast.If, ast.For)):
            if not _takes_down(statement.body, found) or not _takes_down(statement.orelse, found):
                return False
            continue
        if isinstance(statement, (ast.With, ast.AsyncWith)):
            if not _takes_down(statement.body, found):
                return False
            continue
        if (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Call)
            and calls.identifier(statement.value.func) in {"int", "float"}
        ):
            continue  # a question to a text
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        names = [
            item
            for target in targets
            for item in (target.elts if isinstance(target, ast.Tuple) else [target])
        ]
        if not names or not all(isinstance(name, ast.Name) for name in names):
            return False
        found |= {calls.identifier(name) for name in names}
    return True


def _leaves_default(block: ast.stmt, body: list[ast.stmt], ctx: Context) -> bool:
    """Whether all that an error leaves is the value that a variable was given right before, as a handler could have."""
    last = body[-1]
    target = last.targets[0] if isinstance(last, ast.Assign) and len(last.targets) == 1 else None
    if not isinstance(target, (ast.Name, ast.Attribute)) or len(body) > 1:
        return False
    around = lifetimes.block_of(block, ctx) or [block]
    before = around[: around.index(block)]
    outer = ctx.parent(block)
    if isinstance(outer, ast.ExceptHandler):
        outer = ctx.parent(outer)  # the second attempt, after one that failed
    name = ctx.source(target)
    for statement in reversed(before):
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if statement.value is not None and any(ctx.source(each) == name for each in targets):
                return True
        elif not isinstance(statement, (ast.Expr, ast.Import, ast.ImportFrom)):
            return False
    return isinstance(outer, (ast.If, ast.Try)) and _leaves_default(outer, body, ctx)


def _waits_for_cancelled(block: ast.Try, ctx: Context) -> bool:
    """Whether all that is done is to await what has been cancelled right before."""
    awaited = block.body[0].value if isinstance(block.body[0], ast.Expr) else None
    around = lifetimes.block_of(block, ctx) or [block]
    before = around[: around.index(block)]
    if len(block.body) > 1 or not isinstance(awaited, ast.Await) or not before:
        return False
    call = before[-1].value if isinstance(before[-1], ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "cancel"
        and ctx.source(call.func.value) == ctx.source(awaited.value)
    )


def _asserts(body: list[ast.stmt]) -> bool:
    """Whether a test asserts something, whose failure would go unnoticed."""
    return any(
        isinstance(node, ast.Assert)
        or (isinstance(node, ast.Attribute) and node.attr.lower().startswith("assert"))
        for statement in body
        for node in ast.walk(statement)
    )


def _goes_on_without(attempt: ast.Try, ctx: Context) -> bool:
    """Whether success leaves the function with a result, or the loop, so that what follows is the answer to the error."""
    around = lifetimes.block_of(attempt, ctx) or [attempt]
    following = around[around.index(attempt) + 1 :][:1]
    if any(isinstance(last, ast.Continue) for handler in attempt.handlers for last in handler.body) and any(
        isinstance(statement, (ast.Return, ast.Break)) for statement in following
    ):
        return True
    return _is_followed(attempt, ctx) and any(
        isinstance(node, ast.Return)
        for statement in attempt.body
        for node in (statement, *ctx.walk(statement, into_functions=False))
    )


def _is_followed(attempt: ast.Try, ctx: Context) -> bool:
    """Whether something comes behind an attempt, or behind what it is in, before its function ends."""
    function = ctx.function(attempt)
    node: ast.AST = attempt
    while function is not None and node is not function:
        block = lifetimes.block_of(node, ctx) if isinstance(node, ast.stmt) else None
        if block is not None and block[-1] is not node:
            return True
        node = ctx.parent(node) or function
    return False


def _is_announced(attempt: ast.Try, ctx: Context) -> bool:
    """Whether a comment speaks of what is ignored: right above the `try`, or the loop that is there for it, or first in it."""
    parent = ctx.parent(attempt)
    if _IGNORED.search(lines.comment_above(ctx.span(attempt), ctx)):
        return True
    comment = "".join(
        line.partition("#")[2] for line in lines.around(ctx.span(attempt.body[0]), ctx).splitlines()
    )
    if _EXCUSED.search(comment):
        return True
    comment = lines.comment_above(ctx.span(attempt.body[0]), ctx)
    if isinstance(parent, (ast.For, ast.AsyncFor, ast.With, ast.AsyncWith)) and parent.body == [attempt]:
        comment += lines.comment_of_paragraph(ctx.span(parent), ctx)
    return _PROMISED.search(comment) is not None


_PROMISED = regex(
    r"suppress|ignor|swallow|best.effort|never (?:raise|fail|break|block)|must not (?:raise|fail|break)|non.?fatal|not fatal|silent"
    r"|may fail|tries to",
    re.IGNORECASE,
)
_EXCUSED = regex(
    _PROMISED.pattern + "|optional|convenience|if (?:possible|available|there is)", re.IGNORECASE
)
"""What the comment on a line says that may fail."""
_HANDLES = regex(r"(?:^|_)(?:on|handle)_(?:error|exception|failure)$")
_DELETES = regex(r"(?:delete|drop|remove|unlink|rmtree|clear|purge)(?:_|[A-Z]|$)")
_MAKES = regex(r"(?:create|add|make|mkdir|new|open|write|symlink|register|put)(?:_|[A-Z]|$)")
_ATTEMPTS = regex(r"^_*(?:try|safe(?:ly)?|maybe|attempt)_|silent|ignor|suppress|best_effort", re.IGNORECASE)
"""Words in the name of a short function that is there to have something fail in peace."""
_RELEASES = frozenset(
    {
        "close", "aclose", "wait_closed", "kill", "terminate", "shutdown", "cancel", "disconnect", "stop", "unlink",
        "release", "rollback", "cleanup", "quit", "logout", "detach", "disable", "unregister", "rmtree", "abort",
    }
)  # fmt: skip
_REMOVES = frozenset({"os.remove", "os.rmdir", "os.unlink"})
_ENDS = frozenset({"teardown", "dispose", "finalize", "exit", "destroy", "tearDown", "finish", "unload"})
"""Words with which the names of functions begin that end something, besides those of `_RELEASES`."""
_TELLS = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print", "write", "flush"}
)
_TELLERS = regex(r"(?i)log|console|stdout|stderr|\blg$")
"""Names of what messages are given to."""
_IGNORED = regex(
    r"suppress|ignor|swallow|fail|error|exception|raise|best.effort|try to|attempt|doesn.t matter",
    re.IGNORECASE,
)


def _is_explained(block: ast.ExceptHandler, ctx: Context) -> bool:
    """Whether a comment stands in a block, above it or behind its last statement."""
    span = ctx.span(block)
    stop = lines.end(span.end, ctx)
    following = ctx.text[stop + 1 : lines.end(stop + 1, ctx)]
    comment = following.lstrip()
    return (
        shapes.has_comment(ctx.text[span.start : stop])
        or lines.comment_above(span, ctx) != ""
        or (comment.startswith("#") and len(following) - len(comment) > block.col_offset)
    )


def _log(handler: ast.ExceptHandler, ctx: Context) -> Fix | None:
    """Offer to log where the module has a logger."""
    if len(handler.body) != 1 or not isinstance(handler.body[0], ast.Pass):
        return None
    if handler.body[0].lineno == handler.lineno:
        return None
    for node in ctx.tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and isinstance(node.targets[0], ast.Name)
            and ctx.name(node.value.func) == "logging.getLogger"
        ):
            where = ctx.symbol(handler) or ctx.module or "this module"
            call = f'{node.targets[0].id}.warning("ignored an error in {where}", exc_info=True)'
            return Fix("Log what is dropped", (ctx.replace(handler.body[0], call),), Grade.UNSAFE)
    return None
