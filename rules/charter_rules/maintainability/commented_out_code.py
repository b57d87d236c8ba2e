"""Finds comments that are code which no longer runs."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, Span, regex, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_STRONG = regex(
    r"^\s*(?:(?:from\s+[\w.]+\s+)?import\s+[\w.,\s()*]+|(?:async\s+)?def\s+\w+\s*\(.*\).*:|class\s+\w+.*:|return\b.*|raise\s+\w.*"
    r"|(?:if|elif|while|for|with|except)\b.*:|(?:else|try|finally)\s*:|[\w.\[\]'\"]+\s*(?:[-+*/|&]?=)\s*[^=].*"
    r"|[\w.]+\(.*\)|pass|break|continue|@[\w.]+(?:\(.*\))?|del\s+\w.*|assert\s.*|yield\b.*|await\s+.*)\s*$"
)
_DIRECTIVE = regex(
    r"#\s*(?:!|noqa|type:|pylint|mypy|pyright|ruff|fmt:|isort|pragma|nosec|charter:|flake8|coding|vim|yapf|>>>|region|endregion|%%|In\[|e\.g|i\.e|:)",
    re.IGNORECASE,
)
_BELOW = regex(r"\n[ \t]*#")


@rule(
    ast.Module,
    code="MNT082",
    principles=("no-dead-code",),
    severity=Severity.LOW,
    aliases=("ERA001",),
    options={"lines": 3},
)
def commented_out_code(tree: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A block of code is kept as a comment.

    It is not run, not tested and not changed with what it refers to, and the next reader wonders whether it is
    needed. The version history keeps what it was; if it is an example or a hint, a sentence says so better.

    Ruff's ERA001 judges line by line and reports prose that happens to parse. This rule wants a run of at least
    `lines` comment lines that parse together as Python and of which each statement does something.

    ```python bad
    def total(items):
        # result = 0
    #   ^^^^^^^^^^^^ 3 lines of code are commented out
        # for item in items:
        #     result += item.price
        return sum(item.price for item in items)
    ```
    ```python fixed
    def total(items):
        return sum(item.price for item in items)
    ```
    ```python good
    def total(items):
        # The price is what the customer pays:
        # tax and shipping are part of it,
        # discounts are taken off already.
        return sum(item.price for item in items)
    ```
    """
    del tree
    limit = ctx.option("lines", int)
    if limit < 1 or ctx.text.count("#") < limit:
        return
    comments: set[int] | None = None
    for run in _runs(ctx.text, limit):
        if not _is_code([text for _, text in run]):
            continue
        if comments is None:
            comments = {comment.start for comment in ctx.comments}
        first, last = run[0][0], run[-1][0]
        if first.start not in comments:
            continue  # inside a string
        line_start = ctx.text.rfind("\n", 0, first.start) + 1
        stop = ctx.text.find("\n", last.end)
        whole = Span(line_start, len(ctx.text) if stop < 0 else stop + 1)
        yield ctx.finding(
            Span(first.start, last.end),
            f"{len(run)} lines of code are commented out",
            fix=Fix("Remove them", (ctx.replace(whole, ""),), Grade.SUGGESTION),
            tags=("unnecessary",),
        )


def _runs(text: str, limit: int) -> Iterator[list[tuple[Span, str]]]:
    """Runs of lines that hold a comment only, one below the other at one column; strings are not told apart."""
    # Most comments stand alone or in pairs, and are jumped over.
    block = re.compile("#.*" + r"\n[ \t]*#.*" * (limit - 1))
    found = block.search(text)
    while found is not None:
        at, end = found.start(), 0
        run: list[tuple[Span, str]] = []
        column = -1
        while at >= 0:
            line = text.rfind("\n", 0, at) + 1
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            if not text[line:at].strip(" \t"):
                if column != at - line:
                    if len(run) >= limit:
                        yield run
                    run, column = [], at - line
                comment = text[at:end].rstrip("\r")
                run.append((Span(at, at + len(comment)), comment))
            below = _BELOW.match(text, end)
            at = -1 if below is None else below.end() - 1
        if len(run) >= limit:
            yield run
        found = block.search(text, end)


def _is_code(comments: list[str]) -> bool:
    filled = [line for text in comments if (line := text[1:].strip())]
    if len(filled) < 2 or not _is_mostly_code(filled) or any(_DIRECTIVE.match(text) for text in comments):
        return False
    lines = [text[1:].rstrip() for text in comments]
    indent = min(len(line) - len(line.lstrip()) for line in lines if line)
    lines = [line[indent:] for line in lines]
    body = _parse("\n".join(lines)) or _parse("def _():\n" + "\n".join(f" {line}" for line in lines))
    if not body:
        return False
    return any(_does_something(node) for node in body) and not _is_value(body) and not _is_prose(filled)


def _is_mostly_code(lines: list[str]) -> bool:
    """Whether six of ten lines look like code; prose is told by its first lines."""
    others = 0
    for line in lines:
        if _STRONG.match(line) is None:
            others += 1
            if others * 10 > len(lines) * 4:
                return False
    return True


def _parse(text: str) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _does_something(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, (ast.Call, ast.Await, ast.Yield))
    return not isinstance(node, ast.AnnAssign)


def _is_value(body: list[ast.stmt]) -> bool:
    """Whether the lines show a value as it is printed, such as `Point(x=1, y=2)`."""
    first = body[0]
    return (
        len(body) == 1
        and isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Call)
        and isinstance(first.value.func, ast.Name)
        and first.value.func.id[:1].isupper()
    )


def _is_prose(lines: list[str]) -> bool:
    """Whether the lines show what something looks like: all plain `name = value` in the manner of a table or a grammar."""
    return all(re.match(r"^\s*[\w.-]+\s*=\s*[\w.\"'-]+$", line) for line in lines)
