"""Facts about functions and classes whose users or heirs do not keep to what they ask. `analysis.contracts` compares them."""

from __future__ import annotations

from typing import Literal

from charter.api.facts import Fact
from charter.api.text import Location

CallProblem = Literal[
    "missing-argument",
    "surplus-argument",
    "unknown-argument",
    "result-of-procedure",
    "unpacked",
    "abstract",
    "not-callable",
    "not-raised",
    "not-an-exception",
]

ClassProblem = Literal[
    "skipped-init",
    "repeated-init",
    "early-call",
    "override",
    "hidden-method",
    "equality",
]


class WrongCall(Fact, frozen=True):
    """A call that what it calls cannot serve.

    Attributes:
        location: the call, or the part of it that is wrong.
        problem: what is wrong; also the fact's `kind`.
        name: what is called, as it is named within its module.
        subject: the argument, the method that is not defined, or how many values are unpacked; "" for none.
        counts: for a surplus argument, how many are given and how many are taken; for `unpacked`, how many are wanted
            and how many there are.
        defined: where what is called is defined; None if that is not in the project.
    """

    problem: CallProblem
    name: str
    subject: str = ""
    counts: tuple[int, int] = (0, 0)
    defined: Location | None = None

    @property
    def kind(self) -> str:
        """What is wrong."""
        return self.problem


class BrokenInheritance(Fact, frozen=True):
    """A class that does not keep to what its base class relies on.

    Attributes:
        location: the method or attribute that breaks it.
        problem: what is wrong; also the fact's `kind`.
        name: the class.
        base: the base class.
        member: the method it is about.
        subject: the attribute that is missing, hidden or not compared, or what callers of the base pass; "" for none.
        related: the other place that explains it.
    """

    problem: ClassProblem
    name: str
    base: str
    member: str
    subject: str
    related: Location

    @property
    def kind(self) -> str:
        """What is wrong."""
        return self.problem
