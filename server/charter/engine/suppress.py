"""Comments that silence findings: Charter's own, and `# nosec` and `# noqa` for rules that stand for other tools'.

`# charter: ignore[name, other] -- reason` at the end of a line holds for the statement on it, on the first line of a
`def`, `class` or `with` (or on a decorator) for the whole block; alone on a line it holds for the statement below.
`# charter: ignore-file[name] -- reason` holds for the file. A head that says that the file is generated and not to be
edited silences all but the security rules: nobody can do anything about it here. It knows no rule; it is told who
answers to which name.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from msgspec import Struct, field

from charter.api import Edit, Pillar, Span, regex
from charter.api.facts.suppression import UselessSuppression

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from charter.api import Finding
    from charter.engine.registry import Registry
    from charter.syntax.comments import Comment
    from charter.syntax.source import Source

_MARK = regex(r"#[^\n\r]*?(?:charter:\s*ignore|nosec|noqa)", re.IGNORECASE)
_OWN = regex(r"#\s*charter:\s*(ignore-file|ignore)\s*\[([^\]]*)\]")
_NOSEC = regex(r"#\s*nosec\b:?\s*((?:[A-Za-z]\w*[\s,]*)*)")
_NOQA = regex(r"#\s*noqa\b(?:\s*:\s*((?:[A-Z]+\d+[\s,]*)+))?", re.IGNORECASE)
_NOQA_FILE = regex(r"#\s*(?:ruff|flake8)\s*:\s*noqa\b(?:\s*:\s*((?:[A-Z]+\d+[\s,]*)+))?", re.IGNORECASE)
_BANDIT_ID = regex(r"B[1-7]\d\d")
_WORD = regex(r"[^\s,]+")
_OF_WRITERS = frozenset({Pillar.MAINTAINABILITY, Pillar.PERFORMANCE})
"""What only who writes a file can mend; that a generated one is open to attack is for who uses it to know."""
_HEAD = 3000
"""So many characters of a file are looked at for a word about its being generated: licences come before it."""
_GENERATED = regex(r"\b(?:auto-?)?generated\b", re.IGNORECASE)
_UNTOUCHABLE = regex(
    r"\b(?:do not|don'?t|never|(?:not|never) (?:to )?be)\s+(?:\w+ly\s+|hand[- ]?)?(?:edit|modif|chang|touch)"
    r"|@generated\b|\bgenerated from \S+ by ANTLR",
    re.IGNORECASE,
)
_HEADERS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.With, ast.AsyncWith)


class Suppression(Struct, frozen=True):
    """One comment that silences.

    Attributes:
        first: the first line it holds for, 1-based.
        last: the last one.
        words: the names it gives, with their places; empty with `everything`.
        comment: the place of the comment, to the end of its line or to the next `#` in it.
        tool: `charter`, `nosec` or `noqa`; `generated` if it is the head of a file that somebody's program wrote.
        everything: whether it silences all that its tool would (a bare `# nosec` or `# noqa`).
    """

    first: int
    last: int
    words: tuple[tuple[str, Span], ...]
    comment: Span
    tool: str = "charter"
    everything: bool = False


class Sorted(Struct):
    """The findings of one file, told apart.

    Attributes:
        kept: those that nobody silenced.
        silenced: the others.
        useless: names in Charter's own comments that silenced nothing.
    """

    kept: list[Finding] = field(default_factory=list["Finding"])
    silenced: list[Finding] = field(default_factory=list["Finding"])
    useless: list[UselessSuppression] = field(default_factory=list[UselessSuppression])


def apply(
    source: Source,
    findings: Iterable[Finding],
    registry: Registry,
    *,
    enabled: Collection[str] | None = None,
    suppressions: Sequence[Suppression] | None = None,
) -> Sorted:
    """Silence what the comments of a file ask to be silent about.

    Args:
        source: the file.
        findings: what was found in it.
        registry: who answers to which name, code or alias.
        enabled: names of the rules that ran; a suppression of one that did not run is not called useless. None: all.
        suppressions: what `read` gave for the file, if that was done before.
    """
    if suppressions is None:
        suppressions = read(source)
    if not suppressions:
        return Sorted(kept=list(findings))
    result = Sorted()
    used: set[Span] = set()
    for finding in findings:
        hits = [place for item in suppressions for place in _hits(item, finding, registry)]
        (result.silenced if hits else result.kept).append(finding)
        used.update(hits)
    for item in suppressions:
        if item.tool == "charter":
            result.useless += _useless(source, item, used, registry, enabled)
    return result


def read(source: Source) -> tuple[Suppression, ...]:
    """The suppressions of a file, in order. Without a marker in the text this costs little."""
    head = source.text[:_HEAD]
    found = _read_head(source) if "generated" in head.lower() and _UNTOUCHABLE.search(head) else ()
    if "charter:" not in source.text and "nosec" not in source.text and "noqa" not in source.text.lower():
        return found
    if not _MARK.search(source.text):
        return found
    return (*found, *(item for comment in source.comments for item in _read_comment(source, comment)))


def _read_head(source: Source) -> tuple[Suppression, ...]:
    """What comments and docstring before the first statement say of the whole file."""
    body = source.tree.body
    said = [ast.get_docstring(source.tree, clean=False) or ""]
    code = body[1:] if said[0] else body
    first = code[0].lineno if code else len(source.positions.starts) + 1
    said += [comment.text for comment in source.comments if comment.line < first]
    text = "\n".join(said)
    if not (_GENERATED.search(text) and _UNTOUCHABLE.search(text)):
        return ()
    return (Suppression(1, len(source.positions.starts), (), Span(0, 0), "generated", everything=True),)


def silence(source: Source, line: int, rule: str, reason: str = "") -> Edit:
    """The edit that silences a rule for the statement on a line: a new comment, or one more name in the old one.

    Args:
        source: the file.
        line: 1-based.
        rule: the rule's name.
        reason: why; "" leaves it out.
    """
    first, last = _extent(source, line, alone=False)
    target = line if first <= line <= last else first
    for comment in source.comments:
        own = _OWN.search(comment.text)
        if comment.line == target and own and own[1] == "ignore":
            at = comment.span.start + own.end(2)
            return Edit(Span(at, at), f", {rule}" if own[2].strip() else rule)
    end = source.positions.at(target, len(source.positions.line_text(target).rstrip()))
    return Edit(Span(end, end), f"  # charter: ignore[{rule}]" + (f" -- {reason}" if reason else ""))


def _read_comment(source: Source, comment: Comment) -> Iterator[Suppression]:
    for own in _OWN.finditer(comment.text):
        start = comment.span.start
        words = tuple(
            (word[0], Span(start + own.start(2) + word.start(), start + own.start(2) + word.end()))
            for word in _WORD.finditer(own[2])
        )
        whole = own[1] == "ignore-file"
        first, last = (
            (1, len(source.positions.starts)) if whole else _extent(source, comment.line, alone=comment.alone)
        )
        following = comment.text.find("#", own.end())
        end = comment.span.end if following < 0 else start + following
        yield Suppression(first, last, words, Span(start + own.start(), end))
    whole_file = _NOQA_FILE.match(comment.text) if comment.alone else None
    if whole_file:
        words = tuple((word, comment.span) for word in _WORD.findall(whole_file[1] or ""))
        yield Suppression(1, len(source.positions.starts), words, comment.span, "noqa", not words)
    for tool, pattern in (("nosec", _NOSEC), ("noqa", _NOQA)):
        match = pattern.search(comment.text)
        if match:
            first, last = _statement_lines(source, comment.line)
            words = tuple((word, comment.span) for word in _WORD.findall(match[1] or ""))
            yield Suppression(first, last, words, comment.span, tool, not words)


def _hits(item: Suppression, finding: Finding, registry: Registry) -> list[Span]:
    """The places in a suppression that silence a finding."""
    if not item.first <= finding.location.line <= item.last:
        return []
    rule = registry.by_name.get(finding.rule)
    aliases = rule.aliases if rule else ()
    if item.tool == "generated":
        return [item.comment] if rule and rule.pillar in _OF_WRITERS else []
    if item.tool == "charter":
        names = {finding.rule, finding.code.lower(), *(alias.lower() for alias in aliases)}
        return [place for word, place in item.words if word.lower().replace("_", "-") in names]
    foreign = [alias for alias in aliases if bool(_BANDIT_ID.fullmatch(alias)) == (item.tool == "nosec")]
    words = {word.upper() for word, _ in item.words}
    if foreign and (item.everything or words.intersection(foreign)):
        return [item.comment]
    return []


def _useless(
    source: Source,
    item: Suppression,
    used: set[Span],
    registry: Registry,
    enabled: Collection[str] | None,
) -> Iterator[UselessSuppression]:
    idle: list[tuple[str, Span, bool]] = []
    for word, place in item.words:
        if place not in used:
            rules = _answering(word, registry)
            if not rules or enabled is None or any(name in enabled for name in rules):
                idle.append((word, place, bool(rules)))
    everything = len(idle) == len(item.words)
    for word, place, known in idle:
        removal = _whole(source.text, item.comment) if everything else _with_comma(source.text, place)
        yield UselessSuppression(source.location(place), word, known, removal)


def _answering(word: str, registry: Registry) -> list[str]:
    rule = registry.find(word)
    return [rule.name] if rule else [found.name for found in registry.by_alias.get(word.upper(), ())]


def _with_comma(text: str, place: Span) -> Span:
    """A name in a list together with the comma that goes when it goes."""
    behind = re.compile(r"\s*,\s*").match(text, place.end)
    if behind:
        return Span(place.start, behind.end())
    before = len(text[: place.start].rstrip().removesuffix(",").rstrip())
    return Span(before, place.end)


def _whole(text: str, comment: Span) -> Span:
    """A comment with the blanks before it, and with its line if it stands alone there."""
    line = text.rfind("\n", 0, comment.start) + 1
    start = line + len(text[line : comment.start].rstrip(" \t"))
    if start > line or text[comment.end : comment.end + 1] not in {"\n", "\r"}:
        return Span(start if text[comment.end : comment.end + 1] != "#" else comment.start, comment.end)
    end = comment.end + (2 if text.startswith("\r\n", comment.end) else 1)
    return Span(line, end)


def _extent(source: Source, line: int, *, alone: bool) -> tuple[int, int]:
    """The lines that a comment on a line holds for."""
    if alone:
        chain = _statements_at(source, line)
        if not chain or not _is_simple(chain[-1]):
            line = _next_code_line(source, line)
    chain = _statements_at(source, line)
    if not chain:
        return line, line
    node = chain[-1]
    if isinstance(node, _HEADERS) and _first_line(node) <= line <= node.lineno:
        return _first_line(node), node.end_lineno or line
    return _own_lines(node, line)


def _statement_lines(source: Source, line: int) -> tuple[int, int]:
    """The lines of the innermost statement on a line; of a compound one those up to its body."""
    chain = _statements_at(source, line)
    return _own_lines(chain[-1], line) if chain else (line, line)


def _own_lines(node: ast.stmt, line: int) -> tuple[int, int]:
    if _is_simple(node):
        return node.lineno, node.end_lineno or node.lineno
    body = _bodies(node)[0]
    header_end = max(node.lineno, _first_line(body[0]) - 1)
    first = _first_line(node)
    return (first, header_end) if first <= line <= header_end else (line, line)


def _statements_at(source: Source, line: int) -> list[ast.stmt]:
    """The statements around a line, from the outside in."""
    chain: list[ast.stmt] = []
    bodies: Sequence[Sequence[ast.stmt]] = [source.tree.body]
    while bodies:
        inside = next(
            (s for body in bodies for s in body if _first_line(s) <= line <= (s.end_lineno or s.lineno)), None
        )
        if inside is None:
            break
        chain.append(inside)
        bodies = _bodies(inside)
    return chain


def _bodies(node: ast.stmt) -> list[list[ast.stmt]]:
    holders: list[ast.AST] = [node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())]
    found: list[list[ast.stmt]] = []
    for holder in holders:
        for name in ("body", "orelse", "finalbody"):
            body: list[ast.stmt] | None = getattr(holder, name, None)
            if body:
                found.append(body)
    return found


def _is_simple(node: ast.stmt) -> bool:
    return not _bodies(node)


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _next_code_line(source: Source, line: int) -> int:
    count = len(source.positions.starts)
    following = (
        n for n in range(line + 1, count + 1) if source.positions.line_text(n).strip()[:1] not in {"", "#"}
    )
    return next(following, line)
