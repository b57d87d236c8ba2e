"""What is suspicious in a pattern without matching being slow: ranges, hosts, tag filters, anchors. Text only, no code.

Each function takes a pattern that `re` accepts and yields problems. They look at the spelling, which the parser's tree
no longer has.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Final

from charter.api import regex
from charter.api.facts.regex import RegexProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

_KNOWN_RANGES: Final = frozenset(
    {" -~", "!-~", "!-/", ":-@", "[-`", "{-~", "@-~", "@-Z", "@-_", "0-?", " -/", "!-[", "]-~", "#-[", "!-9", ";-~", " -!", "#-~",
     "*-~", "(-[", "^-~", "A-~", "`-~", "<-~", ">-~", "?-~", "=-~", "0-9", "$-~", "%-~", "+-~", "--~", ".-~", "/-~",
     "/-9", " -Z", "^-z"}
)  # fmt: skip
"""Ranges of ASCII that are usual: printable characters, punctuation, the parts of terminal escapes and grammars."""

_TLDS: Final = r"com|org|net|edu|gov|io|co|dev|app|info|biz|uk|de|fr|cn|jp|ru|eu|us|me|tv|be|ai"
_LABEL_DOT: Final = regex(
    rf"(?:(?<=//)|(?<=\^)|(?<=[|(.)?]))(?P<host>(?:[A-Za-z0-9-]+\\?\.)*[A-Za-z0-9-]{{2,}}(?<!\\)\.(?:{_TLDS}))(?=$|[/$:|)?\\#])"
)
_DOT_BEHIND_GROUP: Final = regex(
    rf"(?<=[A-Za-z0-9])\)\.(?P<host>(?:[A-Za-z0-9-]+\\?\.)*[A-Za-z0-9-]{{2,}}\\?\.(?:{_TLDS}))(?=$|[/$:|)?\\#])"
)
"""`(www|shop).example\\.com`: the dot behind the group."""
_GROUPS: Final = regex(r"\(\?(?:P<\w+>|<?[=!])")
_IN_A_PAGE: Final = regex(r"""[<>"'=]|\\s|\(\?x\)""")
_HOST_END: Final = regex(rf"(?:\\\.|\.)(?:{_TLDS})\)?$")
_HOST: Final = regex(rf"[A-Za-z0-9-]\\\.(?:{_TLDS})(?![A-Za-z0-9-])")
_HOST_START: Final = regex(
    rf"(?:(?:\(\?:)?https?\??\)?:?//)?(?:\((?:\?:)?[\w|-]+\)\\\.|[A-Za-z0-9-]+\\\.)*[A-Za-z0-9-]+\\\.(?:{_TLDS})(?:/|\\?/|\$|\Z)?$"
)
_LITERAL: Final = regex(r"(?:[\w \-:/@#%&=,;!~\"'<>`]|\\[^\w\s])*")
_WHOLE_AND_SHORT: Final = "May"
"""The one month whose short name is the whole, so that it stands in a list of the whole names and in one of the short ones."""
_TAGS: Final = (
    (
        "<script>x</script>",
        ("<SCRIPT>x</SCRIPT>", "<script>\nx</script>", "<script >x</script >", "<script>x</script\t\nbar>"),
    ),
    ("<!-- x -->", ("<!-- \n -->", "<!-- x --!>")),
)


def ranges(pattern: str) -> Iterator[RegexProblem]:
    r"""Ranges whose ends are of different kinds, such as `A-z`, which also holds ``[\\]^_` ``."""
    for low, high in _ranges(pattern):
        text = f"{low}-{high}"
        if text in _KNOWN_RANGES or _kind(low) == _kind(high) != "sign":
            continue
        inner = [chr(code) for code in range(ord(low) + 1, ord(high))]
        if _kind(low) != "sign" and _kind(high) != "sign":
            extra = "".join(char for char in inner if not char.isalnum())
            if extra:
                yield RegexProblem("range", text, extra)
        elif any(char.isalnum() for char in inner) or high.isalnum() or low.isalnum():
            yield RegexProblem("range", text, "".join(inner)[:40])


