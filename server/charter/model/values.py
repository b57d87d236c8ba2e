"""What constant an expression has in every run, and which expression gives a name its value. It reads one file.

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
from typing import TYPE_CHECKING, Any, Final, cast

from charter.api import UNKNOWN, regex
from charter.model.names import FUNCTIONS, Binding

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.model.names import Names, Scope
    from charter.syntax.source import Source

_LIMIT: Final = 20_000
_DEPTH: Final = 40

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
_OPEN_OBJECTS: Final = frozenset({"types.SimpleNamespace", "argparse.Namespace"})
"""Classes whose objects have just the attributes that they are made with."""
_MUTATORS: Final = frozenset(
    {
        "add", "append", "clear", "difference_update", "discard", "extend", "insert", "intersection_update", "pop",
        "popitem", "remove", "reverse", "setdefault", "sort", "symmetric_difference_update", "update",
    }
)  # fmt: skip


class _UnknownValueError(Exception):
    """The value of a part of an expression is not known."""


class Values:
    """The constants of one file.

    Args:
        source: the file.
        names: its names.
    """

    def __init__(self, source: Source, names: Names) -> None:
        self._source = source
        self._names = names
        self._known: dict[ast.AST, object] = {}
        self._changed: set[str] | None = None
        self._members: dict[ast.ClassDef, dict[str, list[ast.expr | None]]] = {}

    def value(self, expression: ast.AST) -> object:
        """The constant that an expression has in every run, or `UNKNOWN`."""
        if isinstance(expression, ast.Constant):
            return expression.value
        try:
            return self._eval(expression, 0)
        except _UnknownValueError:
            return UNKNOWN

    def origin(self, expression: ast.expr) -> ast.expr:
        """The expression that gives a name or `self` attribute its value, if it is bound once; else itself."""
        for _ in range(_DEPTH):
            step = self._step(expression)
            if step is None or step is expression:
                break
            expression = step
        return expression

    # Names
    def _step(self, expression: ast.expr) -> ast.expr | None:
        if isinstance(expression, ast.Name):
            found = self._names.lookup(expression.id, expression)
            return None if found is None else self._reaching(expression, *found)
        if isinstance(expression, ast.NamedExpr):
            return expression.value
        if isinstance(expression, ast.Subscript) and isinstance(expression.slice, ast.Constant):
            return self._item(expression.value, expression.slice.value)
        if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
            return self._attribute(expression, expression.value)
        return None

    def _item(self, owner: ast.expr, key: object) -> ast.expr | None:
        """The value under a key of a dictionary that is written out and never changed."""
        held = owner
        for _ in range(_DEPTH):
            # A name may stand for an item of what it stood for before: `rows = rows["all"]`.
            step = None if isinstance(held, ast.Subscript) and held is not owner else self._step(held)
            if step is None:
                break
            held = step
        if not isinstance(held, ast.Dict) or (isinstance(owner, ast.Name) and self.is_changed(owner.id)):
            return None
        found = [
            value
            for each, value in zip(held.keys, held.values, strict=True)
            if each is None or (isinstance(each, ast.Constant) and each.value == key)
        ]
        return found[0] if len(found) == 1 and None not in held.keys else None

    def _reaching(self, use: ast.Name, scope: Scope, bindings: list[Binding]) -> ast.expr | None:
        """The value of the one assignment that reaches a use of a name; None if that is not certain."""
        if len(bindings) == 1:
            binding = bindings[0]
            if isinstance(scope, ast.ClassDef) and self._names.scope(use) is not scope:
                return None
            return binding.value if not self._rebound_globally(use, scope) else None
        if self._names.scope(use) is not scope or isinstance(scope, ast.Lambda):
            return None
        place = (use.lineno, use.col_offset)
        before = [binding for binding in bindings if _place(binding.node) < place]
        while before and self._is_dead(self._statement(before[-1].node)):
            before.pop()
        if not before or before[-1].value is None:
            return None
        last = before[-1]
        if not self._dominates(last.node, use) or self._loops_back(bindings, last, use):
            return None
        return last.value

    def _rebound_globally(self, use: ast.Name, scope: Scope) -> bool:
        """Whether a function changes this module's variable through `global`."""
        if not isinstance(scope, ast.Module):
            return False
        return any(use.id in statement.names for statement in self._source.nodes(ast.Global))

    def _dominates(self, node: ast.AST, use: ast.AST) -> bool:
        """Whether the statement of a binding runs before a later use whenever the use runs."""
        before = self._statement(node)
        while self._branch(before) is True:
            before = self._source.parent(before) or before
        block = self._source.parent(before)
        at: ast.AST | None = self._statement(use)
        while at is not None:
            parent = self._source.parent(at)
            if parent is not None and parent is block:
                return _same_list(parent, before, at)
            at = parent
        return False

    def _branch(self, statement: ast.AST) -> bool | None:
        """Whether a branch of an `if` with a constant condition is the one that runs; None for another place."""
        parent = self._source.parent(statement)
        if not isinstance(parent, ast.If):
            return None
        taken = self.value(parent.test)
        if taken is UNKNOWN:
            return None
        return (statement in parent.body) is bool(taken)

    def _is_dead(self, statement: ast.AST) -> bool:
        """Whether a statement stands in a branch that never runs."""
        at: ast.AST | None = statement
        while isinstance(at, ast.stmt):
            if self._branch(at) is False:
                return True
            at = self._source.parent(at)
        return False

    def _loops_back(self, bindings: list[Binding], last: Binding, use: ast.AST) -> bool:
        """Whether a loop around the use, but not around its binding, binds the name again."""
        inside = set(self._ancestors(last.node))
        for parent in self._ancestors(use):
            if isinstance(parent, (ast.For, ast.AsyncFor, ast.While)) and parent not in inside:
                for binding in bindings:
                    if binding is not last and parent in self._ancestors(binding.node):
                        return True
        return False

    def _ancestors(self, node: ast.AST) -> list[ast.AST]:
        found: list[ast.AST] = []
        at = self._source.parent(node)
        while at is not None:
            found.append(at)
            at = self._source.parent(at)
        return found

    def _statement(self, node: ast.AST) -> ast.AST:
        at = node
        while not isinstance(at, ast.stmt):
            parent = self._source.parent(at)
            if parent is None:
                return at
            at = parent
        return at

    # Attributes
    def _attribute(self, attribute: ast.Attribute, owner: ast.Name) -> ast.expr | None:
        """The value of `self.name`, `cls.name` or `Class.name` that is bound once in the class."""
        definition: ast.ClassDef | None = None
        if owner.id in {"self", "cls"}:
            definition = self._class_around(attribute)
        else:
            found = self._names.lookup(owner.id, owner)
            if found is not None and len(found[1]) == 1:
                bound = found[1][0]
                if isinstance(bound.value, ast.Call):
                    return self._of_object(attribute, bound.value)
                definition = bound.node if isinstance(bound.node, ast.ClassDef) else None
        if definition is None:
            return None
        return self._member(definition, attribute.attr)

    def _of_object(self, attribute: ast.Attribute, made: ast.Call) -> ast.expr | None:
        """The value of an attribute of an object that one call makes, if its class alone gives it one, or the call does."""
        name = attribute.attr
        is_open = self._names.qualified(made.func) in _OPEN_OBJECTS
        definition = None if is_open else self.class_of(made)
        if not is_open and definition is None:
            return None
        if any(
            getattr(node.value, "id", "self") not in {"self", "cls"}
            for node in self._source.sets.get(name, ())
        ):
            return None
        given = next((keyword.value for keyword in made.keywords if keyword.arg == name), None)
        if definition is None or any(keyword.arg is None for keyword in made.keywords):
            return given if definition is None else None
        if given is not None:
            return None if self._members_of(definition).get("__init__") else given
        return self._member(definition, name)

    def class_of(self, made: ast.Call) -> ast.ClassDef | None:
        """The class of this file that a call makes an object of, if it alone and keywords fill the object."""
        called = made.func
        found = (
            self._names.lookup(called.id, called) if isinstance(called, ast.Name) and not made.args else None
        )
        node = found[1][0].node if found is not None and len(found[1]) == 1 else None
        return node if isinstance(node, ast.ClassDef) and self._is_whole(node) else None

    def _is_whole(self, definition: ast.ClassDef) -> bool:
        """Whether this file defines all bases of a class, so that nothing else fills its objects, such as the environment."""
        for _ in range(_DEPTH):
            if not definition.bases:
                return not definition.keywords
            base = self._base_here(definition)
            if base is None:
                return False
            definition = base
        return False

    def _member(self, definition: ast.ClassDef, name: str) -> ast.expr | None:
        """What a class, or else the first of its bases in this file, binds a member to, if only once."""
        for _ in range(_DEPTH):
            values = self._members_of(definition).get(name, [])
            if values:
                return values[0] if len(values) == 1 else None
            base = self._base_here(definition)
            if base is None:
                break
            definition = base
        return None

    def _base_here(self, definition: ast.ClassDef) -> ast.ClassDef | None:
        """The only base of a class, if this file defines it."""
        if len(definition.bases) != 1 or not isinstance(definition.bases[0], ast.Name):
            return None
        found = self._names.lookup(definition.bases[0].id, definition)
        if found is None or len(found[1]) != 1:
            return None
        node = found[1][0].node
        return node if isinstance(node, ast.ClassDef) else None

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

    def _class_around(self, node: ast.AST) -> ast.ClassDef | None:
        inner: ast.AST | None = None
        for parent in self._ancestors(node):
            if isinstance(parent, ast.ClassDef):
                return parent if isinstance(inner, FUNCTIONS) else None
            if isinstance(parent, FUNCTIONS):
                inner = parent
        return None

    def _members_of(self, definition: ast.ClassDef) -> dict[str, list[ast.expr | None]]:
        found = self._members.get(definition)
        if found is not None:
            return found
        found = self._members[definition] = {}
        for name, bindings in self._names.table(definition).items():
            found[name] = [binding.value for binding in bindings]
        for node in cast("list[ast.Attribute]", self._source.index.of_type_below(definition, ast.Attribute)):
            if (
                not isinstance(node.ctx, ast.Load)
                and isinstance(node.value, ast.Name)
                and node.value.id in {"self", "cls"}
            ):
                found.setdefault(node.attr, []).append(_assigned(self._source.parent(node), node))
        return found

    # Evaluation
    def _eval(self, expression: ast.AST, depth: int) -> object:
        if isinstance(expression, ast.Constant):
            return expression.value
        if depth > _DEPTH:
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
        if type(result) in {list, dict, set} and self.is_changed(node.id):
            raise _UnknownValueError
        return result

    def _eval_attribute(self, node: ast.Attribute, depth: int) -> object:
        value = self._step(node)
        if value is not None:
            return self._eval(value, depth)
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

    def is_changed(self, name: str) -> bool:
        """Whether something in the file changes the container of a name in place."""
        if self._changed is None:
            self._changed = _changed_in_place(self._source)
        return name in self._changed

    def _eval_namedexpr(self, node: ast.NamedExpr, depth: int) -> object:
        return self._eval(node.value, depth)

    def _eval_tuple(self, node: ast.Tuple, depth: int) -> object:
        return tuple(self._items(node.elts, depth))

    def _eval_list(self, node: ast.List, depth: int) -> object:
        return self._items(node.elts, depth)

    def _eval_set(self, node: ast.Set, depth: int) -> object:
        return set(self._items(node.elts, depth))

    def _items(self, nodes: list[ast.expr], depth: int) -> list[Any]:
        items: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                items.extend(self._any(node.value, depth))
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
        return result

    def _eval_binop(self, node: ast.BinOp, depth: int) -> object:
        left, right = self._any(node.left, depth), self._any(node.right, depth)
        if isinstance(node.op, ast.Mod):
            if isinstance(left, (str, bytes)) and _WIDE_FIELD.search(str(left)):
                raise _UnknownValueError
            return _small(left % right)
        if isinstance(node.op, ast.Mult):
            size = (len(left) if hasattr(left, "__len__") else 1) * (
                len(right) if hasattr(right, "__len__") else 1
            )
            factor = next((each for each in (left, right) if isinstance(each, int)), 1)
            if size != 1 and abs(size * factor) > _LIMIT:
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
        found = self._names.lookup(called.id, called)
        function = found[1][0].node if found is not None and len(found[1]) == 1 else None
        if not isinstance(function, ast.FunctionDef) or function.decorator_list:
            raise _UnknownValueError
        *before, last = function.body
        if not isinstance(last, ast.Return) or last.value is None or not all(map(_is_text, before)):
            raise _UnknownValueError
        return last.value

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
            if _WIDE.search(owner) or _PLAIN_FIELD.sub("", owner).strip("{}") != _PLAIN_FIELD.sub("", owner):
                raise _UnknownValueError
            return _small(owner.format(*arguments, **keywords))
        if name not in _METHODS:
            raise _UnknownValueError
        return _small(getattr(owner, name)(*arguments, **keywords))


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a text by itself, as docstrings are."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _small(value: Any) -> object:
    if type(value) is int and value.bit_length() > 8192:
        raise _UnknownValueError
    if isinstance(value, (str, bytes)) and len(value) > _LIMIT:
        raise _UnknownValueError
    return value


def _changed_in_place(source: Source) -> set[str]:
    """The names whose objects a file changes by a method, or by setting or deleting an item."""
    gets = source.gets
    found = {
        node.value.id
        for method in _MUTATORS & gets.keys()
        for node in gets[method]
        if isinstance(node.value, ast.Name)
    }
    for node in source.nodes(ast.Subscript):
        if not isinstance(node.ctx, ast.Load):
            found.update([part.id for part in (node.value, node.slice) if isinstance(part, ast.Name)])
    return found


def _assigned(statement: ast.AST | None, target: ast.Attribute) -> ast.expr | None:
    """What a statement assigns to an attribute that is its only target."""
    if isinstance(statement, ast.Assign):
        return statement.value if statement.targets == [target] else None
    return statement.value if isinstance(statement, ast.AnnAssign) else None


def _place(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _same_list(parent: ast.AST, first: ast.AST, second: ast.AST) -> bool:
    """Whether two children of a statement stand in the same one of its blocks."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        statements = getattr(parent, block, None)
        if isinstance(statements, list) and first in statements:
            return second in statements
    return False
