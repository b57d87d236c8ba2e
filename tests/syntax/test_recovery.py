"""What is left of a file when a part of it does not parse."""

from __future__ import annotations

import ast
import sysconfig
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charter.syntax import convert, nodes

_STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])

SOUND = [
    "import os\n",
    "@d(\n    1,\n)\ndef f(a: int = 1) -> str:\n    '''Doc.\n\n    def g(): no\n    '''\n    return {'a': [a]}\n",
    "class A(B):\n    x = 1\n\n    def m(self):\n        if self:\n            return 1\n        else:\n            pass\n",
    "try:\n    import a\nexcept ImportError:\n    a = None\nelse:\n    b\nfinally:\n    c\n",
    "x = (1 +\n2\n)\n",
    "y = f'''\n{x:>{w}}\ndef g():\n'''\n",
    "for a in b: pass\nelse: c; d\n",
    "s = 'it\\'s' \\\n    \"two\"\n",
]
BROKEN = [
    "x = (\n", "foo(a,\n", "y = = 1\n", "z = 'abc\n", "a.\n", "print 'x'\n", "def\n", "x = [1, 2\n", "w = {'a': 1,\n",
    "else:\n    pass\n", "f = f'{\n", "g = f'{a\n", "import\n", "from a import (b,\n", "return )\n", "lambda x\n",
]  # fmt: skip


def _dumps(body: list[ast.stmt]) -> list[str]:
    return [ast.dump(node, include_attributes=True) for node in body]


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


@given(
    st.lists(st.sampled_from(SOUND), max_size=4),
    st.sampled_from(BROKEN),
    st.lists(st.sampled_from(SOUND), max_size=4),
)
@settings(max_examples=200)
def test_one_broken_statement_costs_no_other(before: list[str], broken: str, after: list[str]) -> None:
    text = "".join((*before, broken, *after))
    hidden = "".join((*before, "\n" * broken.count("\n"), *after))
    recovered = convert.statements(text)
    assert len(recovered.errors) == 1
    start, end = recovered.errors[0].span
    lines = text.count("\n", 0, start), text.count("\n", 0, end)
    first = "".join(before).count("\n")
    assert first <= lines[0] <= lines[1] <= first + broken.count("\n")
    left = [node for node in recovered.tree.body if not isinstance(node, nodes.Broken)]
    assert _dumps(left) == _dumps(_parse(hidden).body)


@given(st.text(alphabet="abf \n\t()[]{}'\"\\:,.=+-#;@0€\r", max_size=60))
@settings(max_examples=400)
def test_any_text_gives_a_tree_and_errors_inside_it(text: str) -> None:
    recovered = convert.statements(text)
    assert isinstance(recovered.tree, ast.Module)
    for error in recovered.errors:
        assert 0 <= error.span.start < error.span.end <= len(text)
        assert error.message
    try:
        whole = _parse(text)
    except SyntaxError:
        return
    assert recovered.errors == ()
    assert _dumps(recovered.tree.body) == _dumps(whole.body)


@pytest.mark.parametrize("name", ["ast.py", "typing.py", "textwrap.py", "tokenize.py", "unittest/mock.py"])
def test_a_sound_file_is_parsed_as_a_whole(name: str) -> None:
    text = (_STANDARD_LIBRARY / name).read_text(encoding="utf-8")
    recovered = convert.statements(text)
    assert recovered.errors == ()
    assert _dumps(recovered.tree.body) == _dumps(_parse(text).body)


def _messages(text: str) -> list[tuple[str, str]]:
    return [(error.message, text[slice(*error.span)]) for error in convert.statements(text).errors]


def test_a_broken_method_leaves_its_class_and_the_other_methods() -> None:
    text = "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        x = self.\n        y = 2\n\n    def h(self): pass\n"
    recovered = convert.statements(text)
    assert [text[slice(*error.span)] for error in recovered.errors] == ["."]
    [cls] = recovered.tree.body
    assert isinstance(cls, ast.ClassDef)
    methods = [node for node in cls.body if isinstance(node, ast.FunctionDef)]
    assert [method.name for method in methods] == ["f", "g", "h"]
    assert [type(node) for node in methods[1].body] == [nodes.Broken, ast.Assign]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("def f(a, b:\n    return a\nx = 1\n", [nodes.Broken, ast.FunctionDef, ast.Assign]),
        ("class A(B:\n    y = 1\n", [nodes.Broken, ast.ClassDef]),
        ("for x in foo(:\n    y\nelse:\n    z\n", [nodes.Broken, ast.For]),
        ("try:\n    a\nexcept (A:\n    b\n", [ast.Try, nodes.Broken]),
        ("if x == :\n    y\n", [nodes.Broken, ast.If]),
        ("with open(x as f:\n    y\n", [nodes.Broken, ast.With]),
    ],
)
def test_the_body_below_a_broken_head_is_kept(text: str, kinds: list[type[ast.stmt]]) -> None:
    recovered = convert.statements(text)
    assert len(recovered.errors) == 1
    assert [type(node) for node in recovered.tree.body] == kinds


