"""What functions are and what annotations name: methods by sort, parameters by class. It runs nothing."""

# The values here are nested tuples, which only their tags type.
# pyright: reportImportCycles=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint import handlers
from charter.analysis.taint.values import INSTANCE, NO, PROJECT_CLASS, PROJECT_INSTANCE, Value
from charter.model import ir
from charter.model.project import Class, Function, Module, Project

if TYPE_CHECKING:
    from charter.analysis.taint.frame import Frame
    from charter.model.library.index import Index


_LISTS: Final = frozenset("list List set Set frozenset tuple Tuple Sequence Iterable Collection".split())


class Roles:
    """What is known of a project's functions without running them.

    Args:
        project: the project.
        index: the models of libraries.
    """

    def __init__(self, project: Project, index: Index) -> None:
        self.project = project
        self.index = index
        self._sorts: dict[Function, str] = {}
        self._types: dict[Function, tuple[Any, ...]] = {}

    def forget(self, function: Function) -> None:
        """A function is gone, or has another signature or other decorators."""
        self._sorts.pop(function, None)
        self.forget_types(function)

    def forget_types(self, function: Function) -> None:
        """The names in a function's annotations may mean something else."""
        self._types.pop(function, None)

    def sort(self, function: Function) -> str:
        """What a method is: "static", "class", "property" or "instance"."""
        known = self._sorts.get(function)
        if known is None:
            known = "instance"
            for decorator in function.record[ir.DECORATORS]:
                name = decorator[-1] if decorator[0] in {ir.GLOBAL, ir.ATTR, ir.LOCAL} else ""
                if name in {"staticmethod", "classmethod"}:
                    known = name[:-6]
                elif name in {"property", "cached_property", "hybrid_property", "abstractproperty", "reify"}:
                    known = "property"
            if function.short in {"__new__", "__init_subclass__", "__class_getitem__"}:
                known = "class"
            self._sorts[function] = known
        return known

    def is_property(self, function: Function) -> bool:
        """Whether reading the attribute calls the function."""
        return bool(function.record[ir.DECORATORS]) and self.sort(function) == "property"

    def receiver_for(self, function: Function, receiver: Value | None) -> Value | None:
        """What a method gets as its first argument."""
        if receiver is None:
            return None
        sort = self.sort(function)
        if sort == "static":
            return None
        if sort == "class" and receiver[2] is not None and receiver[2][0] == PROJECT_INSTANCE:
            return (0, NO, (PROJECT_CLASS, receiver[2][1]), ())
        return receiver

    # Types
    def parameter_references(self, function: Function) -> tuple[Any, ...]:
        """The class of each parameter's value by annotation, by role (`self`) or by the framework's custom."""
        known = self._types.get(function)
        if known is None:
            indices = range(len(function.parameters))
            known = self._types[function] = tuple([self._parameter(function, index) for index in indices])
        return known

    def _parameter(self, function: Function, index: int) -> Any:
        name, annotation = function.parameters[index][:2]
        if index == 0 and function.cls is not None and not function.flags & ir.LAMBDA:
            sort = self.sort(function)
            if sort == "class":
                return (PROJECT_CLASS, function.cls)
            if sort != "static":
                return (PROJECT_INSTANCE, function.cls, False)
        if annotation is not None:
            return self.type_of(function.module, annotation)
        for packages, type_name in self.index.parameters.get(name, ()):
            if any(root.partition(".")[0] in packages for root in function.module.record[ir.ROOTS]):
                return (INSTANCE, type_name)
        return None

    def type_of(self, module: Module, node: ir.Node) -> Any:
        """The reference that an annotation means; None if it tells nothing."""
        cls = self._class_of(module, node)
        if isinstance(cls, Class):
            return (PROJECT_INSTANCE, cls, False)
        path = handlers.annotation_path(_At(self.project, self.index, module), node)
        if not path or path.startswith(("builtins.", "typing.", "collections.")):
            return (INSTANCE, path) if handlers.is_harmless(path, self.index) else None
        return (INSTANCE, path) if path.rpartition(".")[2][:1].isupper() else None

    def element_of(self, module: Module, node: ir.Node) -> Any:
        """The reference that an annotation means for the elements of a list; None if it tells nothing."""
        if node[0] == ir.BINARY:
            return self.element_of(module, node[3]) or self.element_of(module, node[4])
        if node[0] != ir.ITEM:
            return None
        inner = node[3][3][0] if node[3][0] == ir.SEQUENCE and node[3][3] else node[3]
        if node[2][-1] in {"Optional", "Annotated"}:
            return self.element_of(module, inner)
        return self.type_of(module, inner) if node[2][-1] in _LISTS else None

    def says_harmless(self, module: Module, node: ir.Node) -> bool:
        """Whether no value of what an annotation of the module means can carry an attack."""
        return handlers.says_harmless(_At(self.project, self.index, module), node)

    def class_named(self, frame: Frame, node: ir.Node | None) -> Class | None:
        """The project's class that an annotation names."""
        found = None if node is None else self._class_of(frame.module, node)
        return found if isinstance(found, Class) else None

    def _class_of(self, module: Module, node: ir.Node) -> object:
        if node[0] == ir.ITEM:
            outer = self.project.expression(module, node[2])
            last = outer.rpartition(".")[2] if isinstance(outer, str) else ""
            if last in {"Optional", "Annotated", "Type"}:
                inner = node[3]
                return self._class_of(module, inner[3][0] if inner[0] == ir.SEQUENCE and inner[3] else inner)
            return outer if isinstance(outer, Class) else None
        if node[0] == ir.BINARY:
            left = self._class_of(module, node[3])
            return left if isinstance(left, Class) else self._class_of(module, node[4])
        return self.project.expression(module, node) if node[0] in {ir.GLOBAL, ir.ATTR} else None


class _At:
    """What `handlers.annotation_path` needs of a frame."""

    __slots__ = ("index", "module", "project")

    def __init__(self, project: Project, index: Index, module: Module) -> None:
        self.project = project
        self.index = index
        self.module = module
