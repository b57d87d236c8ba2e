"""Finds requests that do not check the server's certificate."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN, Fix, Grade, Severity, regex, rule
from charter_rules import calls, places, shapes, transport

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from charter.api import Context, Finding

_TOLD: Final[dict[str, tuple[tuple[str, ...], tuple[object, ...]]]] = {
    "setopt": (
        ("SSL_VERIFYPEER", "SSL_VERIFYHOST"),
        (0, False),
    ),
    "set_option": (("ldap.OPT_X_TLS_REQUIRE_CERT",), ("ldap.OPT_X_TLS_NEVER", "ldap.OPT_X_TLS_ALLOW")),
}
"""Methods that take an option and its value: the options that matter, and the values that switch the check off."""
_KEYWORDS: Final[dict[str, object]] = {
    "verify": False, "verify_ssl": False, "ssl": False, "validate_cert": False,
}  # fmt: skip
_ARGUMENTS: Final = frozenset(
    {
        *_KEYWORDS,
        *transport.DICTIONARIES,
        *(argument for switches in transport.SWITCHES.values() for argument in switches),
    }
)
_VARIABLES: Final = frozenset(
    {"CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "PYTHONHTTPSVERIFY", "NODE_TLS_REJECT_UNAUTHORIZED"}
)
"""Variables of the environment that switch the check off for the whole process if they are empty or 0."""
_ASKED: Final = regex(r"(?i)verif|insecure|self_?signed|trust_?all")
"""Words of a condition with which the user of a program switches the check off."""
_OF_PROBES: Final = frozenset(
    {"verify", "verify_ssl", "ssl", "timeout", "allow_redirects", "follow_redirects"}
)
"""Arguments of requests that send nothing."""
_STATUS: Final = frozenset({"ok", "status_code", "status", "is_success", "is_error", "reason"})
"""Attributes of answers that tell how the request went."""
_SWITCHES: Final = frozenset({"verify", "verify_ssl"})
"""Attributes that switch the check off for an object."""
_METHODS: Final = frozenset(
    method
    for owner, _, method in (name.rpartition(".") for name in (*transport.SWITCHES, *transport.CONFIGURED))
    if owner.rpartition(".")[2][:1].isupper()
)
"""What objects of classes that this rule knows are told to do."""
_AIOHTTP: Final = frozenset({"aiohttp.ClientSession", "aiohttp.TCPConnector"})


def _may_switch(node: ast.Call | ast.Assign) -> bool:
    """Whether a node has the shape of a call, or of an assignment to a switch that this rule knows."""
    if type(node) is not ast.Assign:
        return True
    target = node.targets[0]
    if type(target) is ast.Attribute:
        return target.attr in _SWITCHES
    return type(target) is ast.Subscript and calls.identifier(target) in _VARIABLES


@rule(
    ast.Call,
    ast.Assign,
    code="SEC007",
    principles=("verified-transport",),
    severity=Severity.HIGH,
    when=_may_switch,
    cwe=(295,),
    calls=(*transport.SWITCHES, *transport.CONFIGURED, *(f"*.{verb}" for verb in (*transport.VERBS, "ws_connect", "client", "resource", "fetch", "tls_set", "tls_insecure_set", "run_forever", *_TOLD))),
    mentions=("**", "verify", "ssl", "cert_reqs", "tls", "SSL_VERIFY", "OPT_X_TLS", "assert_hostname", "validate", "hostkeys", "CURL_CA_BUNDLE",
              "disableSslCertValidation", "insecure_mode", "connect_args"),
    aliases=("B501", "S501"),
    references=(
        "https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification",
        "https://cwe.mitre.org/data/definitions/295.html",
    ),
)  # fmt: skip
def unverified_request(call: ast.Call | ast.Assign, ctx: Context) -> Iterator[Finding]:
    """Check the certificate of the server you talk to.

    Without the check, anyone on the way (a Wi-Fi access point, a proxy, a poisoned DNS answer) can pose as the
    server, read what is sent, passwords included, and change what comes back. For a private authority, pass the path
    of its certificate instead of switching the check off. A request that sends nothing and takes nothing but the status of the
    answer, and a connection that is there to read the certificate, are left alone.

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
    if calls.is_of_tests(ctx) or places.examines_others(ctx):
        return
    if isinstance(call, ast.Assign):
        yield from _assigned(call, ctx)
        return
    message = _told(call, ctx)
    if message:
        if not calls.is_chosen(ctx, call):
            yield ctx.finding(call, message)
        return
    switched = _switched_off(call, ctx)
    if switched is None or _only_asks_whether_it_is_up(call, ctx):
        return
    function = ctx.function(call)
    if _speaks_plain(call, switched[0], ctx) or calls.tries_out(ctx, call):
        return
    given = calls.keyword(call, switched[0])
    if given is not None and isinstance(given.value, ast.Constant) and _is_asked_for(call, ctx):
        return  # under a switch of the program's own, for its user to set
    if calls.reads_certificate(ctx, function):
        return
    argument, choice = switched
    fix = None
    if choice.told is None and given is not None:
        if _is_told(given.value, function, ctx):
            fix = _check_by_default(given.value, choice, function, ctx)
        else:
            fix = Fix("Check the certificate", (ctx.remove_argument(call, argument),), Grade.UNSAFE)
    value = choice.name if choice.value is UNKNOWN else choice.value
    yield ctx.finding(
        call,
        f"`{argument}={value}` switches the check of the server's certificate off",
        fix=fix,
        related=calls.chosen(choice, ctx),
    )


