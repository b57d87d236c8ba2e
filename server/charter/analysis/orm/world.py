"""The Python files of a project as the query analysis sees them: modules, names, classes and functions.

It resolves imports between the project's own files and knows nothing of models or of queries.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from typing import TYPE_CHECKING, cast

from msgspec import Struct, field

from charter.api import Location, Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.model.modules import ModuleNames

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class TextFile:
    """A file's text with its line starts; base of modules and templates.

    Attributes:
        path: relative to the project's root, with forward slashes.
        text: the whole text.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path: str = path
        self.text: str = text
        self._starts: list[int] | None = None

    @property
    def starts(self) -> list[int]:
        """Offsets of the first character of each line."""
        if self._starts is None:
            starts = [0]
            position = self.text.find("\n")
            while position >= 0:
                starts.append(position + 1)
                position = self.text.find("\n", position + 1)
            self._starts = starts
        return self._starts

    def offset(self, line: int, column: int) -> int:
        """The offset in code points of an `ast` position (1-based line, UTF-8 byte column)."""
        start = self.starts[line - 1]
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        text = self.text[start:end]
        if text.isascii():
            return start + column
        return start + len(text.encode()[:column].decode(errors="ignore"))

    def location(self, span: Span) -> Location:
        """The place of a span, with lines and columns."""
        line = bisect_right(self.starts, span.start)
        end_line = bisect_right(self.starts, span.end)
        return Location(
            self.path,
            span,
            line,
            span.start - self.starts[line - 1],
            end_line,
            span.end - self.starts[end_line - 1],
        )


NOWHERE = Span(0, 0)


