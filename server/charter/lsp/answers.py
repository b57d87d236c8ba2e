"""What the checker answers when the server asks: proved edits and reports. It knows no protocol."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from charter.api import Edit, Grade, Span
from charter.engine import suppress
from charter.lsp import insights
from charter.lsp.homes import without_project_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from charter.api import Finding
    from charter.engine.project import Project
    from charter.lsp.homes import Homes
    from charter.lsp.sheets import Held, Sheet


class Checker(Protocol):
    """What the answers need of the checking process."""

    sheets: dict[str, Sheet]
    homes: Homes

    def finish(self, sheet: Sheet) -> None:
        """Check a document to the end now."""
        ...


Edits = dict[str, list[tuple[int, int, str]]]
"""Text edits by absolute path; the asking document's own under its identifier."""


_GONE = "the finding is gone, or the code around it does not parse"


def fix(checker: Checker, uri: str, key: int, index: int) -> dict[str, Any]:
    """The proved edits of one fix.

    Returns:
        `edits`, the `grade` that the proof left and the `doubt`, if any; or `refused` with the reason.
    """
    from charter.mend.prove import Proved, Prover

    sheet, held = _settled(checker, uri, key)
    if sheet is None or held is None or sheet.result is None:
        return {"refused": _GONE}
    if index >= len(held.finding.fixes):
        return {"refused": "the fix is gone"}
    project = without_project_facts(sheet.home.project)
    prover = Prover(project, {sheet.path: sheet.result}, None, _reader(project, sheet))
    proved = prover.prove(held.finding, held.finding.fixes[index])
    if not isinstance(proved, Proved):
        return {"refused": proved.reason}
    edits = {path: list(made) for path, made in proved.edits.items()}
    return {
        "version": sheet.version,
        "edits": _by_file(sheet, edits),
        "grade": proved.fix.grade.value,
        "doubt": proved.fix.doubt,
        "title": proved.fix.title,
    }


def fix_all(checker: Checker, uri: str, rule: str) -> dict[str, Any]:
    """The edits of every SAFE fix of a document, or of one rule's fixes up to UNSAFE, each proved."""
    from charter.mend.apply import allowed_grades, fix_project

    sheet, _ = _settled(checker, uri, 0)
    if sheet is None or sheet.result is None or sheet.document.broken:
        return {"refused": "the file does not parse"}
    project = without_project_facts(sheet.home.project)
    grades = allowed_grades(unsafe=bool(rule))

    def wanted(finding: Finding) -> bool:
        return not rule or finding.rule == rule

    fixed = fix_project(project, {sheet.path: sheet.result}, [sheet.path], grades=grades, wanted=wanted)
    new = fixed.texts.get(sheet.path)
    if new is None:
        return {"refused": "nothing can be fixed safely"}
    return {
        "version": sheet.version,
        "edits": {sheet.uri: line_edits(sheet.text, new)},
        "applied": sum(fixed.applied.values()),
        "grade": grade_of(finding for finding in sheet.result.findings if rule and wanted(finding)),
    }


def grade_of(findings: Iterable[Finding]) -> str:
    """The grade of the fixes of some findings together: `unsafe` if one of them is not safe."""
    grades = {fix.grade for finding in findings for fix in finding.fixes}
    return Grade.SAFE.value if grades <= {Grade.SAFE} else Grade.UNSAFE.value


def ignore(checker: Checker, uri: str, key: int, whole_file: bool, reason: str) -> dict[str, Any]:  # noqa: FBT001 (a frame's value)
    """The edit that silences a finding on its statement, or its rule in the file."""
    sheet, held = _settled(checker, uri, key)
    if sheet is None or held is None:
        return {"refused": _GONE}
    source = sheet.document.source
    if whole_file:
        edit = _ignore_in_file(source.text, held.finding.rule, reason)
    else:
        if held.finding.path != sheet.path:
            return {"refused": "the finding is in another file"}
        edit = suppress.silence(source, held.finding.location.line, held.finding.rule, reason)
    return {"version": sheet.version, "edits": _by_file(sheet, {sheet.path: [edit]})}


def line_edits(old: str, new: str) -> list[tuple[int, int, str]]:
    """Edits, as small as whole lines allow, that make one text into another."""
    from difflib import SequenceMatcher

    before, after = _lines(old), _lines(new)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [
        (starts[a], starts[b], "".join(after[c:d]))
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    ]


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text)


def _settled(checker: Checker, uri: str, key: int) -> tuple[Sheet | None, Held | None]:
    """The document, checked to the end, and the finding of this name in it."""
    sheet = checker.sheets.get(uri)
    if sheet is None:
        return None, None
    if not sheet.complete:
        checker.finish(sheet)
    return sheet, sheet.held(key)


def _reader(project: Project, sheet: Sheet) -> Callable[[str], Any]:
    def source_of(path: str) -> Any:
        return sheet.document.source if path == sheet.path else project.source(path)

    return source_of


def _by_file(sheet: Sheet, edits: Mapping[str, Iterable[Edit]]) -> Edits:
    return {
        sheet.uri if path == sheet.path else str(sheet.home.root / path): [
            (edit.span.start, edit.span.end, edit.text) for edit in made
        ]
        for path, made in edits.items()
    }


def _ignore_in_file(text: str, rule: str, reason: str) -> Edit:
    """A comment at the top of the file, behind an interpreter line, a coding comment and older ones of its kind."""
    at = 0
    for line in _lines(text):
        if not re.match(r"#!|#.*coding[:=]|#\s*charter:", line):
            break
        at += len(line)
    because = f" -- {reason}" if reason else ""
    return Edit(Span(at, at), f"# charter: ignore-file[{rule}]{because}\n")


def lenses(checker: Checker, uri: str) -> list[Any]:
    """The document's lenses, as `insights.lenses` gives them."""
    sheet = checker.sheets.get(uri)
    return insights.lenses(sheet) if sheet is not None else []


def hints(checker: Checker, uri: str) -> list[Any]:
    """The document's hints, as `insights.hints` gives them."""
    sheet = checker.sheets.get(uri)
    return insights.hints(sheet) if sheet is not None else []


def score(checker: Checker, uri: str) -> dict[str, Any]:
    """The document's scores."""
    sheet = checker.sheets.get(uri)
    return insights.report(sheet) if sheet is not None else {}


def ignore_in_settings(checker: Checker, file: str, rule: str) -> dict[str, Any]:
    """The edit of the project's settings that ignores a rule."""
    from charter.lsp.settings_edit import ignoring

    settings = checker.homes.of(file).project.settings
    return ignoring(settings, rule)


ANSWERS: dict[str, Callable[..., Any]] = {
    "fix": fix,
    "fix-all": fix_all,
    "ignore": ignore,
    "ignore-in-settings": ignore_in_settings,
    "lenses": lenses,
    "hints": hints,
    "score": score,
}
"""The questions and who answers them."""

PATIENT = frozenset({"lenses", "hints", "score"})
"""Questions that wait until the whole document is checked."""
