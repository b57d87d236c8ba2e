"""Finds JSON web tokens whose signature is not checked."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, cast

from charter.api import (
    UNKNOWN,
    Severity,
    regex,
    rule,
)
from charter_rules import arrivals, calls, protocols, shapes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from charter.api import Context, Finding

_VERIFIES: Final = regex(r"(?i)verif|validate_?(?:token|jwt)|check_signature")
"""Names of functions that check a token."""
_CHECKS_TOKEN: Final = regex(
    r"(?i)(?:(?<!un)verif|validat|authenticat)\w*?(?:token|jwt)$|(?:token|jwt)_?verif"
)
"""Names of functions that say they check tokens."""
_DECIDES: Final = regex(
    r"(?i)current_?user|is_(?:admin|allowed|authorized)|has_(?:role|permission|scope)|(?:login|token|role|jwt)_required"
)
"""Names of functions that say who asks, or what he may do."""
_POWERS: Final = frozenset(
    {
        "role",
        "roles",
        "is_admin",
        "admin",
        "is_staff",
        "is_superuser",
        "permissions",
        "scope",
        "scopes",
        "groups",
    }
)
"""Claims that tell what somebody may do."""
_GUARDS: Final = regex(
    r"(?i)(?<!o)auth(?!or)|login_?required|jwt_?required|token_?required|protected|permission|require|verif"
)
"""Names of decorators that let nobody pass whose token is not good."""
_DEPENDS: Final = regex(
    r"(?i)\bdepends\((?!\w*(?:scheme|bearer|oauth2))\w*(?:auth|require|verif|protect|permission|current_?user)"
)
"""How a dependency is named that lets nobody else pass."""
_FOR_KEY: Final = regex(r"(?i)(?:^|_)(?:keys?|kid|secret|issuer|peek)(?:_|$)")
"""Names of functions that look into a token to find the key by which it is then verified."""
_CHECKED: Final = regex(
    r"(?i)\bverified (?:already|above|before|by|with)|already (?:been )?(?:verified|validated|checked|authenticated)"
    r"|#[^\n]*\bno (?:signature )?(?:verification|validation)\b"
    r"|#[^\n]*\bskip\b[^.]{0,20}(?:signature|validation|verification)"
    r"|#[^\n]*(?:verif|validat)\w*[^.]{0,60}\b(?:later|elsewhere|upstream|afterwards|earlier|beforehand|previously)\b|#[^\n]*\b(?:later|elsewhere|upstream|afterwards|earlier|beforehand|previously)\b[^.\n]{0,40}(?:verif|validat)"
)
"""What a comment says of a token whose signature another step checks."""
_PEEKS: Final = regex(r"(?i)#[^\n]*without verif\w+ to \w+")
_SAID: Final = regex(
    r"(?i)\bwithout\b[^.]{0,40}(?:verif|validat|check)\w*|(?:\bnot\b|n't\b|\bnever\b)[^.]{0,30}(?:verif|validat)\w*|\bunverified\b"
    r"|\b(?:skip|ignor)\w*\b[^.]{0,20}(?:signature|verification|validation)|\bno (?:signature )?(?:verification|validation)"
)
"""What a comment or a docstring says of a function that only takes tokens apart: those who call it know."""
_ABOUT_ITSELF: Final = frozenset(
    {
        "exp",
        "iat",
        "nbf",
        "iss",
        "aud",
        "ver",
        "typ",
        "tid",
        "client_id",
        "azp",
        "kid",
        "kty",
        "nonce",
    }
)
"""Claims that tell when a token ends, of which kind it is, for which login, and by whose key it can be verified."""
_STRIPS: Final = regex(r"(?i)(?:replace|removeprefix|startswith|split|strip)\(\s*[bf]?[\"']bearer\b")
"""What is done to what stands in the header `Authorization` of a request that has come in."""
_TELLS: Final = regex(r"(?i)introspect|user_?info|web_identity|token_?info")
"""Names of functions that ask the issuer, or whoever else knows it, about a token."""
_ASSERTION: Final = regex(r"(?i)assert")
"""Names of functions that make what RFC 7521 calls an assertion, which may go unsigned over a channel that is known."""


@rule(
    ast.Call,
    code="SEC018",
    principles=("sound-cryptography", "authentication-first"),
    severity=Severity.HIGH,
    cwe=(347, 345),
    calls=(
        "jwt.decode",
        "jwt.decode_complete",
        "jose.jwt.decode",
        "jwt.api_jwt.decode",
        "jose.jws.verify",
        "jwt.encode",
        "jose.jwt.encode",
        "python_jwt.process_jwt",
        "authlib.jose.JsonWebToken",
        "jose.jwt.get_unverified_claims",
        "authlib.jose.jwt.decode",
        "*.deserialize",
    ),
    references=(
        "https://pyjwt.readthedocs.io/en/stable/usage.html",
        "https://datatracker.ietf.org/doc/html/rfc8725",
    ),
)
def unverified_jwt(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Check the signature of every token before you believe what it says.

    A token is text that the client sends: anyone can write another user's name into it. Only the signature tells yours from
    theirs. The algorithm `none` means no signature at all. Reading a token unverified first, to find the key by which it is
    then verified in the same function, is sound and not reported. Nor is a token of which the file does not show that a client
    has sent it, and for which no key is given: programs read their own tokens, and those that their issuer has just answered.

    ```python bad
    import jwt
    from flask import request

    def current_user():
        token = request.headers["Authorization"].removeprefix("Bearer ")
        return jwt.decode(token, options={"verify_signature": False})["sub"]
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the token is believed unchecked: `verify_signature` is off
    ```
    ```python good
    import jwt

    def user_of(token, key):
        return jwt.decode(token, key, algorithms=["HS256"])["sub"]

    def user_of_tenant(token, keys):
        issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
        return jwt.decode(token, keys[issuer], algorithms=["RS256"])["sub"]
    ```
    """
    name = ctx.name(call.func) or ""
    if ctx.is_test or "/migrations/" in f"/{ctx.path}":
        return
    if name.endswith("JsonWebToken"):
        if _takes_none(calls.value(ctx, call, 0, "algorithms")):
            yield ctx.finding(call, "the algorithm `none` accepts a token that anyone can forge")
        return
    if name.endswith(".encode"):
        if calls.value(ctx, call, 2, "algorithm") in {"none", "None"} and not (
            _ASSERTION.search(ctx.symbol(call)) or protocols.asked_of_others(ctx, call)
        ):
            yield ctx.finding(call, "the algorithm `none` makes a token that anyone can forge")
        elif calls.value(ctx, call, 1, "key") in ("", b""):
            yield ctx.finding(call, "the key is empty, so that anyone can forge the token")
        return
    if _looks_into(call, ctx):
        return
    if isinstance(call.func, ast.Attribute) and call.func.attr == "deserialize":
        if _reads_undone(call, call.func, ctx):
            yield ctx.finding(call, "the token is believed unchecked: `objects` is read without `verify`")
        return
    why = _unverified(call, name, ctx)
    if (
        why
        and (_is_meant_to_check(call, ctx) or _comes_from_client(call, ctx) or _grants(call, ctx))
        and not (
            _is_guarded(call, ctx)
            or _only_asks_about_token(call, ctx)
            or _verified_elsewhere(call, ctx)
            or _is_shown_to_others(call, ctx)
        )
    ):
        yield ctx.finding(call, f"the token is believed unchecked: {why}")


