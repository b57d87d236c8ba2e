"""A file while it is being edited: held by statement, so that an edit re-parses only the statements it touches.

It knows edits and trees, no rule. Lines divide a document into pieces: a top-level statement, or, in a class, its
head and each statement of its body. Two complete statements that end with their line parse alone as they do
together; that is why the pieces' trees, put together, are the tree of the whole text. What does not parse is a
broken piece; the others keep their trees.
"""

from __future__ import annotations

import ast
import bisect
import re
import warnings
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from charter.api import Location, Span
from charter.syntax.joined import JoinedIndex
from charter.syntax.positions import Positions
from charter.syntax.source import Problem, Source
from charter.syntax.walk import Index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_CONTINUES = re.compile(r"(?:else|elif|except|finally|case)\b|[\])}.,]")
"""How a line begins that can only belong to the statement before it."""

_BEGINS = re.compile(r"(?!(?:else|elif|except|finally|case)\b)[^\s#)\]}]")
"""How a line begins that starts a statement at the top level."""

_SMALL = 6_000
"""Characters up to which text that the host refuses is at once tried as newer syntax; beyond, `settle` does so."""

_NEWER = re.compile(
    r"""\b(?:[rR]?[fFtT][rR]?)['"]|^\s*type\s+\w|^\s*(?:(?:async\s+)?def|class)\s+\w+\s*\[|^\s*except\*?\s[^(\n]*,""",
    re.MULTILINE,
)
"""What text contains that may be in newer syntax: f-strings (PEP 701), type parameters (PEP 695), `except A, B`."""

_TRIPLE = ('"""', "'''")
_LINE_END = re.compile(r"\r\n|\n|\r")
_TOO_DEEP = "the code is nested too deeply to be parsed"


@dataclass(eq=False, slots=True)
class Piece:
    """Whole lines of a document that were parsed together.

    Attributes:
        first: first line, 1-based, decorators included.
        last: last line.
        nodes: the statements; () for a broken piece, and for blank space.
        own: the class itself, by type, if its body is held by statement.
        head: the indices of the statements; of such a class those of its bases and keywords.
        members: the pieces of a class's body.
        tail: the indices of a class's decorators, which the grammar puts behind its body.
        indent: the white space before each statement of a class's body.
        body: the line on which a class's body begins.
        error: why it does not parse; "" if it does.
        error_line: the line that the parser named.
        flat: the nodes by type of its parts in source order, once they were put together.
    """

    first: int
    last: int
    nodes: list[ast.stmt] = field(default_factory=list[ast.stmt])
    own: dict[type[ast.AST], list[ast.AST]] = field(default_factory=dict[type[ast.AST], list[ast.AST]])
    head: list[Index] = field(default_factory=list[Index])
    members: list[Piece] = field(default_factory=list["Piece"])
    tail: list[Index] = field(default_factory=list[Index])
    indent: str = ""
    body: int = 0
    error: str = ""
    error_line: int = 0
    flat: list[dict[type[ast.AST], list[ast.AST]]] | None = None

    @property
    def class_(self) -> ast.ClassDef | None:
        """The class whose body is held by statement; None if the piece is held whole."""
        return cast("ast.ClassDef", self.nodes[0]) if self.members else None


@dataclass(slots=True)
class Refresh:
    """What an update of a document parsed anew.

    Attributes:
        nodes: the new nodes by type, and the classes around them.
        lines: the line ranges, first and last, that were parsed anew and are sound.
        whole: whether everything was parsed anew.
    """

    nodes: dict[type[ast.AST], list[ast.AST]] = field(default_factory=dict[type[ast.AST], list[ast.AST]])
    lines: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    whole: bool = False


