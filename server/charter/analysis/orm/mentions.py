"""What each function and class of a file mentions by name, as far as reaching a query can depend on it.

It looks at one file and resolves nothing; `reach` draws the conclusions for the project.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.analysis.orm.declarations import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.syntax.source import Source

FUNCTION, VARIABLE, REST = 0, 1, 2

ClassMention = tuple[str, tuple[str, ...], bool]
"""Name, last names of the bases, and whether its body names a table or a relation."""
Unit = tuple[int, int, str, frozenset[str], frozenset[str], frozenset[str], frozenset[str]]
"""Kind, number of the class (-1 for none), name, names read, attributes read, attributes of `self` read and stored."""
Mentions = tuple[list[ClassMention], list[Unit], dict[str, str], bool]
"""Classes, units, the original (last) name of each imported one, and whether a `*` is imported."""

_SELF = frozenset({"self", "cls"})
_RELATIONS = frozenset({"ForeignKey", "ManyToManyField", "OneToOneField", "relationship"})
_BLOCKS = ("body", "orelse", "finalbody")


def mentions(source: Source) -> Mentions:
    """What the units of a file mention: its functions and methods, the variables of modules and classes, and the rest."""
    found = _Units(source.text.count("\n") + 2)
    found.block(source.tree.body, -1)
    owner, units = found.owner, found.units
    names: list[set[str]] = [set() for _ in units]
    attributes: list[set[str]] = [set() for _ in units]
    read: list[set[str]] = [set() for _ in units]
    stored: list[set[str]] = [set() for _ in units]
    for name in source.nodes(ast.Name):
        names[owner[name.lineno]].add(name.id)
    for node in source.nodes(ast.Attribute):
        value = node.value
        own = value.id in _SELF if isinstance(value, ast.Name) else _is_super(value)
        if not own:
            attributes[owner[node.lineno]].add(node.attr)
        else:
            (stored if node.ctx.__class__ is ast.Store else read)[owner[node.lineno]].add(node.attr)
    for argument in source.nodes(ast.arg):
        annotation = argument.annotation
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            names[owner[argument.lineno]].update(annotation.value.replace("[", " ").replace("]", " ").split())
    imports, star = _imports(source)
    return (
        found.classes,
        [
            (kind, cls, name, *map(frozenset, (names[i], attributes[i], read[i], stored[i])))
            for i, (kind, cls, name) in enumerate(units)
        ],
        imports,
        star,
    )  # pyright: ignore[reportReturnType]


def _is_super(call: ast.AST) -> bool:
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "super"


def _imports(source: Source) -> tuple[dict[str, str], bool]:
    imports: dict[str, str] = {}
    star = False
    for node in source.nodes(ast.ImportFrom):
        for alias in node.names:
            star = star or alias.name == "*"
            imports[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"
    for node in source.nodes(ast.Import):
        for alias in node.names:
            imports[alias.asname or alias.name.partition(".")[0]] = alias.name
    return imports, star


class _Units:
    """The units of a file and the one that each line belongs to: the innermost that is no nested function.

    Args:
        lines: the number of lines.
    """

    def __init__(self, lines: int) -> None:
        self.owner: list[int] = [0] * (lines + 1)
        self.units: list[tuple[int, int, str]] = [(REST, -1, "")]
        self.classes: list[ClassMention] = []

    def block(self, body: Iterable[ast.stmt], cls: int) -> None:
        """Take in the statements of a module or class."""
        for statement in body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._unit(FUNCTION, cls, statement.name, statement, statement.decorator_list)
            elif isinstance(statement, ast.ClassDef):
                self._class(statement)
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
                target = statement.target if isinstance(statement, ast.AnnAssign) else statement.targets[0]
                if isinstance(target, ast.Name) and not isinstance(statement.value, ast.Constant):
                    self._unit(VARIABLE, cls, target.id, statement)
            elif not isinstance(statement, ast.Expr):
                for block in _BLOCKS:
                    self.block(getattr(statement, block, ()), cls)
                for handler in getattr(statement, "handlers", ()):
                    self.block(handler.body, cls)

    def _unit(
        self, kind: int, cls: int, name: str, node: ast.stmt, decorators: Iterable[ast.expr] = ()
    ) -> None:
        first = min([node.lineno, *(d.lineno for d in decorators)])
        last = node.end_lineno or node.lineno
        self.owner[first : last + 1] = [len(self.units)] * (last + 1 - first)
        self.units.append((kind, cls, name))

    def _class(self, node: ast.ClassDef) -> None:
        number = len(self.classes)
        self.classes.append((node.name, tuple(filter(None, map(last_name, node.bases))), _is_mapped(node)))
        self._unit(REST, number, "", node, node.decorator_list)
        self.block(node.body, number)


def _is_mapped(node: ast.ClassDef) -> bool:
    for statement in node.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            value = statement.value
            if isinstance(value, ast.Call) and last_name(value.func) in _RELATIONS:
                return True
            target = statement.target if isinstance(statement, ast.AnnAssign) else statement.targets[0]
            if isinstance(target, ast.Name) and target.id == "__tablename__":
                return True
    return False
