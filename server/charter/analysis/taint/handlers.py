"""Which functions a framework calls with untrusted data, and what their parameters hold then."""

from __future__ import annotations

import marshal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.structs import replace

from charter.analysis.taint.arguments import Arguments, choose, holds
from charter.analysis.taint.characters import allowed_by
from charter.analysis.taint.frame import REST, SOURCE, SourceSite
from charter.analysis.taint.routes import Route, parse
from charter.analysis.taint.values import (
    ANNOTATED,
    BIT,
    BOUND,
    FRESH_TEXT,
    INSTANCE,
    NO,
    OBJECT,
    PROJECT_CLASS,
    PROJECT_FUNCTION,
    PROJECT_INSTANCE,
    SEGMENT,
    UNKNOWN,
    Value,
    bits,
    references,
)
from charter.model import ir
from charter.model.project import Class, Function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis.taint.frame import Frame
    from charter.model.library.index import Entry, Index
    from charter.model.library.values import Handler
    from charter.model.project import Module


class Use(NamedTuple):
    """A function as the handler of a framework."""

    handler: Handler
    route: Route | None


_HARMLESS: Final = frozenset(
    "builtins.int builtins.float builtins.bool builtins.complex uuid.UUID datetime.date datetime.datetime "
    "datetime.time datetime.timedelta decimal.Decimal numbers.Number numbers.Integral numbers.Real enum.Enum typing.Literal".split()
)
"""Python's own classes whose values cannot carry an attack."""

_NAMES: Final = frozenset({ir.LOCAL, ir.FREE, ir.GLOBAL})
_TEXTUAL: Final = frozenset(
    "builtins.str builtins.bytes builtins.list builtins.dict builtins.tuple builtins.set builtins.object typing.Any "
    "typing.List typing.Dict typing.Optional typing.Union typing.Annotated typing.Sequence typing.Mapping "
    "collections.abc.Sequence collections.abc.Mapping".split()
)
"""Python's own classes whose values can be, or hold, any text."""
_AROUND: Final = frozenset({"Optional", "Annotated", "Required", "NotRequired", "Final", "ClassVar"})
"""What stands around a type and says something else than what its values are."""
_HOLDERS: Final = ANNOTATED.keys() | {"Union", "Iterable", "Collection", "Container", "Iterator"}
"""What holds values of the types in its brackets, or is one of them."""
_TEXTS: Final = frozenset({"builtins.str", "builtins.bytes"})
"""Classes of texts, which a framework that reads annotations lets be nothing else."""


def is_harmless(path: str, index: Index) -> bool:
    """Whether the values of a class cannot carry an attack, by its qualified name."""
    return path in _HARMLESS or index.fields.get(path) == ()


def used_by_decorator(frame: Any, decorator: ir.Node, index: Index) -> Iterator[Use]:
    """The handler roles that a decorator gives to what it decorates."""
    call = decorator[0] == ir.CALL
    target = decorator[2] if call else decorator
    arguments = frame.arguments(decorator) if call else None
    entries = list(_entries(frame, target, index))
    if not entries and target[0] == ir.ATTR:
        entries = list(_guessed(frame, target, arguments, index))
    for handler in entries:
        route = _route(frame, handler, arguments)
        yield Use(_as_told(frame, handler, arguments), route)


def _as_told(frame: Any, handler: Handler, arguments: Arguments | None) -> Handler:
    """A handler with what its decorator's arguments say of the return value."""
    if arguments is not None:
        if handler.html and holds(frame, handler.html, arguments, None):
            return replace(handler, returns="html")
        if handler.redirect and holds(frame, handler.redirect, arguments, None):
            return replace(handler, returns="redirect")
    return handler


def _entries(frame: Any, target: ir.Node, index: Index) -> Iterator[Handler]:
    value = frame.value(target)
    for reference in references(value[2]):
        if reference[0] in {"x", INSTANCE}:
            yield from index.entry(reference[1]).decorates
        elif reference[0] in {PROJECT_FUNCTION, BOUND}:
            modelled = frame.engine.modelled.get(reference[1 if reference[0] == PROJECT_FUNCTION else 2])
            yield from () if modelled is None else modelled.decorates


