"""Finds tests that ask a real server."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import hosts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_CALLS = (
    "requests.get", "requests.post", "requests.put", "requests.delete", "requests.head", "requests.request", "httpx.get",
    "httpx.post", "httpx.put", "httpx.delete", "httpx.head", "httpx.request", "urllib.request.urlopen",
    "urllib.request.urlretrieve",
)  # fmt: skip
_DOUBLES = (
    "responses", "requests_mock", "requests-mock", "httpretty", "respx", "vcr", "mock", "monkeypatch", "pook", "patch",
    "httpserver", "cassette", "betamax", "network", "online", "remote", "live", "mocker", "wsgi_intercept", "httpx_mock",
)  # fmt: skip


@rule(
    ast.Call,
    code="MNT136",
    principles=("meaningful-tests",),
    severity=Severity.LOW,
    in_tests=True,
    calls=_CALLS,
)
def network_in_test(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A test asks a server on the internet.

    It fails when the server, the line or the name service does, which says nothing about the code, and until then it is
    slow. Answer from a recorded reply or a server of the test's own, or mark it as one that needs the network.

    Reported are requests to an address that is written out, in a test file that mentions no double of the network
    (`responses`, `respx`, `vcr`, `mock`, `monkeypatch` …) and no mark for it, and where no `try` expects the failure.

    ```python bad title="tests/test_rates.py"
    import requests

    def test_rates():
        answer = requests.get("https://rates.example.com/eur", timeout=5)
    #            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this test needs `https://rates.example.com`; answer from a recorded reply
        assert answer.ok
    ```
    ```python good title="tests/test_rates.py"
    import requests

    def test_rates(server):
        assert requests.get(server.url, timeout=5).ok
        assert requests.get("http://localhost:8000/eur", timeout=5).ok
    ```
    """
    function = ctx.function(call)
    if function is None or not function.name.startswith("test"):
        ctx.not_an_opportunity()
        return
    position = 1 if (ctx.name(call.func) or "").endswith(".request") else 0
    address = ctx.argument(call, position, "url")
    url = ctx.value(address) if address is not None else None
    if not isinstance(url, str) or not url.startswith(("http://", "https://")) or hosts.is_near(url):
        return
    if any(word in ctx.text for word in _DOUBLES):
        return
    if any(isinstance(ancestor, ast.Try) and ancestor.handlers for ancestor in ctx.ancestors(call)):
        return  # it knows that the server may not be there
    host = "/".join(url.split("/")[:3])
    yield ctx.finding(call, f"this test needs `{host}`; answer from a recorded reply")
