"""The principles of a charter as values; which there are is data, read by `engine.constitution`."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Pillar(Enum):
    """The three parts of a charter, in the order in which they win a conflict."""

    SECURITY = "security"
    MAINTAINABILITY = "maintainability"
    PERFORMANCE = "performance"


class Principle(Struct, frozen=True):
    """One principle of a charter.

    Attributes:
        id: the short name, such as `S01`.
        slug: the long name, such as `sql-injection`; its identity.
        title: the principle as an order.
        pillar: the part it belongs to.
        rank: who wins when two principles conflict: the lower number.
        rationale: why, in two to four sentences.
        looks_for: what a reviewer looks for, a phrase each.
        references: addresses of CWE, OWASP, PEP or framework pages.
        weight: its share in its pillar's score; 0 retires it.
        linters: what a widely used linter already says about it, and what the rules say instead, a sentence each.
    """

    id: str
    slug: str
    title: str
    pillar: Pillar
    rank: int
    rationale: str
    looks_for: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    weight: float = 1.0
    linters: tuple[str, ...] = ()
