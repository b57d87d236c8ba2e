from __future__ import annotations

import pytest

from charter.api import (
    AddImport,
    AnyEdit,
    Edit,
    InsertStatement,
    RemoveArgument,
    RemoveStatement,
    SetKeyword,
    Span,
)
from charter.mend.compile import EditError, apply_edits, compile_edits
from charter.syntax.source import Source


def after(text: str, *edits: AnyEdit) -> str:
    source = Source("example.py", text)
    return apply_edits(text, compile_edits(source, edits))


def span(text: str, part: str) -> Span:
    start = text.index(part)
    return Span(start, start + len(part))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("f()", "f(timeout=10)"),
        ("f(a)", "f(a, timeout=10)"),
        ("f(a,)", "f(a, timeout=10,)"),
        ("f(a, timeout=None)", "f(a, timeout=10)"),
        ("f(*a, **b)", "f(*a, **b, timeout=10)"),
        ("f(\n    a,\n    b,  # why\n)", "f(\n    a,\n    b,  # why\n    timeout=10,\n)"),
        ("f(\n    a\n)", "f(\n    a,\n    timeout=10\n)"),
        ("f(a,\n  b)", "f(a,\n  b,\n  timeout=10)"),
        ("f((x for x in y))", "f((x for x in y), timeout=10)"),
        ('f("ü😀", b)', 'f("ü😀", b, timeout=10)'),
    ],
)
def test_a_keyword_is_set_in_the_style_of_the_call(call: str, expected: str) -> None:
    text = f"x = '😀'; y = {call}\n"
    assert after(text, SetKeyword(span(text, call), "timeout", "10")) == f"x = '😀'; y = {expected}\n"


def test_a_bare_generator_admits_no_further_argument() -> None:
    text = "f(x for x in y)\n"
    with pytest.raises(EditError, match="bare generator"):
        after(text, SetKeyword(Span(0, 15), "timeout", "10"))


@pytest.mark.parametrize(
    ("call", "argument", "expected"),
    [
        ("f(a, verify=False)", "verify", "f(a)"),
        ("f(verify=False, a=1)", "verify", "f(a=1)"),
        ("f(a, b, c)", 1, "f(a, c)"),
        ("f(\n    a,  # first\n    verify=False,\n)", "verify", "f(\n    a,  # first\n)"),
        ("f(verify=False)", "verify", "f()"),
    ],
)
def test_an_argument_is_removed_with_its_comma(call: str, argument: str | int, expected: str) -> None:
    assert after(f"{call}\n", RemoveArgument(Span(0, len(call)), argument)) == f"{expected}\n"


@pytest.mark.parametrize(
    ("text", "statement", "expected"),
    [
        ("a = 1\nb = 2\n", "b = 2", "a = 1\n"),
        ("a = 1; b = 2\n", "b = 2", "a = 1\n"),
        ("a = 1; b = 2\n", "a = 1", "b = 2\n"),
        ("if x:\n    a = 1\n", "a = 1", "if x:\n    pass\n"),
        ("if x: a = 1\n", "a = 1", "if x: pass\n"),
        ("@d\ndef f():\n    return 1\nx = 1\n", "def f():\n    return 1", "x = 1\n"),
        ("a = 1\r\nb = 2\r\n", "a = 1", "b = 2\r\n"),
    ],
)
def test_a_statement_is_removed_whole(text: str, statement: str, expected: str) -> None:
    assert after(text, RemoveStatement(span(text, statement))) == expected


def test_a_statement_with_a_comment_behind_it_is_not_removed() -> None:
    text = "a = 1  # keep\n"
    with pytest.raises(EditError, match="comment"):
        after(text, RemoveStatement(Span(0, 5)))


def test_lines_are_inserted_at_the_indentation_of_their_anchor_and_with_its_line_ends() -> None:
    text = "def f():\r\n    return 1\r\n"
    edit = InsertStatement(span(text, "return 1"), "if x:\n    y()")
    assert after(text, edit) == "def f():\r\n    if x:\r\n        y()\r\n    return 1\r\n"
    behind = InsertStatement(span(text, "return 1"), "y()", after=True)
    assert after(text, behind) == "def f():\r\n    return 1\r\n    y()\r\n"


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("x = 1\n", AddImport("os"), "import os\n\nx = 1\n"),
        ('"""Doc."""\nx = 1\n', AddImport("os"), '"""Doc."""\n\nimport os\n\nx = 1\n'),
        ("import os\n", AddImport("os"), "import os\n"),
        ("import os\nimport sys\n", AddImport("re"), "import os\nimport re\nimport sys\n"),
        ("from a import c\n", AddImport("a", "b"), "from a import b, c\n"),
        ("from a import b as c\n", AddImport("a", "b", "c"), "from a import b as c\n"),
        ("import os\n\nimport yaml\n", AddImport("secrets"), "import os\nimport secrets\n\nimport yaml\n"),
        (
            "from __future__ import annotations\n",
            AddImport("os"),
            "from __future__ import annotations\n\nimport os\n",
        ),
        ("#!/usr/bin/python\nx = 1\n", AddImport("os"), "#!/usr/bin/python\nimport os\n\nx = 1\n"),
        ("import os.path\n", AddImport("os"), "import os.path\n"),
    ],
)
def test_an_import_takes_its_place_in_the_block(text: str, wanted: AddImport, expected: str) -> None:
    assert after(text, wanted) == expected


def test_a_taken_name_is_not_imported_over() -> None:
    with pytest.raises(EditError, match="`os` is taken"):
        after("os = 1\n", AddImport("os"))


def test_edits_that_meet_are_refused() -> None:
    with pytest.raises(EditError, match="meet"):
        after("abcdef\n", Edit(Span(0, 3), "x"), Edit(Span(2, 4), "y"))


def test_names_of_one_module_come_in_one_import() -> None:
    source = Source("a.py", "import os\n\nprint(os.name)\n", "a")
    edits = compile_edits(
        source, [AddImport("sqlalchemy.orm", "joinedload"), AddImport("sqlalchemy.orm", "selectinload")]
    )
    text = apply_edits(source.text, edits)
    assert text.splitlines()[:3] == ["import os", "", "from sqlalchemy.orm import joinedload, selectinload"]
