"""Findings about flows of untrusted data: their words, severity and path. It follows no data itself."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Confidence, Severity
from charter.api.facts.taint import Threat
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.api import Context, Finding, Fix
    from charter.api.facts.taint import TaintFlow

_MOST_NAMES: Final = 3
_SEVERITIES: Final = {severity.label: severity for severity in Severity}


def finding(
    flow: TaintFlow,
    ctx: Context,
    deed: str,
    severity: Severity,
    fixes: Iterable[Fix | None] = (),
) -> Finding:
    """A finding about one flow.

    Args:
        flow: the flow.
        ctx: the sink's file.
        deed: what happens to the data, as the predicate of a sentence: "is run as SQL by `execute`".
        severity: how bad it is where remote data arrives for certain.
        fixes: ways to mend it; None stands for none.
    """
    more = "" if not flow.others else f" (and {flow.others} other source{'s' if flow.others > 1 else ''})"
    confidence = Confidence.MEDIUM if flow.certainty < Confidence.HIGH else Confidence.HIGH
    return ctx.finding(
        flow.location,
        f"{flow.source} {deed}{more}",
        severity=_severity(flow, ctx, severity),
        confidence=confidence,
        flow=flow.steps,
        related=[
            ctx.related(use.location.span, f"`{_short(use.sink)}` is given it, too") for use in flow.also
        ],
        fixes=[fix for fix in fixes if fix is not None],
    )


def _severity(flow: TaintFlow, ctx: Context, severity: Severity) -> Severity:
    """Weak sinks, local data, callers with a role, long ways with room for checks, and tests matter less."""
    if flow.weight:
        severity = min(severity, _SEVERITIES[flow.weight])
    if flow.threat is Threat.STORED:
        severity = min(severity, Severity.LOW)
    elif flow.threat is not Threat.REMOTE and severity > Severity.LOW:
        severity = Severity(severity - 1)
    if (flow.privileged or flow.certainty < Confidence.HIGH) and severity > Severity.MEDIUM:
        severity = Severity(severity - 1)
    if ctx.is_test or "/migrations/" in f"/{ctx.path}":
        severity = min(severity, Severity.LOW)
    return severity


def uses(flow: TaintFlow, one: str, many: str) -> str:
    """What the sink and those that are given the same value later do with it: "`Path.exists` and `open` use".

    Args:
        flow: the flow.
        one: the verb for one API.
        many: the verb for several.
    """
    names = [f"`{_short(name)}`" for name in dict.fromkeys((flow.sink, *(use.sink for use in flow.also)))]
    if len(names) == 1:
        return f"{names[0]} {one}"
    shown = names if len(names) <= _MOST_NAMES else [*names[: _MOST_NAMES - 1], "others"]
    return f"{', '.join(shown[:-1])} and {shown[-1]} {many}"


def api(flow: TaintFlow) -> str:
    """The sink's name as a reader of the code knows it: `cursor.execute` for `sqlite3.Cursor.execute`."""
    return _short(flow.sink)


def _short(sink: str) -> str:
    parts = sink.removeprefix("?.").removeprefix("builtins.").split(".")
    if parts[-1] in {"__getitem__", "__setitem__", "__call__"}:
        parts.pop()
    return ".".join(parts[-2:]) if len(parts) > 1 and parts[-2][:1].isupper() else parts[-1]


def call(flow: TaintFlow, ctx: Context) -> ast.Call | None:
    """The sink's call in the file's tree; None if the sink is no call."""
    return None if flow.call is None else shapes.node_at(flow.call, ctx, ast.Call)


def argument(flow: TaintFlow, ctx: Context) -> ast.expr | None:
    """The expression that carries the data into the sink; None if it is hidden by `*` or `**`."""
    found = call(flow, ctx)
    if found is None:
        return None
    expressions = [*found.args, *(keyword.value for keyword in found.keywords)]
    return next((one for one in expressions if ctx.span(one) == flow.location.span), None)
