"""What mends a repeated query, as edits at the place where its rows are loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charter.analysis.orm.findings import Repeated
    from charter.analysis.orm.world import World
    from charter.api import Fix


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What making a fix needs besides the event."""

    world: World


def plan(items: list[Repeated], knowledge: Knowledge) -> list[tuple[Fix, ...]]:
    """The fixes of each repeated query."""
    del knowledge
    return [() for _ in items]
