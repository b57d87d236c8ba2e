"""The conversion of LibCST trees: equal to `ast.parse` where the host can parse, right where it cannot."""

from __future__ import annotations

import ast
import sys
import sysconfig
import warnings
from pathlib import Path
from typing import Any, cast

import pytest

from charter.syntax import convert, nodes
from charter.syntax.source import Source

_PLACE = ("lineno", "col_offset", "end_lineno", "end_col_offset")
_OLD_FSTRINGS = sys.version_info < (3, 12)

_STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])
_SAMPLE = (
    "ast.py", "dataclasses.py", "typing.py", "textwrap.py", "asyncio/tasks.py", "json/decoder.py",
    "email/_header_value_parser.py", "importlib/_bootstrap.py", "unittest/mock.py", "encodings/punycode.py",
    "re/_parser.py", "concurrent/futures/thread.py", "fractions.py", "sre_compile.py", "html/entities.py",
)  # fmt: skip

SNIPPETS = [
    "x = (yield)",
    "def f(a, b=1, /, c: int = 2, *args: str, d, e=3, **kw): return a,",
    "def f(*, a): pass;",
    "async def f():\n    async with a as b, c: await d\n    async for x in y: pass\n    else: pass\n",
    "lambda a, /, *b, c=1, **d: (yield)",
    "with (a, b): pass",
    "with (a as b, c as (d, e),): pass",
    "with (a, b) as c: pass",
    "with (yield) as x.y: pass",
    "f(x for x in y if z if w)",
    "f((x for x in y), *a, k=1, **d)",
    "a[1, 2:3, ::4, ...], a[1,], a[b:=1], a[:], a[*b], a[*b, c]",
    "{**a, 'b': 1}, {a, *b}, {a: b for c, in d}, {a async for a in b}, ()",
    "a and b and c or not d and (e and f)",
    "a < b != c is not d not in e in f is g",
    "- + ~a ** -b @ c // d % e << f >> g & h ^ i | j",
    "a if b else c if d else e",
    "x = y = *a, b = 1,",
    "(a) = 1; (b.c), d[0] = 2; del (a), b.c, (d[0], e); del f,",
    "x: int; y.z: int = yield; w[0]: str = 'a'",
    "a += 1; a //= 2; a **= yield; a >>= 3; a @= 4",
    "if a: pass\nelif b: x;\nelif c:\n    y  # c\nelse: z\n",
    "try: a\nexcept: b\n",
    "try:\n    a\nexcept (A, B) as e:\n    b\nexcept C:\n    c\nelse:\n    d\nfinally:\n    e\n",
    "try: a\nexcept* A as e: b\n",
    "while a: break\nelse: continue\n",
    "from . import a\nfrom ... b import (c as d, e,)\nfrom .a.b import *\nimport a . b as c, d\n",
    "raise\nraise A from b\nassert a, b\nglobal x, y\n",
    "@a.b\n@c(1)\nclass A(B, *C, metaclass=D, **E): 'doc'\n",
    "@(yield)\nasync def f() -> 'x': ...\n",
    # every pattern
    "match a, :\n    case 1 | -2 | 3+4j: pass\n    case {'a': b, **c} if d: pass\n    case [a, *_, (b)] | (c, *d): pass\n    case A.B(1, x=_, y=None) as z: pass\n    case 'a' 'b': pass\n    case a, : pass\n    case (((a, b))): pass\n    case ((True) | None): pass\n    case _: pass\n",
    "0xFF, 1_000, 0o17, 1.5e3, .5, 1_0j, 00",
    "'a' \"b\" '''c\nd''', u'e' 'f', b'a' rb'\\x', r'\\n', '\\N{BULLET}\\x41\\u0042\\101\\\n\\q', b'\\x41\\101\\q'",
    "x = 'é'; ñ = 'ü' + f(ñ)  # ö",
    "ﬁ = ﬁ.ﬁ",
    "x = \\\n  1\r\nif x:\r\n\ty = '''a\r\nb'''\r\n",
    "if a:\n\tb\n\n\t# c\n# d\n",
    "f'a{b!r:>{w}}c' 'd' f'{x = }{{}}'",
    "f'' 'a' f'{a}' ''",
    "rf'\\{a:\\d}' f'\\N{BULLET}{b:%Y-%m}'",
    "f'''{\na\n}b\n'''",
    "f'é{a}' 'é' f'{b}'",
    "\n\n",
    "# only a comment",
]  # fmt: skip


