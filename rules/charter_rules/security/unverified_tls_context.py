"""Finds TLS contexts and sessions that stop checking certificates."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import Fix, Grade, Location, Severity, regex, rule
from charter.api.facts.objects import ObjectHistory
from charter_rules import calls, hosts, places, shapes, tls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding
    from charter.api.facts.objects import Event

_CHECKS_ITSELF: Final = regex(
    r"\bmatch_hostname\b|\bcreate_urllib3_context\b|\bassert_hostname *=(?! *False)"
)
"""Who compares the host's name with the certificate after the handshake: the program, or urllib3, whose context this is."""
_TRIED: Final = regex(
    r"\bsocketpair\(|\.wrap_socket\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)(?:\.close\(\)|(?: as \w+)?:\s+(?:return|pass)\b)"
    r"|\.(?:min|max)imum_version *= *(\S[^\n]*)\n\s*[\w.]+\.(?:min|max)imum_version *= *\1\s"
    r"|\bfor (\w+) in\b[^#]*?\.set_ciphers\(\2\b"
)
"""A connection to oneself, one that is closed as soon as it stands, and one that is tried with a single version, or one cipher after another."""
_LOOKS: Final = regex(r"\bgetpeercert\(|\.get_extra_info\(|\.(?:version|cipher|shared_ciphers)\(\)")
_TALKS: Final = regex(
    r"(?:\.(?:send|write|read|recv|drain|makefile|login|request|getresponse|connect_\w)|\burlopen)\w*\("
)
"""What is asked about a handshake, and what is done with a connection that serves more than to look at it."""
_ENCRYPTED: Final = regex(
    r"(?i)\bhasattr\(ssl\b[^)]*\)|([\"'])[^\"'\n]*\1 in str\("
    r"|(?<!not )(?<![\w.])(?:\w+\.)*(?:(?:use|is|with|enable)_?)?(?:ssl|tls)(?:_?enabled)?\b(?! *(?:[=!<>]=?|is\b|in\b|[.(\[]))"
)
"""What a condition says that asks for encryption, for a Python that has it or about an error: the user chooses nothing by it."""
_ADAPTS: Final = regex(r"\bdef init_poolmanager\b[^#]*\bssl_context\b")
"""An adapter of requests that brings a context, in which urllib3 sets the check as `verify` of the request says."""
_REASON: Final = regex(
    r"(?i)self[-_ ]?signed|\bsigns?\b[^.]{0,20}\bown\b|loop-?back|\blocal (?:connection|server|network|device)|\bpinn(?:ed|ing)\b|finger_?print|thumb_?print"
)
"""Why nobody can vouch for a certificate, or who does so instead, as names, comments and docstrings say."""
_DEVELOPS: Final = regex(r"(?i)(?<![a-z])(?:test(?:ing)?|debug|dev(?:elopment)?)(?![a-z])")
"""Conditions under which a program is being developed."""
_OF_EVERYBODY: Final = regex(r"\bload_default_certs\b|\bset_default_verify_paths\b|\bcertifi\b")
"""Who loads the authorities that all the world trusts."""
_CAPABILITY: Final = regex(r"SSLContext\b|create_default_context|\bHAS_\w*(?:SSL|SNI|CONTEXT)")
"""What conditions ask of a Python or library so old that it has no contexts."""
_FACTORIES: Final = frozenset({"_create_default_https_context", "create_default_context"})


