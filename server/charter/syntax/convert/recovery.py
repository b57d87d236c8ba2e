"""Parses what parses of a text: statement by statement, newer syntax converted, broken statements left out.

A broken statement is narrowed down through the blocks around it: a mistake in one method costs the innermost statement
that holds it. The text is repaired without moving anything (a statement that the host cannot parse becomes a place
holder of the same extent), parsed once, and the place holders are exchanged for what they stand for.
"""

from __future__ import annotations

import ast
import keyword
import warnings
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from charter.api import Span, regex
from charter.syntax import nodes
from charter.syntax.convert.cursor import Cursor
from charter.syntax.convert.lines import Layout, Line, layout
from charter.syntax.convert.whole import MAY_BE_NEWER, parse, parse_within
from charter.syntax.positions import Positions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LOOP: Final = {"else": 2}
_CLAUSES: Final = {
    "if": {"elif": 1, "else": 2},
    "for": _LOOP,
    "while": _LOOP,
    "async": _LOOP,
    "try": {"except": 1, "else": 2, "finally": 3},
}
"""The clauses that may follow each head, in their order; only the first may come again."""
_NAME: Final = regex(r"(?<![\w.])[^\W\d]\w*")
_STRING_OR_COMMENT: Final = regex(r"\"[^\"\r\n]*\"|'[^'\r\n]*'|#[^\r\n]*")
_HEAD: Final = regex(r"(async[ \t]+)?([a-z]+)[ \t]*(\w*)")
_PARAMETER: Final = regex(r"[(,]\s*(\*{0,2}[^\W\d]\w*)")
_LINE: Final = regex(r"( on line | \(detected at line )(\d+)")
"""Where a parser's message names a line of the text that it was given."""
_BLANK: Final = regex(r"[^\r\n]+")
_CONTEXT: Final = {
    "elif": "if 1: pass\n",
    "else": "if 1: pass\n",
    "except": "try: pass\n",
    "finally": "try: pass\n",
}


class Broken(Struct, frozen=True):
    """One mistake.

    Attributes:
        message: what the parser says.
        span: where, in code points of the text; never empty unless the text is.
    """

    message: str
    span: Span


class Recovered(Struct, frozen=True):
    """What could be parsed of a text.

    Attributes:
        tree: the module; a statement that does not parse stands in it as a `nodes.Broken`.
        errors: the mistakes in the order of the text, one for each run of broken statements.
    """

    tree: ast.Module
    errors: tuple[Broken, ...]


def statements(text: str) -> Recovered:
    """Parse as much of a text as can be had.

    Args:
        text: the whole text, without a byte order mark.

    Returns:
        The tree of all that parses, with the places that it has in the text, and the mistakes. Never raises.
    """
    recovery = _Recovery(text)
    if not recovery.lines:
        return Recovered(ast.Module(body=[], type_ignores=[]), _continued(text))
    recovery.block(0, len(recovery.lines), 0)
    return recovery.result()


def _continued(text: str) -> tuple[Broken, ...]:
    """The mistake of a text without a statement: a last line that is to go on in another."""
    at = text.rfind("\\")
    if at < 0 or text[at + 1 :].strip(" \t\f") not in {"", "\n", "\r\n", "\r"}:
        return ()
    is_comment = "#" in text[text.rfind("\n", 0, at) + 1 : at]
    return () if is_comment else (Broken("unexpected EOF while parsing", Span(at, at + 1)),)


def mentioned(text: str, shift: int = 0) -> ast.stmt:
    """A statement that stands for text which is not looked into: it uses all names in it, who knows how.

    Args:
        text: the text.
        shift: how many lines of the file stand before it.
    """
    return _broken(Cursor(text, shift), 0, len(text))


class _Hole(Struct):
    """A statement that the host cannot parse: converted from newer syntax, or broken."""

    start: int
    end: int
    converted: list[ast.stmt] = field(default_factory=list)
    error: Broken | None = None
    stray: bool = False
    """Whether no statement may stand there, so that nothing stands for it in the repaired text."""

    def holder(self, text: str) -> str:
        """What stands for it in the repaired text: a tuple of the same extent, so that what is around it ends alike."""
        if self.stray:
            return " "
        blank = _blank(text[self.start : self.end])
        return f"({blank[1:-1]})" if len(blank) > 1 else "0"


