"""Rewrites of a program that keep its meaning, so that no verdict of the analysis may change."""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import ast
import copy
import re
from typing import TYPE_CHECKING

from cases import PRELUDE

if TYPE_CHECKING:
    from collections.abc import Callable

Project = dict[str, str]


def _each(transform: Callable[[ast.Module], ast.AST]) -> Callable[[Project], Project]:
    """Apply a change of trees to every file; the marks move with their statements."""

    def rewrite(project: Project) -> Project:
        return {path: _unparsed(transform, text) for path, text in project.items()}

    return rewrite


def _unparsed(transform: Callable[[ast.Module], ast.AST], text: str) -> str:
    tree = ast.parse(text)
    marks = {
        number: match[0]
        for number, line in enumerate(text.splitlines(), 1)
        if (match := re.search(r"# !.*$", line))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            lines = range(node.lineno, (node.end_lineno or 0) + 1)
            setattr(node, "marks", [marks[line] for line in lines if line in marks])  # noqa: B010
        elif isinstance(node, ast.stmt) and node.lineno in marks:
            setattr(node, "marks", [marks[node.lineno]])  # noqa: B010
    return _print(ast.fix_missing_locations(transform(tree)))


class _Printer(ast._Unparser):  # pyright: ignore[reportAttributeAccessIssue, reportUntypedBaseClass]
    """Prints a tree and puts the marks behind the lines of their statements."""

    def visit(self, node: ast.AST) -> str:
        self._source = []
        self.traverse(node)
        return "".join(self._source)

    def traverse(self, node: object) -> None:
        super().traverse(node)
        if isinstance(node, ast.Expr | ast.Assign | ast.Return | ast.AugAssign) and getattr(
            node, "marks", None
        ):
            self._source.append("  " + node.marks[0])  # pyright: ignore[reportAttributeAccessIssue]

    def visit_With(self, node: ast.With) -> None:  # noqa: N802 (the visitor's own naming)
        super().visit_With(node)


def _print(tree: ast.AST) -> str:
    return _Printer().visit(tree) + "\n"


_RENAMED = frozenset({"x", "a", "b", "d", "v", "y", "q"})


def _reads(node: ast.AST) -> bool:
    """Whether an assignment's value is read from a request."""
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and "request." in ast.unparse(node.value)
    )


class _Rename(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(f"{node.id}_renamed", node.ctx) if node.id in _RENAMED else node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(f"{node.arg}_renamed", node.annotation) if node.arg in _RENAMED else node

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:
        self.generic_visit(node)
        if node.name in {"x", "v"}:
            node.name = f"{node.name}_renamed"
        return node


class _IntoList(ast.NodeTransformer):
    """`x = value` becomes `x = [value][0]`."""

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if _reads(node):
            node.value = ast.Subscript(ast.List([node.value], ast.Load()), ast.Constant(0), ast.Load())
        return node


class _IntoDict(ast.NodeTransformer):
    """`x = value` becomes `x = {"k": value}["k"]`."""

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if _reads(node):
            node.value = ast.Subscript(
                ast.Dict([ast.Constant("k")], [node.value]), ast.Constant("k"), ast.Load()
            )
        return node


class _IntoHelper(ast.NodeTransformer):
    """`x = value` becomes `x = same(value)`."""

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if _reads(node):
            node.value = ast.Call(ast.Name("same", ast.Load()), [node.value], [])
        return node


class _Invert(ast.NodeTransformer):
    """`if c: A else: B` becomes `if not c: B else: A`."""

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        test = ast.UnaryOp(ast.Not(), node.test)
        return ast.copy_location(ast.If(test, node.orelse or [ast.Pass()], node.body), node)


class _DeadCode(ast.NodeTransformer):
    """Statements that do nothing stand before each assignment."""

    def visit_Assign(self, node: ast.Assign) -> object:
        return [*ast.parse("unused = 1\nif unused > 5:\n    unused = 'never'").body, node]


class _Formatted(ast.NodeTransformer):
    """f-strings become `"…".format(…)`."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        text, values = "", []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                if part.conversion != -1 or part.format_spec:
                    return node
                text += "{}"
                values.append(part.value)
            elif isinstance(part, ast.Constant):
                text += str(part.value).replace("{", "{{").replace("}", "}}")
        return ast.Call(ast.Attribute(ast.Constant(text), "format", ast.Load()), values, [])


class _Percent(_Formatted):
    """f-strings become `"…" % (…)`."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        text, values = "", []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                if part.conversion != -1 or part.format_spec:
                    return node
                text += "%s"
                values.append(part.value)
            elif isinstance(part, ast.Constant):
                text += str(part.value).replace("%", "%%")
        return ast.BinOp(ast.Constant(text), ast.Mod(), ast.Tuple(values, ast.Load()))


def _with_helper(tree: ast.Module) -> ast.AST:
    changed = _IntoHelper().visit(copy.deepcopy(tree))
    at = next(
        (
            index
            for index, node in enumerate(changed.body)
            if not isinstance(node, ast.Import | ast.ImportFrom)
        ),
        0,
    )
    changed.body[at:at] = ast.parse("def same(value):\n    return value").body
    return changed


def aliased(project: Project) -> Project:
    """Imports under other names."""
    changed = dict(project)
    for path, text in project.items():
        new = re.sub(r"\brequest\b(?=[.\[])", "rq", text)
        new = re.sub(r"(from flask import [^\n]*)\brequest\b(?! as)", r"\1request as rq", new)
        changed[path] = new.replace("Wrapper(request)", "Wrapper(rq)")
    return changed


def moved(project: Project) -> Project:
    """The source of the data moves into a function of another file."""
    text = project.get("app.py")
    if text is None or "nested" in text:
        return project
    new = re.sub(r'request\.(args|form)\["(\w+)"\]', r'given_\1("\2")', text)
    new = new.replace(PRELUDE, PRELUDE + "from given import given_args, given_form\n")
    helper = "from flask import request\n" + "".join(
        f"def given_{name}(key):\n    return request.{name}[key]\n" for name in ("args", "form")
    )
    return {"app.py": new, "given.py": helper}


REWRITES: dict[str, Callable[[Project], Project]] = {
    "unchanged": _each(lambda tree: tree),
    "renamed": _each(_Rename().visit),
    "in a list": _each(_IntoList().visit),
    "in a dict": _each(_IntoDict().visit),
    "through a helper": _each(_with_helper),
    "inverted conditions": _each(_Invert().visit),
    "dead code": _each(_DeadCode().visit),
    "format": _each(_Formatted().visit),
    "percent": _each(_Percent().visit),
    "aliased imports": aliased,
    "source in another file": moved,
}
"""Each rewrite by name."""