def _guessed(frame: Any, target: ir.Node, arguments: Arguments | None, index: Index) -> Iterator[Handler]:
    """A decorator such as `app.route("/…")` of an `app` that is not known: the framework is the one imported."""
    first = arguments.position(0) if arguments is not None else None
    owner = target[2]
    if first is None or not isinstance(first[1], str) or not first[1].startswith("/"):
        return
    if frame.value(owner)[2] is not None or owner[0] not in {ir.LOCAL, ir.FREE, ir.GLOBAL}:
        return
    roots = {root.partition(".")[0] for root in frame.module.record[ir.ROOTS]}
    for packages, handler in index.by_decorator.get(target[3], ()):
        if roots.intersection(packages):
            yield handler
            return


def used_by_registration(frame: Any, entry: Entry, arguments: Arguments) -> Iterator[tuple[Function, Use]]:
    """The functions that a call registers, with their roles."""
    for handler, registration in entry.registers:
        for value, _ in choose(frame, registration.function, arguments, None):
            for function, role in _functions(frame, value, handler):
                route = None
                if registration.route is not None:
                    route = _parsed(choose(frame, registration.route, arguments, None), handler)
                yield function, Use(role, route)


def _functions(frame: Any, value: Value, handler: Handler) -> Iterator[tuple[Function, Handler]]:
    """The functions that a registered value stands for: of a class its handlers, or else what makes an instance."""
    for reference in references(value[2]):
        if reference[0] == PROJECT_FUNCTION:
            yield reference[1], handler
        elif reference[0] == BOUND:
            yield reference[2], handler
        elif reference[0] == PROJECT_CLASS:
            cls = reference[1]
            found = list(used_by_class(cls, frame.project.externals(cls), frame.index))
            yield from ((function, use.handler) for function, use in found)
            if not found and "__init__" in cls.methods:
                yield cls.methods["__init__"], handler
        elif reference[0] == PROJECT_INSTANCE:
            method = frame.project.method(reference[1], "__call__")
            if method is not None:
                yield method, handler


def used_by_class(cls: Class, externals: tuple[str, ...], index: Index) -> Iterator[tuple[Function, Use]]:
    """The methods of a class that a framework calls because of its bases."""
    seen: set[str] = set()
    for base in (*externals, *[one.path for one in cls.lineage[1:]]):
        for handler in index.handlers_below(base):
            for name in _methods(cls, handler):
                if name not in seen:
                    seen.add(name)
                    yield cls.methods[name], Use(handler, None)


def _methods(cls: Class, handler: Handler) -> Iterator[str]:
    for name in handler.methods:
        if "*" in name:
            yield from (one for one in cls.methods if one[0] != "_" and fnmatchcase(one, name))
        elif name in cls.methods:
            yield name


def used_by_convention(module: Module, index: Index) -> Iterator[tuple[Function, Use]]:
    """The handler roles that a module's functions have by their names and the names of their parameters."""
    known = index.by_function
    unnamed = known.get("*", ())
    telling = {f"({parameters[0]}" if parameters else "" for parameters, _, _ in unnamed}
    for function in module.functions:
        if (
            function.short not in known
            and "" not in telling
            and telling.isdisjoint(function.record[ir.WORDS])
        ):
            continue
        own = function.parameters[1:] if function.cls is not None else function.parameters
        for parameters, packages, handler in (*unnamed, *known.get(function.short, ())):
            if parameters and parameters != tuple([one[0] for one in own]):
                continue
            if not packages or any(
                root in packages or root.partition(".")[0] in packages for root in module.record[ir.ROOTS]
            ):
                yield function, Use(handler, None)


def _route(frame: Frame, handler: Handler, arguments: Arguments | None) -> Route | None:
    if handler.route is None or arguments is None:
        return None
    return _parsed(choose(frame, handler.route, arguments, None), handler)


def _parsed(found: list[tuple[Value, int]], handler: Handler) -> Route | None:
    for value, _ in found:
        if isinstance(value[1], str):
            return parse(value[1], handler.syntax)
    return None