def _kind(char: str) -> str:
    if char.isdigit():
        return "digit"
    if char.isalpha():
        return "upper" if char.isupper() else "lower"
    return "sign"


def _ranges(pattern: str) -> Iterator[tuple[str, str]]:
    """The ranges in character classes whose both ends are plain printable ASCII characters."""
    for start, end in character_classes(pattern):
        items = re.findall(r"\\(?:x..|u....|N\{[^}]*\}|[0-7]{1,3}|.)|.", pattern[start:end], re.DOTALL)
        at = 0
        while at + 2 < len(items):
            if items[at + 1] == "-":
                low, high = items[at], items[at + 2]
                if len(low) == len(high) == 1 and " " <= low < high <= "~":
                    yield low, high
                at += 3
            else:
                at += 1


def character_classes(pattern: str) -> Iterator[tuple[int, int]]:
    """The insides of all `[…]`, as offsets, without a leading `^`."""
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 2
            continue
        if char == "[":
            start = at + 1 + (pattern[at + 1 : at + 2] == "^")
            end = start + (pattern[start : start + 1] == "]")
            while end < len(pattern) and pattern[end] != "]":
                end += 2 if pattern[end] == "\\" else 1
            yield start, min(end, len(pattern))
            at = end
        at += 1


def hosts(pattern: str) -> Iterator[RegexProblem]:
    """Host names with a dot before the last one that matches any character, so that `wwwXexample.com` passes too."""
    match = _LABEL_DOT.search(pattern)
    if match and _IN_A_PAGE.search(_GROUPS.sub("", pattern[: match.start("host")])):
        return  # finds addresses in a text, and lets nobody pass
    if match and not any(start <= match.start("host") < end for start, end in character_classes(pattern)):
        host = match["host"]
        # What is all one label with the last one is no name that anybody could register.
        if re.search(r"(?<!\\)\.", host.rpartition(".")[0]):
            yield RegexProblem("host", host)
            return
    match = _DOT_BEHIND_GROUP.search(pattern)
    if match:
        yield RegexProblem("host", match[0][1:])


def open_ends(pattern: str) -> Iterator[RegexProblem]:
    """Checks of a URL's host that end with the host, so that `https://example.com.evil.org` passes too."""
    if re.match(r"\^?(?:\(\?:)?https?", pattern) and _HOST_END.search(pattern):
        yield RegexProblem("open-end", pattern)


def open_starts(pattern: str) -> Iterator[RegexProblem]:
    """Checks of a host that may begin anywhere, so that `https://evil.org/?example.com` passes too."""
    if _HOST_START.match(pattern):
        yield RegexProblem("open-start", pattern)


def tags(pattern: str, flags: int, *, comments: bool) -> Iterator[RegexProblem]:
    """Filters of HTML tags or comments that match the usual spelling, but not others that browsers accept.

    Args:
        pattern: the pattern.
        flags: its flags.
        comments: whether comments matter too, which are harmless unless the text is being made safe.
    """
    if "script" not in pattern.lower() and "<!--" not in pattern:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = re.compile(pattern, flags)
    except (re.error, OverflowError, ValueError):
        return
    for usual, others in _TAGS if comments else _TAGS[:1]:
        if compiled.fullmatch(usual):
            missed = next((text for text in others if not compiled.search(text)), None)
            if missed is not None:
                yield RegexProblem("tag", usual, missed)


