"""What the constants of a project's modules are, for the files that import them and whose rules ask.

It knows the assignments at the top of modules and classes. A name that is bound twice, changed in place, assigned from
another module or through `global` is no constant. `django.conf.settings` stands for the project's settings modules
where all of those that set a name agree.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, cast

from charter.analysis import Solution
from charter.analysis.bodies import by_owner
from charter.analysis.solver import KeptSolver
from charter.api import UNKNOWN, Location, Span
from charter.api.facts.names import ImportedConstant
from charter.model.names import imported_module
from charter.model.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis import ProjectInfo
    from charter.api import Fact
    from charter.model.names import Binding, Names
    from charter.syntax.source import Source

VERSION = 3

_LONGEST: Final = 1_000
"""Characters that a constant's literal may have."""
_HOPS: Final = 10
_SETTINGS: Final = "django.conf.settings."
_TELLING: Final = frozenset[type](
    {
        ast.Constant, ast.Name, ast.Attribute, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Dict,
        ast.Tuple, ast.List, ast.Set, ast.JoinedStr, ast.Subscript,
    }
)  # fmt: skip
_TELLING_RESULTS: Final = frozenset[type]({ast.Constant, ast.Call})
_LEADING: Final = _TELLING_RESULTS | {ast.Name, ast.Attribute, ast.NamedExpr}
"""Values of names that tell something, or may be other names for what does."""
_STEPS: Final = 10
"""How far what a function returns is followed."""
_MOST_RETURNS: Final = 4
_PLAIN: Final = frozenset[type]({bool, int, str, bytes, type(None)})

Export = tuple[str, str]
"""A constant as a literal, and what it is another name for; one of them is empty."""
Extract = tuple[dict[str, Export], list[str], list[str], list[str]]
"""What a module defines, the modules it imports everything from, the names of others that it sets, what its rules ask."""


def extract(source: Source, names: Names) -> Extract | None:
    """The constants that a file defines, and those of other files that its rules asked for."""
    table = names.table(source.tree)
    stored = _stored_attributes(source, names)
    values = Values(source, names)
    changed = {name for statement in source.nodes(ast.Global) for name in statement.names}
    exports: dict[str, Export] = {}
    for name, bindings in table.items():
        if len(bindings) == 1 and name not in changed:
            exports.update(_exported(name, bindings[0], values, names))
            if not name.isupper() and type(made := bindings[0].value) is ast.Call and not made.keywords:
                definition = values.class_of(made)
                if definition is not None:  # what is asked of the object, its class answers
                    exports.setdefault(name, ("", names.definition(definition)))
    own = {attribute for target, attribute in stored if not target}
    for definition in source.tree.body:
        if type(definition) is ast.ClassDef:
            exports.update(_members(definition, values, names, own))
    exports.update(_results(source, names, values))
    foreign = sorted(f"{target}.{attribute}" for target, attribute in stored if target)
    asked = sorted(names.elsewhere.asked)
    stars = _stars(source)
    return (exports, stars, foreign, asked) if exports or stars or foreign or asked else None


def _exported(name: str, binding: Binding, values: Values, names: Names) -> Iterator[tuple[str, Export]]:
    if binding.target:
        yield name, ("", binding.target)
    elif binding.value is not None:
        found = _constant(binding.value, values, names)
        if found is not None and not (found[0].startswith(("[", "{")) and values.is_changed(name)):
            yield name, found


def _members(
    definition: ast.ClassDef, values: Values, names: Names, stored: set[str]
) -> Iterator[tuple[str, Export]]:
    """The constants in a class's body, by `Class.name`."""
    bindings: dict[str, list[ast.expr | None]] = {}
    for statement in definition.body:
        if type(statement) is ast.Assign:
            for target in statement.targets:
                if type(target) is ast.Name:
                    bindings.setdefault(target.id, []).append(statement.value)
        elif type(statement) is ast.AnnAssign and type(statement.target) is ast.Name:
            bindings.setdefault(statement.target.id, []).append(statement.value)
    for name, assigned in bindings.items():
        if len(assigned) == 1 and assigned[0] is not None and name not in stored:
            found = _constant(assigned[0], values, names)
            if found is not None:
                yield f"{definition.name}.{name}", found


