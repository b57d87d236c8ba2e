from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charter.api import AddImport, AnyRule, Context, Edit, Finding, Fix, Grade, Span, rule
from charter.engine.project import Project
from charter.engine.registry import registry
from charter.engine.settings import Settings
from charter.mend.apply import allowed_grades, fix_project
from charter.mend.compile import apply_edits
from charter.mend.prove import Proved, Prover, Refused
from charter.mend.same import same_outside
from charter.syntax.source import Source


@rule(ast.Compare, code="TST001", principles=("robust-comparisons",))
def none_compared(node: ast.Compare, ctx: Context) -> Iterator[Finding]:
    """Compare with `is`."""
    right = node.comparators[0]
    if isinstance(node.ops[0], ast.Eq) and isinstance(right, ast.Constant) and right.value is None:
        left = ctx.source(node.left)
        operator = Span(ctx.span(node.left).end, ctx.span(right).start)
        operator_text = ctx.text[operator.start : operator.end]
        fixes = {
            "ok": Fix("Use `is`", (ctx.replace(operator, operator_text.replace("==", "is")),), Grade.SAFE),
            "same": Fix("Do nothing", (ctx.replace(node, ctx.source(node)),), Grade.SAFE),
            "broken": Fix("Break it", (ctx.replace(node, f"{left} is ("),), Grade.SAFE),
            "remains": Fix("Swap", (ctx.replace(node, f"({left}) == None"),), Grade.SAFE),
            "worse": Fix("Call", (ctx.replace(node, f"eval({left})"),), Grade.SAFE),
            "outside": Fix("Overreach", (Edit(Span(0, len(ctx.text)), "z = q is None\n"),), Grade.SAFE),
            "imports": Fix(
                "Use `is_`",
                (ctx.replace(node, f"is_({left}, None)"), AddImport("operator", "is_")),
                Grade.UNSAFE,
            ),
        }
        name = left if left in fixes else "ok"
        yield ctx.finding(node, "`==` compares with `None`", fix=fixes[name])