def test_names_in_a_broken_statement_stay_used() -> None:
    [_, broken] = convert.statements("import os\nprint(os.path, 'sys' # re\n").tree.body
    assert isinstance(broken, nodes.Broken)
    assert [name.id for name in broken.names if isinstance(name, ast.Name)] == ["print", "os"]


def test_newer_syntax_stands_beside_a_mistake() -> None:
    text = 'def f[T](x: T):\n    y = f"{x["a"]}"\n    z = \n    return y\n\ntype X = int\nw = f"{a["b"]}" +\n'
    recovered = convert.statements(text)
    assert [text[slice(*error.span)].strip() for error in recovered.errors] == ["=", "+"]
    function, alias, broken = recovered.tree.body
    assert isinstance(function, ast.FunctionDef)
    assert [type(node) for node in function.body] == [ast.Assign, nodes.Broken, ast.Return]
    assert isinstance(alias, nodes.TypeAlias)
    assert isinstance(broken, nodes.Broken)


def test_what_holds_a_converted_or_broken_statement_ends_where_it_ends() -> None:
    text = (
        'def f():\n    if a:\n        x = f"{é["ü"]}" + (\n            1)  # c\n\ndef g():\n    é = (ü -)\n'
    )
    functions = convert.statements(text).tree.body
    assert [ast.get_source_segment(text, node) for node in functions] == [
        text[: text.index("  # c")], "def g():\n    é = (ü -)"
    ]  # fmt: skip


def test_a_docstring_without_end_stops_before_the_next_definition() -> None:
    text = 'def f():\n    """Doc.\n    x = 1\n\ndef g():\n    """Doc."""\n    return 2\n'
    recovered = convert.statements(text)
    assert [type(node) for node in recovered.tree.body] == [ast.FunctionDef, ast.FunctionDef]
    assert [text.count("\n", 0, error.span.start) for error in recovered.errors] == [1]


def test_neighbouring_broken_statements_are_one_error() -> None:
    assert len(_messages("print 'a'\nprint 'b'\nx = 1\nprint 'c'\n")) == 2


def test_says_what_python_says() -> None:
    assert _messages("x = (1,\ny = 2\n") == [("'(' was never closed", "(")]
    assert _messages("def f():\n        a\n    b\n") == [
        ("unindent does not match any outer indentation level", "b")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 5000 + ")" * 5000,
        "x = " + "-" * 40000 + "1",
        "x = " + "not " * 20000 + "a",
        "x = a" + ".b" * 20000,
        "x = " + "lambda: " * 9000 + "1",
        "x = " + "f(" * 3000 + ")" * 3000,
        "x = " + "+".join("a" * 9000),
        "x = " + "[-" * 150 + "-" * 900,
        "if a: pass\n" + "elif b: pass\n" * 9000,
        "x = f'" + "{a:" * 3000 + "}" * 3000 + "'",
        'match f"{a["b"]}":\n    case ' + "[" * 60 + "]" * 60 + ": pass",
    ],
)
def test_hostile_nesting_is_refused_and_the_rest_kept(text: str) -> None:
    newer = text + '\ny = f"{a["b"]}"\n'
    recovered = convert.statements(newer)
    try:
        ast.parse(newer)
    except (SyntaxError, RecursionError, MemoryError):
        pass
    else:  # a newer Python reads it by itself, and nothing is to be refused
        assert recovered.errors == ()
        return
    assert recovered.errors
    assert any(isinstance(node, ast.Assign) for node in recovered.tree.body)
    with pytest.raises(SyntaxError):
        convert.parse(newer)


def test_long_flat_code_is_not_refused() -> None:
    text = (
        "x = ["
        + "-1, " * 5000
        + "]\ny = f("
        + "a.b(c), " * 2000
        + ")\nz = ("
        + " + ".join(["'a' 'b'"] * 200)
        + ")\n"
    )
    assert len(convert.parse(text).body) == 3
