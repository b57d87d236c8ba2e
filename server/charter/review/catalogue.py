"""What the installed rule packs say about their rules and principles, in a form to quote in comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from charter.api import regex
from charter.review.render import Page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.api import AnyRule, Principle
    from charter.engine.registry import Registry

_FENCE: Final = regex(r"^```", re.MULTILINE)


class PackCatalogue:
    """Pages of the rules of a registry and of a charter's principles.

    Args:
        registry: every rule there is.
        principles: the charter.
    """

    def __init__(self, registry: Registry, principles: Iterable[Principle]) -> None:
        self._registry: Registry = registry
        self._principles: dict[str, Principle] = {principle.slug: principle for principle in principles}

    def rule(self, name: str) -> Page | None:
        """The page of a rule."""
        found = self._registry.by_name.get(name)
        return Page(found.title, _why(found.doc), _address(found)) if found else None

    def principle(self, slug: str) -> Page | None:
        """The page of a principle."""
        found = self._principles.get(slug)
        if found is None:
            return None
        address = found.references[0] if found.references else ""
        return Page(f"{found.id} {found.title.rstrip('* ')}", found.rationale, _web(address))


def _why(doc: str) -> str:
    """The first paragraph behind the title, which says why; the examples come after it."""
    said = _FENCE.split(doc, maxsplit=1)[0].partition("\n")[2].strip()
    return " ".join(said.partition("\n\n")[0].split())


def _address(rule: AnyRule) -> str:
    if rule.references:
        return _web(rule.references[0])
    return f"https://cwe.mitre.org/data/definitions/{rule.cwe[0]}.html" if rule.cwe else ""


def _web(address: str) -> str:
    return address if address.startswith("https://") else ""