@rule(
    ast.Assign,
    ast.Call,
    ObjectHistory,
    code="SEC023",
    principles=("verified-transport",),
    severity=Severity.HIGH,
    cwe=(295, 297),
    calls=("ssl.wrap_socket",),
    mentions=("_create_unverified_context", "_create_stdlib_context", "wrap_socket"),
    aliases=("B323", "S323"),
    references=("https://docs.python.org/3/library/ssl.html#ssl-security",),
)
def unverified_tls_context(node: ast.Assign | ast.Call | ObjectHistory, ctx: Context) -> Iterator[Finding]:
    """Keep the checks of certificate and host name on.

    An encrypted connection to somebody unknown is no secret: without these checks, anyone on the way can present a certificate of
    their own, decrypt, read, change and pass on. For a private authority, load its certificate with `load_verify_locations`.

    ```python bad
    import ssl

    def context():
        made = ssl.create_default_context()
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `made` accepts any certificate
        return made
    ```
    ```python good
    import ssl

    def context(authority):
        made = ssl.create_default_context()
        made.load_verify_locations(authority)
        return made

    def optional(verify):
        made = ssl.create_default_context()
        if not verify:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        return made
    ```
    """
    if calls.is_of_tests(ctx) or places.examines_others(ctx):
        return
    if isinstance(node, ast.Assign):
        yield from _factory(node, ctx)
    elif isinstance(node, ast.Call):
        yield from _wrapped(node, ctx)
    elif node.sort == "http-session":
        yield from _session(node, ctx)
    else:
        yield from _context(node, ctx)


def _factory(node: ast.Assign, ctx: Context) -> Iterator[Finding]:
    """`ssl._create_default_https_context = ssl._create_unverified_context`."""
    target = node.targets[0]
    if (
        not isinstance(target, ast.Attribute)
        or target.attr not in _FACTORIES
        or ctx.name(target.value) != "ssl"
    ):
        ctx.not_an_opportunity()
    elif calls.qualified(ctx, node.value) in tls.UNVERIFIED and not _is_asked_for(node, ctx):
        yield ctx.finding(node, "every HTTPS connection of the program accepts any certificate")


