"""Splits a text into logical lines, sound or not, and measures how deeply it nests. It knows tokens, no grammar.

Inside brackets a new line goes on with the statement, unless it begins with a word that only ever begins a statement:
then the bracket was left open. So one missing bracket costs one statement, not the rest of the file.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from charter.api import regex

_TOKEN: Final = regex(
    r"""(?P<run>[^"'#()\[\]{}\r\n\\:]+)
    | (?P<newline>\r\n|\r|\n)
    | (?P<quote>\"\"\"|'''|"|')
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<comment>\#[^\r\n]*)
    | (?P<join>\\(?:\r\n|\r|\n)?)
    | (?P<colon>:)""",
    re.VERBOSE,
)
_BODY: Final = {
    '"': regex(r'[^\\\r\n"]*(?:\\(?:\r\n|.)[^\\\r\n"]*)*', re.DOTALL),
    "'": regex(r"[^\\\r\n']*(?:\\(?:\r\n|.)[^\\\r\n']*)*", re.DOTALL),
    '"""': regex(r'[^\\"]*(?:(?:\\.|"(?!""))[^\\"]*)*', re.DOTALL),
    "'''": regex(r"[^\\']*(?:(?:\\.|'(?!''))[^\\']*)*", re.DOTALL),
}
"""The body of a string literal, up to its closing quote, the end of its line or the end of the text."""
_HOLED: Final = {
    '"': regex(r'(?:[^\\{}"\r\n]|\\N\{[^}\r\n]*\}|\\(?:\r\n|[^{}]|(?=[{}]))|\{\{|\})*', re.DOTALL),
    "'": regex(r"(?:[^\\{}'\r\n]|\\N\{[^}\r\n]*\}|\\(?:\r\n|[^{}]|(?=[{}]))|\{\{|\})*", re.DOTALL),
    '"""': regex(r'(?:[^\\{}"]|"(?!"")|\\N\{[^}\r\n]*\}|\\(?:\r\n|[^{}]|(?=[{}]))|\{\{|\})*', re.DOTALL),
    "'''": regex(r"(?:[^\\{}']|'(?!'')|\\N\{[^}\r\n]*\}|\\(?:\r\n|[^{}]|(?=[{}]))|\{\{|\})*", re.DOTALL),
}
"""The text of an f-string up to its next hole, its closing quote, the end of its line or the end of the text."""
_SPEC: Final = regex(r"[^{}\"'\r\n]*")
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
_PREFIX: Final = regex(r"(?:^|\W)([rRbBuUfFtT]{1,2})$")
_STATEMENT: Final = regex(
    r"[ \t]*(?:(?:async[ \t]+def|async[ \t]+with|def|class|import|return|raise|while|try|with|del|pass|assert|global"
    r"|nonlocal|break|continue|except|finally|elif)\b|from[ \t]+[\w.]+[ \t]+import\b"
    r"|@[\w.]+(?:\([^\r\n]*\))?[ \t]*(?:\r\n|\r|\n)[ \t]*(?:@|(?:async[ \t]+)?def\b|class\b))"
)
"""The beginning of a line that cannot stand inside brackets."""
_HEAD: Final = regex(r"(?:async|def|class|if|elif|else|for|while|with|try|except|finally|match|case)\b")
_DEFINITION: Final = regex(
    r"^([ \t]*)(?:async[ \t]+def|def|class)[ \t]+\w+[^\r\n]*:[ \t]*(?:#[^\r\n]*)?$", re.MULTILINE
)
_INDENT: Final = regex(r"[ \t\f]*")
_WORD: Final = regex(r"[^\W\d]\w*|@")
_OPERATOR: Final = regex(r"\b(?:not|lambda|if|else|and|or|in|is|await)\b|[^\w\s,]")
_NEXT_LINE: Final = regex(r"(?:\r\n|\r|\n)(?=([ \t\f]*)[^\s#])")

DEPTH_LIMIT: Final = 1000
"""Operators and brackets around one token beyond which no parser is asked; LibCST's crash begins near three times it."""
_BRACKET_WEIGHT: Final = 5
_PATTERN_LIMIT: Final = 12
"""Brackets in a `case` pattern; LibCST's time doubles with each."""
_RESTARTS: Final = 50


class Line(Struct, frozen=True):
    """A logical line that holds code.

    Attributes:
        start: offset of the first character of its first physical line.
        first: offset of its first token.
        end: offset behind its last token.
        indent: width of its indentation, tabs to multiples of eight.
        word: its first word, `@` for a decorator, "" for anything else.
    """

    start: int
    first: int
    end: int
    indent: int
    word: str


class Layout(Struct, frozen=True):
    """The logical lines of a text.

    Attributes:
        lines: in order.
        depth: how deeply the deepest token is nested, counted in operators and weighted brackets.
    """

    lines: tuple[Line, ...]
    depth: int


def layout(text: str) -> Layout:
    """Split a text into logical lines; never fails.

    A triple-quoted string that never ends is taken to end before the next definition at its own indentation; where the
    text ends inside one, the quote that is too many may stand before, so strings that hold definitions are suspected.
    """
    scanner = _Scanner(text, wary=False)
    scanner.run()
    if scanner.ends_in_string:
        scanner = _Scanner(text, wary=True)
        scanner.run()
    return Layout(tuple(scanner.lines), scanner.depth)


class _Scanner:
    """One pass over a text.

    `stack` holds what is open: brackets, `F` for the text of an f-string, `H` for the code in a hole, `S` for the
    text of a hole's format specification. `levels` holds, for each entry and for the statement itself, the code since
    the last comma.
    """

    def __init__(self, text: str, *, wary: bool) -> None:
        self.text = text
        self.wary = wary
        self.lines: list[Line] = []
        self.depth = 0
        self.ends_in_string = False
        self.pos = 0
        self.begin = -1
        self.tail = 0
        self.stack: list[str] = []
        self.quotes: list[str] = []
        self.levels = [""]
        self.size = 0
        self.elifs: dict[int, int] = {}
        self.restarts = 0

    def run(self) -> None:
        """Scan to the end."""
        text = self.text
        length = len(text)
        handlers = {
            "run": self._run, "newline": self._newline, "quote": self._quote, "open": self._open,
            "close": self._close, "comment": self._pass, "join": self._join, "colon": self._colon,
        }  # fmt: skip
        while True:
            while self.pos < length:
                if self.stack and self.stack[-1] in "FS":
                    self._text()
                    continue
                match = _TOKEN.match(text, self.pos)
                assert match is not None
                self.pos = match.end()
                handlers[match.lastgroup or ""](match)
            if not (self.stack and self._restart()):
                break
        self._end(length)

    def _pass(self, match: re.Match[str]) -> None:
        pass

    def _run(self, match: re.Match[str]) -> None:
        run = match[0]
        if self.begin < 0:
            stripped = run.lstrip(" \t\f")
            if not stripped:
                return
            self.begin = match.end() - len(stripped)
        code = len(run.rstrip(" \t\f"))
        if code:
            self.tail = match.start() + code
        if self.depth > DEPTH_LIMIT:
            return
        comma = run.rfind(",")
        if comma >= 0:
            if comma > DEPTH_LIMIT:
                self.depth = max(self.depth, *(len(_OPERATOR.findall(part)) for part in run.split(",")))
            self.size -= len(self.levels[-1])
            self.levels[-1] = run = run[comma + 1 :]
        else:
            self.levels[-1] += run
        self.size += len(run)
        if self.size > DEPTH_LIMIT:
            self._measure()

    def _measure(self) -> None:
        """Count operators exactly; keep a dot for each in the place of the code, so that the next count is short."""
        counts = [len(_OPERATOR.findall(level)) for level in self.levels]
        self.depth = max(self.depth, sum(counts) + _BRACKET_WEIGHT * len(self.stack))
        self.levels = ["." * count for count in counts]
        self.size = sum(counts)

    def _open(self, match: re.Match[str]) -> None:
        self._start(match)
        self._push(match[0])

    def _push(self, kind: str) -> None:
        self.levels[-1] += "."
        self.stack.append(kind)
        self.levels.append("")
        self.size += 1
        self.depth = max(self.depth, _BRACKET_WEIGHT * len(self.stack))
        if len(self.stack) > _PATTERN_LIMIT and self.text.startswith("case", self.begin):
            self.depth = max(self.depth, DEPTH_LIMIT + 1)

    def _pop(self) -> str:
        self.size -= len(self.levels.pop())
        kind = self.stack.pop()
        if kind == "F":
            self.quotes.pop()
        return kind

    def _close(self, match: re.Match[str]) -> None:
        self._start(match)
        opener = _PAIRS[match[0]]
        stack = self.stack
        if stack and (stack[-1] == opener or (stack[-1] == "H" and opener == "{")):
            self._pop()
            return
        # The wrong bracket: close what it could mean, but nothing outside of the hole of an f-string.
        hole = max((i for i, kind in enumerate(stack) if kind == "H"), default=0) if self.quotes else 0
        if opener == "{" and stack and stack[hole] == "H" and "{" not in stack[hole:]:
            opener = "H"
        if opener in stack[hole:]:
            while self._pop() != opener:
                pass

    def _colon(self, match: re.Match[str]) -> None:
        self._start(match)
        if self.stack and self.stack[-1] == "H":
            self._push("S")

    def _join(self, match: re.Match[str]) -> None:
        if self.begin < 0 and match[0] == "\\":
            self.begin = match.start()

    def _start(self, match: re.Match[str]) -> None:
        if self.begin < 0:
            self.begin = match.start()
        self.tail = match.end()

    def _newline(self, match: re.Match[str]) -> None:
        if not self.stack or (_STATEMENT.match(self.text, self.pos) and not self._restart()):
            self._end(match.start())

    def _restart(self) -> bool:
        """Go back, behind an open bracket, to the first line indented no deeper than the statement, or to its body."""
        if self.begin < 0 or self.restarts >= _RESTARTS:
            return False
        indent = _width(self.text[self._line_start(self.begin) : self.begin])
        head = _HEAD.match(self.text, self.begin)
        for match in _NEXT_LINE.finditer(self.text, self.begin, self.pos):
            if _width(match[1]) <= indent or (head and _ends_head(self.text, match.start())):
                self.restarts += 1
                self.pos = match.end()
                self._end(match.start())
                return True
        return False

    def _line_start(self, offset: int) -> int:
        return max(self.text.rfind("\n", 0, offset), self.text.rfind("\r", 0, offset)) + 1

    def _end(self, end: int) -> None:
        """End the logical line and forget what is open."""
        if self.begin >= 0:
            start = self._line_start(self.begin)
            indent = _width(self.text[start : self.begin])
            word = _WORD.match(self.text, self.begin)
            line = Line(start, self.begin, min(self.tail, end), indent, word[0] if word else "")
            self.lines.append(line)
            if line.word == "elif":
                self.elifs[indent] = self.elifs.get(indent, 0) + 1
                self.depth = max(self.depth, self.elifs[indent])
            elif line.word == "if":
                self.elifs[indent] = 0
        self.begin = -1
        self.stack.clear()
        self.quotes.clear()
        self.levels = [""]
        self.size = 0

    def _quote(self, match: re.Match[str]) -> None:
        self._start(match)
        text, quote = self.text, match[0]
        prefix = _PREFIX.search(text[max(match.start() - 3, 0) : match.start()])
        triple = len(quote) == 3
        if triple and self._unterminated(match):
            return
        if prefix and prefix[1].lower() not in {"r", "b", "u", "rb", "br"}:
            self._push("F")
            self.quotes.append(quote)
            return
        body = _BODY[quote].match(text, self.pos)
        assert body is not None
        self.pos = body.end() + len(quote) if text.startswith(quote, body.end()) else body.end()
        self.tail = self.pos
        if triple and body.end() >= len(text):
            self.ends_in_string = True

    def _unterminated(self, match: re.Match[str]) -> bool:
        """When wary: whether a triple-quoted string swallows a definition; if so, end the line before that."""
        if not self.wary:
            return False
        text, quote = self.text, match[0]
        body = _BODY[quote].match(text, self.pos)
        assert body is not None
        indent = _width(_indent_at(text, self._line_start(match.start())))
        for definition in _DEFINITION.finditer(text, self.pos, body.end()):
            if _width(definition[1]) <= indent:
                self.pos = definition.start()
                self.tail = len(text[: self.pos].rstrip())
                self._end(definition.start())
                return True
        return False

    def _text(self) -> None:
        """Pass over the text of an f-string or of a format specification, to where something ends or begins."""
        text = self.text
        quote = self.quotes[-1]
        body = (_HOLED[quote] if self.stack[-1] == "F" else _SPEC).match(text, self.pos)
        assert body is not None
        self.pos = at = body.end()
        if at >= len(text):
            self.ends_in_string = self.ends_in_string or len(quote) == 3
        elif text[at] == "{":
            self.pos += 1
            self._push("H")
        elif self.stack[-1] == "S" and text[at] == "}":
            self.pos += 1
            self._pop()
            self._pop()
        elif (
            self.stack[-1] == "S"
            and not text.startswith(quote, at)
            and (len(quote) == 3 or text[at] in "\"'")
        ):
            self.pos += 1
        elif text.startswith(quote, at) or not self._restart():
            if text.startswith(quote, at):
                self.pos += len(quote)
            while self._pop() != "F":
                pass
        self.tail = self.pos


def _ends_head(text: str, end: int) -> bool:
    line = text[max(text.rfind("\n", 0, end), text.rfind("\r", 0, end)) + 1 : end]
    return line.partition("#")[0].rstrip().endswith(":")


def _indent_at(text: str, start: int) -> str:
    match = _INDENT.match(text, start)
    return match[0] if match else ""


def _width(indent: str) -> int:
    width = 0
    for character in indent:
        if character == "\t":
            width = (width // 8 + 1) * 8
        elif character == "\f":
            width = 0
        else:
            width += 1
    return width
