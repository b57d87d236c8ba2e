"""The parameters of URL patterns, and what each can never hold. It knows how frameworks write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from charter.analysis.taint.characters import allowed_by
from charter.analysis.taint.values import DANGERS
from charter.api import regex

if TYPE_CHECKING:
    from collections.abc import Callable


class Route(NamedTuple):
    """A URL pattern.

    Attributes:
        parameters: name, or position of what has none, to the bits of what it can never hold.
        static: whether the pattern has no parameters, so that the path is constant.
        segments: the parameters that stand for one part of the path, and so hold no slash.
    """

    parameters: dict[str, int]
    static: bool
    segments: frozenset[str] = frozenset()

    def merged(self, other: Route) -> Route:
        """What holds of either of two patterns of one handler."""
        parameters = {**other.parameters, **self.parameters}
        for name in self.parameters.keys() & other.parameters.keys():
            parameters[name] &= other.parameters[name]
        slashed = (self.parameters.keys() - self.segments) | (other.parameters.keys() - other.segments)
        segments = (self.segments | other.segments) - slashed
        return Route(parameters, self.static and other.static, segments)


_ANGLES: Final = regex(r"<(?:(?P<sort>[A-Za-z_]\w*)(?:\([^)]*\))?:)?(?P<name>[A-Za-z_]\w*)>")
_BOTTLE: Final = regex(
    r"<(?P<name>[A-Za-z_]\w*)(?::(?P<sort>\w+))?(?::(?P<form>[^>]*))?>|:(?P<plain>[A-Za-z_]\w*)"
)
_BRACES: Final = regex(r"\{(?P<name>[A-Za-z_]\w*)(?::(?P<sort>[^{}]*))?\}")
_SAFE: Final = frozenset(
    {
        "int",
        "float",
        "uuid",
        "number",
        "slug",
        "any",
        "ymd",
        "date",
        "datetime",
        "dt",
        "bool",
        "integer",
        "signed_int",
    }
)

_SAFE_WORDS: Final = frozenset({"uuid", "int", "integer", "digits", "number", "slug", "date", "hex"})


def parse(pattern: str, syntax: str) -> Route:
    """Read a URL pattern.

    Args:
        pattern: the pattern as the program writes it.
        syntax: one of the models' words: flask, django, regex, braces, colon, pyramid.
    """
    reader = _READERS.get(syntax)
    parameters = {} if reader is None else reader(pattern)
    segments = frozenset(parameters) & {
        match["name"] or ""
        for form in _SEGMENTS.get(syntax, ())
        for match in form.finditer(pattern)
        if (match["sort"] or "str") in {"str", "string", "default", "unicode"}
    }
    return Route(parameters, reader is not None and not parameters, segments)


def _is_safe(sort: str) -> bool:
    """Whether a converter lets no attack through, by its name: the project's own are called after what they let through."""
    return sort in _SAFE or not _SAFE_WORDS.isdisjoint(sort.lower().split("_"))


def _angles(pattern: str) -> dict[str, int]:
    return {
        match["name"]: DANGERS if _is_safe(match["sort"] or "") else 0 for match in _ANGLES.finditer(pattern)
    }


def _bottle(pattern: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for match in _BOTTLE.finditer(pattern):
        name = match["name"] or match["plain"]
        safe = DANGERS if (match["sort"] or "") in _SAFE else 0
        if match["sort"] == "re" and match["form"]:
            safe = allowed_by(match["form"], whole=True)
        found[name] = safe
    return found


def _braces(pattern: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for match in _BRACES.finditer(pattern):
        form = match["sort"] or ""
        word = form.partition("(")[0]
        safe = DANGERS if word in _SAFE else 0
        if not safe and form and not form.isidentifier():
            safe = allowed_by(form, whole=True)
        found[match["name"]] = safe
    return found


def _regex(pattern: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for match in re.finditer(r"\(\?P<(\w+)>", pattern):
        depth = 1
        end = match.end()
        while end < len(pattern) and depth:
            if pattern[end] == "\\":
                end += 1
            elif pattern[end] == "(":
                depth += 1
            elif pattern[end] == ")":
                depth -= 1
            end += 1
        found[match[1]] = allowed_by(pattern[match.end() : end - 1], whole=True)
    if not found:
        groups = re.finditer(r"(?<!\\)\((?!\?)((?:[^()\\]|\\.)*)\)", pattern)
        return {str(at): allowed_by(group[1], whole=True) for at, group in enumerate(groups, 1)}
    return found


def _django(pattern: str) -> dict[str, int]:
    return _regex(pattern) if "(?P<" in pattern else _angles(pattern)


_READERS: Final[dict[str, Callable[[str], dict[str, int]]]] = {
    "flask": _angles,
    "django": _django,
    "regex": _regex,
    "braces": _braces,
    "colon": _bottle,
    "pyramid": _braces,
}

_SEGMENTS: Final = {
    "flask": (_ANGLES,),
    "django": (_ANGLES,),
    "braces": (_BRACES,),
    "colon": (_BOTTLE,),
    "pyramid": (_BRACES,),
}
"""How each syntax writes a parameter and its converter; without one it matches up to the next slash."""