class _Recovery:
    def __init__(self, text: str) -> None:
        self.text = text
        self.positions = Positions(text)
        found: Layout = layout(text)
        self.lines = found.lines
        self.holes: list[_Hole] = []
        self.heads: list[tuple[int, int, str]] = []

    def block(self, low: int, high: int, indent: int | None = None) -> None:
        """Find the broken statements of a block: lines from `low` up to `high`, at `indent` (the first line's if None)."""
        if indent is None:
            indent = self.lines[low].indent
        broken = False
        for first, last in self._statements(low, high):
            line = self.lines[first]
            stray = line.indent != indent
            error = self._stray(line, indent) if stray else self._statement(first, last)
            if error is not None:
                end = self.lines[last - 1].end
                self.holes.append(_Hole(line.first, end, error=None if broken else error, stray=stray))
            broken = error is not None

    def _stray(self, line: Line, indent: int) -> Broken:
        deeper = "unexpected indent"
        message = deeper if line.indent > indent else "unindent does not match any outer indentation level"
        return Broken(message, self._tokens(line))

    def _statements(self, low: int, high: int) -> Iterator[tuple[int, int]]:
        """Group the lines of a block into statements with their clauses, bodies and decorators."""
        lines = self.lines
        first = low
        while first < high:
            indent = lines[first].indent
            clauses = _CLAUSES.get(lines[first].word, {})
            order = 0
            last = first + 1
            while last < high and lines[last].indent >= indent:
                if lines[last].indent == indent and lines[last - 1].word != "@":
                    clause = clauses.get(lines[last].word, 0)
                    if not clause or clause < order or clause == order > 1:
                        break
                    order = clause
                last += 1
            yield first, last
            first = last

    def _statement(self, first: int, last: int) -> Broken | None:
        """Check one statement; note what is broken inside it; its error if it is broken as a whole."""
        line = self.lines[first]
        end = self.lines[last - 1].end
        nested = bool(line.indent)
        error = self._host_error(line.start, end, nested=nested)
        if error is None:
            return None
        known = len(self.holes), len(self.heads)
        if last - first > 1:
            self._inside(first, last)
            repaired = (len(self.holes), len(self.heads)) != known
            if repaired and self._host_error(line.start, end, nested=nested) is None:
                return None
        text = self._repaired(line.start, end)
        try:
            if not MAY_BE_NEWER.search(text):
                raise error
            converted = parse_within(text, self.positions.place(line.start)[0], nested=nested)
        except SyntaxError as other:
            del self.holes[known[0] :], self.heads[known[1] :]
            if error.msg.startswith("f-string") and other.lineno:
                # An old host calls every newer f-string broken, so the mistake is where LibCST sees it.
                error = SyntaxError(other.msg, (None, other.lineno, other.offset, None))
            return self._error(error, line, end)
        self.holes.append(_Hole(line.first, end, converted=converted))
        return None

    def _inside(self, first: int, last: int) -> None:
        """Look for mistakes in the bodies and heads of a compound statement."""
        lines = self.lines
        indent = lines[first].indent
        at = first
        while at < last:
            if lines[at].indent > indent:
                until = at
                while until < last and lines[until].indent > indent:
                    until += 1
                self.block(at, until)
                at = until
                continue
            if at + 1 < last and lines[at + 1].indent > indent and lines[at].word != "@":
                self._head(lines[at])
            at += 1

    def _head(self, line: Line) -> None:
        """Put a sound head of the same kind in the place of a broken one, so that its body can be kept."""
        text = self.text[line.first : line.end]
        context = _CONTEXT.get(line.word, "")
        word = _HEAD.match(text)
        error = self._parse_error(f"{context}{text} pass")
        if word is None or word[2] == "case" or error is None or _is_newer(f"{context}{text} pass"):
            return
        names = _names(text) or ["_"]
        is_async, kind = word[1] or "", word[2]
        if kind == "def":
            parameters = dict.fromkeys(_PARAMETER.findall(text))
            heads = [f"{is_async}def {word[3]}({', '.join(parameters)}):", f"{is_async}def {word[3]}():"]
        elif kind == "class":
            heads = [f"class {word[3]}:"]
        elif kind == "for":
            heads = [f"{is_async}for {names[0]} in {names[-1]}:"]
        elif kind in {"else", "try", "finally"}:
            heads = [f"{kind}:"]
        else:
            heads = [f"{is_async}{kind} {names[0]}:"]
        for head in heads:
            if len(head) <= len(text) and self._parse_error(f"{context}{head} pass") is None:
                self.heads.append((line.first, line.end, head))
                self.holes.append(_Hole(line.first, line.first, error=self._head_error(error, line, context)))
                return

    def _head_error(self, error: SyntaxError, line: Line, context: str) -> Broken:
        shifted = (error.lineno or 1) - (1 if context else 0)
        number, column = self.positions.place(line.first)
        offset = (error.offset or 1) + (column if shifted == 1 else 0)
        moved = SyntaxError(error.msg, (None, shifted + number - 1, offset, None))
        return self._error(moved, line, line.end)

    def _host_error(self, start: int, end: int, *, nested: bool) -> SyntaxError | None:
        """The host's complaint about the lines from `start` to `end`, repaired as far as is known; in whole-file lines."""
        text = self._repaired(start, end)
        before = self.positions.place(start)[0] - 1
        error = self._parse_error("if 1:\n" + text if nested else text)
        if error is None:
            return None
        shift = before - (1 if nested else 0)
        return SyntaxError(
            _LINE.sub(lambda match: f"{match[1]}{int(match[2]) + shift}", error.msg),
            (
                None,
                (error.lineno or 1) + shift,
                error.offset,
                None,
                (error.end_lineno or error.lineno or 1) + shift,
                error.end_offset,
            ),
        )

    def _parse_error(self, text: str) -> SyntaxError | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(text)
        except SyntaxError as error:
            return error
        except (RecursionError, MemoryError):
            return SyntaxError("the code is nested too deeply to be parsed")
        except ValueError as error:
            return SyntaxError(str(error))
        return None

    def _repaired(self, start: int, end: int) -> str:
        """The text from `start` to `end` with place holders where it is known that the host fails."""
        edits = [
            (hole.start, hole.end, hole.holder(self.text)) for hole in self.holes if hole.start < hole.end
        ]
        edits = [edit for edit in (*edits, *self.heads) if start <= edit[0] and edit[1] <= end]
        edits.sort(key=lambda edit: (edit[0], -edit[1]))
        parts: list[str] = []
        at = start
        for begin, until, head in edits:
            if begin < at:
                continue  # inside a statement that is left out as a whole
            parts += (self.text[at:begin], head, _blank(self.text[begin + len(head) : until]))
            at = until
        parts.append(self.text[at:end])
        return "".join(parts)

    def _tokens(self, line: Line) -> Span:
        end = self.text.find("\n", line.first, line.end)
        return Span(line.first, max(line.end if end < 0 else end, line.first + 1))

    def _error(self, error: SyntaxError, line: Line, end: int) -> Broken:
        """The place of an error, kept inside the statement that begins with `line`."""
        positions = self.positions
        if error.lineno is None:
            return Broken(error.msg, self._tokens(line))
        start = positions.at(error.lineno, max((error.offset or 1) - 1, 0))
        start = min(max(start, line.first), max(end - 1, line.first))
        while start > line.first and self.text[start] in " \t\r\n":
            start -= 1
        stop = start + 1
        if error.end_lineno == error.lineno and error.end_offset and error.end_offset > (error.offset or 0):
            stop = max(stop, min(positions.at(error.lineno, error.end_offset - 1), end))
        elif self.text[start].isidentifier():
            word = _NAME.match(self.text, start)
            stop = word.end() if word else stop
        return Broken(error.msg, Span(start, stop))

    def result(self) -> Recovered:
        """Parse the repaired text and put what the place holders stand for in their place."""
        errors = tuple(
            sorted((hole.error for hole in self.holes if hole.error), key=lambda error: error.span)
        )
        text = self._repaired(0, len(self.text))
        failure = self._parse_error(text)
        if failure is not None:
            whole = self._error(failure, self.lines[0], self.lines[-1].end)
            return Recovered(ast.Module(body=[], type_ignores=[]), errors or (whole,))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        at = Cursor(self.text)
        holes: dict[tuple[int, int], list[ast.stmt]] = {}
        for hole in self.holes:
            if hole.start < hole.end:
                place = at.place(ast.Pass(), hole.start)
                holes[place.lineno, place.col_offset] = hole.converted or [_broken(at, hole.start, hole.end)]
        if holes:
            _fill(tree, holes)
        for start, end, _ in self.heads:
            lost = _broken(at, start, end)
            tree.body.insert(bisect_left(tree.body, lost.lineno, key=_first_line), lost)
        return Recovered(tree, errors)


