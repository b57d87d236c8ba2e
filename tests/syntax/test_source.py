from __future__ import annotations

import ast
import re

import pytest

from charter.syntax.source import Source, decode
from charter.syntax.walk import Index


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"x = 1\r\n", "x = 1\r\n", "utf-8"),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n", "utf-8"),
        (b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", "# -*- coding: latin-1 -*-\nx = 'é'\n", "latin-1"),
        (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n", None, "cp1252"),
        (b"x = 1\n# coding: latin-1\n", None, "utf-8"),
    ],
)
def test_bytes_are_decoded_as_the_interpreter_does_and_encoded_back(
    data: bytes, text: str | None, encoding: str
) -> None:
    decoded = decode(data)
    assert text is None or decoded.text == text
    assert decoded.encoding == encoding
    assert decoded.encode(decoded.text) == data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"x = 1\ny = '\xff'\n", "line 2 is not valid utf-8"),
        (b"# coding: nonsense\n", "'nonsense', which is no known text encoding"),
        (b"# coding: hex\n", "'hex', which is no known text encoding"),
        ("x = 1\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_bytes_that_are_no_text_are_refused_with_the_reason(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode(data)


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\0\n",
        "(" * 3000 + ")" * 3000,
        "x = " + "-" * 20_000 + "1",
        "def f(:\n",
        "\ud800 = 1",
        "if x:\n\ty\n        z\n",
    ],
    ids=["null byte", "parentheses", "unary", "syntax error", "surrogate", "tabs"],
)
def test_what_does_not_parse_is_a_problem_with_a_remedy_and_never_an_exception(text: str) -> None:
    source = Source("a.py", text)
    assert isinstance(source.tree, ast.Module)
    assert source.problems
    assert all(problem.message and problem.remedy for problem in source.problems)


def test_a_sound_file_has_no_problem() -> None:
    assert Source("a.py", "x = 1\n").problems == ()


def test_every_node_is_indexed_once_with_its_parent_and_in_source_order() -> None:
    text = (
        "@d\ndef f(a: int = 1, *b, c=(2), **e) -> str:\n    return [x for x in a if x][0] + f'{a!r:>{c}}'\n"
    )
    tree = ast.parse(text)
    index = Index(tree)
    placed = [node for node in ast.walk(tree) if hasattr(node, "lineno")]
    found = [node for nodes in index.by_type.values() for node in nodes if hasattr(node, "lineno")]
    assert {id(node) for node in placed} == {id(node) for node in found}
    assert len(found) == len(placed)
    for node in placed:
        assert any(child is node for child in ast.iter_child_nodes(index.parents[node]))
    for nodes in index.by_type.values():
        places = [(node.lineno, node.col_offset) for node in nodes if isinstance(node, ast.stmt)]
        assert places == sorted(places)


def test_what_lies_below_a_node_is_what_a_walk_finds_there() -> None:
    tree = ast.parse("class A:\n    def f(self, x=1):\n        return lambda y: [x, y]\n    z = 2\n")
    index = Index(tree)
    for node in index.nodes:
        below = index.below(node)
        assert set(below) == {n for n in ast.walk(node) if n in index.parents and n is not node}
        for kind in (ast.Name, ast.arg, ast.Await):
            assert index.of_type_below(node, kind) == [n for n in below if type(n) is kind]
    outside = index.below_within(tree.body[0], (ast.FunctionDef,))
    assert [type(node).__name__ for node in outside] == ["FunctionDef", "Assign", "Name", "Constant"]


def test_a_deleted_name_both_needs_a_value_and_binds() -> None:
    source = Source("a.py", "x = y\ndel x\nx.y = x\n")
    assert {name: [node.lineno for node in nodes] for name, nodes in source.reads.items()} == {
        "y": [1], "x": [2, 3, 3],
    }  # fmt: skip
    assert {name: [node.lineno for node in nodes] for name, nodes in source.binds.items()} == {"x": [1, 2]}
    assert (source.gets, [node.lineno for node in source.sets["y"]]) == ({}, [3])


@pytest.mark.parametrize("text", ["a_1 = f'{b}'  # c-d", "größe = 'ß ä'"])
def test_the_words_of_a_text_are_the_same_whatever_its_alphabet(text: str) -> None:
    assert Source("a.py", text).words == set(re.findall(r"\w+", text))


@pytest.mark.parametrize("text", ["\\\n", "# why\n\\\n", "\n  \\"])
def test_a_file_that_only_says_that_it_goes_on_is_broken(text: str) -> None:
    (problem,) = Source("a.py", text).problems
    assert text[problem.location.span.start : problem.location.span.end] == "\\"
