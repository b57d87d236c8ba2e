"""One immutable file: bytes decoded, text, tree, nodes by type, parents and places. It knows no project.

Parsing never throws past this module: what cannot be read is a `Problem`, and as much of the tree as can be had is
given.
"""

from __future__ import annotations

import ast
import codecs
import re
import warnings
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from charter.api import Location, Span, regex
from charter.syntax.comments import comments
from charter.syntax.positions import Positions
from charter.syntax.walk import Index

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from charter.syntax.comments import Comment

N = TypeVar("N", bound=ast.AST)

_COOKIE = regex(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_BLANK = regex(rb"^[ \t\f]*(?:[#\r\n]|$)")
_WORD = regex(r"\w+")
_SPACED = "".join(char if char.isalnum() or char == "_" else " " for char in map(chr, range(128)))
"""ASCII with everything but the characters of words made a space."""
_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


class Problem(Struct, frozen=True):
    """Why a file, or a part of it, could not be analysed.

    Attributes:
        location: where; the file's start if no place is known.
        message: what is wrong.
        remedy: what the user can do about it.
    """

    location: Location
    message: str
    remedy: str = ""


class Decoded(Struct, frozen=True):
    """The text of a file's bytes and what is needed to write it back.

    Attributes:
        text: the text, line ends as in the file, without a byte order mark.
        encoding: the codec by which it was read (PEP 263).
        bom: whether the bytes began with a UTF-8 byte order mark.
    """

    text: str
    encoding: str = "utf-8"
    bom: bool = False

    def encode(self, text: str) -> bytes:
        """The bytes of another text in the same encoding.

        Raises:
            UnicodeEncodeError: if the encoding lacks one of its characters.
        """
        return (codecs.BOM_UTF8 if self.bom else b"") + text.encode(self.encoding)


def decode(data: bytes) -> Decoded:
    """Decode a Python file by its byte order mark or coding comment (PEP 263).

    Raises:
        ValueError: with a message for the user, if the encoding is unknown or does not fit, or the file is binary.
    """
    bom = data.startswith(codecs.BOM_UTF8)
    if bom:
        data = data[3:]
    elif data.startswith(_BOMS):
        raise ValueError(
            "the file is UTF-16 or UTF-32; Python source must be in an ASCII-compatible encoding"
        )
    encoding = "utf-8"
    first, _, rest = data.partition(b"\n")
    second = rest.partition(b"\n")[0] if _BLANK.match(first) else b""
    for line in (first, second):
        cookie = _COOKIE.match(line)
        if cookie:
            encoding = cookie[1].decode("ascii")
            break
    try:
        text = data.decode(encoding)
    except LookupError:  # also for codecs that are no text encodings, such as `hex`
        raise ValueError(f"the coding comment names {encoding!r}, which is no known text encoding") from None
    except UnicodeError as error:
        at = getattr(error, "start", 0)
        line = data.count(b"\n", 0, at) + 1
        raise ValueError(f"line {line} is not valid {encoding}: {getattr(error, 'reason', error)}") from None
    return Decoded(text, encoding, bom)


def words_in(text: str) -> frozenset[str]:
    """The words of a text, whatever they are there: code, strings or comments."""
    # A third of the time that the pattern takes, for nearly all files.
    return frozenset(text.translate(_SPACED).split() if text.isascii() else _WORD.findall(text))


class Source:
    """One file as every part of Charter sees it. Its values are computed on demand and never change.

    Args:
        path: the file, relative to the project's root, with forward slashes.
        text: its text, line ends as they are in the file.
        module: the dotted name under which it would be imported; "" if none.
        meant: gives the name by which the project knows a module that the file imports; None if that is the name that
            it is imported by.

    Attributes:
        made: what several analyses have made of the file for each other, by the functions that made it.
    """

    def __init__(
        self, path: str, text: str, module: str = "", meant: Callable[[str], str] | None = None
    ) -> None:
        self.path = path
        self.text = text
        self.module = module
        self.meant = meant
        self.made: dict[object, object] = {}
        self._problems: tuple[Problem, ...] = ()

    def assembled(self, tree: ast.Module, index: Index, problems: tuple[Problem, ...]) -> Source:
        """The same file, whose tree and index are known already."""
        source = self.anew(self.text)
        source.__dict__.update(tree=tree, index=index, _problems=problems)
        return source

    def anew(self, text: str) -> Source:
        """The same file with a text of which nothing is read yet."""
        return Source(self.path, text, self.module, self.meant)

    @cached_property
    def positions(self) -> Positions:
        """The lines of the text."""
        return Positions(self.text)

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of the text."""
        return words_in(self.text)

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of all that parses; statements that do not parse are left out and are `problems`."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self.text)
        except (SyntaxError, RecursionError, MemoryError, ValueError):  # `ValueError` for a null byte
            return self._tree_of_sound_statements()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What did not parse; () for a sound file."""
        _ = self.tree
        return self._problems

    @cached_property
    def index(self) -> Index:
        """Nodes by type and parents."""
        return Index(self.tree)

    def nodes(self, kind: type[N]) -> Sequence[N]:
        """All nodes of exactly this type, in source order."""
        return self.index.by_type.get(kind, ())  # pyright: ignore[reportReturnType]

    @cached_property
    def reads(self) -> Mapping[str, Sequence[ast.Name]]:
        """The bare names that need a value, by identifier and in source order: what is loaded or deleted."""
        return self._names[0]

    @cached_property
    def binds(self) -> Mapping[str, Sequence[ast.Name]]:
        """The bare names that make an identifier one of their scope's, likewise: what is stored or deleted."""
        return self._names[1]

    @cached_property
    def _names(self) -> tuple[dict[str, list[ast.Name]], dict[str, list[ast.Name]]]:
        reads: defaultdict[str, list[ast.Name]] = defaultdict(list)
        binds: defaultdict[str, list[ast.Name]] = defaultdict(list)
        for name in self.nodes(ast.Name):
            context = type(name.ctx)
            if context is not ast.Store:
                reads[name.id].append(name)
            if context is not ast.Load:
                binds[name.id].append(name)
        return dict(reads), dict(binds)

    @cached_property
    def gets(self) -> Mapping[str, Sequence[ast.Attribute]]:
        """The attributes that are read, by their own identifier and in source order."""
        return self._attributes[0]

    @cached_property
    def sets(self) -> Mapping[str, Sequence[ast.Attribute]]:
        """The attributes that are stored or deleted, likewise."""
        return self._attributes[1]

    @cached_property
    def _attributes(self) -> tuple[dict[str, list[ast.Attribute]], dict[str, list[ast.Attribute]]]:
        gets: defaultdict[str, list[ast.Attribute]] = defaultdict(list)
        sets: defaultdict[str, list[ast.Attribute]] = defaultdict(list)
        for node in self.nodes(ast.Attribute):
            (gets if type(node.ctx) is ast.Load else sets)[node.attr].append(node)
        return dict(gets), dict(sets)

    @cached_property
    def comments(self) -> Sequence[Comment]:
        """The comments, in order; as many as can be had if the text does not tokenize."""
        return comments(self.positions)

    @cached_property
    def strings(self) -> Sequence[tuple[str, ast.Constant]]:
        """The constants that are text, each behind its text, in source order."""
        return [(text, node) for node in self.nodes(ast.Constant) if isinstance(text := node.value, str)]

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that holds this one; None for the module."""
        return self.index.parents.get(node)

    def span(self, node: ast.AST) -> Span:
        """The offsets of a node. Nodes without a place (`arguments`, `comprehension`) span their children."""
        placed: Any = node
        try:
            line, end_line = placed.lineno, placed.end_lineno
        except AttributeError:
            return self._span_of_placeless(node)
        positions = self.positions
        if positions.is_ascii and end_line is not None:  # by far the most
            starts = positions.starts
            return Span(
                starts[line - 1] + placed.col_offset, starts[end_line - 1] + (placed.end_col_offset or 0)
            )
        start = positions.offset(line, placed.col_offset)
        end = start if end_line is None else positions.offset(end_line, placed.end_col_offset or 0)
        return Span(start, end)

    def segment(self, node: ast.AST) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def location(self, place: ast.AST | Span | Location) -> Location:
        """A place with its lines and columns."""
        if isinstance(place, Location):
            return place
        span = place if isinstance(place, Span) else self.span(place)
        line, column = self.positions.place(span.start)
        starts = self.positions.starts
        if line < len(starts) and span.end >= starts[line]:
            end_line, end_column = self.positions.place(span.end)
        else:  # most places lie in one line
            end_line, end_column = line, column + span.end - span.start
        return Location(self.path, span, line, column, end_line, end_column)

    def _span_of_placeless(self, node: ast.AST) -> Span:
        from charter.syntax.walk import children

        if isinstance(node, ast.Module):
            return Span(0, len(self.text))
        spans = [self.span(child) for child in children(node)]
        if not spans:
            return Span(0, 0)
        return Span(min(span.start for span in spans), max(span.end for span in spans))

    def _problem(self, message: str, remedy: str, span: Span | None = None) -> Problem:
        return Problem(self.location(span or Span(0, 0)), message, remedy)

    def _tree_of_sound_statements(self) -> ast.Module:
        """Parse what the host cannot, statement by statement: newer syntax, and what is left of a broken file."""
        from charter.syntax import convert

        recovered = convert.statements(self.text)
        self._problems = tuple(
            self._problem(f"syntax error: {broken.message}", "the rest of the file was checked", broken.span)
            for broken in recovered.errors
        )
        return recovered.tree
