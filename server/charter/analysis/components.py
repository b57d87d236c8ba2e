"""Which nodes of a graph reach each other. It knows nothing of what they stand for.

Method: R. Tarjan, "Depth-First Search and Linear Graph Algorithms" (1972), without recursion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

Node = TypeVar("Node", bound="Hashable")


def components(nodes: Iterable[Node], follow: Callable[[Node], Iterable[Node]]) -> Iterator[list[Node]]:
    """The strongly connected components of a graph, each after those that it leads to.

    Args:
        nodes: all nodes, in the order in which they are visited.
        follow: where a node leads to.

    Yields:
        The nodes of a component, a single one included.
    """
    index: dict[Node, int] = {}
    low: dict[Node, int] = {}
    waiting: dict[Node, None] = {}
    for root in nodes:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        waiting[root] = None
        path = [(root, iter(follow(root)))]
        while path:
            node, targets = path[-1]
            fresh = next((target for target in targets if _is_fresh(target, node, index, low, waiting)), None)
            if fresh is not None:
                index[fresh] = low[fresh] = len(index)
                waiting[fresh] = None
                path.append((fresh, iter(follow(fresh))))
                continue
            path.pop()
            if path:
                low[path[-1][0]] = min(low[path[-1][0]], low[node])
            if low[node] == index[node]:
                yield _taken(waiting, node)


def _is_fresh(
    target: Node, node: Node, index: dict[Node, int], low: dict[Node, int], waiting: dict[Node, None]
) -> bool:
    """Whether a target was not visited yet; if it was and waits for its component, it may be the node's own."""
    if target not in index:
        return True
    if target in waiting:
        low[node] = min(low[node], index[target])
    return False


def _taken(waiting: dict[Node, None], first: Node) -> list[Node]:
    """Take a component off, which is all that waits behind its first node."""
    found: list[Node] = []
    while not found or found[-1] != first:
        found.append(waiting.popitem()[0])
    return found
