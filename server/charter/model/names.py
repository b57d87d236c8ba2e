"""What a name in one file refers to, through imports, aliases and scopes. It knows no other file.

Scopes follow the language reference, section 4.2 (naming and binding); a scope's bindings are collected when a
name is first looked up in it, so that files without questions cost nothing.
"""

from __future__ import annotations

import ast
import builtins
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec import Struct

from charter.model.elsewhere import Elsewhere
from charter.syntax.walk import children

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from charter.syntax.source import Source

Scope = (
    ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    | ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp
)  # fmt: skip
"""A node whose body has names of its own."""

_MOST_ALIASES: Final = 100
"""How far names that stand for names are followed: each step takes a part of Python's stack."""

FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS: Final = (ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)
SCOPES: Final = (ast.Module, ast.ClassDef, *FUNCTIONS, ast.Lambda, *COMPREHENSIONS)
_SCOPES: Final = frozenset[type](SCOPES)
_DEFINITIONS: Final = frozenset[type]({ast.ClassDef, *FUNCTIONS})

BUILTINS: Final = frozenset(dir(builtins)) | {"__file__", "__name__", "__path__", "reveal_type"}
"""Names that every module has; those of newer Pythons included."""


class Binding(Struct, frozen=True):
    """One place that gives a name its meaning in a scope.

    Attributes:
        node: the binding node: an import statement, a definition, a name that is stored, an argument, a handler
            or a pattern.
        target: the qualified name that it binds, for imports; else "".
        value: the expression that is bound, for a plain assignment of one name; else None.
    """

    node: ast.AST
    target: str = ""
    value: ast.expr | None = None


