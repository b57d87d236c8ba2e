"""Finds regular expressions that are compiled again in each round of a loop."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="PRF003",
    principles=("no-repeated-work", "reused-connections"),
    severity=Severity.LOW,
    calls=("re.compile", "regex.compile"),
)
def regex_compiled_in_loop(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    r"""The same regular expression is compiled in each round of a loop.

    The loop changes nothing in the pattern. `re` keeps a cache of compiled patterns, so most rounds pay a look-up
    of less than a microsecond instead of a compilation of tens or hundreds; with more than 512 patterns in use, or with
    `regex` and flags, they pay the compilation. Compiled before the loop, it costs nothing in it.

    Measured with Python 3.11.7: 10,000 lines take 6.4 ms with the pattern compiled for each, 2.7 ms with it
    compiled once.

    ```python bad
    import re

    def numbers(lines):
        for line in lines:
            pattern = re.compile(r"\d+")
    #                 ^^^^^^^^^^^^^^^^^^ this pattern is the same in every round; compile it before the loop
            yield pattern.findall(line)
    ```
    ```python fixed
    import re

    def numbers(lines):
        pattern = re.compile(r"\d+")
        for line in lines:
            yield pattern.findall(line)
    ```
    ```python good
    import re

    def matches(words, text):
        return [re.compile(rf"\b{re.escape(word)}\b").search(text) for word in words]
    ```
    """
    loop = ctx.loop(call)
    if ctx.is_test or loop is None:
        return
    if not _is_invariant(call, loop, ctx):
        return
    yield ctx.finding(
        call,
        "this pattern is the same in every round; compile it before the loop",
        fix=_hoist(call, loop, ctx),
    )


def _is_invariant(call: ast.Call, loop: ast.AST, ctx: Context) -> bool:
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    bound = shapes.stored_in([loop])
    for argument in arguments:
        if not shapes.is_pure(argument) or shapes.names_in(argument) & bound:
            return False
        if any(
            isinstance(node, (ast.Attribute, ast.Subscript)) and _is_state(node, ctx)
            for node in ast.walk(argument)
        ):
            return False
    return bool(arguments)


def _is_state(node: ast.AST, ctx: Context) -> bool:
    """Whether an attribute may change in the loop: anything but a name of an imported module, such as `re.I`."""
    return ctx.name(node) is None


def _hoist(call: ast.Call, loop: ast.AST, ctx: Context) -> Fix | None:
    statement = ctx.parent(call)
    if (
        not isinstance(loop, shapes.LOOPS)
        or not isinstance(statement, ast.Assign)
        or statement not in loop.body
    ):
        return None
    target = statement.targets[0]
    function = ctx.function(call)
    if len(statement.targets) != 1 or not isinstance(target, ast.Name) or function is None:
        return None
    if len(shapes.bindings(target.id, function, ctx)) != 1 or len(loop.body) == 1:
        return None
    if (
        shapes.is_name(loop.test, target.id)
        if isinstance(loop, ast.While)
        else target.id in shapes.names_in(loop.iter)
    ):
        return None
    return Fix(
        "Compile it before the loop",
        (ctx.remove_statement(statement), ctx.insert_before(loop, ctx.source(statement))),
        Grade.SAFE,
    )
