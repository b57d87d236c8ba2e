"""Finds clients, connections and pools that are made anew in each round of a loop."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import clients, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="PRF016",
    principles=("reused-connections", "no-repeated-work"),
    severity=Severity.MEDIUM,
    calls=tuple(clients.CLIENTS),
)
def client_in_loop(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A client, connection or pool is made in each round of a loop, in the same way every time.

    Making one costs a connection, often a TLS handshake (two to three round trips) and a log-in; starting a process
    pool costs tens of milliseconds a worker. Made once before the loop, it is reused by every round.

    Reported where the arguments do not depend on the loop, in the loop itself or in a function of the file that the loop
    calls; a retry that makes a new connection after a failure is left alone.

    ```python bad
    import httpx

    def fetch(urls):
        for url in urls:
            with httpx.Client(timeout=5) as client:
    #            ^^^^^^^^^^^^^^^^^^^^^^^ each round makes a new client; make one before the loop and reuse it
                yield client.get(url)
    ```
    ```python good
    import httpx

    def fetch(urls):
        with httpx.Client(timeout=5) as client:
            for url in urls:
                yield client.get(url)

    def fetch_from(hosts):
        for host in hosts:
            with httpx.Client(base_url=host) as client:
                yield client.get("/")
    ```
    """
    loop = ctx.loop(call)
    if ctx.is_test:
        return
    if loop is None:
        yield from _in_called(call, ctx)
        return
    if isinstance(loop, ast.While) or _is_retry(call, loop, ctx):
        return
    bound = shapes.stored_in([ctx.parent(loop) or loop if isinstance(loop, ast.comprehension) else loop])
    for part in (*call.args, *call.keywords):
        if shapes.names_in(part) & bound or any(isinstance(node, ast.Call) for node in ast.walk(part)):
            return
    what = clients.CLIENTS.get(ctx.name(call.func) or "", "client")
    yield ctx.finding(call, f"each round makes a new {what}; make one before the loop and reuse it")


def _in_called(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A client that a function makes for itself, and a loop of the same file that calls the function."""
    function = ctx.function(call)
    if (
        function is None
        or function.decorator_list
        or not isinstance(ctx.parent(call), (ast.Assign, ast.withitem))
    ):
        return
    what = clients.CLIENTS.get(ctx.name(call.func) or "", "client")
    if what == "pool" or clients.is_kept(call, ctx) or clients.depends_on(call, function, ctx):
        return  # to leave a pool is to wait for all that it does
    if any(isinstance(ancestor, (ast.If, ast.ExceptHandler)) for ancestor in ctx.ancestors(call)):
        return  # made when it is needed
    for use in _calls(function, ctx):
        loop = ctx.loop(use)
        if loop is None or isinstance(loop, ast.While) or _is_retry(use, loop, ctx):
            continue
        yield ctx.finding(
            call,
            f"line {use.lineno} calls `{function.name}` in a loop, and each round makes a new {what}; hand one over",
            related=[ctx.related(use, "called in a loop")],
        )
        return


def _calls(function: shapes.FunctionNode, ctx: Context) -> Iterator[ast.Call]:
    """The calls of a function of the module by its name, and of a method on `self` in the same class."""
    home = ctx.parent(function)
    uses: Sequence[ast.expr] = ()
    if home is ctx.tree:
        uses = ctx.reads.get(function.name, ())
    elif isinstance(home, ast.ClassDef):
        uses = [
            use
            for use in ctx.gets.get(function.name, ())
            if shapes.is_name(use.value, "self") and home in ctx.ancestors(use)
        ]
    for use in uses:
        call = ctx.parent(use)
        if isinstance(call, ast.Call) and call.func is use:
            yield call


def _is_retry(call: ast.Call, loop: ast.AST, ctx: Context) -> bool:
    """Whether the loop counts attempts: it ends by itself when one succeeds."""
    if isinstance(loop, ast.For):
        text = ctx.source(loop.iter) + ctx.source(loop.target)
        if any(word in text.lower() for word in ("retr", "attempt", "tries")):
            return True
        used = shapes.names_in(loop.target)
        if isinstance(loop.iter, ast.Call) and ctx.name(loop.iter.func) == "builtins.range":
            return not any(True for name in used for _ in shapes.reads(name, loop.body))
    for ancestor in ctx.ancestors(call):
        if ancestor is loop:
            return False
        if isinstance(ancestor, (ast.ExceptHandler, ast.If)):
            return True
    return False
