"""A file while it is being edited: held by statement, so that an edit re-parses only the statements it touches.

It knows edits and trees, no rule. Two complete statements that end with their line parse alone as they do together;
that is why the trees of a document's pieces, put together, are the tree of the whole text. What does not parse is a
broken piece; the others keep their trees, and of the broken one is kept what can be read.
"""

from __future__ import annotations

import ast
import warnings
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from msgspec import Struct, field

from charter.api import Location, Span, regex
from charter.syntax import nodes
from charter.syntax.convert import MAY_BE_NEWER, mentioned, statements
from charter.syntax.joined import JoinedIndex
from charter.syntax.pieces import (
    Piece,
    begin,
    blocks,
    edited,
    errors,
    flat,
    merged,
    note_error,
    pieces_of,
    touched,
    union,
)
from charter.syntax.positions import Positions
from charter.syntax.source import Problem, Source
from charter.syntax.walk import Index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_CONTINUES = regex(r"(?:else|elif|except|finally|case)\b|[\])}.,]")
"""How a line begins that can only belong to the statement before it."""

_BEGINS = regex(r"(?!(?:else|elif|except|finally|case)\b)[^\s#)\]}]")
"""How a line begins that starts a statement at the top level."""

_SMALL = 6_000
"""Characters up to which text that the host refuses is at once tried as newer syntax; beyond, `settle` does so."""

_WITHIN = 20_000
"""Characters up to which it is looked what can be read of broken text; beyond, only the names in it are."""

_CLASS = "class _:\n"
"""What stands before lines of a class's body so that they parse by themselves."""

_ELSEWHERE = regex(r" on line \d+| \(detected at line \d+\)")
"""What a parser says of other lines, which move while the message stays."""

_WORD = regex(r"\w+")
_TRIPLE = ('"""', "'''")
_LINE_END = regex(r"\r\n|\n|\r")
_TOO_DEEP = "the code is nested too deeply to be parsed"


