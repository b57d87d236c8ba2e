"""Finds uses of deprecated or removed names of the standard library and of big packages. The names are data."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import AddImport, Fix, Grade, Severity, regex, rule
from charter_rules import apis, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding
    from charter_rules.apis import Api

_OF_PYTHON = regex(r"(?i:\bpy_?[23])|PY")
"""Names for the language's own version: `six.PY2`, `py3k`."""
_GUARDS = frozenset(
    {
        "builtins.ImportError", "builtins.ModuleNotFoundError", "builtins.AttributeError", "builtins.Exception",
        "builtins.NameError",
    }
)  # fmt: skip


@rule(
    ast.Attribute,
    ast.ImportFrom,
    ast.Import,
    code="MNT009",
    principles=("no-deprecated-apis",),
    severity=Severity.MEDIUM,
    attributes=apis.WORDS,
    cwe=(477,),
    aliases=("UP005", "UP017", "NPY001", "NPY201"),
)
def deprecated_api(node: ast.Attribute | ast.ImportFrom | ast.Import, ctx: Context) -> Iterator[Finding]:
    """A name is used that its library has deprecated or removed.

    A removed name fails the day the library is upgraded, often at import and in production first; a deprecated one
    holds the upgrade back. The standard library's names are judged by the oldest Python that the project supports:
    what has no replacement there is not reported. Code that tries the new name first and falls back is left alone.

    The names are in `data/deprecated_python.toml` and `data/deprecated_libraries.toml`.

    ```python bad
    import unittest

    class TestPrice(unittest.TestCase):
        def test_total(self):
            self.assertEquals(total([1, 2]), 3)
    #       ^^^^^^^^^^^^^^^^^ `assertEquals` is removed in Python 3.12; use `assertEqual`
    ```
    ```python fixed
    import unittest

    class TestPrice(unittest.TestCase):
        def test_total(self):
            self.assertEqual(total([1, 2]), 3)
    ```
    ```python good
    try:
        from collections.abc import Mapping
    except ImportError:
        from collections import Mapping

    def is_mapping(value):
        return isinstance(value, Mapping)
    ```
    """
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _module(alias, alias.name, node, ctx)
        return
    if isinstance(node, ast.ImportFrom):
        yield from _import_from(node, ctx)
        return
    table = apis.load()
    method = table.methods.get(node.attr)
    if method is not None and shapes.is_name(node.value, "self") and _is_derived(node, method, ctx):
        yield _finding(node, method, node.attr, ctx, _rename(node, method, ctx))
        return
    api = table.names.get(ctx.name(node) or "")
    if api is not None and _applies(api, ctx) and not _is_guarded(node, ctx):
        yield _finding(node, api, ctx.source(node), ctx, _qualified(node, api, ctx))


def _applies(api: Api, ctx: Context) -> bool:
    if api.needs and ctx.python < api.needs:
        return False
    own = ctx.module.partition(".")[0]
    if own and own == api.name.partition(".")[0]:
        return False  # the library's own code knows what it keeps
    return api.always or bool(api.removed) or api.package != "Python" or ctx.python >= api.since


def _finding(place: ast.AST, api: Api, name: str, ctx: Context, fix: Fix | None) -> Finding:
    use = api.use if " " in api.use else f"`{api.use}`"
    note = f" ({api.note})" if api.note else ""
    return ctx.finding(
        place,
        f"`{name}` is {api.history}{note}; use {use}",
        fix=fix,
        severity=None if api.removed else Severity.LOW,
        tags=("deprecated",),
    )


def _module(alias: ast.alias, name: str, node: ast.stmt, ctx: Context) -> Iterator[Finding]:
    parts = name.split(".")
    api = next(
        (
            found
            for end in range(len(parts), 0, -1)
            if (found := apis.load().modules.get(".".join(parts[:end])))
        ),
        None,
    )
    api = api or apis.load().names.get(name)
    if api is not None and _applies(api, ctx) and not _is_guarded(node, ctx):
        yield _finding(alias, api, name, ctx, None)


