"""Finds tests that check nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, regex, rule
from charter_rules import lines, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_CHECKS = frozenset(
    """
    approx assert asserts assertion benchmark check checks compare compares confirm deprecated ensure ensures exercise
    expect expects expected fixture fail fails failed match matches must raise raises require roundtrip should skip snapshot
    test validate validates verify verifies warn warns xfail
    """.split()  # noqa: SIM905 (a list of words reads best as text)
)
"""Words in the name of what may check something."""
_SILENT = frozenset(
    "without works smoke import imports not ok noop crash crashes no runs doesnt never valid allowed".split()  # noqa: SIM905
)
"""Words in the name of a test that is passed when nothing happens."""
_FOR_EFFECT = ("raises", "assertRaises", "warns", "called", "calls", "__eq__", "count")
"""What stands in tests that compare for what comparing does: it is to raise, to warn or to be counted."""
_WORD = regex(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@rule(
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    code="MNT130",
    principles=("meaningful-tests",),
    severity=Severity.LOW,
    in_tests=True,
    when=lambda node: node.name.startswith("test"),
)
def test_without_assertion(function: shapes.FunctionNode, ctx: Context) -> Iterator[Finding]:
    """A test computes something and checks nothing.

    It fails only if the code raises, and so it goes on passing when the result is wrong. If not raising is what is
    tested, the name should say so, or a comment.

    Reported are tests that keep a result in a variable and never look at it, or that compare without `assert`. A
    call of anything whose name speaks of checking (`assert_…`, `verify…`, `raises`) counts as a check, in the test
    itself or in a helper of the file that it calls. Tests whose name says that nothing is to happen
    (`test_import_works`, `test_does_not_raise`), that return something, or only pass, skip or raise, are left alone.

    ```python bad title="tests/test_prices.py"
    from shop.prices import total

    def test_total_of_two():
    #   ^^^^^^^^^^^^^^^^^ `test_total_of_two` computes `result` and checks nothing
        result = total([1, 2])

    def test_total_of_three():
        result = total([1, 2, 3])
        result == 6
    #   ^^^^^^^^^^^ this is compared and not asserted, so `test_total_of_three` passes either way
    ```
    ```python fixed title="tests/test_prices.py"
    from shop.prices import total

    def test_total_of_two():
        result = total([1, 2])

    def test_total_of_three():
        result = total([1, 2, 3])
        assert result == 6
    ```
    ```python good title="tests/test_prices.py"
    import pytest

    from shop.prices import total

    def test_total_of_two():
        assert total([1, 2]) == 3

    def test_total_of_text():
        with pytest.raises(TypeError):
            total("12")

    def test_total_does_not_raise():
        result = total([])
    ```
    """
    if not _is_collected(function, ctx) or _words(*_decorators(function, ctx)) & _CHECKS:
        return
    if (
        "smoke" in "".join(_decorators(function, ctx))
        or "smoke" in (ast.get_docstring(function) or "").lower()
    ):
        return
    compared = _compared(function, ctx)
    if compared is not None:
        yield ctx.finding(
            compared,
            f"this is compared and not asserted, so `{function.name}` passes either way",
            fix=Fix("Assert it", (ctx.insert(ctx.span(compared).start, "assert "),), Grade.UNSAFE),
        )
        return
    if _words(function.name) & _SILENT:
        return
    unused = _unread_result(function, ctx)
    if unused is None or _checks(function, ctx, depth=0) or _is_explained(function, ctx):
        return
    yield ctx.finding(ctx.name_span(function), f"`{function.name}` computes `{unused}` and checks nothing")


def _words(*names: str) -> set[str]:
    return {word.lower() for name in names for word in _WORD.findall(name)}


def _decorators(function: shapes.FunctionNode, ctx: Context) -> Iterator[str]:
    for item in function.decorator_list:
        yield ctx.source(item.func if isinstance(item, ast.Call) else item)


def _is_collected(function: shapes.FunctionNode, ctx: Context) -> bool:
    parent = ctx.parent(function)
    if not isinstance(parent, ast.ClassDef):
        return isinstance(parent, ast.Module)
    bases = [ctx.source(base) for base in parent.bases]
    return parent.name.startswith("Test") or any(
        base.endswith(("TestCase", "Test", "Tests")) for base in bases
    )


def _compared(function: shapes.FunctionNode, ctx: Context) -> ast.expr | None:
    """A comparison of the test's own that stands as a statement, outside of anything that may expect it to raise."""
    for statement in function.body:
        value = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(value, ast.Compare) and isinstance(
            value.ops[0], (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)
        ):
            later = function.body[function.body.index(statement) + 1 :]
            # `a == b` may be called for its own sake, where what it does is looked at next.
            if not later or any(isinstance(item, (ast.Assert, ast.Expr)) for item in later):
                return None if any(word in ctx.source(function) for word in _FOR_EFFECT) else value
    return None


def _unread_result(function: shapes.FunctionNode, ctx: Context) -> str | None:
    """A variable that the test sets by a call and never looks at; None if there is none."""
    for statement in function.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, (ast.Call, ast.Await)):
            continue
        target = statement.targets[0]
        if not isinstance(target, ast.Name) or target.id.startswith("_"):
            continue
        is_read = any(True for _ in shapes.reads_in(target.id, function, ctx))
        if not is_read and len(shapes.bindings(target.id, function, ctx)) == 1:
            return target.id
    return None


def _checks(function: shapes.FunctionNode, ctx: Context, *, depth: int) -> bool:
    """Whether a function checks something, itself or in a helper of the file that it calls."""
    for node in ast.walk(function):
        if isinstance(node, (ast.Assert, ast.Raise)):
            return True
        if depth == 0 and isinstance(node, (ast.Yield, ast.Return)) and node.value is not None:
            return True  # someone else looks at it
        if isinstance(node, ast.Call) and _is_check(node, function, ctx, depth=depth):
            return True
    return False


def _is_check(call: ast.Call, function: shapes.FunctionNode, ctx: Context, *, depth: int) -> bool:
    func = call.func
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    if _words(name) & _CHECKS and not name.startswith("test_client"):
        return True
    helpers = ctx.once(_functions).get(name, ()) if depth == 0 else ()
    return any(helper is not function and _checks(helper, ctx, depth=1) for helper in helpers)


def _functions(ctx: Context) -> dict[str, list[shapes.FunctionNode]]:
    """The functions of a file by their names."""
    found: dict[str, list[shapes.FunctionNode]] = {}
    for kind in shapes.FUNCTIONS:
        for function in ctx.nodes(kind):
            found.setdefault(function.name, []).append(function)
    return found


def _is_explained(function: shapes.FunctionNode, ctx: Context) -> bool:
    return "#" in lines.around(ctx.span(function), ctx) or ast.get_docstring(function) is not None
