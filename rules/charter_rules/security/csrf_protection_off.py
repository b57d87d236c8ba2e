"""Finds state-changing requests without protection against forgery."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import (
    UNKNOWN,
    Fix,
    Grade,
    Severity,
    Span,
    regex,
    rule,
)
from charter_rules import calls, places, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_FOR_MACHINES: Final = regex(
    r"(?i)oauth|oidc|openid|saml|scim|webhook|callback|(?:^|[/_.])(?:idp|api|ipn|hooks?)(?:[/_.]|$)|(?-i:Auth\b)|log_?in\b|log_?out\b|sso"
)
"""Names of places that other programs call, which bring a credential of their own and no cookie."""
_OWN_CHECK: Final = regex(
    r"(?i)signature|hmac|webhook|\bjwt\b|oauth|saml|openid|api_?key|bearer|authorization|x-hub|verify|authenticate|telegram|stripe"
    r"|request\.auth\b|api_view|slack|paypal|callback|ipn|xml_?rpc|graphql|token|csp|report|oidc|embed|widget|public"
)
_CHANGES: Final = regex(
    r"POST|PUT|PATCH|DELETE|\bpost\b|\.save\(|\.delete\(|\.create\(|\.update\(|\.body\b|dispatch"
)
_SAVES: Final = regex(
    r"\.(?:save|delete|create|get_or_create|update|update_or_create|add|remove|set|clear|execute|commit|append|send)\(|session\[|_(?:save|delete|create|update|add|remove|set)\b"
)
_READS: Final = regex(
    r"(?i)(?:^|_)(?:get|query|list|search|find|fetch|look_?up|autocomplete|preview|suggest)(?:_|$)"
)
"""Names of views that only answer a question, though it comes by POST."""
_LOGS: Final = regex(r"\b_?log\w*\.(?:debug|info|warning|error|exception|log)\([^\n]*")
_FOR_USER: Final = regex(
    r"(?i)request\.user\b|login_required|LoginRequired|request\.session\b|current_user|permission_required"
)
_SETTINGS: Final = frozenset({"WTF_CSRF_ENABLED", "WTF_CSRF_CHECK_DEFAULT", "CSRF_ENABLED"})


@rule(
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.Call,
    code="SEC030",
    principles=("protected-sessions",),
    severity=Severity.MEDIUM,
    cwe=(352,),
    calls=(
        "django.views.decorators.csrf.csrf_exempt",
        "*.set_default_csrf_options",
        "tornado.web.Application",
        "*.Form",
    ),
    mentions=("csrf", "CSRF", "MIDDLEWARE", "xsrf_cookies", "check_origin"),
    references=(
        "https://docs.djangoproject.com/en/stable/howto/csrf/",
        "https://cwe.mitre.org/data/definitions/352.html",
    ),
)
def csrf_protection_off(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.Call, ctx: Context
) -> Iterator[Finding]:
    """Keep the protection against forged requests on.

    A browser sends its cookies along with every request, also with those that a foreign page makes it send. The token in forms tells
    the requests of your own pages from those. Views that check a signature or a key of their own need no token and are not reported.

    ```python bad
    from django.http import HttpResponse
    from django.views.decorators.csrf import csrf_exempt

    @csrf_exempt
    def change_address(request):
    #   ^^^^^^^^^^^^^^ `change_address` takes forged requests: its protection is switched off
        request.user.address = request.POST["address"]
        request.user.save()
        return HttpResponse("saved")
    ```
    ```python good
    import hashlib
    import hmac
    from django.conf import settings
    from django.http import HttpResponse
    from django.views.decorators.csrf import csrf_exempt

    def change_address(request):
        request.user.address = request.POST["address"]
        request.user.save()
        return HttpResponse("saved")

    @csrf_exempt
    def payment_webhook(request):
        expected = hmac.new(settings.WEBHOOK_KEY, request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers["X-Signature"]):
            return HttpResponse(status=403)
        return HttpResponse("thanks")
    ```
    """
    if ctx.is_test:
        return
    if isinstance(node, ast.Assign):
        yield from _setting(node, ctx)
    elif isinstance(node, ast.Call):
        yield from _call(node, ctx)
    elif node.name == "check_origin":
        yield from _origin_check(node, ctx)
    else:
        yield from _decorated(node, ctx)


def _origin_check(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, ctx: Context
) -> Iterator[Finding]:
    """The check of Tornado's WebSocketHandler, which is asked whose page opens a connection."""
    owner = ctx.class_(node)
    if owner is None or not any("WebSocket" in calls.identifier(base) for base in owner.bases):
        return
    body = shapes.without_docstring(node.body)
    answer = body[0] if len(body) == 1 else None
    if isinstance(answer, ast.Return) and answer.value is not None and ctx.value(answer.value) is True:
        yield ctx.finding(
            ctx.name_span(node),
            "every site can open this connection with the visitor's cookies: all are let in",
        )


