"""Runs functions on abstract values: statements, scopes, loops and calls. What rows and queries do is in the files beside it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from charter.analysis.orm import attributes, calls, decorators, expressions, rows, statements
from charter.analysis.orm.arguments import Arguments
from charter.analysis.orm.contexts import Result, Unkeyed, attached, detached, holds_rows, key_of
from charter.analysis.orm.machine import Exhausted, Machine
from charter.analysis.orm.mapping import Model
from charter.analysis.orm.schema import Schema
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
    Method,
    ModuleRef,
    Row,
    Unknown,
    Value,
    join,
    join_all,
)
from charter.analysis.orm.world import Binding, Class, Module, Site, World

if TYPE_CHECKING:
    from charter.analysis.orm.reach import Reach

MAX_DEPTH = 5
MAX_STEPS = 4_000


class Interpreter(Machine):
    """Evaluates the project's functions one entry point at a time.

    Args:
        world: the project's modules.
        schema: its models.
        reach: which functions may reach a query.
    """

    def __init__(self, world: World, schema: Schema, reach: Reach) -> None:
        super().__init__(world, schema, reach)
        self._globals: dict[tuple[str, str], Value] = {}
        self._memo: dict[object, dict[object, Result]] = {}
        self._frames: dict[str, Frame] = {}
        self._busy: set[tuple[str, str]] = set()
        self._members: dict[ast.AST, Value] = {}
        self._keeps: dict[ast.AST, str] = {}
        self._promising: dict[Class, bool] = {}
        self._cuts: int = 0
        self._recursions: int = 0

    def forget(self) -> None:
        """Drop all that was remembered between entry points, after a file changed."""
        self._globals.clear()
        self._members.clear()
        self._keeps.clear()
        self._promising.clear()
        self._memo.clear()
        self._frames.clear()
        self._assigned.clear()

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
                    if isinstance(element, ast.Starred):
                        self.bind(element.value, Container(inner), frame)
                    else:
                        self.bind(element, inner, frame)
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
    def enter(self, function: Function, keywords: dict[str, Value] | None = None) -> Value:
        """Run a function as an entry point: with unknown arguments but these, and no call site of its own."""
        node = function.node
        assert not isinstance(node, ast.Lambda)
        arguments = [function.bound] if function.bound is not None else []
        self.world.touched.add(function.module.path)
        return self._once(function, node, arguments, keywords or {}, None)

    def invoke(
        self, function: Function, arguments: list[Value], keywords: dict[str, Value], site: Site
    ) -> Value:
        """Call a function of the project."""
        node = function.node
        depth = sum(1 for _, on_stack in self.calls if on_stack is node)
        if depth >= 2:
            self._recursions += 1
            return UNKNOWN
        if len(self.calls) >= MAX_DEPTH:
            self._cuts += 1
            return UNKNOWN
        if function.bound is not None:
            arguments = [function.bound, *arguments]
        if isinstance(node, ast.Lambda):
            frame = Frame(function.module, {}, function.closure, node, function.owner, function.bound)
            self._parameters(frame, node.args, arguments, keywords, function)
            return self.evaluate(node.body, frame)
        if not self._worth(function, arguments, keywords):
            return UNKNOWN
        return self._once(function, node, arguments, keywords, site)

    def _once(
        self,
        function: Function,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        arguments: list[Value],
        keywords: dict[str, Value],
        site: Site | None,
    ) -> Value:
        """Run a function unless it was run before with what comes to the same."""
        given = [*arguments, *keywords.values()]
        try:
            keys = [key_of(value) for value in given] if function.closure is None else None
        except Unkeyed:
            keys = None
        if keys is None:
            return self._run_charged(function, node, arguments, keywords, site)
        memo = self._memo.setdefault((node, tuple(keywords), tuple(keys)), {})
        here = (self.running(), self.mask)
        deep = (here, len(self.calls))
        if memo:
            known = memo.get(None) or memo.get(here) or memo.get(deep)
            if known is not None:
                return self._replay(known, given)
        return self._kept_run(function, node, (arguments, keywords, site), keys, memo, (None, here, deep))

    def _replay(self, known: Result, given: list[Value]) -> Value:
        self.world.touched |= known.touched
        self.events.update(known.events)
        self.notes.update(known.notes)
        self.reads |= known.reads
        self.looped |= known.looped
        if known.stored and isinstance(given[0], Instance):
            for name, value in known.stored.items():
                given[0].attributes[name] = attached(value, given)
        return attached(known.value, given)

    def _kept_run(
        self,
        function: Function,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        call: tuple[list[Value], dict[str, Value], Site | None],
        keys: list[object],
        memo: dict[object, Result],
        contexts: tuple[object, object, object],
    ) -> Value:
        """Run a function and keep what it did: for any context, for the same loops or for the same depth as well."""
        given = [*call[0], *call[1].values()]
        receiver = given[0] if given and isinstance(given[0], Instance) else None
        before = dict(receiver.attributes) if receiver is not None else {}
        asked, cuts, recursions = self.asked, self._cuts, self._recursions
        events, notes = self.events, self.notes
        reads, looped, outer = self.reads, self.looped, self.world.touched
        self.events, self.notes = {}, {}
        self.reads, self.looped, self.world.touched = set(), set(), set()
        try:
            value = self._run_charged(function, node, *call)
            stored = _stored(receiver, before)
            if recursions == self._recursions and not _changed(given, keys, receiver, before):
                rowless = not holds_rows(value) and not any(map(holds_rows, stored.values()))
                plain = rowless and asked == self.asked
                if (
                    plain
                    or (rowless and not self.events and not self.loops)
                    or not any(holds_rows(value, plain=bool(self.loops)) for value in given)
                ):
                    context = contexts[2 if cuts != self._cuts else 0 if plain else 1]
                    memo[context] = self._result(value, stored, given)
        finally:
            events.update(self.events)
            notes.update(self.notes)
            reads |= self.reads
            looped |= self.looped
            outer |= self.world.touched
            self.events, self.notes = events, notes
            self.reads, self.looped, self.world.touched = reads, looped, outer
        return value

    def _result(self, value: Value, stored: dict[str, Value], given: list[Value]) -> Result:
        """What a function that was just run did, for the next call of it."""
        return Result(
            detached(value, given),
            {name: detached(inner, given) for name, inner in stored.items()},
            frozenset(self.world.touched),
            self.events,
            self.notes,
            frozenset(self.reads),
            frozenset(self.looped),
        )

    def _run_charged(
        self,
        function: Function,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        arguments: list[Value],
        keywords: dict[str, Value],
        site: Site | None,
    ) -> Value:
        self.steps += 5
        self.world.touched.add(function.module.path)
        return self._run(function, node, arguments, keywords, site)

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
        kept = self._kept(function.module, node)
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
            if decorators.makes_context(node):
                return element or UNKNOWN
            return Container(element)
        if reached:
            frame.returns.append(Const(None))
        return join_all(frame.returns) or UNKNOWN

    def _kept(self, module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        """Where a function keeps what it found: `everywhere` (a cache), on the `instance`, or nowhere ("")."""
        found = self._keeps.get(node)
        if found is None:
            found = self._keeps[node] = decorators.keeps_result(node, lambda: Site(module, node).source)
        return found

    def _worth(self, function: Function, arguments: list[Value], keywords: dict[str, Value]) -> bool:
        """Whether a call can matter: it is handed rows or queries, or the function may reach some."""
        if function.closure is not None:
            return True
        if any(map(self.tells, arguments)) or any(map(self.tells, keywords.values())):
            return True
        return self._is_hot(function)

    def _is_hot(self, function: Function) -> bool:
        owner = function.owner.name if function.owner else ""
        if (function.module.path, owner, getattr(function.node, "name", "")) in self.reach.hot:
            return True
        self.world.touched.add(function.module.path)  # it may come to reach one
        return False

    def tells(self, value: Value, depth: int = 0) -> bool:
        """Whether a value is or holds rows or queries, or what may reach some."""
        match value:
            case Unknown() | Const() | External() | ModuleRef():
                return False
            case ClassRef(cls=cls):
                return cls in self.schema.models
            case Container(items=items, element=element):
                return depth < 2 and any(
                    self.tells(v, depth + 1) for v in [*(items or []), *([element] if element else [])]
                )
            case Dictionary(entries=entries, element=element):
                return depth < 2 and any(
                    self.tells(v, depth + 1) for v in [*entries.values(), *([element] if element else [])]
                )
            case Instance(cls=cls, attributes=attributes, name=name):
                if cls is None:
                    return bool(name)
                return self._is_promising(cls) or (
                    depth < 2 and any(self.tells(v, depth + 1) for v in attributes.values())
                )
            case Function(bound=bound, closure=closure) if not isinstance(value.node, ast.Lambda):
                return (
                    closure is not None
                    or self._is_hot(value)
                    or (bound is not None and self.tells(bound, depth + 1))
                )
            case Method(receiver=receiver):
                return self.tells(receiver, depth + 1)
            case _:
                return True

    def _is_promising(self, cls: Class) -> bool:
        """Whether methods of a class may reach a query."""
        found = self._promising.get(cls)
        if found is None:
            classes = self.reach.classes
            found = self._promising[cls] = any(
                (entry.module.path, entry.name) in classes
                for entry in self.world.mro(cls)
                if isinstance(entry, Class)
            )
        if not found:
            self.world.touched.add(cls.module.path)
        return found

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


def _stored(receiver: Instance | None, before: dict[str, Value]) -> dict[str, Value]:
    """The attributes that a call gave its receiver."""
    if receiver is None:
        return {}
    return {name: value for name, value in receiver.attributes.items() if before.get(name) is not value}


def _changed(
    given: list[Value], keys: list[object], receiver: Instance | None, before: dict[str, Value]
) -> bool:
    """Whether a call changed something in its arguments other than attributes of its receiver."""
    try:
        for value, key in zip(given, keys, strict=True):
            if isinstance(value, (Container, Dictionary, Instance)):
                same = (
                    Instance(receiver.cls, before, receiver.name, receiver.born)
                    if value is receiver and receiver
                    else value
                )
                if key_of(same) != key:
                    return True
    except Unkeyed:
        return True
    return False


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


def _is_schema(run: Machine, model: Model) -> bool:
    assert model.cls is not None
    return any(b.startswith("sqlmodel") for b in run.world.outside(model.cls))


_BUILTINS = frozenset(dir(builtins))
