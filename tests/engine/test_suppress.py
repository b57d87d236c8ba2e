"""Suppressions: what a comment holds for, and that one which does nothing is told."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Iterator

import pytest

from charter.api import AnyRule, Context, Finding, Severity, rule
from charter.engine.registry import registry
from charter.engine.suppress import Sorted, apply, silence
from charter.syntax.source import Source


@rule(ast.Name, code="SEC001", principles=("x",), aliases=("B506", "S506"))
def bad_name(node: ast.Name, ctx: Context) -> Iterator[Finding]:
    """Find the name `bad`."""
    if node.id == "bad":
        yield ctx.finding(node, "`bad` is bad")


@rule(ast.Name, code="SEC002", principles=("x",), aliases=("F401",))
def worse_name(node: ast.Name, ctx: Context) -> Iterator[Finding]:
    """Find the name `worse`."""
    if node.id == "worse":
        yield ctx.finding(node, "`worse` is worse")


RULES: tuple[AnyRule, ...] = (bad_name, worse_name)
REGISTRY = registry(RULES)


def check(text: str) -> tuple[Source, Sorted]:
    source = Source("a.py", textwrap.dedent(text).lstrip("\n"))
    return source, apply(source, findings(source), REGISTRY)


def findings(source: Source) -> Iterable[Finding]:
    for node in source.nodes(ast.Name):
        if node.id in {"bad", "worse"}:
            rule = bad_name if node.id == "bad" else worse_name
            yield Finding(rule.name, rule.code, source.location(node), node.id, Severity.LOW)


def kept_lines(text: str) -> list[int]:
    return [finding.location.line for finding in check(text)[1].kept]


@pytest.mark.parametrize(
    "name", ["bad-name", "SEC001", "sec001", "bad_name", "B506", "other, bad-name", "bad-name,other"]
)
def test_a_line_is_silenced_by_name_code_or_alias(name: str) -> None:
    assert kept_lines(f"bad  # charter: ignore[{name}] -- reason\nbad\n") == [2]


def test_another_rule_on_the_line_stays() -> None:
    assert kept_lines("bad, worse  # charter: ignore[bad-name]\n") == [1]


def test_a_comment_holds_for_its_whole_statement() -> None:
    text = """
        call(
            bad,
            1,  # charter: ignore[bad-name]
            bad,
        )
        bad
    """
    assert kept_lines(text) == [6]


def test_a_comment_alone_holds_for_the_statement_below() -> None:
    text = """
        # charter: ignore[bad-name] -- a long
        # reason, over two lines

        call(
            bad,
        )
        bad
    """
    assert kept_lines(text) == [7]


@pytest.mark.parametrize(
    "head",
    [
        "def f(a=bad):  # charter: ignore[bad-name]",
        "class F:  # charter: ignore[bad-name]",
        "with bad:  # charter: ignore[bad-name]",
        "@deco(bad)  # charter: ignore[bad-name]\ndef f():",
        "# charter: ignore[bad-name]\n@deco\ndef f(a=bad):",
    ],
)
def test_a_comment_on_a_head_holds_for_the_block(head: str) -> None:
    lines = head.count("\n")
    assert kept_lines(f"{head}\n    x = 1\n    bad\nbad\n") == [lines + 4]


def test_a_comment_in_a_body_does_not_hold_for_the_block() -> None:
    text = """
        def f():
            # charter: ignore[bad-name]
            bad
            bad
    """
    assert kept_lines(text) == [4]


def test_a_comment_on_a_parameter_holds_for_the_signature_only() -> None:
    text = """
        def f(
            a=bad,  # charter: ignore[bad-name]
        ):
            bad
    """
    assert kept_lines(text) == [4]


def test_if_else_branches_are_no_blocks() -> None:
    assert kept_lines("if bad:  # charter: ignore[bad-name]\n    bad\n") == [2]


def test_a_file_is_silenced_from_anywhere() -> None:
    assert kept_lines("bad\nworse\n# charter: ignore-file[bad-name] -- generated\nbad\n") == [2]


def test_text_in_a_string_is_no_comment() -> None:
    assert kept_lines('x = "# charter: ignore[bad-name]", bad\n') == [1]
    assert kept_lines('"""\n# charter: ignore-file[bad-name]\n"""\nbad\n') == [4]


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("# nosec", True),
        ("#nosec B506", True),
        ("# nosec: B101, B506", True),
        ("# nosec B101", False),
        ("# noqa", True),
        ("# noqa: S506", True),
        ("# NOQA:E501,S506", True),
        ("# noqa: E501", False),
        ("# type: ignore  # noqa: S506", True),
        ("# nosecret", False),
    ],
)
def test_other_tools_comments_hold_for_rules_that_stand_for_theirs(comment: str, *, silent: bool) -> None:
    assert (kept_lines(f"bad  {comment}\n") == []) is silent


def test_nosec_does_not_silence_what_bandit_has_no_test_for() -> None:
    assert kept_lines("worse  # nosec\nworse  # noqa: F401\n") == [1]


def useless(text: str) -> list[tuple[str, str, str]]:
    """Each useless name, its kind and the text without it."""
    source, result = check(text)
    return [
        (item.name, item.kind, source.text[: item.removal.start] + source.text[item.removal.end :])
        for item in result.useless
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("good  # charter: ignore[bad-name] -- why\n", [("bad-name", "unused", "good\n")]),
        ("good  # charter: ignore[bd-name]\n", [("bd-name", "unknown", "good\n")]),
        (
            "bad  # charter: ignore[bad-name, worse-name]\n",
            [("worse-name", "unused", "bad  # charter: ignore[bad-name]\n")],
        ),
        (
            "bad  # charter: ignore[worse-name, bad-name]\n",
            [("worse-name", "unused", "bad  # charter: ignore[bad-name]\n")],
        ),
        ("if x:\n    # charter: ignore[bad-name]\n    y\n", [("bad-name", "unused", "if x:\n    y\n")]),
        ("x  # charter: ignore[bad-name]  # noqa: E1\n", [("bad-name", "unused", "x  # noqa: E1\n")]),
        ("bad  # charter: ignore[bad-name]\n", []),
        ("good  # noqa\n", []),
    ],
)
def test_a_suppression_that_does_nothing_is_told(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert useless(text) == expected


def test_a_suppression_of_a_rule_that_did_not_run_is_not_useless() -> None:
    source = Source("a.py", "good  # charter: ignore[bad-name]\n")
    assert apply(source, [], REGISTRY, enabled={"worse-name"}).useless == []


def test_of_two_that_hold_both_are_used() -> None:
    text = "# charter: ignore-file[bad-name]\nbad  # charter: ignore[bad-name]\n"
    assert useless(text) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("bad\n", 1),
        ("call(\n    bad,\n)\n", 2),
        ("bad  # a remark\n", 1),
        ("bad, worse  # charter: ignore[worse-name] -- why\n", 1),
        ("if bad:\n    pass\n", 1),
        ("@deco\ndef f(a=bad): pass\n", 2),
        ("bad", 1),
        ("x = 1\r\nbad\r\ny = 2\r\n", 2),
    ],
)
def test_silence_makes_a_comment_that_silences(text: str, line: int) -> None:
    edit = silence(Source("a.py", text), line, "bad-name", "known")
    source = Source("a.py", text[: edit.span.start] + edit.text + text[edit.span.end :])
    result = apply(source, findings(source), REGISTRY)
    assert [finding.rule for finding in result.kept] == []
    assert result.useless == []
