"""Which calls in coroutines block the event loop, directly or through functions of the project; and coroutines never awaited.

It follows calls by qualified name. A call through a variable, a parameter or an unknown object is not followed, so
what it reports is certain and what it does not report may still block.
"""

from __future__ import annotations

import ast
import sys
from collections import deque
from typing import TYPE_CHECKING, Final, cast

from charter.analysis import Solution
from charter.analysis.places import Packed, pack, unpack
from charter.api.facts.concurrency import BlockingCall, Hop, UnawaitedCoroutine
from charter.model.names import BUILTINS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis import ProjectInfo
    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 1

_HTTP: Final = ("get", "post", "put", "patch", "delete", "head", "options", "request")
BLOCKING: Final = frozenset(
    {
        "time.sleep", "builtins.input", "os.system", "os.popen", "os.wait", "os.wait3", "os.wait4", "os.waitpid",
        "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
        "subprocess.getoutput", "subprocess.getstatusoutput", "urllib.request.urlopen", "urllib.request.urlretrieve",
        "socket.create_connection", "socket.gethostbyname", "socket.gethostbyname_ex", "socket.gethostbyaddr",
        "socket.getaddrinfo", "shutil.copytree", "shutil.rmtree", "shutil.make_archive", "shutil.unpack_archive",
        "psycopg2.connect", "pymysql.connect", "MySQLdb.connect", "smtplib.SMTP", "smtplib.SMTP_SSL", "ftplib.FTP",
        "select.select", "pexpect.run", "requests.session.request",
        *(f"requests.{verb}" for verb in _HTTP),
        *(f"httpx.{verb}" for verb in (*_HTTP, "stream")),
        "urllib3.request",
    }
)  # fmt: skip
"""Functions that wait for a clock, a disk full of files, a process or a network."""

_HARMLESS_DECORATORS: Final = frozenset(
    {
        "builtins.staticmethod", "builtins.classmethod", "functools.wraps", "functools.lru_cache",
        "functools.cache", "typing.override", "typing_extensions.override", "abc.abstractmethod",
    }
)  # fmt: skip
_STDLIB = sys.stdlib_module_names

_LOCAL: Final = "shutil."
"""Blocks for as long as a local disk takes: worth a word in the coroutine itself, not three calls away."""

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Call = tuple[str, Packed]
Function = tuple[int, list[Call]]
"""What it is (`_PLAIN`, `_COROUTINE` or `_WRAPPED`), and what it calls."""
_PLAIN, _COROUTINE, _WRAPPED = 0, 1, 2
Extract = tuple[dict[str, Function], dict[str, str], list[tuple[str, Packed, bool]]]
"""Functions by qualified name, names imported at module level by their qualified name here, calls made as statements."""


def extract(source: Source, names: Names) -> Extract | None:
    """The functions of a file with the calls that can be followed."""
    made: dict[FunctionNode, list[tuple[str, ast.Call]]] = {}
    dropped: list[tuple[str, Packed, bool]] = []
    for call, target in _followed(source, names):
        function = _function_of(call, source)
        parent = source.parent(call)
        if isinstance(parent, ast.Expr) and target not in BLOCKING:
            dropped.append((target, pack(source, call), isinstance(function, ast.AsyncFunctionDef)))
        if function is not None and not isinstance(parent, ast.Await):
            made.setdefault(function, []).append((target, call))
    functions: dict[str, Function] = {}
    for coroutine in source.nodes(ast.AsyncFunctionDef):
        kind = _COROUTINE if _is_plain(coroutine, names, source) else _WRAPPED
        functions[names.definition(coroutine)] = (kind, _packed(made.get(coroutine, []), source))
    for function, calls in made.items():
        if isinstance(function, ast.FunctionDef) and _is_plain(function, names, source):
            certain = _certain(function)
            kept = [item for item in calls if _is_within(item[1], certain, source)]
            if kept:
                functions[names.definition(function)] = (_PLAIN, _packed(kept, source))
    exports = _exports(source, names)
    return (functions, exports, dropped) if functions or exports or dropped else None


def _packed(calls: list[tuple[str, ast.Call]], source: Source) -> list[Call]:
    """The first call of each name; further ones from the same function say nothing new."""
    first: dict[str, ast.Call] = {}
    for target, call in calls:
        first.setdefault(target, call)
    return [(target, pack(source, call)) for target, call in first.items()]


