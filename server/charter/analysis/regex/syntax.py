"""A regular expression as a tree of our own, made by Python's parser; it knows the structure, not the meaning.

Python's parser shares prefixes of alternatives and merges one-character ones; both keep the language and the
ambiguity, which is all that the analyses need. What depends on the exact spelling is read from the text by `lint`.
"""

from __future__ import annotations

import importlib
import re
import warnings
from keyword import iskeyword
from typing import Any

from msgspec import Struct

from charter.analysis.regex import charset as cs

# Python's own parser; typeshed does not describe it under this name, and the old names warn.
_sre: Any = importlib.import_module("re._constants")
_sre_parser: Any = importlib.import_module("re._parser")


class Chars(Struct, frozen=True):
    """One character out of a set."""

    chars: cs.CharSet


class Sequence(Struct, frozen=True):
    """One after the other."""

    items: tuple[Node, ...]


class Branch(Struct, frozen=True):
    """One of several."""

    options: tuple[Node, ...]


class Repeat(Struct, frozen=True):
    """A body, `low` to `high` times (None: without end); `eager` repeats never give back."""

    body: Node
    low: int
    high: int | None
    eager: bool = False


class Group(Struct, frozen=True):
    """A capturing group."""

    number: int
    body: Node


class Atomic(Struct, frozen=True):
    """A body whose match is never reconsidered."""

    body: Node


class Backreference(Struct, frozen=True):
    """What a group has matched, again."""

    group: int


class Anchor(Struct, frozen=True):
    """A place between characters: `start`, `line-start`, `end` (before a last newline too), `very-end`, `word`."""

    where: str


class Look(Struct, frozen=True):
    """A look-around; only its body's structure is of interest."""

    body: Node
    ahead: bool
    negative: bool


Node = Chars | Sequence | Branch | Repeat | Group | Atomic | Backreference | Anchor | Look


class NotARegexError(ValueError):
    """The text is not a regular expression for Python's `re`."""


def parse(pattern: str | bytes, flags: int = 0) -> tuple[Node, int]:
    """Parse a pattern.

    Args:
        pattern: the pattern, as `re.compile` takes it.
        flags: the flags given beside it.

    Returns:
        The tree, and the flags with those that the pattern sets itself.

    Raises:
        NotARegexError: if `re` would refuse it.
    """
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = _sre_parser.parse(text, flags & ~re.DEBUG)
    except (re.error, RecursionError, OverflowError, ValueError, TypeError) as error:
        raise NotARegexError(str(error)) from error
    effective = int(parsed.state.flags)
    if isinstance(pattern, bytes):
        effective |= re.ASCII
    return _Converter().sequence(parsed, effective), effective


class _Converter:
    """Turns the lists of `re._parser` into nodes."""

    def sequence(self, items: Any, flags: int) -> Node:
        nodes = tuple(self.node(op, argument, flags) for op, argument in items)
        return nodes[0] if len(nodes) == 1 else Sequence(nodes)

    def node(self, op: Any, argument: Any, flags: int) -> Node:
        name = str(op).lower()
        method = getattr(self, f"{name}_" if iskeyword(name) else name, None)
        if method is None:
            raise NotARegexError(f"unknown construct {op}")
        return method(argument, flags)

    def _chars(self, chars: cs.CharSet, flags: int) -> Chars:
        return Chars(cs.fold(chars) if flags & re.IGNORECASE else chars)

    def literal(self, code: int, flags: int) -> Node:
        return self._chars(((code, code),), flags)

    def not_literal(self, code: int, flags: int) -> Node:
        return Chars(cs.negate(self._chars(((code, code),), flags).chars))

    def any(self, _argument: object, flags: int) -> Node:
        return Chars(cs.ANY if flags & re.DOTALL else cs.negate(cs.NEWLINE))

    def in_(self, items: Any, flags: int) -> Node:
        found: list[cs.CharSet] = []
        negative = False
        for op, argument in items:
            if op is _sre.NEGATE:
                negative = True
            elif op is _sre.LITERAL:
                found.append(((argument, argument),))
            elif op is _sre.RANGE:
                found.append(((argument[0], argument[1]),))
            else:
                found.append(_category(argument, flags))
        chars = self._chars(cs.union(*found), flags).chars
        return Chars(cs.negate(chars) if negative else chars)

    def branch(self, argument: Any, flags: int) -> Node:
        return Branch(tuple(self.sequence(option, flags) for option in argument[1]))

    def subpattern(self, argument: Any, flags: int) -> Node:
        number, add, remove, body = argument
        inner = self.sequence(body, (flags | add) & ~remove)
        return Group(number, inner) if number else inner

    def _repeat(self, argument: Any, flags: int, *, eager: bool) -> Node:
        low, high, body = argument
        return Repeat(self.sequence(body, flags), low, None if high is _sre.MAXREPEAT else high, eager)

    def max_repeat(self, argument: Any, flags: int) -> Node:
        return self._repeat(argument, flags, eager=False)

    min_repeat = max_repeat

    def possessive_repeat(self, argument: Any, flags: int) -> Node:
        return self._repeat(argument, flags, eager=True)

    def atomic_group(self, argument: Any, flags: int) -> Node:
        return Atomic(self.sequence(argument, flags))

    def groupref(self, number: int, _flags: int) -> Node:
        return Backreference(number)

    def groupref_exists(self, argument: Any, flags: int) -> Node:
        _group, yes, no = argument
        return Branch((self.sequence(yes, flags), self.sequence(no or (), flags)))

    def at(self, where: Any, flags: int) -> Node:
        name = str(where)
        if name == "AT_BEGINNING":
            return Anchor("line-start" if flags & re.MULTILINE else "start")
        if name == "AT_END":
            return Anchor("line-end" if flags & re.MULTILINE else "end")
        return Anchor({"AT_BEGINNING_STRING": "start", "AT_END_STRING": "very-end"}.get(name, "word"))

    def assert_(self, argument: Any, flags: int) -> Node:
        direction, body = argument
        return Look(self.sequence(body, flags), ahead=direction > 0, negative=False)

    def assert_not(self, argument: Any, flags: int) -> Node:
        direction, body = argument
        return Look(self.sequence(body, flags), ahead=direction > 0, negative=True)

    def failure(self, _argument: object, _flags: int) -> Node:
        return Chars(cs.EMPTY)


def _category(category: Any, flags: int) -> cs.CharSet:
    name = str(category).removeprefix("CATEGORY_")
    ascii_only = bool(flags & re.ASCII)
    base = name.removeprefix("NOT_")
    chars = {
        "DIGIT": cs.DIGIT,
        "SPACE": cs.ASCII_SPACE if ascii_only else cs.SPACE,
        "WORD": cs.ASCII_WORD if ascii_only else cs.WORD,
    }[base]
    return cs.negate(chars) if name.startswith("NOT_") else chars
