"""Which dangers a text cannot have that a regular expression matches, by the characters that it lets through."""

# The parser of the standard library's `re` gives trees that nothing types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, cast

from charter.analysis.taint.values import (
    ABSOLUTE,
    BIT,
    CONTROL,
    DANGERS,
    ELSEWHERE,
    FULL,
    HOST,
    PATH,
    SLASHES,
    UP,
)
from charter.api import regex

FORBIDDEN: Final = {
    "..": UP,
    "../": UP,
    "/..": UP,
    "/": PATH | ELSEWHERE,
    "\\": SLASHES,
    "'": BIT["sql"] | BIT["xpath"],
    '"': BIT["xpath"],
    "\n": CONTROL,
    "\r": CONTROL,
    "\r\n": CONTROL,
    "<": BIT["xss"],
    ">": BIT["xss"],
    ";": BIT["sql"],
    "(": BIT["ldap"] | BIT["code"],
    "*": BIT["ldap"],
    "-": BIT["argument"],
    "__": BIT["attribute"],
    "{": BIT["template"] | BIT["format"],
    "{{": BIT["template"],
}
"""What is impossible in a text that does not contain another."""


@lru_cache(maxsize=512)
def allowed_by(pattern: str, *, whole: bool) -> int:
    """The dangers that a text cannot have which a regular expression matches.

    Args:
        pattern: the expression.
        whole: whether it is matched against the whole text (`fullmatch`).

    Returns:
        Bits of what is impossible; 0 if the expression leaves room for everything.
    """
    try:
        import re._parser as parser

        tree: list[Any] = list(cast("Any", parser).parse(pattern))
    except Exception:  # noqa: BLE001 - a broken expression shows nothing
        return 0
    if not whole:
        last = str(tree[-1]) if tree else ""
        if "AT_END" not in last and "AT_END_STRING" not in last:
            return 0
    return _impossible(tree)


@lru_cache(maxsize=512)
def allowed_by_groups(pattern: str) -> dict[int | str, int]:
    """The dangers that what a group has matched cannot have, by the groups' numbers and names; {} if they are not known."""
    try:
        import re._parser as parser

        tree: Any = cast("Any", parser).parse(pattern)
    except Exception:  # noqa: BLE001 - a broken expression shows nothing
        return {}
    found: dict[int | str, int] = {}
    _note_groups(tree, found)
    found.update({name: found[number] for name, number in tree.state.groupdict.items() if number in found})
    return found


_SUBDOMAINS = r"""(?:
    (?:\((?:\?:)?)? (?:\[[\w\\.\-]+\]|\\w|[\w\-]+) [+*]? \\\. (?:\)[?*+]?)?
)*"""
"""How expressions write any further names in front of a host's: `([a-z0-9-]+\\.)?`."""
_LITERAL = r"(?:[\w\-]+\\\.)+ [A-Za-z]{2,}"
_NAMED = rf"""{_SUBDOMAINS} (?:\((?:\?:)?)? {_LITERAL} (?:\|{_LITERAL})* \)?"""
_END = r"(?:\$|\\[Zz])"
_ADDRESS: Final = regex(
    rf"""(?:\(\?i\))? (?P<begin>\^|\\A)? (?:\((?:\?:)?)? [a-z]+(?:\(s\))?\?? (?:\|[a-z]+\??)* \)? : (?:\\?/){{2}} {_NAMED} (?::\d+|\(:\\d\+\)\?)? (?P<end>\\?/|{_END}|\((?:\?:)?(?:[/?\#\\|]|\.\*)+\|{_END}\)|\[[/?\#\\]+\]|\((?:\?:)?\\?/.*\)\?{_END}|\Z)""",
    re.VERBOSE,
)
"""How expressions write an address with a host: `^https?://(www\\.)?example\\.com(/|$)`, its end told apart."""
_LOCAL: Final = regex(r"(?:\^|\\A)?\\?/(?:\[(?!\^)[^\]/\\]*\]|\[\\w[^\]/\\]*\]|\\w|\w)(?![*?{|])")
"""How expressions write the beginning of a path: a slash, then what is neither a slash nor may be missing."""
_LONGEST: Final = 300
_HOST_NAME: Final = regex(rf"(?P<begin>\^|\\A)? {_NAMED} (?P<end>{_END}?) \Z", re.VERBOSE)


@lru_cache(maxsize=512)
def names_host(pattern: str, *, whole: bool, begins: bool, is_host: bool) -> bool:
    """Whether what an expression matches has one of the hosts that the expression names, or is a path of this site.

    Args:
        pattern: the expression.
        whole: whether it is matched against the whole text (`fullmatch`).
        begins: whether it is matched from the text's beginning on, whatever it begins with.
        is_host: whether the text is a host, not an address.
    """
    if len(pattern) > _LONGEST:
        return False
    if (
        not is_host
        and (begins or whole or pattern.startswith(("^", "\\A")))
        and "|" not in pattern
        and _LOCAL.match(pattern)
    ):
        return True
    found = (_HOST_NAME if is_host else _ADDRESS).match(pattern)
    return found is not None and bool(whole or found["end"]) and bool(begins or found["begin"])


