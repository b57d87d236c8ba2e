"""Finds calls that hold up the event loop, also through helpers. Which calls block is `analysis.blocking`'s business."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import AddImport, Fix, Grade, Severity, regex, rule
from charter.api.facts.concurrency import BlockingCall
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_FIXTURES = frozenset({"pytest.fixture", "pytest_asyncio.fixture"})
_ASKING = frozenset(
    {
        "builtins.input", "getpass.getpass", "click.prompt", "click.confirm", "typer.prompt", "typer.confirm",
        "rich.prompt.Prompt.ask", "rich.prompt.Confirm.ask",
    }
)  # fmt: skip
"""What waits for a person, and so does the whole program."""
_CONCURRENT = regex(
    r"create_task|ensure_future|gather\(|TaskGroup|start_soon|as_completed|asyncio\.wait\(|start_server"
)
"""What makes an event loop run more than one coroutine."""
_DEEPEST = 4
_OTHER_LOOPS = frozenset({"trio", "anyio", "curio", "gevent"})


@rule(
    BlockingCall,
    code="PRF005",
    principles=("responsive-event-loop",),
    severity=Severity.MEDIUM,
    aliases=("ASYNC210", "ASYNC220", "ASYNC221", "ASYNC222", "ASYNC251"),
)
def blocking_call_in_async(call: BlockingCall, ctx: Context) -> Iterator[Finding]:
    """A coroutine waits in a way that stops every other coroutine of its event loop.

    An event loop runs one thing at a time and moves on only at an `await`. While a coroutine sleeps, waits for a
    process or for an answer from the network without one, no other request is served and no timeout fires: a
    second of `time.sleep` in one handler is a second for every client.

    Ruff's ASYNC rules find such a call written in the coroutine itself. This rule also follows the project's own
    functions: a plain helper that waits, three calls away and in another module, is found with the way to it. What
    takes as long as a local disk (`open`, `os.path`) is left to ruff's ASYNC230 and ASYNC240, which report it, and so
    is a question to the person at the console (`input`, ASYNC250), whose answer the whole program waits for. A coroutine
    that the module gives to `asyncio.run` holds up nobody where nothing runs beside it.

    ```python bad title="service/handlers.py"
    from service.rates import current_rate

    async def convert(amount):
        return amount * current_rate("EUR")
    #                   ^^^^^^^^^^^^^^^^^^^ `current_rate` blocks the event loop: it calls `requests.get`
    ```
    ```python good title="service/rates.py"
    import requests

    def current_rate(currency):
        return requests.get(f"https://rates.example/{currency}", timeout=5).json()
    ```
    ```python fixed title="service/handlers.py"
    import asyncio

    from service.rates import current_rate

    async def convert(amount):
        return amount * await asyncio.to_thread(current_rate, "EUR")
    ```
    ```python bad
    import asyncio
    import time

    async def poll(job):
        while not job.done:
            time.sleep(1)
    #       ^^^^^^^^^^^^^ `time.sleep` blocks the event loop
    ```
    ```python fixed
    import asyncio
    import time

    async def poll(job):
        while not job.done:
            await asyncio.sleep(1)
    ```
    ```python good
    import asyncio
    import time

    async def poll(job):
        while not job.done:
            await asyncio.sleep(1)

    async def pause(loop):
        await loop.run_in_executor(None, time.sleep, 1)
    ```
    """
    if ctx.is_test:
        return
    node = _call_at(call, ctx)
    if node is not None and (_is_in_fixture(node, ctx) or _has_the_loop_alone(node, ctx)):
        return
    if call.hops:
        name = ctx.source(node.func) if node is not None else call.blocks
        way = [hop.name.rpartition(".")[2] for hop in call.hops[:-1]]
        through = f" through {', '.join(f'`{step}`' for step in way)}" if way else ""
        message = f"`{name}` blocks the event loop: it calls `{_shown(call.blocks)}`{through}"
    else:
        message = f"`{_shown(call.blocks)}` blocks the event loop"
    yield ctx.finding(
        call.location,
        message,
        related=[ctx.related(hop.location, f"calls `{_shown(hop.name)}`") for hop in call.hops],
        fix=_fix(call, node, ctx) if node is not None else None,
    )


def _is_in_fixture(node: ast.Call, ctx: Context) -> bool:
    """Whether a call prepares a test, in a module that offers its fixtures to the tests of others."""
    function = ctx.function(node)
    decorators = function.decorator_list if function is not None else []
    return any(
        (ctx.name(each.func if isinstance(each, ast.Call) else each) or "") in _FIXTURES
        for each in decorators
    )


def _has_the_loop_alone(node: ast.Call, ctx: Context) -> bool:
    """Whether a coroutine is all that its event loop runs: it asks the person at the console, or is the program itself."""
    function = ctx.function(node)
    if function is None:
        return False
    asks = any(
        ctx.name(call.func) in _ASKING and ctx.function(call) is function
        for call in ctx.nodes(ast.Call, within=function)
    )
    return asks or (not ctx.says(_CONCURRENT) and _is_program(function, ctx, 0))


def _is_program(function: shapes.FunctionNode, ctx: Context, depth: int) -> bool:
    """Whether a coroutine is only given to `asyncio.run`, or awaited by one that is."""
    uses = ctx.reads.get(function.name, ())
    return bool(uses) and depth < _DEEPEST and all(_is_run(use, ctx, depth) for use in uses)


def _is_run(use: ast.Name, ctx: Context, depth: int) -> bool:
    call = ctx.parent(use)
    taker = ctx.parent(call) if call is not None else None
    if not isinstance(call, ast.Call) or call.func is not use:
        return False
    if isinstance(taker, ast.Await):
        around = ctx.function(taker)
        return around is not None and _is_program(around, ctx, depth + 1)
    return isinstance(taker, ast.Call) and (
        ctx.name(taker.func) == "asyncio.run"
        or (isinstance(taker.func, ast.Attribute) and taker.func.attr == "run_until_complete")
    )


def _shown(name: str) -> str:
    return name.removeprefix("builtins.")


def _call_at(call: BlockingCall, ctx: Context) -> ast.Call | None:
    return shapes.node_at(call.location.span, ctx, ast.Call)


def _fix(call: BlockingCall, node: ast.Call, ctx: Context) -> Fix | None:
    if _loops_used(ctx) & _OTHER_LOOPS or _cannot_await(node, ctx):
        return None
    grade = Grade.UNSAFE
    if call.blocks == "time.sleep" and not call.hops:
        edits = (ctx.replace(node, f"await asyncio.sleep({_arguments(node, ctx)})"), AddImport("asyncio"))
        return Fix("Sleep with `asyncio.sleep`", edits, grade)
    arguments = _arguments(node, ctx)
    text = f"await asyncio.to_thread({ctx.source(node.func)}{', ' if arguments else ''}{arguments})"
    if isinstance(ctx.parent(node), (ast.Attribute, ast.Subscript, ast.Call)) and not _is_argument(node, ctx):
        text = f"({text})"
    return Fix("Run it in a thread", (ctx.replace(node, text), AddImport("asyncio")), grade)


def _is_argument(node: ast.Call, ctx: Context) -> bool:
    parent = ctx.parent(node)
    return isinstance(parent, ast.Call) and parent.func is not node


def _arguments(node: ast.Call, ctx: Context) -> str:
    inner = [*node.args, *node.keywords]
    inner.sort(key=lambda part: ctx.span(part).start)
    return ", ".join(ctx.source(part) for part in inner)


def _loops_used(ctx: Context) -> set[str]:
    found = {alias.name.partition(".")[0] for node in ctx.nodes(ast.Import) for alias in node.names}
    return found | {(node.module or "").partition(".")[0] for node in ctx.nodes(ast.ImportFrom)}


def _cannot_await(node: ast.Call, ctx: Context) -> bool:
    """Whether `await` would be wrong in place: in a generator expression or a lambda."""
    for ancestor in ctx.ancestors(node):
        if isinstance(ancestor, (ast.GeneratorExp, ast.Lambda)):
            return True
        if isinstance(ancestor, ast.stmt):
            return False
    return True
