"""Finds template engines that put values into HTML as they are."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final, cast

from charter.api import (
    UNKNOWN,
    AddImport,
    Fix,
    Grade,
    Severity,
    regex,
    rule,
)
from charter_rules import calls, shapes, templates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from charter.api import Context, Finding

_OTHER_TEXT: Final = regex(
    r"(?i)latex|\.tex\b|sql|yaml|\.yml|markdown|\.md\b|dockerfile|nginx|systemd|codegen|code_?gen|generate_?code|makefile|bash|\.sh\b|\.py\b"
    r"|\.cfg|\.conf\b|\.ini|\.toml|changelog|prompt|chat_template|messages|jsonnet|terraform|graphql|pillar|interfaces|scaffold|cookiecutter|native|shell_?c(?:ode|raft)|assembl|sphinx|docutils"
)
_OTHER_PLACE: Final = regex(r"(?i)sphinx|code_?gen|(?:^|/)(?:docs?|generators?|scaffold(?:ing)?)/")
"""Folders of programs that write documentation or code."""
_FOR_CONFIGURATION: Final = regex(r"(?i)config")
"""Names of functions that make files of settings."""
_SUFFIX: Final = regex(r"\.(\w+)(?:\.(?:j2|jinja2?|tmpl|tpl|template))?$")
"""What a template makes, by its name."""
_OF_PAGES: Final = frozenset(
    {"html", "htm", "xhtml", "xml", "svg", "j2", "jinja", "jinja2", "tmpl", "tpl", "template", "mako", "pt"}
)
_TAGS: Final = regex(r"(?i)(?<!import )html(?!\.(?:un)?escape\b)|</")
_HTML: Final = regex(
    r"(?i)html|(?:from|import) +(?:flask|django|fastapi|starlette|aiohttp|tornado|pyramid|bottle)|web|response"
    r"|\bpages?\b(?! *<)|PackageLoader"
)

_READS: Final = regex(
    r"\.(?:parse|get_source|list_templates|lex)\(|find_undeclared_variables|(?m:^\s+[\w.]+\.from_string\()"
)
_RENDERS: Final = regex(
    r"render\w*\(|get_template|\S[ (][\w.]*from_string|TemplateResponse|\.generate\(|\.stream\("
)
"""What a file does with templates that only looks at them, and what makes text of them."""
_OF_SOURCES: Final = (
    "variable_start_string",
    "block_start_string",
    "line_statement_prefix",
    "keep_trailing_newline",
)
"""Options for templates of code, templates and other files of text, in which `{{` or the last line's end means something."""
_OF_PAGE: Final = regex(
    r"(?i)<(?:!doctype html|html|body|div|span|table|t[dr]|[uo]l|li|h[1-6]|p|b|label)[\s>]"
)
"""What the text of a template shows that makes a page."""
_CONVERTS: Final = regex(r"(?m)^\s*(?:from|import) +\w*(?:markdown|mistune|mistletoe|commonmark|cmark)")
"""What makes HTML of what an author has written, which is put into pages as it is on purpose."""
_OWN: Final = regex(r"__file__|\bPackageLoader\b|\bimportlib\b|\bpkg_resources\b")
_ANSWERS: Final = regex(r"(?i)\b(?:request|response|environ)\b")
"""What a file says that brings templates of its own, or that answers requests: with such templates, it is for the program to escape."""
_ESCAPED_ENDS: Final = ("html", "htm", "xml")
"""The ends of names for which `select_autoescape` escapes unless it is told others."""
_TRIAL: Final = 10
"""Statements that a trial has fewer of than a program."""
_PUTS: Final = regex(r"<[^$]*\$\{[^}|]*\}")
"""A value among the tags of a template of Mako that no filter escapes there, as `${name | h}` would be; those in files are not seen."""


