"""Whether an edit left everything outside of it as it was: trees and comments. It knows not what the edit was for."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING, Any

from charter.mend.inert import made_by
from charter.syntax.walk import child_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.api import Edit, Span
    from charter.syntax.source import Source


def lost_comments(old: Source, new: Source) -> list[str]:
    """The comments of the old text that the new one no longer has."""
    before = Counter(comment.text for comment in old.comments)
    before.subtract(comment.text for comment in new.comments)
    return [text for text, number in before.items() if number > 0]


def same_outside(old: Source, new: Source, edits: Sequence[Edit]) -> bool:
    """Whether the trees of two texts differ only where edits were made.

    Args:
        old: the file before.
        new: the file after.
        edits: the text edits between them, ordered, against the old text.
    """
    return _Comparison(old, new, [edit.span for edit in edits], made_by(edits)).same(old.tree, new.tree)


class _Comparison:
    def __init__(self, old: Source, new: Source, gone: list[Span], made: list[Span]) -> None:
        self.old = old
        self.new = new
        self.gone = gone
        self.made = made

    def same(self, before: ast.AST, after: ast.AST) -> bool:
        """Whether two nodes are equal but for what lies in the edits."""
        if type(before) is not type(after):
            return self._edited(before, after)
        for name, many in child_fields(type(before)):
            empty: Any = [] if many else None  # a host's own nodes may lack fields of newer Pythons
            left: Any = getattr(before, name, empty)
            right: Any = getattr(after, name, empty)
            if many:
                if not self._same_lists(left, right):
                    return False
            elif left is None or right is None:
                if left is not right and not self._edited(before, after):
                    return False
            elif not self._same_or_untouched(left, right):
                return False
        return self._same_scalars(before, after) or self._edited(before, after)

    def _same_or_untouched(self, left: ast.AST, right: ast.AST) -> bool:
        if self._touches(self.old.span(left), self.gone):
            return self.same(left, right)
        if self._touches(self.new.span(right), self.made):
            return self._prolonged(left, right) or self.same(left, right)
        return ast.dump(left) == ast.dump(right)

    @staticmethod
    def _prolonged(left: ast.AST, right: ast.AST) -> bool:
        """Whether an expression was kept, and calls or attributes were put behind it: `rows` and `rows.first()`."""
        wanted = ast.dump(left)
        inner: ast.AST = right
        while isinstance(inner, (ast.Call, ast.Attribute, ast.Subscript)):
            inner = inner.func if isinstance(inner, ast.Call) else inner.value
            if type(inner) is type(left) and ast.dump(inner) == wanted:
                return True
        return False

    def _same_lists(self, left: list[ast.AST | None], right: list[ast.AST | None]) -> bool:
        if len(left) == len(right) and all(
            one is other if one is None or other is None else self._same_or_untouched(one, other)
            for one, other in zip(left, right, strict=True)
        ):
            return True
        kept = [node for node in left if node and not self._touches(self.old.span(node), self.gone)]
        now = [node for node in right if node and not self._touches(self.new.span(node), self.made)]
        if [ast.dump(node) for node in kept] != [ast.dump(node) for node in now]:
            return False
        changed = [node for node in left if node and self._reaches_out(self.old.span(node), self.gone)]
        new = [node for node in right if node and self._reaches_out(self.new.span(node), self.made)]
        return len(changed) == len(new) and all(map(self.same, changed, new))

    def _reaches_out(self, span: Span, places: list[Span]) -> bool:
        """Whether a node is edited in part, so that it has to be the same thing before and after."""
        return self._touches(span, places) and not any(
            place.start <= span.start and span.end <= place.end for place in places
        )

    def _edited(self, before: ast.AST, after: ast.AST) -> bool:
        return self._touches(self.old.span(before), self.gone) or self._touches(
            self.new.span(after), self.made
        )

    def _same_scalars(self, before: ast.AST, after: ast.AST) -> bool:
        nodes = {name for name, _ in child_fields(type(before))}
        for name in before._fields:
            if name not in nodes:
                left, right = getattr(before, name, None), getattr(after, name, None)
                if left != right and not (
                    isinstance(left, ast.AST) and ast.dump(left) == ast.dump(right or left)
                ):
                    return False
        return True

    @staticmethod
    def _touches(span: Span, places: list[Span]) -> bool:
        """Whether an edit reaches into a node. What only borders on it must leave it equal to what it was."""
        return any(span.start < place.end and place.start < span.end for place in places)