class Names:
    """The names of one file.

    Args:
        source: the file.
        elsewhere: the constants of other files; None if nothing is known of them.
    """

    def __init__(self, source: Source, elsewhere: Elsewhere | None = None) -> None:
        self.source = source
        self.elsewhere = elsewhere or Elsewhere()
        self._tables: dict[ast.AST, dict[str, list[Binding]]] = {}
        self._names: dict[ast.AST, str | None] = {}
        self._symbols: dict[ast.AST, str] = {}
        self._outer: dict[str, str | None] = {}
        self._followed = 0

    @cached_property
    def _inner(self) -> frozenset[str]:
        """The names that some scope inside the module binds; every other name is the module's or a builtin."""
        return frozenset(_bound_inside(self.source))

    @cached_property
    def holders(self) -> frozenset[ast.AST]:
        """The nodes that a walrus lies below, and walruses: what binds names although it is an expression."""
        parents = self.source.index.parents
        found: set[ast.AST] = set()
        for walrus in self.source.nodes(ast.NamedExpr):
            at: ast.AST | None = walrus
            while at is not None and at not in found:
                found.add(at)
                at = parents.get(at)
        return frozenset(found)

    @cached_property
    def functions(self) -> frozenset[str]:
        """The names of all functions and methods that the file defines."""
        return frozenset(node.name for kind in FUNCTIONS for node in self.source.nodes(kind))

    def scope(self, node: ast.AST) -> Scope:
        """The innermost scope in which a name at this node is looked up.

        Decorators, defaults, annotations and the first iterable of a comprehension belong to the scope outside.
        """
        parents = self.source.index.parents
        below: ast.AST | None = None
        child: ast.AST = node
        parent = parents.get(node)
        while parent is not None:
            if type(parent) in _SCOPES and not _outside(parent, child, below):
                return parent  # pyright: ignore[reportReturnType]
            below, child, parent = child, parent, parents.get(parent)
        return self.source.tree

    def enclosing(self, node: ast.AST) -> Iterator[Scope]:
        """The scopes that a name at this node may come from, innermost first; class scopes only if direct."""
        scope = self.scope(node)
        yield scope
        while not isinstance(scope, ast.Module):
            scope = self.scope(scope)
            if not isinstance(scope, ast.ClassDef):
                yield scope

    def table(self, scope: Scope) -> dict[str, list[Binding]]:
        """The names bound in a scope, each with its bindings in source order."""
        table = self._tables.get(scope)
        if table is None:
            table = self._tables[scope] = {}
            _Collector(self, scope, table).run()
        return table

    def lookup(self, name: str, at: ast.AST) -> tuple[Scope, list[Binding]] | None:
        """The scope that binds a bare name as seen from a node, and the bindings; None for builtins and unknowns."""
        if name not in self._inner:  # most names: no need to arrange the names of every function around
            found = self.table(self.source.tree).get(name)
            return (self.source.tree, found) if found else None
        for scope in self.enclosing(at):
            found = self.table(scope).get(name)
            if found and not (type(scope) is ast.ClassDef and _comes_later(found[0], at)):
                if type(found[0].node) is ast.Global:
                    found = self.table(self.source.tree).get(name)
                    return (self.source.tree, found) if found else None
                if type(found[0].node) is not ast.Nonlocal:
                    return scope, found
        return None

    def is_bound(self, name: str, at: ast.AST) -> bool:
        """Whether a bare name means something at a node."""
        return name in BUILTINS or self.lookup(name, at) is not None or self._has_star()

    def qualified(self, expression: ast.AST) -> str | None:
        """The qualified name that an expression refers to; None where it is not certain."""
        known = self._names
        if expression in known:
            return known[expression]
        if type(expression) is ast.Name and expression.id in self._outer:
            return self._outer[expression.id]
        known[expression] = None  # an alias of itself refers to nothing
        name = known[expression] = self._qualified(expression)
        return name

    def _qualified(self, expression: ast.AST) -> str | None:
        if type(expression) is ast.Name:
            return self._name(expression.id, expression)
        if type(expression) is ast.Attribute:
            value = expression.value
            if type(value) is ast.Name and value.id in {"self", "cls"}:
                return self._member(expression)
            owner = self.qualified(value)
            return f"{owner}.{expression.attr}" if owner else None
        if isinstance(expression, (*FUNCTIONS, ast.ClassDef)):
            return self.definition(expression)
        return None

    def definition(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        """The qualified name of a definition in this file."""
        symbol = self.symbol(node)
        return f"{self.source.module}.{symbol}" if self.source.module else symbol

    def symbol(self, node: ast.AST) -> str:
        """The qualified name, within the module, of the innermost definition that is or holds the node."""
        parents = self.source.index.parents
        at: ast.AST | None = node
        while at is not None and type(at) not in _DEFINITIONS:
            at = parents.get(at)
        if at is None:
            return ""
        found = self._symbols.get(at)
        if found is None:
            name = cast("ast.ClassDef", at).name
            outer = self.symbol(parents[at]) if at in parents else ""
            found = self._symbols[at] = f"{outer}.{name}" if outer else name
        return found

    def _name(self, name: str, at: ast.AST) -> str | None:
        if name in self._inner:
            return self._meant(name, self.lookup(name, at))
        known = self._outer  # it means the same everywhere in the file
        if name not in known:
            known[name] = self._meant(name, self.lookup(name, at))
        return known[name]

    def _meant(self, name: str, found: tuple[Scope, list[Binding]] | None) -> str | None:
        """What a name refers to, by what binds it."""
        if found is None:
            return f"builtins.{name}" if name in BUILTINS else None
        scope, bindings = found
        if len(bindings) == 1:
            return bindings[0].target or self._bound_once(name, scope, bindings[0])
        imports = [binding.target for binding in bindings if binding.target]
        if imports:
            # `try: import a … except ImportError: a = None` still means the import where it is used.
            rest = [binding for binding in bindings if not binding.target]
            return imports[0] if all(_is_fallback(binding) for binding in rest) else None
        return self._redefined(bindings)

    def _bound_once(self, name: str, scope: Scope, binding: Binding) -> str | None:
        """What a name refers to that is bound in one place, and not by an import."""
        if isinstance(binding.node, (ast.ClassDef, *FUNCTIONS)):
            return self.definition(binding.node)
        if (
            type(binding.value) is ast.Name or type(binding.value) is ast.Attribute
        ) and self._followed < _MOST_ALIASES:
            self._followed += 1
            aliased = self.qualified(binding.value)
            self._followed -= 1
            if aliased:
                return aliased
        if type(scope) is ast.Module and binding.value is not None and self.source.module:
            return f"{self.source.module}.{name}"
        return None

    def _redefined(self, bindings: list[Binding]) -> str | None:
        """Overloads and conditional definitions of one name are still that name."""
        if all(isinstance(binding.node, (ast.ClassDef, *FUNCTIONS)) for binding in bindings):
            node = bindings[-1].node
            assert isinstance(node, (ast.ClassDef, *FUNCTIONS))
            return self.definition(node)
        return None

    def _member(self, attribute: ast.Attribute) -> str | None:
        """`self.name` and `cls.name` in a method: the class's own member, if the class's body defines one."""
        if attribute.attr not in self.functions:  # most are data, or inherited from another file
            return None
        parents = self.source.index.parents
        function: ast.AST | None = attribute
        owner = parents.get(attribute)
        while owner is not None and not (type(owner) is ast.ClassDef and isinstance(function, FUNCTIONS)):
            function, owner = owner, parents.get(owner)
        if type(owner) is not ast.ClassDef or not isinstance(function, FUNCTIONS):
            return None
        arguments = [*function.args.posonlyargs, *function.args.args]
        assert type(attribute.value) is ast.Name
        if not arguments or arguments[0].arg != attribute.value.id:
            return None
        bindings = self.table(owner).get(attribute.attr)
        if bindings and all(isinstance(binding.node, FUNCTIONS) for binding in bindings):
            return f"{self.definition(owner)}.{attribute.attr}"
        return None

    def _has_star(self) -> bool:
        return "*" in self.table(self.source.tree)


def _bound_inside(source: Source) -> set[str]:
    """The names bound in a scope other than the module's."""
    parents = source.index.parents
    found = {argument.arg for argument in source.nodes(ast.arg)}
    for name, places in source.binds.items():
        if name not in found:
            for place in places:
                if _is_inside(place, parents):
                    found.add(name)
                    break
    for kind in (*FUNCTIONS, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar):
        found.update([node.name for node in source.nodes(kind) if node.name and _is_inside(node, parents)])
    for kind in (ast.Import, ast.ImportFrom):
        for statement in source.nodes(kind):
            if _is_inside(statement, parents):
                found.update(alias.asname or alias.name.partition(".")[0] for alias in statement.names)
    found.update(node.rest for node in source.nodes(ast.MatchMapping) if node.rest)
    for kind in (ast.Global, ast.Nonlocal):
        for statement in source.nodes(kind):
            found.update(statement.names)
    return found


def _comes_later(binding: Binding, at: ast.AST) -> bool:
    """Whether a class's body binds a name only behind a node, which sees what the name means outside until then."""
    node: Any = binding.node
    use: Any = at
    return binding.value is at or getattr(use, "lineno", node.lineno) < node.lineno


def _is_inside(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> bool:
    parent = parents[node]
    while (kind := type(parent)) not in _SCOPES:
        parent = parents[parent]
    return kind is not ast.Module


def _outside(scope: ast.AST, child: ast.AST, below: ast.AST | None) -> bool:
    """Whether a direct child of a scope's node, or what lies below that, is evaluated in the scope around it."""
    if isinstance(scope, FUNCTIONS):
        return isinstance(child, (ast.expr, ast.arguments))
    if type(scope) is ast.Lambda:
        return type(child) is ast.arguments
    if type(scope) is ast.ClassDef:
        return isinstance(child, (ast.expr, ast.keyword))
    if isinstance(scope, COMPREHENSIONS):
        return child is scope.generators[0] and below is scope.generators[0].iter
    return False


def _is_fallback(binding: Binding) -> bool:
    """Whether a binding stands for an import that failed: None, False, or a definition in the `except` branch."""
    value = binding.value
    if value is None:
        return isinstance(binding.node, (ast.ClassDef, *FUNCTIONS))
    return (isinstance(value, ast.Constant) and not value.value) or isinstance(
        value, (ast.Name, ast.Attribute)
    )


_TARGETS: Final = frozenset({ast.Name, ast.Tuple, ast.List, ast.Starred})
_CLOSED: Final = (frozenset(ast.expr.__subclasses__()) - _TARGETS) | {
    ast.Expr, ast.Return, ast.Raise, ast.Assert, ast.Pass, ast.Break, ast.Continue,
}  # fmt: skip
"""Expressions and statements that bind nothing and hold nothing that binds, but for a walrus."""
_BLOCKS: Final = frozenset(
    {
        ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.withitem,
        ast.AugAssign, ast.Delete, ast.Tuple, ast.List, ast.Starred, ast.Match, ast.match_case,
    }
)  # fmt: skip
"""What binds nothing itself, and may hold what does."""


class _Collector:
    """Collects the bindings of one scope without entering the scopes inside it."""

    def __init__(self, names: Names, scope: Scope, table: dict[str, list[Binding]]) -> None:
        self.names = names
        self.scope = scope
        self.table = table
        # But for those that hold a walrus only targets bind, and no other expression needs a look.
        self.holders = names.holders

    def run(self) -> None:
        scope = self.scope
        if isinstance(scope, COMPREHENSIONS):
            for generator in scope.generators:
                self._targets(generator.target)
            return
        if isinstance(scope, (*FUNCTIONS, ast.Lambda)):
            arguments = scope.args
            for argument in (
                *arguments.posonlyargs,
                *arguments.args,
                *([arguments.vararg] if arguments.vararg else []),
                *arguments.kwonlyargs,
                *([arguments.kwarg] if arguments.kwarg else []),
            ):
                self._bind(argument.arg, Binding(argument))
        body = scope.body if isinstance(scope.body, list) else [scope.body]
        self._walk([*reversed(body)])

    def _walk(self, stack: list[ast.AST]) -> None:
        """Bind what nodes and those below them bind; the last one first."""
        holders = self.holders
        while stack:
            node = stack.pop()
            kind = type(node)
            if kind in _CLOSED and node not in holders:
                continue
            if (
                type(node) is ast.If or type(node) is ast.While
            ) and node not in holders:  # binds in its blocks only
                stack += reversed(node.orelse)
                stack += reversed(node.body)
            elif kind in _BLOCKS or self._visit(node):
                stack.extend(reversed(children(node)))

    def _bind(self, name: str, binding: Binding) -> None:
        self.table.setdefault(name, []).append(binding)

    def _visit(self, node: ast.AST) -> bool:
        """Bind what a node binds; whether to go on below it."""
        if type(node) is ast.Assign or type(node) is ast.AnnAssign or type(node) is ast.NamedExpr:
            return self._assignment(node)
        if type(node) is ast.Name:
            if type(node.ctx) is not ast.Load:
                self._bind(node.id, Binding(node))
            return False
        if type(node) is ast.FunctionDef or type(node) is ast.AsyncFunctionDef or type(node) is ast.ClassDef:
            self._bind(node.name, Binding(node))
            if node in self.holders:
                for walrus in _walruses_of_header(node):
                    self._targets(walrus)
            return False
        if type(node) is ast.Import or type(node) is ast.ImportFrom:
            self._import(node)
            return False
        if type(node) is ast.Lambda:
            return False
        if isinstance(node, COMPREHENSIONS):
            self._walruses(node)
            return False
        self._other(node)
        return True

    def _other(self, node: ast.AST) -> None:
        if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            self._bind(node.name, Binding(node))
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self._bind(node.rest, Binding(node))
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            for name in node.names:
                self.table.setdefault(name, []).insert(0, Binding(node))
        elif type(node).__name__ == "TypeAlias":
            name = getattr(node, "name", None)
            if isinstance(name, ast.Name):
                self._bind(name.id, Binding(node))

    def _assignment(self, node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> bool:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if type(node) is ast.AnnAssign and node.value is None and type(self.scope) is not ast.Module:
            return False  # a bare annotation binds nothing
        if len(targets) == 1 and type(targets[0]) is ast.Name:
            self._bind(targets[0].id, Binding(targets[0], value=node.value))
        else:
            for target in targets:
                self._targets(target)
        if node.value in self.holders:
            self._walk([node.value])
        return False

    def _targets(self, target: ast.AST) -> None:
        if type(target) in _CLOSED and target not in self.holders:  # an attribute or an item
            return
        for node in ast.walk(target):
            if type(node) is ast.Name and type(node.ctx) is not ast.Load:
                self._bind(node.id, Binding(node))

    def _walruses(self, comprehension: ast.AST) -> None:
        """A walrus inside a comprehension binds in the scope around it (PEP 572)."""
        for node in ast.walk(comprehension):
            if isinstance(node, ast.NamedExpr):
                self._targets(node.target)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        source = self.names.source
        if isinstance(node, ast.Import):
            for alias in node.names:
                top, dot, rest = alias.name.partition(".")
                known = alias.name if source.meant is None else source.meant(alias.name)
                target = known if alias.asname else known.removesuffix(dot + rest)
                self._bind(alias.asname or top, Binding(node, target))
            return
        module = imported_module(node, source)
        for alias in node.names:
            target = "" if module is None else f"{module}.{alias.name}"
            self._bind(alias.asname or alias.name, Binding(node, target))


def imported_module(statement: ast.ImportFrom, source: Source) -> str | None:
    """The module that a from-import takes something from, as the project knows it; None if it is outside of any package."""
    if statement.level:
        return absolute_module(source.module, source.path, statement.level, statement.module)
    module = statement.module or ""
    return module if source.meant is None else source.meant(module)


def absolute_module(module: str, path: str, level: int, name: str | None) -> str | None:
    """The absolute name of a relative import.

    Args:
        module: the importing module's dotted name.
        path: its file; an `__init__` file is its own package.
        level: the number of leading dots.
        name: what stands behind the dots, if anything.

    Returns:
        The dotted name, or None if the import leaves the top-level package.
    """
    if not module:
        return None
    parts = module.split(".")
    if not path.endswith(("/__init__.py", "/__init__.pyi")) and path not in {"__init__.py", "__init__.pyi"}:
        parts.pop()
    drop = level - 1
    if drop >= len(parts):
        return None
    base = parts[: len(parts) - drop] if drop else parts
    return ".".join([*base, *([name] if name else [])])


def _walruses_of_header(node: ast.AST) -> list[ast.expr]:
    """Targets of walruses in decorators, defaults and bases, which bind outside of the definition."""
    if isinstance(node, ast.ClassDef):
        header = [*node.decorator_list, *node.bases]
    elif isinstance(node, FUNCTIONS):
        header = [
            *node.decorator_list,
            *node.args.defaults,
            *(d for d in node.args.kw_defaults if d is not None),
        ]
    else:
        return []
    return [inner.target for part in header for inner in ast.walk(part) if isinstance(inner, ast.NamedExpr)]


def last_name(expression: ast.AST) -> str:
    """The last identifier of a name or an attribute as it is written; "" for anything else."""
    if type(expression) is ast.Attribute:
        return expression.attr
    return expression.id if type(expression) is ast.Name else ""


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """What a call is given by a name; None if it is not."""
    return next((each.value for each in call.keywords if each.arg == name), None)


def decorator_name(expression: ast.expr) -> str:
    """The last identifier of a decorator, whether it is called or not."""
    return last_name(expression.func if isinstance(expression, ast.Call) else expression)
