"""Finds special methods that refuse with an exception that Python does not understand there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_WANTED = {
    "__getattr__": ("AttributeError", "`hasattr` and `getattr` with a default understand"),
    "__getattribute__": ("AttributeError", "`hasattr` and `getattr` with a default understand"),
    "__getitem__": ("IndexError` or `KeyError", "`in`, `for` and `get` understand"),
    "__next__": ("StopIteration", "`for` understands"),
    "__hash__": ("TypeError", "whoever puts it into a set understands"),
    "__iter__": ("TypeError", "whoever goes through it understands"),
    "__eq__": ("", "`in` and whoever compares; give `NotImplemented` back instead"),
    "__lt__": ("", "whoever compares; give `NotImplemented` back instead"),
    "__le__": ("", "whoever compares; give `NotImplemented` back instead"),
    "__gt__": ("", "whoever compares; give `NotImplemented` back instead"),
    "__ge__": ("", "whoever compares; give `NotImplemented` back instead"),
    "__ne__": ("", "`in` and whoever compares; give `NotImplemented` back instead"),
    "__add__": ("", "`+` with the other object's `__radd__`; give `NotImplemented` back instead"),
    "__sub__": ("", "`-` with the other object's `__rsub__`; give `NotImplemented` back instead"),
    "__mul__": ("", "`*` with the other object's `__rmul__`; give `NotImplemented` back instead"),
    "__or__": ("", "`|` with the other object's `__ror__`; give `NotImplemented` back instead"),
    "__and__": ("", "`&` with the other object's `__rand__`; give `NotImplemented` back instead"),
}
_WRONG = {
    "__getattr__": frozenset({"KeyError", "IndexError", "NotImplementedError", "ValueError", "TypeError"}),
    "__getattribute__": frozenset({"KeyError", "IndexError", "NotImplementedError", "ValueError"}),
    "__getitem__": frozenset({"AttributeError", "NotImplementedError"}),
    "__next__": frozenset({"IndexError", "KeyError", "GeneratorExit"}),
    "__hash__": frozenset({"NotImplementedError", "ValueError", "AttributeError", "Exception"}),
    "__iter__": frozenset({"NotImplementedError", "AttributeError"}),
}
_NOT_COMPARED = frozenset({"NotImplementedError"})


@rule(
    ast.Raise,
    code="MNT232",
    principles=("deliberate-errors", "robust-comparisons"),
    severity=Severity.LOW,
)
def wrong_special_error(statement: ast.Raise, ctx: Context) -> Iterator[Finding]:
    """A special method refuses with an exception that its callers do not expect.

    Python asks special methods and understands certain answers: `AttributeError` from `__getattr__` makes `hasattr` give
    False, `IndexError` from `__getitem__` ends a `for`, `NotImplemented` from `__eq__` lets the other object try. Any
    other exception breaks through them to whoever asked.

    Methods that only refuse, in classes for others to complete, are left alone, and so is what the method itself catches.

    ```python bad
    class Settings:
        def __getattr__(self, name):
            if name not in self.values:
                raise KeyError(name)
    #                 ^^^^^^^^^^^^^^ `__getattr__` refuses with `KeyError`; `AttributeError` is what `hasattr` and `getattr` with a default understand
            return self.values[name]
    ```
    ```python good
    class Settings:
        def __getattr__(self, name):
            if name not in self.values:
                raise AttributeError(name)
            return self.values[name]
    ```
    """
    function = ctx.function(statement)
    if function is None or function.name not in _WANTED or not isinstance(ctx.parent(function), ast.ClassDef):
        ctx.not_an_opportunity()
        return
    raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
    name = (ctx.name(raised) or "").removeprefix("builtins.") if raised is not None else ""
    is_compared = function.name not in _WRONG
    if name not in (_NOT_COMPARED if is_compared else _WRONG[function.name]) or statement.exc is None:
        return
    only = shapes.without_docstring(function.body)
    if only[0] is statement and name == "NotImplementedError":
        return  # for a class below to say
    if is_compared and _is_guarded(statement, ctx):
        return
    around = ctx.parent(statement)
    if function.name == "__next__" and isinstance(around, ast.If) and "None" in ctx.source(around.test):
        return  # something was not prepared, and this is not the end
    if _is_caught(statement, name, ctx):
        return
    wanted, who = _WANTED[function.name]
    if is_compared:
        message = f"`{function.name}` refuses with `{name}`, which breaks {who}"
    else:
        message = f"`{function.name}` refuses with `{name}`; `{wanted}` is what {who}"
    yield ctx.finding(statement.exc, message)


def _is_caught(statement: ast.Raise, name: str, ctx: Context) -> bool:
    child: ast.AST = statement
    for ancestor in ctx.ancestors(statement):
        if isinstance(ancestor, shapes.FUNCTIONS):
            return False
        if isinstance(ancestor, ast.Try) and child in ancestor.body:
            return any(
                handler.type is None or name in ctx.source(handler.type) for handler in ancestor.handlers
            )
        child = ancestor
    return False


def _is_guarded(statement: ast.Raise, ctx: Context) -> bool:
    """Whether it is not the kind of the other object that is refused."""
    for ancestor in ctx.ancestors(statement):
        if isinstance(ancestor, ast.If) and "isinstance" in ctx.source(ancestor.test):
            return False
        if isinstance(ancestor, shapes.FUNCTIONS):
            break
    siblings = getattr(ctx.parent(statement), "body", [])
    return not any(isinstance(item, ast.If) and "isinstance" in ctx.source(item.test) for item in siblings)
