"""What the decorators of a function say about it, and whether it keeps its result."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import regex
from charter.model.names import decorator_name

if TYPE_CHECKING:
    from collections.abc import Callable

_KEEPING = regex(r"ache\b|\._\w+[^\n=]*=(?!=)")


def is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method is read like an attribute."""
    return any(decorator_name(d).endswith("property") for d in node.decorator_list)


def is_cached(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a property keeps its value on the instance."""
    return any("cached" in decorator_name(d) for d in node.decorator_list)


def decorated_static(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method takes no receiver."""
    return decorated(node, "staticmethod")


def decorated(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    """Whether a function has a decorator of this last name."""
    return any(decorator_name(d) == name for d in node.decorator_list)


def makes_context(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a generator is used by `with`."""
    return any(decorator_name(d) in {"contextmanager", "asynccontextmanager"} for d in node.decorator_list)


def keeps_result(node: ast.FunctionDef | ast.AsyncFunctionDef, source: Callable[[], str]) -> str:
    """Where a function keeps its result: a cache (`everywhere`), an attribute of its `instance`, nowhere ("").

    Args:
        node: the function.
        source: gives its text, which tells most of the time that there is nothing to look for.
    """
    if any(decorator_name(d) in {"lru_cache", "cache", "memoize", "cached"} for d in node.decorator_list):
        return "everywhere"
    return _keeps_by_itself(node) if _KEEPING.search(source()) else ""


def _keeps_by_itself(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    stored: set[str] = set()
    tested: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            if inner.func.attr in {"get", "get_or_set", "get_many"} and decorator_name(
                inner.func.value
            ).lower().endswith("cache"):
                return "everywhere"
        elif (
            isinstance(inner, ast.Attribute)
            and inner.attr.startswith("_")
            and isinstance(inner.ctx, ast.Store)
        ):
            stored.add(inner.attr)
        elif isinstance(inner, (ast.If, ast.Try, ast.IfExp)):
            test = inner.body[0] if isinstance(inner, ast.Try) else inner.test
            tested |= {n.attr for n in ast.walk(test) if isinstance(n, ast.Attribute)}
            tested |= {
                n.value for n in ast.walk(test) if isinstance(n, ast.Constant) and isinstance(n.value, str)
            }
    return "instance" if stored & tested else ""
