"""The position automaton (Glushkov's) of a regular expression, with the number of ways to take each edge.

A state is one place in the pattern that reads a character. Two ways to go from one state to the next without reading
(as in `(a*)*`) are kept as a multiplicity of two, because they are what makes a backtracking matcher try twice.
Look-arounds and anchors read nothing and are left out: the automaton accepts more than the pattern does, and what
is derived from it is a candidate that `proof` has to confirm.
Source: V. M. Glushkov, The abstract theory of automata, 1961; C. Allauzen, M. Mohri, A. Rastogi, General algorithms
for testing the ambiguity of finite automata, 2008.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, field

from charter.analysis.regex import charset as cs
from charter.analysis.regex.syntax import (
    Atomic,
    Backreference,
    Branch,
    Chars,
    Group,
    Look,
    Node,
    Repeat,
    Sequence,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MANY = 20
"""A bounded repeat of at least so many is taken for an endless one: a witness of its length is already slow."""
_COPIES = 4
_MAX_STATES = 400


class TooLargeError(Exception):
    """The pattern is larger than what is worth analysing."""


class Automaton(Struct):
    """A position automaton; state 0 is the start.

    Attributes:
        chars: what each state reads on entering it; of state 0, nothing.
        follow: the states behind each state, with the number of ways to get there (1, or 2 for several).
        accepting: the states in which the whole pattern can end.
    """

    chars: list[cs.CharSet] = field(default_factory=lambda: [cs.EMPTY])
    follow: list[dict[int, int]] = field(default_factory=lambda: [{}])
    accepting: set[int] = field(default_factory=set[int])


class _Part(Struct):
    """What a piece of a pattern offers to its surroundings: ways to skip it, to enter it and to leave it."""

    empty: int
    first: Counter[int]
    last: Counter[int]


def build(node: Node, *, searching: bool = False) -> Automaton:
    """Make the automaton of a pattern.

    Args:
        node: the pattern.
        searching: whether the match may begin anywhere, which adds a loop over any character in front.

    Raises:
        TooLargeError: if it would have too many states.
    """
    builder = _Builder()
    part = builder.part(node)
    start = _Part(0, Counter(), Counter({0: 1}))
    if searching:
        anything = builder.repeat(Repeat(Chars(cs.ANY), 0, None))
        part = builder.join(anything, part)
    builder.join(start, part)
    automaton = builder.automaton
    automaton.accepting = set(part.last) | ({0} if part.empty else set())
    return automaton


class _Builder:
    """Builds an automaton piece by piece; a piece that is repeated is built anew each time."""

    def __init__(self) -> None:
        self.automaton = Automaton()
        self._groups: dict[int, Node] = {}
        self._building: set[int] = set()

    def part(self, node: Node) -> _Part:
        match node:
            case Chars(chars):
                return self._state(chars)
            case Sequence(items):
                return self._chain([partial(self.part, item) for item in items])
            case Branch(options):
                parts = [self.part(option) for option in options]
                return _Part(
                    min(2, sum(part.empty for part in parts)),
                    _capped(*(part.first for part in parts)),
                    _capped(*(part.last for part in parts)),
                )
            case Repeat():
                return self.repeat(node)
            case Group(number, body):
                self._groups[number] = body
                return self.part(body)
            case Atomic(body):
                return self.part(body)
            case Backreference(number):
                return self._backreference(number)
            case _:
                return _Part(1, Counter(), Counter())

    def _state(self, chars: cs.CharSet) -> _Part:
        number = len(self.automaton.chars)
        if number > _MAX_STATES:
            raise TooLargeError
        self.automaton.chars.append(chars)
        self.automaton.follow.append({})
        return _Part(0, Counter({number: 1}), Counter({number: 1}))

    def _backreference(self, number: int) -> _Part:
        body = self._groups.get(number)
        if body is None or number in self._building:
            return _Part(1, Counter(), Counter())
        self._building.add(number)
        part = self.part(body)
        self._building.discard(number)
        return part

    def _chain(self, makers: list[Callable[[], _Part]]) -> _Part:
        whole = _Part(1, Counter(), Counter())
        for make in makers:
            whole = self.join(whole, make())
        return whole

    def join(self, left: _Part, right: _Part) -> _Part:
        """Put one part behind another."""
        self._connect(left.last, right.first)
        return _Part(
            min(2, left.empty * right.empty),
            _capped(left.first, _times(right.first, left.empty)),
            _capped(right.last, _times(left.last, right.empty)),
        )

    def _connect(self, sources: Mapping[int, int], targets: Mapping[int, int]) -> None:
        for source, ways in sources.items():
            edges = self.automaton.follow[source]
            for target, more in targets.items():
                edges[target] = min(2, edges.get(target, 0) + ways * more)

    def repeat(self, node: Repeat) -> _Part:
        """One or several copies of a body, the last of which may loop."""
        endless = node.high is None or node.high >= MANY
        low = min(node.low, _COPIES if endless else MANY)
        whole = self._chain([partial(self.part, node.body)] * (low - 1 if endless and low else low))
        if endless:
            loop = self.part(node.body)
            self._connect(loop.last, loop.first)
            return self.join(whole, loop if low else _optional(loop))
        rest = _Part(1, Counter(), Counter())
        for _ in range((node.high or 0) - low):
            rest = _optional(self.join(self.part(node.body), rest))
        return self.join(whole, rest)


def _optional(part: _Part) -> _Part:
    return _Part(1, part.first, part.last)


def _capped(*counters: Counter[int]) -> Counter[int]:
    total: Counter[int] = Counter()
    for counter in counters:
        total.update(counter)
    return Counter({key: min(2, count) for key, count in total.items()})


def _times(counter: Counter[int], factor: int) -> Counter[int]:
    return Counter({key: count * factor for key, count in counter.items()}) if factor else Counter()


def looks(node: Node) -> list[Node]:
    """The bodies of all look-arounds in a pattern, which are matched on their own."""
    match node:
        case Look(body):
            return [body, *looks(body)]
        case Sequence(items) | Branch(items):
            return [found for item in items for found in looks(item)]
        case Repeat(body) | Group(_, body) | Atomic(body):
            return looks(body)
        case _:
            return []