def _followed(source: Source, names: Names) -> Iterator[tuple[ast.Call, str]]:
    """The calls whose target is known by name and may be of this project, or blocks."""
    module_level = names.table(source.tree)
    for call in source.nodes(ast.Call):
        root = call.func
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name):
            continue
        # Most calls are methods of local objects or builtins; looking those up would take most of the time.
        if root.id not in module_level and root.id not in {"self", "cls", "input"}:
            if root is not call.func or _function_of(call, source) is None:
                continue
            if root.id in BUILTINS:
                continue
        target = names.qualified(call.func)
        if target is None:
            continue
        top = target.partition(".")[0]
        if target in BLOCKING or (top not in _STDLIB and top != "builtins"):
            yield call, target


def _function_of(node: ast.AST, source: Source) -> FunctionNode | None:
    """The function whose body runs a node; None at module level and in lambdas."""
    parent = source.parent(node)
    child = node
    while parent is not None:
        if isinstance(parent, _FUNCTIONS):
            return parent if isinstance(child, ast.stmt) else None
        if isinstance(parent, (ast.Lambda, ast.ClassDef)):
            return None
        child, parent = parent, source.parent(parent)
    return None


def _is_plain(node: FunctionNode, names: Names, source: Source) -> bool:
    """Whether calling it runs its body at once: no decorator may move it to a thread, no `yield` puts it off."""
    if any(
        names.qualified(item.func if isinstance(item, ast.Call) else item) not in _HARMLESS_DECORATORS
        for item in node.decorator_list
    ):
        return False
    return not any(
        _function_of(inner, source) is node
        for kind in (ast.Yield, ast.YieldFrom)
        for inner in source.nodes(kind)
    )


def _certain(node: FunctionNode) -> set[ast.stmt]:
    """The statements that nearly every call of a function reaches.

    What stands under a condition, in a handler, or behind an early return of something kept (a cache) is left out:
    it may run once in the life of a process.
    """
    found: set[ast.stmt] = set()
    todo = [node.body]
    while todo:
        for statement in todo.pop():
            found.add(statement)
            if isinstance(statement, ast.If):
                if any(_returns_kept(inner) for inner in ast.walk(statement)):
                    break
            elif isinstance(statement, (ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith)):
                todo.append(statement.body)
                if isinstance(statement, ast.Try):
                    todo.append(statement.finalbody)
    return found


def _returns_kept(node: ast.AST) -> bool:
    return isinstance(node, ast.Return) and not isinstance(node.value, (ast.Constant, ast.Call, type(None)))


def _is_within(call: ast.Call, certain: set[ast.stmt], source: Source) -> bool:
    """Whether a call is evaluated whenever its statement is reached, and that is certain."""
    child: ast.AST = call
    parent = source.parent(call)
    while parent is not None:
        if isinstance(parent, ast.IfExp) and child is not parent.test:
            return False
        if isinstance(parent, ast.BoolOp) and child is not parent.values[0]:
            return False
        if isinstance(parent, ast.stmt):
            header = not isinstance(parent, ast.If) or child is parent.test
            return header and parent in certain
        child, parent = parent, source.parent(parent)
    return False


def _exports(source: Source, names: Names) -> dict[str, str]:
    """What this module offers under its own name although it is defined elsewhere."""
    if not source.module:
        return {}
    found: dict[str, str] = {}
    for name, bindings in names.table(source.tree).items():
        target = bindings[0].target
        if target and target.partition(".")[0] not in _STDLIB:
            found[f"{source.module}.{name}"] = target
    return found


class Solver:
    """Follows calls through the whole project.

    Args:
        project: not needed here.
    """

    def __init__(self, project: ProjectInfo) -> None:
        del project
        self._files: dict[str, Extract] = {}
        self._solution: Solution | None = None

    def update(self, path: str, extract: object | None) -> None:
        """Take in a file's functions, or take the file out."""
        if self._files.get(path) == extract:
            return
        self._solution = None
        if extract is None:
            self._files.pop(path, None)
        else:
            self._files[path] = cast("Extract", extract)

    def solve(self) -> Solution:
        """The blocking calls in all coroutines, and the coroutines that are never awaited."""
        if self._solution is None:
            self._solution = self._solve()
        return self._solution

    def _solve(self) -> Solution:
        graph = _Graph(self._files)
        blocked = graph.blocked()
        facts: dict[str, list[Fact]] = {}
        opportunities: dict[str, dict[tuple[type[Fact], str], int]] = {}
        for path, (functions, _, dropped) in self._files.items():
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
        for path, (functions, exports, _) in files.items():
            self.exports.update(exports)
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
                    if name not in reason and not target.startswith(_LOCAL):
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