def _results(source: Source, names: Names, values: Values) -> dict[str, Export]:
    """What functions return, by `name()`, where all their `return`s call the same or give the same constant."""
    found: dict[str, Export] = {}
    telling: dict[str, bool] = {}
    for function, returns in by_owner(source, ast.Return).items():
        expressions = [value for node in returns if (value := cast("ast.Return", node).value) is not None]
        if not 0 < len(expressions) <= _MOST_RETURNS:
            continue
        if not all(_may_tell(one, source, telling) for one in expressions):
            continue
        result = _result(expressions[0], names, values)
        if any(result) and all(_result(one, names, values) == result for one in expressions[1:]):
            found[f"{names.symbol(function)}()"] = result
    return found


def _may_tell(expression: ast.expr, source: Source, telling: dict[str, bool]) -> bool:
    """Whether what is returned can be a constant, the result of a call, or a name that the file binds to such a thing.

    Args:
        expression: what is returned.
        source: the file.
        telling: the names that were looked at already.
    """
    if type(expression) is not ast.Name:
        return type(expression) in _TELLING_RESULTS
    name = expression.id
    if name not in telling:
        parents = source.index.parents
        values = (getattr(parents[place], "value", None) for place in source.binds.get(name, ()))
        telling[name] = any(type(value) in _LEADING for value in values)
    return telling[name]


def _result(expression: ast.expr, names: Names, values: Values, depth: int = _STEPS) -> Export:
    if not depth:
        return "", ""  # a name may stand for what is made of itself
    if type(expression) is ast.Name:
        expression = values.origin(expression)
    if type(expression) is ast.Constant:
        return (repr(expression.value), "") if type(expression.value) in {bool, type(None)} else ("", "")
    if type(expression) is not ast.Call:
        return "", ""
    target = names.qualified(expression.func)
    if target:
        return "", f"{target}()"
    method = expression.func
    if type(method) is ast.Attribute and method.attr == "join" and len(expression.args) == 1:
        return _result(expression.args[0], names, values, depth - 1)
    if type(method) is ast.Attribute and type(method.value) is ast.Call and not expression.args:
        _, owner = _result(method.value, names, values, depth - 1)
        return "", f"{owner}.{method.attr}()" if owner else ""
    return "", ""


def _constant(expression: ast.expr, values: Values, names: Names) -> Export | None:
    if type(expression) not in _TELLING:
        return None
    value = values.value(expression)
    if value is not UNKNOWN:
        text = repr(value) if _is_plain(value, 4) else ""
        return (text, "") if 0 < len(text) <= _LONGEST else None
    if isinstance(expression, (ast.Name, ast.Attribute)):
        target = names.qualified(expression)
        return ("", target) if target else None
    return None


def _is_plain(value: object, depth: int) -> bool:
    """Whether a value's `repr` is a literal that gives it back."""
    if type(value) in _PLAIN:
        return True
    if depth and type(value) in {list, tuple}:
        return all(_is_plain(item, depth - 1) for item in cast("list[object]", value))
    if depth and type(value) is dict:
        items = cast("dict[object, object]", value).items()
        return all(_is_plain(key, 0) and _is_plain(item, depth - 1) for key, item in items)
    return False


def _stored_attributes(source: Source, names: Names) -> set[tuple[str, str]]:
    """The attributes that a file sets: the module they belong to, "" if it is no import, and their name."""
    found: set[tuple[str, str]] = set()
    table = names.table(source.tree)
    for attribute, places in source.sets.items():
        for place in places:
            owner = place.value
            imported = type(owner) is ast.Name and any(one.target for one in table.get(owner.id, ()))
            found.add((names.qualified(owner) or "" if imported else "", attribute))
    return found


