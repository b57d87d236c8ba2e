"""What evaluation carries along: running loops, calls, the queries met; and what its parts may ask of one another."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from charter.analysis.orm.frames import OPERATIONS, Event, Loop, Note, Place, Uses
from charter.analysis.orm.mapping import Model, Relation
from charter.analysis.orm.schema import Schema
from charter.analysis.orm.values import (
    Container,
    Dictionary,
    Frame,
    Function,
    Instance,
    Query,
    Row,
    Unknown,
    Value,
)
from charter.analysis.orm.world import Class, Module, Site, World

if TYPE_CHECKING:
    from charter.analysis.orm.arguments import Arguments
    from charter.analysis.orm.reach import Reach


class Exhausted(Exception):  # noqa: N818 - not an error: the rest of one entry point is given up
    """An entry point took more steps than it is worth."""


class Renderer(Protocol):
    """Renders templates by name."""

    def render(self, run: Machine, name: str, context: dict[str, Value], site: Site) -> None:
        """Run a template with a context."""
        ...


class Silent:
    """Renders nothing: a project without templates."""

    def render(self, run: Machine, name: str, context: dict[str, Value], site: Site) -> None:
        """Do nothing."""


class Machine(ABC):
    """The state of an evaluation, and the operations by which its parts reach each other.

    Args:
        world: the project's modules.
        schema: its models.
        reach: which functions may reach a query.
    """

    def __init__(self, world: World, schema: Schema, reach: Reach) -> None:
        self.world: World = world
        self.schema: Schema = schema
        self.reach: Reach = reach
        self.events: dict[Event, None] = {}
        self.notes: dict[Note, None] = {}
        self.loops: list[Loop] = []
        self.calls: list[tuple[Site | None, ast.AST]] = []
        self.mask: frozenset[int] | None = None
        self.steps: int = 0
        self.warm: set[Model] = set()
        self.asked: int = 0
        self.reads: set[Place] = set()
        self.looped: set[Place] = set()
        self.asked_before: dict[Query, Site] = {}
        self.listed: dict[ast.AST, Query] = {}
        self.lookups: Uses = {}
        self.templates: Renderer = Silent()
        self._numbers: int = 0
        self._assigned: dict[ast.AST, frozenset[str]] = {}

    def start(self) -> None:
        """Begin a new entry point."""
        self.events = {}
        self.notes = {}
        self.loops = []
        self.calls = []
        self.mask = None
        self.steps = 0
        self.warm = set()
        self.reads = set()
        self.looped = set()
        self.asked_before = {}
        self.listed = {}

    # Events
    def look(self, kind: str, site: Site) -> None:
        """Note a place that could be a finding of a kind, whether or not it is one."""
        self.reads.add((kind, *site.key[:2], site.place.start))

    def active(self, among: frozenset[int] | tuple[int, ...] | None = None) -> list[Loop]:
        """The running loops whose length is open, optionally only those of some numbers."""
        found = [loop for loop in self.loops if not loop.bounded]
        if self.mask is not None:
            found = [loop for loop in found if loop.number in self.mask]
        if among is not None:
            found = [loop for loop in found if loop.number in among]
        return found

    def running(self) -> tuple[int, ...]:
        """The numbers of all running loops."""
        return tuple(loop.number for loop in self.loops)

    def births(self) -> tuple[int, ...]:
        """The numbers of the loops in each round of which what is made now is made anew: not what a cache keeps."""
        mask = self.mask
        return tuple(loop.number for loop in self.loops if mask is None or loop.number in mask)

    def record(
        self,
        kind: str,
        site: Site,
        among: frozenset[int] | tuple[int, ...] | None = None,
        *,
        subject: str = "",
        model: Model | None = None,
        relation: Relation | None = None,
        row: Row | None = None,
        query: Query | None = None,
        method: str = "",
    ) -> None:
        """Note a query; it counts only while an open loop runs that repeats it. Its subject is the site's text if none is given."""
        self.asked += 1
        self.look(OPERATIONS[kind], site)
        loops = self.active(among)
        if kind != "relation":
            loops = [loop for loop in loops if not loop.carried]
        if not loops and kind not in {"immediate", "broken"}:
            return
        event = Event(
            kind,
            site,
            loops[-1] if loops else None,
            subject or site.source,
            model,
            relation,
            row,
            query,
            tuple(call for call, _ in self.calls if call is not None),
            method,
            site.node,
            tuple(loops),
        )
        self.events[event] = None

    # Loops
    @contextmanager
    def loop(
        self,
        site: Site,
        *,
        bounded: bool,
        what: str = "",
        carried: bool = False,
        over: Query | None = None,
        rows: bool = False,
    ) -> Generator[Loop, None, None]:
        """Run a loop around what is evaluated inside the `with`."""
        self._numbers += 1
        depth = sum(1 for call, _ in self.calls if call is not None)
        loop = Loop(self._numbers, site, bounded, what, carried, over, rows, depth)
        self.loops.append(loop)
        if self.mask is not None:
            self.mask |= {loop.number}
        outer, self.reads = self.reads, set()
        try:
            yield loop
        finally:
            self.loops.pop()
            if not bounded:
                self.looped |= self.reads
            outer |= self.reads
            self.reads = outer

    @contextmanager
    def masked(self, among: frozenset[int]) -> Generator[None, None, None]:
        """Let only some of the running loops count inside the `with` (a cached property, a memoised function)."""
        before = self.mask
        self.mask = among if before is None else among & before
        try:
            yield
        finally:
            self.mask = before

    def vary(self, value: Value, loop: Loop, depth: int = 0) -> Value:
        """The value as it is in one round of a loop."""
        if depth > 3:
            return value
        match value:
            case Row():
                keep = value.varies & frozenset(self.running())
                return replace(value, varies=keep | {loop.number})
            case Container(items=items, element=element):
                return Container(
                    None if element is None else self.vary(element, loop, depth + 1),
                    None if items is None else [self.vary(i, loop, depth + 1) for i in items],
                    value.bounded,
                )
            case Dictionary():
                result = Dictionary(
                    {k: self.vary(v, loop, depth + 1) for k, v in value.entries.items()},
                    value.key,
                    value.element,
                )
                if value.element is not None:
                    result.element = self.vary(value.element, loop, depth + 1)
                return result
            case Instance(cls=Class()):
                copy = Instance(value.cls, {}, value.name, (*value.born, loop.number))
                for name, inner in value.attributes.items():
                    copy.attributes[name] = self.vary(inner, loop, depth + 1)
                return copy
            case Unknown():
                return replace(value, loose=True)
            case _:
                return value

    def picked(self, value: Value, key: ast.expr, frame: Frame) -> Value:
        """What a list or dictionary holds under a key: another row in each round of the loops that set the key."""
        if not isinstance(value, Row) or not self.loops or isinstance(key, ast.Constant):
            return value
        names = {node.id for node in ast.walk(key) if isinstance(node, ast.Name)}
        setting = {
            loop.number
            for loop in self.loops
            if loop.site.file is frame.module and not names.isdisjoint(self._names_set(loop.site.node))
        }
        return replace(value, varies=value.varies | setting) if setting else value

    def _names_set(self, loop: ast.AST | None) -> frozenset[str]:
        """The names that a loop assigns."""
        if loop is None:
            return frozenset()
        found = self._assigned.get(loop)
        if found is None:
            found = self._assigned[loop] = frozenset(
                node.id
                for node in ast.walk(loop)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            )
        return found

    # What parts ask of one another
    @abstractmethod
    def evaluate(self, node: ast.expr | None, frame: Frame) -> Value:
        """What an expression may be; the queries it runs are noted on the way."""

    @abstractmethod
    def iterate(self, value: Value, site: Site, *, is_async: bool = False) -> tuple[Value, bool]:
        """What iterating gives, and whether the number of rounds is fixed by the code; a query runs."""

    @abstractmethod
    def stringify(self, value: Value, site: Site) -> Value:
        """`str(value)`: runs the class's `__str__`."""

    @abstractmethod
    def attribute(self, value: Value, name: str, site: Site) -> Value:
        """`value.name`."""

    @abstractmethod
    def member_value(self, owner: Class, member: ast.AST) -> Value:
        """What a class attribute is."""

    @abstractmethod
    def call(self, callee: Value, arguments: Arguments, site: Site) -> Value:
        """Call a value."""

    @abstractmethod
    def invoke(
        self, function: Function, arguments: list[Value], keywords: dict[str, Value], site: Site
    ) -> Value:
        """Call a function of the project."""

    @abstractmethod
    def enter(self, function: Function, keywords: dict[str, Value] | None = None) -> Value:
        """Run a function as an entry point: with unknown arguments but these, and no call site of its own."""

    @abstractmethod
    def block(self, body: list[ast.stmt], frame: Frame) -> bool:
        """Run statements; False if the end is never reached."""

    @abstractmethod
    def statement(self, node: ast.stmt, frame: Frame) -> bool:
        """Run one statement; False if what follows is never reached."""

    @abstractmethod
    def bind(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Assign a value to a target."""

    @abstractmethod
    def lookup(self, frame: Frame, name: str) -> Value:
        """What a name means in a scope."""

    @abstractmethod
    def global_name(self, module: Module, name: str) -> Value:
        """What a module-level name means."""

    @abstractmethod
    def entity(self, target: object, name: str = "") -> Value:
        """A resolved name as a value."""

    @abstractmethod
    def module_frame(self, module: Module) -> Frame:
        """The scope of a module's top level."""

    @abstractmethod
    def annotated(self, module: Module, annotation: ast.expr | None) -> Value:
        """What a parameter of an annotated type may be."""

    @abstractmethod
    def remembered(self, node: ast.AST, make: Callable[[], Value]) -> Value:
        """The value of a class attribute, evaluated once and outside every loop."""
