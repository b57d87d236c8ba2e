"""Reports untrusted data that is decompressed without a limit to what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_FROM_STRANGERS: Final = frozenset({"http", "websocket", "graphql", "rpc"})
"""Kinds of sources to which anybody may send; queues, mail and protocols by packets have limits of their own."""


@rule(
    TaintFlow,
    code="SEC141",
    principles=("bounded-resources",),
    severity=Severity.MEDIUM,
    cwe=(409,),
    kinds=("decompression",),
    references=(
        "https://docs.python.org/3/library/zlib.html#zlib.Decompress.decompress",
        "https://cwe.mitre.org/data/definitions/409.html",
    ),
)
def decompression_bomb(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Decompress untrusted data up to a limit.

    A thousand zeros compress to one or two bytes: a request of 10 MB, which every limit lets through, becomes 10 GB in the memory of
    the worker. `zlib.decompressobj().decompress(data, max_length)`, and the decompressors of `bz2` and `lzma`, stop at a length; a
    `GzipFile` can be read piece by piece.

    ```python bad
    import zlib
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/events")
    def events():
        return {"size": len(zlib.decompress(request.data))}
    #                                       ^^^^^^^^^^^^ `request.data` is decompressed whole, however large it becomes
    ```
    ```python good
    import zlib
    from flask import Flask, request

    app = Flask(__name__)
    LIMIT = 1_000_000

    @app.post("/events")
    def events():
        return {"size": len(zlib.decompressobj().decompress(request.data, LIMIT))}
    ```
    """
    if flow.source_kind in _FROM_STRANGERS:
        yield flows.finding(flow, ctx, "is decompressed whole, however large it becomes", Severity.MEDIUM)
