"""Which calls in coroutines block the event loop, directly or through functions of the project; and coroutines never awaited.

It follows calls by qualified name. A call through a variable, a parameter or an unknown object is not followed, so
what it reports is certain and what it does not report may still block.
"""

from __future__ import annotations

import ast
from collections import deque
from typing import TYPE_CHECKING, Final, cast

from charter.analysis import Solution
from charter.analysis.bodies import FUNCTIONS, by_owner, owner
from charter.analysis.calls import exports, named_calls
from charter.analysis.places import Packed, pack, unpack
from charter.analysis.solver import KeptSolver
from charter.api.facts.concurrency import BlockingCall, Hop, UnawaitedCoroutine
from charter.model.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from charter.analysis.bodies import FunctionNode
    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source
    from charter.syntax.walk import Index

VERSION = 8

_HTTP: Final = ("get", "post", "put", "patch", "delete", "head", "options", "request")
BLOCKING: Final = frozenset(
    {
        "time.sleep", "os.system", "os.popen", "os.wait", "os.wait3", "os.wait4", "os.waitpid",
        "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
        "subprocess.getoutput", "subprocess.getstatusoutput", "urllib.request.urlopen", "urllib.request.urlretrieve",
        "socket.create_connection", "socket.gethostbyname", "socket.gethostbyname_ex", "socket.gethostbyaddr",
        "socket.getaddrinfo", "shutil.copytree", "shutil.make_archive", "shutil.unpack_archive",
        "psycopg2.connect", "pymysql.connect", "MySQLdb.connect", "smtplib.SMTP", "smtplib.SMTP_SSL", "ftplib.FTP",
        "select.select", "pexpect.run", "requests.session.request",
        *(f"requests.{verb}" for verb in _HTTP),
        *(f"httpx.{verb}" for verb in (*_HTTP, "stream")),
        "urllib3.request",
    }
)  # fmt: skip
"""Functions that wait for a clock, a disk full of files, a process or a network.

`input` is none of them: who asks a person at the console has a program that waits for the answer anyway.
"""

_AT_ONCE: Final = {
    "socket.getaddrinfo": (5, "flags", "AI_NUMERICHOST", 4),
    "os.waitpid": (1, "", "WNOHANG", 1),
    "os.wait3": (0, "", "WNOHANG", 1),
    "os.wait4": (1, "", "WNOHANG", 1),
}
"""Functions that ask no name server, or wait for nobody, with a flag: its argument by place and name, and its own name and bit."""

_HARMLESS_DECORATORS: Final = frozenset(
    {
        "builtins.staticmethod", "builtins.classmethod", "functools.wraps", "functools.lru_cache",
        "functools.cache", "typing.override", "typing_extensions.override", "abc.abstractmethod",
    }
)  # fmt: skip

_BRIEF: Final = ("shutil.", "socket.get")
"""Blocks for as long as a local disk takes, or not at all if the host is an address: worth a word in the coroutine
itself, not three calls away."""

Call = tuple[str, Packed]
Function = tuple[int, list[Call]]
"""What it is (`_PLAIN`, `_COROUTINE` or `_WRAPPED`), and what it calls."""
_PLAIN, _COROUTINE, _WRAPPED = 0, 1, 2
Extract = tuple[dict[str, Function], dict[str, str], list[tuple[str, Packed, bool]]]
"""Functions by qualified name, names imported at module level by their qualified name here, calls made as statements."""


def extract(source: Source, names: Names) -> Extract | None:
    """The functions of a file with the calls that can be followed."""
    yielding = by_owner(source, ast.Yield, ast.YieldFrom)
    returns = by_owner(source, ast.Return)
    parents = source.index.parents
    made: dict[FunctionNode, list[tuple[str, ast.Call]]] = {}
    dropped: list[tuple[str, Packed, bool]] = []
    named = named_calls(source, names)
    for call, target in named.own_and(BLOCKING).items():
        if target in _AT_ONCE and _is_answered_at_once(call, target, source, names):
            continue
        function = owner(call, source)
        parent = parents[call]
        if type(parent) is ast.Expr and target not in BLOCKING:
            dropped.append((target, pack(source, call), type(function) is ast.AsyncFunctionDef))
        if function is not None and type(parent) is not ast.Await:
            made.setdefault(function, []).append((target, call))
    functions: dict[str, Function] = {}
    for coroutine in source.nodes(ast.AsyncFunctionDef):
        kind = _COROUTINE if coroutine not in yielding and _is_plain(coroutine, names) else _WRAPPED
        functions[names.definition(coroutine)] = (kind, _packed(made.get(coroutine, []), source))
    for function, calls in made.items():
        if type(function) is ast.FunctionDef and function not in yielding and _is_plain(function, names):
            certain = _certain(function, _keeping(returns.get(function, ()), source))
            kept = [item for item in calls if _is_within(item[1], certain, source)]
            if kept:
                functions[names.definition(function)] = (_PLAIN, _packed(kept, source))
    offered = exports(source, names)
    return (functions, offered, dropped) if functions or offered or dropped else None