def _is_meant_to_check(call: ast.Call, ctx: Context) -> bool:
    """Whether a call is given a key, by which it could check the token, or stands in a function that says that it does."""
    key = calls.given(ctx, call, 1, "key")
    if key is not None and ctx.value(key) is UNKNOWN:
        return True
    function = ctx.function(call)
    if function is not None and _DECIDES.search(function.name):
        return True
    if function is None or not _CHECKS_TOKEN.search(function.name):
        return False
    return not any(
        _VERIFIES.search(name) and name != function.name
        for other in ctx.nodes(ast.Call)
        for name in (calls.identifier(other.func),)
    )


def _is_guarded(call: ast.Call, ctx: Context) -> bool:
    """Whether a decorator, a dependency or the class of a view has checked who asks before the function is called."""
    function, token = ctx.function(call), calls.identifier(_token(call, ctx))
    while function is not None:
        injected = [default for one, default in shapes.defaults(function) if token != one.arg]
        for each in function.decorator_list:
            named = calls.identifier(calls.decorating(each))
            if _GUARDS.search(named):
                return True
            injected.append(each)
        if any(_DEPENDS.search(ctx.source(one)) for one in injected):
            return True
        function = ctx.function(function)
    class_ = ctx.class_(call)
    return class_ is not None and any(
        isinstance(each, ast.Assign)
        and calls.identifier(each.targets[0]) in {"permission_classes", "authentication_classes"}
        and isinstance(each.value, (ast.List, ast.Tuple))
        and len(each.value.elts) > 0
        for each in class_.body
    )