def _is_asked_for(call: ast.Call, ctx: Context) -> bool:
    """Whether a call stands under a condition of the program's own about the check: `not self.verify_ssl`."""
    return any(
        isinstance(parent, (ast.If, ast.IfExp)) and _ASKED.search(ctx.source(parent.test))
        for parent in ctx.ancestors(call)
    )


def _is_told(value: ast.expr, function: shapes.FunctionNode | None, ctx: Context) -> bool:
    """Whether somebody else may set a value: it is a parameter, or an attribute of the object."""
    if isinstance(value, ast.Attribute):
        return ctx.class_(value) is not None and shapes.is_name(value.value, "self")
    return function is not None and any(
        shapes.is_name(value, argument.arg) for argument in shapes.parameters(function)
    )


def _check_by_default(
    value: ast.expr, choice: calls.Choice, function: shapes.FunctionNode | None, ctx: Context
) -> Fix | None:
    """Turn the default of a parameter round, so that callers may still choose."""
    if function is None or choice.value is not False:
        return None
    for argument, default in shapes.defaults(function):
        if shapes.is_name(value, argument.arg) and isinstance(default, ast.Constant):
            return Fix("Check the certificate by default", (ctx.replace(default, "True"),), Grade.UNSAFE)
    return None


def _assigned(node: ast.Assign, ctx: Context) -> Iterator[Finding]:
    """`configuration.verify_ssl = False`, `os.environ["CURL_CA_BUNDLE"] = ""`, and a session's class that sets `verify`."""
    target = node.targets[0]
    value = ctx.value(node.value)
    off = False
    if isinstance(target, ast.Subscript):
        off = ctx.name(target.value) == "os.environ" and value in {"", "0"}
    elif isinstance(target, ast.Attribute) and value is False:
        owner = ctx.type_name(target.value) or ""
        if target.attr == "verify_ssl":
            off = owner.startswith("kubernetes.")
        elif target.attr == "verify" and calls.identifier(target.value) == "self":
            off = _is_session(ctx.class_(node), ctx)
    if not off or ctx.is_test or calls.is_chosen(ctx, node):
        ctx.not_an_opportunity()
    else:
        yield ctx.finding(node, f"`{ctx.source(target)}` switches the check of the server's certificate off")


def _is_session(class_: ast.ClassDef | None, ctx: Context) -> bool:
    return class_ is not None and any(
        (ctx.name(base) or "") in {"requests.Session", "requests.sessions.Session"} for base in class_.bases
    )


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
    if (option in options or option.rpartition(".")[2] in options) and (
        (value is not UNKNOWN and value in values) or ctx.name(call.args[1]) in values
    ):
        return f"`{ctx.source(call.args[0])}` switches the check of the server's certificate off"
    return ""


def _switched_off(call: ast.Call, ctx: Context) -> tuple[str, calls.Choice] | None:
    """The argument that switches the check off, and its value."""
    is_told = any(item.arg is None or item.arg in _ARGUMENTS for item in call.keywords)
    if not is_told and not (call.args and _may_be_known(call, ctx)):
        return None
    name = calls.called(ctx, call)
    if name in transport.CONFIGURED and call.args:
        return _nested(ctx.origin(call.args[0]), ctx)
    if call.args and (found := _address(call, name, ctx)):
        return found
    if not is_told:
        return None
    if name in transport.SWITCHES:
        return _by_table(call, transport.SWITCHES[name], ctx)
    # A method of any object: the keyword itself is telling enough where the file uses an HTTP library.
    return _by_keyword(call, call.func, ctx) if isinstance(call.func, ast.Attribute) else None


