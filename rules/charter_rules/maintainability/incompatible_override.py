"""Finds methods that cannot be called as the method they override. `analysis.contracts` compares the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, regex, rule
from charter.api.facts.contracts import BrokenInheritance
from charter_rules import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_SILENCED = regex(r"#.*(type:\s*ignore|arguments-differ|noqa|override)")


@rule(
    BrokenInheritance,
    code="MNT213",
    principles=("typed-interfaces", "robust-comparisons"),
    severity=Severity.MEDIUM,
    kinds=("override",),
    aliases=("W0221",),
)
def incompatible_override(broken: BrokenInheritance, ctx: Context) -> Iterator[Finding]:
    """A method overrides one of a base class and cannot be called in the same way.

    Whoever holds an object of the base class calls the method as the base class has it (Liskov's principle). With this
    class the call raises `TypeError`.

    An override may take more, with defaults; it may name its parameters otherwise. Private and special methods, and
    bases that take `*args` or `**kwargs`, are not judged, and neither is a
    base whose heirs go many ways of their own. A type checker says the same where both are annotated.

    ```python bad
    class Exporter:
        def write(self, rows):
            return str(rows)

    class CsvExporter(Exporter):
        def write(self, rows, separator):
    #       ^^^^^ `CsvExporter.write` asks for `separator`, which callers of the base's method do not pass
            return separator.join(rows)
    ```
    ```python good
    class Exporter:
        def write(self, rows):
            return str(rows)

    class CsvExporter(Exporter):
        def write(self, rows, separator=","):
            return separator.join(rows)
    ```
    """
    if ctx.is_test or _SILENCED.search(lines.around(broken.location.span, ctx)):
        return
    yield ctx.finding(
        broken.location,
        f"`{broken.name}.{broken.member}` {broken.subject}",
        related=[ctx.related(broken.related, f"`{broken.base}.{broken.member}`")],
    )
