"""Finds `__init__` methods that leave out their base class's. `analysis.contracts` knows what that sets and who needs it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, regex, rule
from charter.api.facts.contracts import BrokenInheritance
from charter_rules import lines, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_SILENCED = regex(r"#.*(super-init-not-called|PyMissingConstructor|reportMissingSuperCall|noqa)")


@rule(
    BrokenInheritance,
    code="MNT210",
    principles=("robust-comparisons", "no-hidden-state"),
    default=False,
    severity=Severity.MEDIUM,
    kinds=("skipped-init",),
    aliases=("W0231",),
    cwe=(665,),
)
def skipped_base_init(broken: BrokenInheritance, ctx: Context) -> Iterator[Finding]:
    """A class's `__init__` does not call that of its base, which sets an attribute that inherited methods read.

    The object looks whole and fails with `AttributeError` the first time that method is called.

    Pylint's W0231 reports every `__init__` that does not call the next one. This rule reports it only where a method that
    the class inherits reads what was never set.

    ```python bad
    class Store:
        def __init__(self):
            self.rows = []

        def add(self, row):
            self.rows.append(row)

    class NamedStore(Store):
        def __init__(self, name):
    #       ^^^^^^^^ `NamedStore` never calls `Store.__init__`, which sets `rows`; `add` reads it
            self.name = name
    ```
    ```python fixed
    class Store:
        def __init__(self):
            self.rows = []

        def add(self, row):
            self.rows.append(row)

    class NamedStore(Store):
        def __init__(self, name):
            super().__init__()
            self.name = name
    ```
    ```python good
    class Store:
        def __init__(self):
            self.rows = []

        def add(self, row):
            self.rows.append(row)

    class FixedStore(Store):
        def __init__(self, rows):
            self.rows = list(rows)
    ```
    """
    if _SILENCED.search(lines.around(broken.location.span, ctx, above=1)):
        return
    yield ctx.finding(
        broken.location,
        f"`{broken.name}` never calls `{broken.base}.__init__`, which sets `{broken.subject}`;"
        f" `{broken.member}` reads it",
        related=[ctx.related(broken.related, "set here")],
        fix=_call(broken, ctx),
    )


def _call(broken: BrokenInheritance, ctx: Context) -> Fix | None:
    """Call the base's `__init__` first, where it stands in this file and takes no argument."""
    function = shapes.definition_at(broken.location.span, ctx, ast.FunctionDef)
    base = next((c for c in ctx.nodes(ast.ClassDef) if c.name == broken.base), None)
    if function is None or base is None:
        return None
    init = next((f for f in base.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"), None)
    if init is None or len(shapes.parameters(init)) != 1:
        return None
    body = shapes.without_docstring(function.body)
    if not body:
        return None
    return Fix("Call `super().__init__()`", (ctx.insert_before(body[0], "super().__init__()"),), Grade.UNSAFE)
