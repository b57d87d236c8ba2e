"""The parameters of URL patterns, and what each can never hold. It knows how frameworks write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from charter.analysis.taint.characters import allowed_by
from charter.analysis.taint.values import DANGERS

if TYPE_CHECKING:
    from collections.abc import Callable


class Route(NamedTuple):
    """A URL pattern.

    Attributes:
        parameters: name, or position of what has none, to the bits of what it can never hold.
        static: whether the pattern has no parameters, so that the path is constant.
    """

    parameters: dict[str, int]
    static: bool

    def merged(self, other: Route) -> Route:
        """What holds of either of two patterns of one handler."""
        parameters = {**other.parameters, **self.parameters}
        for name in self.parameters.keys() & other.parameters.keys():
            parameters[name] &= other.parameters[name]
        return Route(parameters, self.static and other.static)


_ANGLES: Final = re.compile(r"<(?:(?P<sort>[A-Za-z_]\w*)(?:\([^)]*\))?:)?(?P<name>[A-Za-z_]\w*)>")
_BOTTLE: Final = re.compile(
    r"<(?P<name>[A-Za-z_]\w*)(?::(?P<sort>\w+))?(?::(?P<form>[^>]*))?>|:(?P<plain>[A-Za-z_]\w*)"
)
_BRACES: Final = re.compile(r"\{(?P<name>[A-Za-z_]\w*)(?::(?P<form>[^{}]*))?\}")
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


def parse(pattern: str, syntax: str) -> Route:
    """Read a URL pattern.

    Args:
        pattern: the pattern as the program writes it.
        syntax: one of the models' words: flask, django, regex, braces, colon, pyramid.
    """
    reader = _READERS.get(syntax)
    parameters = {} if reader is None else reader(pattern)
    return Route(parameters, static=reader is not None and not parameters)


def _angles(pattern: str) -> dict[str, int]:
    return {
        match["name"]: DANGERS if (match["sort"] or "") in _SAFE else 0 for match in _ANGLES.finditer(pattern)
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
        form = match["form"] or ""
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
