"""Regular expressions that cost nothing until somebody asks them. It knows what `re` knows, and no pattern of its own.

Hundreds of patterns stand at the top of modules, and a small file needs few of them; to compile all would take longer
than to check it.
"""

from __future__ import annotations

import re
from functools import partial
from typing import AnyStr, cast

_METHODS = ("match", "search", "fullmatch", "finditer", "findall", "split", "sub", "subn")


def regex(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """A regular expression to keep at the top of a module: it is compiled when a method is called for the first time.

    Its methods are those of `re.Pattern`, and from the second call on they are the compiled pattern's own. It is no
    instance of `re.Pattern`, so functions of `re` do not take it.

    Args:
        pattern: the expression, as `re.compile` takes it.
        flags: flags of `re`.

    Raises:
        re.error: when it is first used, if it is no regular expression.
    """
    return cast("re.Pattern[AnyStr]", cast("object", _Regex(pattern, flags)))


class _Regex:
    """A pattern whose methods compile it and give way to the compiled ones; in slots, they are found as fast."""

    __slots__ = ("flags", "pattern", *_METHODS)

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self.pattern = pattern
        self.flags = flags
        for name in _METHODS:
            setattr(self, name, partial(self._first, name))

    def __reduce__(self) -> tuple[object, ...]:
        return _Regex, (self.pattern, self.flags)

    def _first(self, method: str, *arguments: object, **named: object) -> object:
        compiled = re.compile(self.pattern, self.flags)
        for name in _METHODS:
            setattr(self, name, getattr(compiled, name))
        return getattr(compiled, method)(*arguments, **named)
