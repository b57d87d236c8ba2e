"""The look of patterns: nothing that `re` accepts makes the engine fail, and every range it names is one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charter.analysis.regex import lint
from charter.analysis.regex.backtracking import exponential_pumps, polynomial_pumps
from charter.analysis.regex.syntax import NotARegexError, parse

PATTERNS = st.text(alphabet="ab(|)*+?[]^$\\.-{1,2}dwsAZ", max_size=24)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@given(PATTERNS)
def test_any_pattern_may_be_asked(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error:
        with pytest.raises(NotARegexError):
            parse(pattern)
        return
    assert all(pump.pump for pump in (*exponential_pumps(pattern), *polynomial_pumps(pattern)))
    for problem in lint.ranges(pattern):
        assert problem.subject in pattern


@pytest.mark.parametrize(
    ("pattern", "subjects"),
    [
        ("[A-z]", ["A-z"]),
        ("[]A-z]", ["A-z"]),
        (r"[\]+-9]", ["+-9"]),
        ("[ -~0-9a-z]", []),
        (r"[\w.-]", []),
        ("A-z", []),
    ],
)
def test_ranges_are_read_as_re_reads_them(pattern: str, subjects: list[str]) -> None:
    assert [problem.subject for problem in lint.ranges(pattern)] == subjects


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"^https?://www.example.com/", True),
        (r"^https?://www\.example\.com/", False),
        (r"^(a|api.shop.net)$", True),
        (r"^(a|shop.co.uk)$", True),
        (r"^(a|shop.net)$", False),
        (r"[a.com]", False),
        (r"\w+@\w+.com", False),
    ],
)
def test_dots_of_hosts(pattern: str, found: bool) -> None:
    assert bool(list(lint.hosts(pattern))) is found


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"a|ab", [("unreachable", "ab")]),
        (r"(?:x|y)(?:a|ab)", [("unreachable", "ab")]),
        (r"(?:a|ab)c|d", []),
        (r"(?:a|b|a)c", [("unreachable", "a")]),
        (r"(?=a|ab)", []),
        (r"[a|a]|\||b", []),
        (r"a||b", [("empty", "a||b")]),
        (r"(a|b|)c", []),
        (r"a|", [("empty", "a|")]),
    ],
)
def test_alternatives_that_are_never_chosen_or_left_behind(
    pattern: str, found: list[tuple[str, str]]
) -> None:
    problems = lint.alternatives(pattern, searched=True)
    assert [(problem.kind, problem.subject) for problem in problems] == found


@pytest.mark.filterwarnings("ignore::FutureWarning")
@given(PATTERNS)
def test_a_search_never_takes_an_alternative_that_is_called_unreachable(pattern: str) -> None:
    try:
        whole = re.compile(pattern)
    except re.error:
        return
    for problem in lint.alternatives(pattern, searched=True):
        if problem.kind == "unreachable" and problem.detail != problem.subject and "(" not in pattern:
            match = whole.match(problem.subject)
            assert match is not None
            assert match.group() != problem.subject
