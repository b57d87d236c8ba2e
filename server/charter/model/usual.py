"""What an expression is unless somebody says otherwise: a parameter or an option its default, a variable its fallback.

It reads one file. What callers do say is known to the project (`analysis.callers`).
"""

from __future__ import annotations

import ast
from itertools import chain
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN
from charter.model.names import FUNCTIONS, keyword
from charter.model.values import Values

if TYPE_CHECKING:
    from charter.model.names import Binding, Scope

_FALLBACKS: Final = frozenset({"os.environ.get", "os.getenv"})
"""What gives a variable of the environment, or else its second argument, or else None."""
_PARSES: Final = frozenset({"parse_args", "parse_known_args", "parse_intermixed_args"})
_OPTIONS: Final = frozenset({"click.option", "rich_click.option"})
_DEFAULTS: Final = frozenset({"typer.Option", "typer.Argument"})
"""What stands where a parameter has its default, and is given it first."""


class Usual(Values):
    """The constants of one file where nobody says otherwise."""

    _plain_bases = Values._plain_bases | {"pydantic_settings.BaseSettings", "pydantic.BaseSettings"}  # noqa: SLF001

    def _step(self, expression: ast.expr) -> ast.expr | None:
        if isinstance(expression, ast.IfExp):
            asked = self.value(expression.test)
            if asked is UNKNOWN:
                return None
            return expression.body if asked else expression.orelse
        if isinstance(expression, ast.BoolOp):
            return self._decisive(expression)
        found = super()._step(expression)
        if found is None and isinstance(expression, ast.Attribute) and "add_argument" in self._source.words:
            return self._of_argument(expression)
        return found

    def _decisive(self, expression: ast.BoolOp) -> ast.expr | None:
        """The operand that `or` or `and` comes to."""
        stops = isinstance(expression.op, ast.Or)
        *before, last = expression.values
        for operand in before:
            value = self.value(operand)
            if value is UNKNOWN:
                return None
            if bool(value) is stops:
                return operand
        return last

    def _reaching(self, use: ast.Name, scope: Scope, bindings: list[Binding]) -> ast.expr | None:
        found = super()._reaching(use, scope, bindings)
        if found is not None or len(bindings) != 1 or not isinstance(scope, (*FUNCTIONS, ast.Lambda)):
            return found
        return _default(scope.args, bindings[0].node) or self._of_command(scope, use.id)

    def _of_command(self, function: ast.AST, parameter: str) -> ast.expr | None:
        """The default of the option of `click` that a function is given as a parameter."""
        if not isinstance(function, FUNCTIONS):
            return None
        found = [
            decorator
            for decorator in function.decorator_list
            if isinstance(decorator, ast.Call)
            and _declares(decorator, parameter)
            and self._names.qualified(decorator.func) in _OPTIONS
        ]
        return keyword(found[0], "default") if len(found) == 1 else None

    def _of_argument(self, read: ast.Attribute) -> ast.expr | None:
        """The default of the argument of `argparse` that is read as an attribute, if the file declares it once."""
        calls = [self._source.parent(method) for method in self._source.gets.get("add_argument", ())]
        found = [call for call in calls if isinstance(call, ast.Call) and _declares(call, read.attr)]
        if len(found) != 1 or not self._is_parsed(self.origin(read.value)):
            return None
        return keyword(found[0], "default")

    def _is_parsed(self, value: ast.expr) -> bool:
        """Whether a value is what a parser has read, at once or in a function of this file that returns it in the end."""
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            bound = self._bound_once(value.func, value)
            function = None if bound is None else bound.node
            last = function.body[-1] if isinstance(function, ast.FunctionDef) else None
            value = self.origin(last.value) if isinstance(last, ast.Return) and last.value else value
        return (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Attribute)
            and value.func.attr in _PARSES
        )

    def _eval_call(self, node: ast.Call, depth: int) -> object:
        name = self._names.qualified(node.func)
        if name in _FALLBACKS and node.args and not node.keywords:
            return self._eval(node.args[1], depth) if len(node.args) > 1 else None
        if name in _DEFAULTS and node.args:
            return self._eval(node.args[0], depth)
        return super()._eval_call(node, depth)


def _default(arguments: ast.arguments, parameter: ast.AST) -> ast.expr | None:
    """The default of a parameter."""
    positional = [*arguments.posonlyargs, *arguments.args]
    told = zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return next((default for one, default in chain(told, named) if one is parameter), None)


def _declares(call: ast.Call, name: str) -> bool:
    """Whether a call declares the option that a program reads under a name."""
    told = keyword(call, "dest")
    if told is not None:
        return isinstance(told, ast.Constant) and told.value == name
    words = [
        word.value for word in call.args if isinstance(word, ast.Constant) and isinstance(word.value, str)
    ]
    # A word without `-` is the name itself, else the first long option is it, else the first.
    ranked = sorted(
        words, key=lambda word: 0 if not word.startswith("-") else 1 if word.startswith("--") else 2
    )
    return bool(ranked) and ranked[0].partition("/")[0].lstrip("-").replace("-", "_") == name
