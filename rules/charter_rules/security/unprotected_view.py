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
from charter_rules import calls

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
    r"|auth|oauth|sso|saml|oidc|version|metrics|verif|activat|invit|landing|index|home|static|unsubscribe|report|anonymous|guest|contact|subscribe|setup|before|after"
)
_GUARD: Final = regex(
    r"(?i)login|auth|permission|requires?_|required|protect|secure|jwt|role|staff|superuser|user_passes_test|token|admin|has_access|access|perm|check_|only|member"
)
_GUARD_IN_BODY: Final = regex(
    r"(?i)current_user|request\.user\b|g\.user|get_jwt|abort\(40[13]|HTTP_?40[13]|status_code=40[13]|PermissionDenied|Unauthorized|Forbidden|check_perm|has_perm|verify_|authenticate|session\["
)
_FOR_ALL: Final = regex(r"before_request|(?:APIRouter|FastAPI|include_router)\([^)]*\bdependencies=")
"""What asks for all views of a module."""
_SAID: Final = regex(r"(?i)requires? (?:an? )?(?:\w+ )?(?:auth|log-?in|permission|admin)")
"""What documentation says of a view that asks who it is."""
_SAVES: Final = regex(
    r"\.save\(|\.delete\(|\.create\(|\.update\(|\.add\(|\.commit\(|\.remove\(|\.insert|\.execute\("
)
_EDITS: Final = frozenset(
    f"django.views.generic.{where}{name}View"
    for where in ("", "edit.")
    for name in ("Create", "Update", "Delete")
)
"""Views that change what is stored, without a word of their own."""
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
    options={"protected-share": 0.75, "protected-views": 4},
    references=(
        "https://cwe.mitre.org/data/definitions/306.html",
        "https://owasp.org/Top10/A01_2021-Broken_Access_Control/",
    ),
)
def unprotected_view(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """Ask who it is before anything is changed.

    Where most views of a module require a login and one that changes data does not, the decorator or dependency was most likely forgotten. The
    message states the evidence. Views that must be open by nature (login, registration, health, webhooks, callbacks) are not counted,
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
    if len(views) < 2 or ctx.says(_FOR_ALL):
        ctx.not_an_opportunity()
        return
    counted = [view for view in views if not _OPEN.search(view.name)]
    enough = int(str(ctx.options["protected-views"]))
    if len(counted) <= enough:
        return
    protected = [view for view in counted if _is_protected(view, ctx)]
    share = float(str(ctx.options["protected-share"]))
    if len(protected) < enough or len(protected) < share * len(counted):
        return
    called = {call.func.id for call in ctx.nodes(ast.Call) if isinstance(call.func, ast.Name)}
    for view in counted:
        if _SAID.search(ast.get_docstring(view) or ""):
            continue  # by a hook of its blueprint, which another module sets
        if view not in protected and view.name not in called and _changes_data(view, ctx):
            yield ctx.finding(
                ctx.name_span(view),
                f"`{view.name}` changes data and asks nobody to log in; {len(protected)} of {len(counted)} views of this module do",
            )


def _views(tree: ast.Module, ctx: Context) -> Iterator[View]:
    """The functions and classes of a module that answer requests."""
    holds_views = "View" in ctx.text
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if any(_verb(decorator) for decorator in statement.decorator_list) or _is_django_view(
                statement, ctx
            ):
                yield statement
        elif (
            holds_views
            and isinstance(statement, ast.ClassDef)
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
    return name.startswith(("django.views.", "flask.views.", "rest_framework.")) and name.endswith(
        ("View", "ViewSet")
    )


def _is_protected(view: View, ctx: Context) -> bool:
    """Whether a view asks who it is: by a decorator, a mixin, a dependency or in its body."""
    for decorator in view.decorator_list:
        text = ctx.source(decorator)
        if not _verb(decorator) and _GUARD.search(text):
            return True
        if "dependencies" in text and _GUARD.search(text.partition("dependencies")[2]):
            return True
    if isinstance(view, ast.ClassDef):
        named = any(
            isinstance(item, ast.Assign)
            and calls.identifier(item.targets[0])
            in {"permission_classes", "permission_required", "authentication_classes", "decorators", "rbac"}
            for item in view.body
        )
        bases = any(_MIXIN.search(calls.identifier(base)) for base in view.bases)
        return named or bases or bool(_GUARD_IN_BODY.search(ctx.source(view)))
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