def _is_answered_at_once(call: ast.Call, target: str, source: Source, names: Names) -> bool:
    """Whether a flag, by its name or as a number, keeps a function from waiting."""
    position, keyword, flag, bit = _AT_ONCE[target]
    given = call.args[position] if len(call.args) > position else None
    given = next((item.value for item in call.keywords if item.arg == keyword), given)
    if given is None:
        return False
    values = Values(source, names)
    value = values.value(given)
    return bool(value & bit) if isinstance(value, int) else flag in source.segment(values.origin(given))


def _packed(calls: list[tuple[str, ast.Call]], source: Source) -> list[Call]:
    """The first call of each name; further ones from the same function say nothing new."""
    first: dict[str, ast.Call] = {}
    for target, call in calls:
        first.setdefault(target, call)
    return [(target, pack(source, call)) for target, call in first.items()]


def _is_plain(node: FunctionNode, names: Names) -> bool:
    """Whether no decorator may move a function's body to a thread; a `yield`, which puts it off, is not looked for."""
    for item in node.decorator_list:
        name = names.qualified(item.func if isinstance(item, ast.Call) else item)
        if name not in _HARMLESS_DECORATORS:
            return False
    return True


_ENTERED: Final = frozenset[type]({ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith})
"""Statements whose bodies are nearly always run."""


def _certain(node: FunctionNode, keeping: set[ast.AST]) -> set[ast.stmt]:
    """The statements that nearly every call of a function reaches.

    What stands under a condition, in a handler, or behind an early return of something kept (a cache) is left out:
    it may run once in the life of a process.
    """
    found: set[ast.stmt] = set()
    todo = [node.body]
    while todo:
        for statement in todo.pop():
            found.add(statement)
            if type(statement) is ast.If:
                if statement in keeping:
                    break
            elif type(statement) in _ENTERED:
                todo.append(cast("ast.Try", statement).body)
                if type(statement) is ast.Try:
                    todo.append(statement.finalbody)
    return found


_MADE: Final = frozenset[type]({ast.Constant, ast.Call, type(None)})
"""What is returned where it is made, or is nothing."""


def _keeping(returns: Iterable[ast.AST], source: Source) -> set[ast.AST]:
    """The `if` statements of a function under which something is returned that was not made there, or was done before."""
    parents = source.index.parents
    found: set[ast.AST] = set()
    kept: set[str] | None = None
    for node in returns:
        is_made = type(cast("ast.Return", node).value) in _MADE
        parent = parents[node]
        around: list[ast.If] = []
        while not isinstance(parent, FUNCTIONS):
            if type(parent) is ast.If:
                around.append(parent)
            parent = parents[parent]
        if is_made and around and kept is None:
            kept = _set_by(parent, source.index)
        found.update(one for one in around if not is_made or (kept and kept & _asked_by(one.test)))
    return found


def _set_by(function: ast.AST, index: Index) -> set[str]:
    """The globals and attributes that a function sets, so that its next call finds them."""
    found = {
        node.attr
        for node in index.of_type_below(function, ast.Attribute)
        if type(node) is ast.Attribute and type(node.ctx) is ast.Store
    }
    declared = index.of_type_below(function, ast.Global)
    shared = {name for node in declared if type(node) is ast.Global for name in node.names}
    if shared:
        names = index.of_type_below(function, ast.Name)
        stored = {node.id for node in names if type(node) is ast.Name and type(node.ctx) is ast.Store}
        found |= stored & shared
    return found


def _asked_by(test: ast.expr) -> set[str]:
    """The names and attributes that a condition reads."""
    nodes = [node for node in ast.walk(test) if isinstance(node, (ast.Name, ast.Attribute))]
    return {node.attr if isinstance(node, ast.Attribute) else node.id for node in nodes}


