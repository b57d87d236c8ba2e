"""The server's copy of a text is the client's, whatever is typed and however it counts columns."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charter.lsp.documents import Document, path_of, uri_of
from charter.lsp.positions import Encoding, Text, negotiate

CHARACTERS = st.sampled_from([*"ab \t\n\r\f\v\x1c\x85\u2028é😀", "\r\n", "x = 1\n"])
TEXT = st.lists(CHARACTERS, max_size=40).map("".join)
ENCODINGS = st.sampled_from(["utf-8", "utf-16", "utf-32"])


def lines_of(text: str) -> list[str]:
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text) + (
        [""] if not text or text[-1] in "\r\n" else []
    )


def units(text: str, encoding: str) -> int:
    return (
        len(text.encode({"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]))
        // {
            "utf-8": 1,
            "utf-16": 2,
            "utf-32": 4,
        }[encoding]
    )


def position(text: str, offset: int, encoding: str) -> dict[str, int]:
    """A client's own count: lines end at CR LF, LF and CR only."""
    before = lines_of(text[:offset])
    return {"line": len(before) - 1, "character": units(before[-1], encoding)}


@settings(max_examples=150)
@given(TEXT, st.lists(st.tuples(st.integers(0, 99), st.integers(0, 6), TEXT), max_size=12), ENCODINGS)
def test_in_sync_after_any_edits(text: str, script: list[tuple[int, int, str]], encoding: Encoding) -> None:
    document = Document("file:///a.py", "python", 1, Text(text))
    for version, (place, length, new) in enumerate(script, 2):
        start = place % (len(text) + 1)
        end = min(start + length, len(text))
        for border in (start, end):
            if text[border - 1 : border + 1] == "\r\n":
                return  # no client can name the place between CR and LF
        where = {"start": position(text, start, encoding), "end": position(text, end, encoding)}
        document.change(version, [{"range": where, "text": new}], encoding)
        text = text[:start] + new + text[end:]
        assert document.text.text == text
        assert document.text.starts == Text(text).starts


@given(TEXT, st.integers(0, 60), ENCODINGS)
def test_positions_and_offsets_are_inverse(text: str, offset: int, encoding: Encoding) -> None:
    offset = min(offset, len(text))
    if text[offset - 1 : offset + 1] == "\r\n":
        return
    held = Text(text)
    assert held.position(offset, encoding) == position(text, offset, encoding)
    assert held.offset(held.position(offset, encoding), encoding) == offset


@pytest.mark.parametrize(
    ("where", "offset"), [((0, 99), 2), ((9, 0), 6), ((-1, 0), 0), ((1, -5), 3), ((1, 2), 5)]
)
def test_positions_outside_the_text_are_moved_inside(where: tuple[int, int], offset: int) -> None:
    assert Text("ab\ncd\n").offset({"line": where[0], "character": where[1]}, "utf-16") == offset


def test_the_client_chooses_how_columns_are_counted() -> None:
    assert negotiate(["utf-7", "utf-8", "utf-16"]) == "utf-8"
    assert negotiate([]) == "utf-16"


@pytest.mark.parametrize("path", ["/tmp/a b/ü#1?.py", "/a%20b.py"])
def test_paths_survive_as_identifiers(path: str) -> None:
    assert path_of(uri_of(path)) == path
    assert path_of("untitled:Untitled-1") is None
