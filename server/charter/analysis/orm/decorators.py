"""What decorators say about a function."""

from __future__ import annotations

import ast


def is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method is read like an attribute."""
    return any(_decorator(d).endswith("property") for d in node.decorator_list)


def is_cached(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a property keeps its value on the instance."""
    return any("cached" in _decorator(d) for d in node.decorator_list)


def _decorator(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def decorator_name(node: ast.expr) -> str:
    """The last name of a decorator."""
    return _decorator(node)


def decorated_static(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method takes no receiver."""
    return decorated(node, "staticmethod")


def decorated(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    """Whether a function has a decorator of this last name."""
    return any(_decorator(d) == name for d in node.decorator_list)
