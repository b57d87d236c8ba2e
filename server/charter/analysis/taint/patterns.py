"""What matches, searches and substitutions of regular expressions find in a text, and what they show of it.

It knows Python's `re`; patterns that are slow are another room's (`slow`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.characters import FORBIDDEN, allowed_by, allowed_by_groups, names_host, taken_out
from charter.analysis.taint.frame import NO_KILL, Kill
from charter.analysis.taint.values import (
    ALL_DANGERS,
    HOST,
    INSTANCE,
    LANE,
    NO,
    PART,
    UNKNOWN,
    Value,
    lanes,
    spread,
    with_marks,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.analysis.taint.arguments import Arguments

_OTHERS: Final = re.compile(r"\[\^(.*)\][+*]?", re.DOTALL)
"""How expressions write every character but some."""


def _full_match(frame: Any, arguments: Arguments, place: int) -> Value:
    return _matched(frame, arguments, place, whole=True)


def _match(frame: Any, arguments: Arguments, place: int) -> Value:
    return _matched(frame, arguments, place, whole=False)


def _search(frame: Any, arguments: Arguments, place: int) -> Value:
    return _matched(frame, arguments, place, whole=False, begins=False)


def _matched(frame: Any, arguments: Arguments, place: int, *, whole: bool, begins: bool = True) -> Value:
    """A match of a constant expression shows what its characters make impossible."""
    pattern, text = arguments.get(0, "pattern") or UNKNOWN, arguments.get(1, "string") or UNKNOWN
    if pattern[3]:  # it has been compiled before
        pattern = frame.read(pattern, ".pattern") or pattern
    return matched(frame, pattern[1], text, place, whole=whole, begins=begins)


def matched(frame: Any, pattern: Any, text: Value, place: int, *, whole: bool, begins: bool) -> Value:
    """The value of a match of a text against a pattern; what it shows is left in `last_kills`.

    Args:
        frame: the run.
        pattern: the pattern, as far as it is known.
        text: the text.
        place: where the match is made.
        whole: whether the match must take the whole text.
        begins: whether it begins where the text does, whatever the pattern begins with.
    """
    taint = text[0]
    kill = missed = NO_KILL
    if isinstance(pattern, str) and taint & ALL_DANGERS:
        is_host = frame.is_host(text)
        dangers = 0 if is_host else allowed_by(pattern, whole=whole)
        if names_host(pattern, whole=whole, begins=begins, is_host=is_host):
            dangers |= HOST
        mask = 0
        partial = 0
        for lane in lanes(taint):
            if not taint >> LANE * lane & PART:
                mask |= dangers << LANE * lane
            else:
                partial |= dangers << LANE * lane
        names = [(name, partial) for name in frame.names_of(text)] if partial else []
        kill = (mask, tuple(names)) if mask or names else NO_KILL
        missed = NO_KILL if whole or begins else _not_found(taint, pattern)
    elif frame.vouches and not isinstance(pattern, str):
        # An expression from the settings, in a function that is named as a check.
        whole_lanes = [lane for lane in lanes(taint) if not taint >> LANE * lane & PART]
        kill = (sum(frame.vouches << LANE * lane for lane in whole_lanes), ())
    frame.last_kills = (kill, missed)
    frame.pending = True
    piece = with_marks(taint, PART)
    groups = allowed_by_groups(pattern) if isinstance(pattern, str) and taint & ALL_DANGERS else {}
    if not any(groups.values()):
        return (piece, NO, (INSTANCE, "re.Match"), ())
    cells: dict[Any, Value] = {key: (piece & ~spread(safe), NO, None, ()) for key, safe in groups.items()}
    made = frame.new_object((INSTANCE, "re.Match"), place, cells)
    return (piece, NO, made[2], made[3])


def _not_found(taint: int, pattern: str) -> Kill:
    """What a text shows in which an expression was searched for and not found: none of the characters it matches."""
    kept = _OTHERS.fullmatch(pattern)
    dangers = allowed_by(f"[{kept[1]}]*", whole=True) if kept is not None else 0
    for character in taken_out(pattern):
        dangers |= FORBIDDEN.get(character, 0)
    mask = 0
    for lane in lanes(taint):
        if not taint >> LANE * lane & PART:
            mask |= dangers << LANE * lane
    return (mask, ()) if mask else NO_KILL


def _compiled(frame: Any, arguments: Arguments, place: int) -> Value:
    pattern = arguments.get(0, "pattern") or UNKNOWN
    cells = {".pattern": pattern}
    flags = arguments.get(1, "flags")
    if flags is not None:
        cells[".flags"] = flags
    return frame.new_object((INSTANCE, "re.Pattern"), place, cells)


def _found(frame: Any, arguments: Arguments, place: int) -> Value:
    """`re.findall(pattern, text)` and the like: pieces of the text."""
    pattern = arguments.get(0, "pattern") or UNKNOWN
    return found(pattern[1], arguments.get(1, "string") or UNKNOWN)


def found(pattern: Any, text: Value) -> Value:
    """What an expression finds in a text: pieces of no other characters than those it lets through."""
    safe = allowed_by(pattern, whole=True) if isinstance(pattern, str) and text[0] & ALL_DANGERS else 0
    return (with_marks(text[0] & ~spread(safe), PART), NO, None, ())


def _split(frame: Any, arguments: Arguments, place: int) -> Value:
    """`re.split(pattern, text)`: pieces of the text."""
    text = arguments.get(1, "string") or UNKNOWN
    return (with_marks(text[0], PART), NO, None, ())


def _substituted(frame: Any, arguments: Arguments, place: int) -> Value:
    """`re.sub(pattern, replacement, text)`."""
    pattern = arguments.get(0, "pattern") or UNKNOWN
    return substituted(
        frame, pattern[1], arguments.get(1, "repl") or UNKNOWN, arguments.get(2, "string") or UNKNOWN
    )


def substituted(frame: Any, pattern: Any, new: Value, text: Value) -> Value:
    """The text left by a substitution; one that takes out everything but harmless characters makes it safe."""
    taint = text[0]
    if isinstance(pattern, str) and not new[0]:
        kept = _OTHERS.fullmatch(pattern)
        if kept is not None:
            return (taint & ~spread(allowed_by(f"[{kept[1]}]*", whole=True)), NO, None, ())
        for character in taken_out(pattern):
            taint &= ~frame.gone_with(character, new[1])
    return (taint | new[0], NO, None, ())


NATIVE: Final[dict[str, Callable[[Any, Arguments, int], Value]]] = {
    "re.fullmatch": _full_match,
    "re.match": _match,
    "re.search": _search,
    "re.findall": _found,
    "re.split": _split,
    "re.finditer": _split,
    "re.compile": _compiled,
    "re.sub": _substituted,
}
"""The functions of `re`."""
