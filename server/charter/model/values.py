"""What constant an expression has in every run. It reads one file; which expression a name stands for is known to `origins`.

Nothing of the program under review is ever run: literals are read, and operators, a few string methods and a few
builtins are computed on them by us, within limits of size.
"""

from __future__ import annotations

import ast
import operator
import posixpath
import re
import stat
import string
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from charter.api import UNKNOWN, regex
from charter.model.origins import DEEPEST, Origins, holder, only_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.model.names import Names
    from charter.syntax.source import Source

T = TypeVar("T")

_LIMIT: Final = 20_000
_HEAVIEST: Final = 500_000
_MOST: Final = 5_000_000
_CONTAINERS: Final = (list, tuple, set, frozenset, dict)

_OPERATORS: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Div: lambda left, right: left / right,
    ast.BitOr: lambda left, right: left | right,
    ast.BitAnd: lambda left, right: left & right,
    ast.BitXor: lambda left, right: left ^ right,
    ast.RShift: lambda left, right: left >> right,
}
_COMPARISONS: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_UNARY: Final[dict[type[ast.unaryop], Callable[[Any], Any]]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
_METHODS: Final = frozenset(
    {
        "capitalize", "casefold", "decode", "encode", "endswith", "hex", "join", "lower", "lstrip", "partition",
        "removeprefix", "removesuffix", "replace", "rpartition", "rsplit", "rstrip", "split", "splitlines",
        "startswith", "strip", "title", "upper",
    }
)  # fmt: skip
_BUILTINS: Final[dict[str, Callable[..., Any]]] = {
    f"builtins.{kind.__name__}": kind
    for kind in (
        bool,
        int,
        float,
        str,
        bytes,
        len,
        tuple,
        list,
        set,
        frozenset,
        dict,
        abs,
        chr,
        ord,
        min,
        max,
        sorted,
    )
}
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    **_BUILTINS,
    "re.escape": re.escape,
    "os.path.join": posixpath.join,
    "posixpath.join": posixpath.join,
}
_WIDE: Final = regex(r"[%:].*\d{4}|\*")
_WIDE_FIELD: Final = regex(r"%(?:\([^)]*\))?[-#0 +]*(?:\*|\d{4}|\d*\.(?:\*|\d{4}))")
"""A field of a `%` format that may become very wide: with `*` or a large number."""
_PLAIN_FIELD: Final = regex(r"\{(\w*)(?:![rsa])?(?::[^{}]*)?\}")


class _UnknownValueError(Exception):
    """The value of a part of an expression is not known."""


