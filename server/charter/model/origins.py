"""Which expression gives a name, an attribute or an item its value, where that is certain. It reads one file and computes nothing."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final, cast

from charter.api import UNKNOWN
from charter.model.names import FUNCTIONS

if TYPE_CHECKING:
    from charter.model.names import Binding, Names, Scope
    from charter.syntax.source import Source

DEEPEST: Final = 40
"""How many steps lead from an expression to where its value comes from."""
_OPEN_OBJECTS: Final = frozenset({"types.SimpleNamespace", "argparse.Namespace"})
"""Classes whose objects have just the attributes that they are made with."""
_PROPERTIES: Final = frozenset(
    {"builtins.property", "functools.cached_property", "django.utils.functional.cached_property"}
)
"""Decorators that make an attribute of a method."""
_FIELDS: Final = frozenset({"dataclasses.field", "pydantic.Field", "attr.ib", "attrs.field", "msgspec.field"})
"""What declares an attribute with a default."""
_MUTATORS: Final = frozenset(
    {
        "add", "append", "clear", "difference_update", "discard", "extend", "insert", "intersection_update", "pop",
        "popitem", "remove", "reverse", "setdefault", "sort", "symmetric_difference_update", "update",
    }
)  # fmt: skip


class Origins(ABC):
    """Where the values of one file's names come from.

    Args:
        source: the file.
        names: its names.
    """

    _plain_bases: ClassVar[frozenset[str]] = frozenset(
        {"builtins.object", "abc.ABC", "typing.NamedTuple", "pydantic.BaseModel", "msgspec.Struct"}
    )
    """Bases that give their objects no values, but those that they are made with and those that the class names."""

    def __init__(self, source: Source, names: Names) -> None:
        self._source = source
        self._names = names
        self._changed: set[str] | None = None
        self._asked: set[ast.expr] = set()
        self._members: dict[ast.ClassDef, dict[str, list[ast.expr | None]]] = {}

    @abstractmethod
    def value(self, expression: ast.AST) -> object:
        """The constant that an expression has in every run, or `UNKNOWN`."""

    def origin(self, expression: ast.expr) -> ast.expr:
        """The expression that gives a name or `self` attribute its value, if it is bound once; else itself."""
        for _ in range(DEEPEST):
            step = self._step(expression)
            if step is None or step is expression:
                break
            expression = step
        return expression

    # Names
    def _step(self, expression: ast.expr) -> ast.expr | None:
        if type(expression) is ast.Name:
            found = self._names.lookup(expression.id, expression)
            return None if found is None else self._reaching(expression, *found)
        if type(expression) is ast.NamedExpr:
            return expression.value
        if type(expression) is ast.Subscript and type(expression.slice) is ast.Constant:
            return self._item(expression.value, expression.slice.value)
        if type(expression) is ast.Attribute:
            return self._attribute(expression, expression.value)
        return None

    def _item(self, owner: ast.expr, key: object) -> ast.expr | None:
        """The value under a key of a dictionary that is written out and never changed."""
        held = owner
        for _ in range(DEEPEST):
            # A name may stand for an item of what it stood for before: `rows = rows["all"]`.
            step = None if isinstance(held, ast.Subscript) and held is not owner else self._step(held)
            if step is None:
                break
            held = step
        if not isinstance(held, ast.Dict) or self.is_changed(holder(owner)):
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
            if type(scope) is ast.ClassDef and self._names.scope(use) is not scope:
                return None
            return binding.value if not self._rebound_globally(use, scope) else None
        if self._names.scope(use) is not scope or type(scope) is ast.Lambda:
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
        if type(scope) is not ast.Module:
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
        if type(parent) is not ast.If:
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
    def _attribute(self, attribute: ast.Attribute, owner: ast.expr) -> ast.expr | None:
        """The value of `self.name`, `cls.name` or `Class.name` that is bound once in the class, or of `self.object.name`."""
        if not isinstance(owner, ast.Name):
            return self._of_part(attribute, owner) if isinstance(owner, ast.Attribute) else None
        definition: ast.ClassDef | None = None
        if owner.id in {"self", "cls"}:
            definition = self._class_around(attribute)
        else:
            bound = self._bound_once(owner, owner)
            if bound is not None and isinstance(bound.value, ast.Call):
                return self._of_object(attribute, bound.value)
            definition = bound.node if bound is not None and isinstance(bound.node, ast.ClassDef) else None
        if definition is None:
            return None
        return self._member(definition, attribute.attr)

    def _of_part(self, attribute: ast.Attribute, owner: ast.Attribute) -> ast.expr | None:
        """The value of an attribute of what an attribute holds: an object of this file's, or the member of an enumeration."""
        if attribute.attr == "value" and isinstance(owner.value, ast.Name):
            definition = self._class_called(owner.value, owner)
            if definition is not None and any(
                (self._names.qualified(base) or "").startswith("enum.") for base in definition.bases
            ):
                return self._member(definition, owner.attr)
        if owner in self._asked:  # `self.client = self.client.secrets`
            return None
        self._asked.add(owner)
        held = self.origin(owner)
        self._asked.remove(owner)
        return self._of_object(attribute, held) if isinstance(held, ast.Call) else None

    def _of_object(self, attribute: ast.Attribute, made: ast.Call) -> ast.expr | None:
        """The value of an attribute of an object that one call makes, if its class alone gives it one, or the call does."""
        name = attribute.attr
        if any(
            getattr(node.value, "id", "self") not in {"self", "cls"}
            for node in self._source.sets.get(name, ())
        ):
            return None
        given = next((keyword.value for keyword in made.keywords if keyword.arg == name), None)
        if self._names.qualified(made.func) in _OPEN_OBJECTS:
            return given
        definition = self.class_of(made)
        if definition is None or any(keyword.arg is None for keyword in made.keywords):
            return None
        if given is not None:
            return None if self._members_of(definition).get("__init__") else given
        return self._member(definition, name)

    def class_of(self, made: ast.Call) -> ast.ClassDef | None:
        """The class of this file that a call makes an object of, if it alone and keywords fill the object."""
        if made.args or not isinstance(made.func, ast.Name):
            return None
        definition = self._class_called(made.func, made.func)
        return definition if definition is not None and self._is_whole(definition) else None

    def _class_called(self, name: ast.Name, at: ast.AST) -> ast.ClassDef | None:
        """The class of this file that a name stands for at a place."""
        bound = self._bound_once(name, at)
        return bound.node if bound is not None and isinstance(bound.node, ast.ClassDef) else None

    def _bound_once(self, name: ast.Name, at: ast.AST) -> Binding | None:
        """The only binding of the variable that a name stands for at a place; None if there are more, or none."""
        found = self._names.lookup(name.id, at)
        return found[1][0] if found is not None and len(found[1]) == 1 else None

    def _is_whole(self, definition: ast.ClassDef) -> bool:
        """Whether this file defines all bases of a class, so that nothing else fills its objects, such as the environment."""
        for _ in range(DEEPEST):
            if all(self._names.qualified(base) in self._plain_bases for base in definition.bases):
                return not definition.keywords
            base = self._base_here(definition)
            if base is None:
                return False
            definition = base
        return False

    def _member(self, definition: ast.ClassDef, name: str) -> ast.expr | None:
        """What a class, or else the first of its bases in this file, binds a member to, if only once."""
        for _ in range(DEEPEST):
            values = self._members_of(definition).get(name, [])
            if values:
                return values[0] if len(values) == 1 else None
            base = self._base_here(definition)
            if base is None:
                break
            definition = base
        return None

    def overrides(self, expression: ast.expr) -> list[ast.expr]:
        """What the classes of this file that are based on the one around `self.name` bind its name to."""
        if not (
            isinstance(expression, ast.Attribute)
            and isinstance(expression.value, ast.Name)
            and expression.value.id in {"self", "cls"}
        ):
            return []
        known = self._class_around(expression)
        based = [] if known is None else [known]
        for definition in self._source.nodes(ast.ClassDef):
            if self._base_here(definition) in based:
                based.append(definition)
        bound = [self._members_of(definition).get(expression.attr, []) for definition in based[1:]]
        return [values[0] for values in bound if len(values) == 1 and values[0] is not None]

    def _base_here(self, definition: ast.ClassDef) -> ast.ClassDef | None:
        """The only base of a class, if this file defines it."""
        base = definition.bases[0] if len(definition.bases) == 1 else None
        return self._class_called(base, definition) if isinstance(base, ast.Name) else None

    def _class_around(self, node: ast.AST) -> ast.ClassDef | None:
        inner: ast.AST | None = None
        for parent in self._ancestors(node):
            if type(parent) is ast.ClassDef:
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
            found[name] = [self._given_by(binding) for binding in bindings]
        for node in cast("list[ast.Attribute]", self._source.index.of_type_below(definition, ast.Attribute)):
            if (
                type(node.ctx) is not ast.Load
                and type(node.value) is ast.Name
                and node.value.id in {"self", "cls"}
            ):
                found.setdefault(node.attr, []).append(_assigned(self._source.parent(node), node))
        return found

    def _given_by(self, binding: Binding) -> ast.expr | None:
        """What a binding in a class gives its objects: a value, the default that it declares, or what a property returns."""
        value, node = binding.value, binding.node
        if type(value) is ast.Call:
            default = next((keyword.value for keyword in value.keywords if keyword.arg == "default"), None)
            if default is None and value.args and self._names.qualified(value.func) == "pydantic.Field":
                default = value.args[0]
            return default if default is not None and self._names.qualified(value.func) in _FIELDS else value
        if type(node) is ast.FunctionDef and node.decorator_list:
            # First, as few functions do nothing else and looking up decorators takes long.
            result = only_result(node)
            if result and any(self._names.qualified(one) in _PROPERTIES for one in node.decorator_list):
                return result
        return value

    def is_changed(self, name: str) -> bool:
        """Whether something in the file changes the container of a name, or of a `.attribute`, in place."""
        if self._changed is None:
            self._changed = _changed_in_place(self._source)
        return name in self._changed


def only_result(function: ast.FunctionDef) -> ast.expr | None:
    """What a function returns that does nothing else."""
    *before, last = function.body
    if not isinstance(last, ast.Return) or not all(map(_is_text, before)):
        return None
    return last.value


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a text by itself, as docstrings are."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _changed_in_place(source: Source) -> set[str]:
    """The names and `.attributes` whose objects a file changes by a method, or by setting or deleting an item."""
    gets = source.gets
    found = {holder(node.value) for method in _MUTATORS & gets.keys() for node in gets[method]}
    for node in source.nodes(ast.Subscript):
        if not isinstance(node.ctx, ast.Load):
            found.update((holder(node.value), holder(node.slice)))
    return found - {""}


def holder(owner: ast.expr) -> str:
    """A name, or an attribute of whatever object with the dot before it; "" for what is neither."""
    if isinstance(owner, ast.Name):
        return owner.id
    return f".{owner.attr}" if isinstance(owner, ast.Attribute) else ""


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
