"""The project's functions that frameworks and decorators call: how they come to be known as handlers."""

# The values here are nested tuples or parsed documents, which only their tags type; modules of one class name each other in annotations only.
# pyright: reportImportCycles=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING

from charter.analysis.taint import handlers
from charter.analysis.taint.arguments import Arguments
from charter.analysis.taint.knowledge import Knowledge
from charter.analysis.taint.relevance import hands_on
from charter.analysis.taint.routes import Route, parse
from charter.analysis.taint.values import NO, PROJECT_FUNCTION, PROJECT_INSTANCE, Value, references
from charter.model import ir

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.analysis.taint.frame import Frame
    from charter.model.library.index import Entry as Facts
    from charter.model.library.index import Index
    from charter.model.project import Class, Function, Module, Project


class Registered(Knowledge, ABC):
    """The roles that functions are given while others run."""

    def __init__(self, project: Project, index: Index, threats: Iterable[str]) -> None:
        super().__init__(project, index, threats)
        self._inner: dict[Function, list[Function]] = {}

    def register(self, frame: Frame, entry: Facts, arguments: Arguments) -> None:
        """A call that registers handlers."""
        if hands_on(frame.function):
            self.near.learn(frame.function.short)
        for function, use in handlers.used_by_registration(frame, entry, arguments):
            self.use(frame.module, function, use)

    def route(self, module: Module, cls: Class, pattern: str) -> None:
        """A table of routes gives a class its URL pattern; what the pattern does not name stays as it is."""
        route = parse(pattern, "regex")
        named = {name: safe for name, safe in route.parameters.items() if not name.isdigit()}
        for function, use in handlers.used_by_class(cls, self.project.externals(cls), self.index):
            if named and use.handler.parameters == "all":
                self.use(module, function, handlers.Use(use.handler, Route(named, static=False)))

    def decorated(self, frame: Frame, function: Function, decorator: ir.Node, value: Value) -> Value:
        """The value of a decorated function; its role as a handler is remembered."""
        for use in handlers.used_by_decorator(frame, decorator, self.index):
            self.use(frame.module, function, use)
        target = decorator[2] if decorator[0] == ir.CALL else decorator
        for reference in references(frame.value(target)[2]):
            if reference[0] == PROJECT_FUNCTION and self._fetches(reference[1]):
                self._run_wrapper(frame, function, decorator, value)
        return value

    def _fetches(self, decorator: Function) -> bool:
        """Whether what a decorator of the project's own puts around functions may read untrusted data."""
        inner = self._inner.get(decorator)
        if inner is None:
            functions = decorator.module.functions
            near = {one for one in functions if one.parent is decorator}
            inner = self._inner[decorator] = [one for one in functions if one in near or one.parent in near]
        return any(self.near.mentions(one) for one in inner)

    def _run_wrapper(self, frame: Frame, function: Function, decorator: ir.Node, value: Value) -> None:
        """Run what a decorator puts around a function: it may hand on what it has read from a request."""
        place = decorator[1]
        wrapper = frame.invoke(frame.value(decorator), Arguments.of([value], place), place)
        given: list[Value] = []
        if function.cls is not None and self.roles.sort(function) == "instance":
            given = [(0, NO, (PROJECT_INSTANCE, function.cls, False), ())]
        for reference in references(wrapper[2]):
            if reference[0] == PROJECT_FUNCTION and reference[1] is not function:
                frame.invoke(wrapper, Arguments.of(given, place), place)

    def use(self, module: Module, function: Function, use: handlers.Use) -> None:
        """A framework calls a function."""
        known = self.handlers.get(function)
        if known is not None and known.route is not None:
            if use.route is None:
                return
            if known.handler == use.handler:
                use = handlers.Use(use.handler, known.route.merged(use.route))
        elif known is not None and use.route is not None and function.cls is None:
            use = handlers.Use(known.handler, use.route)  # a table of routes knows less than a decorator
        if known == use:
            return
        self.handlers[function] = use
        self.registrars[function] = module
        self._look_again(function)
        key = (function, ())
        if key in self.summaries or key in self._stack:
            self._dirty[key] = None

    def safe_by_route(self, function: Function, name: str) -> int:
        """What a part of the path cannot hold by the pattern of the handler's route."""
        use = self.handlers.get(function)
        return 0 if use is None or use.route is None else use.route.parameters.get(name, 0)

    def is_static_route(self, function: Function) -> bool:
        """Whether a handler's URL pattern has no parameters, so that the request's path is constant."""
        scope: Function | None = function
        while scope is not None:
            use = self.handlers.get(scope)
            if use is not None:
                return use.route is not None and use.route.static
            scope = scope.parent
        return False
