"""What an expression is unless somebody says otherwise: a parameter its default, a variable of the environment its fallback.

It reads one file. What callers do say is known to the project (`analysis.callers`).
"""

from __future__ import annotations

import ast
from itertools import chain
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN
from charter.model.names import FUNCTIONS
from charter.model.values import Values

if TYPE_CHECKING:
    from charter.model.names import Binding, Scope

_FALLBACKS: Final = frozenset({"os.environ.get", "os.getenv"})
"""What gives a variable of the environment, or else its second argument, or else None."""


class Usual(Values):
    """The constants of one file where nobody says otherwise."""

    def _step(self, expression: ast.expr) -> ast.expr | None:
        if isinstance(expression, ast.IfExp):
            asked = self.value(expression.test)
            if asked is UNKNOWN:
                return None
            return expression.body if asked else expression.orelse
        if isinstance(expression, ast.BoolOp):
            return self._decisive(expression)
        return super()._step(expression)

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
        return _default(scope.args, bindings[0].node)

    def _eval_call(self, node: ast.Call, depth: int) -> object:
        if self._names.qualified(node.func) in _FALLBACKS and node.args and not node.keywords:
            return self._eval(node.args[1], depth) if len(node.args) > 1 else None
        return super()._eval_call(node, depth)


def _default(arguments: ast.arguments, parameter: ast.AST) -> ast.expr | None:
    """The default of a parameter."""
    positional = [*arguments.posonlyargs, *arguments.args]
    told = zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return next((default for one, default in chain(told, named) if one is parameter), None)
