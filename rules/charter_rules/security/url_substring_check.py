"""Finds checks of a URL that look for a host anywhere in its text."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    Severity,
    regex,
    rule,
)
from charter_rules import calls, protocols, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_HOST: Final = regex(
    r"(?i)^(?:https?://)?(?:[a-z0-9-]+\.)+(?:com|org|net|edu|gov|io|co|dev|app|info|uk|de|fr|eu|us|tv|ai)$"
)
_ADDRESS: Final = regex(
    r"(?i)^(?:.*_)?(?:url|uri|href|origin|referr?er|host|hostname|netloc|domain|redirect|redirect_to|next|next_url|return_to|target|link)$"
)
_GOES_THERE: Final = regex(
    r"(?:requests|httpx|niquests)\.(?:get|post|head|put|patch|delete)$|urllib\.request\.(?:urlopen|Request)$|.*\.[Rr]edirect$|.*RedirectResponse$"
    r"|.*ResponseRedirect$|urllib\.parse\.url(?:parse|split)$"
)
"""Functions whose first argument is an address."""
_KIND: Final = regex(r"_*(?:is|has|uses?|supports?|should)_")
_TRUST: Final = regex(
    r"(?i)allow|safe|trust|valid|intern|(?:^|_)(?:ours?|own)(?:_|$)|permit|accept|legit|known|authori|verif|official|whitelist|redirect"
)
_NO_TRUST: Final = regex(r"(?i)rewrit|download|extract|scrap|crawl|suitable|can_handle")
"""Names of code that asks which of its parts knows a site."""
_REGISTRIES: Final = regex(
    r"(?i)(?:com?|org|net|gov|edu|ac)\.[a-z]{2}|(?:github|gitlab)\.io|(?:herokuapp|blogspot|appspot|wordpress|myshopify)\.com"
    r"|(?:vercel|netlify|web)\.app|(?:pages|workers)\.dev|(?:azurewebsites|cloudfront|blob\.core\.windows)\.net|s3\.amazonaws\.com"
)
"""Zones in which anybody can have a name of his own."""
_HOST_ONLY: Final = regex(r"(?i)host|netloc|domain")


@rule(
    ast.Compare,
    ast.Call,
    code="SEC058",
    principles=("outbound-requests",),
    severity=Severity.MEDIUM,
    when=lambda node: type(node) is not ast.Compare or type(node.left) is ast.Constant,
    cwe=(20,),
    calls=("*.startswith", "*.endswith"),
    references=("https://cwe.mitre.org/data/definitions/20.html",),
)
def url_substring_check(node: ast.Compare | ast.Call, ctx: Context) -> Iterator[Finding]:
    """Compare the parsed host of a URL, not a piece of its text.

    A host's name can stand anywhere in a URL: in `https://evil.org/?shop.net`, in `https://shop.net.evil.org` or in `https://evilshop.net`. Parse it
    with `urllib.parse.urlsplit` and compare `hostname`, or its end together with the dot before it.

    ```python bad
    from urllib.request import urlopen

    def fetch(url):
        if "shop.net" in url:
    #      ^^^^^^^^^^^^^^^^^ `shop.net` can stand elsewhere in `url` than in its host
            return urlopen(url)
    ```
    ```python good
    from urllib.parse import urlsplit
    from urllib.request import urlopen

    def fetch(url):
        if urlsplit(url).hostname == "shop.net":
            return urlopen(url)

    def is_video(url):
        return ".youtube.com/" in url or url.endswith(".shop.net")
    ```
    """
    found = _contains(node, ctx) if isinstance(node, ast.Compare) else _edge(node, ctx)
    if found is None:
        ctx.not_an_opportunity()
        return
    text, subject = found
    if (
        ctx.is_test
        or not _decides(node, subject, ctx)
        or _tells_kind_among_others(node, subject, ctx)
        or protocols.plays_a_site(ctx)
        or _NO_TRUST.search(ctx.symbol(node))
    ):
        return
    if calls.identifier(getattr(subject, "value", None)) in {"response", "resp", "res", "answer"}:
        return  # where an answer came from is known
    yield ctx.finding(node, f"`{text}` can stand elsewhere in `{calls.short(ctx, subject)}` than in its host")


def _contains(node: ast.Compare, ctx: Context) -> tuple[str, ast.expr] | None:
    """`"shop.net" in url`."""
    if (
        len(node.ops) != 1
        or not isinstance(node.ops[0], (ast.In, ast.NotIn))
        or not isinstance(node.left, ast.Constant)
    ):
        return None
    text, subject = node.left.value, node.comparators[0]
    if isinstance(text, str) and _HOST.match(text) and _is_address(subject, ctx):
        return text, subject
    return None


def _is_address(subject: ast.expr, ctx: Context) -> bool:
    """Whether a value is a URL or a part of one: its name says so, or the function requests or redirects to it."""
    if _ADDRESS.match(calls.identifier(subject)):
        return True
    function = ctx.function(subject)
    if function is None or not isinstance(subject, ast.Name):
        return False
    return any(
        isinstance(parent := ctx.parent(use), ast.Call)
        and parent.args[:1] == [use]
        and _GOES_THERE.match(ctx.name(parent.func) or "")
        for use in shapes.reads_in(subject.id, function, ctx)
    )


def _edge(node: ast.Call, ctx: Context) -> tuple[str, ast.expr] | None:
    """`url.startswith("https://shop.net")` without a slash behind, `host.endswith("shop.net")` without a dot before."""
    if not isinstance(node.func, ast.Attribute) or len(node.args) != 1:
        return None
    text, subject = ctx.value(node.args[0]), node.func.value
    if not isinstance(text, str) or not _HOST.match(text) or not _is_address(subject, ctx):
        return None
    if node.func.attr == "startswith":
        return (
            (text, subject)
            if text.startswith("http") or _HOST_ONLY.search(calls.identifier(subject))
            else None
        )
    if text.startswith((".", "http")) or "//" in text or _has_owner(text):
        return None
    return text, subject


def _has_owner(suffix: str) -> bool:
    """Whether every host that ends in a text lies in the zone of one owner, so that nobody else can register one."""
    zone = suffix.partition(".")[2]
    return "." in zone and _REGISTRIES.fullmatch(zone) is None


def _tells_kind_among_others(node: ast.AST, subject: ast.expr, ctx: Context) -> bool:
    """Whether a condition looks for another word of the same text, too, so as to tell which kind of link it is."""
    condition = ctx.parent(node)
    if not isinstance(condition, ast.BoolOp):
        return False
    text = ctx.source(subject)
    return any(
        isinstance(other, ast.Compare)
        and isinstance(other.ops[0], (ast.In, ast.NotIn))
        and isinstance(other.left, ast.Constant)
        and _HOST.match(str(other.left.value)) is None
        and ctx.source(other.comparators[0]) == text
        for other in condition.values
        if other is not node
    )


def _decides(node: ast.AST, subject: ast.expr, ctx: Context) -> bool:
    """Whether the program lets through or refuses by the answer."""
    child = node
    for parent in ctx.ancestors(node):
        if isinstance(parent, ast.Assert):
            return True
        if isinstance(parent, ast.Return):
            return not _only_tells_kind(parent, ctx)
        if isinstance(parent, ast.IfExp) and child is parent.test:
            return any(_answers(one, ctx) for one in (parent.body, parent.orelse))
        if isinstance(parent, ast.If):
            return (
                child is parent.test
                and not _refuses_it(node, parent, ctx)
                and not _chooses_among_kinds(parent, subject, ctx)
                and any(_lets_through(one, ctx) for one in (*parent.body, *parent.orelse))
            )
        if isinstance(parent, (ast.comprehension, ast.stmt)):
            return False
        child = parent
    return False


def _refuses_it(node: ast.AST, branch: ast.If, ctx: Context) -> bool:
    """Whether the place that is named is the one that is refused: others are let through whatever they are called."""
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.NotIn):
        return False
    test = branch.test
    if test is node:
        last = branch.body[-1]
        return isinstance(last, ast.Raise) or (
            isinstance(last, ast.Return) and last.value is not None and ctx.value(last.value) is False
        )
    return (
        isinstance(test, ast.BoolOp)
        and isinstance(test.op, ast.And)
        and node in test.values
        and not branch.orelse
        and not any(_answers(each, ctx) for each in branch.body)
    )


def _chooses_among_kinds(branch: ast.If, subject: ast.expr, ctx: Context) -> bool:
    """Whether the branches of one `if` go by the place that an address names, each with code for that place."""
    before, after = ctx.parent(branch), branch.orelse[0] if len(branch.orelse) == 1 else None
    text = ctx.source(subject)
    return not any(_answers(each, ctx) for each in branch.body) and any(
        isinstance(other, ast.If)
        and (other is after or other.orelse == [branch])
        and any(
            isinstance(part, ast.Compare)
            and isinstance(part.ops[0], ast.In)
            and ctx.source(part.comparators[0]) == text
            for part in ast.walk(other.test)
        )
        for other in (before, after)
    )


def _only_tells_kind(node: ast.Return, ctx: Context) -> bool:
    """Whether a function is named for a question about the kind of an address, not about trust: `is_accelerated`."""
    function = ctx.function(node)
    return (
        function is not None
        and _KIND.match(function.name) is not None
        and _TRUST.search(function.name) is None
    )


def _lets_through(branch: ast.stmt, ctx: Context) -> bool:
    """Whether a branch refuses, answers yes or no, or goes to an address."""
    return _answers(branch, ctx) or any(
        isinstance(node, ast.Raise) for node in (branch, *ctx.walk(branch, into_functions=False))
    )


def _answers(branch: ast.stmt | ast.expr, ctx: Context) -> bool:
    """Whether a branch answers yes or no, or goes to an address."""
    for node in (branch, *ctx.walk(branch, into_functions=False)):
        if (
            isinstance(node, ast.Return)
            and isinstance(node.value, ast.Constant)
            and type(node.value.value) is bool
            and not _only_tells_kind(node, ctx)
        ):
            return True
        if isinstance(node, ast.Call) and (
            calls.identifier(node.func) in {"abort", "redirect", "HttpResponseRedirect", "RedirectResponse"}
            or _GOES_THERE.match(ctx.name(node.func) or "")
        ):
            return True
    return False
