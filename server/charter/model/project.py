"""The modules of a project linked together: names across files, re-exports, classes and their linear order.

It resolves names statically, from file records alone; what a name's value is at run time is the analyses' affair.
"""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections import defaultdict
from operator import itemgetter
from posixpath import dirname
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, cast

from charter.model import ir
from charter.model.modules import holds, region_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Target = "Module | Function | Class | str"
"""What a name may mean: something of the project, or the access path of something outside."""


class Function:
    """One function of the project, the code of a module or of a class's body included.

    Attributes:
        short: its name without the classes and functions around it.
    """

    __slots__ = (
        "cls",
        "flags",
        "frees",
        "index",
        "line",
        "module",
        "name",
        "parameters",
        "parent",
        "record",
        "short",
    )

    def __init__(self, module: Module, index: int, record: ir.Node) -> None:
        self.module = module
        self.index = index
        self.record = record
        self.name: str = record[ir.NAME]
        self.short = self.name.rpartition(".")[2]
        self.line: int = record[ir.LINE]
        self.parameters: tuple[ir.Node, ...] = record[ir.PARAMETERS]
        self.flags: int = record[ir.FLAGS]
        self.frees: tuple[str, ...] = record[ir.FREES]
        self.cls: Class | None = None
        self.parent: Function | None = None

    def renew(self, index: int, record: ir.Node) -> bool:
        """Take the new record of the same function; whether its code is another."""
        old = self.record
        self.index = index
        self.record = record
        self.line = record[ir.LINE]
        if old[ir.BODY] == record[ir.BODY] and all(
            _unplaced(old[part]) == _unplaced(record[part])
            for part in (ir.PARAMETERS, ir.DECORATORS, ir.RETURNS, ir.FLAGS, ir.FREES)
        ):
            return False
        self.parameters = record[ir.PARAMETERS]
        self.flags = record[ir.FLAGS]
        self.frees = record[ir.FREES]
        return True

    def __repr__(self) -> str:
        return f"<{self.module.path}:{self.line} {self.name}>"


_Named = TypeVar("_Named", "Function", "Class")


class Change(NamedTuple):
    """What is different in a module.

    Attributes:
        gone: the functions that are no more.
        lost: the classes that are no more.
        changed: the functions with other code.
        names: the names that mean something else now: of the module, of classes and of their attributes.
        imports: those of the module's names that merely import something else.
        hierarchy: whether there are other classes, or classes with other bases or methods.
    """

    gone: tuple[Function, ...]
    lost: tuple[Class, ...]
    changed: list[Function]
    names: set[str]
    imports: set[str]
    hierarchy: bool


class Class:
    """One class of the project."""

    __slots__ = (
        "annotations",
        "body",
        "externals",
        "index",
        "lineage",
        "methods",
        "module",
        "name",
        "order",
        "parent",
        "record",
        "subclasses",
    )

    def __init__(self, module: Module, index: int, record: ir.Node) -> None:
        self.module = module
        self.index = index
        self.record = record
        self.name: str = record[ir.CLASS_NAME]
        self.body: Function | None = None
        self.methods: dict[str, Function] = {}
        self.annotations: dict[str, ir.Node] = record[ir.ANNOTATIONS]
        self.order: tuple[Class | str, ...] | None = None
        self.lineage: tuple[Class, ...] = (self,)
        self.externals: tuple[str, ...] = ()
        self.subclasses: list[Class] = []
        self.parent: Function | None = None

    def renew(self, index: int, record: ir.Node) -> None:
        """Take the new record of the same class."""
        self.index = index
        self.record = record
        self.annotations = record[ir.ANNOTATIONS]

    @property
    def path(self) -> str:
        """The qualified name."""
        return f"{self.module.name}.{self.name}"

    def __repr__(self) -> str:
        return f"<class {self.path}>"


