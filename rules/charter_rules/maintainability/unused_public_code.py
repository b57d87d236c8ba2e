"""Finds public functions, classes and methods that the project itself does not use; `analysis.public` says how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.names import UnusedPublicName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    UnusedPublicName,
    code="MNT244",
    principles=("no-dead-code",),
    severity=Severity.LOW,
    default=False,
    options={"sure": 50},
)
def unused_public_code(unused: UnusedPublicName, ctx: Context) -> Iterator[Finding]:
    """A public function, class or method is used nowhere in the project.

    In an application nobody else can use it, and it is dead code. In a library it may be the interface: so this rule is off
    by default, and the message says how sure it is. `sure` is the least that is reported: 90 is for programs
    (`if __name__ == "__main__"`), 60 for functions and classes of other modules, 50 for methods.

    A name counts as used where it stands anywhere outside of its own body: in code, in a string, in `__all__`, in a template.
    What is decorated, has a base class from elsewhere, is named like a hook (`visit_…`, `on_…`, `main`) or lies in tests,
    migrations and settings is left alone.

    ```python bad title="shop/prices.py"
    def old_total(items):
    #   ^^^^^^^^^ the function `old_total` is used nowhere in the project (60 % sure)
        return sum(item.price for item in items)

    def total(items):
        return sum(item.price for item in items)
    ```
    ```python good title="shop/views.py"
    from shop.prices import total

    print(total([]))
    ```
    """
    if ctx.is_test or unused.sure < ctx.option("sure", int):
        return
    yield ctx.finding(
        unused.location,
        f"the {unused.sort} `{unused.name}` is used nowhere in the project ({unused.sure} % sure)",
        tags=("unnecessary",),
    )