class Site(Struct, frozen=True):
    """A place in a file: a node of a module or a span of a template."""

    file: TextFile
    node: ast.AST | None = None
    place: Span = NOWHERE

    @property
    def span(self) -> Span:
        """The offsets in code points."""
        node = self.node
        if isinstance(node, (ast.expr, ast.stmt, ast.keyword, ast.arg, ast.alias)):
            start = self.file.offset(node.lineno, node.col_offset)
            end = self.file.offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
            return Span(start, end)
        if isinstance(node, ast.comprehension):
            return Span(Site(self.file, node.target).span.start, Site(self.file, node.iter).span.end)
        return self.place

    @property
    def location(self) -> Location:
        """The place with lines and columns; a definition is located by its first line only."""
        span = self.span
        if isinstance(self.node, (ast.For, ast.AsyncFor, ast.While)):
            last = self.node.test if isinstance(self.node, ast.While) else self.node.iter
            span = Span(span.start, Site(self.file, last).span.end)
        elif isinstance(self.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            stop = self.file.text.find("\n", span.start)
            span = Span(span.start, stop if stop >= 0 else span.end)
        return self.file.location(span)

    @property
    def source(self) -> str:
        """The text at the place."""
        span = self.span
        return self.file.text[span.start : span.end]

    @property
    def key(self) -> tuple[str, int, int]:
        """What makes two sites the same place."""
        node = self.node
        if node is None:
            return (self.file.path, self.place.start, self.place.end)
        if isinstance(node, ast.comprehension):
            node = node.target
        line = getattr(node, "lineno", 0)
        return (self.file.path, line << 12 | getattr(node, "col_offset", 0), id(node))


class Imported(Struct, frozen=True):
    """A name bound by an import: a module, or `name` of a module."""

    module: str
    name: str = ""


class Class(Struct, eq=False):
    """A class of the project.

    Attributes:
        module: where it stands.
        node: its definition.
        members: the last binding of each name in its body.
    """

    module: Module
    node: ast.ClassDef
    outer: str = ""
    members: dict[str, ast.AST] = field(default_factory=dict[str, ast.AST])
    mro: list[Class | str] | None = None

    @property
    def name(self) -> str:
        """The bare name."""
        return self.node.name

    @property
    def qualified(self) -> str:
        """The dotted name with its module."""
        return f"{self.module.name}.{self.outer}{self.node.name}"


Binding = Class | FunctionNode | Imported | ast.expr


class Module(TextFile):
    """A Python file: its tree and what its top level binds. Parsed when first asked.

    Attributes:
        name: the dotted name under which it would be imported, or is known.
        inner: classes inside classes, by their node.
    """

    def __init__(self, path: str, text: str, name: str, meant: Callable[[str], str] | None = None) -> None:
        super().__init__(path, text)
        self.name: str = name
        self._meant: Callable[[str], str] | None = meant
        self.is_package: bool = path.endswith("__init__.py")
        self._tree: ast.Module | None = None
        self._parents: dict[ast.AST, ast.AST] | None = None
        self._names: dict[str, Binding] | None = None
        self.stars: list[str] = []
        self.annotations: dict[str, ast.expr] = {}
        self.classes: list[Class] = []
        self.functions: list[FunctionNode] = []
        self.inner: dict[ast.AST, Class] = {}
        self.extensions: list[tuple[str, str, ast.expr]] = []

    @property
    def tree(self) -> ast.Module:
        """The syntax tree; an empty one if the text does not parse here."""
        if self._tree is None:
            try:
                self._tree = ast.parse(self.text)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self._tree = ast.Module([], [])
        return self._tree

    @property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node that holds each node."""
        if self._parents is None:
            self._parents = _parents_in(self.tree)
        return self._parents

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The innermost statement that is or holds a node."""
        current: ast.AST | None = node
        while current is not None and not isinstance(current, ast.stmt):
            current = self.parents.get(current)
        return current

    def function(self, node: ast.AST) -> FunctionNode | None:
        """The innermost function around a node."""
        current = self.parents.get(node)
        while current is not None and not isinstance(current, (ast.FunctionDef, ast.AsyncFunctionDef)):
            current = self.parents.get(current)
        return current

    @property
    def names(self) -> dict[str, Binding]:
        """What the top level binds, the last binding of each name."""
        if self._names is None:
            self._names = {}
            self._bind_block(self.tree.body)
        return self._names

    def _bind_block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self._bind(statement)

    def _bind(
        self, statement: ast.stmt
    ) -> None:  # charter: ignore[complex-function] -- a table: one case for each statement
        names = self._names
        assert names is not None
        match statement:
            case ast.ClassDef():
                names[statement.name] = self._class(statement, "")
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                names[statement.name] = statement
                self.functions.append(statement)
            case ast.Import():
                for alias in statement.names:
                    names[alias.asname or alias.name.partition(".")[0]] = Imported(self.imported(alias))
            case ast.ImportFrom():
                self.bind_from(statement, names)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        names[target.id] = value
                    elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                        self.extensions.append((target.value.id, target.attr, value))
            case ast.AnnAssign(target=ast.Name(id=name), value=value, annotation=annotation):
                self.annotations[name] = annotation
                if value is not None:
                    names[name] = value
            case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                self._bind_block(statement.body)
                for part in ("handlers", "orelse", "finalbody"):
                    for inner in getattr(statement, part, []):
                        if isinstance(inner, ast.ExceptHandler):
                            self._bind_missing(inner.body)
                        else:
                            self._bind_missing([inner])
            case _:
                pass

    def _bind_missing(self, body: list[ast.stmt]) -> None:
        assert self._names is not None
        before = dict(self._names)
        self._bind_block(body)
        self._names.update(before)

    def bind_from(self, statement: ast.ImportFrom, names: dict[str, Binding]) -> None:
        """Bind what a `from … import` statement brings."""
        base = self.absolute(statement.module or "", statement.level)
        for alias in statement.names:
            if alias.name == "*":
                self.stars.append(base)
            else:
                names[alias.asname or alias.name] = Imported(base, alias.name)

    def imported(self, alias: ast.alias) -> str:
        """The module that an `import` binds: the whole, or what is on top of it."""
        known = alias.name if self._meant is None else self._meant(alias.name)
        _, dot, rest = alias.name.partition(".")
        return known if alias.asname else known.removesuffix(dot + rest)

    def absolute(self, module: str, level: int) -> str:
        """The absolute dotted name of an import's module."""
        if not level:
            return module if self._meant is None else self._meant(module)
        parts = self.name.split(".")
        drop = level - 1 if self.is_package else level
        base = parts[: len(parts) - drop] if drop else parts
        return ".".join([*base, module] if module else base)

    def _class(self, node: ast.ClassDef, outer: str) -> Class:
        entity = Class(self, node, outer)
        self.classes.append(entity)
        self._class_body(entity, node.body)
        return entity

    def _class_body(self, entity: Class, body: list[ast.stmt]) -> None:
        members = entity.members
        for statement in body:
            match statement:
                case ast.ClassDef():
                    inner = self._class(statement, f"{entity.outer}{entity.name}.")
                    members[statement.name] = inner.node
                    self.inner[statement] = inner
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    previous = members.get(statement.name)
                    if isinstance(previous, ast.FunctionDef) and _is_setter(statement):
                        continue
                    members[statement.name] = statement
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        if isinstance(target, ast.Name):
                            members[target.id] = value
                case ast.AnnAssign(target=ast.Name(id=name)):
                    members[name] = statement
                case ast.If():
                    self._class_body(entity, statement.body)
                case _:
                    pass


def _parents_in(tree: ast.Module) -> dict[ast.AST, ast.AST]:
    found: dict[ast.AST, ast.AST] = {}
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        for name in node._fields:
            value: object = getattr(node, name, None)
            if isinstance(value, list):
                inner = [item for item in cast("list[object]", value) if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST) and name != "ctx":
                inner = [value]
            else:
                continue
            pending.extend(inner)
            found.update(dict.fromkeys(inner, node))
    return found


def _is_setter(node: FunctionNode) -> bool:
    return any(
        isinstance(d, ast.Attribute)
        and d.attr in {"setter", "deleter", "expression", "inplace", "comparator"}
        for d in node.decorator_list
    )


class World:
    """All modules of a project, found by path or by dotted name.

    `touched` collects the paths of the modules that answers were drawn from.

    Args:
        names: tells which modules imports mean where several have one name; None if there are no such.
    """

    def __init__(self, names: ModuleNames | None = None) -> None:
        self._apart: ModuleNames | None = names if names is not None and names.homes else None
        self.by_path: dict[str, Module] = {}
        self._by_name: dict[str, Module] = {}
        self._packages: set[str] = set()
        self.touched: set[str] = set()
        self._resolved: dict[tuple[str, str], Class | tuple[Module, Binding] | Module | str | None] = {}

    def set_files(self, texts: dict[str, str]) -> None:
        """Begin with these files."""
        self._packages = {p.rpartition("/")[0] for p in texts if p.rpartition("/")[2] == "__init__.py"}
        self.by_path = {}
        self._by_name = {}
        for path, text in texts.items():
            self._put(path, text)

    def update(self, path: str, text: str) -> None:
        """Replace one file that is already known."""
        self._put(path, text)
        self._resolved.clear()
        for module in self.by_path.values():
            for cls in module.classes:
                cls.mro = None

    def _put(self, path: str, text: str) -> None:
        names = self._names_of(path)
        meant = None
        if self._apart is not None:
            meant = self._apart.meant(path)
            if self._apart.is_apart(path):
                names[0] = self._apart.by_path[path]
        module = Module(path, text, names[0], meant)
        self.by_path[path] = module
        for name in names:
            present = self._by_name.get(name)
            if present is None or present.path == path or name == names[0]:
                self._by_name[name] = module

    def _names_of(self, path: str) -> list[str]:
        stem = path.removesuffix(".py").removesuffix("/__init__")
        parts = stem.split("/")
        folders = path.split("/")[:-1]
        root = len(folders)
        while root > 0 and "/".join(folders[:root]) in self._packages:
            root -= 1
        names = [".".join(parts[root:]) or parts[-1]]
        names.extend(".".join(parts[first:]) for first in range(root))
        return names

    def has(self, name: str) -> bool:
        """Whether a dotted name may be a module of the project, as imports spell it, or is a relative one (with a leading dot)."""
        if name in self._by_name or name.startswith(".") or not name:
            return True
        return self._apart is not None and name.partition(".")[0] in self._apart.homes

    def module(self, name: str) -> Module | None:
        """The project's module of a dotted name."""
        found = self._by_name.get(name)
        if found is not None:
            self.touched.add(found.path)
        return found

    def resolve(self, module: Module, name: str) -> Class | tuple[Module, Binding] | Module | str | None:
        """What a module-level name means.

        Returns:
            A class; a function or expression with the module that binds it; a module; the dotted name of
            something outside the project; or None for a name that nothing binds.
        """
        self.touched.add(module.path)
        key = (module.path, name)
        if key in self._resolved:
            return self._resolved[key]
        self._resolved[key] = None
        found = self._resolve(module, name)
        self._resolved[key] = found
        return found

    def _resolve(self, module: Module, name: str) -> Class | tuple[Module, Binding] | Module | str | None:
        binding = module.names.get(name)
        if binding is None:
            for star in module.stars:
                target = self.module(star)
                if target is not None and target is not module:
                    found = self.resolve(target, name)
                    if found is not None:
                        return found
            return self.module(f"{module.name}.{name}") if module.is_package else None
        if isinstance(binding, Class):
            return binding
        if isinstance(binding, Imported):
            return self.imported(binding)
        return (module, binding)

    def imported(self, binding: Imported) -> Class | tuple[Module, Binding] | Module | str | None:
        """What an import brings."""
        target = self.module(binding.module)
        if not binding.name:
            return target or binding.module
        if target is None:
            return self.module(f"{binding.module}.{binding.name}") or f"{binding.module}.{binding.name}"
        found = self.resolve(target, binding.name)
        if found is None:
            found = self.module(f"{binding.module}.{binding.name}")
        return found if found is not None else f"{binding.module}.{binding.name}"

    def expression(
        self, module: Module, node: ast.AST | None
    ) -> Class | tuple[Module, Binding] | Module | str | None:
        """What a dotted expression at module level means."""
        if isinstance(node, ast.Name):
            return self.resolve(module, node.id) or f"builtins.{node.id}"
        if isinstance(node, ast.Attribute):
            base = self.expression(module, node.value)
            if isinstance(base, str):
                return f"{base}.{node.attr}"
            if isinstance(base, Module):
                return self.resolve(base, node.attr) or self.module(f"{base.name}.{node.attr}")
            if isinstance(base, Class):
                member = base.members.get(node.attr)
                if isinstance(member, ast.ClassDef):
                    return base.module.inner.get(member)
                return (base.module, member) if isinstance(member, ast.expr) else None
        if isinstance(node, ast.Subscript):
            return self.expression(module, node.value)
        return None

    def bases(self, cls: Class) -> list[Class | str]:
        """The direct bases: classes of the project, or dotted names of outside ones."""
        found: list[Class | str] = []
        for base in cls.node.bases:
            value = self.expression(cls.module, base)
            if isinstance(value, tuple) and isinstance(value[1], ast.expr):
                value = self._base_value(value[0], value[1])
            if isinstance(value, (Class, str)):
                found.append(value)
            elif isinstance(base, ast.Call):
                found.extend(self._base_call(cls.module, base))
        return found

    def _base_value(self, module: Module, value: ast.expr) -> Class | str | None:
        if isinstance(value, ast.Call):
            inner = self._base_call(module, value)
            return inner[0] if inner else None
        found = self.expression(module, value)
        return found if isinstance(found, (Class, str)) else None

    def _base_call(self, module: Module, call: ast.Call) -> list[Class | str]:
        """`Manager.from_queryset(QuerySet)`, `declarative_base()` and other calls that make a class."""
        function = self.expression(module, call.func)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "from_queryset":
            places = [*call.args, call.func.value]
            return [v for v in (self.expression(module, p) for p in places) if isinstance(v, (Class, str))]
        if isinstance(function, str):
            return [f"{function}()"]
        values = [self.expression(module, a) for a in call.args]
        return [v for v in values if isinstance(v, Class)]

    def mro(self, cls: Class) -> list[Class | str]:
        """The class and its ancestors, depth first, each once (an approximation of C3), outside names included."""
        if cls.mro is not None:
            return cls.mro
        cls.mro = [cls]
        order: list[Class | str] = [cls]
        for base in self.bases(cls):
            order.extend(self.mro(base) if isinstance(base, Class) else [base])
        unique: list[Class | str] = []
        for position, entry in enumerate(order):
            last = entry not in order[position + 1 :] or isinstance(entry, str)
            if last and entry not in unique:
                unique.append(entry)
        if unique and unique[0] is not cls:
            unique.insert(0, cls)
        cls.mro = unique
        return unique

    def member(self, cls: Class, name: str, after: Class | None = None) -> tuple[Class, ast.AST] | None:
        """The class in the MRO that binds a name, and what it binds; optionally only behind `after` (`super()`)."""
        chain = self.mro(cls)
        if after is not None and after in chain:
            chain = chain[chain.index(after) + 1 :]
        for entry in chain:
            if isinstance(entry, Class):
                self.touched.add(entry.module.path)
                if name in entry.members:
                    return entry, entry.members[name]
        return None

    def outside(self, cls: Class) -> list[str]:
        """Dotted names of the ancestors outside the project."""
        return [entry for entry in self.mro(cls) if isinstance(entry, str)]
