"""What functions take and give, what classes are made of, and how a file calls both. It compares nothing."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, Final, cast

from charter.analysis import paths
from charter.analysis.bodies import FUNCTIONS, by_owner
from charter.analysis.calls import FOREIGN, calls_of, exports, named_calls
from charter.analysis.places import Packed, name_places, pack

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from charter.analysis.bodies import FunctionNode
    from charter.model.names import Names
    from charter.syntax.source import Source

Signature = tuple[tuple[str, ...], int, int, bool, tuple[str, ...], tuple[str, ...], bool]
"""Positional parameters, how many of them are positional only, how many have defaults, whether there is `*args`,
keyword-only parameters, those of them that must be given, whether there is `**kwargs`."""
Function = tuple[Signature, str, str, int, Packed]
"""Signature, binding (`plain`, `static`, `class`, `property`), gives (`nothing`, `tuple`, `stub`, "" for other things), the
length of the tuple, place."""
Init = tuple[tuple[str, ...], tuple[tuple[str, int, Packed, str], ...], tuple[tuple[str, int], ...]]
"""What an `__init__` does: the base initialisers it calls ("super" for the next), the attributes it sets on `self` with
the number of the statement, and what is assigned (`value`, the name of a parameter, or "" for other things), and
methods it calls on `self` with the number of the statement."""
Class = tuple[
    tuple[str, ...],
    dict[str, "Function | None"],
    tuple[str, ...],
    bool,
    "Init | None",
    int,
    dict[str, tuple[str, ...]],
    Packed,
    tuple[str, ...],
    tuple[str, ...],
]
"""Bases, methods (None for one that is wrapped or defined twice), other members, whether it is open (decorated, with a
metaclass or keywords), what `__init__` does, the number of the statement of `__init__` that calls the next one (-1 for
none), attributes of `self` that each method reads, place, abstract methods, attributes of `self` that methods set."""
Call = tuple[str, str, str, int, tuple[str, ...], int, str, Packed]
"""How (`name`, `self`, `super`, `object`, `instance`, `raise`, `except`), target, method, positional arguments, keywords, flags,
use, place."""
STARRED: Final = 1
MAPPED: Final = 2
Extract = tuple[dict[str, "Function | None"], dict[str, Class], list[Call], dict[str, str]]
"""Functions, classes, calls, what the module offers for others."""

_CLEAR: Final = frozenset(
    {"builtins.staticmethod", "builtins.classmethod", "abc.abstractmethod", "typing.override", "typing_extensions.override"}
)  # fmt: skip


def extract(source: Source, names: Names) -> Extract | None:
    """What the solver must know of a file."""
    if source.path.endswith(".pyi"):
        return None
    reader = _Reader(source, names)
    functions: dict[str, Function | None] = {}
    for kind in FUNCTIONS:
        for node in source.nodes(kind):
            if type(source.parent(node)) is ast.Module:
                functions[names.definition(node)] = reader.function(node)
    for name, bindings in names.table(source.tree).items():
        if len(bindings) != 1:
            key = f"{source.module}.{name}" if source.module else name
            if key in functions:
                functions[key] = None
    classes = {
        names.definition(node): reader.class_(node, single=_is_single(node, source, names))
        for node in source.nodes(ast.ClassDef)
    }
    calls = [] if paths.is_test(source.path) else list(_calls(source, names))  # tests call wrongly on purpose
    return functions, classes, calls, exports(source, names)


def _is_single(node: ast.ClassDef, source: Source, names: Names) -> bool:
    found = names.lookup(node.name, node) if not isinstance(source.parent(node), ast.ClassDef) else None
    return found is None or len(found[1]) == 1


class _Reader:
    """Reads the definitions of one file."""

    def __init__(self, source: Source, names: Names) -> None:
        self.source = source
        self.names = names
        self._returns = by_owner(source, ast.Return)
        self._yields = by_owner(source, ast.Yield, ast.YieldFrom)
        self._reads, self._stores = _reads(source)
        self._places = name_places(source)

    def function(self, node: FunctionNode) -> Function | None:
        """What a function takes and gives; None if a decorator may change it."""
        binding = "plain"
        for decorator in node.decorator_list:
            name = self.names.qualified(decorator)
            if name == "builtins.property":
                binding = "property"
            elif name not in _CLEAR:
                return None
            elif name in {"builtins.staticmethod", "builtins.classmethod"}:
                binding = name[9:-6]
        if node.name in {"__new__", "__init_subclass__", "__class_getitem__"}:
            binding = "static" if node.name == "__new__" else "class"
        gives, length = self._gives(node)
        return signature(node.args), binding, gives, length, self._places[node]

    def _gives(self, node: FunctionNode) -> tuple[str, int]:
        if type(node) is ast.AsyncFunctionDef or node in self._yields:
            return "", 0
        lengths: set[int] = set()
        returns = self._returns.get(node, ())
        for item in returns:
            value = item.value if type(item) is ast.Return else None
            if value is None or (type(value) is ast.Constant and value.value is None):
                lengths.add(-1)
            elif type(value) is ast.Tuple and not any(type(e) is ast.Starred for e in value.elts):
                lengths.add(len(value.elts))
            else:
                return "", 0
        if not lengths - {-1}:
            stub = (
                _is_stub(node.body)
                or any(type(i) is ast.Return and i.value is not None for i in returns)
                or isinstance(node.body[-1], (ast.Raise, ast.While, ast.With, ast.Try))
            )
            return ("stub" if stub else "nothing"), 0
        if len(lengths) == 1 and type(node.body[-1]) is ast.Return:
            return "tuple", lengths.pop()
        return "", 0

    def class_(self, node: ast.ClassDef, *, single: bool) -> Class:
        """What a class is made of."""
        qualified = self.names.qualified
        bases = tuple(
            [qualified(base.value if type(base) is ast.Subscript else base) or "?" for base in node.bases]
        )
        abstract_meta = any(
            keyword.arg == "metaclass" and qualified(keyword.value) == "abc.ABCMeta"
            for keyword in node.keywords
        )
        is_open = bool(node.decorator_list) or not single or (bool(node.keywords) and not abstract_meta)
        methods: dict[str, Function | None] = {}
        others: list[str] = []
        abstract: list[str] = []
        reads: dict[str, tuple[str, ...]] = {}
        stores: set[str] = set()
        init: Init | None = None
        next_init = -1
        for item in node.body:
            if isinstance(item, FUNCTIONS):
                methods[item.name] = None if item.name in methods else self.function(item)
                if item in self._reads:
                    reads[item.name] = tuple(sorted(self._reads[item]))
                if item.decorator_list and any(
                    qualified(d) == "abc.abstractmethod" for d in item.decorator_list
                ):
                    abstract.append(item.name)
                if item.name == "__init__":
                    init, next_init = _init(item, self.source, self.names)
                elif item in self._stores:
                    stores |= self._stores[item]
            else:
                others.extend(_bound(item))
        if abstract_meta:
            bases = (*bases, "abc.ABC")
        place = self._places[node]
        return (
            bases, methods, tuple(others), is_open, init, next_init, reads, place, tuple(abstract), tuple(sorted(stores))
        )  # fmt: skip


def signature(arguments: ast.arguments) -> Signature:
    """What a function takes."""
    if not arguments.posonlyargs and not arguments.kwonlyargs:  # by far the most
        names = tuple([argument.arg for argument in arguments.args])
        rest, others = arguments.vararg is not None, arguments.kwarg is not None
        return names, 0, len(arguments.defaults), rest, (), (), others
    positional = [*arguments.posonlyargs, *arguments.args]
    required = tuple(
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    )
    return (
        tuple(argument.arg for argument in positional),
        len(arguments.posonlyargs),
        len(arguments.defaults),
        arguments.vararg is not None,
        tuple(argument.arg for argument in arguments.kwonlyargs),
        required,
        arguments.kwarg is not None,
    )


def _is_stub(body: list[ast.stmt]) -> bool:
    for item in body:
        is_constant = type(item) is ast.Expr and type(item.value) is ast.Constant
        if not is_constant and type(item) is not ast.Pass and type(item) is not ast.Raise:
            return False
    return True


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement of a class's body binds; "*" where that cannot be told at a glance."""
    if type(statement) is ast.Assign:
        for target in statement.targets:
            if type(target) is ast.Name:
                yield target.id
            else:
                yield from [node.id for node in ast.walk(target) if type(node) is ast.Name]
    elif type(statement) is ast.AnnAssign and type(statement.target) is ast.Name:
        yield statement.target.id
    elif type(statement) is ast.ClassDef:
        yield statement.name
    elif type(statement) is not ast.Expr and type(statement) is not ast.Pass:
        for node in ast.walk(statement):
            if (
                type(node) is ast.FunctionDef
                or type(node) is ast.AsyncFunctionDef
                or type(node) is ast.ClassDef
            ):
                yield node.name
            elif type(node) is ast.Name and type(node.ctx) is not ast.Load:
                yield node.id


