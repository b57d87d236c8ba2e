"""How a file asks the project about the calls of its own functions. It knows no answers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.model.names import FUNCTIONS

if TYPE_CHECKING:
    from charter.model.names import Names

    Function = ast.FunctionDef | ast.AsyncFunctionDef


def about_parameter(names: Names, expression: ast.expr, keyword: str = "") -> str:
    """The question what calls give to a parameter; "" if an expression refers to none.

    Args:
        names: the names of the file.
        expression: a name.
        keyword: which keyword, if the parameter is a `**keywords`.
    """
    if not isinstance(expression, ast.Name):
        return ""
    found = names.lookup(expression.id, expression)
    if found is None or len(found[1]) != 1 or not isinstance(found[1][0].node, ast.arg):
        return ""
    function, parameter = found[0], found[1][0].node
    if not isinstance(function, FUNCTIONS):
        return ""
    if parameter is function.args.kwarg:
        return f"{names.definition(function)}(:{keyword})" if keyword else ""
    places = [*function.args.posonlyargs, *function.args.args]
    position = ""
    if parameter in places:
        first = places.index(parameter) - _is_bound(names, function)
        position = str(first) if first >= 0 else ""
    elif parameter not in function.args.kwonlyargs:
        return ""
    return f"{names.definition(function)}({position}:{parameter.arg})"


def about_result(names: Names, function: Function) -> str:
    """The question what calls call the result of a function."""
    return f"{names.definition(function)}(->:)"


def _is_bound(names: Names, function: Function) -> bool:
    """Whether a function is a method, whose object stands before the dot."""
    return isinstance(names.source.parent(function), ast.ClassDef) and not any(
        isinstance(item, ast.Name) and item.id == "staticmethod" for item in function.decorator_list
    )
