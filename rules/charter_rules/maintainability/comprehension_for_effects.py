"""Finds comprehensions whose result is thrown away."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import lines, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Expr,
    code="MNT021",
    principles=("explicit-over-clever", "no-needless-copies"),
    severity=Severity.LOW,
    when=lambda node: (
        type(node.value) is ast.ListComp
        or type(node.value) is ast.SetComp
        or type(node.value) is ast.DictComp
    ),
    aliases=("W0106",),
)
def comprehension_for_effects(statement: ast.Expr, ctx: Context) -> Iterator[Finding]:
    """A comprehension is written for its side effects, and the list it builds is thrown away.

    A comprehension says "here comes a collection", and there is none. A `for` statement says what happens, keeps no
    list of `None`, and has room for a comment or a breakpoint.

    ```python bad
    def notify(users, text):
        [user.send(text) for user in users if user.active]
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this comprehension is a loop in disguise: its result is thrown away
    ```
    ```python fixed
    def notify(users, text):
        for user in users:
            if user.active:
                user.send(text)
    ```
    ```python good
    def notify(users, text):
        return [user.send(text) for user in users if user.active]
    ```
    """
    value = statement.value
    if not isinstance(value, (ast.ListComp, ast.SetComp)) or shapes.is_pure(value.elt):
        return
    yield ctx.finding(
        statement,
        "this comprehension is a loop in disguise: its result is thrown away",
        fix=_loop(statement, value, ctx),
    )


def _loop(statement: ast.Expr, value: ast.ListComp | ast.SetComp, ctx: Context) -> Fix | None:
    indent = lines.indent(statement, ctx)
    if indent is None or "\n" in ctx.source(value.elt) or "#" in ctx.source(value):
        return None
    targets = {node.id for g in value.generators for node in ast.walk(g.target) if isinstance(node, ast.Name)}
    function = ctx.function(statement)
    used = [n for n in ast.walk(function or ctx.tree) if isinstance(n, ast.Name) and n.id in targets]
    if any(not any(a is statement for a in ctx.ancestors(node)) for node in used):
        return None  # the loop variable would overwrite a variable of the same name
    text = ""
    for generator in value.generators:
        word = "async for" if generator.is_async else "for"
        indent = lines.deeper(indent)
        text += f"{word} {ctx.source(generator.target)} in {ctx.source(generator.iter)}:\n{indent}"
        for condition in generator.ifs:
            indent = lines.deeper(indent)
            text += f"if {ctx.source(condition)}:\n{indent}"
    edit = ctx.replace(statement, text + ctx.source(value.elt))
    return Fix("Write the loop", (edit,), Grade.UNSAFE)
