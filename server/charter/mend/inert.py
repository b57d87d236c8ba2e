"""Tells changes that leave what a program does alone: docstrings begun, and causes named in `raise … from error`.

Most of what checks look at cannot tell such a change, so that its proof may ask the others only
(`charter.engine.plan.Plan.inert` says which those are), as long as comments silence what they did. What is not one of
these for certain is none.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Span
from charter.engine import suppress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from charter.api import Edit
    from charter.engine.suppress import Suppression
    from charter.syntax.source import Source

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def made_by(edits: Sequence[Edit]) -> list[Span]:
    """Where the new text of edits stands in the text that they make.

    Args:
        edits: the edits of one text, ordered; they do not meet.
    """
    shift = 0
    made: list[Span] = []
    for edit in edits:
        start = edit.span.start + shift
        made.append(Span(start, start + len(edit.text)))
        shift += len(edit.text) - (edit.span.end - edit.span.start)
    return made


def is_inert(new: Source, edits: Sequence[Edit]) -> bool:
    """Whether edits do nothing but begin docstrings and name the causes of what handlers raise.

    Args:
        new: the file after the edits.
        edits: the edits that made it, ordered.
    """
    if any(edit.span.start != edit.span.end for edit in edits):
        return False
    made = made_by(edits)
    known = {*_docstrings(new), *_causes(new, set(made))}
    return all(span in known or _whole_lines(new, span) in known for span in made)


def is_silent_alike(old: Source, before: Sequence[Suppression], new: Source, edits: Sequence[Edit]) -> bool:
    """Whether the comments that silence findings hold for the same code after insertions as before.

    Args:
        old: the file before.
        before: its suppressions.
        new: the file after.
        edits: the insertions between them, ordered.
    """
    if not before:
        return True
    made = made_by(edits)
    after = suppress.read(new)
    return [_held(one, old, ()) for one in before] == [_held(one, new, made) for one in after]


def _held(item: Suppression, source: Source, made: Sequence[Span]) -> tuple[object, ...]:
    """What a suppression asks for, and where it begins and ends in the text without what was inserted."""
    starts = (*source.positions.starts, len(source.text))
    places = (starts[item.first - 1], starts[item.last])
    return (
        item.tool,
        [word for word, _ in item.words],
        *(at - sum(min(at, span.end) - span.start for span in made if span.start < at) for at in places),
    )


def _whole_lines(new: Source, made: Span) -> Span | None:
    """The text of inserted lines without the space around it; None if they are no whole lines."""
    text = new.text
    inserted = text[made.start : made.end]
    if made.start and text[made.start - 1] not in "\r\n":
        return None
    if not inserted.endswith(("\n", "\r")) and made.end < len(text):
        return None
    start = made.start + len(inserted) - len(inserted.lstrip())
    return Span(start, made.start + len(inserted.rstrip()))


def _docstrings(new: Source) -> Iterator[Span]:
    for kind in (*_FUNCTIONS, ast.ClassDef):
        for node in new.nodes(kind):
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                yield new.span(first)


def _causes(new: Source, made: AbstractSet[Span]) -> Iterator[Span]:
    """The places of inserted `from` and of the `as` that belong to them."""
    inserted: set[ast.AST] = set()
    for node in new.nodes(ast.Raise):
        cause = node.cause
        if node.exc is None or cause is None:
            continue
        place = Span(new.span(node.exc).end, new.span(cause).end)
        if place in made:
            inserted.add(cause)
            yield place
    if not inserted:
        return
    names = [span for span in made if new.text.startswith(" as ", span.start)]
    for handler in new.nodes(ast.ExceptHandler):
        if handler.type is None or handler.name is None or not names:
            continue
        header = Span(new.span(handler.type).end, new.span(handler.body[0]).start)
        wanted = f" as {handler.name}"
        for place in names:
            if header.covers(place) and new.text[place.start : place.end] == wanted:
                if _is_read_by(new, handler, handler.name, inserted):
                    yield place
                break


def _is_read_by(new: Source, handler: ast.ExceptHandler, name: str, causes: AbstractSet[ast.AST]) -> bool:
    """Whether nothing else in the function around a handler mentions the name that it gives."""
    scope = new.parent(handler)
    while scope is not None and not isinstance(scope, _FUNCTIONS):
        scope = new.parent(scope)
    if scope is None:
        return False
    mentions = new.index.of_type_below(scope, ast.Name)
    return all(node in causes for node in mentions if isinstance(node, ast.Name) and node.id == name)
