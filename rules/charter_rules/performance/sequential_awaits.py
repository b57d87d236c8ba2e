"""Finds requests that are awaited one after the other although none needs the other's answer."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import AddImport, Confidence, Fix, Grade, Severity, Span, rule
from charter_rules import lifetimes, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_READS = frozenset({"get", "head", "fetch", "fetch_json", "download", "resolve", "lookup", "options"})
_CLIENTS = ("client", "session", "http", "api", "resolver")
_VERBS = (
    "fetch",
    "download",
    "scrape",
    "crawl",
    "async_fetch",
    "async_download",
    "http_get",
    "get_page",
    "get_url",
)
_ONE_AT_A_TIME = (
    "db", "database", "store", "conn", "cursor", "cache", "redis", "repo", "dao", "queue", "reader", "stream", "ws",
    "socket", "page", "browser", "element", "transaction", "tx", "table", "collection", "storage", "lock",
)  # fmt: skip
"""Words for what serves one caller at a time, or keeps an order; a receiver of such a name is left alone."""


@rule(
    ast.Await,
    code="PRF006",
    principles=("concurrent-io",),
    severity=Severity.LOW,
    confidence=Confidence.MEDIUM,
)
def sequential_awaits(awaited: ast.Await, ctx: Context) -> Iterator[Finding]:
    """A loop awaits one answer after the other although the calls do not depend on each other.

    Each round waits for its own answer before it asks for the next: 50 requests of 100 ms take five seconds. Asked
    all at once, with `asyncio.gather` or a `TaskGroup`, they take as long as the slowest. Set a bound with a
    semaphore where the other side must not be flooded.

    Reported are loops that only collect the answers of reading calls (`fetch…`, `get…` of a client or session), each
    made from the loop's own item, and such calls in lines that follow each other. Writing, sending and database calls are left alone: there order may matter, and
    one connection serves one query at a time.

    ```python bad
    async def prices(client, urls):
        return [await client.get(url) for url in urls]
    #           ^^^^^^^^^^^^^^^^^^^^^ each round waits for the one before; the calls are independent
    ```
    ```python fixed
    import asyncio


    async def prices(client, urls):
        return await asyncio.gather(*(client.get(url) for url in urls))
    ```
    ```python bad
    async def profile(client, user):
        person = await client.get(f"/people/{user}")
        orders = await client.get(f"/orders/{user}")
    #            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this waits for the answer in the line before and does not need it
        return person, orders
    ```
    ```python fixed
    import asyncio


    async def profile(client, user):
        person, orders = await asyncio.gather(client.get(f"/people/{user}"), client.get(f"/orders/{user}"))
        return person, orders
    ```
    ```python good
    async def crawl(client, url):
        pages = []
        while url:
            page = await client.get(url)
            pages.append(page)
            url = page.next
        return pages
    ```
    """
    call = awaited.value
    if ctx.is_test or not isinstance(call, ast.Call) or not _reads(call):
        ctx.not_an_opportunity()
        return
    parent = ctx.parent(awaited)
    if isinstance(parent, ast.ListComp) and parent.elt is awaited and len(parent.generators) == 1:
        generator = parent.generators[0]
        if generator.is_async or generator.ifs or not _uses(call, generator.target):
            return
        if any(isinstance(node, ast.Await) for node in ast.walk(generator.iter)):
            return
        target, items = ctx.source(generator.target), ctx.source(generator.iter)
        text = f"await asyncio.gather(*({ctx.source(call)} for {target} in {items}))"
        fix = Fix("Await them together", (ctx.replace(parent, text), AddImport("asyncio")), Grade.UNSAFE)
        yield _finding(awaited, ctx, fix)
        return
    loop = ctx.loop(awaited)
    if isinstance(loop, ast.For) and _only_collects(awaited, loop, ctx) and _uses(call, loop.target):
        yield _finding(awaited, ctx, None)
    elif loop is None:
        yield from _in_a_row(awaited, ctx)


def _in_a_row(awaited: ast.Await, ctx: Context) -> Iterator[Finding]:
    """The last of two or more lines that each set a variable to an answer that none of the others needs."""
    statement = ctx.parent(awaited)
    block = lifetimes.block_of(statement, ctx) if isinstance(statement, ast.Assign) else None
    if block is None or not isinstance(statement, ast.Assign) or not _is_answer(statement):
        return
    at = block.index(statement)
    if at + 1 < len(block) and _is_answer(block[at + 1]) and _is_apart(block[at + 1], [statement]):
        return  # reported there
    row: list[ast.Assign] = [statement]
    while at and isinstance(earlier := block[at - 1], ast.Assign) and _is_answer(earlier):
        if not all(_is_apart(later, [earlier]) for later in row):
            break
        row.insert(0, earlier)
        at -= 1
    if len(row) < 2:
        return
    targets = ", ".join(ctx.source(item.targets[0]) for item in row)
    asked = ", ".join(ctx.source(item.value.value) for item in row if isinstance(item.value, ast.Await))
    whole = Span(ctx.span(row[0]).start, ctx.span(row[-1]).end)
    fix = None
    if not shapes.has_comment(ctx.text[whole.start : whole.end]) and row[0].lineno != row[-1].lineno:
        edit = ctx.replace(whole, f"{targets} = await asyncio.gather({asked})")
        fix = Fix("Await them together", (edit, AddImport("asyncio")), Grade.UNSAFE)
    yield ctx.finding(awaited, "this waits for the answer in the line before and does not need it", fix=fix)


def _is_answer(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Await)
        and isinstance(statement.value.value, ast.Call)
        and _reads(statement.value.value)
        and not any(isinstance(node, ast.Await) for node in ast.walk(statement.value.value))
    )


def _is_apart(later: ast.stmt, earlier: list[ast.Assign]) -> bool:
    """Whether a line needs nothing that the earlier ones set, and sets another variable."""
    names = {name for item in earlier for name in shapes.names_in(item.targets[0])}
    return not names & shapes.names_in(later)


def _finding(awaited: ast.Await, ctx: Context, fix: Fix | None) -> Finding:
    return ctx.finding(awaited, "each round waits for the one before; the calls are independent", fix=fix)


def _reads(call: ast.Call) -> bool:
    """Whether a call, by its name, asks something over a network and changes nothing."""
    func = call.func
    if call.args and isinstance(call.args[0], ast.Name) and call.args[0].id[:1].isupper():
        return False  # `session.get(Model, key)` asks a database
    if isinstance(func, ast.Name):
        return func.id.lstrip("_").startswith(_VERBS)
    if not isinstance(func, ast.Attribute):
        return False
    plain = func.attr.lstrip("_")
    words = _words(func.value)
    if any(word in _ONE_AT_A_TIME for word in words):
        return False
    if plain in _READS:
        return any(word.endswith(_CLIENTS) for word in words)
    return plain.startswith(_VERBS)


def _words(owner: ast.expr) -> list[str]:
    """The words of the names along a dotted receiver."""
    names: list[str] = []
    while isinstance(owner, ast.Attribute):
        names.append(owner.attr)
        owner = owner.value
    if isinstance(owner, (ast.BoolOp, ast.IfExp)):
        either = owner.values if isinstance(owner, ast.BoolOp) else [owner.body, owner.orelse]
        return [word for each in either for word in _words(each)]
    if isinstance(owner, ast.Name):
        names.append(owner.id)
    return [word for name in names for word in name.lower().split("_")]


def _uses(call: ast.Call, target: ast.expr) -> bool:
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    names = shapes.names_in(target)
    return any(names & shapes.names_in(argument) for argument in arguments)


def _only_collects(awaited: ast.Await, loop: ast.For, ctx: Context) -> bool:
    """Whether the loop's body only keeps each answer: `found.append(await …)` or `found[key] = await …`."""
    if len(loop.body) != 1 or loop.orelse:
        return False
    statement = loop.body[0]
    parent = ctx.parent(awaited)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        func = statement.value.func
        return (
            parent is statement.value and isinstance(func, ast.Attribute) and func.attr in {"append", "add"}
        )
    return (
        isinstance(statement, ast.Assign)
        and statement.value is awaited
        and isinstance(statement.targets[0], ast.Subscript)
    )
