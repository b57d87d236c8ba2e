"""What an editor shows of a checked document besides its findings: scores, complexity, hints. It knows no protocol."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from charter.api import Pillar, Span
from charter.engine import score
from charter.engine.check import check_nodes
from charter.syntax.walk import Index

if TYPE_CHECKING:
    from charter.api import Finding
    from charter.engine.score import Scores
    from charter.lsp.sheets import Sheet

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPLEX = 10
"""Cyclomatic complexity from which a sound function gets a lens as well."""
_MAX_LENSES = 60

Lens = tuple[int, int, str, str]
"""Start and end offset of the line it stands above, its text, and the qualified name of what it is about."""

Hint = tuple[int, str, str]
"""Offset, text and explanation."""


def lenses(sheet: Sheet) -> list[Lens]:
    """The file's score, and score and complexity of each function and class that has a finding or is complex."""
    if sheet.result is None:
        return []
    found: list[Lens] = [(0, 0, _file_title(sheet), "")]
    metrics = _complexity(sheet)
    shown = [held.start for held in sheet.shown()]
    source = sheet.document.source
    for node in (node for kind in _DEFINITIONS for node in source.nodes(kind)):
        span = source.span(node)
        inside = [held.finding for held in sheet.findings() if span.start <= held.start < span.end]
        count = sum(span.start <= start < span.end for start in shown)
        complexity = metrics.get((node.lineno, node.name), 0)
        if inside or complexity >= _COMPLEX:
            made = _scores_of(sheet, node, inside)
            title = f"score {score.shown(made.total)}"
            if complexity:
                title += f" · complexity {complexity}"
            if inside:
                title += f" · {count} finding{'s' if count > 1 else ''}"
            found.append((span.start, span.start, title, _symbol(sheet, node)))
        if len(found) > _MAX_LENSES:
            break
    return found


def hints(sheet: Sheet) -> list[Hint]:
    """The exceptions that each function raises by itself, and how many queries its loops make."""
    source = sheet.document.source
    found: list[Hint] = []
    for kind in (ast.FunctionDef, ast.AsyncFunctionDef):
        for node in source.nodes(kind):
            raised = _raised(node)
            if raised:
                at = _end_of_signature(sheet, node)
                shown = ", ".join(raised[:3]) + (" …" if len(raised) > 3 else "")
                found.append((at, f"raises {shown}", "Exceptions that this function raises itself"))
    found.extend(
        (held.end, "one query each time round", held.finding.message)
        for held in sheet.findings()
        if "no-n-plus-one" in held.finding.principles
    )
    return sorted(found)


def report(sheet: Sheet) -> dict[str, Any]:
    """The file's scores as plain data: principles, findings, places."""
    result = sheet.result
    findings = [held.finding for held in sheet.findings()]
    made = _scores(sheet, findings, result.opportunities if result is not None else {})
    return score_data(made, sheet.home.project.principles) | {
        "findings": [
            {
                "rule": held.finding.rule,
                "message": held.finding.message,
                "principles": list(held.finding.principles),
                "severity": held.finding.severity.label,
                "path": str(sheet.home.root / held.finding.path) if sheet.file else sheet.uri,
                "line": sheet.document.source.positions.place(held.start)[0],
            }
            for held in sheet.findings()
        ]
    }


def score_data(made: Scores, principles: Any) -> dict[str, Any]:
    """Scores as plain data; a missing score is None."""
    by_slug = {principle.slug: principle for principle in principles}
    return {
        "total": made.total,
        "pillars": {pillar.value: made.pillars.get(pillar) for pillar in Pillar},
        "principles": [
            {
                "id": by_slug[slug].id,
                "slug": slug,
                "title": by_slug[slug].title,
                "pillar": by_slug[slug].pillar.value,
                "score": one.value,
                "violations": one.violations,
                "opportunities": one.opportunities,
            }
            for slug, one in made.principles.items()
        ],
    }


def _file_title(sheet: Sheet) -> str:
    result = sheet.result
    made = _scores(
        sheet, [held.finding for held in sheet.findings()], result.opportunities if result is not None else {}
    )
    pillars = " · ".join(f"{pillar.value} {score.shown(value)}" for pillar, value in made.pillars.items())
    failing = made.failing(sheet.home.project.settings.fail_under)
    tail = f" · failing: {', '.join(one.principle for one in failing[:3])}" if failing else ""
    return f"Charter {score.shown(made.total)}: {pillars}{tail}"


def _scores(sheet: Sheet, findings: list[Finding], opportunities: dict[str, int]) -> Scores:
    project = sheet.home.project
    return score.scores(project.principles, project.registry.by_name, findings, opportunities)


def _scores_of(sheet: Sheet, node: ast.AST, findings: list[Finding]) -> Scores:
    """The scores of one definition: its findings among what the rules looked at in it."""
    settings = sheet.home.project.settings
    index = Index(node)
    result = check_nodes(
        sheet.document.source,
        sheet.plan,
        index.by_type,
        python=settings.oldest_python,
        is_test=settings.is_test(sheet.path),
    )
    return _scores(sheet, findings, result.opportunities)


def _complexity(sheet: Sheet) -> dict[tuple[int, str], int]:
    """McCabe's number of each function, by line and name."""
    from charter.analysis import metrics
    from charter.model.names import Names

    source = sheet.document.source
    found = metrics.facts(source, Names(source))
    return {(fact.location.line, fact.name.rpartition(".")[2]): fact.cyclomatic for fact in found}


def _symbol(sheet: Sheet, node: ast.AST) -> str:
    from charter.model.names import Names

    return Names(sheet.document.source).symbol(node)


def _raised(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The names in a function's own `raise` statements, each once, in order; what it may catch again is left out."""
    names: dict[str, None] = {}
    stack: list[ast.AST] = list(reversed(function.body))
    while stack:
        node = stack.pop()
        if isinstance(node, (*_DEFINITIONS, ast.Lambda)):
            continue
        if isinstance(node, ast.Try) and node.handlers:
            # Only what stands outside of the guarded block is certain to leave the function.
            stack.extend(
                reversed([*(s for h in node.handlers for s in h.body), *node.orelse, *node.finalbody])
            )
            continue
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(raised, (ast.Name, ast.Attribute)):
                names[ast.unparse(raised)] = None
        stack.extend(reversed(list(ast.iter_child_nodes(node))))
    return [name for name in names if name.rpartition(".")[2][:1].isupper()]


def _end_of_signature(sheet: Sheet, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    source = sheet.document.source
    line = (
        function.body[0].lineno if function.body[0].lineno == function.lineno else function.body[0].lineno - 1
    )
    decorated = getattr(function.body[0], "decorator_list", None)
    if decorated:
        line = min(line, decorated[0].lineno - 1)
    start = source.span(function).start
    end = source.positions.at(max(line, function.lineno) + 1, 0)
    colon = source.text.rfind(":", start, max(source.span(function.body[0]).start, start))
    return colon if colon > start else Span(start, end).end