def seed(frame: Any, function: Function, use: Use) -> None:
    """Put into a handler's parameters what the framework passes."""
    handler = use.handler
    method = function.cls is not None and frame.engine.roles.sort(function) != "static"
    for index, parameter in enumerate(function.parameters):
        place = index - method
        if place < 0:
            continue
        name = parameter[0]
        value = frame.state.get(name, UNKNOWN)
        injection = _injection(parameter, frame.index)
        if injection is not None:
            before = frame.state
            injected = _injected(frame, injection, parameter, use)
            if frame.state is None:  # one that never returns, as far as it is understood, has been replaced
                frame.state = before
            if _is_of_base(frame, injected[2], value[2]):
                injected = (*injected[:2], value[2], injected[3])
            frame.state[name] = injected
            continue
        typed = handler.types.get(name) or handler.types.get(str(place))
        if typed and (parameter[1] is None or not _is_telling(frame, value[2], typed)):
            if name in handler.tainted or str(place) in handler.tainted:
                value = _untrusted(frame, function, handler, parameter, value, 0)
            frame.state[name] = (value[0], NO, _framework_type(frame, function, typed), value[3])
        elif _is_tainted(frame, function, use, index, place):
            safe = _safe_bits(use, name, place) | safe_by_pattern(frame, parameter)
            if use.route is None and handler.parameters == "all" and handler.kind == "http":
                safe |= BIT["log"]  # a route that is not seen may well ask for a number
            segment = use.route is not None and name in use.route.segments
            frame.state[name] = _untrusted(frame, function, handler, parameter, value, safe, segment=segment)
        elif name in handler.tainted or str(place) in handler.tainted:
            frame.state[name] = _untrusted(frame, function, handler, parameter, value, 0)


def _is_telling(frame: Any, reference: Any, typed: str) -> bool:
    """Whether an annotation says more than what the framework is known to pass."""
    if reference is None or (reference[0] == INSTANCE and reference[1] in frame.index.ancestors(typed)):
        return False
    return reference[0] != INSTANCE or reference[1] in frame.engine.carriers


def _framework_type(frame: Any, function: Function, typed: str) -> Any:
    """What the models say that a parameter is: a library's class, or the class in an attribute (`self.form_class`)."""
    if not typed.startswith("self."):
        return (INSTANCE, typed)
    held = UNKNOWN if function.cls is None else frame.engine.field(function.cls, typed[5:], frame)
    for reference in references(held[2]):
        if reference[0] == PROJECT_CLASS:
            return (PROJECT_INSTANCE, reference[1], False)
    return None


def _metadata(parameter: ir.Node) -> list[ir.Node]:
    """What stands beside a parameter's type: its default, and the further parts of `Annotated[…]`."""
    annotation = parameter[1]
    found = [parameter[2]]
    if annotation is not None and annotation[0] == ir.ITEM and annotation[3][0] == ir.SEQUENCE:
        found += annotation[3][3][1:]
    return [node for node in found if node is not None]


def _injection(parameter: ir.Node, index: Index) -> ir.Node | None:
    """What a parameter asks to be called for its value: `current_user` of `Depends(current_user)`, or its own class."""
    for node in _metadata(parameter):
        if _is_injected(node, index):
            if node[3]:
                return node[3][0]
            annotation = parameter[1]
            if annotation is None or annotation[0] != ir.ITEM:
                return annotation
            inner = annotation[3]
            return inner[3][0] if inner[0] == ir.SEQUENCE and inner[3] else inner
    return None


def _injected(frame: Any, injection: ir.Node, parameter: ir.Node, use: Use) -> Value:
    """What the injected function gives; the elements of what a generator yields."""
    place = parameter[4]
    wanted = frame.value(injection)
    for function, _ in _functions(frame, wanted, use.handler):
        if function not in frame.engine.handlers:
            frame.engine.use(frame.module, function, Use(replace(use.handler, returns="json"), None))
    if wanted[2] is not None and wanted[2][0] == PROJECT_CLASS and "__init__" not in wanted[2][1].methods:
        fresh: Value = (0, NO, (PROJECT_INSTANCE, wanted[2][1], True), ())
        return _untrusted(frame, frame.function, use.handler, parameter, fresh, 0)
    value = frame.invoke(wanted, Arguments(place), place)
    is_list = value[2] is not None and value[2] == (INSTANCE, "builtins.list")
    return frame.elements(value) if is_list and value[3] else value


def _is_of_base(frame: Any, injected: Any, declared: Any) -> bool:
    """Whether a parameter is declared to be of a class of the project of which what is injected is only known to have a base."""
    return (
        declared is not None
        and declared[0] == PROJECT_INSTANCE
        and injected is not None
        and injected[0] == PROJECT_INSTANCE
        and injected[1] in frame.project.lineage(declared[1])
    )


def _safe_bits(use: Use, name: str, place: int) -> int:
    if use.route is None:
        return 0
    return use.route.parameters.get(name, use.route.parameters.get(str(place), 0))