def _is_within(call: ast.Call, certain: set[ast.stmt], source: Source) -> bool:
    """Whether a call is evaluated whenever its statement is reached, and that is certain."""
    parents = source.index.parents
    child: ast.AST = call
    parent = parents.get(call)
    while parent is not None:
        if type(parent) is ast.IfExp and child is not parent.test:
            return False
        if type(parent) is ast.BoolOp and child is not parent.values[0]:
            return False
        if isinstance(parent, ast.stmt):
            header = type(parent) is not ast.If or child is parent.test
            return header and parent in certain
        child, parent = parent, parents.get(parent)
    return False


class Solver(KeptSolver[Extract]):
    """Follows calls through the whole project."""

    def solution(self) -> Solution:
        """The blocking calls in all coroutines, and the coroutines that are never awaited."""
        graph = _Graph(self.files)
        blocked = graph.blocked()
        facts: dict[str, list[Fact]] = {}
        opportunities: dict[str, dict[tuple[type[Fact], str], int]] = {}
        for path, (functions, _, dropped) in self.files.items():
            found: list[Fact] = []
            coroutines = 0
            for name, (kind, calls) in functions.items():
                if kind == _PLAIN:
                    continue
                coroutines += 1
                found.extend(self._in_coroutine(path, name, calls, graph, blocked))
            for target, place, inside in dropped:
                resolved = graph.resolve(target)
                if resolved in graph.coroutines:
                    found.append(UnawaitedCoroutine(unpack(path, place), resolved, inside))
            if found:
                facts[path] = found
            if coroutines:
                opportunities[path] = {
                    (BlockingCall, "direct"): coroutines,
                    (BlockingCall, "through"): coroutines,
                }
        return Solution(facts, opportunities)

    @staticmethod
    def _in_coroutine(
        path: str, name: str, calls: list[Call], graph: _Graph, blocked: dict[str, str]
    ) -> Iterator[BlockingCall]:
        for target, place in calls:
            if target in BLOCKING:
                yield BlockingCall(unpack(path, place), name, target)
            elif (called := graph.resolve(target)) in blocked:
                hops, blocks = graph.chain(called, blocked)
                yield BlockingCall(unpack(path, place), name, blocks, hops)


class _Graph:
    """The functions of a project by qualified name."""

    def __init__(self, files: dict[str, Extract]) -> None:
        self.functions: dict[str, tuple[str, list[Call]]] = {}
        self.coroutines: set[str] = set()
        self.exports: dict[str, str] = {}
        for path, (functions, offered, _) in files.items():
            self.exports.update(offered)
            for name, (kind, calls) in functions.items():
                if kind == _PLAIN:
                    self.functions[name] = (path, calls)
                elif kind == _COROUTINE:
                    self.coroutines.add(name)

    def resolve(self, name: str) -> str:
        """The defining name of what a name refers to: re-exports undone, a class standing for its `__init__`."""
        for _ in range(8):
            if name in self.functions or name in self.coroutines:
                return name
            target = self.exports.get(name)
            if target is None or target == name:
                break
            name = target
        return f"{name}.__init__"

    def blocked(self) -> dict[str, str]:
        """Every plain function that blocks, with the call that makes it so: a blocking name or another function."""
        callers: dict[str, list[str]] = {}
        reason: dict[str, str] = {}
        queue: deque[str] = deque()
        for name, (_, calls) in self.functions.items():
            for target, _ in calls:
                if target in BLOCKING:
                    if name not in reason and not target.startswith(_BRIEF):
                        reason[name] = target
                        queue.append(name)
                else:
                    callers.setdefault(self.resolve(target), []).append(name)
        while queue:
            name = queue.popleft()
            for caller in callers.get(name, ()):
                if caller not in reason:
                    reason[caller] = name
                    queue.append(caller)
        return reason

    def chain(self, name: str, blocked: dict[str, str]) -> tuple[tuple[Hop, ...], str]:
        """The calls from a blocking function down to what blocks, and its name."""
        hops: list[Hop] = []
        while name in blocked:
            path, calls = self.functions[name]
            following = blocked[name]
            place = next(
                at for target, at in calls if target == following or self.resolve(target) == following
            )
            hops.append(Hop(unpack(path, place), following))
            name = following
        return tuple(hops), name
