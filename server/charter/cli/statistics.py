"""`--statistics`: where the time went, and what each rule looked at and found."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from charter.engine.project import Report


def show(report: Report, out: TextIO) -> None:
    """Write the tables.

    Args:
        report: what a run gave; its times are summed over worker processes, but `total` is by the clock.
        out: where to.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(file=out, highlight=False)
    lines = sum(report.lines.values())
    total = report.times.get("total", 0.0)
    rate = f", {lines / total:,.0f} lines/s" if total else ""
    console.print(f"{len(report.paths):,} files, {lines:,} lines, {total:.2f} s{rate}")

    phases = Table(box=box.SIMPLE_HEAD)
    phases.add_column("phase")
    phases.add_column("seconds of all workers", justify="right")
    rules = sum(seconds for name, seconds in report.times.items() if name.startswith("rule:"))
    others = {name: s for name, s in report.times.items() if not name.startswith("rule:") and name != "total"}
    for name, seconds in sorted({**others, "rules": rules}.items(), key=lambda item: -item[1]):
        phases.add_row(name, f"{seconds:.2f}")
    console.print(phases)

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("rule")
    for title in ("milliseconds", "opportunities", "findings", "suppressed"):
        table.add_column(title, justify="right")
    found = Counter(finding.rule for finding in report.findings)
    silenced = Counter(finding.rule for finding in report.suppressed)
    looked_at: Counter[str] = Counter()
    for counts in report.opportunities.values():
        looked_at.update(counts)
    times = {name.removeprefix("rule:"): s for name, s in report.times.items() if name.startswith("rule:")}
    names = {*found, *silenced, *looked_at, *times}
    for name in sorted(names, key=lambda name: (-times.get(name, 0.0), name)):
        table.add_row(
            name,
            f"{1000 * times.get(name, 0.0):.1f}",
            f"{looked_at[name]:,}",
            f"{found[name]:,}",
            f"{silenced[name]:,}",
        )
    console.print(table)
    if report.coarse:
        console.print("analysed with less detail, since the work on them reached its bound:")
        for name in report.coarse:
            console.print(f"  {name}", soft_wrap=True)
