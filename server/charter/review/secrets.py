"""Keeping credentials out of comments: what rules called a secret, and what looks like a well-known token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from charter.api import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from charter.api import Finding

PRINCIPLE: Final = "no-secrets-in-source"
_STARS: Final = "****"
_LITERAL: Final = regex(r"""(['"])((?:\\.|(?!\1)[^\\])+)\1""", re.DOTALL)
_SHORTEST: Final = 4
_TOKEN: Final = regex(
    r"""(?x)
      gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} | glpat-[A-Za-z0-9_-]{16,}
    | (?:AKIA|ASIA)[A-Z0-9]{16} | xox[abeoprs]-[A-Za-z0-9-]{10,} | [rs]k_(?:live|test)_[A-Za-z0-9]{16,}
    | AIza[A-Za-z0-9_-]{35} | eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]* | npm_[A-Za-z0-9]{30,}
    | pypi-[A-Za-z0-9_-]{50,} | -----BEGIN[ A-Z]*PRIVATE[ ]KEY-----[^-]*(?:-----END[ A-Z]*PRIVATE[ ]KEY-----)?
    | (?<=://)[^\s/:@'"]+:[^\s/@'"]+(?=@)
    """
)


class Redactor:
    """Masks secrets in text.

    Args:
        findings: all findings of a tree; what stands where a secret was found is masked everywhere.
        text: gives the text of a file.
    """

    def __init__(self, findings: Iterable[Finding], text: Callable[[str], str]) -> None:
        known: set[str] = set()
        for finding in findings:
            if PRINCIPLE in finding.principles:
                span = finding.location.span
                place = text(finding.path)[span.start : span.end]
                found = {match[2] for match in _LITERAL.finditer(place)} or {place}
                known.update(one for one in found if len(one) >= _SHORTEST)
        # The longest first, so that a secret within a longer one leaves no rest.
        self._known: tuple[str, ...] = tuple(sorted(known, key=len, reverse=True))

    def mask(self, text: str) -> str:
        """The text with stars in place of every secret."""
        for secret in self._known:
            text = text.replace(secret, _STARS)
        return _TOKEN.sub(_STARS, text)

    def has_secret(self, text: str) -> bool:
        """Whether the text holds anything that would be masked."""
        return self.mask(text) != text
