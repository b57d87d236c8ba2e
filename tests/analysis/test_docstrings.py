"""Docstrings are read in three conventions, and what is begun in one is read back in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charter.analysis.docstrings import Outline, Parameter, Style, parse, skeleton, summary_of

NAMES = st.from_regex(r"[a-z]([a-z_]{0,7}[a-z])?", fullmatch=True)
STYLES: list[Style] = ["google", "numpy", "sphinx"]


@given(
    style=st.sampled_from(STYLES),
    names=st.lists(NAMES, unique=True, max_size=5),
    raises=st.lists(st.sampled_from(["ValueError", "KeyError", "shop.errors.Late"]), unique=True),
    returns=st.sampled_from([None, "", "int"]),
)
def test_a_skeleton_is_read_back_as_what_it_was_made_from(
    style: Style, names: list[str], raises: list[str], returns: str | None
) -> None:
    outline = Outline("Do it.", tuple(Parameter(name, "int") for name in names), returns, None, tuple(raises))
    doc = parse(skeleton(outline, style)[3:-3])
    assert doc.summary == "Do it."
    assert [entry.name for entry in doc.parameters] == names
    assert [entry.name for entry in doc.raises] == raises
    assert (doc.returns is not None) == (returns is not None)
    if names or raises or returns is not None:
        assert doc.style == style


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    doc = parse(text)
    for entry in (*doc.parameters, *doc.raises, *doc.attributes):
        assert text[entry.start : entry.end] == entry.name


def test_offsets_point_at_the_names() -> None:
    text = "Do it.\n\n    Args:\n        first, second (int): numbers.\n        *rest: more.\n    "
    doc = parse(text)
    assert [text[entry.start : entry.end] for entry in doc.parameters] == ["first", "second", "rest"]


def test_the_type_before_a_sphinx_parameter_is_no_parameter() -> None:
    doc = parse("Do it.\n\n:param int count: how often.\n:type name: str\n:raises ValueError: never.")
    assert [entry.name for entry in doc.parameters] == ["count"]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("TODO", True),
        ("_summary_", True),
        ("", True),
        ("...", True),
        ("Todo lists.", False),
        ("Round.", False),
    ],
)
def test_placeholders_are_told_from_short_sentences(text: str, is_one: bool) -> None:
    doc = parse(text)
    assert doc.is_placeholder is is_one


@pytest.mark.parametrize(
    ("name", "summary"),
    [("read_user_names", "Read user names."), ("HTTPServer", "HTTP server."), ("total", "Total.")],
)
def test_a_name_becomes_a_sentence(name: str, summary: str) -> None:
    assert summary_of(name) == summary
