"""Finds requests that do not check the server's certificate."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN, Fix, Grade, Severity, rule
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options", "request", "stream", "send")
_VERIFY: Final = (
    *(f"requests.{place}{verb}" for place in ("", "api.") for verb in _VERBS),
    *(f"httpx.{verb}" for verb in _VERBS),
    "httpx.Client", "httpx.AsyncClient", "httpx.HTTPTransport", "httpx.AsyncHTTPTransport", "httpx.create_ssl_context",
    "botocore.session.Session.create_client", "boto3.client", "boto3.resource", "boto3.session.Session.client",
    "hvac.Client", "consul.Consul",
)  # fmt: skip
_OTHERS: Final[dict[str, tuple[str, object]]] = {
    "aiohttp.TCPConnector": ("ssl", False),
    "aiohttp.request": ("ssl", False),
    "elasticsearch.Elasticsearch": ("verify_certs", False),
    "elasticsearch.AsyncElasticsearch": ("verify_certs", False),
    "opensearchpy.OpenSearch": ("verify_certs", False),
    "urllib3.PoolManager": ("cert_reqs", "CERT_NONE"),
    "urllib3.HTTPSConnectionPool": ("cert_reqs", "CERT_NONE"),
    "urllib3.ProxyManager": ("cert_reqs", "CERT_NONE"),
    "urllib3.connection_from_url": ("cert_reqs", "CERT_NONE"),
    "pymongo.MongoClient": ("tlsAllowInvalidCertificates", True),
    "motor.motor_asyncio.AsyncIOMotorClient": ("tlsAllowInvalidCertificates", True),
    "redis.Redis": ("ssl_cert_reqs", "none"),
    "redis.StrictRedis": ("ssl_cert_reqs", "none"),
    "redis.from_url": ("ssl_cert_reqs", "none"),
    "websocket.create_connection": ("sslopt", {"cert_reqs": 0}),
    "kubernetes.client.Configuration": ("verify_ssl", False),
    "gitlab.Gitlab": ("ssl_verify", False),
    "ldap3.Tls": ("validate", "CERT_NONE"),
    "pymysql.connect": ("ssl_verify_cert", False),
    "tornado.httpclient.HTTPRequest": ("validate_cert", False),
    "pyVim.connect.SmartConnect": ("disableSslCertValidation", True),
    "httplib2.Http": ("disable_ssl_certificate_validation", True),
}
_TOLD: Final[dict[str, tuple[tuple[str, ...], tuple[object, ...]]]] = {
    "setopt": (
        ("pycurl.SSL_VERIFYPEER", "SSL_VERIFYPEER", "pycurl.SSL_VERIFYHOST", "SSL_VERIFYHOST"),
        (0, False),
    ),
    "set_option": (("ldap.OPT_X_TLS_REQUIRE_CERT",), ("ldap.OPT_X_TLS_NEVER", "ldap.OPT_X_TLS_ALLOW")),
}
"""Methods that take an option and its value: the options that matter, and the values that switch the check off."""
_KEYWORDS: Final[dict[str, object]] = {
    "verify": False, "verify_ssl": False, "ssl": False, "validate_cert": False,
}  # fmt: skip
_ARGUMENTS: Final = frozenset(
    {"assert_hostname", *_KEYWORDS, *(argument for argument, _ in _OTHERS.values())}
)
_AIOHTTP: Final = frozenset({"aiohttp.ClientSession", "aiohttp.TCPConnector"})


@rule(
    ast.Call,
    ast.keyword,
    code="SEC007",
    principles=("verified-transport",),
    severity=Severity.HIGH,
    when=lambda node: isinstance(node, ast.Call) or node.arg in _KEYWORDS,
    cwe=(295,),
    calls=("functools.partial", *_VERIFY, *_OTHERS, *(f"*.{verb}" for verb in (*_VERBS, "ws_connect", "client", "resource", "fetch", "tls_insecure_set", *_TOLD))),
    mentions=("**", "verify", "ssl", "verify_ssl", "cert_reqs", "verify_certs", "tlsAllowInvalidCertificates",
              "ssl_cert_reqs", "disable_ssl_certificate_validation", "tls_insecure_set", "SSL_VERIFY", "OPT_X_TLS",
              "assert_hostname", "validate"),
    aliases=("B501", "S501"),
    references=(
        "https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification",
        "https://cwe.mitre.org/data/definitions/295.html",
    ),
)  # fmt: skip
def unverified_request(call: ast.Call | ast.keyword, ctx: Context) -> Iterator[Finding]:
    """Check the certificate of the server you talk to.

    Without the check, anyone on the way (a Wi-Fi access point, a proxy, a poisoned DNS answer) can pose as the
    server, read what is sent, passwords included, and change what comes back. For a private authority, pass the path
    of its certificate instead of switching the check off.

    ```python bad
    import requests

    def status(url):
        return requests.get(url, timeout=5, verify=False)
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `verify=False` switches the check of the server's certificate off
    ```
    ```python fixed
    import requests

    def status(url):
        return requests.get(url, timeout=5)
    ```
    ```python good
    import requests

    def status(url):
        return requests.get(url, timeout=5)

    def internal(url):
        return requests.get(url, timeout=5, verify="/etc/ssl/company.pem")
    ```
    """
    if isinstance(call, ast.keyword):
        yield from _handed_on(call, ctx)
        return
    message = _told(call, ctx)
    if message:
        if calls.is_chosen(ctx, call):
            return
        yield ctx.finding(call, message, severity=Severity.LOW if ctx.is_test else None)
        return
    switched = _switched_off(call, ctx)
    if switched is None:
        return
    argument, value = switched
    fix = None
    if calls.keyword(call, argument) is not None:
        fix = Fix("Check the certificate", (ctx.remove_argument(call, argument),), Grade.UNSAFE)
    yield ctx.finding(
        call,
        f"`{argument}={value}` switches the check of the server's certificate off",
        fix=fix,
        severity=Severity.LOW if ctx.is_test else None,
    )


def _handed_on(item: ast.keyword, ctx: Context) -> Iterator[Finding]:
    """`fetch(url, verify=False)`, where a function of this file hands the keyword on to a library."""
    call = ctx.parent(item)
    bad = _KEYWORDS.get(item.arg or "")
    if bad is None or not isinstance(call, ast.Call) or ctx.value(item.value) is not bad:
        ctx.not_an_opportunity()
        return
    name = ctx.name(call.func)
    function = next((one for one in ctx.nodes(ast.FunctionDef) if name and ctx.name(one) == name), None)
    if function is None or not _hands_on(function, item.arg or "", ctx):
        ctx.not_an_opportunity()
        return
    yield ctx.finding(
        call,
        f"`{item.arg}={bad}` switches the check of the server's certificate off",
        severity=Severity.LOW if ctx.is_test else None,
    )


def _hands_on(function: ast.FunctionDef, argument: str, ctx: Context) -> bool:
    """Whether a function passes an argument, or all keywords that it is given, to a library."""
    everything = function.args.kwarg.arg if function.args.kwarg else None
    for inner in ctx.walk(function):
        if not isinstance(inner, ast.Call):
            continue
        name = ctx.name(inner.func) or ""
        if name not in _VERIFY and not (
            not name and _speaks_http(ctx.type_name(getattr(inner.func, "value", inner)), ctx)
        ):
            continue
        if not name and calls.identifier(inner.func) not in _VERBS:
            continue
        for item in inner.keywords:
            passed = item.value.id if isinstance(item.value, ast.Name) else ""
            if (item.arg == argument and passed == argument) or (item.arg is None and passed == everything):
                return True
    return False


def _told(call: ast.Call, ctx: Context) -> str:
    """The message for a method or function that switches the check off by a positional option; "" for any other call."""
    last = calls.identifier(call.func)
    if last == "tls_insecure_set":
        off = bool(call.args) and ctx.value(call.args[0]) is True and "mqtt" in ctx.text
        return "`tls_insecure_set` accepts the certificate of any other host" if off else ""
    options, values = _TOLD.get(last, ((), ()))
    if len(call.args) != 2 or not options:
        return ""
    option = ctx.name(call.args[0]) or calls.identifier(call.args[0])
    value = ctx.value(call.args[1])
    if option in options and ((value is not UNKNOWN and value in values) or ctx.name(call.args[1]) in values):
        return f"`{ctx.source(call.args[0])}` switches the check of the server's certificate off"
    return ""


def _switched_off(call: ast.Call, ctx: Context) -> tuple[str, str] | None:
    """The argument that switches the check off, and its text."""
    if not any(item.arg is None or item.arg in _ARGUMENTS for item in call.keywords):
        return None
    name = ctx.name(call.func)
    if name == "functools.partial":
        name = ctx.name(call.args[0]) if call.args else name
    if name in _OTHERS:
        argument, bad = _OTHERS[name]
        found = _matches(call, argument, bad, ctx)
        if found is None and name.startswith("urllib3."):
            return _matches(call, "assert_hostname", False, ctx)
        return found
    if name in _VERIFY:
        return _matches(call, "verify", False, ctx)
    if name is not None or not isinstance(call.func, ast.Attribute):
        return None
    # A method of any object: the keyword itself is telling enough where the file uses an HTTP library.
    owner = ctx.type_name(call.func.value)
    for argument, bad in _KEYWORDS.items():
        if argument == "ssl" and owner not in _AIOHTTP and "aiohttp" not in ctx.text:
            continue
        if argument == "verify" and not _speaks_http(owner, ctx):
            continue
        if argument == "validate_cert" and "tornado" not in ctx.text:
            continue
        found = _matches(call, argument, bad, ctx)
        if found:
            return found
    return None


def _speaks_http(owner: str | None, ctx: Context) -> bool:
    if owner is not None:
        return owner.startswith(("requests.", "httpx.", "boto3.", "botocore."))
    return any(word in ctx.text for word in ("requests", "httpx", "boto3"))


def _matches(call: ast.Call, argument: str, bad: object, ctx: Context) -> tuple[str, str] | None:
    found = calls.given(ctx, call, None, argument)
    value = calls.value(ctx, call, None, argument) if found is None else calls.usual(ctx, found)
    if value is UNKNOWN and found is None:
        return None
    if value is bad or (isinstance(bad, str) and value == bad) or (isinstance(bad, dict) and value == bad):
        return argument, str(value)
    if isinstance(bad, str) and calls.qualified(ctx, found) == "ssl.CERT_NONE":
        return argument, "ssl.CERT_NONE"
    return None