class Values(Origins):
    """The constants of one file.

    Args:
        source: the file.
        names: its names.
    """

    def __init__(self, source: Source, names: Names) -> None:
        super().__init__(source, names)
        self._known: dict[ast.AST, object] = {}

    def value(self, expression: ast.AST) -> object:
        """The constant that an expression has in every run, or `UNKNOWN`."""
        if type(expression) is ast.Constant:
            return expression.value
        try:
            return self._eval(expression, 0)
        except _UnknownValueError:
            return UNKNOWN

    def _inherited(self, attribute: ast.Attribute) -> object:
        """The constant that `self.name` has from a base class in another file."""
        owner = attribute.value
        definition = self._class_around(attribute) if isinstance(owner, ast.Name) else None
        while definition is not None and not self._members_of(definition).get(attribute.attr):
            base = self._base_here(definition)
            if base is None and len(definition.bases) == 1:
                name = self._names.qualified(definition.bases[0])
                return self._names.elsewhere.value(f"{name}.{attribute.attr}") if name else UNKNOWN
            definition = base
        return UNKNOWN

    # Evaluation
    def _eval(self, expression: ast.AST, depth: int) -> object:
        if type(expression) is ast.Constant:
            return expression.value
        if depth > DEEPEST:
            raise _UnknownValueError
        if expression in self._known:
            known = self._known[expression]
            if known is UNKNOWN:
                raise _UnknownValueError
            return known
        self._known[expression] = UNKNOWN
        questions = self._names.elsewhere.questions
        try:
            result = self._compute(expression, depth)
        except _UnknownValueError:
            if self._names.elsewhere.questions > questions:
                del self._known[expression]  # so that the next rule that wants it asks as well
            raise
        self._known[expression] = result
        return result

    def _compute(self, expression: ast.AST, depth: int) -> object:
        method = getattr(self, f"_eval_{type(expression).__name__.lower()}", None)
        if method is None:
            raise _UnknownValueError
        try:
            result = method(expression, depth + 1)
        except (ArithmeticError, ValueError, TypeError, LookupError, AttributeError, MemoryError) as error:
            raise _UnknownValueError from error
        if result is UNKNOWN:
            raise _UnknownValueError
        return result

    def _eval_name(self, node: ast.Name, depth: int) -> object:
        value = self._step(node)
        if value is None:
            return self._imported(node)
        result = self._eval(value, depth)
        if type(result) in {list, dict, set} and self.is_changed(holder(node)):
            raise _UnknownValueError
        return result

    def _eval_attribute(self, node: ast.Attribute, depth: int) -> object:
        value = self._step(node)
        if value is not None:
            result = self._eval(value, depth)
            if type(result) in {list, dict, set} and self.is_changed(holder(node)):
                raise _UnknownValueError
            return result
        if isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
            return self._inherited(node)
        return self._imported(node)

    def _imported(self, node: ast.expr) -> object:
        """A constant of another file, or of the standard library, that programs build values from."""
        name = self._names.qualified(node)
        module, _, last = (name or "").rpartition(".")
        owner = {"re": re, "stat": stat, "string": string}.get(module)
        value = getattr(owner, last, UNKNOWN) if owner is not None and not last.startswith("_") else UNKNOWN
        if isinstance(value, int):
            return int(value)
        if isinstance(value, str):
            return value
        return self._names.elsewhere.value(name) if name else UNKNOWN

    def _eval_namedexpr(self, node: ast.NamedExpr, depth: int) -> object:
        return self._eval(node.value, depth)

    def _eval_tuple(self, node: ast.Tuple, depth: int) -> object:
        return _small(tuple(self._items(node.elts, depth)))

    def _eval_list(self, node: ast.List, depth: int) -> object:
        return _small(self._items(node.elts, depth))

    def _eval_set(self, node: ast.Set, depth: int) -> object:
        return _small(set(self._items(node.elts, depth)))

    def _items(self, nodes: list[ast.expr], depth: int) -> list[Any]:
        items: list[Any] = []
        for node in nodes:
            if type(node) is ast.Starred:
                items.extend(self._any(node.value, depth))
                if len(items) > _HEAVIEST:
                    raise _UnknownValueError
            else:
                items.append(self._eval(node, depth))
        return items

    def _any(self, node: ast.AST, depth: int) -> Any:
        return self._eval(node, depth)

    def _eval_dict(self, node: ast.Dict, depth: int) -> object:
        result: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                result.update(self._any(value, depth))
            else:
                result[self._eval(key, depth)] = self._eval(value, depth)
        return _small(result)

    def _eval_binop(self, node: ast.BinOp, depth: int) -> object:
        left, right = self._any(node.left, depth), self._any(node.right, depth)
        if isinstance(node.op, ast.Mod):
            if isinstance(left, (str, bytes)) and (_WIDE_FIELD.search(str(left)) or _is_much(left, [right])):
                raise _UnknownValueError
            return _small(left % right)
        if isinstance(node.op, ast.Mult):
            size = next((len(each) for each in (left, right) if hasattr(each, "__len__")), None)
            factor = next((each for each in (left, right) if isinstance(each, int)), 1)
            if size is not None and size * factor > _LIMIT:
                raise _UnknownValueError
            return _small(left * right)
        if isinstance(node.op, ast.Pow):
            return _small(left**right) if abs(left) <= 65536 and 0 <= right <= 64 else UNKNOWN
        if isinstance(node.op, ast.LShift):
            return left << right if 0 <= right <= 4096 else UNKNOWN
        compute = _OPERATORS.get(type(node.op))
        return UNKNOWN if compute is None else _small(compute(left, right))

    def _eval_unaryop(self, node: ast.UnaryOp, depth: int) -> object:
        return _UNARY[type(node.op)](self._any(node.operand, depth))

    def _eval_boolop(self, node: ast.BoolOp, depth: int) -> object:
        stops = isinstance(node.op, ast.Or)
        result: object = None
        for value in node.values:
            result = self._eval(value, depth)
            if bool(result) is stops:
                break
        return result

    def _eval_compare(self, node: ast.Compare, depth: int) -> object:
        left = self._eval(node.left, depth)
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self._eval(comparator, depth)
            if not _COMPARISONS[type(op)](left, right):
                return False
            left = right
        return True

    def _eval_ifexp(self, node: ast.IfExp, depth: int) -> object:
        return self._eval(node.body if self._eval(node.test, depth) else node.orelse, depth)

    def _eval_joinedstr(self, node: ast.JoinedStr, depth: int) -> object:
        return _small("".join(str(self._eval(part, depth)) for part in node.values))

    def _eval_formattedvalue(self, node: ast.FormattedValue, depth: int) -> object:
        value = self._eval(node.value, depth)
        if node.conversion > 0:
            value = {"s": str, "r": repr, "a": ascii}[chr(node.conversion)](value)
        spec = str(self._eval(node.format_spec, depth)) if node.format_spec is not None else ""
        if re.search(r"\d{4}", spec):
            raise _UnknownValueError
        return format(value, spec)

    def _eval_subscript(self, node: ast.Subscript, depth: int) -> object:
        owner = self._any(node.value, depth)
        if isinstance(node.slice, ast.Slice):
            parts = (node.slice.lower, node.slice.upper, node.slice.step)
            bounds = [None if part is None else self._any(part, depth) for part in parts]
            return owner[slice(*bounds)]
        return owner[self._any(node.slice, depth)]

    def _eval_call(self, node: ast.Call, depth: int) -> object:
        if any(keyword.arg is None for keyword in node.keywords):
            raise _UnknownValueError
        name = self._names.qualified(node.func)
        function = _FUNCTIONS.get(name or "")
        if function is not None:
            arguments = self._items(node.args, depth)
            keywords = {str(keyword.arg): self._any(keyword.value, depth) for keyword in node.keywords}
            return _small(function(*arguments, **keywords))
        if isinstance(node.func, ast.Attribute) and (name is None or node.func.attr in {"get", *_METHODS}):
            return self._method(node, node.func, depth)
        if isinstance(node.func, ast.Name):
            return self._any(self._only_result(node.func), depth)
        raise _UnknownValueError

    def _only_result(self, called: ast.Name) -> ast.expr:
        """What a function of this file returns that does nothing else."""
        bound = self._bound_once(called, called)
        function = None if bound is None else bound.node
        if not isinstance(function, ast.FunctionDef) or function.decorator_list:
            raise _UnknownValueError
        result = only_result(function)
        if result is None:
            raise _UnknownValueError
        return result

    def _method(self, node: ast.Call, function: ast.Attribute, depth: int) -> object:
        owner = self._any(function.value, depth)
        arguments = self._items(node.args, depth)
        keywords = {str(keyword.arg): self._any(keyword.value, depth) for keyword in node.keywords}
        name = function.attr
        if type(owner) is dict and name in {"get", "keys", "values", "items", "copy"}:
            return getattr(cast("Any", owner), name)(*arguments)
        if not isinstance(owner, (str, bytes)):
            raise _UnknownValueError
        if name == "format" and isinstance(owner, str):
            much = _is_much(owner, [*arguments, *keywords.values()])
            if (
                much
                or _WIDE.search(owner)
                or _PLAIN_FIELD.sub("", owner).strip("{}") != _PLAIN_FIELD.sub("", owner)
            ):
                raise _UnknownValueError
            return _small(owner.format(*arguments, **keywords))
        if name not in _METHODS or _is_much(owner, arguments):
            raise _UnknownValueError
        return _small(getattr(owner, name)(*arguments, **keywords))


def _small(value: T) -> T:
    if _is_large(value):
        raise _UnknownValueError
    return value


def _is_large(value: Any) -> bool:
    if type(value) is int:
        return value.bit_length() > 8192
    if isinstance(value, (str, bytes)):
        return len(value) > _LIMIT
    return isinstance(value, _CONTAINERS) and _weight([value]) > _HEAVIEST


def _is_much(text: str | bytes, given: list[Any]) -> bool:
    """Whether a text that is put together of this could fill the memory before its size is known."""
    return (len(text) + 1) * _weight(given) > _MOST


def _weight(values: list[Any]) -> int:
    """How much values hold, in items and characters; more than `_HEAVIEST` is not counted to the end.

    A list that holds another one a hundred times takes no room, but what goes through it takes a hundred times as long,
    and a few such lists in one another take for ever.
    """
    total = 0
    pending = list(values)
    while pending and total <= _HEAVIEST:
        value = pending.pop()
        total += len(value) if isinstance(value, (str, bytes)) else 1
        if isinstance(value, dict):
            pending.extend(cast("dict[Any, Any]", value))
            pending.extend(cast("dict[Any, Any]", value).values())
        elif isinstance(value, _CONTAINERS):
            pending.extend(cast("list[Any]", value))
    return total