def _decorated(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, ctx: Context
) -> Iterator[Finding]:
    """Django's `csrf_exempt` as a decorator, also inside of `method_decorator`, and Flask-WTF's."""
    for decorator in node.decorator_list:
        exempts = (
            ctx.name(decorator) == _EXEMPT
            or _is_exempted_route(decorator, node, ctx)
            or (
                isinstance(decorator, ast.Call)
                and ctx.name(decorator.func) == "django.utils.decorators.method_decorator"
                and bool(decorator.args)
                and ctx.name(decorator.args[0]) == _EXEMPT
            )
        )
        if exempts:
            if (
                (_acts_for_user(node, ctx) or isinstance(decorator, ast.Attribute))
                and not _OWN_CHECK.search(_whole(node, ctx))
                and not _FOR_MACHINES.search(f"{ctx.path} {ctx.symbol(node)}")
            ):
                fix = Fix("Keep the protection", (ctx.replace(_line(decorator, ctx), ""),), Grade.SUGGESTION)
                yield ctx.finding(
                    ctx.name_span(node),
                    f"`{node.name}` takes forged requests: its protection is switched off",
                    fix=fix,
                )
            return
    ctx.not_an_opportunity()


def _is_exempted_route(decorator: ast.expr, node: ast.AST, ctx: Context) -> bool:
    """Whether a decorator is `exempt` of Flask-WTF's `CSRFProtect`, on a view that takes more than GET."""
    return (
        isinstance(decorator, ast.Attribute)
        and decorator.attr == "exempt"
        and (ctx.type_name(decorator.value) or "").startswith("flask_wtf.")
        and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and any(
            re.search(r"POST|PUT|PATCH|DELETE|\.(post|put|patch|delete)\(", ctx.source(one))
            for one in node.decorator_list
        )
    )


def _whole(node: ast.AST, ctx: Context) -> str:
    """The text of a view with its decorators; of a method, with its class and the class's name."""
    owner = ctx.class_(node)
    decorators = getattr(node, "decorator_list", ())
    return "\n".join(ctx.source(part) for part in (*decorators, owner if owner is not None else node))


def _line(decorator: ast.expr, ctx: Context) -> Span:
    span = ctx.span(decorator)
    start = ctx.text.rfind("@", 0, span.start)
    end = ctx.text.find("\n", span.end) + 1
    indent = len(ctx.text[ctx.text.rfind("\n", 0, end) + 1 : end])
    following = re.match(r"[ \t]*", ctx.text[end:])
    return Span(start, end + (len(following[0]) if following else indent))


def _acts_for_user(node: ast.AST, ctx: Context) -> bool:
    """Whether a view does more than read, for the user whose cookie the browser sends along."""
    text = _LOGS.sub("", _whole(node, ctx))
    name = getattr(node, "name", "")
    if (
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and _READS.search(name)
        and not _SAVES.search(text)
    ):
        return False
    return bool(_CHANGES.search(text) and _FOR_USER.search(text))