class Refresh(Struct):
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
        meant: as of `Source`.
    """

    def __init__(
        self, path: str, text: str, module: str = "", meant: Callable[[str], str] | None = None
    ) -> None:
        self.path = path
        self.module = module
        self._meant = meant
        self.text = text
        self._positions = Positions(text)
        self._tree = ast.Module(body=[], type_ignores=[])
        self._parents: dict[ast.AST, ast.AST] = {}
        self._roots: dict[ast.AST, Index] = {}
        self._pieces: list[Piece] = []
        self._dirty: list[tuple[int, int]] = []
        self._source: Source | None = None
        self._stale = True
        self._was_broken = False

    @property
    def unread(self) -> bool:
        """Whether nothing was parsed yet."""
        return self._stale

    @property
    def broken(self) -> bool:
        """Whether some part does not parse."""
        return any(errors(self._pieces))

    @property
    def broken_lines(self) -> list[tuple[int, int]]:
        """The first and last lines of the parts that do not parse."""
        return [(piece.first, piece.last) for piece in errors(self._pieces)]

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
        self._was_broken = self._was_broken or self.broken
        dirty, self._dirty = merged(self._dirty), []
        for first, last in dirty:
            self._reparse(first, last, result)
        if dirty:
            self._gather()
        return result

    def settle(self) -> bool:
        """If some part is broken, see whether the whole parses after all. Returns whether it does.

        If none is any more, see whether that is so: a mistake in a part that was read in pieces may have been taken out
        with another piece.
        """
        if not self.broken:
            if self._was_broken and not _parses(self.text):
                self._rebuild(Refresh())
            self._was_broken = self.broken
            return False
        if self._may_be_newer() or _parses(self.text):
            fresh = self._unread()
            if not fresh.problems:
                self._rebuild(Refresh(), fresh)
                return True
        self.recover()
        return False

    def recover(self) -> None:
        """Read what can be read of broken parts, so that what they use does not look unused."""
        changed = self._recover(self._pieces, self._tree)
        for piece in self._pieces:
            owner = piece.class_
            if owner is not None and self._recover(piece.members, owner):
                owner.body = [node for member in piece.members for node in member.nodes]
                piece.flat = None
                changed = True
        if changed:
            self._gather()

    def _recover(self, pieces: list[Piece], parent: ast.AST) -> bool:
        unread = [at for at, piece in enumerate(pieces) if piece.error and not piece.nodes]
        for at in reversed(unread):
            fresh = self._recovered(pieces[at], nested=parent is not self._tree)
            pieces[at : at + 1] = fresh
            for piece in fresh:
                list(self._adopt(piece, parent))
        return bool(unread)

    def _recovered(self, piece: Piece, *, nested: bool) -> list[Piece]:
        """What can be read of a broken piece: pieces of which at least one is broken."""
        text = self._lines(piece.first, piece.last)
        before = _CLASS if nested else ""
        recovered = statements(before + text) if len(text) <= _WITHIN else None
        if recovered is not None and recovered.errors:
            ast.increment_lineno(recovered.tree, piece.first - 1 - bool(before))
            body: Sequence[ast.stmt] = recovered.tree.body
            if nested and isinstance(body[0], ast.ClassDef):
                outside = [node for node in body[1:] if isinstance(node, nodes.Broken)]
                body = [*body[0].body, *outside] if len(outside) == len(body) - 1 else ()
            start = self._positions.starts[piece.first - 1] - len(before)
            found = pieces_of(sorted(body, key=begin), self._positions, nested=nested)
            for error in recovered.errors:
                span = Span(error.span.start + start, error.span.end + start)
                note_error(found, _error_of(self._place(span), error.message))
            if found and found[0].first >= piece.first and found[-1].last <= piece.last:
                return found
        piece.nodes = [mentioned(text, piece.first - 1)]
        return [piece]

    def _may_be_newer(self) -> bool:
        """Whether what does not parse may be newer syntax than the host's that was not tried as such yet."""
        texts = [self._lines(piece.first, piece.last) for piece in errors(self._pieces)]
        tried = len(texts) == 1 and len(texts[0]) < _SMALL
        return not tried and any(map(MAY_BE_NEWER.search, texts))

    @property
    def source(self) -> Source:
        """The document as it is now, as one immutable file. The sources before it are of no more use."""
        if self._source is None:
            if self._stale or self._dirty:
                self.refresh()
            blocks = [block for piece in self._pieces for block in flat(piece)]
            index = JoinedIndex(self._tree, blocks, self._parents, self._roots)
            source = self._unread().assembled(self._tree, index, self._problems())
            source.__dict__["positions"] = self._positions
            self._source = source
        return self._source

    def _unread(self) -> Source:
        """The file with nothing read of its text."""
        return Source(self.path, self.text, self.module, self._meant)

    def _problems(self) -> tuple[Problem, ...]:
        problems: list[Problem] = []
        for piece in errors(self._pieces):
            line = min(max(piece.error_line, piece.first), piece.last)
            text = self._positions.line_text(line).rstrip()
            column = max(min(piece.error_column, len(text) - 1), 0)
            word = _WORD.match(text, column)
            end = word.end() if word else min(column + 1, len(text))
            place = self._place(Span(self._positions.at(line, column), self._positions.at(line, end)))
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
        edited(self._pieces, first, last, moved)

    def _reparse(self, first: int, last: int, result: Refresh) -> None:
        """Parse lines anew, together with the pieces that they touch."""
        first, last = max(first, 1), max(min(last, len(self._positions.starts)), 1)
        pieces = self._pieces
        low, high = touched(pieces, first, last)
        if high - low == 1 and self._reparse_members(pieces[low], first, last, result):
            return
        low, high = self._reach(pieces, low, high, first, last, "")
        first, last = union(pieces[low:high], first, last)
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
        first, last = union(pieces[low:high], first, last)
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
        low, high = self._reach(members, *touched(members, first, last), first, last, indent)
        first, last = union(members[low:high], first, last)
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
                for kind, found in block.items():
                    result.nodes.setdefault(kind, []).extend(found)
            if not piece.error:
                result.lines.append((piece.first, piece.last))

    def _parse(self, first: int, last: int) -> list[Piece]:
        """The pieces of some lines at the top level; one broken piece if they do not parse."""
        parsed = _parse_lines(self._lines(first, last), first)
        if isinstance(parsed, Piece):
            parsed.last = last
            return [parsed]
        return pieces_of(parsed, self._positions)

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
                found += pieces_of(parsed, self._positions)
            elif found and found[-1].error:
                found[-1].last = broken.first + stop - 1
            else:
                known = parsed is not broken
                line, column = (max(parsed.error_line, first), parsed.error_column) if known else (first, 0)
                last = broken.first + stop - 1
                found.append(Piece(first, last, error=parsed.error, error_line=line, error_column=column))
        return found

    def _parse_members(self, first: int, last: int, indent: str) -> list[Piece] | None:
        """The pieces of some lines of a class's body; None if they may end the class."""
        text = self._lines(first, last)
        lines = [line for line in _LINE_END.split(text) if _is_code(line)]
        if not lines:
            return []
        parsed = _parse_lines(_CLASS + text, first - 1)
        if isinstance(parsed, Piece):
            if not all(line.startswith(indent) for line in lines):
                return None
            parsed.first, parsed.last = first, last
            return [parsed]
        if len(parsed) != 1 or not isinstance(parsed[0], ast.ClassDef):
            return None
        body = parsed[0].body
        if any(node.col_offset != len(indent) for node in body) or not lines[0].startswith(indent):
            return None
        return pieces_of(body, self._positions, nested=True)

    def _lines(self, first: int, last: int) -> str:
        starts = self._positions.starts
        end = starts[last] if last < len(starts) else len(self.text)
        return self.text[starts[first - 1] : end]

    def _rebuild(self, result: Refresh, source: Source | None = None) -> None:
        """Parse everything anew, as a file that is not edited is parsed."""
        source = source or self._unread()
        self._parents = {}
        self._roots = {}
        self._pieces = pieces_of(source.tree.body, self._positions)
        self._tree = ast.Module(body=[], type_ignores=[])
        for problem in source.problems:
            note_error(self._pieces, _error_of(problem.location, problem.message))
        for piece in self._pieces:
            self._adopt(piece, self._tree)
        self._dirty = []
        self._stale = False
        self._gather()
        result.whole = True

    def _gather(self) -> None:
        self._tree.body = [node for piece in self._pieces for node in piece.nodes]
        self._source = None

    def _adopt(self, piece: Piece, parent: ast.AST) -> Iterator[dict[type[ast.AST], list[ast.AST]]]:
        """Index a new piece's nodes and remember their parents."""
        piece.flat = None
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
        return blocks(piece)

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


