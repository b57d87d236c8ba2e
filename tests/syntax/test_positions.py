from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charter.syntax.positions import Positions
from charter.syntax.source import Source

TEXTS = st.text(st.sampled_from("ab=1 \n\r\x0c\u2028é😀\t"), max_size=40)


@given(TEXTS, st.integers(0, 40))
def test_an_offset_survives_the_way_to_line_and_column_and_back(text: str, offset: int) -> None:
    positions = Positions(text)
    offset = min(offset, len(text))
    line, column = positions.place(offset)
    assert positions.at(line, column) == offset


@given(TEXTS, st.integers(0, 40))
def test_byte_columns_are_those_of_utf8(text: str, offset: int) -> None:
    positions = Positions(text)
    offset = min(offset, len(text))
    line, column = positions.place(offset)
    start = positions.at(line, 0)
    assert positions.offset(line, len(text[start : start + column].encode())) == offset


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_nodes_stand_where_the_interpreter_says(end: str) -> None:
    text = end.join(["é = '😀'; x = 1", "\x0cy = 'ü'; f(é,", "   '\u2028', b)", ""])
    source = Source("a.py", text)
    call = source.nodes(ast.Call)[0]
    assert source.segment(call) == f"f(é,{end}   '\u2028', b)"
    assert source.location(call).line == 2
    assert source.location(call).column == 10


def test_the_first_line_end_counts() -> None:
    assert Positions("a\r\nb\n").line_end == "\r\n"
    assert Positions("a").line_end == "\n"
