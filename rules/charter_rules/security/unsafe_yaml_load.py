"""Finds YAML that is loaded with a loader able to build any object."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import AddImport, Fix, Grade, Severity, rule
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
    yield ctx.finding(
        call, f"`{name}` can run code that is hidden in the document", fix=_fix(call, name, ctx)
    )


def _only_writes(call: ast.Call, ctx: Context) -> bool:
    """Whether all that is called on an object of ruamel.yaml under its one name in this file is `dump`."""
    used = {
        use.attr
        for name in shapes.reads_of_result(call, ctx) or ()
        if isinstance(use := ctx.parent(name), ast.Attribute) and isinstance(ctx.parent(use), ast.Call)
    }
    return bool(used) and used <= {"dump", "dump_all"}


def _is_unsafe(loader: ast.expr, ctx: Context) -> bool:
    """Whether a loader is one of PyYAML's that build any object, or a class of this file that is derived from one."""
    if calls.qualified(ctx, loader) in _UNSAFE:
        return True
    name = calls.identifier(loader)
    return any(
        definition.name == name and any(ctx.name(base) in _UNSAFE for base in definition.bases)
        for definition in ctx.nodes(ast.ClassDef)
    )


def _fix(call: ast.Call, name: str, ctx: Context) -> Fix | None:
    if len(call.args) > 2 or calls.has_unpacking(call) or not call.args:
        return None
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
