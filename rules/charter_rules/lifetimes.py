"""What becomes of an acquired resource within one function: who owns it, and on which paths it is released.

It follows one local name through one function. Whatever hands the resource on (an argument, an attribute, a return)
ends its knowledge, and then it says nothing.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from charter.api import Fix, Grade, Span
from charter_rules import lines, shapes

if TYPE_CHECKING:
    from collections.abc import Container

    from charter.api import Context

Fate = Literal["dropped", "never", "error"]


class Leak(Struct, frozen=True):
    """A resource that is not released on every path.

    Attributes:
        fate: `dropped` if nothing even names it, `never` if nothing releases it, `error` if an exception between
            acquisition and release leaves it open.
        name: the local variable; "" if there is none.
        assignment: the statement that acquires it, if it is named.
        release: the statement that releases it on the straight path, if one does.
    """

    fate: Fate
    name: str = ""
    assignment: ast.Assign | None = None
    release: ast.Expr | None = None


READERS = frozenset(
    {
        "json.load", "json.dump", "pickle.load", "pickle.dump", "yaml.load", "yaml.safe_load", "yaml.dump",
        "yaml.safe_dump", "tomllib.load", "tomli.load", "toml.load", "plistlib.load", "marshal.load", "csv.reader",
        "csv.writer", "csv.DictReader", "csv.DictWriter", "builtins.list", "builtins.sum", "builtins.len",
        "builtins.set", "builtins.tuple", "builtins.sorted", "builtins.enumerate", "builtins.print", "builtins.next",
        "configparser.ConfigParser.read_file", "shutil.copyfileobj", "hashlib.file_digest", "ast.parse",
    }
)  # fmt: skip
"""Functions that use what they are given and leave closing to the caller."""


def leak(call: ast.Call, ctx: Context, releases: Container[str] = ("close",)) -> Leak | None:
    """How an acquisition leaks; None where it does not, or where someone else may own it.

    Args:
        call: the call that acquires.
        ctx: the file.
        releases: the methods that release.
    """
    parent = ctx.parent(call)
    if isinstance(parent, ast.Attribute):
        outer = ctx.parent(parent)
        is_use = isinstance(outer, ast.Call) and outer.func is parent and parent.attr not in releases
        # `connect().cursor()` hands the connection on; reading and writing do not.
        return Leak("dropped") if is_use and parent.attr in _USES else None
    if isinstance(parent, ast.Call) and call in parent.args:
        return Leak("dropped") if ctx.name(parent.func) in READERS else None
    if isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is call:
        return Leak("dropped")
    function = ctx.function(call)
    if not isinstance(parent, ast.Assign) or function is None or len(parent.targets) != 1:
        return None
    target = parent.targets[0]
    if not isinstance(target, ast.Name):
        return None
    return _named(target.id, parent, function, ctx, releases)


_USES = frozenset(
    {
        "read", "readline", "readlines", "write", "writelines", "truncate", "execute", "executemany", "commit",
        "recv", "send", "sendall", "namelist", "extractall", "getmembers", "testzip", "infolist", "getnames",
        "extract", "executescript", "get", "post", "put", "delete", "patch", "head", "request",
    }
)  # fmt: skip


def _named(
    name: str, assignment: ast.Assign, function: shapes.FunctionNode, ctx: Context, releases: Container[str]
) -> Leak | None:
    stores = [
        node for node in shapes.bindings(name, function, ctx) if not isinstance(ctx.parent(node), ast.Delete)
    ]
    if len(stores) != 1:
        return None  # bound more than once, or global: which object is meant needs more than this
    release: ast.Expr | None = None
    for use in shapes.reads_in(name, function, ctx):
        if ctx.function(use) is not function or _in_lambda(use, ctx):
            return None
        role = _role(use, ctx, releases)
        if role == "escapes":
            return None
        if role == "releases":
            statement = ctx.statement(use)
            if release is not None or not isinstance(statement, ast.Expr) or _is_protected(statement, ctx):
                return None  # released in a `finally`, a handler, or in several places: deliberate
            release = statement
    if release is None:
        return Leak("never", name, assignment)
    block = block_of(assignment, ctx)
    if block is None or release not in block:
        return None  # released under a condition
    between = block[block.index(assignment) + 1 : block.index(release)]
    if ctx.is_test or not any(_may_raise(statement) for statement in between):
        return None
    if any(
        isinstance(node, (ast.Yield, ast.YieldFrom)) for statement in between for node in ast.walk(statement)
    ):
        return None  # a fixture or a generator: what happens between is its caller's
    return Leak("error", name, assignment, release)


def _in_lambda(node: ast.AST, ctx: Context) -> bool:
    for ancestor in ctx.ancestors(node):
        if isinstance(ancestor, ast.Lambda):
            return True
        if isinstance(ancestor, ast.stmt):
            return False
    return False


def _role(use: ast.Name, ctx: Context, releases: Container[str]) -> Literal["uses", "releases", "escapes"]:
    parent = ctx.parent(use)
    if isinstance(parent, ast.Attribute):
        outer = ctx.parent(parent)
        if isinstance(outer, ast.Call) and outer.func is parent:
            if parent.attr in releases:
                return "releases"
            # `connection.cursor()` may be kept; what reads or writes does not keep the resource.
            if parent.attr in {"detach", "fileno", "__enter__"}:
                return "escapes"
            return "escapes" if parent.attr not in _USES and _is_kept(outer, ctx) else "uses"
        kept = (ast.Return, ast.Assign, ast.Call, ast.keyword, ast.Tuple, ast.List, ast.Dict)
        return "escapes" if isinstance(outer, kept) else "uses"
    if isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is use:
        return "uses"
    if isinstance(parent, ast.Call) and use in parent.args:
        known = ctx.name(parent.func)
        if known in READERS:
            return "uses"
        return "escapes"
    if isinstance(parent, ast.Compare) or (
        isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
    ):
        return "uses"
    if isinstance(parent, (ast.If, ast.While, ast.Assert)):
        return "uses"
    return "escapes"


def _is_kept(call: ast.Call, ctx: Context) -> bool:
    """Whether the result of a method leaves the function: it may hold the resource (a cursor its connection)."""
    parent = ctx.parent(call)
    if isinstance(parent, (ast.Return, ast.Yield, ast.Lambda, ast.Call, ast.keyword)):
        return True
    if not isinstance(parent, ast.Assign):
        return False
    target = parent.targets[0]
    function = ctx.function(call)
    if not isinstance(target, ast.Name) or function is None:
        return True
    return any(
        isinstance(ctx.parent(use), (ast.Return, ast.Yield, ast.Call, ast.keyword, ast.Assign, ast.Tuple))
        for use in shapes.reads_in(target.id, function, ctx)
    )


def _is_protected(statement: ast.stmt, ctx: Context) -> bool:
    """Whether a statement runs when something failed: in a `finally` or a handler."""
    child: ast.AST = statement
    for ancestor in ctx.ancestors(statement):
        if isinstance(ancestor, ast.ExceptHandler):
            return True
        if isinstance(ancestor, (ast.Try, ast.TryStar)) and child in ancestor.finalbody:
            return True
        if isinstance(ancestor, shapes.DEFINITIONS):
            return False
        child = ancestor
    return False


def block_of(statement: ast.stmt, ctx: Context) -> list[ast.stmt] | None:
    """The list of statements that a statement stands in."""
    parent = ctx.parent(statement)
    for field in ("body", "orelse", "finalbody"):
        block: list[ast.stmt] = getattr(parent, field, [])
        if block[-1:] == [statement] or statement in block:
            return block
    return None


def _may_raise(statement: ast.stmt) -> bool:
    return any(
        isinstance(node, (ast.Call, ast.Subscript, ast.Raise, ast.Await, ast.Return))
        for node in ast.walk(statement)
    )


def with_statement(found: Leak, title: str, ctx: Context) -> Fix | None:
    """The fix that puts a `with` statement in the place of what stands from acquisition to release.

    None where re-indenting is not provably harmless, or the name is used behind the release.
    """
    assignment, release = found.assignment, found.release
    if assignment is None or release is None:
        return None
    block = block_of(assignment, ctx)
    if block is None:
        return None
    body = block[block.index(assignment) + 1 : block.index(release)]
    after = block[block.index(release) + 1 :]
    if any(True for _ in shapes.reads(found.name, after)):
        return None
    text = indented(assignment, release, body, ctx)
    if text is None:
        return None
    span = Span(ctx.span(assignment).start, ctx.span(release).end)
    edit = ctx.replace(span, f"with {ctx.source(assignment.value)} as {found.name}:{text}")
    return Fix(title, (edit,), Grade.UNSAFE)


def indented(first: ast.stmt, last: ast.stmt, body: list[ast.stmt], ctx: Context) -> str | None:
    """What follows the colon of a `with` statement that takes in all between two statements.

    None where re-indenting is not provably harmless: a string over several lines, several statements on a line.
    """
    if not body or body[0].lineno == first.end_lineno or body[-1].end_lineno == last.lineno:
        return None
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, (ast.Constant, ast.JoinedStr)) and node.lineno != node.end_lineno:
                return None
    indent = lines.indent(first, ctx)
    if indent is None:
        return None
    text = ctx.text
    head_end = lines.end(ctx.span(first).end, ctx)
    comment = text[ctx.span(first).end : head_end].rstrip("\r")
    tail = text[head_end + 1 : text.rfind("\n", 0, ctx.span(last).start)]
    step = lines.deeper(indent).removeprefix(indent)
    moved = [f"{step}{line}" if line.strip() else line for line in tail.split("\n")]
    return f"{comment}\n" + "\n".join(moved)
