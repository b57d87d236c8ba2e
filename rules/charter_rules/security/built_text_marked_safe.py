"""Finds HTML that is put together from values and then declared safe."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    AddImport,
    Confidence,
    Fix,
    Grade,
    Severity,
    regex,
    rule,
)
from charter_rules import building, calls, lines, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_MARKERS: Final = {
    "django.utils.safestring.mark_safe": "django",
    "django.utils.html.format_html": "django",
    "django.utils.safestring.SafeString": "django",
    "django.utils.safestring.SafeText": "django",
    "markupsafe.Markup": "markupsafe",
    "flask.Markup": "markupsafe",
    "jinja2.Markup": "markupsafe",
}
_SAFE: Final = regex(
    r"(?i)escape|format_html|render|sanitiz|bleach|nh3|clean|mark_safe|Markup|quote|urlencode|reverse|static|url_for|json_script|flatatt"
    r"|^_$|gettext|ngettext|pgettext|int|len|float|isoformat|strftime|hex|uuid|join|as_|html|markdown|icon|css|class|attrs?$|_id$|^id$|pk$|count"
    r"|color|colour|width|height|size|nonce|signature|url|_on$|_at$|date|time|display|label|safe|tag|svg|widget|media|template|csrf"
)


_FREE_TEXT: Final = regex(
    r"(?i)name$|title|text|body|content|comment|descr|message|mail$|subject|caption|bio$|note|summary|query|input|value$|address|reason|param|args|site$|link$"
)
"""Attributes that hold what somebody has written."""

_SAID_SAFE: Final = regex(r"(?i)\b(?:html-?)?safe\b|escaped")
"""What a comment above says of values that are escaped."""
_FIELD: Final = regex(r"(?:^|_)field$")
"""Names of fields of forms and models, which the program itself has named."""


@rule(
    ast.Call,
    code="SEC041",
    principles=("output-escaping",),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    cwe=(79, 80),
    calls=tuple(_MARKERS),
    aliases=("B308", "B703", "B704", "S308", "S704"),
    references=(
        "https://docs.djangoproject.com/en/stable/ref/utils/#django.utils.html.format_html",
        "https://markupsafe.palletsprojects.com/",
    ),
)
def built_text_marked_safe(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Escape values before you declare the HTML around them safe.

    `mark_safe` and `Markup` tell the template that a text needs no escaping. Where values are put into that text, one of them can hold tags
    and scripts. `format_html` and `Markup(…).format(…)` escape the values and keep the HTML around them.

    ```python bad
    from django.utils.safestring import mark_safe

    def badge(user):
        return mark_safe("<b>%s</b>" % user.name)
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `user.name` is not escaped before `mark_safe` declares the text safe
    ```
    ```python fixed
    from django.utils.html import format_html
    from django.utils.safestring import mark_safe

    def badge(user):
        return format_html("<b>{}</b>", user.name)
    ```
    ```python good
    from django.utils.html import format_html
    from django.utils.safestring import mark_safe

    def badge(user):
        return format_html("<b>{}</b>", user.name)

    def line():
        return mark_safe("<hr>")
    ```
    """
    text = ctx.argument(call, 0)
    if text is None or ctx.is_test or len(call.args) + len(call.keywords) > 1:
        return
    written = ctx.origin(text)
    parts = building.pieces(written, ctx)
    if parts is None:
        return
    in_script = any("<script" in piece.text for piece in parts)
    risky = [
        piece.value
        for piece in parts
        if piece.value is not None
        and not piece.numeric
        and (not _is_safe(piece.value, ctx) or (in_script and _is_json(piece.value, ctx)))
    ]
    if not risky or _SAID_SAFE.search(lines.comment_above(ctx.span(ctx.statement(call)), ctx)):
        return
    name = (ctx.name(call.func) or "").rpartition(".")[2]
    yield ctx.finding(
        call,
        f"`{calls.short(ctx, risky[0])}` is not escaped before `{name}` declares the text safe",
        fix=_fix(call, name, parts, ctx) if written is text else None,
    )


def _is_json(value: ast.expr, ctx: Context) -> bool:
    """Whether a function has made a value JSON, in which `</script>` stands as it is."""
    function = ctx.function(value)
    given = (
        shapes.assigned_values(value.id, function, ctx) if isinstance(value, ast.Name) and function else None
    )
    return any(isinstance(one, ast.Call) and ctx.name(one.func) == "json.dumps" for one in given or ())


def _is_safe(value: ast.expr, ctx: Context) -> bool:
    """Whether a value is escaped, made by the framework, or cannot hold text."""
    for node in (value, ctx.origin(value)):
        if isinstance(node, ast.Constant) or _SAFE.search(calls.identifier(node)):
            return True
        if isinstance(node, ast.IfExp) and _is_safe(node.body, ctx) and _is_safe(node.orelse, ctx):
            return True
    if calls.identifier(value).isupper() or not _comes_from_outside(value, ctx):
        return True
    return ctx.type_name(value) in {"builtins.int", "builtins.float", "builtins.bool", "markupsafe.Markup"}


def _comes_from_outside(value: ast.expr, ctx: Context) -> bool:
    """Whether a value is a parameter, a part of an object, or looked up; not what the function has made itself."""
    if isinstance(value, ast.Call):
        if calls.identifier(value.func) == "str" and value.args:
            return not _is_safe(value.args[0], ctx)
        return calls.identifier(value.func) in {"get", "getlist"}
    if isinstance(value, ast.Attribute):
        if _FIELD.search(calls.identifier(value.value)):
            return False
        return _FREE_TEXT.search(value.attr) is not None
    if isinstance(value, ast.Subscript) and isinstance(value.value, ast.Call):
        return False
    root = value
    while isinstance(root, (ast.Attribute, ast.Subscript)):
        root = root.value
    if not isinstance(root, ast.Name):
        return isinstance(root, ast.Call)
    if root is not value:
        return True
    function = ctx.function(value)
    if function is None or (function.name == "render" and root.id == "name"):
        return False  # a widget is given the name of its field
    if _is_escaped_before(root, function, ctx):
        return False
    options = {option.arg for option, _ in shapes.defaults(function)}
    return root.id in {parameter.arg for parameter in shapes.parameters(function)} and (
        root.id not in options or _FREE_TEXT.search(root.id) is not None
    )


def _is_escaped_before(name: ast.Name, function: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether a function gives a name the escaped text of what it was given."""
    return any(
        isinstance(given := getattr(ctx.parent(bound), "value", None), ast.Call)
        and "escape" in calls.identifier(given.func)
        and name.id in shapes.names_in(given)
        for bound in shapes.bindings(name.id, function, ctx)
    )


def _fix(call: ast.Call, name: str, parts: tuple[building.Piece, ...], ctx: Context) -> Fix | None:
    """`format_html` with the values as its arguments, where they stand between tags."""
    if name != "mark_safe" or any(not piece.plain for piece in parts):
        return None
    template = ""
    values: list[str] = []
    for piece in parts:
        if piece.value is None:
            template += piece.text.replace("{", "{{").replace("}", "}}")
        else:
            template += "{}"
            values.append(ctx.source(piece.value))
    if "<script" in template or '"' in template or "\n" in template or "\\" in template:
        return None
    new = f'format_html("{template}", {", ".join(values)})'
    edits = (ctx.replace(call, new), AddImport("django.utils.html", "format_html"))
    return Fix("Escape the values with `format_html`", edits, Grade.UNSAFE)
