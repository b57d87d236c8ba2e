"""The `ast` node classes that newer Pythons have: the host's own where it has them, else stand-ins with the same fields.

It knows shapes, not how they come about; `convert` makes them. Where the host is older than a node, the stand-in is a
subclass of the host's base class, so that walks over `_fields` and tests with `isinstance` work as on a newer host.
The fields are those of the grammar in the documentation of `ast` for Python 3.14; as in `ast` itself, a stand-in's
documentation is its grammar.
"""

# Nodes are made with their fields as keywords, like all of `ast`; one branch is dead on each host.
# pyright: reportUninitializedInstanceVariable=false, reportUnreachable=false, reportMissingSuperCall=false

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

if sys.version_info >= (3, 12):
    from ast import ParamSpec, TypeAlias, TypeVar, TypeVarTuple, type_param
else:

    class type_param(ast.AST):  # noqa: N801
        """A type parameter of a generic definition (PEP 695)."""

        _attributes = ("lineno", "col_offset", "end_lineno", "end_col_offset")
        lineno: int
        col_offset: int
        end_lineno: int
        end_col_offset: int

        if TYPE_CHECKING:

            def __init__(self, **fields: object) -> None: ...

    class TypeVar(type_param):
        """TypeVar(identifier name, expr? bound, expr? default_value)"""  # noqa: D415

        _fields = __match_args__ = ("name", "bound", "default_value")
        name: str
        bound: ast.expr | None = None
        default_value: ast.expr | None = None

    class ParamSpec(type_param):
        """ParamSpec(identifier name, expr? default_value)"""  # noqa: D415

        _fields = __match_args__ = ("name", "default_value")
        name: str
        default_value: ast.expr | None = None

    class TypeVarTuple(type_param):
        """TypeVarTuple(identifier name, expr? default_value)"""  # noqa: D415

        _fields = __match_args__ = ("name", "default_value")
        name: str
        default_value: ast.expr | None = None

    class TypeAlias(ast.stmt):
        """TypeAlias(expr name, type_param* type_params, expr value)"""  # noqa: D415

        _fields = __match_args__ = ("name", "type_params", "value")
        name: ast.Name
        type_params: list[type_param]
        value: ast.expr

        if TYPE_CHECKING:

            def __init__(self, **fields: object) -> None: ...


if sys.version_info >= (3, 14):
    from ast import Interpolation, TemplateStr
else:

    class TemplateStr(ast.expr):
        """TemplateStr(expr* values)"""  # noqa: D415

        _fields = __match_args__ = ("values",)
        values: list[ast.expr]

        if TYPE_CHECKING:

            def __init__(self, **fields: object) -> None: ...

    class Interpolation(ast.expr):
        """Interpolation(expr value, constant str, int conversion, expr? format_spec)"""  # noqa: D415

        _fields = __match_args__ = ("value", "str", "conversion", "format_spec")
        value: ast.expr
        str: object
        conversion: int
        format_spec: ast.expr | None = None

        if TYPE_CHECKING:

            def __init__(self, **fields: object) -> None: ...


class Broken(ast.stmt):
    """Broken(expr* names)"""  # noqa: D415

    # A statement that does not parse, and the names that its text mentions: they are used, who knows how.
    _fields = __match_args__ = ("names",)
    names: list[ast.expr]

    if TYPE_CHECKING:

        def __init__(self, **fields: object) -> None: ...


__all__ = [
    "Broken",
    "Interpolation",
    "ParamSpec",
    "TemplateStr",
    "TypeAlias",
    "TypeVar",
    "TypeVarTuple",
    "type_param",
]
