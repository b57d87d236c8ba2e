"""Finds secrets made from the time and the network card."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    Fix,
    Grade,
    Severity,
    regex,
    rule,
    sensitivity,
)
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding

_SECRET: Final = regex(
    r"(?i)token|secret|password|session_?(id|key)|api_?key|nonce|csrf|reset|activation|invit|verification|otp|state$"
)
_VAGUE: Final = regex(r"(?i)^(?:token|session_?(?:id|key)|nonce|state)$")
"""Names that locks, runs and requests have as well as logins."""
_PEOPLE: Final = regex(r"(?i)user|account|log_?in|auth|e_?mail|password|cookie|reset|secret|csrf")
"""What the code around such a name speaks of where it is a secret."""


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
    purpose = next((name for name in names if _SECRET.search(name) or sensitivity(name) is not None), None)
    if purpose is None or ctx.is_test:
        return
    around = ctx.function(call)
    if _VAGUE.search(purpose) and around is not None and not _PEOPLE.search(ctx.source(around)):
        return
    edits: tuple[AnyEdit, ...] = ()
    if isinstance(call.func, ast.Attribute):
        edits = (ctx.replace(ctx.name_span(call.func), "uuid4"),)
    fix = Fix("Use `uuid4`", edits, Grade.UNSAFE) if edits and not call.args and not call.keywords else None
    yield ctx.finding(
        call, f"`{purpose}` can be guessed: `uuid1` is made of the time and the network card", fix=fix
    )
