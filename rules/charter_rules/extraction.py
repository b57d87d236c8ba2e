"""Moves a run of statements out of a function into one of its own, where that is provably the same. It sets no limits.

What the run reads of the function's variables becomes its parameters, what is needed of them afterwards its results. It
is left alone wherever a frame of its own could be told from the old one: it leaves the function or a loop, waits,
makes functions, deletes, asks for frames, or a variable may not have a value yet.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from charter.api import Fix, Grade, InsertStatement, Span
from charter_rules import lines, shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from charter.api import Context

_MOST_PARAMETERS = 5
_MOST_RESULTS = 3
_BARRED = (
    ast.Return, ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Global, ast.Nonlocal, ast.Delete,
    ast.Lambda, ast.Import, ast.ImportFrom, ast.Match, *shapes.DEFINITIONS,
)  # fmt: skip
_TYING = frozenset(
    {
        *_BARRED, ast.Break, ast.Continue, ast.comprehension, ast.GeneratorExp, ast.Constant, ast.JoinedStr, ast.AnnAssign,
    }
)  # fmt: skip
"""The types of nodes that may tie a statement to its function's frame, but for names."""
_FRAMES = frozenset(
    {
        "locals",
        "vars",
        "eval",
        "exec",
        "dir",
        "super",
        "__class__",
        "warn",
        "_getframe",
        "currentframe",
        "stack",
    }
)
"""What tells one frame from another, by name."""
_EAGER = frozenset(
    {"any", "all", "sum", "min", "max", "sorted", "list", "tuple", "set", "frozenset", "dict", "join"}
)
"""What goes through a generator expression at once, so that it is as good as a list."""