@rule(
    ast.Call,
    ast.Assign,
    ast.FunctionDef,
    code="SEC040",
    principles=("output-escaping",),
    severity=Severity.MEDIUM,
    cwe=(79, 116, 94),
    calls=(
        "jinja2.Environment",
        "jinja2.environment.Environment",
        "jinja2.Template",
        "jinja2.sandbox.SandboxedEnvironment",
        "mako.template.Template",
        "mako.lookup.TemplateLookup",
        "django.template.Context",
        "django.template.Engine",
        "django.template.engine.Engine",
        "django.template.RequestContext",
        "tornado.template.Template",
        "tornado.template.Loader",
        "aiohttp_jinja2.setup",
        "jinja2.Environment.overlay",
    ),
    mentions=("autoescape", "jinja2", "mako", "django.template", "tornado", "aiohttp_jinja2"),
    aliases=("B701", "B702", "S701", "S702"),
    references=("https://jinja.palletsprojects.com/en/stable/api/#autoescaping",),
)
def template_autoescape_off(call: ast.Call | ast.Assign | ast.FunctionDef, ctx: Context) -> Iterator[Finding]:
    """Escape values in HTML templates.

    Jinja2 and Mako put values into a page as they are unless they are told to escape them: a name such as `<script>…` becomes part of the
    page and runs in the visitor's browser. `select_autoescape` escapes in files that end in `.html`, `.htm` or `.xml` and in templates
    without a file; for `report.html.j2` it has to be told `j2`. Environments whose file plainly makes other text (code, configuration,
    mail) or a site of its author's own templates and Markdown are not reported.

    ```python bad
    from jinja2 import Environment, FileSystemLoader

    pages = Environment(loader=FileSystemLoader("templates"))
    #       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ values are put into the page as they are: `autoescape` is not set
    ```
    ```python fixed
    from jinja2 import Environment, FileSystemLoader, select_autoescape

    pages = Environment(loader=FileSystemLoader("templates"), autoescape=select_autoescape())
    ```
    ```python good
    from jinja2 import Environment, FileSystemLoader, select_autoescape

    pages = Environment(loader=FileSystemLoader("templates"), autoescape=select_autoescape())
    ```
    """
    if isinstance(call, ast.Assign):
        yield from _switched_off(call, ctx)
        return
    if isinstance(call, ast.FunctionDef):
        yield from _never(call, ctx)
        return
    name = ctx.name(call.func) or ""
    if ctx.is_test or _set_later(call, ctx) or _tries_out(call, ctx):
        return
    if name.startswith("mako."):
        filters = calls.value(ctx, call, None, "default_filters", default=None)
        text = ctx.value(call.args[0]) if call.args else None
        if filters is None and isinstance(text, str) and _PUTS.search(text) and _makes_html(call, ctx):
            yield ctx.finding(
                call, "Mako puts values into the page as they are unless `default_filters` escapes them"
            )
    elif name.startswith(("django.", "tornado.")):
        escape = calls.value(ctx, call, None, "autoescape", default=UNKNOWN)
        if name.endswith("Context") and not _writes_page(call, ctx):
            return
        off = escape is None if name.startswith("tornado.") else escape is False
        if off:
            yield ctx.finding(
                call, "values are put into the page as they are: `autoescape` is off", fix=_drop(call, ctx)
            )
    else:
        yield from _jinja(call, name, ctx)


def _switched_off(node: ast.Assign, ctx: Context) -> Iterator[Finding]:
    """`environment.autoescape = False`."""
    target = node.targets[0]
    if type(target) is ast.Attribute and target.attr == "jinja_options":
        switch = calls.entry(ctx.origin(node.value), "autoescape")
        if switch is not None and ctx.value(switch) is False and not ctx.is_test:
            yield ctx.finding(
                switch, "values are put into the page as they are: `autoescape` is off", fix=_on(switch, ctx)
            )
    elif type(target) is ast.Name and target.id == "TEMPLATES" and not ctx.is_test:
        yield from _settings(node.value, ctx)
    elif type(target) is ast.Subscript and _is_option(target, ctx):
        if ctx.value(node.value) is False and not ctx.is_test:
            yield ctx.finding(
                node,
                "values are put into the page as they are: `autoescape` is off",
                fix=_on(node.value, ctx),
            )
    elif type(target) is not ast.Attribute or target.attr != "autoescape":
        ctx.not_an_opportunity()
    elif (
        ctx.value(node.value) is False
        and (
            (ctx.type_name(target.value) or "").startswith(("jinja2.", "django.template."))
            or calls.identifier(target.value) == "jinja_env"
        )
        and not ctx.is_test
        and not ctx.says(_OTHER_TEXT)
    ):
        yield ctx.finding(
            node, "values are put into the page as they are: `autoescape` is off", fix=_on(node.value, ctx)
        )


def _is_option(target: ast.Subscript, ctx: Context) -> bool:
    """Whether a target is the option of Flask's templates: `app.jinja_options["autoescape"]`."""
    return (
        isinstance(target.value, ast.Attribute)
        and target.value.attr == "jinja_options"
        and ctx.value(target.slice) == "autoescape"
    )


def _on(switch: ast.expr, ctx: Context) -> Fix | None:
    return (
        Fix("Escape values", (ctx.replace(switch, "True"),), Grade.UNSAFE)
        if isinstance(switch, ast.Constant)
        else None
    )


def _settings(value: ast.expr, ctx: Context) -> Iterator[Finding]:
    """`autoescape` among the options of Django's template engines."""
    for engine in ctx.nodes(ast.Dict, within=value):
        switch = calls.entry(engine, "autoescape")
        if switch is not None and ctx.value(switch) is False:
            yield ctx.finding(
                switch, "values are put into the page as they are: `autoescape` is off", fix=_on(switch, ctx)
            )


