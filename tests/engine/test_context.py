from __future__ import annotations

import ast

from charter.engine.context import FileView
from charter.syntax.source import Source

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