def _stars(source: Source) -> list[str]:
    """The modules that a file imports everything from."""
    found: list[str] = []
    for node in source.nodes(ast.ImportFrom):
        if node.names[0].name == "*":
            module = imported_module(node, source)
            if module:
                found.append(module)
    return found


def _passed_on(exports: dict[str, Export], rest: str) -> Export | None:
    """What a function returns that the module imports from another."""
    found = exports.get(rest.removesuffix("()")) if rest.endswith("()") else None
    return ("", f"{found[1]}()") if found is not None and found[1] else None


class Solver(KeptSolver[Extract]):
    """Answers what files ask about the constants of others."""

    def __init__(self, project: ProjectInfo) -> None:
        super().__init__(project)
        self._modules = project.modules
        self._paths: dict[str, str] = {}
        self._set_by_others: set[str] = set()

    def solution(self) -> Solution:
        """The constants that were asked for and are known, by the file that asks."""
        self._paths = {self._modules.get(path, ""): path for path in self.files}
        self._set_by_others = {name for item in self.files.values() for name in item[2]}
        facts = {path: self._answers(path, item[3]) for path, item in self.files.items() if item[3]}
        return Solution({path: found for path, found in facts.items() if found})

    def _answers(self, path: str, asked: list[str]) -> list[Fact]:
        found: list[Fact] = []
        start = Location(path, Span(0, 0), 1, 0, 1, 0)
        for name in asked:
            literal, target = self._answer(name, path)
            if literal or (target and (name.endswith("()") or name.rpartition(".")[2].isupper())):
                found.append(ImportedConstant(start, name, literal, target))
        return found

    def _answer(self, name: str, path: str) -> Export:
        if name.startswith(_SETTINGS):
            return self._setting(name.removeprefix(_SETTINGS))
        module, rest = self._split(name, path)
        return self._follow(module, rest) if module else ("", "")

    def _split(self, name: str, path: str) -> tuple[str, str]:
        """A name as a module of the project and what is asked of it; a script imports from its own folder too."""
        folder = self._modules.get(path, "").rpartition(".")[0]
        for start in ("", f"{folder}." if folder else ""):
            module, _, rest = (start + name).rpartition(".")
            for _ in range(2):
                if module in self._paths:
                    return module, rest
                module, _, last = module.rpartition(".")
                rest = f"{last}.{rest}"
        return "", ""

    def _follow(self, module: str, rest: str, hops: int = _HOPS) -> Export:
        """The value of a module's constant, through the imports of other modules."""
        if not hops or f"{module}.{rest}" in self._set_by_others:
            return "", ""
        path = self._paths[module]
        exports, stars, _, _ = self.files[path]
        found = exports.get(rest) or self._through_class(exports, rest) or _passed_on(exports, rest)
        if found is None:
            answers = (self._follow(star, rest, hops - 1) for star in stars if star in self._paths)
            return next((answer for answer in answers if any(answer)), ("", ""))
        literal, target = found
        if literal:
            return found
        module, rest = self._split(target, path)
        return self._follow(module, rest, hops - 1) if module else ("", target)

    @staticmethod
    def _through_class(exports: dict[str, Export], rest: str) -> Export | None:
        """`Class.name` where the class itself is imported."""
        owner, dot, last = rest.partition(".")
        found = exports.get(owner) if dot else None
        return ("", f"{found[1]}.{last}") if found is not None and found[1] else None

    def _setting(self, name: str) -> Export:
        """A setting of Django, where all settings modules that have it agree on it."""
        found: set[Export] = set()
        for module, path in self._paths.items():
            parts = module.split(".")
            if "settings" in parts[-2:]:
                export = self.files[path][0].get(name)
                if export is not None:
                    found.add(export)
        return found.pop() if len(found) == 1 else ("", "")
