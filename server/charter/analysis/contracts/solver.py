"""Compares calls with what they call, and classes with their bases. What functions and classes are, the extracts say."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from charter.analysis import Solution
from charter.analysis.contracts.classes import breaks
from charter.analysis.contracts.extract import STARRED, Extract
from charter.analysis.contracts.hierarchy import Hierarchy
from charter.analysis.places import unpack
from charter.analysis.solver import KeptSolver
from charter.api.facts.contracts import BrokenInheritance, WrongCall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis.contracts.extract import Call, Class, Function, Signature
    from charter.api import Fact
    from charter.api.facts.contracts import CallProblem

_NO_CALL: Call = ("", "", "", 0, (), 0, "", (0, 0, 0, 0, 0, 0))
_ARGUMENTS: tuple[CallProblem, ...] = ("missing-argument", "surplus-argument", "unknown-argument")


class Solver(KeptSolver[Extract]):
    """Knows all functions, classes and calls."""

    def solution(self) -> Solution:
        """Every call and class that breaks what it should keep to."""
        hierarchy = Hierarchy(self.files)
        facts: dict[str, list[Fact]] = {}
        opportunities: dict[str, dict[tuple[type[Fact], str], int]] = {}
        heirs = _Heirs(hierarchy)
        for path, (_, classes, calls, _) in self.files.items():
            judge = _Judge(hierarchy, heirs, path)
            found: list[Fact] = [problem for call in calls for problem in judge.problems(call)]
            counts: dict[tuple[type[Fact], str], int] = {
                (WrongCall, problem): count for problem, count in Counter(judge.looked).items()
            }
            if classes:
                counts[BrokenInheritance, "override"] = len(classes)
            if found:
                facts[path] = found
            if counts:
                opportunities[path] = counts
        for fact in breaks(hierarchy):
            facts.setdefault(fact.location.path, []).append(fact)
        return Solution(facts, opportunities)


class _Heirs:
    """What the classes below each class define themselves; put together for a class when it is first asked about."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self._below: dict[str, list[Class]] = {}
        for name, order, _ in hierarchy.heirs():
            for base in order[1:]:
                self._below.setdefault(base, []).append(hierarchy.classes[name][1])
        self._members: dict[str, frozenset[str]] = {}

    def override(self, owner: str, member: str) -> bool:
        """Whether some class below a class defines a member of it anew."""
        below = self._below.get(owner)
        if below is None:
            return False
        members = self._members.get(owner)
        if members is None:
            members = self._members[owner] = frozenset[str]().union(*[heir[1] for heir in below])
        return member in members


