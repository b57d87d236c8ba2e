"""What a file's checks ask of the constants and calls of other files, and what is answered. It looks nothing up itself.

A check of one file knows no other. It notes each name that it would have to know; the analyses `constants` and `callers` answer
what the project can tell, and the rules that asked run again with the answers (`engine.project.finish`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from charter.api import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from charter.api.facts.names import PassedValue

_NEVER = sys.stdlib_module_names | {"builtins"}


class Elsewhere:
    """Constants of other files, by qualified name.

    Args:
        values: the constants that are known.
        targets: what a name is another name for, for instance `ssl.CERT_NONE`.
        passed: what calls give to the parameters of this file's functions.

    Attributes:
        asked: all names that were asked for, known or not.
        questions: how often was asked; what was computed while it grew may come out otherwise another time.
    """

    def __init__(
        self,
        values: Mapping[str, object] | None = None,
        targets: Mapping[str, str] | None = None,
        passed: Mapping[str, Sequence[PassedValue]] | None = None,
    ) -> None:
        self._values = values or {}
        self._targets = targets or {}
        self._passed = passed or {}
        self.asked: set[str] = set()
        self.questions = 0
        self._recent: set[str] = set()

    def take_recent(self) -> set[str]:
        """The names that were asked for since this was last called."""
        recent = self._recent
        if recent:
            self._recent = set()
            self.asked |= recent
        return recent

    def value(self, name: str) -> object:
        """The constant of this name, or `UNKNOWN`."""
        self._ask(name)
        return self._values.get(name, UNKNOWN)

    def target(self, name: str) -> str:
        """What a constant of this name is another name for; itself if that is not known."""
        if not name.rpartition(".")[2].isupper():
            return name
        self._ask(name)
        return self._targets.get(name, name)

    def result(self, function: str) -> str:
        """What is called to make what a function of the project returns; "" if that is not known."""
        self._ask(f"{function}()")
        return self._targets.get(f"{function}()", "").removesuffix("()")

    def passed(self, question: str) -> Sequence[PassedValue]:
        """What calls give to the parameter of a function, or what they call its result."""
        self._ask(question)
        return self._passed.get(question, ())

    def _ask(self, name: str) -> None:
        top, dot, _ = name.partition(".")
        if dot and top not in _NEVER:
            self.questions += 1
            self._recent.add(name)
