"""Which code follows a format or protocol that others decided, as its names tell. It judges nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import regex
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context

_NAMES: Final = regex(
    r"(?i)ntlm|krb5|kerberos|dcerpc|msrpc|spnego|gssapi|dpapi|netlogon|nrpc|samr|drsuapi|secretsdump|mimikatz|(?:^|[/_.])(?:py|aio)?(?:rdp|tds|smb|snmp|vnc|rfb|ssh|coap|pgpy?)(?:[/_.]|$)"
    r"|ebics|pdf|ecma_?376|msoffice|msoffcrypto|keepass|pkcs_?12|\bjks\b|mifare|desfire|wpa2?_|lanman|lm_?hash|nt_?hash|rfc_?\d{4}|ipsec|(?:^|/)tls/|krack|mysql|host_?keys|known_hosts|legacy|compat|bytes_?to_?key|mssql|oracle\d|cisco|phpass|(?:md5|sha1|des|bsdi)_?crypt|tacacs|radius|mtproto|telegram|apop|pop3|sasl|jabber|xmpp|websocket|mqtt|sniffer|mod_auth|hibp|pwned|breach|digest_?auth"
    r"|protocol|wsse|(?:^|[/_. ])hawk(?:[/_. ]|$)|vertica|authentication_request|zipfile|winzip|(?:^|/)pem(?:[/_.]|$)|open_?pgp|gnupg|router_?os|oracle_(?:old_)?pass|postgres_pass|(?:^|/)exploits?/|(?:^|[/_.])(?:crack|brute_?force|rainbow)\w*|[ .]otp$"
)
_ASKS: Final = regex(
    r"_download_(?:json|webpage|xml)|session\.http\b|\brequests\.(?:get|post|put|request|[Ss]ession)\(|\bhttpx\.|urlopen\(|ClientSession\("
    r"|(?i:\bhttp_?client)\.\w+\(|\.(?:get|post|put|patch|delete|request)\([^()\n]*\b(?:headers|params|json|timeout)="
)
"""Requests to servers: by a library, or by any object that is given what only requests have."""
_TALKS: Final = regex(
    r"\bopen_connection\(|\bcreate_connection\(|\bcreate_datagram_endpoint\(|\bsocket\.socket\(|\b(?:paho|aio)\.?mqtt\b"
)
"""Connections in protocols other than HTTP."""
_SERVES: Final = regex(
    r"(?m)^[ \t]*(?:from|import)[ \t]+(?:flask|django|rest_framework|fastapi|starlette|bottle|sanic|pyramid|falcon|quart|cherrypy"
    r"|litestar|sqlalchemy|peewee|(?:aio)?sqlite3?|psycopg2?|http\.server|socketserver)\b"
    r"|\bstart_server\b|\.(?:listen|bind)\(|\b(?:tornado|aiohttp)\.web\b|\baiohttp import [^\n]*\bweb\b"
)
"""Modules of programs that answer requests, or keep what they are told."""
_VERBS: Final = regex(r"_*(?:[a-z]+_)*(?:post|put|patch|request)(?:_json)?")
"""Names of functions that send a request."""
_FIELDS: Final = frozenset({"params", "headers", "data", "json", "cookies", "auth"})
"""What `get` is given if it sends a request, and is not asked for an item."""
_PLAYS: Final = regex(
    r"_download_(?:json|webpage|xml)\b|\bsession\.http\b|\b_VALID_URL\b|\bpluginmatcher\b|\b__pattern__ *=|\b__type__ *= *[\"']account"
)
"""Plugins of downloaders: what they call, and how they say which pages they are for."""
_OF_SITES: Final = regex(r"(?:^|/)(?:extractors?|scrapers?)/")
"""Folders with a module for each site that a downloader knows."""
_PACKS: Final = regex(r"\b(?:struct\.(?:un)?pack|(?:un)?pack\([\"'][<>=!@])|\.to_bytes\(|\bint\.from_bytes\(")
"""Numbers laid out in bytes, as the messages of binary protocols are."""
_CITED: Final = regex(
    r"\[MS-[A-Z]{2,}\]|\bRFC[ -]?\d{4}|//[\w.]*\b(?:ietf|rfc-editor)\.org/|\bFIPS[ -]?\d{2,3}|\bISO(?:/IEC)? ?\d{4,}|\bSP ?800-\d+|\bECMA-\d+"
    r"|(?i:\b(?:copied|ported|translated) from\b|\baccording to\b[^.\n]{0,30}\b(?:hash|algorithm|scheme|spec))"
    r"|(?i:(?:mandated|required|demanded|dictated) by\b)|(?m:^\s*(?:#.*?)?(?:See:? )?https?://\S*(?:api|docs?\b|document|developer|reference|wiki)\S*(?: *#.*)?$)|(?m:^\s*(?:# )?See:? https?://)"
)
"""A standard or the documentation of an interface, as comments and docstrings cite it."""
_MARKS: Final = regex(r"(?i)\\x01\\x99|\b0x9901\b|\$ANSIBLE_VAULT|LUKS\\xba\\xbe|\bRar!\\x1a|7z\\xbc\\xaf")
"""Marks of files in formats that say how their keys are derived: WinZip's field for AES, vaults, encrypted disks and archives."""


def dictated(ctx: Context, node: ast.AST) -> bool:
    """Whether the code around a node follows a format or protocol, which sets the algorithm.

    The file, class or function is named for one, the file has the mark of one, or the function cites the part of the
    standard that it follows.
    """
    if _NAMES.search(f"{ctx.path} {ctx.symbol(node)}") or ctx.says(_MARKS) or plays_a_site(ctx):
        return True
    function = ctx.function(node)
    return function is not None and _CITED.search(ctx.source(function)) is not None


