"""Checks that keep untrusted names, addresses and values where they belong. It follows no data itself."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import AddImport, Fix, Grade
from charter_rules import building, calls, flows

if TYPE_CHECKING:
    from charter.api import AnyEdit, Context
    from charter.api.facts.taint import TaintFlow


def secured_name(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Reduce the name of an uploaded file to one that is safe in any folder."""
    argument = flows.argument(flow, ctx)
    if argument is None or "filename" not in flow.source or not _imports(ctx, "flask", "werkzeug"):
        return None
    written = ctx.origin(argument)
    names = [one for one in ast.walk(written) if isinstance(one, ast.Attribute) and one.attr == "filename"]
    if len(names) != 1:
        return None
    edit = ctx.replace(names[0], f"secure_filename({ctx.source(names[0])})")
    return Fix(
        "Reduce it to a safe name", (edit, AddImport("werkzeug.utils", "secure_filename")), Grade.UNSAFE
    )


def contained(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Refuse paths that leave the folder to which the name is appended."""
    argument = flows.argument(flow, ctx)
    if argument is None or flow.weight:
        return None
    written = ctx.origin(argument)
    folder = _folder(written, ctx)
    if folder is None:
        return None
    title = "Refuse paths that leave the folder"
    imports = AddImport("pathlib", "Path")
    if written is not argument and isinstance(argument, ast.Name):
        lines = _refusal(argument.id, ctx.source(folder))
        return Fix(title, (ctx.insert_after(ctx.statement(written), lines), imports), Grade.SUGGESTION)
    if written is not argument or not _stands_alone(argument, ctx) or ctx.is_bound("path", argument):
        return None
    lines = f"path = {ctx.source(argument)}\n{_refusal('path', ctx.source(folder))}"
    edits: tuple[AnyEdit, ...] = (
        ctx.insert_before(ctx.statement(argument), lines), ctx.replace(argument, "path"), imports
    )  # fmt: skip
    return Fix(title, edits, Grade.SUGGESTION)


def _refusal(path: str, folder: str) -> str:
    return (
        f"if not Path({path}).resolve().is_relative_to(Path({folder}).resolve()):\n"
        '    raise ValueError("the path leaves its folder")'
    )


def _folder(written: ast.expr, ctx: Context) -> ast.expr | None:
    """The folder to which a name is appended."""
    if isinstance(written, ast.Call) and ctx.name(written.func) in {"os.path.join", "pathlib.Path"}:
        first = written.args[0] if len(written.args) > 1 else None
        return None if isinstance(first, ast.Starred) else first
    if isinstance(written, ast.BinOp) and isinstance(written.op, ast.Div):
        return written.left
    return None


def own_address(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Redirect to a path of this site, whatever else was asked for."""
    argument = flows.argument(flow, ctx)
    title = "Redirect within the site only"
    if argument is None:
        return None
    if _imports(ctx, "django") and ctx.is_bound("request", argument):
        test = "not url_has_allowed_host_and_scheme({target}, allowed_hosts={{request.get_host()}})"
        imports = AddImport("django.utils.http", "url_has_allowed_host_and_scheme")
        if not _stands_alone(argument, ctx):
            return None
        return _guarded(argument, "target", test, '{target} = "/"', imports, title, ctx)
    if not isinstance(argument, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
        return None
    path = f'"/" + {ctx.source(argument)}.lstrip("/\\\\")'
    return Fix(title, (ctx.replace(argument, path),), Grade.SUGGESTION)


def known_host(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Connect to hosts of a fixed list only."""
    argument = flows.argument(flow, ctx)
    if argument is None or flow.detail == "path" or not _stands_alone(argument, ctx):
        return None
    test = 'urlsplit({target}).hostname not in {{"api.example.com"}}'
    refusal = 'raise ValueError("the host is not known")'
    imports = AddImport("urllib.parse", "urlsplit")
    return _guarded(argument, "url", test, refusal, imports, "Compare the host with a list", ctx)


def _guarded(
    argument: ast.expr, name: str, test: str, body: str, imports: AddImport, title: str, ctx: Context
) -> Fix | None:
    """A check in front of the statement; what is no name gets one."""
    statement = ctx.statement(argument)
    edits: list[AnyEdit] = [imports]
    lines = ""
    if isinstance(argument, ast.Name):
        name = argument.id
    elif ctx.is_bound(name, argument):
        return None
    else:
        lines = f"{name} = {ctx.source(argument)}\n"
        edits.append(ctx.replace(argument, name))
    lines += f"if {test.format(target=name)}:\n    {body.format(target=name)}"
    return Fix(title, (ctx.insert_before(statement, lines), *edits), Grade.SUGGESTION)


def _stands_alone(argument: ast.expr, ctx: Context) -> bool:
    """Whether the argument may as well be evaluated in front of its statement."""
    statement = ctx.statement(argument)
    if not isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign | ast.Return | ast.With | ast.Raise):
        return False
    inside = (ast.IfExp, ast.BoolOp, ast.Lambda, ast.comprehension, ast.ListComp, ast.DictComp, ast.SetComp)
    around = (one for one in ctx.ancestors(argument) if not isinstance(one, ast.stmt))
    return "\n" not in ctx.source(argument) and not any(isinstance(one, inside) for one in around)


def _imports(ctx: Context, *packages: str) -> bool:
    imported = [alias.name for node in ctx.nodes(ast.Import) for alias in node.names]
    imported += [node.module or "" for node in ctx.nodes(ast.ImportFrom) if not node.level]
    return any(name.partition(".")[0] in packages for name in imported)


def variables(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Pass values to an XPath expression of lxml as variables."""
    call, argument = flows.call(flow, ctx), flows.argument(flow, ctx)
    if call is None or argument is None or len(call.args) != 1 or not flow.sink.startswith("lxml."):
        return None
    parts = building.pieces(argument, ctx)
    if not flow.sink.endswith(".xpath") or not parts or calls.has_unpacking(call):
        return None
    text = ""
    given: list[str] = []
    taken = {keyword.arg for keyword in call.keywords}
    opened = False
    for index, piece in enumerate(parts):
        if piece.value is None:
            start, own = (1 if opened else 0), piece.text
            opened = index + 1 < len(parts)
            if opened and own[-1:] not in {"'", '"'}:
                return None
            if start and own[:1] != parts[index - 2].text[-1:]:
                return None
            text += own[start : len(own) - opened]
        else:
            name = f"value{len(given) + 1}"
            if not piece.plain or not opened or index + 1 == len(parts) or name in taken:
                return None
            text += f"${name}"
            given.append(f"{name}={ctx.source(piece.value)}")
    if any(char in text for char in "\\\n") or ('"' in text and "'" in text) or not given:
        return None
    quote = "'" if '"' in text else '"'
    edit = ctx.replace(argument, f"{quote}{text}{quote}, {', '.join(given)}")
    return Fix("Pass the values as variables", (edit,), Grade.UNSAFE)


def text_values(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Make texts of the values that a query is given, so that they hold no operators."""
    argument = flows.argument(flow, ctx)
    if not isinstance(argument, ast.Dict):
        return None
    values = [one for one in argument.values if isinstance(one, ast.Subscript) or _is_get(one)]
    if not values or len(values) != sum(not isinstance(one, ast.Constant) for one in argument.values):
        return None
    edits = tuple(ctx.replace(one, f"str({ctx.source(one)})") for one in values)
    return Fix("Convert the values to text", edits, Grade.UNSAFE)


def _is_get(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get"
