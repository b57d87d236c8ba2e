"""Finds servers that take a configuration of the logging from whoever connects."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="SEC072",
    principles=("code-injection",),
    severity=Severity.MEDIUM,
    cwe=(94,),
    calls=("logging.config.listen",),
    mentions=("listen",),
    aliases=("B612", "S612"),
    references=("https://docs.python.org/3/library/logging.config.html#logging.config.listen",),
)
def unverified_logging_config(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Check a logging configuration that comes over the network before it is used.

    `logging.config.listen` opens a port on which any user of the machine can send a new configuration. Parts of it are
    evaluated as Python, and it may name any callable as a handler: who reaches the port runs code in the program. Give a
    function as `verify` that checks a signature, and returns the bytes or, to refuse them, None. Where nothing has to
    change at run time, read a file with `dictConfig` instead.

    ```python bad
    import logging.config

    def serve(port):
        thread = logging.config.listen(port)
    #            ^^^^^^^^^^^^^^^^^^^^^^^^^^^ who reaches the port runs code: no `verify` checks the configuration
        thread.start()
    ```
    ```python good
    import hmac
    import logging.config

    def serve(port, key):
        def check(sent):
            signature, text = sent[:32], sent[32:]
            return text if hmac.compare_digest(hmac.digest(key, text, "sha256"), signature) else None

        logging.config.listen(port, verify=check).start()
    ```
    """
    if ctx.is_test or calls.has_unpacking(call):
        return
    check = ctx.argument(call, 1, "verify")
    if check is None or ctx.value(check) is None:
        yield ctx.finding(call, "who reaches the port runs code: no `verify` checks the configuration")
    elif _passes_all(ctx.origin(check)):
        yield ctx.finding(call, "who reaches the port runs code: `verify` lets every configuration pass")


def _passes_all(check: ast.expr) -> bool:
    """Whether a check only gives back what it is given: `lambda sent: sent`."""
    return (
        isinstance(check, ast.Lambda)
        and isinstance(check.body, ast.Name)
        and [argument.arg for argument in check.args.args] == [check.body.id]
    )