class Document:
    """A text that is edited, together with the trees of its statements.

    Args:
        path: the file, relative to the project's root, with forward slashes.
        text: its text.
        module: the dotted name under which it would be imported; "" if none.
    """

    def __init__(self, path: str, text: str, module: str = "") -> None:
        self.path = path
        self.module = module
        self.text = text
        self._positions = Positions(text)
        self._tree = ast.Module(body=[], type_ignores=[])
        self._parents: dict[ast.AST, ast.AST] = {}
        self._roots: dict[ast.AST, Index] = {}
        self._pieces: list[Piece] = []
        self._dirty: list[tuple[int, int]] = []
        self._source: Source | None = None
        self._stale = True
        self._homeless: tuple[Problem, ...] = ()

    @property
    def unread(self) -> bool:
        """Whether nothing was parsed yet."""
        return self._stale

    @property
    def broken(self) -> bool:
        """Whether some part does not parse."""
        return bool(self._homeless) or any(_errors(self._pieces))

    def replace(self, start: int, end: int, new: str) -> None:
        """Put text in the place of a span; nothing is parsed before `refresh`.

        Args:
            start: offset of the first character that goes.
            end: offset behind the last one.
            new: what comes.
        """
        old = self._positions
        self.text = self.text[:start] + new + self.text[end:]
        self._positions = Positions(self.text)
        self._source = None
        if self._stale:
            return
        first, last = old.place(start)[0], old.place(end)[0]
        moved = len(self._positions.starts) - len(old.starts)
        if "\r" in self.text or "\r" in old.text:
            # A line end may have been joined or parted at a border (CR | LF).
            first, last = max(first - 1, 1), min(last + 1, len(old.starts))
        self._mark(first, last, moved)

    def refresh(self) -> Refresh:
        """Parse what edits touched since the last time."""
        result = Refresh()
        if self._stale:
            self._rebuild(result)
            return result
        dirty, self._dirty = _merged(self._dirty), []
        for first, last in dirty:
            self._reparse(first, last, result)
        if dirty:
            self._gather()
        return result

    def settle(self) -> bool:
        """If some part is broken, see whether the whole parses after all. Returns whether the trees changed."""
        if not self.broken or not (self._may_be_newer() or _parses(self.text)):
            return False
        fresh = Source(self.path, self.text, self.module)
        if fresh.problems:
            return False
        self._rebuild(Refresh(), fresh)
        return True

    def _may_be_newer(self) -> bool:
        """Whether what does not parse may be newer syntax than the host's that was not tried as such yet."""
        if self._homeless:
            return bool(_NEWER.search(self.text))
        texts = [self._lines(piece.first, piece.last) for piece in _errors(self._pieces)]
        tried = len(texts) == 1 and len(texts[0]) < _SMALL
        return not tried and any(map(_NEWER.search, texts))

    @property
    def source(self) -> Source:
        """The document as it is now, as one immutable file. The sources before it are of no more use."""
        if self._source is None:
            if self._stale or self._dirty:
                self.refresh()
            blocks = [block for piece in self._pieces for block in _flat(piece)]
            index = JoinedIndex(self._tree, blocks, self._parents, self._roots)
            source = Source.assembled(self.path, self.text, self.module, self._tree, index, self._problems())
            source.__dict__["positions"] = self._positions
            self._source = source
        return self._source

    def _problems(self) -> tuple[Problem, ...]:
        problems: list[Problem] = [*self._homeless]
        for piece in _errors(self._pieces):
            if piece.error:
                line = min(max(piece.error_line, piece.first), piece.last)
                text = self._positions.line_text(line)
                start = self._positions.at(line, len(text) - len(text.lstrip()))
                span = Span(start, max(self._positions.at(line, len(text)), start))
                place = self._place(span)
                problems.append(Problem(place, piece.error, "the rest of the file was checked"))
        return tuple(problems)

    def _place(self, span: Span) -> Location:
        line, column = self._positions.place(span.start)
        end_line, end_column = self._positions.place(span.end)
        return Location(self.path, span, line, column, end_line, end_column)

    def _mark(self, first: int, last: int, moved: int) -> None:
        """Note that lines were edited, and move all that lies behind them."""
        self._dirty = [
            (min(a, first) if a <= last else a + moved, max(b, last) + moved if b >= first else b)
            for a, b in self._dirty
        ]
        self._dirty.append((first, last + moved))
        _edited(self._pieces, first, last, moved)

    def _reparse(self, first: int, last: int, result: Refresh) -> None:
        """Parse lines anew, together with the pieces that they touch."""
        first, last = max(first, 1), max(min(last, len(self._positions.starts)), 1)
        pieces = self._pieces
        low, high = _touched(pieces, first, last)
        if high - low == 1 and self._reparse_members(pieces[low], first, last, result):
            return
        low, high = self._reach(pieces, low, high, first, last, "")
        first, last = _union(pieces[low:high], first, last)
        fresh = self._parse(first, last)
        if len(fresh) == 1 and fresh[0].error:
            fresh = self._parse_apart(fresh[0])
        self._put(pieces, low, high, fresh, self._tree, result)

    def _reach(
        self, pieces: list[Piece], low: int, high: int, first: int, last: int, indent: str
    ) -> tuple[int, int]:
        """Take in neighbours that belong together with some lines.

        These are broken ones, the piece before lines that only continue it, and the piece behind a decorator.
        """
        while low and pieces[low - 1].error:
            low -= 1
        while high < len(pieces) and pieces[high].error:
            high += 1
        first, last = _union(pieces[low:high], first, last)
        code = [
            text
            for line in range(first, last + 1)
            if (text := self._positions.line_text(line)) and _is_code(text)
        ]
        before, end = self._positions.line_text(first - 1), self._positions.line_text(last)
        deeper = bool(code) and code[0].startswith(indent) and code[0][len(indent)] in " \t\f"
        continues = bool(code) and bool(_CONTINUES.match(code[0].lstrip()))
        if low and (deeper or continues or before.endswith("\\")):
            low -= 1
        if high < len(pieces) and ((code and code[-1].lstrip().startswith("@")) or end.endswith("\\")):
            high += 1
        return low, high

    def _reparse_members(self, piece: Piece, first: int, last: int, result: Refresh) -> bool:
        """Parse anew only the statements of a class's body that were touched; whether that is enough."""
        owner = piece.class_
        members = piece.members
        if owner is None or first < piece.body or last > piece.last:
            return False
        indent = piece.indent
        low, high = self._reach(members, *_touched(members, first, last), first, last, indent)
        first, last = _union(members[low:high], first, last)
        kept = [*members[:low], *members[high:]]
        if not any(member.nodes for member in kept):
            return False
        fresh = self._parse_members(first, last, indent)
        if fresh is None:
            return False
        self._put(members, low, high, fresh, owner, result)
        piece.flat = None
        owner.body = [node for member in members for node in member.nodes]
        owner.end_lineno, owner.end_col_offset = owner.body[-1].end_lineno, owner.body[-1].end_col_offset
        piece.last = max(owner.end_lineno or 0, members[-1].last)
        result.nodes.setdefault(ast.ClassDef, []).append(owner)
        return True

    def _put(
        self,
        pieces: list[Piece],
        low: int,
        high: int,
        fresh: list[Piece],
        parent: ast.AST,
        result: Refresh,
    ) -> None:
        """Put new pieces in the place of old ones."""
        for piece in pieces[low:high]:
            self._forget(piece)
        pieces[low:high] = fresh
        for piece in fresh:
            for block in self._adopt(piece, parent):
                for kind, nodes in block.items():
                    result.nodes.setdefault(kind, []).extend(nodes)
            if not piece.error:
                result.lines.append((piece.first, piece.last))

    def _parse(self, first: int, last: int) -> list[Piece]:
        """The pieces of some lines at the top level; one broken piece if they do not parse."""
        parsed = _parse_lines(self._lines(first, last), first)
        if isinstance(parsed, Piece):
            parsed.last = last
            return [parsed]
        return self._pieces_of(parsed)

    def _parse_apart(self, broken: Piece) -> list[Piece]:
        """Save from a broken piece the statements in it that parse on their own."""
        lines = [self._lines(line, line) for line in range(broken.first, broken.last + 1)]
        cuts = [at for at, line in enumerate(lines) if at and _BEGINS.match(line)]
        if not cuts:
            return [broken]
        found: list[Piece] = []
        in_string = False
        for start, stop in pairwise([0, *cuts, len(lines)]):
            text = "".join(lines[start:stop])
            first = broken.first + start
            opens = sum(text.count(quotes) for quotes in _TRIPLE) % 2 == 1
            parsed = broken if in_string or opens else _parse_lines(text, first)
            in_string ^= opens
            if not isinstance(parsed, Piece):
                found += self._pieces_of(parsed)
            elif found and found[-1].error:
                found[-1].last = broken.first + stop - 1
            else:
                line = max(parsed.error_line, first) if parsed is not broken else first
                found.append(Piece(first, broken.first + stop - 1, error=parsed.error, error_line=line))
        return found

    def _parse_members(self, first: int, last: int, indent: str) -> list[Piece] | None:
        """The pieces of some lines of a class's body; None if they may end the class."""
        text = self._lines(first, last)
        lines = [line for line in _LINE_END.split(text) if _is_code(line)]
        if not lines:
            return []
        parsed = _parse_lines("class _:\n" + text, first - 1)
        if isinstance(parsed, Piece):
            if not all(line.startswith(indent) for line in lines):
                return None
            return [Piece(first, last, error=parsed.error, error_line=parsed.error_line)]
        if len(parsed) != 1 or not isinstance(parsed[0], ast.ClassDef):
            return None
        body = parsed[0].body
        if any(node.col_offset != len(indent) for node in body) or not lines[0].startswith(indent):
            return None
        return self._pieces_of(body, nested=True)

    def _pieces_of(self, body: Sequence[ast.stmt], *, nested: bool = False) -> list[Piece]:
        """Statements by the lines they lie on; those that share a line are one piece."""
        pieces: list[Piece] = []
        for node in body:
            first, last = _begin(node), node.end_lineno or node.lineno
            if pieces and first <= pieces[-1].last:
                shared = pieces[-1]
                shared.members = []
                shared.nodes.append(node)
                shared.last = max(shared.last, last)
                continue
            piece = Piece(first, last, [node])
            if not nested and isinstance(node, ast.ClassDef) and self._own_lines(node):
                piece.members = self._pieces_of(node.body, nested=True)
                piece.body = piece.members[0].first
                piece.indent = self._positions.line_text(node.body[0].lineno)[: node.body[0].col_offset]
            pieces.append(piece)
        return pieces

    def _own_lines(self, node: ast.ClassDef) -> bool:
        """Whether a class's body starts on a line of its own."""
        line = self._positions.line_text(_begin(node.body[0]))
        return not line[: node.body[0].col_offset].strip()

    def _lines(self, first: int, last: int) -> str:
        starts = self._positions.starts
        end = starts[last] if last < len(starts) else len(self.text)
        return self.text[starts[first - 1] : end]

    def _rebuild(self, result: Refresh, source: Source | None = None) -> None:
        """Parse everything anew, as a file that is not edited is parsed."""
        source = source or Source(self.path, self.text, self.module)
        self._parents = {}
        self._roots = {}
        self._pieces = self._pieces_of(source.tree.body)
        self._homeless = ()
        self._tree = ast.Module(body=[], type_ignores=[])
        for problem in source.problems:
            self._break(problem)
        for piece in self._pieces:
            self._adopt(piece, self._tree)
        self._dirty = []
        self._stale = False
        self._gather()
        result.whole = True

    def _break(self, problem: Problem) -> None:
        """Take in a part that a fresh parse found broken."""
        first, last = problem.location.line, problem.location.end_line
        if not self._pieces:
            self._pieces.append(
                Piece(1, len(self._positions.starts), error=problem.message, error_line=first)
            )
            return
        low, high = _touched(self._pieces, first, last)
        if low == high:
            self._pieces.insert(low, Piece(first, last, error=problem.message, error_line=first))
        else:
            self._homeless = (*self._homeless, problem)

    def _gather(self) -> None:
        self._tree.body = [node for piece in self._pieces for node in piece.nodes]
        self._source = None

    def _adopt(self, piece: Piece, parent: ast.AST) -> Iterator[dict[type[ast.AST], list[ast.AST]]]:
        """Index a new piece's nodes and remember their parents."""
        for node in piece.nodes:
            self._parents[node] = parent
        if not piece.members:
            piece.head = [self._index(node) for node in piece.nodes]
        else:
            owner = cast("ast.ClassDef", piece.nodes[0])
            piece.own = {ast.ClassDef: [owner]}
            decorators: Sequence[ast.AST] = owner.decorator_list
            type_params: Sequence[ast.AST] = getattr(owner, "type_params", ())
            for node in (*owner.bases, *owner.keywords, *decorators, *type_params):
                self._parents[node] = owner
            piece.head = [self._index(node) for node in (*owner.bases, *owner.keywords)]
            piece.tail = [self._index(node) for node in (*decorators, *type_params)]
            for member in piece.members:
                list(self._adopt(member, owner))
        return _blocks(piece)

    def _index(self, node: ast.AST) -> Index:
        index = Index(node)
        self._parents.update(index.parents)
        self._roots[node] = index
        return index

    def _forget(self, piece: Piece) -> None:
        for node in piece.nodes:
            self._parents.pop(node, None)
        for index in (*piece.head, *piece.tail):
            for node in index.nodes:
                self._parents.pop(node, None)
            self._roots.pop(index.nodes[0], None)
        for member in piece.members:
            self._forget(member)


