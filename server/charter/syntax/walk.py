"""The one walk over a tree: nodes by type and parents, in source order. It knows node shapes, not their meaning."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from charter.api import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

N = TypeVar("N", bound=ast.AST)

_SCALARS: Final = frozenset(
    {"identifier", "int", "string", "constant", "expr_context", "operator", "boolop", "unaryop", "cmpop"}
)
_SIGNATURE: Final = regex(r"(\w+)([*?]?) (\w+)")

Plan = tuple[tuple[str, bool], ...]

_plans: dict[type[ast.AST], Plan] = {}


def child_fields(kind: type[ast.AST]) -> Plan:
    """The fields of a node type that hold nodes, in order, each with whether it holds a list.

    The grammar's own types are read from the node class's documentation, which CPython writes from its ASDL file.
    Contexts and operators are left out: they are shared singletons without a place.
    """
    plan = _plans.get(kind)
    if plan is None:
        plan = _plans[kind] = tuple(_node_fields(kind))
    return plan


def _node_fields(kind: type[ast.AST]) -> list[tuple[str, bool]]:
    types = {
        name: (type_, mark)
        for type_, mark, name in _SIGNATURE.findall((kind.__doc__ or "").replace("\n", " "))
    }
    fields: list[tuple[str, bool]] = []
    for name in kind._fields:
        type_, mark = types.get(name, ("", ""))
        if type_ not in _SCALARS:
            fields.append((name, mark == "*" if type_ else name in _LISTS))
    if kind in _GENERIC and "type_params" not in kind._fields:
        # Before 3.12; only definitions converted from newer syntax have the attribute.
        fields.append(("type_params", True))
    return fields


_ABSENT: Final[Any] = ()
_GENERIC: Final = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef})
_LISTS: Final = frozenset(
    {"body", "targets", "values", "type_params", "decorator_list", "keywords", "args", "elts", "generators"}
)


class Index:
    """Every node of a tree by its exact type, and the parent of each.

    Args:
        tree: the module, or any other node.

    Attributes:
        by_type: nodes of each type, in source order.
        parents: the parent of each node but the root. Parents are kept here, not on the nodes, so that
            no cycle keeps a tree alive when the garbage collector is off.
        nodes: all nodes in source order, each before what lies below it.
    """

    __slots__ = ("_numbers", "_places", "_ranges", "_stand_ins", "by_type", "nodes", "parents")

    def __init__(self, tree: ast.AST) -> None:
        by_type: dict[type[ast.AST], list[ast.AST]] = {}
        parents: dict[ast.AST, ast.AST] = {}
        kinds: dict[type[ast.AST], tuple[Callable[[ast.AST], None], Plan]] = {}
        nodes: list[ast.AST] = []
        note = nodes.append
        stack = [tree]
        pop, push = stack.pop, stack.append
        while stack:
            node = pop()
            note(node)
            kind = type(node)
            known = kinds.get(kind)
            if known is None:
                found = by_type[kind] = []
                known = kinds[kind] = (found.append, child_fields(kind)[::-1])
            add, plan = known
            add(node)
            if not plan:
                continue
            fields = node.__dict__  # faster than one attribute after the other
            for name, many in plan:
                child = fields.get(name)
                if child is None:
                    continue
                if not many:
                    parents[child] = node
                    push(child)
                elif child:
                    for item in reversed(child):
                        if item is not None:
                            parents[item] = node
                            push(item)
        self.by_type = by_type
        self.parents = parents
        self.nodes = nodes
        self._numbers: dict[ast.AST, int] | None = None
        self._places: dict[type[ast.AST], list[int]] = {}
        self._ranges: dict[ast.AST, tuple[int, int]] = {}
        self._stand_ins: dict[ast.AST, ast.AST] = {}

    def stand_in(self, node: N, make: Callable[[N], N]) -> N:
        """A node that is looked at in the place of one of the tree: it has the same parent, and the same nodes below it.

        Args:
            node: the node of the tree.
            make: makes the other one of it, where that was not done before.
        """
        found = self._stand_ins.get(node)
        if found is None:
            found = self._stand_ins[node] = make(node)
            self.parents[found] = self.parents[node]
            self._ranges[found] = self._range(node)
            self._number()[found] = self._number()[node]
        return cast("N", found)

    def below(self, node: ast.AST) -> list[ast.AST]:
        """The nodes below a node of the tree in source order, without it; much faster than `ast.walk`."""
        first, last = self._range(node)
        return self.nodes[first + 1 : last]

    def below_within(self, node: ast.AST, stop: tuple[type[ast.AST], ...]) -> list[ast.AST]:
        """As `below`, but with nothing that lies below a node of the types in `stop` (those nodes are included)."""
        first, last = self._range(node)
        nodes = self.nodes
        numbers = self._number()
        stops = sorted(numbers[inner] for kind in stop for inner in self.of_type_below(node, kind))
        found: list[ast.AST] = []
        at = first + 1
        for place in stops:
            if place >= at:
                found += nodes[at : place + 1]
                at = self._range(nodes[place])[1]
        found += nodes[at:last]
        return found

    def of_type_below(self, node: ast.AST, kind: type[ast.AST]) -> list[ast.AST]:
        """The nodes below a node of the tree that are of exactly one type, in source order, without going through all."""
        found = self.by_type.get(kind)
        if not found:
            return []
        first, last = self._range(node)
        places = self._places.get(kind)
        if places is None:
            numbers = self._number()
            places = self._places[kind] = [numbers[other] for other in found]
        start = bisect_right(places, first)
        return found[start : bisect_left(places, last, start)]

    def depth(self) -> int:
        """How many nodes stand below one another where the tree is deepest."""
        depths: dict[ast.AST, int] = {}
        for node in self.nodes:
            depths[node] = depths.get(self.parents.get(node, node), 0) + 1
        return max(depths.values())

    def ordered(self, nodes: Iterable[ast.AST]) -> list[ast.AST]:
        """Some nodes of the tree, in source order."""
        return sorted(nodes, key=self._number().__getitem__)

    def _number(self) -> dict[ast.AST, int]:
        """The place of each node in source order; made when it is first asked for."""
        numbers = self._numbers
        if numbers is None:
            numbers = self._numbers = {node: number for number, node in enumerate(self.nodes)}
        return numbers

    def _range(self, node: ast.AST) -> tuple[int, int]:
        """The number of a node in source order, and that of the first node behind it that does not lie below it."""
        found = self._ranges.get(node)
        if found is None:
            numbers = self._number()
            last = node
            while (below := _last_child(last)) is not None:
                last = below
            found = self._ranges[node] = (numbers[node], numbers[last] + 1)
        return found


def _last_child(node: ast.AST) -> ast.AST | None:
    for name, many in reversed(child_fields(type(node))):
        child = getattr(node, name, _ABSENT)
        if many:
            for item in reversed(child):
                if item is not None:
                    return item
        elif child is not None and child is not _ABSENT:
            return child
    return None


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below a node, in the order of the grammar."""
    found: list[ast.AST] = []
    for name, many in child_fields(type(node)):
        child = getattr(node, name, _ABSENT)
        if many:
            found.extend(item for item in child if item is not None)
        elif child is not None:
            found.append(child)
    return found
