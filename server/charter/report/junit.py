"""JUnit's XML, which build servers show as tests: a suite a file, a failed case a finding."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from charter.report.escape import xml

if TYPE_CHECKING:
    from charter.report.outcome import Outcome


def render(outcome: Outcome, out: TextIO) -> None:
    """Write the suites; files without findings are one passed case."""
    found = {path: list(group) for path, group in groupby(outcome.findings, key=lambda finding: finding.path)}
    broken = {
        path: list(group) for path, group in groupby(outcome.report.problems, key=lambda p: p.location.path)
    }
    tests = sum(max(1, len(found.get(path, ()))) for path in outcome.report.paths)
    failures = len(outcome.findings)
    errors = len(outcome.report.problems)
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(
        f'<testsuites name="charter" tests="{tests + errors}" failures="{failures}" errors="{errors}">\n'
    )
    for path in outcome.report.paths:
        name = xml(outcome.machine(path))
        findings, problems = found.get(path, []), broken.get(path, [])
        count = max(1, len(findings) + len(problems))
        head = f'tests="{count}" failures="{len(findings)}" errors="{len(problems)}"'
        out.write(f'  <testsuite name="{name}" {head}>\n')
        if not findings and not problems:
            out.write(f'    <testcase classname="{name}" name="charter" file="{name}"/>\n')
        for finding in findings:
            place = f"{finding.location.line}:{finding.location.column + 1}"
            title = xml(f"{finding.code} {finding.rule} {place}")
            out.write(
                f'    <testcase classname="{name}" name="{title}" file="{name}" line="{finding.location.line}">\n'
                f'      <failure type="{finding.severity.label}" message="{xml(finding.message)}">'
                f"{xml(f'{outcome.machine(path)}:{place}: {finding.message}')}</failure>\n    </testcase>\n"
            )
        out.writelines(
            f'    <testcase classname="{name}" name="{xml(problem.message)}" file="{name}">\n'
            f'      <error message="{xml(problem.message)}">{xml(problem.remedy)}</error>\n    </testcase>\n'
            for problem in problems
        )
        out.write("  </testsuite>\n")
    out.write("</testsuites>\n")