def _import_from(node: ast.ImportFrom, ctx: Context) -> Iterator[Finding]:
    if node.level or node.module is None:
        return
    table = apis.load()
    whole = table.names.get(node.module)
    if whole is None or whole.function:
        whole = table.modules.get(node.module.partition(".")[0])
    for alias in node.names:
        known_word = alias.name in table.words
        api = (table.names.get(f"{node.module}.{alias.name}") if known_word else None) or whole
        if api is not None and _applies(api, ctx) and not _is_guarded(node, ctx):
            known = api.name == f"{node.module}.{alias.name}"
            name = api.name if known else node.module
            yield _finding(alias, api, name, ctx, _reimport(node, alias, api, ctx) if known else None)
            if not known:
                return


def _is_guarded(node: ast.AST, ctx: Context) -> bool:
    """Whether the code knows that the name may be missing: a `try` for it, a test of the version, or a shim."""
    child: ast.AST = node
    for ancestor in ctx.ancestors(node):
        if isinstance(ancestor, ast.Try):
            for handler in ancestor.handlers:
                types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
                if any(item is None or ctx.name(item) in _GUARDS for item in types):
                    return True
        elif isinstance(ancestor, ast.ExceptHandler):
            return True
        elif isinstance(ancestor, (ast.If, ast.IfExp)) and child is not ancestor.test:
            test = f"{ctx.source(ancestor.test)} {ctx.source(ctx.origin(ancestor.test))}"
            if _OF_PYTHON.search(test) or any(
                word in test
                for word in (
                    "version",
                    "deprecated",
                    "hasattr",
                    "HAS_",
                    "has_",
                    "VERSION",
                    "TYPE_CHECKING",
                    "is not None",
                )
            ):
                return True
        child = ancestor
    return False


def _is_derived(node: ast.Attribute, api: Api, ctx: Context) -> bool:
    """Whether `self` is of a class that derives from the one the method was taken from and has no such method itself."""
    class_ = ctx.class_(node)
    if class_ is None:
        return False
    own = any(isinstance(item, shapes.FUNCTIONS) and item.name == api.name for item in ast.walk(class_))
    bases = [ctx.source(base).rpartition(".")[2] for base in class_.bases]
    return not own and any(base.endswith(api.of) for base in bases)


def _rename(node: ast.Attribute, api: Api, ctx: Context) -> Fix | None:
    if not api.replace:
        return None
    grade = Grade.SAFE if api.safe else Grade.UNSAFE
    return Fix(f"Call `{api.replace}`", (ctx.replace(ctx.name_span(node), api.replace),), grade)


def _qualified(node: ast.Attribute, api: Api, ctx: Context) -> Fix | None:
    """Put the new name in place of `module.name`, importing its module if it is another one."""
    if not api.replace:
        return None
    module, _, name = api.replace.rpartition(".")
    old = api.name.rpartition(".")[0]
    edits: list[AnyEdit] = []
    if module == old:
        edits.append(ctx.replace(ctx.name_span(node), name))
    elif module == "builtins":
        edits.append(ctx.replace(node, name))
        if ctx.name(node) is None or not ctx.is_bound(name, node):
            return None
    else:
        edits.extend((ctx.replace(node, api.replace), AddImport(module)))
    return Fix(f"Use `{api.use}`", tuple(edits), Grade.SAFE if api.safe else Grade.UNSAFE)


def _reimport(node: ast.ImportFrom, alias: ast.alias, api: Api, ctx: Context) -> Fix | None:
    """Import the new name under the old local name, where the statement imports nothing else."""
    module, _, name = api.replace.rpartition(".")
    if not api.replace or module == "builtins" or len(node.names) != 1 or node.level:
        return None
    local = alias.asname or alias.name
    imported = name if name == local else f"{name} as {local}"
    return Fix(
        f"Import `{api.replace}`",
        (ctx.replace(node, f"from {module} import {imported}"),),
        Grade.SAFE if api.safe else Grade.UNSAFE,
    )
