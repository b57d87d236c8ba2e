"""Which templates a file takes from an environment of Jinja, by the names that the code writes. It judges nothing.

What is in the templates is not seen.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import regex
from charter_rules import shapes

if TYPE_CHECKING:
    from charter.api import Context

_PAGE: Final = regex(r"(?i)\.x?html?(?:\.\w+)?$")
"""How the names of templates end that make pages: `report.html.j2`."""
_TAKEN_BY: Final = ("get_template", "render_template")


def is_page(name: str) -> bool:
    """Whether a template or file of this name makes a page."""
    return _PAGE.search(name) is not None


def taken(made: ast.Call, ctx: Context) -> list[list[str]]:
    """The names that each template may have which is taken in the function that makes an environment; [] for one of no known name.

    If none is taken there, those taken in the whole file.
    """
    every = ctx.once(_taken)
    around = ctx.function(made)
    return [names for function, names in every if function is around] or [names for _, names in every]


def pages(made: ast.Call, ctx: Context) -> list[str]:
    """Those of the names of templates so taken that are of pages."""
    return [name for names in taken(made, ctx) for name in names if is_page(name)]


def names(expression: ast.expr, ctx: Context) -> list[str]:
    """The name that an expression is known to be, else the texts that it is put together from or chosen among."""
    known = ctx.value(expression)
    if isinstance(known, str):
        return [known]
    made = _opened(expression, ctx) or ctx.origin(expression)
    return [text for text in map(_text, ast.walk(made)) if text]


def _opened(expression: ast.expr, ctx: Context) -> ast.expr | None:
    """What opens the file that an expression reads: `open(name)` for `file.read()` after `with open(name) as file`."""
    if not (isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute)):
        return None
    return shapes.entered(expression.func.value, ctx)


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _taken(ctx: Context) -> list[tuple[ast.AST | None, list[str]]]:
    """For each place of a file that takes a template: the function, and the names that the template may have."""
    calls = (ctx.parent(read) for method in _TAKEN_BY for read in ctx.gets.get(method, ()))
    return [
        (ctx.function(call), names(call.args[0], ctx))
        for call in calls
        if isinstance(call, ast.Call)
        and call.args
        and not (ctx.name(call.func) or "").startswith(("flask.", "quart."))
    ]
