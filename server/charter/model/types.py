"""Of which class an expression's value is, where the file itself makes it certain. It knows no other file.

Sources: literals, calls of classes, annotations, and a table of what factories of the standard library and of a few
common libraries return, from their documentation.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.model.names import FUNCTIONS
from charter.model.values import Values

if TYPE_CHECKING:
    from charter.model.names import Names
    from charter.syntax.source import Source

_LITERALS: Final[dict[type[ast.AST], str]] = {
    ast.List: "builtins.list",
    ast.ListComp: "builtins.list",
    ast.Tuple: "builtins.tuple",
    ast.Dict: "builtins.dict",
    ast.DictComp: "builtins.dict",
    ast.Set: "builtins.set",
    ast.SetComp: "builtins.set",
    ast.JoinedStr: "builtins.str",
    ast.GeneratorExp: "types.GeneratorType",
}

_RETURNS: Final[dict[str, str]] = {
    "asyncpg.connect": "asyncpg.Connection",
    "builtins.open": "io.IOBase",
    "builtins.sorted": "builtins.list",
    "builtins.repr": "builtins.str",
    "builtins.input": "builtins.str",
    "io.open": "io.IOBase",
    "logging.getLogger": "logging.Logger",
    "loguru.logger": "loguru.Logger",
    "MySQLdb.connect": "MySQLdb.connections.Connection",
    "mysql.connector.connect": "mysql.connector.MySQLConnection",
    "psycopg.connect": "psycopg.Connection",
    "psycopg2.connect": "psycopg2.extensions.connection",
    "pymysql.connect": "pymysql.connections.Connection",
    "re.compile": "re.Pattern",
    "requests.session": "requests.Session",
    "socket.create_connection": "socket.socket",
    "sqlite3.connect": "sqlite3.Connection",
    "ssl.create_default_context": "ssl.SSLContext",
    "ssl._create_unverified_context": "ssl.SSLContext",
    "ssl._create_default_https_context": "ssl.SSLContext",
    "sqlalchemy.create_engine": "sqlalchemy.engine.Engine",
    "structlog.get_logger": "structlog.BoundLogger",
    "subprocess.run": "subprocess.CompletedProcess",
    "django.http.HttpResponse": "django.http.HttpResponse",
    "flask.make_response": "flask.Response",
}

_METHODS: Final[dict[tuple[str, str], str]] = {
    ("MySQLdb.connections.Connection", "cursor"): "MySQLdb.cursors.Cursor",
    ("mysql.connector.MySQLConnection", "cursor"): "mysql.connector.cursor.MySQLCursor",
    ("psycopg.Connection", "cursor"): "psycopg.Cursor",
    ("psycopg2.extensions.connection", "cursor"): "psycopg2.extensions.cursor",
    ("pymysql.connections.Connection", "cursor"): "pymysql.cursors.Cursor",
    ("sqlite3.Connection", "cursor"): "sqlite3.Cursor",
    ("sqlite3.Connection", "execute"): "sqlite3.Cursor",
    ("sqlalchemy.engine.Engine", "connect"): "sqlalchemy.engine.Connection",
    ("sqlalchemy.engine.Engine", "begin"): "sqlalchemy.engine.Connection",
}

_CONSTRUCTORS_IN_LOWER_CASE: Final = frozenset(
    {
        "socket.socket", "collections.deque", "collections.defaultdict", "datetime.datetime", "datetime.date",
        "datetime.timedelta", "array.array", "builtins.list", "builtins.dict", "builtins.set", "builtins.str",
        "builtins.int", "builtins.float", "builtins.bytes", "builtins.bytearray", "builtins.tuple", "builtins.bool",
        "builtins.frozenset", "threading.local",
    }
)  # fmt: skip
_CHOOSE: Final = frozenset({"builtins.max", "builtins.min"})
"""Functions that give one of what they are given."""
_WRAPPERS: Final = frozenset({"typing.Optional", "typing.Final", "typing.Annotated", "typing.ClassVar"})


class Types:
    """The classes of one file's values.

    Args:
        source: the file.
        names: its names.
    """

    def __init__(self, source: Source, names: Names) -> None:
        self._source = source
        self._names = names
        self._values = Values(source, names)
        self._active: set[ast.AST] = set()

    def name(self, expression: ast.AST) -> str | None:
        """The qualified name of the class of an expression's value; None where it is not certain."""
        if expression in self._active or len(self._active) > 30:
            return None
        self._active.add(expression)
        try:
            return self._name(expression)
        finally:
            self._active.discard(expression)

    def _name(self, expression: ast.AST) -> str | None:
        if isinstance(expression, ast.Constant):
            kind = type(expression.value)
            return None if expression.value is None or kind is type(...) else f"builtins.{kind.__name__}"
        literal = _LITERALS.get(type(expression))
        if literal is not None:
            return literal
        if isinstance(expression, ast.Call):
            return self._call(expression)
        if isinstance(expression, (ast.Await, ast.NamedExpr)):
            return self.name(expression.value)
        if isinstance(expression, ast.BinOp):
            return self._binary(expression)
        if isinstance(expression, ast.IfExp):
            body, other = self.name(expression.body), self.name(expression.orelse)
            return body if body == other else None
        if isinstance(expression, (ast.Name, ast.Attribute)):
            return self._variable(expression)
        return None

    def _call(self, call: ast.Call) -> str | None:
        name = self._names.qualified(call.func)
        if name is not None:
            known = _RETURNS.get(name)
            if known is not None:
                return known
            if name in _CHOOSE:
                return self._shared(call.args)
            last = name.rpartition(".")[2]
            if last[:1].isupper() or name in _CONSTRUCTORS_IN_LOWER_CASE:
                return name
            return self._returned(call.func)
        if isinstance(call.func, ast.Attribute):
            owner = self.name(call.func.value)
            if owner == "builtins.str" and call.func.attr in {
                "format",
                "join",
                "lower",
                "upper",
                "strip",
                "replace",
            }:
                return "builtins.str"
            return _METHODS.get((owner or "", call.func.attr))
        return None

    def _shared(self, values: list[ast.expr]) -> str | None:
        """The class of all of several values; None where they differ, or a single one holds what there is to choose from."""
        kinds = {self.name(value) for value in values}
        return kinds.pop() if len(values) > 1 and len(kinds) == 1 else None

    def _returned(self, function: ast.expr) -> str | None:
        """The annotated result of a function of this file."""
        if not isinstance(function, ast.Name):
            return None
        found = self._names.lookup(function.id, function)
        if found is None or len(found[1]) != 1:
            return None
        definition = found[1][0].node
        if isinstance(definition, FUNCTIONS) and definition.returns is not None:
            return self.annotated(definition.returns)
        return None

    def _binary(self, node: ast.BinOp) -> str | None:
        left = self.name(node.left)
        if left in {"builtins.str", "builtins.bytes"} and isinstance(node.op, (ast.Mod, ast.Add)):
            return left
        right = self.name(node.right)
        return left if left == right and left in {"builtins.str", "builtins.int", "builtins.list"} else None

    def _variable(self, expression: ast.Name | ast.Attribute) -> str | None:
        origin = self._values.origin(expression)
        if origin is not expression:
            found = self.name(origin)
            if found is not None:
                return found
        if isinstance(expression, ast.Name):
            return self._bound(expression)
        return None

    def _bound(self, name: ast.Name) -> str | None:
        """The class of an annotated name, an annotated parameter or the target of a `with`."""
        found = self._names.lookup(name.id, name)
        if found is None:
            return None
        bindings = found[1]
        first = bindings[0].node
        if isinstance(first, ast.arg) and len(bindings) == 1:
            return self.annotated(first.annotation) if first.annotation is not None else None
        parent = self._source.parent(first)
        if isinstance(parent, ast.AnnAssign):
            return self.annotated(parent.annotation)
        if isinstance(parent, ast.withitem) and len({ast.dump(b.node) for b in bindings}) == 1:
            kinds = {self._entered(b.node) for b in bindings}
            return kinds.pop() if len(kinds) == 1 else None
        return None

    def _entered(self, target: ast.AST) -> str | None:
        parent = self._source.parent(target)
        return self.name(parent.context_expr) if isinstance(parent, ast.withitem) else None

    def annotated(self, annotation: ast.expr) -> str | None:
        """The class that an annotation names; `X | None` and `Optional[X]` name X."""
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            return self._quoted(annotation)
        if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
            sides = [side for side in (annotation.left, annotation.right) if not _is_none(side)]
            return self.annotated(sides[0]) if len(sides) == 1 else None
        if isinstance(annotation, ast.Subscript):
            outer = self._names.qualified(annotation.value)
            if outer in _WRAPPERS:
                inner = annotation.slice
                if isinstance(inner, ast.Tuple):
                    return (
                        self.annotated(inner.elts[0]) if outer == "typing.Annotated" and inner.elts else None
                    )
                return self.annotated(inner)
            return outer
        return self._names.qualified(annotation)

    def _quoted(self, annotation: ast.Constant) -> str | None:
        """A forward reference: dotted names only."""
        text = str(annotation.value)
        head, _, rest = text.partition(".")
        if not all(part.isidentifier() for part in text.split(".")):
            return None
        found = self._names.lookup(head, annotation)
        if found is None:
            return (
                f"builtins.{text}"
                if text in {"str", "bytes", "int", "float", "bool", "list", "dict"}
                else None
            )
        binding = found[1][0]
        if binding.target:
            return f"{binding.target}.{rest}" if rest else binding.target
        if isinstance(binding.node, ast.ClassDef) and not rest:
            return self._names.definition(binding.node)
        return None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