def _comes_from_client(call: ast.Call, ctx: Context) -> bool:
    """Whether this file shows that a client has sent the token."""
    token = _token(call, ctx)
    if token is None:
        return False
    function = ctx.function(call)
    stripped = function is not None and _STRIPS.search(ctx.source(function)) is not None
    return stripped or arrivals.is_of_client(token, ctx)


def _grants(call: ast.Call, ctx: Context) -> bool:
    """Whether what somebody may do is decided by a claim: `claims["role"] == "admin"`, `if claims.get("is_admin")`."""
    for read in shapes.reads_of_result(call, ctx) or [call]:
        claim: ast.AST | None = ctx.parent(read)
        if isinstance(claim, ast.Attribute):
            claim = ctx.parent(claim)
        if not isinstance(claim, (ast.Subscript, ast.Call)) or calls.identifier(claim) not in _POWERS:
            continue
        user = ctx.parent(claim)
        if isinstance(user, (ast.Compare, ast.BoolOp, ast.UnaryOp)) or claim is getattr(user, "test", None):
            return True
    return False


def _token(call: ast.Call, ctx: Context) -> ast.expr | None:
    return ctx.argument(call, 0, "jwt") or ctx.argument(call, None, "token")


def _is_shown_to_others(call: ast.Call, ctx: Context) -> bool:
    """Whether the function gives the same token to a server of others, which refuses it if it is forged."""
    token, around = _token(call, ctx), ctx.function(call)
    if token is None or around is None:
        return False
    text = ctx.source(token)
    for other in ctx.nodes(ast.Call, within=around):
        asks = protocols.sends(other) or _TELLS.search(calls.identifier(other.func)) is not None
        if other is call or not asks:
            continue
        given = _given(other)
        given += [ctx.origin(one) for one in given]
        if any(
            isinstance(part, ast.expr) and ctx.source(part) == text for one in given for part in ast.walk(one)
        ):
            return True
    return False


def _unverified(call: ast.Call, name: str, ctx: Context) -> str:
    """Why a call does not check the signature; "" if it does."""
    if name.endswith("process_jwt"):
        return "" if "verify_jwt" in ctx.text else "`process_jwt` only takes it apart"
    if name.endswith("unverified_claims"):
        return "this reads claims without the signature"
    if calls.value(ctx, call, None, "verify") is False or (
        name == "jose.jws.verify" and calls.value(ctx, call, 3, "verify") is False
    ):
        return "`verify=False`"
    options = calls.given(ctx, call, 3 if name.startswith("jwt") else None, "options")
    if options is not None:
        switch = calls.held(ctx, call, options, "verify_signature")
        known = ctx.value(options)
        off = isinstance(known, dict) and cast("dict[str, object]", known).get("verify_signature") is False
        if off or (
            switch is not None
            and any(
                one.value is False and not _is_told_by_asker(one, ctx) for one in calls.values_of(ctx, switch)
            )
        ):
            return "`verify_signature` is off"
    algorithms = calls.value(ctx, call, 2, "algorithms")
    if _takes_none(algorithms):
        return "the algorithm `none` is accepted"
    if _takes_its_own(call, ctx):
        return "the token names the algorithm by which it is checked"
    return ""


