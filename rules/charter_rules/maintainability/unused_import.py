"""Finds imports that neither their file nor any other uses. What counts as a use is `analysis.unused`'s business."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, Span, rule
from charter.api.facts.names import UnusedName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_FOR_EFFECT = frozenset({"antigravity", "readline", "rlcompleter", "this"})
"""Modules of the standard library that are imported for what importing them does."""


@rule(
    UnusedName,
    code="MNT006",
    principles=("no-dead-code", "clean-imports"),
    severity=Severity.LOW,
    kinds=("import",),
    aliases=("F401", "W0611"),
)
def unused_import(unused: UnusedName, ctx: Context) -> Iterator[Finding]:
    """A name is imported, and nothing uses it: neither its file nor any other file of the project.

    It costs start-up time, can close an import cycle, and makes a reader look for a dependency that is not there.

    Ruff's F401 sees one file, so it also reports what another module imports from here, and what is imported for
    its effect; this rule sees the project and leaves both alone. The fix is safe for the standard library; importing
    another package may have an effect, so there it is not applied unasked.

    ```python bad
    import os
    #      ^^ `os` is imported and used nowhere
    import sys

    print(sys.argv)
    ```
    ```python fixed
    import sys

    print(sys.argv)
    ```
    ```python bad
    from collections import Counter, OrderedDict
    #                                ^^^^^^^^^^^ `OrderedDict` is imported and used nowhere

    print(Counter("abracadabra"))
    ```
    ```python fixed
    from collections import Counter

    print(Counter("abracadabra"))
    ```
    ```python good title="shop/models.py"
    from shop.fields import Price
    ```
    ```python good title="shop/views.py"
    from shop.models import Price

    print(Price)
    ```
    ```python good title="shop/fields.py"
    class Price:
        pass
    ```
    """
    if unused.target in _FOR_EFFECT:
        return
    yield ctx.finding(
        unused.location,
        f"`{unused.name}` is imported and used nowhere",
        fix=_fix(unused, ctx),
        tags=("unnecessary",),
    )


def _fix(unused: UnusedName, ctx: Context) -> Fix | None:
    for kind in (ast.Import, ast.ImportFrom):
        for statement in ctx.nodes(kind):
            for index, alias in enumerate(statement.names):
                if ctx.span(alias) == unused.location.span:
                    return _remove(statement, index, unused, ctx)
    return None


def _remove(statement: ast.Import | ast.ImportFrom, index: int, unused: UnusedName, ctx: Context) -> Fix:
    is_standard = unused.target.partition(".")[0] in sys.stdlib_module_names
    grade = Grade.SAFE if is_standard else Grade.UNSAFE
    title = f"Remove the import of `{unused.name}`"
    if len(statement.names) == 1:
        return Fix(title, (ctx.remove_statement(statement),), grade)
    span = ctx.span(statement.names[index])
    if index:
        gap = Span(ctx.span(statement.names[index - 1]).end, span.end)
    else:
        gap = Span(span.start, ctx.span(statement.names[1]).start)
    return Fix(title, (ctx.replace(gap, ""),), grade)
