"""What constants the evaluator finds, and which it rightly refuses."""

from __future__ import annotations

import ast
import tracemalloc

import pytest

from charter.api import UNKNOWN
from charter.model.names import Names
from charter.model.usual import Usual
from charter.model.values import Values
from charter.syntax.source import Source


def value_of_last_call_argument(text: str, kind: type[Values] = Values) -> object:
    source = Source("m.py", text, "m")
    values = kind(source, Names(source))
    call = [node for node in source.nodes(ast.Call) if getattr(node.func, "id", "") == "show"][-1]
    return values.value(call.args[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A = 5\nshow([1, A])", [1, 5]),
        ("A = 'x'\nshow(f'{A:>3}' + '%s' % A + '-'.join([A, A]))", "  xxx-x"),
        ("class K:\n    V = False\n    def f(self):\n        show(self.V)", False),
        ("class K:\n    def __init__(self):\n        self.v = 1\n    def f(self):\n        show(self.v)", 1),
        ("def f():\n    x = 1\n    x = 2\n    show(x)", 2),
        ("show({'a': [1, {'b': 3}]}['a'][1]['b'])", 3),
        ("import re\nshow(re.I | re.M)", 10),
        ("show(1 if not [] else 2)", 1),
        ("show('{}-{n}'.format('a', n=2))", "a-2"),
        ("show(None)", None),
        ("show('^(?:/%s)*(?:%s)*$' % ('a', 'b'))", "^(?:/a)*(?:b)*$"),
        ("class K:\n    V = 1\nk = K()\nshow(k.V)", 1),
        ("class K:\n    V: int = 1\nk = K(V=2)\nshow(k.V)", 2),
        ("from types import SimpleNamespace\nk = SimpleNamespace(v=1)\nshow(k.v)", 1),
        ("def f():\n    'a text'\n    return 1\nshow(f())", 1),
        (
            "class K:\n    @property\n    def v(self):\n        return 1\n    def f(self):\n        show(self.v)",
            1,
        ),
        ("import enum\nclass K(enum.Enum):\n    V = 1\nshow(K.V.value)", 1),
        ("from typing import NamedTuple\nclass K(NamedTuple):\n    v: int = 1\nk = K()\nshow(k.v)", 1),
        (
            "from dataclasses import dataclass, field\n@dataclass\nclass K:\n    v: int = field(default=1)\nk = K()\nshow(k.v)",
            1,
        ),
        (
            "class K:\n    V = 1\nclass L:\n    def __init__(self):\n        self.k = K()\n    def f(self):\n        show(self.k.V)",
            1,
        ),
    ],
)
def test_constants_are_followed(text: str, expected: object) -> None:
    assert value_of_last_call_argument(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "def f(p, x=1):\n    show(x)",
        "def f(p):\n    x = 1\n    if p:\n        x = 2\n    show(x)",
        "def f(p):\n    x = 1\n    for i in p:\n        show(x)\n        x = 2",
        "A = 1\ndef g():\n    global A\n    A = 2\ndef f():\n    show(A)",
        "A = [1]\nA.append(2)\nshow(A)",
        "class K:\n    V = {'a': 1}\n    def set(self, a):\n        self.V['a'] = a\n    def f(self):\n        show(self.V['a'])",
        "class K:\n    def __init__(self, v):\n        self.v = 1\n        self.v = v\n    def f(self):\n        show(self.v)",
        "show('%10000000d' % 1)",
        "show('a' * 10 ** 9)",
        "show(10 ** 10 ** 10)",
        "show([1][5])",
        "show(1 // 0)",
        "x = x\nshow(x)",
        "show('{0.__class__}'.format(1))",
        "show('%*d' % (99999999, 1))",
        "show('%(a)-+0*d' % {'a': 1})",
        "show('%.99999f' % 1.5)",
        "show('%99999s' % 1)",
    ],
)
def test_what_may_differ_or_explode_is_unknown(text: str) -> None:
    assert value_of_last_call_argument(text) is UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "show('a' * 10 ** 8)",
        "show(10 ** 8 * b'a')",
        "show([1] * 10 ** 8)",
        "A = 'a' * 20000\nshow('a'.join([A] * 9000))",
        "A = 'a' * 20000\nshow(A.replace('a', A))",
        "A = 'a' * 20000\nshow('%s' * 9000 % ((A,) * 9000))",
        "A = [0] * 20000\nB = [" + "*A, " * 20 + "]\nshow([" + "*B, " * 20 + "])",
    ],
)
def test_what_would_fill_the_memory_is_not_tried(text: str) -> None:
    tracemalloc.start()
    try:
        assert value_of_last_call_argument(text) is UNKNOWN
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


def test_lists_that_hold_one_another_many_times_are_not_gone_through() -> None:
    levels = "".join(f"A{level + 1} = [A{level}] * 100\n" for level in range(12))
    assert value_of_last_call_argument(f"A0 = ['x']\n{levels}show(str(A12))") is UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "class K:\n    V = 1\nk = K()\nk.V = 2\nshow(k.V)",
        "class K(Base):\n    V = 1\nk = K()\nshow(k.V)",
        "class K:\n    def __init__(self, v):\n        self.v = v\nk = K(v=1)\nshow(k.v)",
        "def f(x):\n    if x:\n        return 2\n    return 1\nshow(f(0))",
        "rows = get()\nrows = rows['a']\nrows = rows['b']['c']\nshow(rows['d'])",
        "x = y['a']\ny = x['a']\nshow(x['b'])",
    ],
)
def test_what_may_be_filled_otherwise_is_no_constant(text: str) -> None:
    assert value_of_last_call_argument(text) is UNKNOWN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(x=1):\n    show(x)", 1),
        ("def f(*, x=1):\n    show([x])", [1]),
        ("import os\nshow(os.environ.get('X', 'no') == 'yes')", False),
        ("import os\nshow(os.getenv('X') or 5)", 5),
        ("def f(x=None):\n    show(x or 2)", 2),
        ("def f(x=None):\n    show(2 if x is None else x)", 2),
        ("class K:\n    V = 3\ndef f(k=None):\n    k_ = k or K()\n    show(k_)", UNKNOWN),
        (
            "class K:\n    V = 3\nclass L:\n    def __init__(self, k=None):\n        self.k = k or K()\n    def f(self):\n        show(self.k.V)",
            3,
        ),
        ("def f(x=1):\n    x = g()\n    show(x)", UNKNOWN),
        ("def f(x):\n    show(x or 2)", UNKNOWN),
        ("import os\nshow(os.environ['X'])", UNKNOWN),
    ],
)
def test_what_is_so_unless_somebody_says_otherwise(text: str, expected: object) -> None:
    assert value_of_last_call_argument(text, Usual) == expected


def test_what_a_class_that_is_based_on_another_says_instead() -> None:
    text = "class K:\n    v = 1\n    def f(self):\n        show(self.v)\nclass L(K):\n    v = 2\nclass M(L):\n    v = 3\nclass N:\n    v = 4"
    source = Source("m.py", text, "m")
    values = Values(source, Names(source))
    asked = next(node for node in source.nodes(ast.Attribute) if node.attr == "v")
    assert [values.value(one) for one in values.overrides(asked)] == [2, 3]
