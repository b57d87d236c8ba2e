"""Finds operations on values whose kind refuses them: calls of numbers, loops over numbers, lists as keys."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.contracts import WrongCall
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from charter.api import Context, Finding

_KINDS: Mapping[type[ast.AST], str] = {
    ast.List: "a list", ast.ListComp: "a list", ast.Dict: "a dictionary", ast.DictComp: "a dictionary",
    ast.Set: "a set", ast.SetComp: "a set", ast.Tuple: "a tuple", ast.JoinedStr: "a text",
}  # fmt: skip
_HASHING = frozenset({"add", "discard", "remove", "get", "pop", "setdefault"})


@rule(
    WrongCall,
    ast.Module,
    code="MNT239",
    principles=("robust-comparisons",),
    severity=Severity.HIGH,
    kinds=("not-callable",),
    aliases=("E1102", "E1133", "E1135", "E1136", "E1143"),
)
def impossible_operation(place: WrongCall | ast.Module, ctx: Context) -> Iterator[Finding]:
    """A value is called, gone through, searched or used as a key, and its kind allows none of that.

    A number is no function and no collection, `None` has no attributes worth the name, and lists, dictionaries and sets
    change, so that they can be no keys and no members of a set. The line raises `TypeError` whenever it is reached.

    Only values that are written out, names that are bound once to such a value, and new objects of the project's own
    classes are judged. A type checker says the same, and more where everything is annotated.

    ```python bad
    def total(rows):
        count = 3
        for row in count:
    #              ^^^^^ `count` is a number and cannot be gone through
            print(row)
        return {[1, 2]: rows}
    #           ^^^^^^ a list cannot be a key, because it can change
    ```
    ```python bad
    class Order:
        def __init__(self, rows):
            self.rows = rows

    def total(rows):
        order = Order(rows)
        return order(3)
    #          ^^^^^^^^ an `Order` cannot be called: the class has no `__call__`
    ```
    ```python good
    def total(rows):
        count = 3
        for row in range(count):
            print(row)
        return {(1, 2): rows}
    ```
    """
    if isinstance(place, WrongCall):
        if not ctx.is_test:
            article = "an" if place.name[:1] in "AEIOU" else "a"
            related = [] if place.defined is None else [ctx.related(place.defined, "the class")]
            yield ctx.finding(
                place.location,
                f"{article} `{place.name}` cannot be called: the class has no `__call__`",
                related=related,
            )
        return
    if ctx.is_test:
        return
    literals = _Literals(ctx)
    yield from _calls(ctx)
    yield from _collections(literals, ctx)
    yield from _keys(literals, ctx)
    yield from _named(literals, ctx)


class _Literals:
    """What the local names of a file stand for that are bound once, to a value that is written out.

    Args:
        ctx: the file.
    """

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._names: dict[str, set[str]] = {}
        for node in ctx.nodes(ast.Assign):
            target = node.targets[0]
            if type(node.value) in _WRITTEN and type(target) is ast.Name and (kind := _kind(node.value)):
                self._names.setdefault(target.id, set()).add(kind)
        self._known: dict[tuple[ast.AST, str], str] = {}

    def names(self, wanted: frozenset[str]) -> frozenset[str]:
        """The names that are given a literal of one of some kinds somewhere; most names are not."""
        return frozenset(name for name, kinds in self._names.items() if not wanted.isdisjoint(kinds))

    def reads(self) -> Iterator[ast.Name]:
        """Where the names are read that are given a literal somewhere."""
        return (use for name in self._names for use in self.ctx.reads.get(name, ()))

    def kind(self, node: ast.expr, wanted: frozenset[str]) -> str:
        """The kind of a literal, or of the one that a name is bound to, if it is one of those that are wanted; else ""."""
        if type(node) is not ast.Name:
            kind = _kind(node)
            return kind if kind in wanted else ""
        if wanted.isdisjoint(self._names.get(node.id, ())):
            return ""
        function = self.ctx.function(node)
        if function is None:
            return ""
        key = function, node.id
        if key not in self._known:
            self._known[key] = self._bound(node.id, function)
        kind = self._known[key]
        return kind if kind in wanted else ""

    def _bound(self, name: str, function: shapes.FunctionNode) -> str:
        bindings = shapes.bindings(name, function, self.ctx)
        assignment = self.ctx.parent(bindings[0]) if len(bindings) == 1 else None
        if not isinstance(assignment, ast.Assign) or assignment.targets != bindings:
            return ""
        if any(name in node.names for node in self.ctx.nodes(ast.Nonlocal, within=function)):
            return ""
        return _kind(assignment.value)


_ANY = frozenset({"a number", "None", "a text", "a list", "a dictionary", "a set", "a tuple"})
_CONSTANTS = frozenset({ast.Constant, ast.Attribute, ast.JoinedStr, ast.Call})
_OPEN = frozenset({ast.Call, ast.Attribute, ast.Subscript, ast.List, ast.Tuple, ast.BinOp})
_WRITTEN = frozenset({ast.Constant, *_KINDS})
_NO_COLLECTION = frozenset({"a number", "None"})
_NO_ITEMS = frozenset({"a number", "None", "a set"})
_NO_KEYS = frozenset({"a list", "a dictionary", "a set"})


def _kind(value: ast.expr) -> str:
    """What a literal is, in words; "" for what is none."""
    if type(value) is ast.Constant:
        if value.value is None:
            return "None"
        if isinstance(value.value, (int, float, complex)):
            return "a number"
        return "a text" if isinstance(value.value, (str, bytes)) else ""
    return _KINDS.get(type(value), "")


def _calls(ctx: Context) -> Iterator[Finding]:
    for call in ctx.nodes(ast.Call):
        if type(call.func) in _WRITTEN and (kind := _kind(call.func)):
            yield _called(call, kind, ctx)


def _called(call: ast.Call, kind: str, ctx: Context) -> Finding:
    return ctx.finding(call, f"`{calls.short(ctx, call.func)}` is {kind} and cannot be called")


def _named(literals: _Literals, ctx: Context) -> Iterator[Finding]:
    """What is done to names that stand for literals: calls, items, and attributes of a name that is always `None`."""
    for use in literals.reads():
        place = ctx.parent(use)
        if type(place) is ast.Call:
            if place.func is use and (kind := literals.kind(use, _ANY)):
                yield _called(place, kind, ctx)
        elif type(place) is ast.Subscript:
            if (
                place.value is use
                and (kind := literals.kind(use, _NO_ITEMS))
                and not (kind == "None" and _is_behind_truth(use, ctx))
            ):
                yield ctx.finding(place, f"`{use.id}` is {kind} and has no items by number or key")
        elif (
            type(place) is ast.Attribute
            and place.attr[:2] != "__"
            and literals.kind(use, _NONE)
            and not _is_behind_truth(use, ctx)
        ):
            yield ctx.finding(place, f"`{use.id}` is always None here, and has no `{place.attr}`")


def _collections(literals: _Literals, ctx: Context) -> Iterator[Finding]:
    """Loops over numbers, and searches in them."""
    for loop in (*ctx.nodes(ast.For), *ctx.nodes(ast.comprehension)):
        if type(loop.iter) in _OPEN:
            continue
        if kind := literals.kind(loop.iter, _NO_COLLECTION):
            yield ctx.finding(loop.iter, f"{_said(loop.iter, kind, ctx)} cannot be gone through")
    for comparison in ctx.nodes(ast.Compare):
        if isinstance(comparison.ops[-1], (ast.In, ast.NotIn)):
            container = comparison.comparators[-1]
            if kind := literals.kind(container, _NO_COLLECTION):
                yield ctx.finding(
                    container, f"{_said(container, kind, ctx)} holds nothing that could be searched"
                )


def _keys(literals: _Literals, ctx: Context) -> Iterator[Finding]:
    """Lists, dictionaries and sets as keys and as members of sets."""
    for dictionary in ctx.nodes(ast.Dict):
        for key in dictionary.keys:
            if type(key) in _CONSTANTS:
                continue
            if key is not None and (kind := literals.kind(key, _NO_KEYS)):
                yield ctx.finding(key, f"{kind} cannot be a key, because it can change")
    for members in ctx.nodes(ast.Set):
        for member in members.elts:
            if (kind := literals.kind(member, _NO_KEYS)) and not _is_template(member):
                yield ctx.finding(member, f"{kind} cannot be a member of a set, because it can change")
    names = literals.names(_NO_KEYS)
    for item in ctx.nodes(ast.Subscript):
        if type(item.slice) in _CONSTANTS or (
            isinstance(item.slice, ast.Name) and item.slice.id not in names
        ):
            continue
        kind = literals.kind(item.slice, _NO_KEYS)
        if kind and _made(item.value, ctx) == "dict":
            yield ctx.finding(item.slice, f"{kind} cannot be a key, because it can change")
    yield from _hashed(literals, ctx)


def _hashed(literals: _Literals, ctx: Context) -> Iterator[Finding]:
    """What is handed to methods that hash it."""
    for method in (node for name in _HASHING for node in ctx.gets.get(name, ())):
        call = ctx.parent(method)
        if not isinstance(call, ast.Call) or call.func is not method:
            continue
        if call.args and type(call.args[0]) not in _CONSTANTS:
            kind = literals.kind(call.args[0], _NO_KEYS)
            if kind and _made(method.value, ctx):
                yield ctx.finding(
                    call.args[0], f"{kind} cannot be a key or a member of a set, because it can change"
                )


def _is_template(member: ast.expr) -> bool:
    """Whether a set in a set is a placeholder that something else fills in: `{{name}}`, `{{settings.name}}`."""
    return (
        isinstance(member, ast.Set)
        and len(member.elts) == 1
        and isinstance(member.elts[0], (ast.Name, ast.Attribute))
    )


def _made(container: ast.expr, ctx: Context) -> str:
    """`dict` or `set` for a container that is built in the same function, so that it is no other kind; else ""."""
    function = ctx.function(container)
    if not isinstance(container, ast.Name) or function is None:
        return ""
    values = shapes.assigned_values(container.id, function, ctx) or []
    if len(values) != 1:
        return ""
    if isinstance(values[0], (ast.Dict, ast.DictComp)):
        return "dict"
    if isinstance(values[0], (ast.Set, ast.SetComp)):
        return "set"
    made = ctx.name(values[0].func) if isinstance(values[0], ast.Call) else None
    return {"builtins.dict": "dict", "builtins.set": "set"}.get(made or "", "")


def _is_behind_truth(owner: ast.Name, ctx: Context) -> bool:
    """Whether a condition on the name itself keeps the place from being reached."""
    return any(
        isinstance(ancestor, (ast.If, ast.IfExp, ast.BoolOp)) and owner.id in shapes.names_in(ancestor)
        for ancestor in ctx.ancestors(owner)
        if not isinstance(ancestor, (ast.If, ast.IfExp)) or owner.id in shapes.names_in(ancestor.test)
    )


_NONE = frozenset({"None"})


def _said(node: ast.expr, kind: str, ctx: Context) -> str:
    text = calls.short(ctx, node)
    return "`None`" if text == "None" else f"`{text}` is {kind} and"
