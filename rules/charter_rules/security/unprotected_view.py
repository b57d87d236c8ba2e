"""Finds the one view of a module that asks nobody to log in while its siblings do."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import (
    Confidence,
    Severity,
    regex,
    rule,
)
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

View = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_VERBS: Final = frozenset(
    {"route", "get", "post", "put", "patch", "delete", "api_route", "api_view", "action"}
)
_CHANGING: Final = frozenset({"post", "put", "patch", "delete"})
_OPEN: Final = regex(
    r"(?i)log_?(in|out)|sign_?(in|up|out)|regist|health|ping|status|webhook|callback|hook|public|reset|forgot|password|robots|favicon|error|csrf|token"
    r"|auth|oauth|sso|saml|oidc|version|metrics|verif|activat|invit|landing|index|home|static|unsubscribe|report|anonymous|guest|contact|subscribe|setup|before|after|sessions?_(?:create|new|start|open)|(?:create|new|start|open)_session|(?:exchange|send|resend|request)_(?:\w+_)?code"
)
_GUARD: Final = regex(
    r"(?i)login|auth|permission|requires?_|required|protect|secure|jwt|role|staff|superuser|user_passes_test|token|admin|has_access|access|perm|check_|only|member"
)
_GUARD_IN_BODY: Final = regex(
    r"(?i)current_user|request\.user\b|g\.user|get_jwt|abort\(40[13]|HTTP_?40[13]|status_code=40[13]|PermissionDenied|Unauthorized|Forbidden|check_perm|has_perm|verify_|authenticate|\bsession(?:\[|\.(?:clear|flush)\()|log_?out(?:_user)?\("
)
_FOR_ALL: Final = regex(r"before_request|(?:APIRouter|FastAPI|include_router)\([^)]*\bdependencies=")
"""What asks for all views of a module."""
_SAID: Final = regex(
    r"(?i)requires? (?:an? )?(?:\w+ )?(?:auth|log-?in|permission|admin)|public(?:ly)? (?:access|available|endpoint)|unauthenticated|webhook"
)
"""What documentation says of a view that asks who it is, by a hook of its blueprint in another module, or of one for everybody."""
_MAKERS: Final = ("Flask(", "FastAPI(", "Sanic(", "Quart(", "Litestar(", "Bottle(")
_APPLICATION: Final = regex(r"(?m)^\w+ *= *(?:\w+\.)?(?:Flask|FastAPI|Sanic|Quart|Litestar|Bottle)\(")
_GRAVE: Final = regex(r"(?i)delete|remove|destroy|purge|admin|promote|grant|refund|transfer")
"""Names of what not everybody may do."""
_KNOWS: Final = regex(r"(?i)log_?in|auth(?!ors?\b)|current_?user|\.user\b|jwt|session\[|api_?key")
"""What a file speaks of that knows who asks; a 403 alone may be about the state of what is asked for."""
_ASKS: Final = regex(
    r"(?i)log_?in|auth|permission|token|api_?key|session|passw|jwt|secret|credential|abort\(40[13]|\b40[13]\b"
)
"""What a file speaks of that asks who it is, one way or another."""
_SAVES: Final = regex(
    r"\.save\(|\.delete\(|\.create\(|\.update\(|\.add\(|\.commit\(|\.remove\(|\.insert|\.execute\(|\.(?:purge|drop|rename)\("
)
_EDITS: Final = frozenset(
    f"django.views.generic.{where}{name}View"
    for where in ("", "edit.")
    for name in ("Create", "Update", "Delete")
)
"""Views that change what is stored, without a word of their own."""
_ANYBODY: Final = regex(r"^[\[(]\s*(?:\w+\.)*(?:AllowAny)?,?\s*[\])]$")
"""What a view says of who may ask it, if that is everybody."""
_ONE: Final = regex(r"^(?:\w+_)?(?:pk|id|uuid|slug)$")
"""Parameters that tell which object is meant."""
_MIXIN: Final = regex(
    r"(?i)login|permission|auth|staff|superuser|userpassestest|access|required|protected|secure"
)


@rule(
    ast.Module,
    code="SEC047",
    principles=("authentication-first",),
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    in_tests=False,
    cwe=(306, 862),
    options={"protected-share": 0.75, "protected-views": 3},
    references=(
        "https://cwe.mitre.org/data/definitions/306.html",
        "https://owasp.org/Top10/A01_2021-Broken_Access_Control/",
    ),
)
def unprotected_view(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """Ask who it is before anything is changed.

    Where most views of a module require a login and one that changes data does not, the decorator or dependency was most likely forgotten. The
    message states the evidence. Of an application that stands in one file it is enough that one view asks, if another deletes or grants something. Views that must be open by nature (login, registration, health, webhooks, callbacks) are not counted,
    and what others of the module call is left alone: they have asked.

    ```python bad
    from flask import Blueprint
    from flask_login import login_required

    shop = Blueprint("shop", __name__)

    @shop.route("/orders")
    @login_required
    def orders():
        return load_orders()

    @shop.route("/orders/<int:number>")
    @login_required
    def order(number):
        return load_order(number)

    @shop.route("/invoices")
    @login_required
    def invoices():
        return load_invoices()

    @shop.route("/addresses")
    @login_required
    def addresses():
        return load_addresses()

    @shop.route("/orders/<int:number>/delete", methods=["POST"])
    def delete_order(number):
    #   ^^^^^^^^^^^^ `delete_order` changes data and asks nobody to log in; 4 of 5 views of this module do
        return remove(number)
    ```
    ```python good
    from flask import Blueprint
    from flask_login import login_required

    shop = Blueprint("shop", __name__)

    @shop.route("/orders")
    @login_required
    def orders():
        return load_orders()

    @shop.route("/login", methods=["POST"])
    def login():
        return start_session()
    ```
    """
    views = list(_views(node, ctx))
    enough = ctx.option("protected-views", int)
    counted = [view for view in views if not _OPEN.search(view.name)]
    too_few = len(counted) <= enough and not (counted and _makes_application(ctx))
    if too_few or ctx.says(_FOR_ALL):
        ctx.not_an_opportunity()
        return
    protected = [view for view in counted if _is_protected(view, ctx)]
    share = ctx.option("protected-share", float)
    are_most = len(protected) >= max(enough, share * len(counted))
    if not are_most and not _makes_application(ctx):
        return
    called = {call.func.id for call in ctx.nodes(ast.Call) if isinstance(call.func, ast.Name)}
    for view in counted:
        if view in protected or view.name in called or _SAID.search(ast.get_docstring(view) or ""):
            continue
        is_odd = are_most or (not 0 < 3 * len(protected) < len(counted) and _is_grave(view, protected, ctx))
        if is_odd and _changes_data(view, ctx):
            told = f"; {len(protected)} of {len(counted)} views of this module do" if protected else ""
            yield ctx.finding(
                ctx.name_span(view), f"`{view.name}` changes data and asks nobody to log in{told}"
            )


def _makes_application(ctx: Context) -> bool:
    """Whether a file makes an application, whose views are all in sight then."""
    return any(maker in ctx.text for maker in _MAKERS) and ctx.says(_APPLICATION)


def _is_grave(view: View, protected: list[View], ctx: Context) -> bool:
    """Whether a view of an application that stands in one file does what not everybody may.

    It deletes, or grants, where another view asks who it is; or it is for administrators by its address, and nothing in the file asks.
    """
    named = f"{view.name} {' '.join(map(ctx.source, view.decorator_list))}"
    if protected:
        return _GRAVE.search(named) is not None and ctx.says(_KNOWS)
    return "admin" in named.lower() and not ctx.says(_ASKS)


def _views(tree: ast.Module, ctx: Context) -> Iterator[View]:
    """The functions and classes of a module that answer requests."""
    holds_views = "View" in ctx.text or ("tornado" in ctx.text and "def prepare(" not in ctx.text)
    for statement in tree.body:
        if type(statement) is ast.FunctionDef or type(statement) is ast.AsyncFunctionDef:
            if any(_verb(decorator) for decorator in statement.decorator_list) or _is_django_view(
                statement, ctx
            ):
                yield statement
        elif (
            holds_views
            and type(statement) is ast.ClassDef
            and any(_is_view_class(base, ctx) for base in statement.bases)
        ):
            yield statement


def _verb(decorator: ast.expr) -> str:
    """The routing method of a decorator such as `@app.post("/x")`; "" if it routes nothing."""
    target = calls.decorating(decorator)
    name = calls.identifier(target)
    if name == "api_view":
        return name
    return (
        name
        if name in _VERBS and isinstance(decorator, ast.Call) and isinstance(target, ast.Attribute)
        else ""
    )


def _is_django_view(function: ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context) -> bool:
    arguments = function.args.args
    return (
        bool(arguments)
        and arguments[0].arg == "request"
        and "views" in ctx.path
        and not function.name.startswith("_")
    )


def _is_view_class(base: ast.expr, ctx: Context) -> bool:
    name = ctx.name(base) or ""
    if name == "tornado.web.RequestHandler":
        return True
    own = (one for one in ctx.tree.body if type(one) is ast.ClassDef and shapes.is_name(base, one.name))
    if any(ctx.name(each) == "tornado.web.RequestHandler" for one in own for each in one.bases):
        return True
    return name.startswith(("django.views.", "flask.views.", "rest_framework.")) and name.endswith(
        ("View", "ViewSet")
    )


def _is_protected(view: View, ctx: Context) -> bool:
    """Whether a view asks who it is: by a decorator, a mixin, a dependency or in its body."""
    for decorator in view.decorator_list:
        text = ctx.source(decorator)
        if isinstance(decorator, ast.Call) and _is_for_anybody(decorator, decorator.args, view, ctx):
            return False
        if not _verb(decorator) and _GUARD.search(text):
            return True
        if "dependencies" in text and _GUARD.search(text.partition("dependencies")[2]):
            return True
    if isinstance(view, ast.ClassDef):
        named = any(
            isinstance(item, ast.Assign)
            and not _is_for_anybody(item.targets[0], [item.value], view, ctx)
            and calls.identifier(item.targets[0])
            in {"permission_classes", "permission_required", "authentication_classes", "decorators", "rbac"}
            for item in view.body
        )
        bases = any(_MIXIN.search(calls.identifier(base)) for base in view.bases)
        asked = any(
            _GUARD.search(ctx.source(decorator))
            for item in view.body
            if isinstance(item, shapes.FUNCTIONS)
            for decorator in item.decorator_list
        )
        return named or bases or asked or bool(_GUARD_IN_BODY.search(ctx.source(view)))
    defaults = [*view.args.defaults, *(value for value in view.args.kw_defaults if value is not None)]
    annotations = [argument.annotation for argument in view.args.args if argument.annotation is not None]
    if any(
        re.search(
            r"(?i)(Depends|Security)\(.*(user|auth|current|token|secur|verif|admin|perm|principal|session|require)",
            ctx.source(part),
        )
        for part in (*defaults, *annotations)
    ):
        return True
    if any(
        re.search(r"(?i)current_?user|CurrentUser|AuthUser|UserDep|AdminUser", ctx.source(annotation))
        for annotation in annotations
    ):
        return True
    return bool(_GUARD_IN_BODY.search(ctx.source(view)))


def _is_for_anybody(says: ast.expr, whom: list[ast.expr], view: View, ctx: Context) -> bool:
    """Whether a view of one object says that everybody may ask it: `permission_classes = [AllowAny]`."""
    if calls.identifier(says) not in {"permission_classes", "authentication_classes"} or len(whom) != 1:
        return False
    functions = (
        [item for item in view.body if isinstance(item, shapes.FUNCTIONS)]
        if isinstance(view, ast.ClassDef)
        else [view]
    )
    return _ANYBODY.search(ctx.source(whom[0])) is not None and any(
        _ONE.search(one.arg) for function in functions for one in shapes.parameters(function)
    )


def _changes_data(view: View, ctx: Context) -> bool:
    """Whether a view changes something: it answers POST, PUT, PATCH or DELETE, or it saves."""
    for decorator in view.decorator_list:
        if _verb(decorator) in _CHANGING or re.search(
            r"[\"'](?:POST|PUT|PATCH|DELETE)[\"']", ctx.source(decorator)
        ):
            return True
    if isinstance(view, ast.ClassDef):
        return any(ctx.name(base) in _EDITS for base in view.bases) or any(
            isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))
            and item.name in _CHANGING
            and (item.name != "post" or _SAVES.search(ctx.source(item)) is not None)
            for item in view.body
        )  # forms that search are posted too
    if any(_verb(decorator) for decorator in view.decorator_list):
        return False
    return bool(_SAVES.search(ctx.source(view)))
