"""A document that is edited is, after each edit, what a fresh parse of its text would give."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import charter
from charter.syntax.document import Document
from charter.syntax.source import Source
from charter.syntax.walk import Index

FILES = sorted(Path(charter.__file__).parent.rglob("*.py"))
PIECES = [
    "x", "(", ")", "\n", "    ", ":", "\n    ", "if x:\n    pass\n", "else:\n    pass\n", '"""', "@dec\n", "é", ",",
    "def f():\n    return 1\n", "\\\n", "\\", "#", "x = 1; y = 2\n", "[", "]", "\n\n", "\f", "😀 = 1\n", "'",
    "class A:\n    def m(self):\n        pass\n    y = 1\n", "return x\n", "        y = 3\n", "async ", "\r\n", "\r",
    "    def q(self):\n        return 2\n", "\u2028", "",
]  # fmt: skip

edits = st.lists(
    st.tuples(
        st.floats(0, 1, allow_nan=False),
        st.sampled_from([0, 0, 1, 7, 40, 400]),
        st.sampled_from(PIECES),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


def same(document: Document) -> bool:
    """Compare with a fresh parse. Returns whether the text parses."""
    # Not `ast.parse`: an edit may make text that only a newer Python takes, and that is no broken text.
    whole = Source("a.py", document.text)
    fresh = whole.tree
    if whole.problems:
        assert document.broken
        return False
    if document.broken:
        assert document.settle()
    source = document.source
    assert ast.dump(source.tree, include_attributes=True) == ast.dump(fresh, include_attributes=True)
    index = Index(source.tree)
    assert {kind: source.index.by_type.get(kind) for kind in index.by_type} == index.by_type
    assert all(source.index.parents[node] is parent for node, parent in index.parents.items())
    assert len(source.index.parents) == len(index.parents)
    for node in (
        index.by_type.get(ast.ClassDef, [])[:3] + index.by_type.get(ast.FunctionDef, [])[:3] + [source.tree]
    ):
        assert source.index.below(node) == index.below(node)
        for kind in (ast.Name, ast.Call, ast.FunctionDef):
            assert source.index.of_type_below(node, kind) == index.of_type_below(node, kind)
    return True


@settings(max_examples=60)
@given(st.sampled_from(FILES), st.sampled_from(["\n", "\r\n"]), edits)
def test_incremental_equals_fresh(
    path: Path, ends: str, script: list[tuple[float, int, str, bool, bool]]
) -> None:
    text = path.read_text("utf-8")
    document = Document("a.py", text.replace("\n", ends))
    document.refresh()
    for place, length, new, at_line, undone in script:
        start = int(place * len(document.text))
        if at_line:
            start = document.text.rfind("\n", 0, start) + 1
        end = min(start + length, len(document.text))
        old = document.text[start:end]
        document.replace(start, end, new)
        document.refresh()
        same(document)
        if undone:
            document.replace(start, start + len(new), old)
            document.refresh()
            same(document)


@pytest.mark.parametrize(
    ("before", "at", "new"),
    [
        ("def f():\n    pass\n", 0, "@decorated\n"),
        ("if a:\n    b\n\n\nc = 1\n", 13, "else:\n    d\n"),
        ("x = 1\ny = 2\n", 5, " + \\"),
        ("class A:\n    def f(self):\n        pass\n\n    x = 1\n", 38, "        return 1\n"),
        ("class A:\n    x = 1\n    y = 2\n", 9, "    @property\n    def p(self): ...\n"),
        ("class A:\n    x = 1\n", 0, "if 1:\n  "),
        ('def f(x):\n    return f"{x}:{x}"\n\n\nz = 1\n', 28, "\n"),
    ],
)
def test_what_continues_a_statement_is_parsed_with_it(before: str, at: int, new: str) -> None:
    document = Document("a.py", before)
    document.refresh()
    document.replace(at, at, new)
    document.refresh()
    same(document)


def test_an_edit_parses_only_the_method_it_touches() -> None:
    text = (
        "class A:\n" + "".join(f"    def m{i}(self):\n        return {i}\n\n" for i in range(5)) + "z = 1\n"
    )
    document = Document("a.py", text)
    document.refresh()
    at = text.index("return 3")
    document.replace(at, at, "x = 1; ")
    touched = document.refresh()
    assert [node.name for node in touched.nodes[ast.FunctionDef] if isinstance(node, ast.FunctionDef)] == [
        "m3"
    ]
    assert not touched.whole


def test_the_rest_of_a_broken_text_keeps_its_tree_and_the_error_is_told_once() -> None:
    document = Document("a.py", "import os\n\n\ndef f():\n    return 1\n\n\ndef g():\n    return 2\n")
    document.refresh()
    document.replace(document.text.index("def g"), document.text.index("def g"), "def broken(a,\n\n\n")
    document.refresh()
    functions = [node.name for node in document.source.nodes(ast.FunctionDef)]
    assert functions == ["f", "g"]
    (problem,) = document.source.problems
    assert problem.location.line == 8
    assert document.source.nodes(ast.FunctionDef)[1].lineno == 11


def test_a_text_that_was_broken_from_the_start_heals_where_it_is_mended() -> None:
    text = (
        "x = 1\n\n\nclass A:\n    def one(self):\n        return 1\n\n    def two(self, x:\n        return x\n\n"
        "    def three(self):\n        return 3\n\n\ndef last(a):\n"
    )
    document = Document("a.py", text)
    document.refresh()
    document.replace(0, 0, "import os\n")
    document.refresh()
    assert [(found.location.line, found.location.column) for found in document.source.problems] == [
        (9, 19),
        (16, 11),
    ]
    at = document.text.index("x:")
    document.replace(at + 1, at + 1, ")")
    touched = document.refresh()
    assert [getattr(node, "name", "") for node in touched.nodes[ast.FunctionDef]] == ["two"]
    assert [found.location.line for found in document.source.problems] == [16]
    document.replace(len(document.text), len(document.text), "    return a\n")
    document.refresh()
    assert not document.broken
    assert same(document)


@pytest.mark.parametrize("big", [False, True])
def test_what_broken_code_uses_is_known(big: bool) -> None:
    body = "    data = [here,\n" + "    more = 1\n" * (3000 if big else 1)
    document = Document("a.py", f"def f():\n    pass\n\n\nclass A:\n    x = 1\n\n    def g(self):\n{body}")
    document.refresh()
    document.replace(13, 17, "pass(there,")
    document.refresh()
    document.recover()
    names = {node.id for node in document.source.nodes(ast.Name)}
    assert {"here", "there"} <= names
    assert document.broken


def test_a_mistake_is_not_lost_with_another_one_that_is_mended() -> None:
    text = """\
NAME = "a"


@click.command()
@click.option("--jobs", help="Number of processes")
@click.option(
    "--cache", help="Where results are kept"
)
def command(jobs, cache):
    return jobs
"""
    document = Document("a.py", text)
    document.refresh()
    for old, new in (("NAME", "é😀"), ('kept"', "kept"), ("é😀", "NAME")):
        at = document.text.index(old)
        document.replace(at, at + len(old), new)
        document.refresh()
        document.settle()
    assert [problem.message for problem in document.source.problems] != []


def test_text_that_might_be_newer_is_broken_where_a_fresh_look_says_so() -> None:
    text = (
        'def f(x):\n    if x:\n        y = f"{x:{x}}"\n   \\\nreturn\n    z = [x, *y]\n    return f"{y!r}"\n'
    )
    document = Document("a.py", "def f(x):\n    return x\n")
    document.refresh()
    document.replace(0, len(document.text), text)
    document.refresh()
    assert document.broken
    assert Source("a.py", text).problems