def _self(function: FunctionNode) -> str:
    """The name of a method's first parameter."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    return arguments[0].arg if arguments else ""


_Attributes = defaultdict[ast.AST, set[str]]


def _reads(source: Source) -> tuple[_Attributes, _Attributes]:
    """The attributes of `self` that each method reads, and those that it sets, by one pass over all that is said of it."""
    spans = [
        (item.lineno, item.end_lineno or item.lineno, item)
        for class_ in source.nodes(ast.ClassDef)
        for item in class_.body
        if isinstance(item, FUNCTIONS)
    ]
    spans.sort(key=lambda span: span[0])
    starts = [first for first, _, _ in spans]
    found: _Attributes = defaultdict(set)
    stores: _Attributes = defaultdict(set)
    parents = source.index.parents
    first, last, method = 0, 0, None
    for name in source.reads.get("self", ()) if spans else ():
        node = parents[name]
        if type(node) is ast.Attribute:
            line = name.lineno
            if not first <= line <= last:  # most stand in the same method as the one before
                first, last, method = _method_at(line, spans, starts)
            if method is not None:
                (found if type(node.ctx) is ast.Load else stores)[method].add(node.attr)
    return found, stores


def _method_at(
    line: int, spans: list[tuple[int, int, FunctionNode]], starts: list[int]
) -> tuple[int, int, FunctionNode | None]:
    """The method that has a line, and the lines from there on which are its own as well."""
    at = bisect_right(starts, line) - 1
    until = starts[at + 1] - 1 if at + 1 < len(starts) else max(line, spans[at][1])
    # Of a method of a class inside of a method, both have the line; the inner one began later.
    while at >= 0 and spans[at][1] < line:
        at -= 1
    return (line, min(until, spans[at][1]), spans[at][2]) if at >= 0 else (line, until, None)


def _init(function: FunctionNode, source: Source, names: Names) -> tuple[Init, int]:
    """What an `__init__` does, and the number of the statement that calls the next one."""
    name = _self(function)
    called: list[str] = []
    stored: list[tuple[str, int, Packed, str]] = []
    asked: list[tuple[str, int]] = []
    parameters = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
    numbers: dict[ast.AST, int] = {statement: number for number, statement in enumerate(function.body)}
    for node in cast("list[ast.Attribute]", source.index.of_type_below(function, ast.Attribute)):
        if type(node.value) is not ast.Name or node.value.id != name:
            continue
        statement = _among(numbers, node, source)
        if statement is None:
            continue
        parent = source.parent(node)
        if type(node.ctx) is ast.Store:
            assigned = _assigned(statement, parameters) if parent is statement else ""
            stored.append((node.attr, numbers[statement], pack(source, node), assigned))
        elif (
            # A call under a condition may never be made.
            (type(statement) is ast.Expr or type(statement) is ast.Assign or type(statement) is ast.AnnAssign)
            and type(parent) is ast.Call
            and parent.func is node
        ):
            asked.append((node.attr, numbers[statement]))
    next_init = -1
    for call in cast("list[ast.Call]", source.index.of_type_below(function, ast.Call)):
        base = _base_init(call, name, names)
        hands_on = _hands_on(call, name)
        if not base and not hands_on:
            continue
        statement = _among(numbers, call, source)
        if statement is None:
            continue
        if base:
            called.append(base)
            next_init = numbers[statement] if next_init < 0 else next_init
        if hands_on:
            called.append("?")
    return (tuple(called), tuple(stored), tuple(asked)), next_init


def _among(statements: Mapping[ast.AST, int], node: ast.AST, source: Source) -> ast.AST | None:
    """The one of some statements that holds a node."""
    at: ast.AST | None = node
    while at is not None and at not in statements:
        at = source.parent(at)
    return at


_DATA: Final = frozenset[type](
    {
        ast.List, ast.Dict, ast.Set, ast.Tuple, ast.JoinedStr, ast.ListComp, ast.DictComp, ast.Compare, ast.BinOp,
    }
)  # fmt: skip
"""What makes a value that is no function."""


def _assigned(statement: ast.AST, parameters: set[str]) -> str:
    """What a statement assigns: `value`, the name of a parameter, or "" for what may be a function."""
    value = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
    if isinstance(value, ast.Name):
        return value.id if value.id in parameters else ""
    is_data = type(value) in _DATA or (isinstance(value, ast.Constant) and value.value is not None)
    return "value" if is_data else ""


def _base_init(call: ast.Call, name: str, names: Names) -> str:
    """The base class whose `__init__` is called: "super" for the next one, "" for no such call."""
    func = call.func
    if type(func) is not ast.Attribute or func.attr not in {"__init__", "__post_init__"}:
        return ""
    if type(func.value) is ast.Call:
        inner = func.value.func
        return "super" if type(inner) is ast.Name and inner.id == "super" else "?"
    if call.args and type(call.args[0]) is ast.Name and call.args[0].id == name:
        return names.qualified(func.value) or "?"
    return "?"


def _hands_on(call: ast.Call, name: str) -> bool:
    """Whether a call is given `self`, or its attributes as a whole, so that it may initialise anything."""
    if type(call.func) is ast.Attribute and call.func.attr in {"__init__", "__setstate__"}:
        return False
    if type(call.func) is ast.Attribute and call.func.attr == "update":
        return type(call.func.value) is ast.Attribute and call.func.value.attr == "__dict__"
    return type(call.func) is ast.Name and any(
        type(argument) is ast.Name and argument.id == name for argument in call.args
    )


def _calls(source: Source, names: Names) -> Iterator[Call]:
    targets, own, _ = named_calls(source, names)
    for call, target in own.items():
        yield _call(_how(call.func), target, "", call, source)
    yield from _calls_of_self(targets, source, names)
    for local in _made(source):
        for call, func in _methods(local, source):
            if call not in targets and (target := _class_of(func.value, names)):
                yield _call("instance", target, func.attr, call, source)
        for call, func in calls_of(source.reads.get(local, ()), source):
            if call not in targets and (target := _class_of(func, names)):
                yield _call("object", target, "__call__", call, source)
    for error in [name for name in source.reads if name.endswith(("Error", "Exception"))]:
        for call, func in calls_of(source.reads[error], source):
            if call not in targets and isinstance(source.parent(call), ast.Expr):
                yield _call("name", names.qualified(func) or "?", "", call, source)
    for raised in source.nodes(ast.Raise):
        yield from _exception("raise", raised.exc, source, names)
    for handler in source.nodes(ast.ExceptHandler):
        yield from _exception("except", handler.type, source, names)


def _calls_of_self(known: Container[ast.Call], source: Source, names: Names) -> Iterator[Call]:
    for call, func in _methods("self", source):
        if call not in known:
            class_ = _class_around(call, source)
            if class_ is not None:
                yield _call("self", f"{names.definition(class_)}.{func.attr}", "", call, source)


def _methods(name: str, source: Source) -> Iterator[tuple[ast.Call, ast.Attribute]]:
    """The calls of methods of what a name stands for."""
    parents = source.index.parents
    owned = [parents[owner] for owner in source.reads.get(name, ())]
    return calls_of([item for item in owned if type(item) is ast.Attribute], source)


def _how(func: ast.expr) -> str:
    """Whether a function is called by its name, or as a method of `self` or `cls`."""
    if type(func) is ast.Name:
        return "name"
    root = func
    while type(root) is ast.Attribute:
        root = root.value
    return root.id if type(root) is ast.Name and root.id in {"self", "cls"} else "name"


def _exception(how: str, named: ast.expr | None, source: Source, names: Names) -> Iterator[Call]:
    """The classes that are raised or caught, but for those whose names say that they are exceptions."""
    for item in named.elts if type(named) is ast.Tuple else [named]:
        expression = item.func if type(item) is ast.Call else item
        if type(expression) is ast.Name:
            last = expression.id
        elif type(expression) is ast.Attribute:
            last = expression.attr
        else:
            continue
        if last.endswith(("Error", "Exception", "Warning")):
            continue
        target = names.qualified(expression)
        if target is not None and target.partition(".")[0] not in FOREIGN:
            yield (how, target, "", 0, (), 0, "", pack(source, expression))


def _call(how: str, target: str, method: str, call: ast.Call, source: Source) -> Call:
    flags = 0
    for argument in call.args:
        if type(argument) is ast.Starred:
            flags = STARRED
    keywords: list[str] = []
    for keyword in call.keywords:
        if keyword.arg is None:
            flags |= MAPPED
        else:
            keywords.append(keyword.arg)
    return (
        how,
        target,
        method,
        len(call.args),
        tuple(keywords),
        flags,
        _use(call, source),
        pack(source, call),
    )


_USERS: Final = frozenset[type](
    {ast.AnnAssign, ast.BinOp, ast.Attribute, ast.Subscript, ast.FormattedValue, ast.For, ast.comprehension}
)
"""What uses the result of a call that stands directly in it."""


def _use(call: ast.Call, source: Source) -> str:
    """What becomes of a call's result: `s` nothing, `v` it is used, `u` and a number: it is unpacked into so many; else ""."""
    parent = source.index.parents[call]
    if type(parent) in _USERS:
        return "v"
    if type(parent) is ast.Expr:
        return "s"
    if type(parent) is ast.Assign:
        target = parent.targets[0]
        if type(target) is ast.Tuple or type(target) is ast.List:
            return "" if any(type(e) is ast.Starred for e in target.elts) else f"u{len(target.elts)}"
        return "" if type(target) is ast.Name and target.id.startswith("_") else "v"
    return ""


