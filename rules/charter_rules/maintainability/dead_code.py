"""Finds private functions, classes, methods and attributes that nothing in the project uses; `analysis.unused` says what a use is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, regex, rule
from charter.api.facts.names import UnusedName
from charter_rules import lines, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    UnusedName,
    code="MNT013",
    principles=("no-dead-code",),
    severity=Severity.LOW,
    kinds=("function", "class", "method", "attribute"),
)
def dead_code(unused: UnusedName, ctx: Context) -> Iterator[Finding]:
    """A private function, class or method is used, or a private attribute read, nowhere in the project.

    Dead code is read, tested, refactored and translated like living code, and it misleads whoever looks for how
    things are done here. The version history keeps it.

    The whole project is searched, strings and templates of names included, so that a name built for `getattr`
    counts as a use. Decorated definitions, overrides of other packages' methods, attributes that keep what a call
    made alive, and public names, which other projects may use, are left alone.

    Vulture searches in the same way and reports everything that its own project does not use. On Flask, httpx, rich,
    Scrapy, Poetry and aiohttp it names 837 things, and this rule with those about imports and unreachable code 8, of
    which 5 are among Vulture's. Of 21 others of Vulture's that were read, none was dead: they are the public interface,
    constants, parameters and registered commands. Vulture takes half the time.

    ```python bad title="shop/prices.py"
    def _old_total(items):
    #   ^^^^^^^^^^ the function `_old_total` is used nowhere in the project
        result = 0
        for item in items:
            result = result + item.price
        return result

    def total(items):
        return sum(item.price for item in items)
    ```
    ```python good title="shop/views.py"
    from shop.prices import total

    print(total([]))
    ```
    ```python fixed title="shop/prices.py"

    def total(items):
        return sum(item.price for item in items)
    ```
    ```python good
    class Handler:
        def handle(self, kind):
            return getattr(self, f"_handle_{kind}")()

        def _handle_order(self):
            return "order"
    ```
    """
    if ctx.is_test or _is_kept(unused, ctx):
        return
    what = "set and never read" if unused.sort == "attribute" else "used nowhere"
    yield ctx.finding(
        unused.location,
        f"the {unused.sort} `{unused.name}` is {what} in the project",
        fix=_fix(unused, ctx),
        tags=("unnecessary",),
    )


_STATE = regex(r"_[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*$")
_KEPT = regex(r"#[^\n]*(?:reference|garbage|alive|lifetime|compat)", re.IGNORECASE)


def _is_kept(unused: UnusedName, ctx: Context) -> bool:
    """Whether a name is built from a state, asked for by old pickles, or keeps something alive on purpose."""
    if unused.sort != "attribute":
        return "pickle" in unused.name or _STATE.search(unused.name) is not None
    return _KEPT.search(lines.around(unused.location.span, ctx, above=2)) is not None


def _fix(unused: UnusedName, ctx: Context) -> Fix | None:
    node = shapes.definition_at(unused.location.span, ctx, *shapes.DEFINITIONS)
    if node is None:
        return None
    return Fix(f"Remove `{unused.name}`", (ctx.remove_statement(node),), Grade.UNSAFE)
