"""Making text from a repository harmless in a comment on a forge: Markdown, links, and orders to bots.

A file's name, a symbol or a string may be chosen by whoever opened the pull request. What lands in Markdown may
not mention people, open HTML, link, refer to issues, or stand as a `/command` at the start of a line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from charter.api import regex

if TYPE_CHECKING:
    from collections.abc import Iterable

_BREAK: Final = "\u200b"  # zero-width space: parts `@` from a name, where an entity would be decoded again
_PUNCTUATION: Final = regex(r"([\\`*_\[\]<>#|~&$])")
_LIST: Final = regex(r"(?:[-+]|\d+[.)])(?=\s)|/|=+$|-+$")
_TICKS: Final = regex(r"`+")
_CONTROL: Final = regex(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_CODE_SPAN: Final = regex(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_COMMAND: Final = regex(r"^[ \t]*/[A-Za-z]", re.MULTILINE)
_URL: Final = regex(r"(?i)\b(?:https?|ftp|mailto|www)(?=[:.])")


def plain(text: str) -> str:
    """One line of text without control characters and direction overrides."""
    return _CONTROL.sub(" ", text.replace("\n", " ").replace("\t", " ")).strip()


def code(text: str) -> str:
    """An inline code span that shows exactly this text, whatever backticks it has."""
    text = plain(text)
    if not text:
        return "` `"
    fence = "`" * (_longest(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def prose(text: str) -> str:
    """A message as one line of Markdown: its code spans stay code, all else is text and nothing but text."""
    text = plain(text)
    parts: list[str] = []
    position = 0
    for span in _CODE_SPAN.finditer(text):
        parts.append(_literal(text[position : span.start()]))
        parts.append(code(span[2].strip()))
        position = span.end()
    parts.append(_literal(text[position:]))
    line = "".join(parts)
    # At the start of a line, a list, a rule below a heading or a `/command` could begin.
    return f"{_BREAK}{line}" if _LIST.match(line) else line


def _literal(text: str) -> str:
    text = _URL.sub(lambda match: match[0][:1] + _BREAK + match[0][1:], text)
    text = _PUNCTUATION.sub(r"\\\1", text)
    return text.replace("@", f"@{_BREAK}").replace("\\#", f"\\#{_BREAK}")


def fenced(language: str, lines: Iterable[str]) -> str:
    """A fenced block around lines, its fence longer than any run of backticks inside."""
    body = "".join(f"{line}\n" for line in lines)
    fence = "`" * max(3, _longest(body) + 1)
    return f"{fence}{language}\n{body}{fence}"


def obeys(lines: Iterable[str]) -> bool:
    """Whether a line looks like an order (`/merge`) to the bots that read the raw text of comments."""
    return any(_COMMAND.match(line) for line in lines)


def link(label: str, address: str) -> str:
    """A link; the label is Markdown already, the address is an address already."""
    return f"[{label}]({address.replace('(', '%28').replace(')', '%29').replace(' ', '%20')})"


def path_in_url(path: str) -> str:
    """A path as part of an address."""
    return quote(path, safe="/")


def _longest(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)
