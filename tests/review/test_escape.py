"""Text from a repository is only text wherever it lands."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from charter.report.escape import command_property, command_value
from charter.review.escape import code, fenced, link, obeys, path_in_url, prose

HOSTILE = [
    "@octocat please look",
    "<img src=x onerror=alert(1)>",
    "[click](https://evil.test)",
    "![pixel](https://evil.test/p.png)",
    "see https://evil.test/x and www.evil.test",
    "closes #12 and GH-13",
    "/merge",
    "# heading",
    "- item",
    "1. item",
    "a | b",
    "line\n/approve\n<!-- x -->",
    "`unclosed @octocat",
    "bidi \u202e gnp.exe",
]


def _outside_code(markdown: str) -> str:
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown, flags=re.DOTALL)


@pytest.mark.parametrize("text", HOSTILE)
def test_prose_mentions_links_and_orders_nothing(text: str) -> None:
    shown = _outside_code(prose(text))
    assert not re.search(r"(?<!\\)[<\[]", shown)
    assert not re.search(r"@\w", shown)
    assert not re.search(r"#\d", shown)
    assert not re.match(r"[/#]|[-+] |\d+\. ", shown)
    assert "\n" not in shown
    assert "\u202e" not in shown
    assert not re.search(r"https?://|www\.", shown)


@given(st.text())
@example("`a``b`")
def test_a_code_span_shows_its_text_and_never_ends_early(text: str) -> None:
    shown = code(text)
    fence = re.match(r"`+", shown)
    assert fence
    inside = shown[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall(r"`+", inside)
    assert "\n" not in shown


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs"]), max_size=20), max_size=5))
def test_a_fence_is_longer_than_every_run_of_backticks_inside(lines: list[str]) -> None:
    block = fenced("diff", lines).split("\n")
    fence = block[0].removesuffix("diff")
    assert set(fence) == {"`"}
    assert block[-1] == fence
    assert all(fence not in line for line in block[1:-1])


@given(st.text("ab%:,\n\r é"), st.text("ab%:,\n\r é"))
def test_a_workflow_command_stays_one_line_with_one_message(path: str, message: str) -> None:
    line = f"::error file={command_property(path)}::{command_value(message)}"
    assert "\n" not in line
    assert "\r" not in line
    properties, _, rest = line.removeprefix("::error ").partition("::")
    assert properties.count(",") == 0
    assert _undo(properties.removeprefix("file=")) == path
    assert _undo(rest) == message


def _undo(text: str) -> str:
    for escaped, plain in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(escaped, plain)
    return text


def test_a_line_that_orders_bots_about_is_recognised() -> None:
    assert obeys(["x = 1", "/merge"])
    assert obeys(["  /lgtm cancel"])
    assert not obeys(["x = a / b", "# /merge", "//"])


def test_an_address_cannot_leave_its_link() -> None:
    assert (
        link("x", f"https://h.test/{path_in_url('a) [y](z b')}")
        == "[x](https://h.test/a%29%20%5By%5D%28z%20b)"
    )
