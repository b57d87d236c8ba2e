"""Runs functions on abstract values: statements, scopes, loops and calls. What rows and queries do is in the files beside it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

from charter.analysis.orm import attributes, calls, expressions, rows, statements
from charter.analysis.orm.arguments import Arguments
from charter.analysis.orm.machine import Exhausted, Machine
from charter.analysis.orm.schema import Model, Schema
from charter.analysis.orm.values import (
    OPAQUE,
    UNKNOWN,
    ClassRef,
    Const,
    Container,
    Dictionary,
    External,
    Frame,
    Function,
    Instance,
    ModuleRef,
    Row,
    Unknown,
    Value,
    join,
    join_all,
)
from charter.analysis.orm.world import Binding, Class, Module, Site, World

MAX_DEPTH = 6
MAX_STEPS = 6_000


class Interpreter(Machine):
    """Evaluates the project's functions one entry point at a time.

    Args:
        world: the project's modules.
        schema: its models.
        hot: the names of functions that may reach a query.
    """

    def __init__(self, world: World, schema: Schema, hot: frozenset[str]) -> None:
        super().__init__(world, schema, hot)
        self._globals: dict[tuple[str, str], Value] = {}
        self._memo: dict[object, tuple[Value, frozenset[str], bool]] = {}
        self._frames: dict[str, Frame] = {}
        self._busy: set[tuple[str, str]] = set()
        self._members: dict[ast.AST, Value] = {}
        self._keeps: dict[ast.AST, str] = {}

    def forget(self) -> None:
        """Drop all that was remembered between entry points, after a file changed."""
        self._globals.clear()
        self._members.clear()
        self._keeps.clear()
        self._memo.clear()
        self._frames.clear()

    # Scopes
    def module_frame(self, module: Module) -> Frame:
        """The scope of a module's top level."""
        frame = self._frames.get(module.path)
        if frame is None:
            frame = self._frames[module.path] = Frame(module)
        return frame

    def lookup(self, frame: Frame, name: str) -> Value:
        """What a name means in a scope."""
        scope: Frame | None = frame
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.outer
        return self.global_name(frame.module, name)

    def global_name(self, module: Module, name: str) -> Value:
        """What a module-level name means."""
        key = (module.path, name)
        found = self._globals.get(key)
        if found is None:
            if key in self._busy:
                return UNKNOWN
            self._busy.add(key)
            try:
                found = self._global(module, name)
            finally:
                self._busy.discard(key)
            self._globals[key] = found
        else:
            self.world.touched.add(module.path)
        return found

    def _global(self, module: Module, name: str) -> Value:
        target = self.world.resolve(module, name)
        if target is None:
            annotation = module.annotations.get(name)
            if annotation is not None:
                return self.annotated(module, annotation)
            return External(f"builtins.{name}") if name in _BUILTINS else Unknown(name)
        return self.entity(target, name)

    def entity(self, target: object, name: str = "") -> Value:
        """A resolved name as a value."""
        if isinstance(target, Class):
            return ClassRef(target)
        if isinstance(target, Module):
            return ModuleRef(target)
        if isinstance(target, str):
            return External(target)
        if isinstance(target, tuple):
            module, binding = cast("tuple[Module, Binding]", target)
            if isinstance(binding, (ast.FunctionDef, ast.AsyncFunctionDef)):
                return Function(binding, module)
            if isinstance(binding, ast.expr):
                with self._quiet():
                    value = self.evaluate(binding, self.module_frame(module))
                if isinstance(value, Unknown):
                    return Unknown(name, bounded=name.isupper())
                if isinstance(value, (Container, Dictionary)) and name.isupper():
                    value.bounded = True
                return value
        return Unknown(name)

    @contextmanager
    def _quiet(self) -> Generator[None, None, None]:
        loops, calls, mask = self.loops, self.calls, self.mask
        self.loops, self.calls, self.mask = [], [], None
        try:
            yield
        finally:
            self.loops, self.calls, self.mask = loops, calls, mask

    def remembered(self, node: ast.AST, make: Callable[[], Value]) -> Value:
        """The value of a class attribute, evaluated once and outside every loop."""
        found = self._members.get(node)
        if found is None:
            self._members[node] = UNKNOWN
            with self._quiet():
                found = make()
            self._members[node] = found
        return found

    def annotated(self, module: Module, annotation: ast.expr | None) -> Value:
        """What a parameter of an annotated type may be."""
        if annotation is None:
            return UNKNOWN
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                annotation = ast.parse(annotation.value, mode="eval").body
            except SyntaxError:
                return UNKNOWN
        if isinstance(annotation, ast.BinOp):
            return join(self.annotated(module, annotation.left), self.annotated(module, annotation.right))
        if isinstance(annotation, ast.Subscript):
            return self._generic(module, annotation)
        target = self.world.expression(module, annotation)
        if isinstance(target, Class):
            model = self.schema.models.get(target)
            if model is not None and not (model.abstract and model.cls and _is_schema(self, model)):
                return Row(model, OPAQUE)
            return Instance(target)
        if isinstance(target, str):
            return Instance(None, {}, target)
        return UNKNOWN

    def _generic(self, module: Module, annotation: ast.Subscript) -> Value:
        head = (
            annotation.value.attr
            if isinstance(annotation.value, ast.Attribute)
            else getattr(annotation.value, "id", "")
        )
        inner = annotation.slice
        if head in {"Optional", "Annotated", "Awaitable"}:
            first = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
            return self.annotated(module, first)
        if head in {
            "list",
            "List",
            "Sequence",
            "Iterable",
            "QuerySet",
            "Iterator",
            "Collection",
            "set",
            "tuple",
        }:
            first = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
            return Container(self.annotated(module, first))
        if head in {"type", "Type"}:
            target = self.world.expression(module, inner)
            return ClassRef(target) if isinstance(target, Class) else UNKNOWN
        return UNKNOWN

    # What the files beside this one do with it
    def evaluate(self, node: ast.expr | None, frame: Frame) -> Value:
        """What an expression may be; the queries it runs are noted on the way."""
        return expressions.evaluate(self, node, frame)

    def iterate(self, value: Value, site: Site, *, is_async: bool = False) -> tuple[Value, bool]:
        """What iterating gives, and whether the number of rounds is fixed by the code; a query runs."""
        return expressions.iterate(self, value, site, is_async=is_async)

    def stringify(self, value: Value, site: Site) -> Value:
        """`str(value)`: runs the class's `__str__`."""
        return expressions.stringify(self, value, site)

    def attribute(self, value: Value, name: str, site: Site) -> Value:
        """`value.name`."""
        return attributes.attribute(self, value, name, site)

    def member_value(self, owner: Class, member: ast.AST) -> Value:
        """What a class attribute is."""
        return attributes.member_value(self, owner, member)

    def call(self, callee: Value, arguments: Arguments, site: Site) -> Value:
        """Call a value."""
        return calls.call(self, callee, arguments, site)

    # Statements
    def block(self, body: list[ast.stmt], frame: Frame) -> bool:
        """Run statements; False if the end is never reached."""
        return all(self.statement(statement, frame) for statement in body)

    def statement(self, node: ast.stmt, frame: Frame) -> bool:
        """Run one statement; False if what follows is never reached."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Exhausted
        return statements.run_statement(self, node, frame)

    # Names
    def bind(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Assign a value to a target."""
        match target:
            case ast.Name(id=name):
                frame.names[name] = value
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                items = value.items if isinstance(value, Container) else None
                fallback = rows.element_of(self, value)
                exact = items is not None and len(items) == len(elts)
                for position, element in enumerate(elts):
                    inner = items[position] if exact and items else fallback
                    self.bind(element.value if isinstance(element, ast.Starred) else element, inner, frame)
            case ast.Attribute(value=base, attr=name):
                owner = self.evaluate(base, frame)
                if isinstance(owner, Instance):
                    owner.attributes[name] = value
                elif isinstance(owner, Row) and isinstance(base, ast.Name) and name in owner.model.relations:
                    frame.names[base.id] = replace(owner, known=(*owner.known, (name, value)))
            case ast.Subscript(value=base, slice=index):
                owner = self.evaluate(base, frame)
                key = self.evaluate(index, frame)
                store(owner, key, value)
            case _:
                pass

    # Functions
    def enter(self, function: Function) -> Value:
        """Run a function as an entry point: with unknown arguments, and no call site of its own."""
        node = function.node
        assert not isinstance(node, ast.Lambda)
        arguments = [function.bound] if function.bound is not None else []
        self.world.touched.add(function.module.path)
        return self._run(function, node, arguments, {}, None)

    def invoke(
        self, function: Function, arguments: list[Value], keywords: dict[str, Value], site: Site
    ) -> Value:
        """Call a function of the project."""
        node = function.node
        depth = sum(1 for _, on_stack in self.calls if on_stack is node)
        if len(self.calls) >= MAX_DEPTH or depth >= 2:
            return UNKNOWN
        if function.bound is not None:
            arguments = [function.bound, *arguments]
        if isinstance(node, ast.Lambda):
            frame = Frame(function.module, {}, function.closure, node, function.owner, function.bound)
            self._parameters(frame, node.args, arguments, keywords, function)
            return self.evaluate(node.body, frame)
        if not self._worth(function, arguments, keywords):
            return UNKNOWN
        key = self._memo_key(function, arguments, keywords)
        if key is not None and key in self._memo:
            value, paths, silent = self._memo[key]
            if silent or not self.loops:
                self.world.touched |= paths
                return value
        self.steps += 5
        asked = self.asked
        outer = self.world.touched
        self.world.touched = {function.module.path}
        try:
            value = self._run(function, node, arguments, keywords, site)
            silent = asked == self.asked
            if key is not None and (silent or not self.loops) and _untouched(function):
                self._memo[key] = (value, frozenset(self.world.touched), silent)
        finally:
            outer |= self.world.touched
            self.world.touched = outer
        return value

    def _run(
        self,
        function: Function,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        arguments: list[Value],
        keywords: dict[str, Value],
        site: Site | None,
    ) -> Value:
        frame = Frame(function.module, {}, function.closure, node, function.owner, function.bound)
        self._parameters(frame, node.args, arguments, keywords, function)
        self.calls.append((site, node))
        mask = self.mask
        kept = self._kept(node)
        if kept == "everywhere":
            self.mask = frozenset()
        elif kept == "instance":
            varies = function.bound.varies if isinstance(function.bound, Row) else frozenset[int]()
            self.mask = varies if mask is None else varies & mask
        try:
            reached = self.block(node.body, frame)
        finally:
            self.calls.pop()
            self.mask = mask
        if frame.is_generator or frame.yields:
            element = join_all(frame.yields)
            if any(_last(d) in {"contextmanager", "asynccontextmanager"} for d in node.decorator_list):
                return element or UNKNOWN
            return Container(element)
        if reached:
            frame.returns.append(Const(None))
        return join_all(frame.returns) or UNKNOWN

    def _kept(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        """Where a function keeps what it found: `everywhere` (a cache), on the `instance`, or nowhere ("")."""
        found = self._keeps.get(node)
        if found is None:
            found = self._keeps[node] = keeps_result(node)
        return found

    def _worth(self, function: Function, arguments: list[Value], keywords: dict[str, Value]) -> bool:
        """Whether a call can matter: it is handed rows or queries, or the function may reach some."""
        if function.closure is not None:
            return True
        if any(_telling(v) for v in arguments) or any(_telling(v) for v in keywords.values()):
            return True
        name = getattr(function.node, "name", "")
        return name in self.hot

    def _memo_key(self, function: Function, arguments: list[Value], keywords: dict[str, Value]) -> object:
        if function.closure is not None or not _untouched(function):
            return None
        parts: list[object] = [function.node]
        for value in [*arguments, *keywords.values()]:
            if isinstance(value, Const):
                parts.append((type(value.value).__name__, value.value))
            elif isinstance(value, (Unknown, ClassRef, External)):
                parts.append(value)
            elif value is function.bound and isinstance(value, Instance):
                parts.append(value.cls)
            else:
                return None
        parts.append(tuple(keywords))
        try:
            hash(key := tuple(parts))
        except TypeError:
            return None
        return key

    def _parameters(
        self,
        frame: Frame,
        spec: ast.arguments,
        arguments: list[Value],
        keywords: dict[str, Value],
        function: Function,
    ) -> None:
        names = [*spec.posonlyargs, *spec.args]
        given = dict(keywords)
        home = self.module_frame(function.module) if function.closure is None else function.closure
        missing = len(names) - len(spec.defaults)
        for position, parameter in enumerate(names):
            if position < len(arguments):
                value: Value | None = arguments[position]
            elif parameter.arg in given:
                value = given.pop(parameter.arg)
            elif position >= missing:
                value = self.evaluate(spec.defaults[position - missing], home)
            else:
                value = None
            frame.names[parameter.arg] = self._typed(value, parameter, function)
        for parameter, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            value = given.pop(parameter.arg, None)
            if value is None and default is not None:
                value = self.evaluate(default, home)
            frame.names[parameter.arg] = self._typed(value, parameter, function)
        if spec.vararg:
            rest = arguments[len(names) :]
            frame.names[spec.vararg.arg] = Container(None, list(rest)) if rest else Unknown(spec.vararg.arg)
        if spec.kwarg:
            frame.names[spec.kwarg.arg] = Dictionary({**given})

    def _typed(self, value: Value | None, parameter: ast.arg, function: Function) -> Value:
        if value is None or isinstance(value, Unknown):
            typed = self.annotated(function.module, parameter.annotation)
            return Unknown(parameter.arg) if isinstance(typed, Unknown) else typed
        return value


def store(owner: Value, key: Value, value: Value) -> None:
    """`owner[key] = value`."""
    if isinstance(owner, Dictionary):
        if isinstance(key, Const) and isinstance(key.value, (str, int, bool, type(None))):
            owner.entries[key.value] = value
        else:
            owner.key = join(owner.key, key) if owner.key else key
            owner.element = join(owner.element, value) if owner.element else value
    elif isinstance(owner, Container):
        owner.element = join(owner.element, value)


def _telling(value: Value, depth: int = 0) -> bool:
    """Whether a value is or holds rows or queries."""
    match value:
        case Unknown() | Const() | External() | ModuleRef() | ClassRef():
            return False
        case Container(items=items, element=element):
            return depth < 2 and any(
                _telling(v, depth + 1) for v in [*(items or []), *([element] if element else [])]
            )
        case Dictionary(entries=entries, element=element):
            return depth < 2 and any(
                _telling(v, depth + 1) for v in [*entries.values(), *([element] if element else [])]
            )
        case Instance(attributes=attributes):
            return depth < 2 and any(_telling(v, depth + 1) for v in attributes.values())
        case _:
            return True


def keeps_result(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Whether a function keeps its result: in a cache (`everywhere`), in an attribute of its `instance`, or not ("")."""
    if any(_last(d) in {"lru_cache", "cache", "memoize", "cached"} for d in node.decorator_list):
        return "everywhere"
    stored: set[str] = set()
    tested: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            if inner.func.attr in {"get", "get_or_set", "get_many"} and _last(
                inner.func.value
            ).lower().endswith("cache"):
                return "everywhere"
        elif (
            isinstance(inner, ast.Attribute)
            and inner.attr.startswith("_")
            and isinstance(inner.ctx, ast.Store)
        ):
            stored.add(inner.attr)
        elif isinstance(inner, (ast.If, ast.Try, ast.IfExp)):
            test = inner.body[0] if isinstance(inner, ast.Try) else inner.test
            tested |= {n.attr for n in ast.walk(test) if isinstance(n, ast.Attribute)}
            tested |= {
                n.value for n in ast.walk(test) if isinstance(n, ast.Constant) and isinstance(n.value, str)
            }
    return "instance" if stored & tested else ""


def _untouched(function: Function) -> bool:
    """Whether a method's receiver, if it is an instance, carries nothing yet that would tell calls apart."""
    bound = function.bound
    return not isinstance(bound, Instance) or not (bound.attributes.keys() - {"__init__"})


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _last(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_schema(run: Machine, model: Model) -> bool:
    assert model.cls is not None
    return any(b.startswith("sqlmodel") for b in run.world.outside(model.cls))


_BUILTINS = frozenset(dir(builtins))
