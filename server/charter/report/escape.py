"""Text of a repository made harmless for where it lands. It knows the places, not the formats that lead there.

A file's name, a message and a line of code may be chosen by somebody who wants to break out of the output: an escape
sequence in a terminal, a line end in a workflow command, markup in a page.
"""

from __future__ import annotations

import re

from charter.api import regex

_CONTROL = regex(r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_CONTROL_WITHIN = regex(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_XML_FORBIDDEN = r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Compiled where it is wanted: that takes longer than the import of most modules."""
_SURROGATE = regex(r"[\ud800-\udfff]")
_MARKDOWN = regex(r"([\\`*_{}\[\]()<>#+!|~@:/-])")


def visible(text: str) -> str:
    """One line for a terminal or a log: control and direction characters are spelt out, tabs become blanks."""
    return _CONTROL.sub(_spell, text.replace("\t", "    "))


def _spell(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def plain(text: str) -> str:
    """Text that any encoder takes: lone surrogates, as in undecodable file names, are spelt out."""
    return _SURROGATE.sub(_spell, text)


def within(text: str) -> str:
    """Text whose line ends the format encodes itself; all other control and direction characters are spelt out."""
    return _CONTROL_WITHIN.sub(_spell, text)


def xml(text: str) -> str:
    """Text for XML, in elements and quoted attributes; characters that XML cannot hold are spelt out."""
    text = re.sub(_XML_FORBIDDEN, _spell, text)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(character, entity)
    return text.replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")


def markdown(text: str) -> str:
    """Text for a line of Markdown, in which nothing is markup, a mention, a link or HTML."""
    return _MARKDOWN.sub(r"\\\1", visible(text)).replace("\\@", "@\u200b").replace("&", "&amp;")


def code_span(text: str) -> str:
    """Text as code within a line of Markdown, behind a fence longer than any in it; safe in a table's cell."""
    text = visible(text).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    gap = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{fence}{gap}{text}{gap}{fence}"


def message(text: str) -> str:
    """A finding's message for Markdown: its code in backticks stays code, all else is plain text."""
    parts = re.split(r"`([^`]+)`", text)
    return "".join(code_span(part) if at % 2 else markdown(part) for at, part in enumerate(parts))


def command_value(text: str) -> str:
    """The message of a GitHub workflow command or an Azure logging command."""
    return within(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def command_property(text: str) -> str:
    """A property of a GitHub workflow command; without this, a file's name could begin a command of its own."""
    return command_value(text).replace(":", "%3A").replace(",", "%2C")