def safe_by_pattern(frame: Any, parameter: ir.Node) -> int:
    """What a parameter or field cannot hold by what it is declared with: `Query(pattern="^[a-z]+$")`, `Header()`."""
    safe = 0
    fields = frame.index.fields
    for node in (*_metadata(parameter), parameter[1]):
        if node is not None and node[0] == ir.CALL:
            kinds = fields.get(annotation_path(frame, node[2]), ())
            safe |= bits(kinds) if kinds else 0
            for name, given in node[4]:
                if name in {"pattern", "regex"}:
                    pattern = frame.value(given)[1]
                    safe |= allowed_by(pattern, whole=False) if isinstance(pattern, str) else 0
    return safe


def _is_tainted(frame: Any, function: Function, use: Use, index: int, place: int) -> bool:
    handler = use.handler
    parameter = function.parameters[index]
    name, annotation = parameter[0], parameter[1]
    if handler.parameters == "none":
        return False
    if annotation is not None and says_harmless(frame, annotation):
        return False
    if handler.parameters == "typed":
        return _typed_is_tainted(frame, parameter, annotation_path(frame, annotation))
    if handler.parameters == "route" and use.route is not None:
        known = use.route.parameters
        return (
            name in known
            or str(place) in known
            or (parameter[3] == ir.KEYWORDS and bool(use.route.parameters))
        )
    if name in {"request", "req", "response", "resp", "self", "cls", "session", "db"}:
        return False
    if name in _added_before(frame, function) or _is_of_decorator(function, name):
        return False
    if handler.value == "text" and frame.engine.roles.class_named(frame, annotation) is not None:
        return False  # a route holds texts: what this is has been looked up before
    return parameter[2] is None or handler.parameters == "all" or use.route is None


def _is_of_decorator(function: Function, name: str) -> bool:
    """Whether a decorator was asked for an argument by its name: `@controller(media=True)` gives `media`."""
    return any(
        decorator[0] == ir.CALL
        and any(key == name and given[0] == ir.CONST and given[2] is True for key, given in decorator[4])
        for decorator in function.record[ir.DECORATORS]
    )


def _added_before(frame: Any, function: Function) -> set[str]:
    """The arguments that the project's own `dispatch` of a view's class has put beside those of the route."""
    method = None if function.cls is None else frame.project.method(function.cls, "dispatch")
    if method is None or method is function or b"kwargs" not in method.record[ir.BODY]:
        return set()
    added: set[str] = set()
    stack = list(marshal.loads(method.record[ir.BODY]))  # noqa: S302 (our own lowering)
    while stack:
        statement = stack.pop()
        for block in ir.blocks(statement):
            stack.extend(block)
        for target in statement[2] if statement[0] == ir.ASSIGN else ():
            if target[0] == ir.ITEM and target[2][0] == ir.LOCAL and target[3][0] == ir.CONST:
                added.add(target[3][2])
    return added


def _typed_is_tainted(frame: Any, parameter: ir.Node, path: str) -> bool:
    """Whether a parameter of a handler whose arguments are read by annotation can hold a text of the client's."""
    default = parameter[2]
    index = frame.index
    if _is_injected(default, index) or (
        parameter[1] is not None and _is_injected_annotation(parameter[1], index)
    ):
        return False
    if not path or path in _TEXTUAL or path in index.fields:
        return True
    cls = frame.engine.roles.class_named(frame, parameter[1])
    if cls is not None and default is not None and default[0] in _NAMES:
        return False  # what `Depends(…)` has made is often kept under a name; an object of the client's has no default
    if cls is not None:
        externals = frame.project.externals(cls)
        return (
            any("BaseModel" in base or "Schema" in base or "Struct" in base for base in externals)
            or (not externals and bool(cls.record[ir.CLASS_DECORATORS]))  # a data class; others are injected
        )
    return False


def _is_injected(node: ir.Node | None, index: Index) -> bool:
    return node is not None and node[0] == ir.CALL and node[2][-1] in index.injectors


def _is_injected_annotation(node: ir.Node, index: Index) -> bool:
    if node[0] == ir.ITEM and node[3][0] == ir.SEQUENCE:
        return any(_is_injected(one, index) or one[-1] in index.injectors for one in node[3][3][1:])
    return False


