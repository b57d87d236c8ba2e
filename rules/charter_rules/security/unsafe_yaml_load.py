"""Finds YAML that is loaded with a loader able to build any object."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import AddImport, Fix, Grade, Severity, regex, rule
from charter.api.facts.taint import OwnText
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding

_UNSAFE: Final = frozenset(
    f"yaml.{part}{name}"
    for part in ("", "loader.", "cyaml.")
    for name in ("Loader", "UnsafeLoader", "CLoader", "CUnsafeLoader")
)
"""Loaders that build any object; `FullLoader` calls nothing since PyYAML 5.4 (2021)."""
_WRITERS: Final = frozenset({"dump", "dump_all"})
_SAFE: Final = regex(r"(?i)(?:^|[\W_])(?:un)?safe(?:$|[\W_])")
"""A word of conditions under which the caller chooses."""
_ALWAYS: Final = frozenset({"yaml.unsafe_load", "yaml.unsafe_load_all"})


@rule(
    ast.Call,
    code="SEC001",
    principles=("safe-deserialization",),
    severity=Severity.HIGH,
    cwe=(502,),
    excused_by=(OwnText,),
    calls=("yaml.load", "yaml.load_all", *sorted(_ALWAYS), "ruamel.yaml.YAML"),
    aliases=("B506", "S506"),
    references=(
        "https://pyyaml.org/wiki/PyYAMLDocumentation",
        "https://cwe.mitre.org/data/definitions/502.html",
    ),
)
def unsafe_yaml_load(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Load YAML without letting it build arbitrary objects.

    YAML tags such as `!!python/object/apply:os.system` make PyYAML's unsafe loaders create objects and call functions
    while they read. Whoever writes the document then runs code in your process. `yaml.safe_load` reads the same
    mappings, lists, strings, numbers and dates, and refuses such tags. `FullLoader` calls nothing since PyYAML 5.4.

    ```python bad
    import yaml

    def settings(text):
        return yaml.load(text, Loader=yaml.Loader)
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `yaml.load` can run code that is hidden in the document
    ```
    ```python fixed
    import yaml

    def settings(text):
        return yaml.safe_load(text)
    ```
    ```python good
    import yaml

    def settings(text):
        return yaml.safe_load(text)

    def large(text):
        return yaml.load(text, Loader=yaml.CSafeLoader)
    ```
    """
    name = ctx.name(call.func) or ""
    if name == "ruamel.yaml.YAML":
        if calls.value(ctx, call, None, "typ") == "unsafe" and not _only_writes(call, ctx):
            edits = (ctx.set_keyword(call, "typ", '"safe"'),)
            fix = Fix("Load plain values only", edits, Grade.UNSAFE)
            yield ctx.finding(call, '`typ="unsafe"` can run code that is hidden in the document', fix=fix)
        return
    loader = calls.given(ctx, call, 1, "Loader")
    if call.args and isinstance(ctx.value(call.args[0]), (str, bytes)):
        return  # the program itself has written the document
    if name not in _ALWAYS:
        if loader is None and calls.has_unpacking(call):
            return
        if loader is not None and not _is_unsafe(loader, ctx):
            return
    if _is_asked_for(call, ctx):
        return
    yield ctx.finding(
        call, f"`{name}` can run code that is hidden in the document", fix=_fix(call, name, loader, ctx)
    )


def _is_asked_for(call: ast.Call, ctx: Context) -> bool:
    """Whether the caller chooses between the safe way and this one: `if safe:`."""
    return any(
        isinstance(parent, (ast.If, ast.IfExp)) and _SAFE.search(ctx.source(parent.test))
        for parent in ctx.ancestors(call)
    )


def _only_writes(call: ast.Call, ctx: Context) -> bool:
    """Whether all that is called on an object of ruamel.yaml, in place or under its one name in this file, is `dump`."""
    direct = ctx.parent(call)
    if isinstance(direct, ast.Attribute):
        return direct.attr in _WRITERS
    used = {
        use.attr
        for name in shapes.reads_of_result(call, ctx) or ()
        if isinstance(use := ctx.parent(name), ast.Attribute) and isinstance(ctx.parent(use), ast.Call)
    }
    return bool(used) and used <= _WRITERS


def _is_unsafe(loader: ast.expr, ctx: Context) -> bool:
    """Whether a loader is one of PyYAML's that build any object, or a class of this file that is derived from one."""
    loader = _given_by(ctx.origin(loader), ctx)
    return calls.qualified(ctx, loader) in _UNSAFE or _unsafe_base(loader, ctx) is not None


def _given_by(loader: ast.expr, ctx: Context) -> ast.expr:
    """What a call gives that only looks a loader up: a function of this file that returns it, or `getattr` with a default."""
    if not isinstance(loader, ast.Call):
        return loader
    if ctx.name(loader.func) == "builtins.getattr" and len(loader.args) == 3:
        return loader.args[2]
    function = ctx.once(shapes.functions_by_name).get(calls.identifier(loader.func))
    body = shapes.without_docstring(function.body) if function is not None else []
    last = body[0] if len(body) == 1 else None
    return last.value if isinstance(last, ast.Return) and last.value is not None else loader


def _unsafe_base(loader: ast.expr, ctx: Context) -> ast.expr | None:
    """The loader that builds any object from which a class of this file is derived; None if the loader is no such class."""
    name = calls.identifier(loader)
    return next(
        (
            base
            for definition in ctx.nodes(ast.ClassDef)
            if definition.name == name
            for base in definition.bases
            if ctx.name(base) in _UNSAFE
        ),
        None,
    )


def _fix(call: ast.Call, name: str, loader: ast.expr | None, ctx: Context) -> Fix | None:
    if len(call.args) > 2 or calls.has_unpacking(call) or not call.args:
        return None
    base = None if loader is None else _unsafe_base(loader, ctx)
    if base is not None:  # its own tags are to be read as before
        kind = "CSafeLoader" if calls.identifier(base).startswith("C") else "SafeLoader"
        edit = (ctx.replace(base, f"yaml.{kind}"), AddImport("yaml"))
        return Fix(f"Derive the loader from `yaml.{kind}`", edit, Grade.UNSAFE)
    safe = "safe_load_all" if name.endswith("_all") else "safe_load"
    edits: list[AnyEdit] = []
    if isinstance(call.func, ast.Attribute):
        edits.append(ctx.replace(ctx.name_span(call.func), safe))
    else:
        edits += [ctx.replace(call.func, f"yaml.{safe}"), AddImport("yaml")]
    if calls.keyword(call, "Loader"):
        edits.append(ctx.remove_argument(call, "Loader"))
    elif len(call.args) == 2:
        edits.append(ctx.remove_argument(call, 1))
    return Fix(f"Load with `yaml.{safe}`", tuple(edits), Grade.UNSAFE)