def _may_be_known(call: ast.Call, ctx: Context) -> bool:
    """Whether a call may be of a function that is switched by its first argument: it has a name, or is such a method."""
    return ctx.name(call.func) is not None or calls.identifier(call.func) in _METHODS


def _by_table(
    call: ast.Call, switches: Mapping[str, transport.Values], ctx: Context
) -> tuple[str, calls.Choice] | None:
    for argument, bad in switches.items():
        found = _matches(call, argument, bad, ctx)
        if found is not None:
            return found
    for item in call.keywords:
        if item.arg in transport.DICTIONARIES:
            found = _nested(ctx.origin(item.value), ctx)
            if found is not None:
                return found
    return None


def _by_keyword(call: ast.Call, function: ast.Attribute, ctx: Context) -> tuple[str, calls.Choice] | None:
    owner = ctx.type_name(function.value)
    name = ctx.name(function)
    if owner is None and name is not None and not name.startswith(f"{ctx.module}."):
        return None  # a function of some module
    for argument, bad in _KEYWORDS.items():
        if argument == "ssl" and owner not in _AIOHTTP and "aiohttp" not in ctx.text:
            continue
        if argument == "verify" and not _speaks_http(owner, ctx):
            continue
        if argument == "validate_cert" and "tornado" not in ctx.text:
            continue
        found = _matches(call, argument, (bad,), ctx)
        if found is not None:
            return found
    if function.attr == "run_forever":
        return _by_table(call, {}, ctx)
    return None


def _address(call: ast.Call, name: str, ctx: Context) -> tuple[str, calls.Choice] | None:
    """An address that switches the check off itself."""
    if name not in transport.SWITCHES:
        return None
    address = ctx.value(call.args[0])
    if not isinstance(address, str) or "://" not in address:
        return None
    word = next((word for word in transport.ADDRESSES if word.lower() in address.lower()), None)
    if word is None:
        return None
    option, _, value = word.partition("=")
    return option, calls.Choice(value, "")


def _nested(mapping: ast.expr, ctx: Context) -> tuple[str, calls.Choice] | None:
    """The entry of a dictionary, or of one inside of it, that switches the check off."""
    if not isinstance(mapping, ast.Dict):
        return None
    for key, value in zip(mapping.keys, mapping.values, strict=True):
        bad = transport.NESTED.get(calls.identifier_of_key(key))
        if bad is None:
            found = _nested(ctx.origin(value), ctx)
        else:
            found = _first_bad(calls.identifier_of_key(key), calls.values_of(ctx, value), bad)
        if found is not None:
            return found
    return None


def _only_asks_whether_it_is_up(call: ast.Call, ctx: Context) -> bool:
    """Whether a request brings nothing and takes nothing but the status of the answer."""
    if calls.identifier(call.func) not in {"get", "head"} or len(call.args) != 1:
        return False
    if not {item.arg for item in call.keywords} <= _OF_PROBES:
        return False
    reads = shapes.reads_of_result(call, ctx)
    uses = [ctx.parent(call)] if reads is None else [ctx.parent(read) for read in reads]
    return bool(uses) and all(isinstance(use, ast.Attribute) and use.attr in _STATUS for use in uses)


def _speaks_plain(call: ast.Call, argument: str, ctx: Context) -> bool:
    """Whether a request goes to a plain address, or a connector of aiohttp serves plain connections only, as the addresses beside it show."""
    address = "" if not call.args else ctx.source(ctx.origin(call.args[0]))
    if re.match(r"f?[\"'](?:http|ws)://", address) or re.search(r"scheme=[\"'](?:http|ws)[\"']", address):
        return True
    around = ctx.function(call)
    text = "" if around is None else ctx.source(around)
    return argument == "ssl" and "http://" in text and "https" not in text


def _speaks_http(owner: str | None, ctx: Context) -> bool:
    if owner is not None:
        return owner.startswith(("requests.", "httpx.", "boto3.", "botocore."))
    return any(word in ctx.text for word in ("requests", "httpx", "boto3"))


def _matches(
    call: ast.Call, argument: str, bad: transport.Values, ctx: Context
) -> tuple[str, calls.Choice] | None:
    found = _first_bad(argument, calls.choices(ctx, call, None, argument), bad) if bad else None
    if found is None or found[1].value is not None:
        return found
    # A caller may give what a parameter leaves open.
    return found if isinstance(calls.given(ctx, call, None, argument), ast.Constant) else None


def _first_bad(
    argument: str, choices: Iterable[calls.Choice], bad: transport.Values
) -> tuple[str, calls.Choice] | None:
    for choice in choices:
        same = [value for value in bad if type(value) is type(choice.value) and value == choice.value]
        if same or (choice.name and choice.name in bad):
            return argument, choice
    return None
