"""Comments are found where the tokenizer finds them, and in what does not tokenize as well."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from charter.syntax import comments as room
from charter.syntax.comments import comments
from charter.syntax.positions import Positions

PARTS = [
    "#",
    "# a\n",
    "'",
    '"',
    "'''",
    '"""',
    "\\",
    "\n",
    "\r\n",
    "\f",
    "x",
    " = ",
    "{",
    "}",
    "f'",
    'rb"',
    "\\\n",
    "(",
]


def _texts(text: str) -> list[tuple[int, str, bool]]:
    return [(comment.line, comment.text, comment.alone) for comment in comments(Positions(text))]


@given(st.lists(st.sampled_from(PARTS), max_size=14).map("".join))
@example("'a\\\\' # b\n")
@example('"""a\\""" # b\n""" # c\n')
@example("''' \" ''' # a\n")
@example("r'\\'' # a\n")
def test_code_that_parses_has_the_comments_that_the_tokenizer_sees(text: str) -> None:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return
    positions = Positions(text)
    assert comments(positions) == room._tokenized(positions)


def test_the_files_of_this_library_have_the_comments_that_the_tokenizer_sees() -> None:
    for path in sorted(Path(room.__file__).parent.glob("*.py")):
        positions = Positions(path.read_text("utf-8"))
        assert comments(positions) == room._tokenized(positions)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the tokenizer does not know such strings yet")
def test_quotes_inside_a_field_of_a_string_end_nothing() -> None:
    assert _texts('x = f"{y["# no"]}"  # yes\n') == [(1, "# yes", False)]


def test_text_that_is_half_typed_keeps_its_comments() -> None:
    assert _texts("x = 'open  # part of it\n# a\ny = (  # b\n") == [(2, "# a", True), (3, "# b", False)]
