"""The question that the analyses ask: how slow can this pattern become? It joins search and proof."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from charter.analysis.regex import ambiguity, automaton, proof, syntax
from charter.api import regex

_REPEATED_GROUP: Final = regex(r"\)(?:\s|#[^\n]*\n)*[*+{]")
"""Stands in every pattern of which a loop holds a choice; the space between is that of verbose patterns."""


@lru_cache(maxsize=4096)
def exponential_pumps(pattern: str | bytes, flags: int = 0) -> tuple[ambiguity.Pump, ...]:
    """Candidates for exponential backtracking; () if there are none or the pattern is beyond the engine."""
    text = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
    if _REPEATED_GROUP.search(text) is None:  # most patterns: no need to read them
        return ()
    try:
        tree, _ = syntax.parse(pattern, flags)
        if not ambiguity.may_be_exponential(tree):
            return ()
        found = ambiguity.exponential(automaton.build(tree))
        for body in automaton.looks(tree):
            found += ambiguity.exponential(automaton.build(body))
    except (syntax.NotARegexError, automaton.TooLargeError, RecursionError):
        return ()
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=4096)
def polynomial_pumps(
    pattern: str | bytes, flags: int = 0, method: str = "search"
) -> tuple[ambiguity.Pump, ...]:
    """Candidates for quadratic or worse backtracking, when used with a method of `re.Pattern`."""
    try:
        tree, _ = syntax.parse(pattern, flags)
        searching = method not in {"match", "fullmatch"}
        return tuple(dict.fromkeys(ambiguity.polynomial(automaton.build(tree, searching=searching))))
    except (syntax.NotARegexError, automaton.TooLargeError, RecursionError):
        return ()


def exponential_witness(
    pattern: str | bytes, flags: int = 0, method: str = "search", proofs: proof.Proofs | None = None
) -> proof.Witness | None:
    """Text on which the pattern provably takes exponential time; None if none is known.

    Args:
        pattern: the regular expression.
        flags: its flags.
        method: the method of `re.Pattern` with which it is used: `match`, `fullmatch` or `search`.
        proofs: those of the file; None if it is about one pattern alone.
    """
    proofs = proofs or proof.Proofs()
    pumps = () if proofs.are_cut else exponential_pumps(pattern, flags)
    return proofs.prove(pattern, flags, method, pumps, "exponential") if pumps else None


def polynomial_witness(
    pattern: str | bytes, flags: int = 0, method: str = "search", proofs: proof.Proofs | None = None
) -> proof.Witness | None:
    """Text on which the pattern provably takes at least quadratic time, as `exponential_witness`; None if none is known."""
    proofs = proofs or proof.Proofs()
    pumps = () if proofs.are_cut else polynomial_pumps(pattern, flags, method)
    return proofs.prove(pattern, flags, method, pumps, "polynomial") if pumps else None
