"""Finds imports that neither their file nor any other uses. What counts as a use is `analysis.unused`'s business."""

from __future__ import annotations

import ast
import re
import sys
from typing import TYPE_CHECKING, Final

from charter.api import Fix, Grade, Severity, Span, regex, rule
from charter.api.facts.names import UnusedName
from charter_rules import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_FOR_EFFECT = frozenset({"antigravity", "readline", "rlcompleter", "this"})
"""Modules of the standard library that are imported for what importing them does."""

_OF_MIGRATIONS = ("alembic.", "sqlalchemy")
"""The packages from which the template of an Alembic migration imports, needed or not."""
_PASSING_ON: Final = regex(r"(^|[/_])(compat|conftest)\.py$")
"""Modules for compatibility, and those from which pytest takes fixtures by their names."""
_SAID_OF_ALL: Final = regex(
    r"^# *pylint: *disable=[\w,-]*(?:W0611|unused-import)|^#.*\b(?:do not|don't|never) (?:remove|delete)\b.*\bimports?\b",
    re.MULTILINE | re.IGNORECASE,
)
_SAID: Final = regex(
    r"#[^\n]*(?:compat|re-?export|re-?import|legacy|W0611|unused-import|side.?effect)", re.IGNORECASE
)


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
    its effect; this rule sees the project and leaves both alone, and so it does with imports in a class, in a module
    called `compat` or `conftest` or one that only imports, and with those whose comment speaks of compatibility or re-export. The fix is safe for the standard library; importing
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
    found = _statement(unused, ctx)
    if unused.target in _FOR_EFFECT or (
        unused.target.startswith(_OF_MIGRATIONS) and "down_revision" in ctx.text
    ):
        return
    if found is None or _is_passed_on(found[0], ctx):
        return
    yield ctx.finding(
        unused.location,
        f"`{unused.name}` is imported and used nowhere",
        fix=_remove(*found, unused, ctx),
        tags=("unnecessary",),
    )


def _statement(unused: UnusedName, ctx: Context) -> tuple[ast.Import | ast.ImportFrom, int] | None:
    """The import statement, and which of its names it is."""
    for kind in (ast.Import, ast.ImportFrom):
        for statement in ctx.nodes(kind):
            if not statement.lineno <= unused.location.line <= (statement.end_lineno or 0):
                continue
            for index, alias in enumerate(statement.names):
                if alias.lineno == unused.location.line and ctx.span(alias) == unused.location.span:
                    return statement, index
    return None


def _is_passed_on(statement: ast.Import | ast.ImportFrom, ctx: Context) -> bool:
    """Whether an import is there for users of the module: as an attribute, or at an old address."""
    if isinstance(ctx.parent(statement), ast.ClassDef) or _PASSING_ON.search(ctx.path):
        return True
    if ctx.says(_SAID_OF_ALL):
        return True
    if _SAID.search(lines.around(ctx.span(statement), ctx, above=1)):
        return True
    # A module that does nothing but import, but for the warning that it has moved.
    notices = ctx.once(_notices)
    return notices is not None and all(ctx.name(call.func) == "warnings.warn" for call in notices)


def _notices(ctx: Context) -> tuple[ast.Call, ...] | None:
    """The calls that stand beside the imports of a module and other names for what it imports.

    None if it does anything else, or imports only once.
    """
    body = ctx.tree.body
    rest = [item for item in body if not isinstance(item, (ast.Import, ast.ImportFrom))]
    renamed = sum(
        isinstance(item, (ast.Assign, ast.AnnAssign)) and _is_other_name(item.value) for item in rest
    )
    said = [item.value for item in rest if isinstance(item, ast.Expr)]
    if len(body) - len(rest) <= 1 or len(said) + renamed < len(rest):
        return None
    found = tuple(value for value in said if isinstance(value, ast.Call))
    return found if all(isinstance(value, (ast.Call, ast.Constant)) for value in said) else None


def _is_other_name(value: ast.expr | None) -> bool:
    """Whether what is assigned is another name for something, or for one of several types."""
    if isinstance(value, ast.BinOp):
        return _is_other_name(value.left) and _is_other_name(value.right)
    if isinstance(value, ast.Subscript):
        return _is_other_name(value.value)
    return isinstance(value, (ast.Name, ast.Attribute))


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
