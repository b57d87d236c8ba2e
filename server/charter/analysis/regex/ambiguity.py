"""Where a backtracking matcher can waste time: ambiguous loops of a position automaton, with strings that pump them.

A pattern takes exponential time if some state can return to itself over one string in two ways, and at least
quadratic time if some string leads from one looping state to itself, from it to another, and from that to itself.
Source: A. Weber, H. Seidl, On the degree of ambiguity of finite automata, 1991; N. Weideman and others, Analyzing
matching time behavior of backtracking regular expression matchers by using ambiguity of NFA, 2016.
What is found here is possible; `proof` says whether it happens.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from msgspec import Struct

from charter.analysis.components import components as strong_components
from charter.analysis.regex import charset as cs
from charter.analysis.regex.automaton import MANY, Automaton, TooLargeError
from charter.analysis.regex.syntax import Atomic, Branch, Group, Look, Node, Repeat, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BUDGET = 40_000
"""Pairs of edges looked at before giving up: about 30 ms."""


class Pump(Struct, frozen=True):
    """A way to make a matcher backtrack: `prefix`, then `pump` again and again."""

    prefix: str
    pump: str


class _Budget:
    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise TooLargeError


def may_be_exponential(node: Node) -> bool:
    """Whether a loop holds a choice at all; most patterns have none, which is quickly seen."""
    match node:
        case Repeat(body, _, high, eager):
            endless = high is None or high >= MANY
            return (endless and not eager and _has_choice(body)) or may_be_exponential(body)
        case Sequence(items) | Branch(items):
            return any(map(may_be_exponential, items))
        case Group(_, body) | Atomic(body) | Look(body):
            return may_be_exponential(body)
        case _:
            return False


def _has_choice(node: Node) -> bool:
    match node:
        case Repeat(body, low, high):
            return low != high or _has_choice(body)
        case Branch():
            return True
        case Sequence(items):
            return any(map(_has_choice, items))
        case Group(_, body) | Atomic(body):
            return _has_choice(body)
        case _:
            return False


def exponential(automaton: Automaton, *, limit: int = 4) -> list[Pump]:
    """Pumps of loops that can be walked in two ways.

    Args:
        automaton: of the pattern.
        limit: how many pumps at most, from different loops first.

    Raises:
        TooLargeError: if it would take too long.
    """
    budget = _Budget(_BUDGET)
    found: list[Pump] = []
    for component in components(automaton):
        members = frozenset(component)
        for word, state in _ambiguous_cycles(automaton, members, budget):
            prefix = shortest(automaton, 0, {state}, None)
            if prefix is not None and len(found) < limit:
                found.append(Pump(prefix, word))
                break
    return found


def _ambiguous_cycles(  # charter: ignore[tangled-function] -- one search, as the paper has it
    automaton: Automaton, members: frozenset[int], budget: _Budget
) -> Iterator[tuple[str, int]]:
    """Words that lead from a state of a component back to it in two ways, with the state."""
    origin: dict[tuple[int, int], tuple[str, tuple[int, int] | int]] = {}
    queue: deque[tuple[int, int]] = deque()
    for state in sorted(members):
        for first, second, shared, ways in _forks(automaton, state, members, budget):
            if first == second:
                if ways > 1:
                    char = cs.example(shared)
                    back = shortest(automaton, first, {state}, members)
                    yield char + (back or ""), state
            elif (first, second) not in origin:
                origin[first, second] = (cs.example(shared), state)
                queue.append((first, second))
    while queue:
        pair = queue.popleft()
        for left in _inside(automaton, pair[0], members):
            for right in _inside(automaton, pair[1], members):
                budget.spend()
                shared = cs.intersect(automaton.chars[left], automaton.chars[right])
                if not shared:
                    continue
                step = cs.example(shared)
                if left == right:
                    word, start = _unwind(origin, pair)
                    back = shortest(automaton, left, {start}, members)
                    if back is not None:
                        yield word + step + back, start
                    continue
                key = (left, right) if left < right else (right, left)
                if key not in origin:
                    origin[key] = (step, pair)
                    queue.append(key)


def _forks(
    automaton: Automaton, state: int, members: frozenset[int], budget: _Budget
) -> Iterator[tuple[int, int, cs.CharSet, int]]:
    targets = [(target, ways) for target, ways in automaton.follow[state].items() if target in members]
    for index, (first, ways) in enumerate(targets):
        yield first, first, automaton.chars[first], ways
        for second, _ in targets[index + 1 :]:
            budget.spend()
            shared = cs.intersect(automaton.chars[first], automaton.chars[second])
            if shared:
                yield min(first, second), max(first, second), shared, 1


def _inside(automaton: Automaton, state: int, members: frozenset[int]) -> list[int]:
    return [target for target in automaton.follow[state] if target in members]


def _unwind(
    origin: dict[tuple[int, int], tuple[str, tuple[int, int] | int]], pair: tuple[int, int]
) -> tuple[str, int]:
    word = ""
    place: tuple[int, int] | int = pair
    while not isinstance(place, int):
        char, place = origin[place]
        word = char + word
    return word, place


def polynomial(automaton: Automaton, *, limit: int = 3) -> list[Pump]:
    """Pumps of two loops, one behind the other, that can share one string in many ways.

    Raises:
        TooLargeError: if it would take too long.
    """
    budget = _Budget(_BUDGET)
    home: dict[int, frozenset[int]] = {}
    for component in components(automaton):
        members = frozenset(component)
        home.update(dict.fromkeys(component, members))
    found: list[Pump] = []
    states = sorted(home)
    for first in states:
        reachable = reach(automaton, first)
        for second in states:
            if second == first or second in home[first] or second not in reachable:
                continue
            word = _shared_word(automaton, (first, second), (home[first], home[second]), budget)
            if word:
                prefix = shortest(automaton, 0, {first}, None)
                if prefix is not None:
                    found.append(Pump(prefix, word))
                    if len(found) >= limit:
                        return found
                break
    return found


def _shared_word(
    automaton: Automaton,
    ends: tuple[int, int],
    homes: tuple[frozenset[int], frozenset[int]],
    budget: _Budget,
) -> str:
    """A word that leads from `first` to itself, from `first` to `second` and from `second` to itself; "" if none."""
    first, second = ends
    start, goal = (first, first, second), (first, second, second)
    came: dict[tuple[int, int, int], tuple[str, tuple[int, int, int] | None]] = {start: ("", None)}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        for following, shared in _triples(automaton, state, homes, budget):
            if following in came:
                continue
            came[following] = (cs.example(shared), state)
            if following == goal:
                word = ""
                place: tuple[int, int, int] | None = following
                while place is not None:
                    char, place = came[place]
                    word = char + word
                return word
            queue.append(following)
    return ""


def _triples(
    automaton: Automaton,
    state: tuple[int, int, int],
    homes: tuple[frozenset[int], frozenset[int]],
    budget: _Budget,
) -> Iterator[tuple[tuple[int, int, int], cs.CharSet]]:
    chars = automaton.chars
    for left in _inside(automaton, state[0], homes[0]):
        for right in _inside(automaton, state[2], homes[1]):
            budget.spend()
            outer = cs.intersect(chars[left], chars[right])
            if not outer:
                continue
            for middle in automaton.follow[state[1]]:
                budget.spend()
                shared = cs.intersect(outer, chars[middle])
                if shared:
                    yield (left, middle, right), shared


def shortest(
    automaton: Automaton, start: int, goals: Iterable[int], members: frozenset[int] | None
) -> str | None:
    """A shortest word from a state to one of the goals ("" if it is one), within `members` if given."""
    wanted = set(goals)
    if start in wanted:
        return ""
    came: dict[int, tuple[str, int]] = {}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        for target in automaton.follow[state]:
            if (
                target in came
                or (members is not None and target not in members)
                or not automaton.chars[target]
            ):
                continue
            came[target] = (cs.example(automaton.chars[target]), state)
            if target in wanted:
                return _word(came, target, start)
            queue.append(target)
    return None


def _word(came: dict[int, tuple[str, int]], target: int, start: int) -> str:
    word = ""
    place = target
    while True:
        char, place = came[place]
        word = char + word
        if place == start:
            return word


def reach(automaton: Automaton, start: int) -> set[int]:
    """All states behind a state."""
    seen: set[int] = set()
    stack = [start]
    while stack:
        for target in automaton.follow[stack.pop()]:
            if target not in seen:
                seen.add(target)
                stack.append(target)
    return seen


def components(automaton: Automaton) -> list[list[int]]:
    """The strongly connected components that hold a cycle."""
    found = strong_components(range(len(automaton.chars)), automaton.follow.__getitem__)
    return [
        sorted(component)
        for component in found
        if len(component) > 1 or component[0] in automaton.follow[component[0]]
    ]