def says_harmless(frame: Any, node: ir.Node) -> bool:
    """Whether no value of an annotation can carry an attack: `int | None`, `list[int]`, a project's own enumeration."""
    if node[0] == ir.BINARY:
        parts = (node[3], node[4])
    elif node[0] == ir.ITEM:
        outer = annotation_path(frame, node[2])
        parts = node[3][3] if node[3][0] == ir.SEQUENCE else (node[3],)
        last = outer.rpartition(".")[2]
        if last in _AROUND:
            parts = parts[:1]
        elif last not in _HOLDERS:
            return is_harmless(outer, frame.index)
    else:
        found = frame.project.expression(frame.module, node) if node[0] in {ir.GLOBAL, ir.ATTR} else None
        if isinstance(found, Class):
            return any(base.startswith("enum.") for base in frame.project.externals(found))
        return is_harmless(annotation_path(frame, node), frame.index)
    told = [part for part in parts if part[0] not in {ir.CONST, ir.OPAQUE}]  # neither `None` nor `...`
    return bool(told) and all(says_harmless(frame, part) for part in told)


def annotation_path(frame: Any, node: ir.Node | None) -> str:
    """The qualified name of an annotation's class; of `Optional[X]`, `Annotated[X, …]` and `X | None` that of X.

    Of `int | X` it is that of X, too: the values may be either.
    """
    if node is None:
        return ""
    if node[0] == ir.ITEM:
        outer = annotation_path(frame, node[2])
        if outer.rpartition(".")[2] in _AROUND:
            inner = node[3]
            return annotation_path(frame, inner[3][0] if inner[0] == ir.SEQUENCE and inner[3] else inner)
        return outer
    if node[0] == ir.BINARY:
        left = annotation_path(frame, node[3])
        if left in {"", "builtins.None"} or is_harmless(left, frame.index):
            return annotation_path(frame, node[4]) or left
        return left
    if node[0] == ir.LOCAL:
        return ""
    found = frame.project.expression(frame.module, node)
    if isinstance(found, str):
        return frame.index.canonical(found)
    return found.path if found is not None and hasattr(found, "path") and hasattr(found, "methods") else ""


def _untrusted(
    frame: Any,
    function: Function,
    handler: Handler,
    parameter: ir.Node,
    value: Value,
    safe: int,
    *,
    segment: bool = False,
) -> Value:
    if not frame.engine.follows(handler.kind):
        return value
    says = f"parameter `{parameter[0]}` of the handler `{function.short}`"
    is_object = handler.value == "object" or (value[2] is not None and value[2][0] == PROJECT_INSTANCE)
    if handler.parameters == "typed":
        path = annotation_path(frame, parameter[1])
        is_object = is_object and path not in _TEXTS and "object" not in frame.index.fields.get(path, ())
    if handler.without:
        safe |= bits(handler.without)
    if parameter[3] == ir.KEYWORDS:
        safe |= BIT["attribute"]  # the route has given them their names
    fresh = (FRESH_TEXT | (OBJECT if is_object else 0) | (SEGMENT if segment else 0)) & ~safe
    site = SourceSite(
        f"{function.module.path}:{function.name}:{parameter[0]}",
        handler.kind,
        says,
        None,
        function,
        parameter[4],
        "segment" if segment else "fields" if _validates(frame, value) else "",
    )
    taint = frame.fresh((SOURCE, site), fresh)
    if parameter[3] in {ir.VARIADIC, ir.KEYWORDS}:
        return (taint, NO, None, ())
    return _typed(frame, function, handler, parameter, value, taint)


def _typed(
    frame: Any, function: Function, handler: Handler, parameter: ir.Node, value: Value, taint: Any
) -> Value:
    """Untrusted data as what the annotation of a handler's parameter makes of it."""
    path = annotation_path(frame, parameter[1])
    if path in _TEXTS:
        return (taint, NO, value[2], ())  # a text holds nothing else
    container = ANNOTATED.get(path.rpartition(".")[2]) if handler.parameters == "typed" else None
    if container is not None and value[2] is None:
        element = frame.engine.roles.element_of(function.module, parameter[1])
        if element is not None and element[0] == PROJECT_INSTANCE:
            return frame.new(container, parameter[4], {REST: (taint, NO, element, ())})
        if element is not None and element[0] == INSTANCE and element[1] in frame.engine.carriers:
            return frame.new(container, parameter[4], {REST: (0, NO, element, ())})
        return (taint, NO, (INSTANCE, container), value[3])
    return (taint, NO, value[2], value[3])


def _validates(frame: Any, value: Value) -> bool:
    """Whether a value's class looks at what it is made of: by validators, or when it is initialised."""
    if value[2] is None or value[2][0] != PROJECT_INSTANCE:
        return False
    return any(
        "validat" in f"{name} {method.record[ir.DECORATORS]}"
        for cls in frame.project.lineage(value[2][1])
        for name, method in cls.methods.items()
    )