@rule(ast.Call, code="TST002", principles=("code-injection",), calls=("builtins.eval",))
def evaluated(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Do not evaluate."""
    yield ctx.finding(node, "`eval` is called")


def project_of(files: dict[str, bytes], *rules: AnyRule) -> Project:
    def read(path: str) -> bytes:
        return files[path]

    rules = rules or (none_compared, evaluated)
    return Project.of(Settings(root=Path("/p")), registry(rules), (), files, read)


def proof(text: str) -> Proved | Refused:
    project = project_of({"a.py": text.encode()})
    finding = project.check_file("a.py").findings[0]
    return Prover(project).prove(finding, finding.fixes[0])


def fixed(data: bytes, *, unsafe: bool = False) -> str | None:
    project = project_of({"a.py": data})
    results = {"a.py": project.check_file("a.py")}
    return fix_project(project, results, ["a.py"], grades=allowed_grades(unsafe=unsafe)).texts.get("a.py")


def test_a_good_fix_is_proved_as_it_is() -> None:
    proved = proof("if ok == None:  # why\n    pass\n")
    assert isinstance(proved, Proved)
    assert proved.fix.grade is Grade.SAFE
    assert proved.texts == {"a.py": "if ok is None:  # why\n    pass\n"}


@pytest.mark.parametrize(
    ("left", "reason"),
    [
        ("same", "it changes nothing"),
        ("broken", "its result does not parse"),
        ("remains", "the finding would remain"),
        ("worse", "it would bring a finding of `evaluated`"),
    ],
)
def test_a_bad_fix_is_refused_with_the_reason(left: str, reason: str) -> None:
    refused = proof(f"y = {left} == None\n")
    assert isinstance(refused, Refused)
    assert refused.reason == reason


def test_a_safe_fix_that_loses_a_comment_becomes_a_suggestion_that_says_so() -> None:
    proved = proof("# keep me\ny = outside == None\n")
    assert isinstance(proved, Proved)
    assert proved.fix.grade is Grade.SUGGESTION
    assert proved.fix.doubt == "the comment `# keep me` would be lost"


def test_fixes_are_applied_until_nothing_is_left_and_a_second_run_changes_nothing() -> None:
    once = fixed(b"y = (a == None) == None\nz = b == None\n")
    assert once == "y = (a is None) is None\nz = b is None\n"
    assert fixed(once.encode()) is None


def test_a_refused_fix_does_not_keep_the_others_from_being_applied() -> None:
    assert fixed(b"x = worse == None\ny = ok == None\n") == "x = worse == None\ny = ok is None\n"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ok", "worse", "remains", "broken"]),
            st.sampled_from(["{}", "def f():\n    {}", "class C:\n    {}\n    def m(self):\n        {}"]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_each_fix_holds_or_fails_by_itself_whatever_is_tried_with_it(parts: list[tuple[str, str]]) -> None:
    text = "".join(place.replace("{}", f"x = {name} == None") + "\n" for name, place in parts)
    mended = text.replace("ok == None", "ok is None")
    assert fixed(text.encode()) == (mended if mended != text else None)


def test_unsafe_fixes_wait_until_they_are_asked_for() -> None:
    data = b"x = imports == None\n"
    assert fixed(data) is None
    assert fixed(data, unsafe=True) == "from operator import is_\n\nx = is_(imports, None)\n"


def test_line_ends_are_kept() -> None:
    assert fixed(b"x = ok == None\r\ny = 1\r\n") == "x = ok is None\r\ny = 1\r\n"


@given(
    st.text(st.sampled_from("ab\n"), max_size=30),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.text("xy", max_size=3)), max_size=5),
)
def test_edits_that_do_not_meet_do_what_each_does_alone(text: str, raw: list[tuple[int, int, str]]) -> None:
    edits: list[Edit] = []
    at = 0
    for start, length, new in sorted(raw):
        begin = max(start, at)
        end = begin + length
        if end > len(text):
            break
        edits.append(Edit(Span(begin, end), new))
        at = end + 1
    expected = text
    for edit in reversed(edits):
        expected = expected[: edit.span.start] + edit.text + expected[edit.span.end :]
    assert apply_edits(text, edits) == expected


@pytest.mark.parametrize(
    ("before", "part", "new", "same"),
    [
        ("x = f(a)\ny = g(b)\n", "f(a)", "h(a)", True),
        ("x = f(a)\ny = g(b)\n", "f(a)", "f(a)\nif c:\n  pass", True),
        ("x = 1; y = 2\n", "1", "1 #", False),
        ("if x:\n    a()\nb()\n", "    a()\n", "    a()\n    ", False),
    ],
)
def test_code_that_is_read_otherwise_outside_an_edit_is_noticed(
    before: str, part: str, new: str, same: bool
) -> None:
    start = before.index(part)
    edit = Edit(Span(start, start + len(part)), new)
    after = Source("a.py", apply_edits(before, [edit]))
    assert same_outside(Source("a.py", before), after, [edit]) is same


def test_a_statement_that_slips_into_a_new_block_is_noticed_behind_other_changes() -> None:
    before = "import os\n\ndef f(a, b):\n    a and b(); print(1)\n"
    edits = [Edit(Span(0, 9), ""), Edit(Span(29, 38), "if a:\n        b()")]
    after = Source("a.py", apply_edits(before, edits))
    assert not same_outside(Source("a.py", before), after, edits)


@pytest.mark.parametrize(
    ("before", "behind", "new", "same"),
    [
        ("for x in rows.order():\n    x()\n", "rows.order()", ".first()", True),
        ("y = [x for x in rows.order()]\n", "rows.order()", ".first()", True),
        ("y = list(rows.order(), *a)\n", "rows.order()", ".first(1)", True),
        ("y = a * b\n", "a * b", " + 1", False),
        ("y = a * b\n", "a * b", ".c", True),
    ],
)
def test_what_is_put_behind_an_expression_leaves_it_as_it_was(
    before: str, behind: str, new: str, same: bool
) -> None:
    at = before.index(behind) + len(behind)
    edit = Edit(Span(at, at), new)
    after = Source("a.py", apply_edits(before, [edit]))
    assert same_outside(Source("a.py", before), after, [edit]) is same