@lru_cache(maxsize=512)
def taken_out(pattern: str) -> frozenset[str]:
    """The characters, and "..", of which a substitution of all matches of a regular expression leaves none."""
    try:
        import re._parser as parser

        return _matched_alone(cast("Any", parser).parse(pattern))
    except Exception:  # noqa: BLE001 - a broken expression takes out nothing
        return frozenset()


def _matched_alone(tree: Any) -> frozenset[str]:
    """The characters, and "..", that a parsed expression matches wherever they stand."""
    if len(tree) != 1:
        is_up = len(tree) == 2 and all("." in _matched_alone([part]) for part in tree)
        return frozenset({".."}) if is_up else frozenset()
    operator, argument = tree[0]
    word = str(operator)
    if word == "LITERAL":
        return frozenset(chr(argument))
    if word == "IN":
        return frozenset(_set_characters(argument))
    if word in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        inner = _matched_alone(argument[2])
        return inner if argument[0] <= 1 else frozenset({".."} if argument[0] == 2 and "." in inner else ())
    if word == "SUBPATTERN":
        return _matched_alone(argument[3])
    if word == "BRANCH":
        return frozenset(one for branch in argument[1] for one in _matched_alone(branch))
    return frozenset()


def _note_groups(tree: Any, found: dict[int | str, int]) -> None:
    for operator, argument in tree:
        word = str(operator)
        if word == "SUBPATTERN" and argument[0] is not None:
            found[argument[0]] = _impossible(argument[3])
        for part in _parts(word, argument):
            _note_groups(part, found)


def _impossible(tree: Any) -> int:
    """The dangers that a text cannot have which a parsed expression matches as a whole."""
    characters = _characters(tree)
    if characters is None:
        return 0
    dangers = DANGERS
    for character, kinds in _NEEDED.items():
        if character in characters:
            dangers &= ~kinds
    if "." not in characters:
        dangers |= UP
    if _begins_within(tree):
        dangers |= ABSOLUTE
    return dangers & FULL


def _begins_within(tree: Any) -> bool:
    """Whether what a parsed expression matches begins with a character that begins no absolute path."""
    first = next(((str(operator), argument) for operator, argument in tree if str(operator) != "AT"), None)
    if first is None or first[0] not in {"LITERAL", "IN", "MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        return False
    if first[0] in {"LITERAL", "IN"}:
        return (_characters([first]) or frozenset("/")).isdisjoint("/\\")
    return first[1][0] > 0 and _begins_within(first[1][2])


_PRINTABLE: Final = frozenset(chr(code) for code in range(128))
_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_DIGITS: Final = frozenset("0123456789")
_SPACE: Final = frozenset(" \t\n\r\f\v")
_NEEDED: Final = {
    "/": PATH | HOST | BIT["code"],
    "\\": PATH | SLASHES,
    "'": DANGERS & ~PATH & ~HOST & ~BIT["log"],
    '"': DANGERS & ~PATH & ~HOST & ~BIT["log"],
    "<": BIT["xss"] | BIT["xxe"] | BIT["xml-bomb"],
    "(": BIT["code"] | BIT["ldap"] | BIT["regex"] | BIT["sql"],
    "*": BIT["ldap"] | BIT["regex"],
    ";": BIT["command"] | BIT["sql"],
    "|": BIT["command"],
    "&": BIT["command"],
    "$": BIT["command"],
    "`": BIT["command"],
    "\n": CONTROL,
    "{": BIT["template"] | BIT["format"],
    "=": BIT["csv"],
    ":": ELSEWHERE | BIT["ssrf"],
}
"""Characters without which a danger cannot come about."""


def _characters(tree: Any) -> frozenset[str] | None:
    """All characters that a parsed expression can match, None if it is too complicated."""
    result: set[str] = set()
    for operator, argument in tree:
        word = str(operator)
        if word == "LITERAL":
            result.add(chr(argument))
        elif word == "ANY":
            result |= _PRINTABLE - {"\n"}
        elif word == "NOT_LITERAL":
            result |= _PRINTABLE
        elif word == "IN":
            result |= _set_characters(argument)
        elif parts := _parts(word, argument):
            for part in parts:
                inner = _characters(part)
                if inner is None:
                    return None
                result |= inner
        elif word not in {"AT", "ASSERT", "ASSERT_NOT"}:
            return None
    return frozenset(result)


def _parts(word: str, argument: Any) -> list[Any]:
    """The expressions in a part of a parsed one, of which it matches some."""
    if word in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        return [argument[2]]
    if word == "SUBPATTERN":
        return [argument[3]]
    return list(argument[1]) if word == "BRANCH" else []


def _set_characters(items: Any) -> set[str]:
    result: set[str] = set()
    negated = False
    for operator, argument in items:
        word = str(operator)
        if word == "NEGATE":
            negated = True
        elif word == "LITERAL":
            result.add(chr(argument))
        elif word == "RANGE":
            result.update(chr(code) for code in range(argument[0], min(argument[1], 0x7F) + 1))
        elif word == "CATEGORY":
            name = str(argument)
            own = _DIGITS if "DIGIT" in name else _WORD if "WORD" in name else _SPACE
            result |= _PRINTABLE - own if "NOT" in name else own
    return set(_PRINTABLE - result) if negated else result