def _wrapped(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    required = calls.given(ctx, call, None, "cert_reqs")
    server = calls.value(ctx, call, None, "server_side", default=False)
    unchecked = required is None or calls.qualified(ctx, required) == "ssl.CERT_NONE"
    if (
        unchecked
        and server is not True
        and not (calls.has_unpacking(call) or _is_asked_for(call, ctx) or _is_for_old_versions(call, ctx))
    ):
        yield ctx.finding(call, "`ssl.wrap_socket` accepts any certificate unless `cert_reqs` says otherwise")


def _is_asked_for(node: ast.AST, ctx: Context) -> bool:
    """Whether the user asked for a connection without the check: by a condition, or by a function made for it."""
    function = ctx.function(node)
    if function is not None and calls.NAMED_FOR_IT.search(function.name):
        return True
    return any(
        isinstance(parent, (ast.If, ast.IfExp)) and _is_choice(ctx.source(parent.test))
        for parent in ctx.ancestors(node)
    )


def _is_choice(condition: str) -> bool:
    """Whether a condition is about the check, and not only about encryption, or about a program in the making."""
    return (
        calls.CHOICE.search(_ENCRYPTED.sub("", condition)) is not None
        or _DEVELOPS.search(condition) is not None
    )


def _is_for_old_versions(call: ast.Call, ctx: Context) -> bool:
    """Whether a call is what is left where a Python has no contexts."""
    return any(
        (isinstance(parent, ast.If) and _CAPABILITY.search(ctx.source(parent.test)) is not None)
        or (
            isinstance(parent, ast.ExceptHandler)
            and parent.type is not None
            and re.search(r"AttributeError|ImportError|NameError", ctx.source(parent.type)) is not None
        )
        for parent in ctx.ancestors(call)
    )


def _session(history: ObjectHistory, ctx: Context) -> Iterator[Finding]:
    last = next((event for event in reversed(history.events) if event.name == "verify"), None)
    if last is None or last.argument("") != "False" or _is_chosen(last):
        return
    if not _is_here(last.location, ctx):
        related = (ctx.related(last.location, "this is where the check is switched off"),)
        yield ctx.finding(history.location, "the session accepts any certificate", related=related)
        return
    fix = None
    statement = shapes.node_at(last.location.span, ctx, ast.Assign)
    if statement is not None and [type(target) for target in statement.targets] == [ast.Attribute]:
        fix = Fix("Check the certificate", (ctx.remove_statement(statement),), Grade.UNSAFE)
    yield ctx.finding(last.location, "the session accepts any certificate", fix=fix)


def _context(history: ObjectHistory, ctx: Context) -> Iterator[Finding]:
    """What a context comes to, said where that is decided."""
    trust = tls.trust(history)
    if (trust.server and not trust.client) or _is_of_own_class(history, ctx):
        return
    if trust.verifies is False and (
        _reads_certificate(history, ctx)
        or _tries_out(history, trust.verify_event, ctx)
        or _has_reason(history, trust.verify_event, ctx)
    ):
        return
    for event in history.events:
        if event.name == "set_verify" and _is_here(event.location, ctx) and not _is_chosen(event):
            yield from _callback(event, ctx)
    if trust.verifies is False:
        at = trust.verify_event
        if at is not None:
            if _is_here(at.location, ctx) and not _is_chosen(at) and not _is_named_for_it(at, ctx):
                message = "the connection" if at.name == "set_verify" else f"`{at.owner}`"
                yield ctx.finding(at.location, f"{message} accepts any certificate")
        elif history.made in tls.UNVERIFIED:
            if not (
                _is_chosen(history.creation)
                or _is_kept_under_name_for_it(history, ctx)
                or _is_told_whom_to_trust(history)
                or _is_made_in_class_named_for_it(history, ctx)
            ):
                yield ctx.finding(
                    history.location, f"`{history.made}` makes a context that accepts any certificate"
                )
        elif trust.client and not _is_chosen(history.creation):
            yield ctx.finding(
                history.location, f"`{history.made}` accepts any certificate unless `verify_mode` is set"
            )
    elif trust.hostname is False and not (ctx.says(_CHECKS_ITSELF) or _trusts_one(history, ctx)):
        yield from _any_host(history, trust, ctx)


def _any_host(history: ObjectHistory, trust: tls.Trust, ctx: Context) -> Iterator[Finding]:
    """What a context comes to that checks certificates and not for whom they are."""
    at = trust.hostname_event
    if at is not None and _is_here(at.location, ctx) and not _is_chosen(at):
        yield ctx.finding(at.location, f"`{at.owner}` accepts the certificate of any other host")
    elif at is None and trust.verifies and trust.client:
        yield ctx.finding(history.location, f"`{history.made}` accepts the certificate of any other host")


def _callback(event: Event, ctx: Context) -> Iterator[Finding]:
    """A callback of pyOpenSSL whose answer is yes whatever the check has found."""
    call = shapes.node_at(event.location.span, ctx, ast.Call)
    given = None if call is None else ctx.argument(call, 1, "callback")
    if call is None or given is None or _is_named_for_it(event, ctx):
        return
    answer = given if isinstance(given, ast.Lambda) else _defined(ctx.name(given), ctx)
    if answer is not None and _says_yes(answer, ctx):
        yield ctx.finding(call, f"`{calls.short(ctx, given)}` accepts any certificate")


def _defined(name: str | None, ctx: Context) -> ast.FunctionDef | None:
    """The function of this file that a qualified name stands for."""
    if name is None:
        return None
    own = name.removeprefix(f"{ctx.module}.")
    return next((node for node in ctx.nodes(ast.FunctionDef) if ctx.symbol(node) == own), None)


def _says_yes(function: ast.FunctionDef | ast.Lambda, ctx: Context) -> bool:
    """Whether a function answers with a true constant on every path."""
    if isinstance(function, ast.Lambda):
        answers: list[ast.expr | None] = [function.body]
    else:
        inside = list(ctx.walk(function, into_functions=False))
        if any(isinstance(node, ast.Raise) for node in inside):
            return False
        answers = [node.value for node in inside if isinstance(node, ast.Return)]
    return bool(answers) and all(one is not None and ctx.value(one) in (True, 1) for one in answers)


def _is_here(place: Location, ctx: Context) -> bool:
    return place.path == ctx.path


def _is_named_for_it(event: Event, ctx: Context) -> bool:
    """Whether what an event changes, or the class around it, is made for a weaker protection."""
    return calls.NAMED_FOR_IT.search(event.owner) is not None or _is_within_class_named_for_it(
        event.location, ctx
    )


def _is_kept_under_name_for_it(history: ObjectHistory, ctx: Context) -> bool:
    """Whether a context gets a name that says that it is weak, for whoever asks for such a one."""
    made = shapes.node_at(history.location.span, ctx, ast.Call) if _is_here(history.location, ctx) else None
    return made is not None and any(map(calls.NAMED_FOR_IT.search, calls.destinations(ctx, made)))


def _is_made_in_class_named_for_it(history: ObjectHistory, ctx: Context) -> bool:
    return _is_here(history.location, ctx) and _is_within_class_named_for_it(history.location, ctx)


def _is_within_class_named_for_it(place: Location, ctx: Context) -> bool:
    node = shapes.node_at(place.span, ctx, ast.Call) or shapes.node_at(place.span, ctx, ast.Assign)
    owner = None if node is None else ctx.class_(node)
    return owner is not None and calls.NAMED_FOR_IT.search(owner.name) is not None


def _reads_certificate(history: ObjectHistory, ctx: Context) -> bool:
    """Whether the code that makes a context wants it to read a certificate, not to believe it, or leaves that to urllib3."""
    if ctx.says(_ADAPTS):
        return True
    made = shapes.node_at(history.location.span, ctx, ast.Call)
    return made is not None and (
        calls.reads_certificate(ctx, ctx.function(made) or ctx.tree)
        or calls.reads_certificate(ctx, ctx.class_(made))
    )


def _tries_out(history: ObjectHistory, event: Event | None, ctx: Context) -> bool:
    """Whether the code that makes a context, or that leaves the check, only sees whether a handshake succeeds, and what it agrees on."""
    places = (history.location, *([] if event is None else [event.location]))
    return any(
        _TRIED.search(text) or (_LOOKS.search(text) and _TALKS.search(text) is None)
        for text in (_code_around(place, ctx) for place in places)
    )


def _has_reason(history: ObjectHistory, event: Event | None, ctx: Context) -> bool:
    """Whether the code that leaves the check says why it can: the certificate is nobody's, or known by its fingerprint."""
    place = history.location if event is None else event.location
    return _REASON.search(_code_around(place, ctx)) is not None


def _code_around(place: Location, ctx: Context) -> str:
    """The text of the function around a call or an assignment of this file; "" outside of any."""
    if not _is_here(place, ctx):
        return ""
    node = shapes.node_at(place.span, ctx, ast.Call) or shapes.node_at(place.span, ctx, ast.Assign)
    function = None if node is None else ctx.function(node)
    return "" if function is None else ctx.source(function)


def _trusts_one(history: ObjectHistory, ctx: Context) -> bool:
    """Whether a context trusts a certificate or authority of one's own, so that no other host can get one."""
    made = history.creation
    if made is not None and any(made.argument(name) is not None for name in ("cafile", "cadata")):
        return True
    around = _code_around(history.location, ctx)
    return (
        history.made == "ssl.SSLContext"
        and ".load_verify_locations(" in around
        and _OF_EVERYBODY.search(around) is None
    )


def _is_of_own_class(history: ObjectHistory, ctx: Context) -> bool:
    """Whether a class that is no context of a library's sets attributes of its own that have the names of a context's."""
    first = next(iter(history.events), None)
    if history.made or first is None or first.owner != "self":
        return False
    node = shapes.node_at(first.location.span, ctx, ast.Assign)
    class_ = None if node is None else ctx.class_(node)
    return class_ is not None and not any("Context" in calls.identifier(base) for base in class_.bases)


def _is_told_whom_to_trust(history: ObjectHistory) -> bool:
    """Whether the making of a context takes the caller's word on certificates: `cert_reqs=wanted`."""
    given = None if history.creation is None else history.creation.argument("cert_reqs")
    return given is not None and given.rpartition(".")[2] != "CERT_NONE"


def _is_chosen(event: Event | None) -> bool:
    """Whether the user decides: the place is under a condition that speaks of it or of a near host, or in a function made for it."""
    return event is not None and bool(
        calls.NAMED_FOR_IT.search(event.function)
        or _is_choice(event.condition)
        or hosts.speaks_of_near(event.condition)
    )