def _setting(node: ast.Assign, ctx: Context) -> Iterator[Finding]:
    name = calls.identifier(node.targets[0])
    if name in {"MIDDLEWARE", "MIDDLEWARE_CLASSES"} and isinstance(node.value, (ast.List, ast.Tuple)):
        used = [ctx.value(item) for item in node.value.elts]
        logs_in = "django.contrib.auth.middleware.AuthenticationMiddleware" in used
        if (
            logs_in
            and places.is_deployed(ctx)
            and UNKNOWN not in used
            and not any("csrf" in str(item).lower() for item in used)
        ):
            yield ctx.finding(node.targets[0], "views take forged requests: `CsrfViewMiddleware` is missing")
        return
    if name == "csrf" and _is_form_meta(node, ctx):
        if ctx.value(node.value) is False:
            fix = Fix("Switch it on", (ctx.replace(node.value, "True"),), Grade.UNSAFE)
            yield ctx.finding(node, "the form takes forged requests: `csrf` is off", fix=fix)
        return
    if name not in _SETTINGS or ctx.value(node.value) is not False:
        ctx.not_an_opportunity()
        return
    if not places.is_deployed(ctx, node):
        return
    if any(
        isinstance(parent, ast.If) and re.search(r"(?i)csrf|test", ctx.source(parent.test))
        for parent in ctx.ancestors(node)
    ):
        return  # the caller decides
    if isinstance(ctx.parent(node), ast.ClassDef) and not re.search(
        r"(?i)conf|setting", f"{ctx.path} {ctx.symbol(node)}"
    ):
        return  # an attribute of something that has a check of its own
    if name == "WTF_CSRF_CHECK_DEFAULT" and ".protect(" in ctx.text:
        return  # the views that need it ask for it
    fix = Fix("Switch it on", (ctx.replace(node.value, "True"),), Grade.UNSAFE)
    yield ctx.finding(node, f"`{name}` is off: forms take forged requests", fix=fix)


def _is_form_meta(node: ast.Assign, ctx: Context) -> bool:
    """Whether an assignment stands in the `Meta` of a form of Flask-WTF."""
    meta = ctx.parent(node)
    form = ctx.parent(meta) if isinstance(meta, ast.ClassDef) and meta.name == "Meta" else None
    return isinstance(form, ast.ClassDef) and any(
        (ctx.name(base) or "").startswith(("flask_wtf.", "wtforms.csrf.")) for base in form.bases
    )


def _call(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    name = calls.identifier(node.func)
    if name == "csrf_exempt" and node.args and isinstance(ctx.parent(node), (ast.Assign, ast.Call, ast.List)):
        definition = _definition(node.args[0], ctx)
        text = "" if definition is None else ctx.source(definition)
        if definition is not None and _acts_for_user(definition, ctx) and not _OWN_CHECK.search(text):
            viewed = calls.short(ctx, node.args[0])
            yield ctx.finding(node, f"`{viewed}` takes forged requests: its protection is switched off")
    elif calls.value(ctx, node, None, "xsrf_cookies") is False:
        fix = Fix("Switch it on", (ctx.set_keyword(node, "xsrf_cookies", "True"),), Grade.UNSAFE)
        given = calls.keyword(node, "xsrf_cookies") is not None
        yield ctx.finding(
            node, "handlers take forged requests: `xsrf_cookies` is off", fix=fix if given else None
        )
    elif name == "set_default_csrf_options" and calls.value(ctx, node, 0, "require_csrf") is False:
        yield ctx.finding(node, "views take forged requests: `require_csrf` is off")
    else:
        ctx.not_an_opportunity()


def _definition(view: ast.expr, ctx: Context) -> ast.AST | None:
    """The function or class of this file that is a view; that of `View.as_view()` is the class."""
    if isinstance(view, ast.Call) and isinstance(view.func, ast.Attribute) and view.func.attr == "as_view":
        view = view.func.value
    name = calls.identifier(view)
    defined = (*ctx.nodes(ast.FunctionDef), *ctx.nodes(ast.AsyncFunctionDef), *ctx.nodes(ast.ClassDef))
    return next((each for each in defined if each.name == name), None)


_EXEMPT: Final = "django.views.decorators.csrf.csrf_exempt"
