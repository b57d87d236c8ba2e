"""What a rule's context says of a file: its definitions line by line, and the rule's own options."""

from __future__ import annotations

import ast

import pytest

from charter.engine.context import FileView, RuleContext
from charter.syntax.source import Source
from charter_rules.maintainability.many_parameters import many_parameters

TEXT = """\
import os

class A:
    x = 1

    @property
    def f(self):
        def g():
            return 1

        return g

    y = 2

def h(): return 1
z = 3
"""


def test_a_line_belongs_to_the_innermost_definition_around_it() -> None:
    source = Source("a.py", TEXT)
    view = FileView(source)
    inside = {
        statement.lineno: view.names.symbol(statement)
        for statement in ast.walk(source.tree)
        if isinstance(statement, ast.stmt)
    }
    assert {line: view.symbol_at(line) for line in inside} == inside
    assert view.symbol_at(6) == "A", "a decorator is not yet part of what it decorates"


def test_an_option_is_of_the_kind_that_its_default_is() -> None:
    context = RuleContext(FileView(Source("a.py", TEXT)))
    context.serve(many_parameters, {"limit": 7, "share": 1})
    assert context.option("limit", int) == 7
    assert type(context.option("share", float)) is float
    with pytest.raises(TypeError, match="`limit` of `many-parameters` is no str"):
        context.option("limit", str)
