"""Facts about the size and shape of functions and classes. How they are measured is the analyses' business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from charter.api.facts import Fact

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.api.text import Location


class Branch(Struct, frozen=True):
    """A place that adds to a measure.

    Attributes:
        location: where.
        what: the construct, for instance "`elif`".
        weight: by how much it adds.
    """

    location: Location
    what: str
    weight: int = 1


class Sources(Struct, frozen=True):
    """Where the measures of a function come from.

    Attributes:
        branches: what adds to its cyclomatic complexity, in source order.
        hurdles: what adds to its cognitive complexity, with the weight of its nesting.
        deepest: the head of the deepest block; None where nothing is nested.
    """

    branches: tuple[Branch, ...] = ()
    hurdles: tuple[Branch, ...] = ()
    deepest: Location | None = None


class FunctionMetrics(Fact, frozen=True):
    """Measures of one function; nested functions are measured on their own.

    Attributes:
        location: the function's name.
        name: qualified name within the module.
        cyclomatic: McCabe's number: one, and one for each branch.
        cognitive: cognitive complexity as SonarSource defines it.
        nesting: how deep its blocks are nested, 0 for a flat body.
        sources: tells where these come from; few functions are asked.
    """

    name: str
    cyclomatic: int
    cognitive: int
    nesting: int
    sources: Callable[[], Sources]


class ClassMetrics(Fact, frozen=True):
    """Measures of one class, its own body only.

    Attributes:
        location: the class's name.
        name: qualified name within the module.
        lines: how many lines it takes, decorators left out.
        methods: its functions, in order; `what` is the name and `weight` the number of lines.
        attributes: how many attributes its methods set on the instance.
        groups: the methods that hang together through attributes and calls, the largest group first; constructors,
            and methods that use nothing of the instance, are in none.
    """

    name: str
    lines: int
    methods: tuple[Branch, ...]
    attributes: int
    groups: tuple[tuple[Branch, ...], ...]
