"""Strongly connected components are what the definition says: nodes that reach each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from charter.analysis.components import components

GRAPHS = st.integers(1, 7).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, size - 1), max_size=3), min_size=size, max_size=size)
)


def reach(graph: list[list[int]], start: int) -> set[int]:
    seen, todo = {start}, [start]
    while todo:
        for target in graph[todo.pop()]:
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


@given(GRAPHS)
def test_nodes_of_a_component_reach_each_other_and_no_others(graph: list[list[int]]) -> None:
    reached = [reach(graph, node) for node in range(len(graph))]
    expected = {
        frozenset(other for other in reached[node] if node in reached[other]) for node in range(len(graph))
    }
    found = [frozenset(part) for part in components(range(len(graph)), graph.__getitem__)]
    assert sorted(map(sorted, found)) == sorted(map(sorted, expected))


@given(GRAPHS)
def test_a_component_comes_after_those_that_it_leads_to(graph: list[list[int]]) -> None:
    done: set[int] = set()
    for part in components(range(len(graph)), graph.__getitem__):
        done.update(part)
        assert all(target in done for node in part for target in graph[node])