def _blocks(piece: Piece) -> Iterator[dict[type[ast.AST], list[ast.AST]]]:
    """The nodes by type of a piece's parts, in source order."""
    if piece.own:
        yield piece.own
    for index in piece.head:
        yield index.by_type
    for member in piece.members:
        yield from _blocks(member)
    for index in piece.tail:
        yield index.by_type


def _flat(piece: Piece) -> list[dict[type[ast.AST], list[ast.AST]]]:
    """As `_blocks`, kept until the piece changes."""
    if piece.flat is None:
        piece.flat = list(_blocks(piece))
    return piece.flat


def _first_line(piece: Piece) -> int:
    return piece.first


def _last_line(piece: Piece) -> int:
    return piece.last


def _errors(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The broken pieces, those in classes included."""
    for piece in pieces:
        if piece.error:
            yield piece
        yield from _errors(piece.members)


def _touched(pieces: Sequence[Piece], first: int, last: int) -> tuple[int, int]:
    """The half-open range of the pieces that share a line with some lines."""
    low = bisect.bisect_left(pieces, first, key=_last_line)
    return low, max(bisect.bisect_right(pieces, last, key=_first_line), low)


def _union(pieces: Sequence[Piece], first: int, last: int) -> tuple[int, int]:
    """The lines from the first to the last of all."""
    return min([first, *(piece.first for piece in pieces)]), max([last, *(piece.last for piece in pieces)])


def _edited(pieces: Iterable[Piece], first: int, last: int, moved: int) -> None:
    """Move what lies behind edited lines; a piece that they touch covers all of them."""
    for piece in pieces:
        if piece.first > last:
            if moved:
                _move(piece, moved)
        elif piece.last >= first:
            piece.first = min(piece.first, first)
            piece.last = max(piece.last, last) + moved
            _edited(piece.members, first, last, moved)


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Line ranges in order, those that touch made into one."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _move(piece: Piece, lines: int) -> None:
    piece.first += lines
    piece.last += lines
    piece.body += lines
    piece.error_line += lines
    for member in piece.members:
        _move(member, lines)
    _move_nodes(piece.own, lines)
    for index in (*piece.head, *piece.tail):
        _move_nodes(index.by_type, lines)


def _move_nodes(block: Mapping[type[ast.AST], list[ast.AST]], lines: int) -> None:
    for kind, nodes in block.items():
        if "lineno" in kind._attributes:  # noqa: SLF001 (public in all but name; `ast` documents it)
            for node in cast("list[ast.expr]", nodes):
                node.lineno += lines
                node.end_lineno = (node.end_lineno or 0) + lines


def _begin(node: ast.stmt) -> int:
    decorators: Sequence[ast.expr] = getattr(node, "decorator_list", ())
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _parse_lines(text: str, first: int) -> list[ast.stmt] | Piece:
    """Parse whole lines of which the first has this number; a broken piece if they do not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse("\n" * (first - 1) + text).body
    except SyntaxError as error:
        newer = _newer_syntax(text) if len(text) < _SMALL and _NEWER.search(text) else None
        if newer is None:
            return Piece(first, first, error=f"syntax error: {error.msg}", error_line=error.lineno or first)
        ast.increment_lineno(newer, first - 1)
        return newer.body
    except (RecursionError, MemoryError):
        return Piece(first, first, error=_TOO_DEEP, error_line=first)
    except ValueError as error:  # a null byte, on CPython 3.11
        return Piece(first, first, error=str(error), error_line=first)


def _is_code(line: str) -> bool:
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith("#")


def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _newer_syntax(text: str) -> ast.Module | None:
    """The tree of text in a syntax that is newer than the host's; None if it is none."""
    from charter.syntax import convert

    try:
        return convert.parse(text)
    except (SyntaxError, RecursionError):
        return None
