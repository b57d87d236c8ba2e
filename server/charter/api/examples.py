"""Examples as they are written in rule pages and literate tests: Markdown blocks with marked places. It runs nothing.

A fenced block's info string begins with its language, then `bad`, `fixed` or `good`, then options such as
`title="shop/views.py"`. Under a line of a bad block, comment lines mark what must be found there::

    settings = yaml.load(text)
    #          ^^^^^^^^^^^^^^^ `yaml.load` can run code hidden in the text

The carets stand under the place; `#^` marks from the column of the `#` itself. Behind them stands the message, in
which `…` stands for anything; no message means any. Mark lines are not part of the code.
"""

from __future__ import annotations

import re
import shlex

from msgspec import Struct

from charter.api.regex import regex

_FENCE = regex(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^\n`]*)$")
_MARK = regex(r"^(?P<lead>\s*)#(?P<gap> *)(?P<carets>\^+)(?: (?P<message>.*))?$")
_HEADING = regex(r"^#{1,6} +(.*?) *#*$")
_KINDS = frozenset({"bad", "fixed", "good"})


class ExampleError(ValueError):
    """An example that cannot be understood; the message names the line."""


class Mark(Struct, frozen=True):
    """A place that must be found.

    Attributes:
        line: 1-based, in the block's code.
        column: 0-based, in code points.
        end_column: behind the last character; the end of the line if the finding goes on below.
        message: what must be said, `…` for anything; "" for no demand.
    """

    line: int
    column: int
    end_column: int
    message: str

    def says(self, message: str) -> bool:
        """Whether a finding's message is what the mark demands."""
        if not self.message:
            return True
        pattern = ".*".join(re.escape(part) for part in self.message.split("…"))
        return re.fullmatch(pattern, message, re.DOTALL) is not None


class Block(Struct, frozen=True):
    """One fenced block.

    Attributes:
        kind: `bad`, `fixed` or `good`.
        title: the file's path; `example.py` (or the language's ending) if none is given.
        code: the text without mark lines, ending in a newline.
        marks: the places that must be found.
        options: what else the info string says, such as `python=3.12`.
        line: 1-based line of the opening fence in the document.
    """

    kind: str
    title: str
    code: str
    marks: tuple[Mark, ...]
    options: tuple[tuple[str, str], ...]
    line: int


class Case(Struct, frozen=True):
    """Blocks that belong together: a small project, and what it is after its fixes.

    Attributes:
        name: the heading above it.
        files: the `bad` or `good` blocks, one a file.
        fixed: the `fixed` blocks, one a changed file.
        line: 1-based line of its first block.
    """

    name: str
    files: tuple[Block, ...]
    fixed: tuple[Block, ...]
    line: int

    def option(self, name: str, default: str = "") -> str:
        """An option that one of its blocks gives."""
        return next((value for block in self.files for key, value in block.options if key == name), default)


def cases(markdown: str) -> tuple[Case, ...]:
    """The cases of a document, in order.

    A `fixed` block belongs to the `bad` blocks before it. Blocks with different titles under one heading, one
    right behind the other, form one project.

    Raises:
        ExampleError: for a fence that is not closed, a mark without a line, or a `fixed` block with nothing before it.
    """
    found: list[Case] = []
    files: list[Block] = []
    fixed: list[Block] = []
    name = heading = ""

    def close() -> None:
        if files:
            found.append(Case(name, tuple(files), tuple(fixed), files[0].line))
        files.clear()
        fixed.clear()

    for item in _items(markdown):
        if isinstance(item, str):
            close()
            heading = item
        elif item.kind == "fixed":
            if not files:
                raise ExampleError(f"line {item.line}: a `fixed` block without a `bad` block before it")
            fixed.append(item)
        else:
            if fixed or not _joins(files, item):
                close()
            name = heading
            files.append(item)
    close()
    return tuple(found)


def _joins(files: list[Block], block: Block) -> bool:
    """Whether a block is a further file of the project before it."""
    if not files:
        return True
    return bool(
        block.title not in {file.title for file in files} and all("title" in dict(b.options) for b in files)
    )


def _items(markdown: str) -> list[Block | str]:
    """Headings and example blocks, in order."""
    items: list[Block | str] = []
    lines = markdown.splitlines()
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence is None:
            heading = _HEADING.match(lines[at])
            if heading:
                items.append(heading[1])
            at += 1
            continue
        end = at + 1
        closing = fence["indent"] + fence["ticks"]
        while end < len(lines) and lines[end].rstrip() != closing:
            end += 1
        if end == len(lines):
            raise ExampleError(f"line {at + 1}: the block is never closed")
        cut = len(fence["indent"])
        block = _block(fence["info"], [line[cut:] for line in lines[at + 1 : end]], at + 1)
        if block:
            items.append(block)
        at = end + 1
    return items


def _block(info: str, lines: list[str], number: int) -> Block | None:
    words = shlex.split(info)
    if len(words) < 2 or words[1] not in _KINDS:
        return None
    options = tuple((key, value) for key, _, value in (word.partition("=") for word in words[2:]))
    code: list[str] = []
    marks: list[Mark] = []
    for offset, line in enumerate(lines, 1):
        mark = _MARK.match(line) if words[1] == "bad" else None
        if mark is None:
            code.append(line)
            continue
        if not code:
            raise ExampleError(f"line {number + offset}: a mark with no line above it")
        column = len(mark["lead"]) + (len(mark["gap"]) + 1 if mark["gap"] else 0)
        width = len(mark["carets"]) + (0 if mark["gap"] else 1)
        marks.append(Mark(len(code), column, column + width, (mark["message"] or "").strip()))
    ending = {"python": "py", "py": "py", "jinja": "html", "django": "html"}.get(words[0], words[0])
    title = dict(options).get("title", f"example.{ending}")
    return Block(words[1], title, "\n".join([*code, ""]), tuple(marks), options, number)
