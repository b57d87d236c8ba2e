"""What the search for repeated queries takes from one file. It looks at no other, and resolves nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from charter.analysis import paths
from charter.analysis.orm.mentions import mentions
from charter.api import regex

if TYPE_CHECKING:
    from charter.analysis.orm.mentions import Mentions
    from charter.model.names import Names
    from charter.syntax.source import Source

Extract = tuple[str, bool, bool, "Mentions | None"]
"""A file's text, whether it imports a mapper, whether it speaks of one with sessions, and what its functions mention."""

_WORDS = ("django", "sqlalchemy", "sqlmodel", "peewee", "tortoise", "playhouse")
_MAPPERS = regex(rf"^[ \t]*(?:from|import)[ \t]+[\w.]*(?:{'|'.join(_WORDS)})", re.MULTILINE)
_MAPPING_ONLY = frozenset(_WORDS) - {"django"}
"""Packages that are a mapper and nothing else: Django's own has applications with models besides."""
_SESSIONS = frozenset({"sqlalchemy", "sqlmodel"})
is_test = paths.any_of(
    r"(tests?|testing|test_[^/]*|[^/]*_tests?\.py|conftest\.py|migrations|alembic|factories)(\.py)?"
)


def extract(source: Source, names: Names) -> Extract | None:
    """A file's text, whether it imports a mapper, whether it speaks of one with sessions, and what its functions mention.

    What the tests mention is left out: their queries are nobody's concern. A mapper's own code has no models and runs no
    queries of its own, but it mentions them everywhere.
    """
    del names
    if source.module.partition(".")[0] in _MAPPING_ONLY:
        return None
    text = source.text
    said = None if is_test(source.path) else mentions(source)
    importing = any(word in text for word in _WORDS) and _MAPPERS.search(text) is not None
    return (text, importing, not _SESSIONS.isdisjoint(source.words), said)
