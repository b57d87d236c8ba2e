"""Finds secrets made from the time and the network card."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import calls, secrecy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding


@rule(
    ast.Call,
    code="SEC022",
    principles=("secure-randomness",),
    severity=Severity.MEDIUM,
    cwe=(340, 330),
    calls=("uuid.uuid1",),
    references=("https://www.rfc-editor.org/rfc/rfc9562#name-security-considerations",),
)
def guessable_uuid(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Draw identifiers that must not be guessed at random.

    `uuid1` is the time in steps of 100 nanoseconds and the address of the network card. Whoever has seen one and knows roughly
    when the next was made can list the candidates. `uuid4` has 122 random bits, `secrets.token_urlsafe` as many as you like.

    ```python bad
    import uuid

    def new_reset_token():
        return str(uuid.uuid1())
    #              ^^^^^^^^^^^^ `new_reset_token` can be guessed: `uuid1` is made of the time and the network card
    ```
    ```python fixed
    import uuid

    def new_reset_token():
        return str(uuid.uuid4())
    ```
    ```python good
    import uuid

    def new_reset_token():
        return str(uuid.uuid4())

    def event_id():
        return uuid.uuid1()
    ```
    """
    names = [name for name in calls.destinations(ctx, call) if name]
    purpose = next((name for name in names if _must_be_secret(name)), None)
    if purpose is None or ctx.is_test:
        return
    if secrecy.is_nobodys(purpose, call, ctx):
        return
    edits: tuple[AnyEdit, ...] = ()
    if isinstance(call.func, ast.Attribute):
        edits = (ctx.replace(ctx.name_span(call.func), "uuid4"),)
    fix = Fix("Use `uuid4`", edits, Grade.UNSAFE) if edits and not call.args and not call.keywords else None
    yield ctx.finding(
        call, f"`{purpose}` can be guessed: `uuid1` is made of the time and the network card", fix=fix
    )


def _must_be_secret(name: str) -> bool:
    """Whether nobody may guess what has this name; of a salt it is enough that it is new."""
    lower = name.lower()
    if any(word in lower for word in ("idempoten", "salt")):
        return False  # it only has to be new
    return secrecy.is_secret(name) or name.endswith("state")
