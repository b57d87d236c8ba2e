"""Counts the calls of sinks in a project, by file and kind: what the analysis has watched. It follows no data.

A call counts if the code itself says what it calls: by the names of the module, by what a local name was assigned, or
by a method's name, if no common class has it and the file imports the library that has.
"""

from __future__ import annotations

import builtins
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Final

from charter.model import ir

if TYPE_CHECKING:
    from charter.model.library.index import Index
    from charter.model.project import Module, Project

_EVERYWHERE: Final = frozenset(
    [name for cls in (str, bytes, list, dict, set, frozenset, tuple) for name in dir(cls)]
    + "get post put patch head options exists request read write open close send load loads save run query delete "
    "path".split()
)
"""Names of methods that say nothing of their object."""
_BUILTINS: Final = frozenset(dir(builtins))

_DEEPEST: Final = 3
"""Module-level names that are looked through."""

Kinds = tuple[str, ...]


class Opportunities:
    """The counts of one project.

    Args:
        project: the linked modules.
        index: the models.
    """

    def __init__(self, project: Project, index: Index) -> None:
        self._project = project
        self._index = index
        self._names = {alias.rpartition(".")[2] for alias in index.aliases}
        self._methods: dict[str, set[tuple[str, str]]] = {}
        self._kinds: dict[str, Kinds] = {}
        for path, sinks in index.sinks.items():
            owner, _, last = path.rpartition(".")
            kinds = {sink.kind for sink in sinks if not sink.like}
            if kinds:
                self._names.add(last)
                if last not in _EVERYWHERE and owner.rpartition(".")[2][:1].isupper():
                    library = owner.partition(".")[0]
                    self._methods.setdefault(last, set()).update((library, kind) for kind in kinds)

    def of(self, module: Module) -> Counter[str]:
        """The number of calls of sinks in a module, by kind."""
        total: Counter[str] = Counter()
        calls = Counter(chain.from_iterable([function.record[ir.CALLS] for function in module.functions]))
        libraries = {root.partition(".")[0] for root in module.record[ir.ROOTS]}
        for call, times in calls.items():
            owner, _, last = call.rpartition(".")
            if owner == "?":
                kinds = {kind for library, kind in self._methods.get(last, ()) if library in libraries}
            else:
                kinds = self._of(call, module) if not owner or last in self._names else ()
            for kind in kinds:
                total[kind] += times
        return total

    def _of(self, call: str, module: Module) -> Kinds:
        path = self._absolute(call, module)
        kinds = self._kinds.get(path)
        if kinds is None:
            sinks = self._index.entry(self._typed(path)).sinks
            kinds = self._kinds[path] = tuple({sink.kind: None for sink in sinks if not sink.like})
        return kinds

    def _absolute(self, call: str, module: Module, depth: int = 0) -> str:
        """A call's text from a library's name on; "" for what belongs to the project or is not known."""
        if call[0] == "=":
            return call[1:]
        head = call.partition(".")[0]
        name = head.removesuffix("()")
        found = self._project.member(module, name)
        if isinstance(found, str):
            return found + call[len(name) :]
        given = module.record[ir.GIVEN].get(head) if found is None else None
        if given is not None and depth < _DEEPEST:
            return self._absolute(given + call[len(head) :], module, depth + 1)
        return f"builtins.{call}" if found is None and name in _BUILTINS else ""

    def _typed(self, path: str) -> str:
        """The canonical name of an access path, with a class in the place of every value of which that is known."""
        done = ""
        for part in path.split("."):
            name = part.removesuffix("()")
            done = self._index.canonical(f"{done}.{name}" if done else name)
            entry = self._index.entry(done)
            if part != name:
                done = entry.call_type or (done if name[:1].isupper() else f"{done}()")
            elif entry.value_type:
                done = entry.value_type
        return done
