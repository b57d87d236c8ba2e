"""Reports untrusted data in the keys of text-protocol caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    TaintFlow,
    code="SEC128",
    principles=("query-languages",),
    severity=Severity.LOW,
    cwe=(93,),
    kinds=("memcache",),
    default=False,
    references=("https://cwe.mitre.org/data/definitions/93.html",),
)
def cache_key_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Keep line breaks of untrusted text out of cache keys.

    Memcached's text protocol ends a command at a line break: a key that holds one starts a second command, which
    reads or overwrites other users' entries. Hash the key, or check its characters.

    ```python bad
    from pymemcache.client.base import Client
    from flask import Flask, request

    app = Flask(__name__)
    cache = Client("localhost")

    @app.get("/item")
    def item():
        key = request.args["key"]
        return {"item": cache.get(key)}
    #                             ^^^ `request.args["key"]` becomes a key that `Client.get` sends as it is
    ```
    ```python good
    import hashlib
    from pymemcache.client.base import Client
    from flask import Flask, request

    app = Flask(__name__)
    cache = Client("localhost")

    @app.get("/item")
    def item():
        key = hashlib.sha256(request.args["key"].encode()).hexdigest()
        return {"item": cache.get(key)}
    ```
    """
    yield flows.finding(flow, ctx, f"becomes a key that `{flows.api(flow)}` sends as it is", Severity.LOW)
