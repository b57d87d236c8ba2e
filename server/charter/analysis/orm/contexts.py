"""In what a call of a function differs from another: values by what they tell, so that equal calls are run once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from charter.analysis.orm.values import (
    OPAQUE,
    Attribute,
    ClassRef,
    Const,
    Container,
    Dictionary,
    External,
    Function,
    Instance,
    LazyRow,
    Manager,
    Method,
    ModelRef,
    ModuleRef,
    Partial,
    Query,
    Row,
    Super,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from charter.analysis.orm.frames import Event, Note, Place

_DEEPEST = 3
_LONGEST = 40
_SCALARS = (str, int, float, bool, bytes, type(None))


class Unkeyed(Exception):  # noqa: N818 - not an error: such a call is run each time
    """A value is too deep or too large, or carries a scope along."""


class Result(Struct, frozen=True):
    """What one call did.

    Attributes:
        value: what it returned; the number of the argument, if it returned one of them.
        stored: the attributes that it gave its receiver.
        touched: the files from which this was drawn.
        reads: the places that were looked at.
        looped: those of them that stood in loops of its own.
    """

    value: Value | int
    stored: dict[str, Value | int]
    touched: frozenset[str]
    events: dict[Event, None]
    notes: dict[Note, None]
    reads: frozenset[Place]
    looped: frozenset[Place]


def key_of(value: Value, depth: int = 0) -> object:
    """What of a value bears on what a function does with it: equal keys, equal doings.

    Raises:
        Unkeyed: for a value with too much in it.
    """
    make = _KEYS.get(type(value))
    if make is None or depth > _DEEPEST:
        raise Unkeyed
    return make(value, depth)


def _constant(value: Const, _depth: int) -> object:
    constant = value.value
    return (Const, type(constant), constant if isinstance(constant, _SCALARS) else "")


def _itself(value: Value, _depth: int) -> object:
    return value


def _row(value: Row, depth: int) -> object:
    known = tuple((name, key_of(inner, depth + 1)) for name, inner in value.known)
    return (Row, value.model, value.plan, known, value.fresh, value.path)


def _query(value: Query, depth: int) -> object:
    parent = None if value.parent is None else key_of(value.parent, depth + 1)
    entities = tuple([None if entity is None else key_of(entity, depth + 1) for entity in value.entities])
    return (
        *(Query, value.model, value.plan, value.rows, value.limit, value.cached, parent, value.relation),
        *(value.streamed, value.cls, value.sliced, value.filtered, entities, len(value.known), value.trail),
    )


def _manager(value: Manager, depth: int) -> object:
    parent = None if value.parent is None else key_of(value.parent, depth + 1)
    return (Manager, value.model, value.cls, value.queryset, value.plan, value.relation, parent)


def _container(value: Container, depth: int) -> object:
    items = value.items
    if items is not None and len(items) > _LONGEST:
        raise Unkeyed
    return (
        Container,
        value.bounded,
        None if value.element is None else key_of(value.element, depth + 1),
        None if items is None else tuple([key_of(item, depth + 1) for item in items]),
    )


def _dictionary(value: Dictionary, depth: int) -> object:
    if len(value.entries) > _LONGEST:
        raise Unkeyed
    return (
        Dictionary,
        value.bounded,
        None if value.key is None else key_of(value.key, depth + 1),
        None if value.element is None else key_of(value.element, depth + 1),
        tuple([(name, key_of(inner, depth + 1)) for name, inner in value.entries.items()]),
    )


def _instance(value: Instance, depth: int) -> object:
    if len(value.attributes) > _LONGEST:
        raise Unkeyed
    attributes = tuple([(name, key_of(inner, depth + 1)) for name, inner in value.attributes.items()])
    return (Instance, value.cls, value.name, attributes)


def _function(value: Function, depth: int) -> object:
    if value.closure is not None:
        raise Unkeyed
    return (Function, value.node, None if value.bound is None else key_of(value.bound, depth + 1))


def _method(value: Method, depth: int) -> object:
    return (Method, key_of(value.receiver, depth + 1), value.name)


def _super(value: Super, depth: int) -> object:
    return (Super, key_of(value.receiver, depth + 1), value.owner)


def _partial(value: Partial, depth: int) -> object:
    return (
        Partial,
        key_of(value.function, depth + 1),
        tuple([key_of(argument, depth + 1) for argument in value.arguments]),
    )


_KEYS: dict[type[Value], Callable[..., object]] = {
    Const: _constant,
    **dict.fromkeys((Unknown, ClassRef, External, ModuleRef, ModelRef, Attribute), _itself),
    Row: _row,
    Query: _query,
    Manager: _manager,
    Container: _container,
    Dictionary: _dictionary,
    Instance: _instance,
    Function: _function,
    Method: _method,
    Super: _super,
    Partial: _partial,
}


def detached(value: Value, arguments: Sequence[Value]) -> Value | int:
    """A result to be kept: the number of the argument that it is, or a copy that later changes leave alone."""
    for number, argument in enumerate(arguments):
        if argument is value:
            return number
    return copied(value)


def attached(value: Value | int, arguments: Sequence[Value]) -> Value:
    """A kept result for another call."""
    return arguments[value] if isinstance(value, int) else copied(value)


def copied(value: Value, depth: int = 0) -> Value:
    """The value with containers and instances of its own."""
    if depth > _DEEPEST:
        return value
    match value:
        case Container(items=items, element=element):
            return Container(
                None if element is None else copied(element, depth + 1),
                None if items is None else [copied(item, depth + 1) for item in items],
                value.bounded,
            )
        case Dictionary(entries=entries):
            return Dictionary(
                {name: copied(inner, depth + 1) for name, inner in entries.items()},
                value.key,
                None if value.element is None else copied(value.element, depth + 1),
                value.bounded,
            )
        case Instance(attributes=attributes):
            return Instance(
                value.cls, {name: copied(inner, depth + 1) for name, inner in attributes.items()}, value.name
            )
        case _:
            return value


def is_plain(row: Row) -> bool:
    """Whether nothing is known of a row but its model: it might have come from anywhere."""
    return row.plan is OPAQUE and row.query is None and not row.known and not row.fresh and not row.path


def holds_rows(value: Value, depth: int = 0, *, plain: bool = True) -> bool:
    """Whether a value is or contains rows or queries, which belong to the loops in which they were made.

    Args:
        value: the value.
        depth: how deep it is inside another.
        plain: whether rows of which only the model is known count.
    """
    if depth > _DEEPEST:
        return True
    match value:
        case Row() if not plain and is_plain(value):
            return False
        case Row() | Query() | Manager() | LazyRow():
            return True
        case Container(items=items, element=element):
            return (element is not None and holds_rows(element, depth + 1, plain=plain)) or any(
                holds_rows(item, depth + 1, plain=plain) for item in items or ()
            )
        case Dictionary(entries=entries, key=key, element=element):
            return any(
                holds_rows(part, depth + 1, plain=plain)
                for part in (*entries.values(), key, element)
                if part is not None
            )
        case Instance(attributes=attributes):
            return any(holds_rows(inner, depth + 1, plain=plain) for inner in attributes.values())
        case Function(bound=bound, closure=closure):
            return closure is not None or (bound is not None and holds_rows(bound, depth + 1, plain=plain))
        case Method(receiver=receiver) | Super(receiver=receiver):
            return holds_rows(receiver, depth + 1, plain=plain)
        case Partial(function=function, arguments=arguments):
            return any(holds_rows(part, depth + 1, plain=plain) for part in (function, *arguments))
        case _:
            return False
