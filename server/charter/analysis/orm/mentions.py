"""What each function and class of a file mentions by name, as far as reaching a query can depend on it.

It looks at one file and resolves nothing; `reach` draws the conclusions for the project.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING

from charter.analysis.calls import calls_of
from charter.syntax.walk import children

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from charter.syntax.source import Source

FUNCTION, VARIABLE, REST = 0, 1, 2

ClassMention = tuple[str, tuple[str, ...], bool]
"""Name, last names of the bases, and whether its body names a table or a relation."""
Unit = tuple[int, int, str, frozenset[str], frozenset[str], frozenset[str], frozenset[str], frozenset[str]]
"""Kind, number of the class (-1 for none), name, names read, attributes read, attributes of `self` read and stored,
names in annotations.

What a parameter brings and `self` keeps is not among what is stored: a query is not reached by it."""
Mentions = tuple[list[ClassMention], list[Unit], dict[str, str], bool]
"""Classes, units, the dotted name of each imported one (relative ones with their dots), and whether a `*` is imported."""

_SELF = frozenset({"self", "cls"})
_RELATIONS = frozenset({"ForeignKey", "ManyToManyField", "OneToOneField", "relationship"})
_BLOCKS = ("body", "orelse", "finalbody")
_HOLDERS = frozenset[type](
    {ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar}
)
"""Statements that hold blocks."""
_NONE: frozenset[str] = frozenset()
_EMPTY = frozenset[type]({ast.Constant, ast.JoinedStr, ast.Compare})


def last_name(node: ast.AST | None) -> str:
    """The last name of a dotted expression, of what it subscripts or calls."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, (ast.Subscript, ast.Call)):
        return last_name(node.value if isinstance(node, ast.Subscript) else node.func)
    return ""


def mentions(source: Source) -> Mentions:
    """What the units of a file mention: its functions and methods, the variables of modules and classes, and the rest."""
    found = _Units(source.text.count("\n") + 2)
    found.block(source.tree.body, -1)
    owner, units = found.owner, found.units
    typed: _Words = defaultdict(set)
    names: list[set[str]] = [set() for _ in units]
    _note_names(source, owner, _annotations(source, owner, typed), names)
    attributes: list[set[str]] = [set() for _ in units]
    read, stored = _note_attributes(source, owner, _handed(source, found), attributes)
    imports, star = _imports(source)
    return (
        found.classes,
        [
            (
                kind,
                cls,
                name,
                frozenset(names[i]),
                frozenset(attributes[i]),
                frozenset(read.get(i, _NONE)),
                frozenset(stored.get(i, _NONE)),
                frozenset(typed.get(i, _NONE)),
            )
            for i, (kind, cls, name) in enumerate(units)
        ],
        imports,
        star,
    )


_Words = defaultdict[int, set[str]]


def _note_names(source: Source, owner: list[int], typing: set[ast.AST], names: Sequence[set[str]]) -> None:
    """Put the bare names to their units, but for those of annotations."""
    for table in (source.reads, source.binds):
        for word, places in table.items():
            for place in places:
                if place not in typing:
                    names[owner[place.lineno]].add(word)


def _note_attributes(
    source: Source, owner: list[int], handed: set[ast.AST], attributes: Sequence[set[str]]
) -> tuple[_Words, _Words]:
    """Put the attributes to their units; gives those read of `self`, and those that it is given for good."""
    read: _Words = defaultdict(set)
    stored: _Words = defaultdict(set)
    of_self = _of_self(source)
    for word, nodes in source.gets.items():
        for node in nodes:
            unit = owner[node.lineno]
            (read if node in of_self else attributes)[unit].add(word)
    for word, nodes in source.sets.items():
        for node in nodes:
            unit = owner[node.lineno]
            if node not in of_self:
                attributes[unit].add(word)
            elif type(node.ctx) is ast.Del:
                read[unit].add(word)
            elif node not in handed:
                stored[unit].add(word)
    return read, stored