def _never(function: ast.FunctionDef, ctx: Context) -> Iterator[Finding]:
    """An application of Flask that decides to escape in no template."""
    class_ = ctx.class_(function.body[0])
    last = function.body[-1]
    if (
        function.name == "select_jinja_autoescape"
        and class_ is not None
        and any((ctx.name(base) or "").startswith(("flask.", "quart.")) for base in class_.bases)
        and isinstance(last, ast.Return)
        and last.value is not None
        and ctx.value(last.value) is False
        and not ctx.is_test
    ):
        yield ctx.finding(last, "values are put into the page as they are, in every template")
    else:
        ctx.not_an_opportunity()


def _tries_out(call: ast.Call, ctx: Context) -> bool:
    """Whether a module of a library is tried out by running it."""
    return any(
        isinstance(parent, ast.If)
        and isinstance(ctx.parent(parent), ast.Module)
        and "__name__" in ctx.source(parent.test)
        and len(parent.body) < _TRIAL
        for parent in ctx.ancestors(call)
    )


def _set_later(call: ast.Call, ctx: Context) -> bool:
    """Whether what the call makes is told by an assignment whether to escape."""
    parent = ctx.parent(call)
    if not isinstance(parent, (ast.Assign, ast.AnnAssign)):
        return False
    held = ctx.source(parent.targets[0] if isinstance(parent, ast.Assign) else parent.target)
    return any(
        isinstance(node.targets[0], ast.Attribute)
        and node.targets[0].attr == "autoescape"
        and ctx.source(node.targets[0].value) == held
        for node in ctx.nodes(ast.Assign)
    )


def _jinja(call: ast.Call, name: str, ctx: Context) -> Iterator[Finding]:
    if ctx.says(_READS) and not ctx.says(_RENDERS):
        return
    argument = calls.given(ctx, call, None, "autoescape")
    if argument is None and (calls.has_unpacking(call) or name.endswith((".setup", ".overlay"))):
        return
    if not (_is_known_to_make_pages(call, name, ctx) or _may_make_pages(call, name, argument, ctx)):
        return
    if _is_for_templates_of_others(call, ctx):
        return
    if argument is None:
        fix = _escaping(call, ctx) if name.endswith("Environment") else None
        yield ctx.finding(call, "values are put into the page as they are: `autoescape` is not set", fix=fix)
        return
    fix = None
    if calls.keyword(call, "autoescape") is not None:
        fix = Fix("Escape values", (ctx.set_keyword(call, "autoescape", "True"),), Grade.UNSAFE)
    # The default of a parameter is no value here: callers choose by it.
    values = (one for one in calls.values_of(ctx, argument) if one.told or ctx.value(argument) is False)
    off = next((one for one in values if one.value is False), None)
    if _is_empty_choice(argument, ctx):
        yield ctx.finding(call, "values are put into the page as they are: `autoescape` chooses no template")
    elif off is not None:
        message = "values are put into the page as they are: `autoescape` is off"
        yield ctx.finding(call, message, fix=None if off.told else fix, related=calls.chosen(off, ctx))
    elif missed := _missed(call, argument, ctx):
        message = f"values are put into `{missed}` as they are: `autoescape` goes by the end of its name"
        yield ctx.finding(call, message, fix=fix)


def _escaping(call: ast.Call, ctx: Context) -> Fix | None:
    """Escaping by the ends of names where these are those of pages, else in every template."""
    if calls.keyword(call, "autoescape") is not None:
        return None
    if all(page.endswith(_ESCAPED_ENDS) for page in templates.pages(call, ctx)):
        chosen = ctx.set_keyword(call, "autoescape", "select_autoescape()")
        edits = (chosen, AddImport("jinja2", "select_autoescape"))
        return Fix("Escape in HTML templates", edits, Grade.UNSAFE)
    return Fix("Escape values", (ctx.set_keyword(call, "autoescape", "True"),), Grade.UNSAFE)


def _is_known_to_make_pages(call: ast.Call, name: str, ctx: Context) -> bool:
    """Whether a template is of a page by its name or by its text, and nothing is put into it that is made to be HTML."""
    if ctx.says(_CONVERTS) or _OTHER_PLACE.search(ctx.path):
        return False
    if name == "jinja2.Template":
        given = templates.names(call.args[0], ctx) if call.args else []
        return any(templates.is_page(text) or _OF_PAGE.search(text) for text in given)
    return bool(templates.pages(call, ctx))