def _is_told_by_asker(choice: calls.Choice, ctx: Context) -> bool:
    """Whether what switches the check off is a call of this file that only asks about the token: `decode(token, verify=False)["exp"]`."""
    if choice.told is None or choice.told.location.path != ctx.path:
        return False
    call = shapes.node_at(choice.told.location.span, ctx, ast.Call)
    return call is not None and _only_asks_about_token(call, ctx)


def _takes_its_own(call: ast.Call, ctx: Context) -> bool:
    """Whether a token is checked by whatever algorithm its header names, which nothing compares with those that are meant."""
    given = calls.given(ctx, call, 2, "algorithms")
    algorithm = None if given is None else ctx.origin(given)
    if isinstance(algorithm, (ast.List, ast.Tuple, ast.Set)) and len(algorithm.elts) == 1:
        algorithm = ctx.origin(algorithm.elts[0])
    if algorithm is None or calls.identifier(algorithm) != "alg":
        return False
    header = algorithm.func if isinstance(algorithm, ast.Call) else algorithm
    if not isinstance(header, (ast.Attribute, ast.Subscript)):
        return False
    made = ctx.origin(header.value)
    return (
        isinstance(made, ast.Call)
        and calls.identifier(made.func).startswith("get_unverified_header")
        and not any(
            calls.identifier(side) in {"alg", calls.identifier(given)}
            for test in ctx.nodes(ast.Compare, within=ctx.function(call) or ctx.tree)
            for side in (test.left, *test.comparators)
        )
    )


def _reads_undone(call: ast.Call, function: ast.Attribute, ctx: Context) -> bool:
    """Whether a token of jwcrypto is taken apart without a key, and its parts are read though nothing verifies them."""
    kind = ctx.type_name(function.value) or ""
    around = ctx.function(call)
    if not kind.startswith("jwcrypto.") or around is None or calls.given(ctx, call, 1, "key") is not None:
        return False
    name = ctx.source(function.value)
    used = {
        node.attr
        for node in ctx.walk(around)
        if isinstance(node, ast.Attribute) and ctx.source(node.value) in {name, f"{name}.token"}
    }
    return "objects" in used and not used & {"verify", "validate", "key"}


def _takes_none(algorithms: object) -> bool:
    if isinstance(algorithms, str):
        return algorithms.lower() == "none"
    items = cast("Iterable[object]", algorithms) if isinstance(algorithms, (list, tuple, set)) else ()
    return any(str(each).lower() == "none" for each in items)


def _looks_into(call: ast.Call, ctx: Context) -> bool:
    """Whether the function around a call says that it only looks into a token."""
    function = ctx.function(call)
    if function is None:
        return False
    named = function.name
    around = [function, *(one for one in ctx.ancestors(function) if isinstance(one, shapes.FUNCTIONS))]
    said = "\n".join(ast.get_docstring(one) or "" for one in around)
    text = ctx.source(function)
    if _FOR_KEY.search(named) or calls.NAMED_FOR_IT.search(named) or _CHECKED.search(text):
        return True
    # One that is named for checking tokens is believed, whatever it says of itself.
    return not _CHECKS_TOKEN.search(named) and bool(_SAID.search(said) or _PEEKS.search(text))


def _only_asks_about_token(call: ast.Call, ctx: Context) -> bool:
    """Whether all that is read is when a token ends and who made it, or its claims serve to find the key.

    A function that reads nothing of a token may ask whether it is one; with a key it was meant to check it.
    """
    parent = ctx.parent(call)
    if isinstance(parent, ast.Expr):
        return ctx.function(call) is not None and calls.value(ctx, call, 1, "key", default=None) is None
    reads = shapes.reads_of_result(call, ctx)
    wanted = [parent] if reads is None else [ctx.parent(read) for read in reads]
    return bool(wanted) and all(_is_about_token(each, ctx) for each in wanted)


