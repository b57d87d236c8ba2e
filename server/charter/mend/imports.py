"""Where a new import goes. It adds names at module level only and never reorders what is there."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

from charter.api import AddImport, Edit, Span
from charter.model.names import Names

if TYPE_CHECKING:
    from charter.syntax.source import Source

Import = ast.Import | ast.ImportFrom


def import_edit(source: Source, wanted: AddImport) -> Edit | str | None:
    """The edit that makes an import available.

    Returns:
        The edit; None if the name is imported already; or why it cannot be done, if the name means something else.
    """
    local = wanted.alias or wanted.name or wanted.module.partition(".")[0]
    target = f"{wanted.module}.{wanted.name}" if wanted.name else wanted.module if wanted.alias else local
    bindings = Names(source).table(source.tree).get(local, [])
    top = [node for node in source.tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    if bindings:
        if all(binding.target != target for binding in bindings):
            return f"the name `{local}` is taken"
        if any(binding.node in top and binding.target == target for binding in bindings) and (
            wanted.name or wanted.alias or _imports_all_of(wanted.module, top)
        ):
            return None
    if wanted.name:
        extended = _extend(source, wanted, top)
        if extended:
            return extended
    return _new_line(source, wanted, _block(source))


def _imports_all_of(module: str, top: list[Import]) -> bool:
    """`import a` does not make `a.b` available, but `import a.b` makes `a`."""
    names = [alias.name for node in top if isinstance(node, ast.Import) for alias in node.names]
    return any(name == module or name.startswith(f"{module}.") for name in names)


def _statement(wanted: AddImport) -> str:
    alias = f" as {wanted.alias}" if wanted.alias else ""
    if wanted.name:
        return f"from {wanted.module} import {wanted.name}{alias}"
    return f"import {wanted.module}{alias}"


def _extend(source: Source, wanted: AddImport, top: list[Import]) -> Edit | None:
    """Add the name to a from-import of the same module that fits on one line."""
    new = f"{wanted.name} as {wanted.alias}" if wanted.alias else wanted.name
    for node in top:
        if not isinstance(node, ast.ImportFrom) or node.module != wanted.module or node.level:
            continue
        line = source.positions.line_text(node.lineno)
        names = node.names
        if node.end_lineno != node.lineno or ")" in line or "#" in line or names[0].name == "*":
            continue
        if len(line) + len(new) + 2 > 88:
            continue
        ordered = sorted(names, key=lambda alias: alias.name.lower()) == names
        later = (
            next((alias for alias in names if alias.name.lower() > wanted.name.lower()), None)
            if ordered
            else None
        )
        if later is not None:
            at = source.span(later).start
            return Edit(Span(at, at), f"{new}, ")
        at = source.span(names[-1]).end
        return Edit(Span(at, at), f", {new}")
    return None


def _block(source: Source) -> list[Import]:
    """The imports at the head of the module: the first run, between which only imports stand."""
    found: list[Import] = []
    for node in source.tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.append(node)
        elif found or not _is_docstring(node):
            break
    return found


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _group(node: Import | AddImport) -> int:
    """The part of the import block, as isort and PEP 8 order them: future, standard library, others, relative."""
    if isinstance(node, ast.ImportFrom) and node.level:
        return 3
    module = node.names[0].name if isinstance(node, ast.Import) else node.module or ""
    if module == "__future__":
        return 0
    return 1 if module.partition(".")[0] in sys.stdlib_module_names else 2


def _key(node: Import | AddImport) -> tuple[int, bool, str]:
    if isinstance(node, AddImport):
        return _group(node), bool(node.name), node.module.lower()
    module = node.names[0].name if isinstance(node, ast.Import) else node.module or ""
    return _group(node), isinstance(node, ast.ImportFrom), module.lower()


def _new_line(source: Source, wanted: AddImport, block: list[Import]) -> Edit:
    end = source.positions.line_end
    text = _statement(wanted)
    key = _key(wanted)
    before = [node for node in block if _key(node) <= key]
    if before:
        anchor = before[-1]
        line = anchor.end_lineno or anchor.lineno
        gap = end if _group(anchor) != key[0] else ""
        if _ends_on_its_line(source, anchor):
            return _insert_after(source, line, gap + text, end)
    if block and _ends_on_its_line(source, block[0]):
        anchor = block[0]
        gap = end if _group(anchor) != key[0] else ""
        at = source.positions.starts[anchor.lineno - 1]
        return Edit(Span(at, at), text + end + gap)
    body = source.tree.body
    if body and _is_docstring(body[0]):
        line = body[0].end_lineno or 1
        gap = end if source.positions.line_text(line + 1).strip() else ""
        return _insert_after(source, line, end + text, end + gap)
    return _insert_at_head(source, text, end)


def _ends_on_its_line(source: Source, node: ast.stmt) -> bool:
    """Whether a statement has its first and last lines for itself."""
    span = source.span(node)
    starts = source.positions.starts
    last = node.end_lineno or node.lineno
    rest = source.text[span.end : starts[last] if last < len(starts) else len(source.text)].strip()
    return span.start == starts[node.lineno - 1] and (not rest or rest.startswith("#"))


def _insert_after(source: Source, line: int, text: str, end: str) -> Edit:
    starts = source.positions.starts
    if line < len(starts):
        return Edit(Span(starts[line], starts[line]), text + end)
    at = len(source.text)
    return Edit(Span(at, at), end + text + end)


def _insert_at_head(source: Source, text: str, end: str) -> Edit:
    """In a module without imports: behind the comments that lead it, before its first statement."""
    line = 1
    while source.positions.line_text(line).startswith("#"):
        line += 1
    at = source.positions.starts[line - 1] if line <= len(source.positions.starts) else len(source.text)
    body = source.tree.body
    follows_import = bool(body) and isinstance(body[0], (ast.Import, ast.ImportFrom))
    gap = "" if follows_import or not body else end
    if body and isinstance(body[0], (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        gap = end * 2
    lead = end if at == len(source.text) and line > 1 and not source.text.endswith(("\n", "\r")) else ""
    return Edit(Span(at, at), lead + text + end + gap)
