"""The classes of a project with their bases and methods, as the extracts tell. It looks at no call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from charter.analysis.contracts.extract import Class, Extract, Function

PLAIN: Final = frozenset(
    {"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol", "typing_extensions.Protocol"}
)
"""Bases from outside that add nothing a call or an heir must know."""
_EXCEPTIONS: Final = ("Error", "Exception", "Warning", "Exit", "Interrupt")


class Hierarchy:
    """Functions and classes by their qualified names.

    Args:
        files: the extracts by path.
    """

    def __init__(self, files: Mapping[str, Extract]) -> None:
        self.functions: dict[str, tuple[str, Function | None]] = {}
        self.classes: dict[str, tuple[str, Class]] = {}
        self._offered: dict[str, str] = {}
        for path, (functions, classes, _, offered) in files.items():
            for name, function in functions.items():
                self.functions[name] = (path, function)
            for name, class_ in classes.items():
                self.classes[name] = (path, class_)
            self._offered.update(offered)
        self._defining: dict[str, str] = {}
        self._lines: dict[str, tuple[tuple[str, ...], bool]] = {}
        self._attributes: dict[str, set[str]] = {}

    def defining(self, name: str) -> str:
        """The name under which something is defined, re-exports undone."""
        found = self._defining.get(name)
        if found is None:
            found = self._defining[name] = self._undone(name)
        return found

    def _undone(self, name: str) -> str:
        for _ in range(10):
            if name in self.functions or name in self.classes:
                return name
            target = self._offered.get(name)
            if target is None:
                owner, _, member = name.rpartition(".")
                outer = self._offered.get(owner)
                if outer is None:
                    return name
                target = f"{outer}.{member}"
            name = target
        return name

    def line(self, name: str) -> tuple[tuple[str, ...], bool]:
        """A class and its bases within the project in the order in which methods are looked up, and whether that is all."""
        if name not in self._lines:
            self._arrange(name)
        return self._lines[name]

    def _arrange(self, name: str) -> None:
        """Find the line of a class, after those of its bases; a chain of them may be longer than Python's stack is deep."""
        self._lines[name] = ((name,), False)  # a class is no base of itself
        open_ = [(name, iter(self.classes[name][1][0]))]
        while open_:
            at, bases = open_[-1]
            for base in bases:
                target = self.defining(base)
                if target in self.classes and target not in self._lines:
                    self._lines[target] = ((target,), False)
                    open_.append((target, iter(self.classes[target][1][0])))
                    break
            else:
                open_.pop()
                self._lines[at] = self._line(at)

    def _line(self, name: str) -> tuple[tuple[str, ...], bool]:
        """The line of a class, those of its bases being known."""
        order = {name: None}
        whole = not self.classes[name][1][3]
        for base in self.classes[name][1][0]:
            target = self.defining(base)
            if target in self.classes:
                above, complete = self._lines[target]
                whole = whole and complete
                for item in above:
                    order.pop(item, None)
                    order[item] = None
            elif target not in PLAIN:
                whole = False
        return tuple(order), whole

    def attributes(self, name: str) -> set[str]:
        """What the `__init__` of a class, and those of its bases within the project, set on objects."""
        found = self._attributes.get(name)
        if found is None:
            found = self._attributes[name] = set()
            for item in self.line(name)[0]:
                init = self.classes[item][1][4]
                if init is not None:
                    found.update([attribute for attribute, *_ in init[1]])
        return found

    def is_exception(self, name: str) -> bool | None:
        """Whether a class is an exception; None if that cannot be told."""
        if name not in self.classes:
            return None
        for class_ in self.line(name)[0]:
            for base in self.classes[class_][1][0]:
                if base.startswith("builtins.") and base.endswith(_EXCEPTIONS):
                    return True
        return False if self.line(name)[1] else None

    def method(self, class_: str, name: str) -> tuple[str, Function | None] | None:
        """The class that defines a method of a class, and the method; None if a base outside may define it.

        The class is "" if nothing defines it.
        """
        order, whole = self.line(class_)
        for item in order:
            _, found = self.classes[item]
            if name in found[2] or "*" in found[2]:
                return item, None
            if name in found[1]:
                return item, found[1][name]
            if found[3]:
                return None
        return ("", None) if whole else None

    def heirs(self) -> Iterator[tuple[str, tuple[str, ...], bool]]:
        """Every class with a base in the project, with its line."""
        for name in self.classes:
            order, whole = self.line(name)
            if len(order) > 1:
                yield name, order, whole
