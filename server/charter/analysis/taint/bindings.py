"""Where the names of a function get their values, as its code says it. It evaluates nothing."""

# The nodes here are nested tuples, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from charter.model import ir

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from charter.model.ir import Node


_ADDED: Final = "is added to here"


class Binding(NamedTuple):
    """A place where a name gets a value.

    Attributes:
        position: packed place of the target.
        source: the expression from which the value comes.
        how: in which way, as the predicate of a sentence.
        whole: whether nothing is left of what the name held before.
    """

    position: int
    source: Node
    how: str
    whole: bool


def bindings(body: Sequence[Node], expressions: Iterable[Node] = ()) -> dict[str, list[Binding]]:
    """Every assignment to the names of a function, in the order of the text.

    Args:
        body: the function's statements.
        expressions: expressions of the function, for the assignments in them (`:=`, comprehensions).
    """
    found: dict[str, list[Binding]] = {}
    for target, source, how in (*_of_body(body), *_of_expressions(expressions)):
        for place, whole in _names(target):
            words = how if whole else "gets a part here"
            binding = Binding(place[1], source, words, whole and how != _ADDED)
            found.setdefault(place[2], []).append(binding)
    for places in found.values():
        places.sort(key=lambda one: one.position)
    return found


def _of_body(body: Sequence[Node]) -> Iterator[tuple[Node, Node, str]]:
    for node in body:
        yield from _of_statement(node)


def _of_statement(node: Node) -> Iterator[tuple[Node, Node, str]]:
    opcode = node[0]
    if opcode == ir.ASSIGN:
        for target in node[2]:
            yield target, node[3], "is assigned here"
    elif opcode == ir.AUGMENT:
        yield node[2], node[4], _ADDED
    elif opcode == ir.ANNOTATED and node[4] is not None:
        yield node[2], node[4], "is assigned here"
    elif opcode == ir.FOR:
        yield node[2], node[3], "is each element of this"
    elif opcode == ir.WITH:
        for expression, target in node[2]:
            if target is not None:
                yield target, expression, "is bound by this `with`"
    for inner in ir.blocks(node):
        yield from _of_body(inner)


def _of_expressions(expressions: Iterable[Node]) -> Iterator[tuple[Node, Node, str]]:
    for node in expressions:
        if node[0] == ir.WALRUS:
            yield node[2], node[3], "is assigned here"
        elif node[0] == ir.COMPREHENSION:
            for target, iterable, _ in node[5]:
                yield target, iterable, "is each element of this"


def _names(target: Node) -> Iterator[tuple[Node, bool]]:
    """The local names in a target, and whether they are assigned as a whole and not in a part."""
    opcode = target[0]
    if opcode == ir.LOCAL:
        yield target, True
    elif opcode == ir.SEQUENCE:
        for one in target[3]:
            yield from _names(one)
    elif opcode == ir.STARRED:
        yield from _names(target[2])
    elif opcode in {ir.ATTR, ir.ITEM}:
        for name, _ in _names(target[2]):
            yield name, False