class Module:
    """One file of the project."""

    __slots__ = ("classes", "folder", "functions", "name", "path", "record")

    def __init__(self, path: str, record: ir.Node) -> None:
        self.path = path
        self.record = record
        self.folder = dirname(path)
        self.name = module_name(path)
        self.functions: list[Function] = [
            Function(self, index, one) for index, one in enumerate(record[ir.FUNCTIONS])
        ]
        self.classes: list[Class] = [Class(self, index, one) for index, one in enumerate(record[ir.CLASSES])]
        self._link()

    def renew(self, record: ir.Node) -> Change:
        """Take the file's new record: what goes by the same name as before stays the same object.

        Args:
            record: the new record.

        Returns:
            What is different now.
        """
        before, shapes = self._meanings(), {cls: _shape(cls) for cls in self.classes}
        functions, classes = _named(self.functions), _named(self.classes)
        self.record = record
        changed: list[Function] = []
        self.functions = []
        for index, (key, one) in enumerate(_keys(record[ir.FUNCTIONS], ir.NAME)):
            function = functions.pop(key, None)
            if function is None:
                function = Function(self, index, one)
            elif function.renew(index, one):
                changed.append(function)
            self.functions.append(function)
        self.classes = []
        for index, (key, one) in enumerate(_keys(record[ir.CLASSES], ir.CLASS_NAME)):
            cls = classes.pop(key, None) or Class(self, index, one)
            cls.renew(index, one)
            self.classes.append(cls)
        self._link()
        after = self._meanings()
        names = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        imports = {
            name
            for name in names
            if not (isinstance(before.get(name), _DEFINED) or isinstance(after.get(name), _DEFINED))
        }
        names -= imports
        other = [cls for cls in self.classes if shapes.get(cls) != _shape(cls)]
        for cls in (*other, *classes.values()):
            names |= _names_changed(cls, shapes.get(cls))
        gone, lost = tuple(functions.values()), tuple(classes.values())
        return Change(gone, lost, changed, names, imports, bool(other or lost))

    def _meanings(self) -> dict[str, object]:
        """What each module-level name means, and where the names imported with `*` come from."""
        meanings: dict[str, object] = dict(self.record[ir.IMPORTS])
        for name, (sort, index) in self.record[ir.DEFINED].items():
            meanings[name] = self.classes[index] if sort == "class" else self.functions[index]
        if self.record[ir.STARS]:
            meanings["*"] = self.record[ir.STARS]
        return meanings

    def _link(self) -> None:
        for function in self.functions:
            owner, parent = function.record[ir.OWNER], function.record[ir.PARENT]
            function.cls = self.classes[owner] if owner >= 0 else None
            function.parent = self.functions[parent] if parent >= 0 else None
        for cls in self.classes:
            cls.body = self.functions[cls.record[ir.CLASS_BODY_FUNCTION]]
            cls.methods = {name: self.functions[index] for name, index in cls.record[ir.METHODS].items()}
            cls.parent = self.functions[cls.record[ir.CLASS_PARENT]]

    @property
    def main(self) -> Function:
        """The module's own code."""
        return self.functions[0]

    @property
    def is_package(self) -> bool:
        """Whether it is a package's `__init__`."""
        return self.path.endswith(("/__init__.py", "/__init__.pyi")) or self.path in {
            "__init__.py",
            "__init__.pyi",
        }

    def __repr__(self) -> str:
        return f"<module {self.path}>"


_DEFINED: Final = (Function, Class)
_NOT_ASKED: Final = object()


def _keys(records: Iterable[ir.Node], part: int) -> Iterator[tuple[tuple[str, int], ir.Node]]:
    """Records with their names; those of one name are counted."""
    seen: dict[str, int] = {}
    for record in records:
        name = record[part]
        count = seen[name] = seen.get(name, -1) + 1
        yield (name, count), record


def _named(found: Iterable[_Named]) -> dict[tuple[str, int], _Named]:
    """Functions or classes by name; those of one name are counted."""
    seen: dict[str, int] = {}
    result: dict[tuple[str, int], _Named] = {}
    for one in found:
        count = seen[one.name] = seen.get(one.name, -1) + 1
        result[one.name, count] = one
    return result


class _Shape(NamedTuple):
    """What others can tell of a class without running it."""

    methods: dict[str, Function]
    annotations: dict[str, Any]
    rest: tuple[Any, ...]


def _shape(cls: Class) -> _Shape:
    record = cls.record
    rest = tuple(_unplaced(record[part]) for part in (ir.BASES, ir.CLASS_DECORATORS))
    return _Shape(dict(cls.methods), _unplaced(record[ir.ANNOTATIONS]), rest)


def _names_changed(cls: Class, before: _Shape | None) -> set[str]:
    """By which names others may tell that a class is new, gone or different: all, or those of other members."""
    own = cls.name.rpartition(".")[2]
    now = _shape(cls)
    was = before or now
    methods, annotations = (
        {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}
        for one, other in ((was.methods, now.methods), (was.annotations, now.annotations))
    )
    # Who calls a special method does not name it.
    if was.rest != now.rest or any(name.startswith("__") for name in methods) or not (methods or annotations):
        return {own, *was.methods, *now.methods, *was.annotations, *now.annotations}
    # Annotations may make the parameters of a constructor.
    return {*methods, *annotations, *((own,) if annotations else ())}


