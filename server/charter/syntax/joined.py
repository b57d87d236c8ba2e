"""The index of a tree that was put together from parts which are indexed already. It parses nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from charter.syntax.walk import Index, N, children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class JoinedIndex(Index):
    """The nodes and parents of a tree that was put together from pieces.

    Args:
        tree: the module.
        blocks: the nodes by type of each piece, in source order.
        parents: the parent of each node.
        roots: the index of each part of the tree that was indexed on its own.
    """

    __slots__ = ("_roots", "_tree")

    def __init__(  # pyright: ignore[reportMissingSuperCall] (nothing is walked again)
        self,
        tree: ast.Module,
        blocks: Sequence[Mapping[type[ast.AST], list[ast.AST]]],
        parents: dict[ast.AST, ast.AST],
        roots: Mapping[ast.AST, Index],
    ) -> None:
        self._tree = tree
        self._roots = roots
        self.by_type = cast("dict[type[ast.AST], list[ast.AST]]", cast("object", _Joined(tree, blocks)))
        self.parents = parents

    @property
    def nodes(self) -> list[ast.AST]:
        """All nodes in source order."""
        return [self._tree, *self.below(self._tree)]

    def stand_in(self, node: N, make: Callable[[N], N]) -> N:
        """A node that is looked at in the place of one of the tree."""
        index = self._index_of(node)
        if index is None:
            return make(node)
        found = index.stand_in(node, make)
        self.parents[found] = self.parents[node]
        return found

    def below(self, node: ast.AST) -> list[ast.AST]:
        """The nodes below a node in source order, without it."""
        index = self._index_of(node)
        if index is not None:
            return index.below(node)
        return [below for child in children(node) for below in (child, *self.below(child))]

    def below_within(self, node: ast.AST, stop: tuple[type[ast.AST], ...]) -> list[ast.AST]:
        """As `below`, but with nothing that lies below a node of the types in `stop`."""
        index = self._index_of(node)
        if index is not None:
            return index.below_within(node, stop)
        found: list[ast.AST] = []
        for child in children(node):
            found.append(child)
            if not isinstance(child, stop):
                found += self.below_within(child, stop)
        return found

    def of_type_below(self, node: ast.AST, kind: type[ast.AST]) -> list[ast.AST]:
        """The nodes below a node that are of exactly one type, in source order."""
        if node is self._tree:
            return [found for found in self.by_type.get(kind, ()) if found is not node]
        index = self._index_of(node)
        if index is not None:
            return index.of_type_below(node, kind)
        found: list[ast.AST] = []
        for child in children(node):
            if type(child) is kind:
                found.append(child)
            found += self.of_type_below(child, kind)
        return found

    def ordered(self, nodes: Iterable[ast.AST]) -> list[ast.AST]:
        """Some nodes of the tree, in source order."""
        wanted = set(nodes)
        return [node for node in self.nodes if node in wanted]

    def _index_of(self, node: ast.AST) -> Index | None:
        """The index of the part that holds a node; None for the module and for a class that is held by statement."""
        at: ast.AST | None = node
        while at is not None:
            index = self._roots.get(at)
            if index is not None:
                return index
            at = self.parents.get(at)
        return None


class _Joined(Mapping["type[ast.AST]", "list[ast.AST]"]):
    """Nodes by type over all pieces; each type is put together when it is first asked for."""

    def __init__(self, tree: ast.Module, blocks: Sequence[Mapping[type[ast.AST], list[ast.AST]]]) -> None:
        self._blocks = blocks
        self._joined: dict[type[ast.AST], list[ast.AST]] = {ast.Module: [tree]}

    def __getitem__(self, kind: type[ast.AST]) -> list[ast.AST]:
        found = self._joined.get(kind)
        if found is None:
            found = self._joined[kind] = [node for block in self._blocks for node in block.get(kind, ())]
        if not found:
            raise KeyError(kind)
        return found

    def __iter__(self) -> Iterator[type[ast.AST]]:
        return iter({ast.Module: 0} | {kind: 0 for block in self._blocks for kind in block})

    def __len__(self) -> int:
        return sum(1 for _ in self)