def _parse_lines(text: str, first: int) -> list[ast.stmt] | Piece:
    """Parse whole lines of which the first has this number; a broken piece if they do not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse("\n" * (first - 1) + text).body
    except SyntaxError as error:
        newer = _newer_syntax(text) if len(text) < _SMALL and MAY_BE_NEWER.search(text) else None
        if newer is None:
            message = _ELSEWHERE.sub("", f"syntax error: {error.msg}")
            column = max((error.offset or 1) - 1, 0)
            return Piece(first, first, error=message, error_line=error.lineno or first, error_column=column)
        ast.increment_lineno(newer, first - 1)
        return newer.body
    except (RecursionError, MemoryError):
        return Piece(first, first, error=_TOO_DEEP, error_line=first)
    except ValueError as error:  # a null byte, on CPython 3.11
        return Piece(first, first, error=str(error), error_line=first)


def _error_of(place: Location, message: str) -> Piece:
    """A mistake as a piece that says so."""
    message = _ELSEWHERE.sub("", message)
    message = message if message.startswith("syntax error: ") else f"syntax error: {message}"
    return Piece(place.line, place.line, error=message, error_line=place.line, error_column=place.column)


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
    recovered = statements(text)  # as a file is read that the host cannot parse
    return None if recovered.errors else recovered.tree
