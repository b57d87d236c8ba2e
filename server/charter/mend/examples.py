"""Runs the examples in a rule's documentation and in literate tests. It is what tests of rule packs call.

Every mark in a `bad` block must be found, every finding of the rule must be marked, every `fixed` block must be what
the rule's first fixes make of the `bad` one, and a `good` block must stay silent.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from charter.api import Location
from charter.api.examples import cases
from charter.engine.project import Project, assemble, reduce_all
from charter.engine.reduce import ProjectFacts, Reducer
from charter.engine.registry import registry
from charter.engine.settings import Layers, Settings
from charter.mend.prove import Proved, Prover

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.api import AnyRule, Finding
    from charter.api.examples import Block, Case, Mark
    from charter.engine.project import Report
    from charter.engine.registry import Registry


def failures(rule: AnyRule, markdown: str = "", *, data: Registry | None = None) -> list[str]:
    """What is wrong with a rule's examples, a sentence each; [] if they all hold.

    Args:
        rule: the rule.
        markdown: the document with the examples; the rule's own documentation if empty.
        data: the registry whose packs bring along the models of libraries; None for none.

    Raises:
        ExampleError: if an example cannot be understood.
    """
    wrong: list[str] = []
    for case in cases(markdown or rule.doc):
        wrong += [
            f"{rule.name}, `{case.name}` (line {case.line}): {text}" for text in check_case(rule, case, data)
        ]
    return wrong


def check_case(rule: AnyRule, case: Case, data: Registry | None = None) -> list[str]:
    """What is wrong with one case; [] if it holds."""
    project = _project(rule, case, data)
    results = {path: project.check_file(path) for path in project.paths}
    reducer = Reducer(project.planner.analyses, project.info) if project.planner.analyses else None
    facts = reduce_all(project, results, reducer) if reducer else ProjectFacts()
    report = assemble(project, results, facts)
    wrong = [f"{failure.part} threw {failure.error} at {failure.place}" for failure in report.failures]
    wrong += [f"{problem.location.path} does not parse: {problem.message}" for problem in report.problems]
    for block in case.files:
        found = [finding for finding in report.findings if finding.path == block.title]
        wrong += _compare(block, found)
    if case.fixed and not wrong:
        wrong += _compare_fixed(case, report, Prover(project, results, reducer))
    return wrong


def _project(rule: AnyRule, case: Case, data: Registry | None) -> Project:
    texts = {block.title: block.code for block in case.files}
    major, _, minor = case.option("python", "3.11").partition(".")
    layers = tuple(part.strip() for part in case.option("layers").split(",") if part.strip())
    settings = Settings(
        root=Path("/example"),
        oldest_python=(int(major), int(minor)),
        layers=(Layers(layers),) if layers else (),
        purpose=case.option("purpose"),
    )

    def read(path: str) -> bytes:
        if path not in texts:
            raise FileNotFoundError(path)
        return texts[path].encode()

    rules = registry([rule], data.packs if data else ())
    python = [path for path in texts if path.endswith((".py", ".pyi"))]
    others = [path for path in texts if path not in python]
    return Project.of(settings, rules, (), python, read, others=others, select=[rule.name])


def _compare(block: Block, found: list[Finding]) -> list[str]:
    """What differs between the marks of a block and the findings in it."""
    wrong: list[str] = []
    left = list(block.marks)
    lines = block.code.splitlines()
    for finding in found:
        mark = next((mark for mark in left if _fits(mark, finding.location, lines)), None)
        if mark is None:
            place = finding.location
            here = f"{place.line}:{place.column}-{place.end_line}:{place.end_column}"
            wrong.append(f"{block.title} {here} is found but not marked: {finding.message}")
            continue
        left.remove(mark)
        if not mark.says(finding.message):
            wrong.append(f"{block.title} line {mark.line}: says {finding.message!r}, not {mark.message!r}")
    wrong += [
        f"{block.title} line {mark.line}: `{lines[mark.line - 1].strip()}` is marked, not found"
        for mark in left
    ]
    return wrong


def _fits(mark: Mark, place: Location, lines: Sequence[str]) -> bool:
    end = place.end_column if place.end_line == place.line else len(lines[place.line - 1])
    return (mark.line, mark.column, mark.end_column) == (place.line, place.column, end)


def _compare_fixed(case: Case, report: Report, prover: Prover) -> list[str]:
    """What differs between the `fixed` blocks and what the first fixes of all findings make."""
    pairs = [(finding, finding.fixes[0]) for finding in report.findings if finding.fixes]
    if not pairs:
        return ["no finding has a fix"]
    proved = prover.prove_together(pairs)
    if not isinstance(proved, Proved):
        return [f"the fix is refused: {proved.reason}"]
    wrong: list[str] = []
    for block in case.fixed:
        made = proved.texts.get(block.title)
        if made != block.code:
            wrong.append(f"{block.title} becomes\n{made}\nnot\n{block.code}")
    return wrong