def anchors(pattern: str, *, from_start: bool = False) -> Iterator[RegexProblem]:
    """`^a|b$`, where each anchor binds to its own alternative only.

    Args:
        pattern: the pattern.
        from_start: whether it is matched from the start of the text anyway.
    """
    options = _alternatives(pattern)
    if len(options) < 2:
        return
    first, last, middle = options[0], options[-1], options[1:-1]
    opens = first.startswith("^") and not first.endswith("$")
    closes = last.endswith("$") and not last.endswith("\\$") and not last.startswith("^")
    hosts_only = all(_HOST.search(option) for option in options)
    if (
        hosts_only
        and opens != closes
        and not (opens and from_start)
        and not any(option.startswith("^") for option in options[1:])
    ):
        if not any(option.endswith("$") for option in options[:-1]):
            yield RegexProblem("anchor", pattern)
        return
    plain = all(re.search(r"[A-Za-z0-9]{2}", re.sub(r"\\[A-Za-z]", "", option)) for option in options)
    if (
        opens
        and closes
        and plain
        and first[1:] != last[:-1]
        and not any(option.startswith("^") or option.endswith("$") for option in middle)
    ):
        yield RegexProblem("anchor", pattern)


def alternatives(pattern: str, *, searched: bool, whole_texts: bool = False) -> Iterator[RegexProblem]:
    """Alternatives that are empty by accident, or that an earlier one always wins over.

    Args:
        pattern: the pattern, not verbose.
        searched: whether it is used to search or match a beginning, not whole texts, by all that use it.
        whole_texts: whether it is only matched against whole texts, where an empty alternative lets nothing pass but the empty one.
    """
    for start, end, options in _groups(pattern) if "|" in pattern else ():
        inner = pattern[start : start + 2] == "(?" and pattern[start + 2 : start + 3] in "=!<"
        whole = start < 0
        left_behind = "" in options[:-1] and (options.count("") > 1 or bool(options[0]) or whole)
        if (left_behind or (whole and not options[-1])) and not (whole and whole_texts):
            yield RegexProblem("empty", "|".join(options))
        literal = [option if _LITERAL.fullmatch(option) else None for option in options]
        at_end = searched and not inner and end >= len(pattern)
        for number, option in enumerate(literal):
            if not option:
                continue
            earlier = [one for one in literal[:number] if one]
            winner = next(
                (one for one in earlier if one == option or (at_end and option.startswith(one))), None
            )
            if winner is not None and option != _WHOLE_AND_SHORT:
                yield RegexProblem("unreachable", option, winner)


def _groups(pattern: str) -> Iterator[tuple[int, int, list[str]]]:
    """The groups of a pattern that have alternatives: start (-1 for the whole), the offset behind, the alternatives."""
    classes = {place for begin, end in character_classes(pattern) for place in range(begin, end)}
    stack: list[tuple[int, list[int]]] = [(-1, [])]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 2
            continue
        if at not in classes:
            if char == "(":
                stack.append((at, []))
            elif char == "|":
                stack[-1][1].append(at)
            elif char == ")" and len(stack) > 1:
                start, bars = stack.pop()
                if bars:
                    yield start, at + 1, _split(pattern, _inside(pattern, start), bars, at)
        at += 1
    if stack[0][1]:
        yield -1, len(pattern), _split(pattern, 0, stack[0][1], len(pattern))


def _inside(pattern: str, start: int) -> int:
    """The offset behind the opening of a group: `(`, `(?:`, `(?P<name>`, `(?i:`, `(?=`."""
    opening = re.compile(r"\((?:\?(?:P<\w+>|[a-zA-Z-]*:|<?[=!]|>))?").match(pattern, start)
    return opening.end() if opening else start + 1


def _split(pattern: str, start: int, bars: list[int], end: int) -> list[str]:
    return [pattern[first + 1 : last] for first, last in zip([start - 1, *bars], [*bars, end], strict=True)]


def _alternatives(pattern: str) -> list[str]:
    """The alternatives of a pattern's top level."""
    classes = list(character_classes(pattern))
    options: list[str] = []
    depth = start = at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 2
            continue
        if any(begin <= at < end for begin, end in classes):
            at += 1
            continue
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            options.append(pattern[start:at])
            start = at + 1
        at += 1
    return [*options, pattern[start:]]