def _difference(expected: Any, actual: Any, where: str = "", *, placed: bool = True) -> str | None:
    """The first difference between two trees, or None."""
    if type(expected) is not type(actual):
        return f"{where}: {expected!r} is not {actual!r}"
    if isinstance(expected, ast.AST):
        places = [f"{getattr(node, name, None)}" for node in (expected, actual) for name in _PLACE]
        if placed and places[:4] != places[4:]:
            return f"{where}: {type(expected).__name__} at {places}"
        # CPython 3.11 gives all parts of an f-string the place of the whole, or a wrong one.
        placed = placed and not (_OLD_FSTRINGS and isinstance(expected, ast.JoinedStr))
        pairs = [
            (name, getattr(expected, name, None), getattr(actual, name, None)) for name in expected._fields
        ]
    elif isinstance(expected, list):
        lists = cast("tuple[list[object], list[object]]", (expected, actual))
        if len(lists[0]) != len(lists[1]):
            return f"{where}: {expected} is not {actual}"
        pairs = [(str(i), a, b) for i, (a, b) in enumerate(zip(*lists, strict=True))]
    else:
        return None if repr(expected) == repr(actual) else f"{where}: {expected!r} is not {actual!r}"
    differences = (_difference(a, b, f"{where}/{name}", placed=placed) for name, a, b in pairs)
    return next(filter(None, differences), None)


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


@pytest.mark.parametrize("text", SNIPPETS)
def test_equals_ast_with_places(text: str) -> None:
    assert _difference(_parse(text), convert.parse(text)) is None


@pytest.mark.parametrize("name", _SAMPLE)
def test_equals_ast_on_the_standard_library(name: str) -> None:
    text = (_STANDARD_LIBRARY / name).read_text(encoding="utf-8")
    assert _difference(_parse(text), convert.parse(text)) is None


def _placed(text: str, kind: type[ast.AST]) -> list[str]:
    """The text that each node of a type covers, in the order of a walk."""
    return [
        ast.get_source_segment(text, node) or ""
        for node in ast.walk(convert.parse(text))
        if type(node) is kind
    ]


def test_quotes_and_comments_inside_fstrings_pep_701() -> None:
    text = 'x = f"{a["b"]!r:>{w["n"]}}" + f"{\n  c  # why?\n}"\n'
    assert _placed(text, ast.Subscript) == ['a["b"]', 'w["n"]']
    assert _placed(text, ast.FormattedValue) == ['{a["b"]!r:>{w["n"]}}', "{\n  c  # why?\n}", '{w["n"]}']


def test_type_parameters_pep_695_and_696() -> None:
    text = "class A[T: int = str, *Ts = *tuple[int], **P = [int]](B): pass\ndef f[S](): pass\ntype X[Q] = list[Q]\n"
    assert _placed(text, nodes.TypeVar) == ["T: int = str", "S", "Q"]
    assert _placed(text, nodes.TypeVarTuple) == ["*Ts = *tuple[int]"]
    assert _placed(text, nodes.ParamSpec) == ["**P = [int]"]
    assert _placed(text, nodes.TypeAlias) == ["type X[Q] = list[Q]"]
    assert _placed("def f[T: int](): pass", ast.Name) == ["int"]


def test_the_index_finds_what_is_inside_type_parameters() -> None:
    source = Source("a.py", "from b import C\ndef f[T: C](): pass\nclass D[*Ts]: pass\n")
    assert source.problems == ()
    assert [name.id for name in source.nodes(ast.Name)] == ["C"]
    assert len(source.nodes(nodes.TypeVarTuple)) == 1


def test_except_without_parentheses_pep_758() -> None:
    text = "try: a\nexcept A, B: b\n"
    assert _placed(text, ast.Tuple) == ["A, B"]


def test_template_strings_pep_750() -> None:
    text = 'x = t"a{ b !r:>5}c{e}"\n'
    template = next(node for node in ast.walk(convert.parse(text)) if isinstance(node, nodes.TemplateStr))
    holes = [part for part in template.values if isinstance(part, nodes.Interpolation)]
    assert [hole.str for hole in holes] == ["b", "e"]
    assert [ast.get_source_segment(text, part) for part in template.values] == [
        "a",
        "{ b !r:>5}",
        "c",
        "{e}",
    ]


def test_lazy_imports_and_unpacking_comprehensions() -> None:
    lazy = convert.parse("lazy import a\nlazy from b import c\n").body
    assert [(type(node), getattr(node, "is_lazy", 0)) for node in lazy] == [
        (ast.Import, 1),
        (ast.ImportFrom, 1),
    ]
    assert _placed("x = [*a for a in b], {**c for c in d}", ast.Starred) == ["*a"]
    assert _placed("x = [*a for a in b], {**c for c in d}", ast.DictComp) == ["{**c for c in d}"]


def test_does_not_confuse_a_hash_in_a_string_with_a_comment() -> None:
    text = "x = f'{a['#'] = }'\n"
    assert [node.value for node in ast.walk(convert.parse(text)) if isinstance(node, ast.Constant)] == [
        "a['#'] = ",
        "#",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "x = (",
        "x = 'abc",
        "'\\x4'",
        "'\\N{no such name}'",
        "b'é'",
        "b'a' 'b'",
        "b'\\x4'",
        "def f(:\n",
        "x = 0777",
    ],
)
def test_refuses_what_no_python_accepts(text: str) -> None:
    with pytest.raises(SyntaxError):
        convert.parse(text)