def asks(text: str) -> bool:
    """Whether a text of code sends requests to servers."""
    return _ASKS.search(text) is not None


def plays_a_site(ctx: Context) -> bool:
    """Whether a file plays the part of a site's own player, with the keys that the site hands to every visitor."""
    return ctx.once(_plays)


def _plays(ctx: Context) -> bool:
    return ctx.says(_PLAYS) or _OF_SITES.search(ctx.path) is not None


def asked_of_others(ctx: Context, node: ast.AST) -> bool:
    """Whether the class or function around a node talks to a server of others, which decides how it is asked."""
    around = ctx.class_(node) or ctx.function(node)
    return around is not None and asks(ctx.source(around))


def is_of_client(ctx: Context, node: ast.AST) -> bool:
    """Whether code is there to ask servers of others, who decide how they are asked.

    The class or function around a node asks itself; or one that does uses it, in a file that neither answers requests nor
    keeps anything in a database.
    """
    if asked_of_others(ctx, node):
        return True
    around = ctx.class_(node) or ctx.function(node)
    if around is None or not ctx.once(_only_asks):
        return False
    return _talks(around, ctx) or any(
        user is not around and _talks(user, ctx) for user in _users(around, ctx)
    )


def _only_asks(ctx: Context) -> bool:
    return (asks(ctx.text) or ctx.says(_TALKS)) and not serves(ctx)


def serves(ctx: Context) -> bool:
    """Whether a file answers requests, or keeps what it is told in a database."""
    return ctx.says(_SERVES)


def _talks(code: ast.AST, ctx: Context) -> bool:
    text = ctx.source(code)
    return asks(text) or _TALKS.search(text) is not None


def _users(around: ast.ClassDef | shapes.FunctionNode, ctx: Context) -> Iterator[ast.AST]:
    """The classes, functions and statements of a file that use one of its classes or functions, and those that use these."""
    wanted, seen = [around.name], set[str]()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        for use in (*ctx.reads.get(name, ()), *ctx.gets.get(name, ())):
            user = ctx.class_(use) or ctx.function(use)
            yield user or ctx.statement(use)
            if user is not None:
                wanted.append(user.name)


def is_sent(ctx: Context, node: ast.AST) -> bool:
    """Whether a value is a field of a request to a server of others, which decides what it wants to have there.

    It may be what a function of this file returns, if that is all that the function is asked for.
    """
    if _is_sent_here(ctx, node):
        return True
    function = ctx.function(node)
    if function is None or not isinstance(ctx.statement(node), ast.Return):
        return False
    told = [
        call for call in shapes.calls_of(function, ctx) if not isinstance(ctx.statement(call), ast.Assert)
    ]
    return bool(told) and all(_is_sent_here(ctx, call) for call in told)


def _is_sent_here(ctx: Context, node: ast.AST) -> bool:
    child, named = node, False
    for parent in ctx.ancestors(node):
        named = named or isinstance(parent, (ast.Dict, ast.keyword))
        if isinstance(parent, ast.Call) and child is not parent.func and named and sends(parent):
            return True
        if isinstance(parent, ast.Assign):
            held = parent.targets[0]
            fields = parent.value if isinstance(parent.value, ast.Dict) else None
            if isinstance(held, ast.Subscript):
                return _is_sent_later(ctx, held.value)  # `fields["sign"] = …`
            return _is_sent_later(ctx, held) if fields is not None else _is_put(ctx, held)
        if isinstance(parent, ast.stmt):
            return False
        child = parent
    return False


def _is_put(ctx: Context, name: ast.expr) -> bool:
    """Whether a name's value is only put into the fields of a request."""
    function = ctx.function(name)
    if function is None or not isinstance(name, ast.Name):
        return False
    uses = list(shapes.reads_in(name.id, function, ctx))
    return bool(uses) and all(
        isinstance(ctx.parent(use), (ast.Dict, ast.keyword, ast.Assign)) and _is_sent_here(ctx, use)
        for use in uses
    )


def _is_sent_later(ctx: Context, target: ast.expr) -> bool:
    """Whether what a name holds is given to a function that sends requests."""
    function = ctx.function(target)
    if function is None or not isinstance(target, ast.Name):
        return False
    for use in shapes.reads_in(target.id, function, ctx):
        parent = ctx.parent(use)
        call = ctx.parent(parent) if isinstance(parent, ast.keyword) else parent
        if isinstance(call, ast.Call) and call.func is not use and sends(call):
            return True
    return False


def sends(call: ast.Call) -> bool:
    """Whether a call sends a request, by its name and what it is given."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in {"get", "delete"}:
        return any(item.arg in _FIELDS for item in call.keywords)
    return _VERBS.fullmatch(name) is not None


def lays_out_bytes(ctx: Context, node: ast.AST) -> bool:
    """Whether the function around a node makes or reads the messages of a binary protocol."""
    function = ctx.function(node)
    return function is not None and _PACKS.search(ctx.source(function)) is not None


def only_reads(ctx: Context, call: ast.Call) -> bool:
    """Whether a cipher is made only to decrypt what others have written.

    Args:
        ctx: the file.
        call: what makes the cipher, or a part of it.
    """
    function = ctx.function(call)
    if function is None:
        return False
    used = {
        node.func.attr
        for node in ctx.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    return bool(used & {"decrypt", "decryptor", "decrypt_and_verify"}) and not used & {
        "encrypt",
        "encryptor",
        "encrypt_and_digest",
    }