def _made(source: Source) -> dict[str, None]:
    """Local names that are given a new object of a class with a capital, for what may be a class of the project."""
    found: dict[str, None] = {}
    parents = source.index.parents
    for table in (source.reads, source.gets):
        for last in table:
            if last[0].isupper() or last[:2].strip("_").isupper():
                for callee in table[last]:
                    call = parents[callee]
                    given = parents[call] if type(call) is ast.Call and call.func is callee else None
                    if type(given) is ast.Assign and type(given.targets[0]) is ast.Name:
                        found[given.targets[0].id] = None
    found.pop("self", None)
    return found


def _class_of(name: ast.expr, names: Names) -> str:
    """The class of what a name is bound to, if it is bound once, to a new object; else ""."""
    found = names.lookup(name.id, name) if isinstance(name, ast.Name) else None
    if found is None or len(found[1]) != 1:
        return ""
    value = found[1][0].value
    if not isinstance(value, ast.Call):
        return ""
    target = names.qualified(value.func)
    return target if target is not None and target.partition(".")[0] not in FOREIGN else ""


def _class_around(node: ast.AST, source: Source) -> ast.ClassDef | None:
    """The class of whose method `self` a node speaks."""
    parents = source.index.parents
    below, at = node, parents.get(node)
    while at is not None:
        if type(at) is ast.ClassDef and isinstance(below, FUNCTIONS):
            return at if _self(below) == "self" else None
        below, at = at, parents.get(at)
    return None