class _Judge:
    """Compares the calls of one file with what they call, and notes the problems that they could have as `looked` for."""

    def __init__(self, hierarchy: Hierarchy, heirs: _Heirs, path: str) -> None:
        self.call: Call = _NO_CALL
        self.hierarchy = hierarchy
        self.heirs = heirs
        self.path = path
        self.looked: list[CallProblem] = []

    def problems(self, call: Call) -> Iterator[WrongCall]:
        """What is wrong with a call; one is looked at after the other."""
        self.call = call
        how, target, method = call[:3]
        name = self.hierarchy.defining(target)
        if how in {"raise", "except"}:
            if name in self.hierarchy.classes:
                self.looked.append("not-an-exception")
                if self.hierarchy.is_exception(name) is False:
                    yield self._problem("not-an-exception", name, how)
        elif how == "name":
            yield from self._named(name)
        elif how in {"instance", "object"}:
            if name in self.hierarchy.classes:
                yield from self._on_object(name, method)
        else:
            owner, _, member = name.rpartition(".")
            if owner in self.hierarchy.classes:
                yield from self._on_self(how, owner, member)

    def _named(self, name: str) -> Iterator[WrongCall]:
        if name in self.hierarchy.functions:
            path, function = self.hierarchy.functions[name]
            if function is not None:
                yield from self._function(name, path, function, drop=0)
            return
        if name in self.hierarchy.classes:
            yield from self._class(name)
            return
        if name.startswith("builtins.") and self.call[6] == "s":
            yield self._problem("not-raised", name)
        owner, _, member = name.rpartition(".")
        if owner in self.hierarchy.classes:
            found = self.hierarchy.method(owner, member)
            if found is not None and found[1] is not None and found[1][1] != "property":
                drop = 1 if found[1][1] == "class" else 0
                yield from self._function(name, self.hierarchy.classes[found[0]][0], found[1], drop=drop)

    def _class(self, name: str) -> Iterator[WrongCall]:
        if self.call[6] == "s":
            self.looked.append("not-raised")
            if self.hierarchy.is_exception(name):
                yield self._problem("not-raised", name)
        order, whole = self.hierarchy.line(name)
        if not whole or any("__call__" in self.hierarchy.classes[item][1][2] for item in order):
            return
        yield from self._abstract(name, order)
        made = self.hierarchy.method(name, "__new__")
        if made is None or made[0]:
            return
        found = self.hierarchy.method(name, "__init__")
        if found is None:
            return
        if not found[0]:
            empty: Signature = (("self",), 0, 0, False, (), (), False)
            place = self.hierarchy.classes[name][1][7]
            yield from self._arguments(
                name, self.hierarchy.classes[name][0], (empty, "plain", "", 0, place), 1
            )
        elif found[1] is not None and found[1][1] == "plain":
            yield from self._arguments(name, self.hierarchy.classes[found[0]][0], found[1], 1)

    def _abstract(self, name: str, order: tuple[str, ...]) -> Iterator[WrongCall]:
        classes = self.hierarchy.classes
        if not any("abc.ABC" in classes[item][1][0] for item in order):
            return
        self.looked.append("abstract")
        for index, item in enumerate(order):
            for method in classes[item][1][8]:
                defined = any(
                    method in classes[heir][1][1]
                    or method in classes[heir][1][2]
                    or "*" in classes[heir][1][2]
                    for heir in order[:index]
                )
                if not defined:
                    path, class_ = classes[item]
                    function = class_[1].get(method)
                    place = function[4] if function is not None else class_[7]
                    yield WrongCall(
                        unpack(self.path, self.call[7]),
                        "abstract",
                        _short(name),
                        method,
                        (0, 0),
                        unpack(path, place),
                    )
                    return

    def _on_object(self, name: str, method: str) -> Iterator[WrongCall]:
        """A method of an object that has just been made, or a call of the object itself."""
        if self.hierarchy.is_exception(name) or any(
            "__getattr__" in self.hierarchy.classes[item][1][1] for item in self.hierarchy.line(name)[0]
        ):
            return
        made = self.hierarchy.method(name, "__new__")
        if made is None or made[0]:
            return
        found = self.hierarchy.method(name, method)
        if found is None:
            return
        if not found[0]:
            if method == "__call__":
                self.looked.append("not-callable")
                path, class_ = self.hierarchy.classes[name]
                yield WrongCall(
                    unpack(self.path, self.call[7]),
                    "not-callable",
                    _short(name),
                    "",
                    (0, 0),
                    unpack(path, class_[7]),
                )
            return
        yield from self._method(found, f"{found[0]}.{method}", method)

    def _on_self(self, how: str, owner: str, member: str) -> Iterator[WrongCall]:
        found = self.hierarchy.method(owner, member)
        if (
            found is None
            or not found[0]
            or (how == "cls" and found[1] is not None and found[1][1] == "plain")
        ):
            return
        yield from self._method(found, f"{found[0]}.{member}", member)

    def _method(self, found: tuple[str, Function | None], name: str, member: str) -> Iterator[WrongCall]:
        owner, function = found
        if function is None or function[1] == "property" or member in self.hierarchy.attributes(owner):
            return  # some object's attribute may stand before the method
        drop = 0 if function[1] == "static" else 1
        is_final = not self.heirs.override(owner, member)
        if function[2] == "stub" and not is_final:
            return  # the classes below say what it really takes
        yield from self._function(name, self.hierarchy.classes[owner][0], function, drop=drop, final=is_final)

    def _function(
        self, name: str, path: str, function: Function, *, drop: int, final: bool = True
    ) -> Iterator[WrongCall]:
        wrong = False
        for problem in self._arguments(name, path, function, drop):
            wrong = True
            yield problem
        use = self.call[6]
        if wrong or not final:
            return
        _, _, gives, length, place = function
        if use == "v":
            self.looked.append("result-of-procedure")
            if gives == "nothing":
                yield self._problem("result-of-procedure", name, defined=(path, place))
        elif use[:1] == "u" and gives == "tuple":
            self.looked.append("unpacked")
            wanted = int(use[1:])
            if wanted != length:
                yield WrongCall(
                    unpack(self.path, self.call[7]),
                    "unpacked",
                    _short(name),
                    "",
                    (wanted, length),
                    unpack(path, place),
                )

    def _arguments(self, name: str, path: str, function: Function, drop: int) -> Iterator[WrongCall]:
        _, _, _, given, keywords, flags, _, place = self.call
        self.looked.extend(_ARGUMENTS)
        mismatch = compare(function[0], drop, given, keywords, flags)
        if mismatch is not None:
            problem, subject, counts = mismatch
            yield WrongCall(
                unpack(self.path, place), problem, _short(name), subject, counts, unpack(path, function[4])
            )

    def _problem(
        self,
        problem: CallProblem,
        name: str,
        subject: str = "",
        defined: tuple[str, tuple[int, ...]] | None = None,
    ) -> WrongCall:
        where = None
        if defined is not None:
            where = unpack(defined[0], defined[1])  # pyright: ignore[reportArgumentType]
        elif name in self.hierarchy.classes:
            path, class_ = self.hierarchy.classes[name]
            where = unpack(path, class_[7])
        return WrongCall(unpack(self.path, self.call[7]), problem, _short(name), subject, (0, 0), where)


def compare(
    signature: Signature, drop: int, given: int, keywords: tuple[str, ...], flags: int
) -> tuple[CallProblem, str, tuple[int, int]] | None:
    """Compare what a call gives with what a function takes.

    Args:
        signature: what the function takes.
        drop: how many of its first parameters are bound already.
        given: the number of positional arguments, starred ones included.
        keywords: the names of the keyword arguments.
        flags: `STARRED` and `MAPPED`.

    Returns:
        The problem, the parameter it is about and the numbers given and taken; None if the call fits or nobody can tell.
    """
    positional, only, defaults, has_rest, named, required, has_others = signature
    if drop > len(positional):
        return None  # `def method(*args)`
    taken = positional[drop:]
    if not flags & STARRED and given > len(taken) and not has_rest:
        return "surplus-argument", "", (given, len(taken))
    if keywords and not has_others:
        accepted = {*taken[max(only - drop, 0) :], *named}
        for keyword in keywords:
            if keyword not in accepted:
                return "unknown-argument", keyword, (0, 0)
    if flags:
        return None
    needed = taken[given : len(taken) - defaults if defaults else len(taken)]
    for parameter in (*needed, *required):
        if parameter not in keywords:
            return "missing-argument", parameter, (0, 0)
    return None


def _short(name: str) -> str:
    """What of a qualified name stands behind its module, as far as capitals tell."""
    parts = name.split(".")
    keep = 2 if len(parts) > 1 and parts[-2].lstrip("_")[:1].isupper() else 1
    return ".".join(parts[-keep:])