def _unplaced(node: Any) -> Any:
    """A part of a record without the positions in its expressions."""
    if isinstance(node, tuple):
        items = cast("tuple[Any, ...]", node)
        if len(items) > 1 and type(items[0]) is int and type(items[1]) is int:
            return (items[0], *(_unplaced(one) for one in items[2:]))
        return tuple(_unplaced(one) for one in items)
    if isinstance(node, dict):
        return {key: _unplaced(one) for key, one in cast("dict[Any, Any]", node).items()}
    return node


def module_name(path: str) -> str:
    """The dotted form of a whole path, from the project's root."""
    stem = path.rpartition(".")[0].replace("/", ".")
    return stem.removesuffix(".__init__")


class Project:
    """All modules, by path and by the end of their dotted names."""

    def __init__(self) -> None:
        self.modules: dict[str, Module] = {}
        self.by_name: dict[str, list[Module]] = defaultdict(list)
        self._names: dict[tuple[str, str], Module | None] = {}
        self._globals: dict[tuple[str, str], object] = {}
        self._methods: dict[str, list[Function]] | None = None

    def put(self, path: str, record: ir.Node | None) -> None:
        """Add, replace or (with None) remove a file."""
        old = self.modules.pop(path, None)
        if old is not None:
            for end in _endings(old.name):
                self.by_name[end].remove(old)
        if record is not None:
            module = self.modules[path] = Module(path, record)
            for end in _endings(module.name):
                self.by_name[end].append(module)
        self.forget()

    def forget(self) -> None:
        """Drop everything that was derived from several files."""
        self._names.clear()
        self._globals.clear()
        self._methods = None

    def link(self) -> None:
        """Compute the class hierarchy anew."""
        for module in self.modules.values():
            for cls in module.classes:
                cls.order = None
                cls.subclasses = []
        for module in self.modules.values():
            for cls in module.classes:
                for base in self.linear_order(cls)[1:]:
                    if isinstance(base, Class):
                        base.subclasses.append(cls)

    # Modules
    def module(self, name: str, importer: Module) -> Module | None:
        """The project's module of a dotted name, as seen from another module's folder."""
        key = (name, importer.folder)
        if key not in self._names:
            self._names[key] = self._find_module(name, importer)
        return self._names[key]

    def _find_module(self, name: str, importer: Module) -> Module | None:
        near: list[tuple[int, int, Module]] = []
        far: list[Module] = []
        for module in self.by_name.get(name, ()):
            root = module.name[: len(module.name) - len(name)].rstrip(".").replace(".", "/")
            if root and f"{root}/__init__.py" in self.modules:
                continue  # an absolute import starts outside every package
            region = region_of(root)
            if holds(region, importer.folder):
                near.append((len(region), len(root), module))
            elif region != root:
                far.append(module)
        if near:
            return max(near, key=itemgetter(0, 1))[2]
        return far[0] if len(far) == 1 else None

    # Names
    def absolute(self, module: Module, level: int, name: str) -> str:
        """The absolute dotted name of an import in a module."""
        if not level:
            return name
        parts = module.name.split(".")
        drop = level - 1 if module.is_package else level
        kept = parts[: len(parts) - drop] if drop else parts
        return ".".join([*kept, name] if name else kept)

    def imported(self, module: Module, what: tuple[int, str, str]) -> Module | Function | Class | str:
        """What an import binds: (level, module, name) as in the file record."""
        level, name, member = what
        dotted = self.absolute(module, level, name)
        target = self.module(dotted, module)
        if not member:
            return target or dotted
        if target is not None:
            found = self.member(target, member)
            if found is not None:
                return found
        submodule = self.module(f"{dotted}.{member}", module)
        if submodule is not None:
            return submodule
        return f"{dotted}.{member}"

    def member(self, module: Module, name: str) -> Module | Function | Class | str | None:
        """What a module-level name means: a definition, an import, a submodule; None if it is a variable or unknown."""
        key = (module.path, name)
        known = self._globals.get(key, _NOT_ASKED)
        if known is not _NOT_ASKED:
            return known  # pyright: ignore[reportReturnType]
        self._globals[key] = None  # cuts import cycles
        found = self._member(module, name)
        self._globals[key] = found
        return found

    def _member(self, module: Module, name: str) -> Module | Function | Class | str | None:
        defined = module.record[ir.DEFINED].get(name)
        if defined is not None:
            sort, index = defined
            return module.classes[index] if sort == "class" else module.functions[index]
        what = module.record[ir.IMPORTS].get(name)
        if what is not None:
            return self.imported(module, what)
        for level, star in module.record[ir.STARS]:
            dotted = self.absolute(module, level, star)
            target = self.module(dotted, module)
            if target is not None and target is not module:
                found = self.member(target, name)
                if found is not None:
                    return found
        if module.is_package:
            return self.module(f"{module.name}.{name}", module)
        return None

    def variable(self, module: Module, name: str) -> tuple[Module, str] | None:
        """The module and name of the variable of another module that a name imports; None if it imports none."""
        seen: set[tuple[str, str]] = set()
        while (module.path, name) not in seen:
            seen.add((module.path, name))
            what = module.record[ir.IMPORTS].get(name)
            if what is None:
                return (module, name) if len(seen) > 1 else None
            level, dotted, member = what
            target = self.module(self.absolute(module, level, dotted), module) if member else None
            if target is None:
                return None
            module, name = target, member
        return None

    def star_modules(self, module: Module) -> Iterator[Module | str]:
        """The modules whose names a module imports with `*`."""
        for level, star in module.record[ir.STARS]:
            dotted = self.absolute(module, level, star)
            yield self.module(dotted, module) or dotted

    # Classes
    def expression(self, module: Module, node: ir.Node) -> Module | Function | Class | str | None:
        """What a dotted expression at module level means, statically."""
        if node[0] in {ir.GLOBAL, ir.LOCAL, ir.FREE}:
            found = self.member(module, node[2])
            return f"builtins.{node[2]}" if found is None and node[0] == ir.GLOBAL else found
        if node[0] == ir.ATTR:
            owner = self.expression(module, node[2])
            return None if owner is None else self.attribute(owner, node[3], module)
        if node[0] == ir.ITEM:
            return self.expression(module, node[2])
        if node[0] == ir.CALL:
            return None
        return None

    def attribute(self, owner: object, name: str, module: Module) -> Module | Function | Class | str | None:
        """What an attribute of a module or class means."""
        if isinstance(owner, str):
            submodule = self.module(f"{owner}.{name}", module)
            return submodule or f"{owner}.{name}"
        if isinstance(owner, Module):
            found = self.member(owner, name)
            return found if found is not None else self.module(f"{owner.name}.{name}", owner)
        if isinstance(owner, Class):
            for nested in owner.module.classes:
                if nested.name == f"{owner.name}.{name}":
                    return nested
            return self.method(owner, name)
        return None

    def named(self, path: str) -> Module | Function | Class | None:
        """What a qualified name means, whoever would import it; None if it is nothing of the project's.

        Args:
            path: a dotted name as an import would spell it.
        """
        parts = path.split(".")
        for count in range(len(parts) - 1, 0, -1):
            for module in self.by_name.get(".".join(parts[:count]), ()):
                found: object = module
                for name in parts[count:]:
                    found = self.attribute(found, name, module)
                if isinstance(found, Module | Function | Class):
                    return found
        return None

    def linear_order(self, cls: Class) -> tuple[Class | str, ...]:
        """The class and its bases in the order of look-up (an approximation of C3: last occurrence wins)."""
        if cls.order is not None:
            return cls.order
        cls.order, cls.lineage, cls.externals = (cls,), (cls,), ()
        chain: list[Class | str] = []
        for base in cls.record[ir.BASES]:
            target = self.expression(cls.module, base)
            if isinstance(target, Class):
                chain.extend(self.linear_order(target))
            elif isinstance(target, str):
                chain.append(target)
        seen: set[object] = {cls}
        result: list[Class | str] = []
        for one in reversed(chain):
            if one not in seen:
                seen.add(one)
                result.append(one)
        cls.order = (cls, *reversed(result))
        cls.lineage = tuple([one for one in cls.order if isinstance(one, Class)])
        cls.externals = tuple([one for one in cls.order if isinstance(one, str)])
        return cls.order

    def lineage(self, cls: Class) -> tuple[Class, ...]:
        """The class and those of its bases that the project defines, in the order of look-up."""
        if cls.order is None:
            self.linear_order(cls)
        return cls.lineage

    def method(self, cls: Class, name: str) -> Function | None:
        """The method that an attribute of an instance means, through the class's bases."""
        for one in self.lineage(cls):
            found = one.methods.get(name)
            if found is not None:
                return found
        return None

    def externals(self, cls: Class) -> tuple[str, ...]:
        """The base classes outside the project, nearest first."""
        if cls.order is None:
            self.linear_order(cls)
        return cls.externals

    def methods_named(self, name: str) -> list[Function]:
        """All methods of this name in the project."""
        if self._methods is None:
            self._methods = defaultdict(list)
            for module in self.modules.values():
                for cls in module.classes:
                    for method, function in cls.methods.items():
                        self._methods[method].append(function)
        return self._methods.get(name, [])


def _endings(name: str) -> Iterator[str]:
    """A dotted name and all its ends: `a.b.c`, `b.c`, `c`."""
    while True:
        yield name
        _, dot, rest = name.partition(".")
        if not dot:
            return
        name = rest