def _annotations(source: Source, owner: list[int], typed: _Words) -> set[ast.AST]:
    """Put the names of annotations to their units; gives the nodes of these names."""
    nodes: set[ast.AST] = set()
    pending: list[ast.AST] = [node.annotation for node in source.nodes(ast.arg) if node.annotation]
    pending += [node.annotation for node in source.nodes(ast.AnnAssign)]
    pending += [node.returns for node in source.nodes(ast.FunctionDef) if node.returns]
    pending += [node.returns for node in source.nodes(ast.AsyncFunctionDef) if node.returns]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name):
            nodes.add(node)
            typed[owner[node.lineno]].add(node.id)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                typed[owner[node.lineno]].update(node.value.replace("[", " ").replace("]", " ").split())
        else:
            pending += children(node)
    return nodes


def _handed(source: Source, found: _Units) -> set[ast.AST]:
    """The targets `self.name` that get a parameter of unknown type, a constant or an empty container."""
    targets: set[ast.AST] = set()
    parents = source.index.parents
    for target in chain.from_iterable(source.sets.values()):
        node = parents[target]
        if type(node) is not ast.AnnAssign and not (type(node) is ast.Assign and node.targets[0] is target):
            continue
        value = node.value
        if type(value) is ast.Name:
            empty = value.id in found.parameters(found.owner[node.lineno])
        elif type(value) is ast.Dict:
            empty = not value.keys
        elif type(value) is ast.List or type(value) is ast.Set:
            empty = not value.elts
        else:
            empty = type(value) in _EMPTY
        if empty:
            targets.add(target)
    return targets


def _of_self(source: Source) -> set[ast.AST]:
    """What names an attribute of `self`, `cls` or `super()`, among other nodes."""
    parents = source.index.parents
    found = {parents[name] for word in _SELF for name in source.reads.get(word, ())}
    found.update([parents[call] for call, _ in calls_of(source.reads.get("super", ()), source)])
    return found


def _imports(source: Source) -> tuple[dict[str, str], bool]:
    imports: dict[str, str] = {}
    star = False
    for node in source.nodes(ast.ImportFrom):
        for alias in node.names:
            star = star or alias.name == "*"
            imports[alias.asname or alias.name] = f"{'.' * node.level}{node.module or ''}.{alias.name}"
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
        self._arguments: dict[int, ast.arguments] = {}
        self._parameters: dict[int, set[str]] = {}

    def parameters(self, unit: int) -> set[str]:
        """The parameters of a function whose types are not told; none for another unit."""
        found = self._parameters.get(unit)
        if found is None:
            spec = self._arguments.get(unit)
            named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs] if spec is not None else []
            found = self._parameters[unit] = {a.arg for a in named if a.annotation is None}
        return found

    def block(self, body: Iterable[ast.stmt], cls: int) -> None:
        """Take in the statements of a module or class."""
        for statement in body:
            if type(statement) is ast.FunctionDef or type(statement) is ast.AsyncFunctionDef:
                self._arguments[len(self.units)] = statement.args
                self._unit(FUNCTION, cls, statement.name, statement, statement.decorator_list)
            elif type(statement) is ast.ClassDef:
                self._class(statement)
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
                target = statement.target if isinstance(statement, ast.AnnAssign) else statement.targets[0]
                if type(target) is ast.Name and type(statement.value) is not ast.Constant:
                    self._unit(VARIABLE, cls, target.id, statement)
            elif type(statement) in _HOLDERS:
                for block in _BLOCKS:
                    self.block(getattr(statement, block, ()), cls)
                for handler in getattr(statement, "handlers", ()):
                    self.block(handler.body, cls)

    def _unit(
        self, kind: int, cls: int, name: str, node: ast.stmt, decorators: Iterable[ast.expr] = ()
    ) -> None:
        first = min([node.lineno, *[d.lineno for d in decorators]]) if decorators else node.lineno
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
