from __future__ import annotations

import gc
import importlib
import pickle
import pkgutil
import re
import sys
from typing import Any

import pytest

import charter
import charter_rules
from charter.api import regex


@pytest.mark.parametrize("method", ["match", "search", "fullmatch", "finditer", "findall", "split"])
def test_each_method_answers_as_the_compiled_pattern_does(method: str) -> None:
    later, compiled = regex(r"a(b)", re.IGNORECASE), re.compile(r"a(b)", re.IGNORECASE)

    for text in ("xABab", "AB", ""):
        for _ in range(2):
            assert str(told(getattr(later, method)(text))) == str(told(getattr(compiled, method)(text)))


def test_positions_and_names_of_arguments_are_passed_on() -> None:
    assert regex("b").search("abb", 2, 3) is not None
    assert regex("b").match("abb", pos=1) is not None
    assert regex("b").sub("c", "abb", count=1) == "acb"
    assert regex(rb"\w").findall(b"ab") == [b"a", b"b"]


def test_a_wrong_pattern_is_told_when_it_is_used_and_not_before() -> None:
    wrong = regex("(")

    with pytest.raises(re.error, match="unterminated"):
        wrong.search("a")


def test_a_pattern_reaches_another_process_used_or_not() -> None:
    used, unused = regex("a", re.IGNORECASE), regex("b")
    assert used.search("A")

    for pattern, text in zip(pickle.loads(pickle.dumps([used, unused])), "Ab", strict=True):
        assert pattern.fullmatch(text)


def test_every_pattern_at_the_top_of_a_module_is_a_regular_expression() -> None:
    for package in (charter, charter_rules):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)

    patterns = {
        value.pattern: value.flags
        for module in list(sys.modules.values())
        for value in gc.get_referents(vars(module))
        if type(value) is type(regex("a"))
    }

    assert len(patterns) > 200
    for pattern, flags in patterns.items():
        re.compile(pattern, flags)


def told(answer: Any) -> object:
    """An answer as it can be compared."""
    if isinstance(answer, re.Match):
        return answer.span(), answer.groups()
    return [told(item) for item in answer] if hasattr(answer, "__next__") else answer