def _blank(text: str) -> str:
    """As many spaces as the text has bytes, for `ast` counts columns in bytes; line ends stay."""
    return _BLANK.sub(lambda match: " " * len(match[0].encode("utf-8", "surrogatepass")), text)


def _first_line(node: ast.stmt) -> int:
    return node.lineno


def _broken(at: Cursor, start: int, end: int) -> ast.stmt:
    """A statement of the names in a part of the text, so that what it uses does not look unused."""
    found: list[ast.expr] = []
    text = _STRING_OR_COMMENT.sub(lambda match: " " * len(match[0]), at.text[start:end])
    for match in _NAME.finditer(text):
        if not keyword.iskeyword(match[0]):
            at.pos = start + match.end()
            found.append(at.place(ast.Name(id=match[0], ctx=ast.Load()), start + match.start()))
    at.pos = end
    return at.place(nodes.Broken(names=found), start)


def _is_newer(text: str) -> bool:
    if not MAY_BE_NEWER.search(text):
        return False
    try:
        parse(text)
    except SyntaxError:
        return False
    return True


def _names(text: str) -> list[str]:
    return [name for name in _NAME.findall(_STRING_OR_COMMENT.sub(" ", text)) if not keyword.iskeyword(name)]


def _fill(tree: ast.AST, holes: dict[tuple[int, int], list[ast.stmt]]) -> None:
    """Exchange the place holders in all suites below a node."""
    pending = [tree]
    while pending:
        node = pending.pop()
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            suite: Sequence[ast.AST] | None = getattr(node, name, None)
            if not isinstance(suite, list):
                continue
            filled: list[ast.AST] = []
            for child in suite:
                place = (getattr(child, "lineno", 0), getattr(child, "col_offset", 0))
                known = holes.pop(place, None) if isinstance(child, ast.Expr) else None
                filled.extend([child] if known is None else known)
                pending.extend([child] if known is None else known)
            setattr(node, name, filled)