def _may_make_pages(call: ast.Call, name: str, argument: ast.expr | None, ctx: Context) -> bool:
    """Whether templates of no known name may be of pages, as far as the file tells."""
    if any(calls.given(ctx, call, None, option) is not None for option in _OF_SOURCES):
        return False
    if name == "jinja2.Template" and "<" not in str(ctx.value(call.args[0]) if call.args else ""):
        return False  # a template of one's own text, unless it shows tags
    if name.endswith("Environment") and not _has_files(call, ctx) and not ctx.says(_TAGS):
        return False  # templates of texts, which may be anything
    return _makes_html(call, ctx) if argument is None else not ctx.says(_OTHER_TEXT)


def _is_for_templates_of_others(call: ast.Call, ctx: Context) -> bool:
    """Whether the templates are in a folder that the user names, as a site's author does, who escapes in them what he does not write."""
    loader = calls.given(ctx, call, 0, "loader")
    made = None if loader is None else ctx.origin(loader)
    if not isinstance(made, ast.Call) or not (made.args or made.keywords):
        return False
    folder = made.args[0] if made.args else made.keywords[0].value
    function = ctx.function(call)
    told = [] if function is None else [each.arg for each in shapes.parameters(function)]
    return any(
        isinstance(part, ast.Name) and part.id in told for part in ast.walk(ctx.origin(folder))
    ) and not (ctx.says(_OWN) or ctx.says(_ANSWERS))


def _missed(call: ast.Call, argument: ast.expr, ctx: Context) -> str | None:
    """A page that `select_autoescape` passes over, since its name does not end in one of those that it is told."""
    made = ctx.origin(argument)
    if not isinstance(made, ast.Call) or not (ctx.name(made.func) or "").endswith("select_autoescape"):
        return None
    chosen = calls.value(ctx, made, 0, "enabled_extensions", default=_ESCAPED_ENDS)
    if (
        not isinstance(chosen, (list, tuple))
        or calls.value(ctx, made, None, "default", default=False) is not False
    ):
        return None
    ends = tuple(f".{str(end).lower().lstrip('.')}" for end in cast("Iterable[object]", chosen))
    return next((page for page in templates.pages(call, ctx) if not page.lower().endswith(ends)), None)


def _has_files(call: ast.Call, ctx: Context) -> bool:
    """Whether an environment finds templates by name, as far as is known."""
    loader = calls.given(ctx, call, None, "loader")
    if loader is None:
        return bool(call.args) or calls.has_unpacking(call)
    return not (calls.qualified(ctx, loader) or ctx.made_by(loader)).endswith(".BaseLoader")


def _is_empty_choice(argument: ast.expr, ctx: Context) -> bool:
    """Whether what decides in which templates values are escaped always says no."""
    made = ctx.origin(argument)
    if isinstance(made, ast.Call) and (ctx.name(made.func) or "").endswith("select_autoescape"):
        chosen = calls.value(ctx, made, 0, "enabled_extensions", default=("html",))
        default = calls.value(ctx, made, None, "default", default=False)
        of_strings = calls.value(ctx, made, None, "default_for_string", default=True)
        return chosen in ((), []) and default is False and of_strings is False
    if isinstance(made, ast.Lambda):
        return ctx.value(made.body) is False
    name = ctx.name(argument)
    function = next((one for one in ctx.nodes(ast.FunctionDef) if name and ctx.name(one) == name), None)
    last = function.body[-1] if function is not None and len(function.body) <= 2 else None
    return isinstance(last, ast.Return) and last.value is not None and ctx.value(last.value) is False


def _writes_page(call: ast.Call, ctx: Context) -> bool:
    """Whether the code around speaks of pages, not of mails and other plain text."""
    around = ctx.function(call) or ctx.tree
    text = ctx.text if isinstance(around, ast.Module) else ctx.source(around)
    return not re.search(r"(?i)\.txt|plain|\btext\b|_text\b|mail|subject|\.py\b|code", text)


def _makes_html(call: ast.Call, ctx: Context) -> bool:
    """Whether the file speaks of pages, and gives no sign that its templates make something else."""
    return ctx.says(_HTML) and not (
        ctx.says(_OTHER_TEXT)
        or _OTHER_PLACE.search(ctx.path)
        or _FOR_CONFIGURATION.search(ctx.symbol(call).rpartition(".")[2])
        or _takes_other_files(call, ctx)
    )


def _takes_other_files(call: ast.Call, ctx: Context) -> bool:
    """Whether the templates that a file takes by name are of no page: `get_template("client.ts")`."""
    taken = templates.taken(call, ctx)
    named = [_SUFFIX.search(name) for names in taken for name in names]
    return (
        bool(taken)
        and all(taken)
        and all(found is not None and found[1].lower() not in _OF_PAGES for found in named)
    )


def _drop(call: ast.Call, ctx: Context) -> Fix | None:
    if calls.keyword(call, "autoescape") is None:
        return None
    return Fix("Escape values", (ctx.remove_argument(call, "autoescape"),), Grade.UNSAFE)