def _is_about_token(reader: ast.AST | None, ctx: Context) -> bool:
    """Whether what reads a token's claims wants to know about the token itself: `claims["exp"]`, `"exp" in claims`, `key_of(claims)`."""
    if isinstance(reader, ast.Compare):
        return isinstance(reader.left, ast.Constant) and reader.left.value in _ABOUT_ITSELF
    if isinstance(reader, ast.Subscript) and ctx.value(reader.slice) in _ABOUT_ITSELF:
        return True
    if calls.identifier(ctx.parent(reader) if isinstance(reader, ast.Attribute) else reader) in _ABOUT_ITSELF:
        return True
    return isinstance(reader, ast.Call) and _FOR_KEY.search(calls.identifier(reader.func)) is not None


def _verified_elsewhere(call: ast.Call, ctx: Context) -> bool:
    """Whether the same function decodes again with the signature checked, or others check the token before they ask it."""
    around = ctx.function(call) or ctx.tree
    if _decodes(around, call, ctx, but=getattr(around, "name", "")):
        return True
    return not isinstance(around, ast.Module) and (
        _is_asked_by_verifiers(around, ctx) or _is_taken_by_verifiers(call, around, ctx)
    )


def _decodes(around: ast.AST, call: ast.Call | None, ctx: Context, *, but: str = "") -> bool:
    """Whether code checks the signature of a token, other than by one call, or by one function."""
    for other in ctx.walk(around):
        if isinstance(other, ast.Call) and other is not call:
            theirs = ctx.name(other.func) or ""
            if theirs.endswith(("jwt.decode", "jws.verify", "decode_complete")) and not _unverified(
                other, theirs, ctx
            ):
                return True
            if call is not None and (
                _is_given_to_verifier(call, other, ctx) or _is_given_with_key(call, other, ctx)
            ):
                return True
            is_of_library = theirs.startswith(("jwt.", "jose.", "authlib."))
            asked = calls.identifier(other.func)
            if not is_of_library and asked != but and _VERIFIES.search(asked):
                return True
    return False


def _is_given_to_verifier(call: ast.Call, other: ast.Call, ctx: Context) -> bool:
    """Whether a function of this file that checks tokens is given the same one: `self._decode(token)`."""
    asked = ctx.once(shapes.functions_by_name).get(calls.identifier(other.func))
    return (
        asked is not None
        and asked is not ctx.function(call)
        and _is_among(_token(call, ctx), _given(other), ctx)
        and _decodes(asked, None, ctx)
    )


def _is_given_with_key(call: ast.Call, other: ast.Call, ctx: Context) -> bool:
    """Whether another call is given the same token, and a key to check it by: `decode_assertion(token, key)`."""
    given = _given(other)
    return any(
        _FOR_KEY.search(calls.identifier(one)) for one in given if not isinstance(one, ast.Constant)
    ) and _is_among(_token(call, ctx), given, ctx)


def _given(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _is_among(token: ast.expr | None, given: Iterable[ast.expr], ctx: Context) -> bool:
    """Whether a token is one of the values that a call is given."""
    return token is not None and any(ctx.source(one) == ctx.source(token) for one in given)


def _is_asked_by_verifiers(function: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether every function of this file that asks this one checks the token, itself or through a function that it asks as well."""
    users = {ctx.function(use) for use in shapes.calls_of(function, ctx)}
    defined = ctx.once(shapes.functions_by_name)
    return bool(users) and all(
        user is not None
        and user is not function
        and (
            _decodes(user, None, ctx, but=function.name)
            or any(
                _decodes(defined[name], None, ctx)
                for each in ctx.nodes(ast.Call, within=user)
                if (name := calls.identifier(each.func)) in defined and defined[name] is not function
            )
        )
        for user in users
    )


def _is_taken_by_verifiers(call: ast.Call, around: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether another function takes the token by the same one of this file and checks it: a step for a decorated view."""
    token = _token(call, ctx)
    made = None if token is None else ctx.origin(token)
    taker = ctx.once(shapes.functions_by_name).get(calls.identifier(getattr(made, "func", None)))
    return taker is not None and any(
        user is not None and user is not around and _decodes(user, None, ctx)
        for user in map(ctx.function, shapes.calls_of(taker, ctx))
    )
