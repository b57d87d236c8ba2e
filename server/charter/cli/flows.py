"""How the values of one line were followed, as text and as JSON. The analysis says it; this shows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from charter.cli.session import fail, open_paths, solver_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis.taint.explain import Explanation
    from charter.api import Location, Step
    from charter.api.facts.taint import TaintFlow
    from charter.engine.opening import Opened


def explain_flow(place: str, *, as_json: bool) -> None:
    """Show how the values of a line were followed.

    Args:
        place: `FILE:LINE`.
        as_json: whether to write JSON instead of text.
    """
    from charter.engine.project import way_to_mend

    name, _, number = place.rpartition(":")
    if not name or not number.isdigit() or not int(number):
        fail(f"`{place}` is no FILE:LINE such as shop/views.py:14")
    opened = open_paths([Path(name)])
    if len(opened.targets) != 1:
        fail(f"`{name}` is no Python file of the project")
    path, line = opened.targets[0], int(number)
    if not opened.settings.is_marked:
        # Nothing says where a project begins, and a file alone knows none of its callers: its package does.
        file = opened.settings.root / path
        opened = open_paths([_package(file)])
        path = file.relative_to(opened.settings.root).as_posix()
    try:
        text = opened.project.source(path).text
    except ValueError as error:
        fail(f"{name}: {error}; {way_to_mend(path)}")
    count = len(text.split("\n")) - text.endswith("\n")
    if line > count:
        fail(f"{name} has only {count} line{'s' * (count != 1)}")
    solver = solver_of(opened, "charter.analysis.taint")
    flows: list[TaintFlow] = solver.passing(path, line)
    found: list[Explanation] = solver.explain(path, line, text)
    if as_json:
        import json

        click.echo(json.dumps(_document(opened, path, line, flows, found), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(opened, name, line, flows, found)))


def _package(file: Path) -> Path:
    """The outermost package around a file; the file itself if it is in none."""
    found = file
    for folder in file.parents:
        if not (folder / "__init__.py").exists():
            break
        found = folder
    return found


def _fate(flow: TaintFlow, opened: Opened) -> str:
    """Whether a flow is reported, and by which rule or for which reason not."""
    from charter.api.facts.taint import TaintFlow

    if flow.threat.value not in opened.settings.threats:
        return f"not reported: the settings do not count {flow.threat.value} input as untrusted (`threats`)"
    plan = opened.project.planner.plan(flow.location.path)
    rules = [
        entry.rule
        for entry in plan.fact_entries.get(TaintFlow, ())
        if not entry.rule.kinds or flow.kind in entry.rule.kinds
    ]
    if not rules:
        return "not reported: no rule for it is selected"
    return "reported by " + ", ".join(f"{rule.code} {rule.name}" for rule in rules)


def _lines(
    opened: Opened, name: str, line: int, flows: list[TaintFlow], found: list[Explanation]
) -> Iterator[str]:
    yield f"{name}:{line}"
    for flow in flows:
        yield f"\nA flow passes here: {flow.source} to `{flow.sink}` ({flow.kind}), {_fate(flow, opened)}"
        yield from (f"  {_at(step.location)}: {step.message}" for step in flow.steps)
    for one in found:
        yield f"\n`{one.code}`: {one.summary}"
        yield from (f"  {_at(step.location)}: {step.message}" for step in one.steps)
    if not flows and not found:
        yield "\nNo code that the analysis reaches is in this line."


def _at(location: Location) -> str:
    return f"{location.path}:{location.line}"


def _document(
    opened: Opened, path: str, line: int, flows: list[TaintFlow], found: list[Explanation]
) -> dict[str, Any]:
    return {
        "path": path,
        "line": line,
        "flows": [
            {
                "kind": flow.kind,
                "sink": flow.sink,
                "source": flow.source,
                "threat": flow.threat.value,
                "status": _fate(flow, opened),
                "steps": [_step(step) for step in flow.steps],
            }
            for flow in flows
        ],
        "values": [
            {
                **_place(one.location),
                "code": one.code,
                "sink": one.sink or None,
                "kind": one.kind or None,
                "verdict": one.verdict,
                "summary": one.summary,
                "steps": [_step(step) for step in one.steps],
            }
            for one in found
        ],
    }


def _step(step: Step) -> dict[str, Any]:
    return {**_place(step.location), "message": step.message}


def _place(location: Location) -> dict[str, Any]:
    return {"path": location.path, "line": location.line, "column": location.column + 1}
