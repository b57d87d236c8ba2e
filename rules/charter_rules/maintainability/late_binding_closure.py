"""Finds functions made in a loop that see the loop variable's last value only."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_KEEPERS = frozenset(
    {
        "append",
        "add",
        "insert",
        "setdefault",
        "connect",
        "register",
        "subscribe",
        "add_done_callback",
        "call_later",
        "call_soon",
        "add_listener",
        "bind",
        "submit",
        "on",
        "after",
        "defer",
        "addCleanup",
        "callLater",
        "addCallback",
    }
)


@rule(
    ast.Lambda,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    code="MNT150",
    principles=("robust-comparisons",),
    severity=Severity.MEDIUM,
    aliases=("B023", "W0640"),
)
def late_binding_closure(function: ast.Lambda | shapes.FunctionNode, ctx: Context) -> Iterator[Finding]:
    """A function made in a loop is kept, and will see the loop's last item when it is called.

    A closure remembers the variable, not its value. When the loop is over, all functions made in it look at the same
    variable, and it holds the last item. A default argument takes the value at once.

    Ruff's B023 reports every such function. This rule reports those that outlive their round: stored, appended,
    registered, or collected by a comprehension. One that is called or passed on at once is fine.

    ```python bad
    def buttons(names):
        found = []
        for name in names:
            found.append(lambda: print(name))
    #                    ^^^^^^^^^^^^^^^^^^^ this function is called after the loop, when `name` is the last item for all of them
        return found
    ```
    ```python fixed
    def buttons(names):
        found = []
        for name in names:
            found.append(lambda name=name: print(name))
        return found
    ```
    ```python good
    def ordered(groups):
        for group in groups:
            yield sorted(group, key=lambda item: group.index(item))
    ```
    """
    loop = ctx.loop(function)
    if loop is None or isinstance(loop, ast.While):
        ctx.not_an_opportunity()
        return
    targets = shapes.names_in(loop.target) - {argument.arg for argument in shapes.parameters(function)}
    body = function.body if isinstance(function.body, list) else [function.body]
    used = sorted({use.id for name in targets for use in shapes.reads(name, body)})
    if not used or not _outlives(function, loop, ctx):
        return
    names = ", ".join(f"`{name}`" for name in used)
    verb = "is the last item" if len(used) == 1 else "are those of the last item"
    yield ctx.finding(
        function if isinstance(function, ast.Lambda) else ctx.name_span(function),
        f"this function is called after the loop, when {names} {verb} for all of them",
        fix=_bind(function, used, ctx),
    )


def _outlives(function: ast.Lambda | shapes.FunctionNode, loop: ast.AST, ctx: Context) -> bool:
    if isinstance(function, ast.Lambda):
        return _is_kept(function, loop, ctx)
    if function.decorator_list:
        return False
    holder = ctx.parent(loop) if isinstance(loop, ast.comprehension) else loop
    uses = list(shapes.reads(function.name, [holder] if holder else []))
    return bool(uses) and any(_is_kept(use, loop, ctx) for use in uses)


def _is_kept(node: ast.expr, loop: ast.AST, ctx: Context) -> bool:
    """Whether a function value is put where it can be found after the round."""
    parent = ctx.parent(node)
    if isinstance(parent, (ast.ListComp, ast.SetComp)):
        return parent.elt is node and loop in parent.generators
    if isinstance(parent, ast.DictComp):
        return parent.value is node and loop in parent.generators
    if isinstance(parent, ast.Assign):
        return any(isinstance(target, ast.Subscript) for target in parent.targets) and not _leaves(
            parent, ctx
        )
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and node in parent.args:
        return parent.func.attr in _KEEPERS and not _leaves(ctx.statement(parent), ctx)
    return False


def _leaves(statement: ast.stmt, ctx: Context) -> bool:
    """Whether the loop ends right behind a statement, so that there is but one function."""
    parent = ctx.parent(statement)
    for field in ("body", "orelse"):
        block: list[ast.stmt] = getattr(parent, field, [])
        if statement in block:
            return any(
                isinstance(item, (ast.Break, ast.Return, ast.Raise))
                for item in block[block.index(statement) :]
            )
    return False


def _bind(function: ast.Lambda | shapes.FunctionNode, names: list[str], ctx: Context) -> Fix | None:
    if (
        not isinstance(function, ast.Lambda)
        or function.args.vararg
        or function.args.kwarg
        or function.args.kwonlyargs
    ):
        return None
    extra = ", ".join(f"{name}={name}" for name in names)
    start = ctx.span(function).start + len("lambda")
    if shapes.parameters(function):
        end = (
            ctx.text.index(":", ctx.span(function).start + len("lambda"))
            if not function.args.defaults
            else ctx.span(function.args.defaults[-1]).end
        )
        edit = ctx.insert(end, f", {extra}")
    else:
        edit = ctx.insert(start, f" {extra}")
    return Fix("Take the value as a default", (edit,), Grade.UNSAFE)
