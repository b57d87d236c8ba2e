"""Questions about shapes of code that several rules ask: what is bound, read or changed where. It judges nothing."""

from __future__ import annotations

import ast
import math
from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeVar, cast

from charter.api import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from charter.api import Context, Span

N = TypeVar("N", bound=ast.AST)
E = TypeVar("E", bound=ast.expr | ast.stmt)
D = TypeVar("D", bound=ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
"""A function that has statements."""

Loop = ast.For | ast.AsyncFor | ast.While
"""A loop that has statements."""

LOOPS: Final = (ast.For, ast.AsyncFor, ast.While)
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SCOPES: Final = (*DEFINITIONS, ast.Lambda)
COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

_NAMING: Final = (
    *DEFINITIONS, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.ExceptHandler, ast.MatchAs, ast.MatchStar,
)  # fmt: skip

MUTATORS: Final = frozenset(
    {
        "add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "extendleft", "insert",
        "intersection_update", "pop", "popitem", "popleft", "remove", "reverse", "rotate", "setdefault", "sort",
        "symmetric_difference_update", "update", "__setitem__", "__delitem__",
    }
)  # fmt: skip
"""Methods of the built-in containers that change their object."""


def is_name(node: ast.AST | None, name: str) -> bool:
    """Whether a node is exactly this bare name."""
    return type(node) is ast.Name and node.id == name


def may_read_alike(one: ast.expr, other: ast.expr) -> bool:
    """Whether two expressions may have the same text: of one kind they are and, if on one line, as long as each other."""
    return type(one) is type(other) and (
        one.lineno != one.end_lineno
        or (one.end_col_offset or 0) - one.col_offset == (other.end_col_offset or 0) - other.col_offset
    )


def node_at(span: Span, ctx: Context, *kinds: type[E]) -> E | None:
    """The expression or statement of one of some exact types that stands at a place of the file; None if there is none."""
    return _at(span, ctx, kinds, ctx.span)


def definition_at(span: Span, ctx: Context, *kinds: type[D]) -> D | None:
    """The definition of one of some types whose name stands at a place of the file; None if there is none."""
    return _at(span, ctx, kinds, ctx.name_span)


def _at(span: Span, ctx: Context, kinds: Iterable[type[E]], place: Callable[[ast.AST], Span]) -> E | None:
    """The first node of some types that has a line in common with a place, and that place itself."""
    line = ctx.location(span).line
    return next(
        (
            node
            for kind in kinds
            for node in ctx.nodes(kind)
            if node.lineno <= line <= (node.end_lineno or 0) and place(node) == span
        ),
        None,
    )


def are_same(one: object, other: object) -> bool:
    """Whether two nodes, lists of nodes or values of fields are the same code, wherever and however it is laid out."""
    if type(one) is not type(other):
        return False
    if isinstance(one, ast.AST):
        return all(are_same(getattr(one, name, None), getattr(other, name, None)) for name in one._fields)
    if isinstance(one, list):
        items, others = cast("list[object]", one), cast("list[object]", other)
        # Most blocks that differ do so in what their statements are.
        kinds = [type(item) for item in items] == [type(item) for item in others]
        return kinds and all(map(are_same, items, others))
    return one == other if isinstance(one, str) else repr(one) == repr(other)


def names_in(root: ast.AST) -> set[str]:
    """The bare names that occur in a subtree, the root included, read or written."""
    if type(root) is ast.Name:
        return {root.id}
    return {node.id for node in ast.walk(root) if type(node) is ast.Name}


def stored_in(roots: Iterable[ast.AST]) -> set[str]:
    """The names that statements or expressions bind, nested scopes included."""
    found: set[str] = set()
    for root in roots:
        for node in ast.walk(root):
            if type(node) is ast.Name and type(node.ctx) is not ast.Load:
                found.add(node.id)
            elif type(node) is ast.Import or type(node) is ast.ImportFrom:
                found.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
            elif isinstance(node, (*DEFINITIONS, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
                if node.name:
                    found.add(node.name)
            elif type(node) is ast.MatchMapping and node.rest:
                found.add(node.rest)
            elif type(node) is ast.Global or type(node) is ast.Nonlocal:
                found.update(node.names)
    return found


def conditions(node: ast.AST, ctx: Context) -> Iterator[ast.If]:
    """The `if` statements that a node is run under where their tests hold, from the inside out."""
    child = node
    for parent in ctx.ancestors(node):
        if isinstance(parent, ast.If) and child in parent.body:
            yield parent
        child = parent


def entered(held: ast.expr, ctx: Context) -> ast.expr | None:
    """What the innermost `with` around an expression enters under its name: `open(path)` of `file`; None if there is none."""
    text = ctx.source(held)
    return next(
        (
            item.context_expr
            for parent in ctx.ancestors(held)
            if isinstance(parent, (ast.With, ast.AsyncWith))
            for item in parent.items
            if item.optional_vars is not None and ctx.source(item.optional_vars) == text
        ),
        None,
    )


def reads(name: str, roots: Iterable[ast.AST]) -> Iterator[ast.Name]:
    """Where a bare name is read."""
    for root in roots:
        for node in ast.walk(root):
            if type(node) is ast.Name and node.id == name and type(node.ctx) is ast.Load:
                yield node


def reads_in(name: str, inside: FunctionNode | ast.Module, ctx: Context) -> Iterator[ast.Name]:
    """Where a bare name is read in a module or the body of a function, from the top to the bottom."""
    found = ctx.once(_reads_by_line).get(name, ())
    start, last = (0, 0), math.inf
    if not isinstance(inside, ast.Module):
        first = inside.body[0]
        decorators = first.decorator_list if isinstance(first, DEFINITIONS) else []
        start, last = _place(decorators[0] if decorators else first), inside.end_lineno or 0
    for at in range(bisect_left(found, start[0], key=_line), len(found)):
        use = found[at]
        if use.lineno > last:
            return
        if type(use.ctx) is ast.Load and _place(use) >= start:
            yield use


def reads_of_result(call: ast.Call, ctx: Context) -> Iterator[ast.Name] | None:
    """Where the name is read in its function or module that a call's result is given; None if it is given none."""
    parent = ctx.parent(call)
    target = parent.targets[0] if isinstance(parent, ast.Assign) else None
    return reads_in(target.id, ctx.function(call) or ctx.tree, ctx) if isinstance(target, ast.Name) else None


def reads_of_statement(expression: ast.expr, ctx: Context) -> Iterator[ast.Name]:
    """Where the name is read to which the statement around an expression assigns: `key` of `key = md5(secret).digest()`."""
    statement = ctx.statement(expression)
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if isinstance(target, ast.Name):
        yield from reads_in(target.id, ctx.function(expression) or ctx.tree, ctx)


def _reads_by_line(ctx: Context) -> Mapping[str, Sequence[ast.Name]]:
    """The bare names that are read, by identifier and from the top to the bottom of the file."""
    return {name: sorted(nodes, key=_line) for name, nodes in ctx.reads.items()}


def _line(node: ast.Name) -> int:
    return node.lineno


def is_mutation(use: ast.Name, ctx: Context) -> bool:
    """Whether a use of a name changes the object in place: a mutating method, or an item that is set or deleted."""
    parent = ctx.parent(use)
    if isinstance(parent, ast.Attribute) and parent.attr in MUTATORS:
        call = ctx.parent(parent)
        return isinstance(call, ast.Call) and call.func is parent
    if isinstance(parent, ast.Subscript) and parent.value is use:
        if not isinstance(parent.ctx, ast.Load):
            return True
        outer = ctx.parent(parent)
        return isinstance(outer, ast.AugAssign) and outer.target is parent
    return isinstance(parent, ast.AugAssign) and parent.target is use


def changed_in(name: str, roots: Iterable[ast.AST], ctx: Context) -> bool:
    """Whether statements bind a name again or change its object in place."""
    for root in roots:
        for node in (root, *ctx.walk(root)):
            if isinstance(node, ast.Name):
                if node.id == name and (not isinstance(node.ctx, ast.Load) or is_mutation(node, ctx)):
                    return True
            elif isinstance(node, (*DEFINITIONS, ast.ExceptHandler)) and node.name == name:
                return True
    return False


def own_nodes(function: FunctionNode, ctx: Context, *kinds: type[N]) -> list[N]:
    """The nodes of some exact types in a function, those in the functions and classes inside of it left out."""
    by_function = ctx.once(_by_function)
    found: list[N] = []
    for kind in kinds:
        if kind not in by_function:
            by_function[kind] = defaultdict(list)
            for node in ctx.nodes(kind):
                by_function[kind][ctx.function(node)].append(node)
        found += cast("list[N]", by_function[kind].get(function, ()))
    return found


def _by_function(_ctx: Context) -> dict[type[ast.AST], dict[FunctionNode | None, list[ast.AST]]]:
    """The nodes of the types that were asked for, by the functions that they stand in; to be filled."""
    return {}


def bindings(name: str, function: ast.AST, ctx: Context) -> list[ast.AST]:
    """The nodes that bind a name in a function or module, nested functions left out; parameters included."""
    owned = ctx.once(_owned)
    if name not in owned:
        naming = ctx.once(_namings).get(name, ())
        nodes: list[ast.AST] = [*ctx.binds.get(name, ()), *naming]
        if naming:
            nodes.sort(key=_place)
        by_owner: dict[ast.AST | None, list[ast.AST]] = {}
        for node in nodes:
            by_owner.setdefault(_owner(node, ctx), []).append(node)
        owned[name] = by_owner
    found = owned[name].get(function, [])
    own = parameters(function) if isinstance(function, FUNCTIONS) else ()
    return [*(argument for argument in own if argument.arg == name), *found]


def _owned(_ctx: Context) -> dict[str, dict[ast.AST | None, list[ast.AST]]]:
    """The nodes that bind the names that were asked for, by the function, class or module that they stand in; to be filled."""
    return {}


def _owner(node: ast.AST, ctx: Context) -> ast.AST | None:
    """The innermost function or class that a node lies below, else the module."""
    parent = ctx.parent(node)
    while parent is not None and type(parent) not in _SCOPES:
        parent = ctx.parent(parent)
    return parent or ctx.tree


def _namings(ctx: Context) -> Mapping[str | None, Sequence[ast.AST]]:
    """What binds names by naming them, by the names."""
    found: defaultdict[str | None, list[ast.AST]] = defaultdict(list)
    for kind in _NAMING:
        for node in ctx.nodes(kind):
            for name in set(_named_by(node)):
                found[name].append(node)
    return dict(found)


def _place(node: ast.AST) -> tuple[int, int]:
    placed = cast("ast.stmt", node)
    return placed.lineno, placed.col_offset


def _named_by(node: ast.AST) -> Collection[str | None]:
    """The names that a statement, a handler or a pattern binds by naming them."""
    if type(node) is ast.Import or type(node) is ast.ImportFrom:
        return [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
    if type(node) is ast.Global or type(node) is ast.Nonlocal:
        return node.names
    assert isinstance(node, (*DEFINITIONS, ast.ExceptHandler, ast.MatchAs, ast.MatchStar))
    return (node.name,)


def assigned_values(name: str, function: ast.AST, ctx: Context) -> list[ast.expr] | None:
    """The expressions that a local name is assigned; None if it is also bound in another way (loop, argument, `with`)."""
    values: list[ast.expr] = []
    for node in bindings(name, function, ctx):
        parent = ctx.parent(node)
        if isinstance(parent, ast.Assign) and any(target is node for target in parent.targets):
            values.append(parent.value)
        elif isinstance(parent, ast.AnnAssign) and parent.target is node:
            if parent.value is not None:
                values.append(parent.value)
        elif isinstance(parent, ast.NamedExpr):
            values.append(parent.value)
        elif isinstance(parent, ast.AugAssign):
            continue
        else:
            return None
    return values


def parameters(function: FunctionNode | ast.Lambda) -> list[ast.arg]:
    """All parameters of a function, in order, `*args` and `**kwargs` included."""
    arguments = function.args
    return [
        *arguments.posonlyargs,
        *arguments.args,
        *([arguments.vararg] if arguments.vararg else []),
        *arguments.kwonlyargs,
        *([arguments.kwarg] if arguments.kwarg else []),
    ]


def defaults(function: FunctionNode | ast.Lambda) -> Iterator[tuple[ast.arg, ast.expr]]:
    """The parameters that have a default, each with it."""
    arguments = function.args
    if arguments.defaults:
        positional = [*arguments.posonlyargs, *arguments.args]
        yield from zip(positional[-len(arguments.defaults) :], arguments.defaults, strict=True)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield argument, default


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """A body without its docstring."""
    first = body[0] if body else None
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        return body[1:]
    return body


def is_trivial(body: list[ast.stmt]) -> bool:
    """Whether a body does nothing: `pass`, `...` or a docstring only."""
    return all(
        type(item) is ast.Pass or (type(item) is ast.Expr and type(item.value) is ast.Constant)
        for item in body
    )


def is_pure(expression: ast.AST) -> bool:
    """Whether evaluating an expression again, or not at all, can make no difference that a user would notice.

    Calls, awaits, yields and walruses can; attributes and operators are taken to be harmless.
    """
    return isinstance(expression, (ast.Name, ast.Constant)) or not any(
        isinstance(node, (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr))
        for node in ast.walk(expression)
    )


def is_string(expression: ast.AST, ctx: Context) -> bool:
    """Whether an expression is certainly text."""
    if isinstance(expression, ast.JoinedStr):
        return True
    if isinstance(expression, ast.Constant):
        return isinstance(expression.value, str)
    if isinstance(expression, ast.BinOp):
        if isinstance(expression.op, ast.Add):
            return is_string(expression.left, ctx) or is_string(expression.right, ctx)
        return isinstance(expression.op, ast.Mod) and is_string(expression.left, ctx)
    if isinstance(expression, ast.IfExp):
        return is_string(expression.body, ctx) and is_string(expression.orelse, ctx)
    if isinstance(expression, ast.Call):
        if isinstance(expression.func, ast.Attribute) and expression.func.attr in {"join", "format"}:
            return is_string(expression.func.value, ctx)
        if isinstance(expression.func, ast.Name) and expression.func.id in {
            "str",
            "repr",
            "chr",
            "hex",
            "ascii",
        }:
            return ctx.name(expression.func) == f"builtins.{expression.func.id}"
    return ctx.type_name(expression) == "builtins.str"


def is_short(iterable: ast.expr, ctx: Context) -> bool:
    """Whether a loop goes through a number of digits, the parts of one name, or the receivers of a signal."""
    text = f"{ctx.source(iterable)} {ctx.source(ctx.origin(iterable))}"
    return any(word in text for word in ("range(", "split", "arts", "parents", ".send("))


_THROUGH: Final = frozenset({"builtins.enumerate", "builtins.reversed", "builtins.sorted", "builtins.zip"})
"""Functions that give what they are given."""


def is_listed(value: ast.expr, ctx: Context) -> bool:
    """Whether a value is one of the constants that a loop takes, or an item of one of them, or a number that it counts.

    Args:
        value: what is asked about.
        ctx: the file.
    """
    while isinstance(value, ast.Subscript):
        value = value.value
    return isinstance(value, ast.Name) and any(
        isinstance(parent, ast.For)
        and value.id in stored_in([parent.target])
        and all(_is_written_out(items, ctx) for items in _taken(parent.iter, ctx))
        for parent in ctx.ancestors(value)
    )


def _taken(items: ast.expr, ctx: Context) -> list[ast.expr]:
    """What a loop goes through, behind the functions that count it, turn it around or put it side by side."""
    if isinstance(items, ast.Call) and ctx.name(items.func) in _THROUGH and items.args:
        return [inner for argument in items.args for inner in _taken(argument, ctx)]
    return [items]


def _is_written_out(items: ast.expr, ctx: Context) -> bool:
    if isinstance(items, ast.Call):
        return ctx.name(items.func) == "builtins.range"
    return ctx.value(items) is not UNKNOWN


def is_one_of_ways(node: ast.Assign | ast.Call, ctx: Context) -> bool:
    """Whether a condition chooses: where it is answered otherwise, the same name is given another value, or the same is called.

    Args:
        node: an assignment or a call.
        ctx: the file.
    """
    again = (
        f"{ctx.source(node.targets[0])} =" if isinstance(node, ast.Assign) else f"{ctx.source(node.func)}("
    )
    child: ast.AST = node
    for parent in ctx.ancestors(node):
        if isinstance(parent, ast.If):
            others = parent.orelse if child in parent.body else parent.body
            if any(again in ctx.source(other) for other in others):
                return True
        child = parent
    return False


def has_comment(text: str) -> bool:
    """Whether a piece of code, known to hold no string with a `#`, holds a comment."""
    return "#" in text


def free_name(wanted: Iterable[str], taken: set[str]) -> str:
    """The first of some names that is not taken; the last one numbered if all are."""
    name = ""
    for name in wanted:
        if name not in taken:
            return name
    number = 2
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"


def is_in_program(node: ast.AST, ctx: Context) -> bool:
    """Whether a node stands under `if __name__ == "__main__"`, where a module is run and not imported."""
    return any(
        isinstance(parent, ast.If) and "__name__" in ctx.source(parent.test) for parent in ctx.ancestors(node)
    )


def functions_by_name(ctx: Context) -> dict[str, FunctionNode]:
    """The functions and methods of a file by name, the last one where several share it; to be asked through `ctx.once`."""
    return {each.name: each for kind in FUNCTIONS for each in ctx.nodes(kind)}


def calls_of(function: FunctionNode, ctx: Context) -> list[ast.Call]:
    """The calls in a function's file of whatever has its name: itself, or a method of that name of any object."""
    uses = (*ctx.reads.get(function.name, ()), *ctx.gets.get(function.name, ()))
    return [call for use in uses if isinstance(call := ctx.parent(use), ast.Call) and call.func is use]


def given_to(parameter: str, function: FunctionNode, ctx: Context) -> list[ast.expr | None]:
    """What the calls in a function's file give to one of its parameters; None for a call that gives it nothing that is seen."""
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    place = names.index(parameter) if parameter in names else None
    found: list[ast.expr | None] = []
    for call in calls_of(function, ctx):
        bound = isinstance(call.func, ast.Attribute) and bool(names) and names[0] in {"self", "cls"}
        found.append(ctx.argument(call, None if place is None or place < bound else place - bound, parameter))
    return found
