"""Changes that most checks cannot tell: which they are, and that those checks cannot tell them."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from charter.api import Edit, Span
from charter.api.examples import cases
from charter.engine import suppress
from charter.engine.project import Project
from charter.engine.registry import load
from charter.engine.run import check_project
from charter.engine.settings import Settings
from charter.mend.compile import apply_edits
from charter.mend.inert import is_inert, is_silent_alike
from charter.syntax.source import Source

TEXT = """\
def price(text):
    try:
        return int(text)
    except ValueError:
        raise SystemExit("no price")


def other(error):
    return error
"""


def changed(text: str, *edits: tuple[str, str]) -> bool:
    """Whether insertions, each before the first place of a text, are inert."""
    made = [Edit(Span(text.index(at), text.index(at)), new) for at, new in edits]
    made.sort(key=lambda edit: edit.span)
    return is_inert(Source("a.py", apply_edits(text, made)), made)


@pytest.mark.parametrize(
    "edits",
    [
        [("    try", '    """Read a price."""\n')],
        [("    try", '    """Read a price.\n\n    Args:\n        text: …\n    """\n\n')],
        [("\n\n\ndef other", " from None")],
        [(":\n        raise", " as error"), ("\n\n\ndef other", " from error")],
        [("    return error", '    r"""Give it back."""\n'), ("\n\n\ndef other", " from None")],
    ],
)
def test_docstrings_and_causes_are_inert(edits: list[tuple[str, str]]) -> None:
    assert changed(TEXT, *edits)


@pytest.mark.parametrize(
    "edits",
    [
        [("    try", "    print(text)\n")],
        [("    try", '    """Read."""\n    print(text)\n')],
        [("        raise", '        """Not a docstring."""\n')],
        [("try", '"""Read.""" ; ')],
        [(":\n        raise", " as error")],
        [(":\n        raise", " as text"), ("\n\n\ndef other", " from text")],
        [('"no price"', 'f"""{text}"""')],
        [("\n\n\ndef other", " from RuntimeError(text)"), ("    return error", "    print()\n")],
    ],
)
def test_anything_else_is_not(edits: list[tuple[str, str]]) -> None:
    assert not changed(TEXT, *edits)


def test_what_looks_like_a_docstring_inside_of_a_string_is_none() -> None:
    text = 'def f():\n    return """\n    a\n    """\n'
    assert not changed(text, ("    a\n", "    'Doc.'\n"))


@pytest.mark.parametrize(
    ("text", "at", "alike"),
    [
        ("def f():\n    import os  # noqa: S404\n", "    import", True),
        ("import os  # nosec\n\n\ndef f():\n    return os\n", "    return", True),
        ("def f():  # charter: ignore[deep-nesting]\n    return 1\n", "    return", True),
        ("# charter: ignore-file[deep-nesting]\ndef f():\n    return 1\n", "    return", True),
        ("def f():\n    # charter: ignore[unsafe-yaml-load]\n    return 1\n", "    return", False),
        ("def f():\n    return 1\n", "    return", True),
    ],
)
def test_a_comment_that_silences_other_code_than_before_is_noticed(text: str, at: str, alike: bool) -> None:
    old = Source("a.py", text)
    place = text.index(at)
    edits = [Edit(Span(place, place), '    """Words."""\n')]
    new = Source("a.py", apply_edits(text, edits))
    assert is_inert(new, edits)
    assert is_silent_alike(old, suppress.read(old), new, edits) is alike


def inserted(text: str) -> str:
    """A text with docstrings and causes wherever they are missing."""
    source = Source("a.py", text)
    edits: list[Edit] = []
    for kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
        for node in source.nodes(kind):
            first = node.body[0]
            decorated = isinstance(first, (ast.FunctionDef, ast.ClassDef)) and first.decorator_list
            line = source.positions.starts[first.lineno - 1]
            if ast.get_docstring(node) is None and first.lineno > node.lineno and not decorated:
                indent = text[line : source.span(first).start]
                if not indent.strip():
                    edits.append(Edit(Span(line, line), f'{indent}"""Words."""\n'))
    for handler in source.nodes(ast.ExceptHandler):
        raised = handler.body[-1]
        if isinstance(raised, ast.Raise) and raised.exc is not None and raised.cause is None:
            end = source.span(raised).end
            edits.append(Edit(Span(end, end), " from None"))
    edits.sort(key=lambda edit: edit.span)
    new = apply_edits(text, edits)
    assert is_inert(Source("a.py", new), edits)
    return new


def counts(texts: dict[str, str], tmp_path: Path) -> Counter[tuple[str, str]]:
    project = Project.of(
        Settings(root=tmp_path), load(), (), texts, lambda path: texts[path].encode(), select=["all"]
    )
    report = check_project(project)
    heard = {entry.rule.name for entry in project.planner.plan("").inert.entries}
    assert heard
    found = (*report.findings, *report.suppressed)
    return Counter((finding.path, finding.rule) for finding in found if finding.rule not in heard)


def test_checks_that_are_not_asked_cannot_tell(tmp_path: Path) -> None:
    blocks = [
        block
        for rule in load().rules
        for case in cases(rule.doc)
        for block in case.files
        if block.kind == "bad"
    ]
    texts = {
        f"example_{number}.py": block.code
        for number, block in enumerate(blocks)
        if block.title.endswith(".py") and not Source("a.py", block.code).problems
    }
    before = counts(texts, tmp_path)
    after = counts({path: inserted(text) for path, text in texts.items()}, tmp_path)
    assert before.total() > 150
    assert after == before