class _Run(Struct, frozen=True):
    """Statements that can be moved.

    Attributes:
        body: the statements.
        inputs: what becomes parameters, in order.
        outputs: what becomes results, in order.
    """

    body: Sequence[ast.stmt]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def extraction(
    function: shapes.FunctionNode, places: Sequence[Span], excess: int, limit: int, ctx: Context
) -> Fix | None:
    """A fix that moves enough branches of a function into a new one.

    Args:
        function: the function that has too many.
        places: where its branches are.
        excess: how many have to go.
        limit: the number of paths that neither of the two may reach.
        ctx: the file.

    Returns:
        The fix; None where no run of statements can be moved.
    """
    if excess >= limit - 1 or "stacklevel" in ctx.text:
        return None  # what has to go would be too much for one function; a warning counts the frames up to its caller, and there would be one more
    home = ctx.parent(function)
    if not isinstance(home, ast.Module) and not isinstance(ctx.parent(home or function), ast.Module):
        return None
    if isinstance(home, (ast.If, ast.Try)) or _is_closed_over(function, ctx):
        return None
    best: tuple[tuple[int, int, int], _Run] | None = None
    variables = _Variables(function, ctx)
    starts = sorted(place.start for place in places)
    around: dict[ast.stmt, tuple[int, int]] = {}

    def count(statement: ast.stmt) -> tuple[int, int]:
        """How many branches begin in front of a statement, and in front of its end."""
        if statement not in around:
            start, end = ctx.span(statement)
            around[statement] = bisect_left(starts, start), bisect_left(starts, end)
        return around[statement]

    def weigh(block: Sequence[ast.stmt]) -> int:
        """How many branches stand in some statements."""
        return count(block[-1])[1] - count(block[0])[0] if block else 0

    for body, inputs in _runs(variables, weigh, range(excess, limit - 1), ctx):
        run = _movable(body, inputs, variables, ctx)
        if run is None:
            continue
        cost = (len(run.inputs) + len(run.outputs), abs(weigh(body) - len(places) // 2), len(body))
        if best is None or cost < best[0]:
            best = (cost, run)
    return _fix(best[1], function, ctx) if best is not None else None


def _runs(
    variables: _Variables, weigh: Callable[[Sequence[ast.stmt]], int], wanted: range, ctx: Context
) -> Iterator[tuple[list[ast.stmt], list[str]]]:
    """Every run of a function's statements that weighs enough and could be moved, with what it reads of the function."""

    @cache
    def stays(statement: ast.stmt) -> bool:
        return _stays(statement, ctx)

    for block in _blocks(variables.function, ctx):
        is_whole = block is variables.function.body
        own = shapes.without_docstring(block) if is_whole else block
        for first in range(len(own)):
            if weigh(own[first:]) < wanted.start:
                break
            for last in range(first, len(own)):
                body = own[first : last + 1]
                # All of it moved is nothing gained.
                if (len(body) == len(own) and is_whole) or weigh(body) >= wanted.stop:
                    break
                if not stays(own[last]):
                    break
                if weigh(body) >= wanted.start:
                    inputs = variables.inputs(body)
                    if inputs is None:
                        break  # a longer run reads no less
                    yield body, inputs


def _blocks(function: shapes.FunctionNode, ctx: Context) -> list[list[ast.stmt]]:
    """The blocks of statements in a function, its body first."""
    blocks = [function.body]
    holders: list[shapes.Loop | ast.If | ast.With | ast.Try] = []
    for kind in (*shapes.LOOPS, ast.If, ast.With, ast.Try):
        holders.extend(ctx.nodes(kind, within=function))
    for node in sorted(holders, key=lambda holder: (holder.lineno, holder.col_offset)):
        blocks.append(node.body)
        if not isinstance(node, ast.With):
            blocks.append(node.orelse)
    return blocks


def _stays(statement: ast.stmt, ctx: Context) -> bool:
    """Whether a statement does nothing that ties it to its function's frame."""
    words = {name.id for name in ctx.nodes(ast.Name, within=statement)}
    words.update([attribute.attr for attribute in ctx.nodes(ast.Attribute, within=statement)])
    if not words.isdisjoint(_FRAMES) or any(map(_is_mangled, words)):
        return False
    return all(
        _keeps_frame(node, statement, ctx)
        for node in (statement, *ctx.walk(statement))
        if type(node) in _TYING
    )


def _keeps_frame(node: ast.AST, statement: ast.stmt, ctx: Context) -> bool:
    """Whether a node of a statement, which is no name, means the same in another function's frame."""
    if isinstance(node, (ast.Constant, ast.JoinedStr)):
        return node.lineno == node.end_lineno
    if isinstance(node, (ast.Break, ast.Continue)):
        return _loops_within(node, statement, ctx)
    if isinstance(node, ast.comprehension):
        return not node.is_async
    if isinstance(node, ast.GeneratorExp):
        return _is_eager(node, ctx)
    return isinstance(node, ast.AnnAssign) and node.value is not None


def _loops_within(jump: ast.AST, statement: ast.stmt, ctx: Context) -> bool:
    node: ast.AST = jump
    while node is not statement:
        outer = ctx.parent(node)
        if outer is None:
            return False
        if isinstance(outer, shapes.LOOPS) and node in outer.body:
            return True
        node = outer
    return False


def _is_mangled(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def _is_eager(generator: ast.GeneratorExp, ctx: Context) -> bool:
    call = ctx.parent(generator)
    if not isinstance(call, ast.Call):
        return False
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in _EAGER


def _is_closed_over(function: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether the function's variables are seen by functions inside of it, or belong to others."""
    return any(
        ctx.nodes(kind, within=function)
        for kind in (*shapes.DEFINITIONS, ast.Lambda, ast.Global, ast.Nonlocal)
    )


def _movable(body: list[ast.stmt], inputs: list[str], variables: _Variables, ctx: Context) -> _Run | None:
    """A run with its parameters and results; None where a variable may not have a value when it is handed over."""
    function = variables.function
    inner, outer = variables.parted(body)
    stored = [name for name, uses in inner.items() if any(type(use.ctx) is ast.Store for use in uses)]
    repeated = ctx.loop(body[0]) is not None
    outputs = [name for name in stored if name in outer or (repeated and name in inputs)]
    for name in outputs:
        # What is set on some paths only keeps its old value on the others.
        if name not in inputs and not _is_set_at_once(name, body):
            inputs.append(name)
    if not variables.before(body[0]).issuperset(inputs) or (outputs and _is_guarded(body[0], function, ctx)):
        return None
    receiver = _receiver(function, ctx)
    visible = [name for name in inputs if name != receiver]
    if receiver in stored or len(visible) > _MOST_PARAMETERS or len(outputs) > _MOST_RESULTS:
        return None
    return _Run(body, tuple(inputs), tuple(outputs))


class _Variables:
    """The variables of a function, with every place where they are used.

    Args:
        function: the function.
        ctx: the file.
    """

    def __init__(self, function: shapes.FunctionNode, ctx: Context) -> None:
        self.function = function
        self._ctx = ctx
        self._inside: dict[ast.stmt, dict[str, list[ast.Name]]] = {}
        self._before: dict[ast.stmt, set[str]] = {}
        self._given: dict[ast.AST, set[str]] = {}
        names = ctx.nodes(ast.Name, within=function)
        self._parameters = {argument.arg for argument in shapes.parameters(function)}
        local = self._parameters | _bound_in(function, ctx)
        own: set[ast.Name] = set()
        for kind in shapes.COMPREHENSIONS:
            for node in ctx.nodes(kind, within=function):
                targets = shapes.stored_in(generator.target for generator in node.generators)
                own.update(use for use in ctx.nodes(ast.Name, within=node) if use.id in targets)
        self._uses = {
            use: type(use.ctx) is ast.Load or _is_added_to(use, ctx)
            for use in names
            if use.id in local and use not in own
        }
        """Each use of a variable, with whether it is read there."""
        self._reads = Counter(use.id for use, is_read in self._uses.items() if is_read)
        self._gone = {use.id for use in names if type(use.ctx) is ast.Del}
        self._gone.update(
            handler.name for handler in ctx.nodes(ast.ExceptHandler, within=function) if handler.name
        )

    def inputs(self, body: Sequence[ast.stmt]) -> list[str] | None:
        """The variables that some statements read before they set them; None if one may have no value, or for too many."""
        before = self.before(body[0])
        inner, _ = self.parted(body)
        found: list[str] = []
        for name, uses in inner.items():
            if any(self._uses[use] for use in uses) and not _is_set_first(name, body, uses, self._ctx):
                found.append(name)
                if name not in before or len(found) > _MOST_PARAMETERS + 1:
                    return None
        return found

    def before(self, statement: ast.stmt) -> set[str]:
        """The variables that certainly have a value in front of a statement."""
        found = self._before.get(statement)
        if found is None:
            found = self._before[statement] = self._given_before(statement) - self._gone
        return found

    def _given_before(self, statement: ast.stmt) -> set[str]:
        """The variables that have been given a value in front of a statement, on every way to it."""
        found = set(self._parameters)
        inner: ast.AST = statement
        for outer in self._ctx.ancestors(statement):
            for field in ("body", "orelse", "finalbody"):
                block: list[ast.AST] = getattr(outer, field, [])
                if inner in block:
                    for earlier in block[: block.index(inner)]:
                        found |= self._given_by(earlier)
            if isinstance(outer, ast.For) and inner in outer.body:
                found.update(shapes.stored_in([outer.target]))
            if isinstance(outer, ast.With):
                found.update(
                    shapes.stored_in(item.optional_vars for item in outer.items if item.optional_vars)
                )
            if outer is self.function:
                break
            inner = outer
        return found

    def _given_by(self, statement: ast.AST) -> set[str]:
        """The variables that have a value once a statement has been run."""
        found = self._given.get(statement)
        if found is None:
            targets: list[ast.expr] = []
            if isinstance(statement, ast.Assign):
                targets = statement.targets
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                targets = [statement.target]
            found = self._given[statement] = shapes.stored_in(targets)
        return found

    def parted(self, body: Sequence[ast.stmt]) -> tuple[dict[str, list[ast.Name]], set[str]]:
        """The variables in some statements, with their uses there, and those of them that are read elsewhere, too."""
        inner: dict[str, list[ast.Name]] = {}
        for statement in body:
            for name, uses in self._used_in(statement).items():
                inner[name] = inner[name] + uses if name in inner else uses
        outer = {
            name for name, uses in inner.items() if self._reads[name] > sum(self._uses[use] for use in uses)
        }
        return inner, outer

    def _used_in(self, statement: ast.stmt) -> dict[str, list[ast.Name]]:
        """The variables in a statement, with their uses there."""
        found = self._inside.get(statement)
        if found is None:
            found = self._inside[statement] = {}
            for use in self._ctx.nodes(ast.Name, within=statement):
                if use in self._uses:
                    found.setdefault(use.id, []).append(use)
        return found


def _bound_in(function: shapes.FunctionNode, ctx: Context) -> set[str]:
    """The names that a function binds in which no other is defined."""
    found = {name.id for name in ctx.nodes(ast.Name, within=function) if type(name.ctx) is not ast.Load}
    for kind in (ast.Import, ast.ImportFrom):
        for statement in ctx.nodes(kind, within=function):
            found.update((alias.asname or alias.name).partition(".")[0] for alias in statement.names)
    for kind in (ast.ExceptHandler, ast.MatchAs, ast.MatchStar):
        found.update(node.name for node in ctx.nodes(kind, within=function) if node.name)
    found.update(node.rest for node in ctx.nodes(ast.MatchMapping, within=function) if node.rest)
    return found


def _is_added_to(use: ast.Name, ctx: Context) -> bool:
    parent = ctx.parent(use)
    return isinstance(parent, ast.AugAssign) and parent.target is use


def _is_set_at_once(name: str, body: Sequence[ast.stmt]) -> bool:
    """Whether a statement of the run itself gives a variable its value, so that it has one at the end."""
    return any(
        isinstance(statement, ast.Assign) and any(_binds(target, name) for target in statement.targets)
        for statement in body
    )


def _is_set_first(name: str, body: Sequence[ast.stmt], uses: list[ast.Name], ctx: Context) -> bool:
    """Whether the run gives a variable its value before it reads it: by a statement of its own, or as a loop's target."""
    at, statement = next((at, item) for at, item in enumerate(body) if _is_in(uses[0], item))
    if type(statement) is ast.Assign and any(_binds(target, name) for target in statement.targets):
        return not _mentions(statement.value, name, ctx)
    if type(statement) is ast.For and _binds(statement.target, name):
        after = [*statement.orelse, *body[at + 1 :]]
        read_after = any(
            type(use.ctx) is ast.Load and any(_is_in(use, item) for item in after) for use in uses
        )
        return not read_after and not _mentions(statement.iter, name, ctx)
    return False


def _mentions(expression: ast.expr, name: str, ctx: Context) -> bool:
    return shapes.is_name(expression, name) or any(
        node.id == name for node in ctx.nodes(ast.Name, within=expression)
    )


def _is_in(use: ast.Name, statement: ast.stmt) -> bool:
    start, end = (statement.lineno, statement.col_offset), (statement.end_lineno, statement.end_col_offset)
    return start <= (use.lineno, use.col_offset) < end


def _binds(target: ast.expr, name: str) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return any(_binds(item, name) for item in target.elts)
    return shapes.is_name(target, name)


def _is_guarded(statement: ast.stmt, function: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether somebody in the function may go on after an exception, and see what the run had set until then."""
    for outer in ctx.ancestors(statement):
        if outer is function:
            return False
        if isinstance(outer, (ast.Try, ast.TryStar, ast.With)):
            return True
    return True


def _receiver(function: shapes.FunctionNode, ctx: Context) -> str:
    """The name of the instance in a plain method; "" in a function and in a class or static method."""
    positional = [*function.args.posonlyargs, *function.args.args]
    decorated = {shapes.names_in(item).pop() for item in function.decorator_list if shapes.names_in(item)}
    if not isinstance(ctx.parent(function), ast.ClassDef) or decorated & {"staticmethod", "classmethod"}:
        return ""
    return positional[0].arg if positional else ""


def _fix(run: _Run, function: shapes.FunctionNode, ctx: Context) -> Fix | None:
    receiver = _receiver(function, ctx)
    as_method = receiver in run.inputs
    home = ctx.parent(function)
    if isinstance(home, ast.ClassDef) and not as_method:
        anchor: ast.stmt = home
    else:
        anchor = function
    first, last = run.body[0], run.body[-1]
    indent = lines.indent(first, ctx)
    if indent is None or ctx.text[ctx.span(last).end :].partition("\n")[0].strip().startswith(";"):
        return None
    name = _name(run, function, ctx)
    parameters = [
        _annotated(item, function, ctx) for item in run.inputs if not (as_method and item == receiver)
    ]
    head = f"def {name}({', '.join([receiver, *parameters] if as_method else parameters)}):"
    taken = ctx.text[ctx.span(first).start : ctx.span(last).end].split(f"\n{indent}")
    outputs = ", ".join(run.outputs)
    body = [f"    {line}" for line in [*taken, *([f"return {outputs}"] if outputs else [])]]
    gap = [""] if as_method else ["", ""]
    arguments = ", ".join(item for item in run.inputs if not (as_method and item == receiver))
    call = f"{receiver}.{name}({arguments})" if as_method else f"{name}({arguments})"
    edits = (
        ctx.replace(
            Span(ctx.span(first).start, ctx.span(last).end), f"{outputs} = {call}" if outputs else call
        ),
        InsertStatement(ctx.span(anchor), "\n".join([*gap, head, *body]), after=True),
    )
    return Fix(f"Move {len(run.body)} statements into `{name}`", edits, Grade.SUGGESTION)


def _annotated(name: str, function: shapes.FunctionNode, ctx: Context) -> str:
    annotation = next((item.annotation for item in shapes.parameters(function) if item.arg == name), None)
    variadic = {item.arg for item in (function.args.vararg, function.args.kwarg) if item is not None}
    return f"{name}: {ctx.source(annotation)}" if annotation is not None and name not in variadic else name


def _name(run: _Run, function: shapes.FunctionNode, ctx: Context) -> str:
    """A name that says where the run came from and what it gives; a person will find a better one."""
    stem = f"_{function.name.strip('_')}"
    first = run.body[0]
    what = run.outputs[0] if run.outputs else ""
    if not what and isinstance(first, ast.For) and isinstance(first.iter, (ast.Name, ast.Attribute)):
        what = first.iter.id if isinstance(first.iter, ast.Name) else first.iter.attr
    wanted = f"{stem}_{what.strip('_') or 'part'}"
    return shapes.free_name([wanted], {wanted} if wanted in ctx.text else set())
