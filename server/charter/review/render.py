"""A review in Markdown: its comments and its summary. Pure; the same text offline and on a forge.

Every text that comes from the repository goes through `escape`. What is too long is left out whole, never cut
inside a fence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from charter.engine.score import shown
from charter.review.escape import code, fenced, link, plain, prose
from charter.review.marker import Marker, digest, sign_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from charter.review.document import Item, Move, Place, Review
    from charter.review.marker import State

LIMIT: Final = 60_000
"""Characters of the longest body that is sent; GitHub refuses 65,536."""
_LISTED: Final = 50
_GONE: Final = {
    "fixed": "No longer found by Charter.",
    "old": "No longer part of this change: the finding stands in the base as well.",
    "duplicate": "Said twice; the other comment stays.",
}


class Page(Struct, frozen=True):
    """What the rule pack itself says about a rule or principle; trusted Markdown.

    Attributes:
        title: one line.
        why: a paragraph, or "".
        url: where to read on, or "".
    """

    title: str
    why: str = ""
    url: str = ""


class Catalogue(Protocol):
    """Looks up pages of rules and principles by name; None for what is not known."""

    def rule(self, name: str) -> Page | None:
        """The page of a rule."""
        ...

    def principle(self, slug: str) -> Page | None:
        """The page of a principle."""
        ...


Placement = dict[str, str]
"""Where each item is said, by fingerprint: `inline`, or why not: `elsewhere`, `limit`,
`refused`, `denied`, `failed`."""


class Renderer(Struct, frozen=True):
    """Turns items and reviews into text.

    Attributes:
        catalogue: pages of the rules and principles.
        permalink: gives the address of a line of the head (path, line), or "" offline.
        suggestion: gives the info string of a suggestion's fence; None where the forge has no suggestions.
    """

    catalogue: Catalogue
    permalink: Callable[[str, int], str] = lambda _path, _line: ""
    suggestion: Callable[[Item], str] | None = lambda _item: "suggestion"

    def comment(self, item: Item) -> str:
        """The body of a finding's comment, with its marker."""
        return self._sign(item, "open", self._comment(item))

    def gone(self, marker: Marker, reason: str, state: State) -> str:
        """The body of a comment whose finding is no longer new, with its marker."""
        return Marker(marker.fingerprint, marker.kin, state, marker.digest).sign(_GONE[reason])

    def digest(self, item: Item) -> str:
        """What changes when the text of a finding's comment does, whatever the commit it links to."""
        return digest(Renderer(self.catalogue, suggestion=self.suggestion)._comment(item))  # noqa: SLF001 - itself

    def _sign(self, item: Item, state: State, text: str) -> str:
        return Marker(item.fingerprint, item.kin, state, self.digest(item)).sign(text)

    def _comment(self, item: Item) -> str:
        page = self.catalogue.rule(item.rule)
        name = link(code(item.rule), page.url) if page and page.url else code(item.rule)
        also = "".join(f", {code(one)}" for one in item.also)
        parts = [f"**{item.severity.capitalize()}** · {name}{also}\n\n{_sentence(item.message)}"]
        if page and page.why:
            parts.append(page.why)
        if item.suggestion and self.suggestion:
            parts.append(fenced(self.suggestion(item), item.suggestion.lines))
            parts.append(f"Fix: {prose(item.suggestion.title)}.")
        elif item.patch:
            parts.append(_patch(item))
        parts.extend(self._places("How the value gets here", item.flow, numbered=True))
        parts.extend(self._places("Related places", item.related, numbered=False))
        rules = ", ".join((item.rule, *item.also))
        parts.append(f"<sub>{self._principle(item)} · silence: `# charter: ignore[{rules}] -- reason`</sub>")
        return _fit(parts, keep=1)

    def _principle(self, item: Item) -> str:
        page = self.catalogue.principle(item.principles[0]) if item.principles else None
        if page is None:
            return code(item.code)
        return link(prose(page.title), page.url) if page.url else prose(page.title)

    def _places(self, title: str, places: Sequence[Place], *, numbered: bool) -> list[str]:
        if not places:
            return []
        marks = (f"{number}." if numbered else "-" for number in range(1, len(places) + 1))
        lines = [f"{mark} {self._place(place)}" for mark, place in zip(marks, places, strict=True)]
        return [
            f"<details><summary>{title} ({len(places)})</summary>\n\n" + "\n".join(lines) + "\n\n</details>"
        ]

    def _place(self, place: Place) -> str:
        said = self._at(place.path, place.line)
        return f"{said} {prose(place.message)}" if place.message else said

    def _at(self, path: str, line: int) -> str:
        label, address = code(f"{path}:{line}"), self.permalink(path, line)
        return link(label, address) if address else label

    def summary(self, review: Review, placement: Mapping[str, str]) -> str:
        """The body of the summary comment, with its marker."""
        text = self.overview(review, placement)
        return sign_summary(text, digest(text))

    def overview(self, review: Review, placement: Mapping[str, str]) -> str:
        """The summary without a marker, as it also stands in a CI job's own summary."""
        parts = [f"### {_headline(review)}", _scores(review)]
        parts.append(self._table(review.moves))
        for reason, title in (
            ("elsewhere", "Caused by this change, elsewhere"),
            ("refused", "The forge took no comment at these places"),
            ("denied", "Not commented on: the token may not write"),
            ("failed", "Not commented on: the forge did not take it"),
            ("limit", "Not commented on: enough comments already"),
        ):
            chosen = [item for item in review.items if placement.get(item.fingerprint, "elsewhere") == reason]
            parts.append(self._list(title, chosen, folded=reason == "limit"))
        parts.append(_counts(review))
        parts.extend(prose(note) for note in review.notes)
        if review.items:
            parts.append(
                "<sub>Silence a finding where it stands: `# charter: ignore[rule-name] -- reason`.</sub>"
            )
        return _fit([part for part in parts if part], keep=2)

    def _table(self, moves: Sequence[Move]) -> str:
        if not moves:
            return ""
        rows = ["| Principle | Score | New | Fixed |", "| --- | --- | ---: | ---: |"]
        for move in moves:
            page = self.catalogue.principle(move.principle)
            title = prose(page.title) if page else code(move.principle)
            where = f" ({code(move.project)})".replace("|", "\\|") if move.project else ""
            rows.append(
                f"| {title}{where} | {_change(move.before, move.after)} | {move.new} | {move.fixed} |"
            )
        return "\n".join(rows)

    def _list(self, title: str, items: Sequence[Item], *, folded: bool) -> str:
        if not items:
            return ""
        lines = [self._entry(item) for item in items[:_LISTED]]
        if len(items) > _LISTED:
            lines.append(f"- and {len(items) - _LISTED} more")
        entries = "\n".join(lines)
        if folded:
            return f"<details><summary>{title} ({len(items)})</summary>\n\n{entries}\n\n</details>"
        return f"**{title}** ({len(items)})\n\n{entries}"

    def _entry(self, item: Item) -> str:
        entry = f"- {self._at(item.path, item.line)} **{item.severity}** {prose(item.message)} ({code(item.rule)})"
        if item.cause and (item.cause.path, item.cause.line) != (item.path, item.line):
            entry += f"; changed at {self._at(item.cause.path, item.cause.line)}"
        return entry

    def whole(self, review: Review, placement: Mapping[str, str]) -> str:
        """Everything the review says, for reading without a forge: the summary, then each comment at its place."""
        parts = [self.overview(review, placement)]
        for item in review.items:
            if placement.get(item.fingerprint) == "inline" and item.anchor:
                at = code(f"{item.anchor.path}:{_range(item.anchor.start, item.anchor.end)}")
                parts.append(f"---\n\n{at}\n\n{self._comment(item)}")
        return "\n\n".join(parts) + "\n"


def _sentence(message: str) -> str:
    return f"{prose(message[:1].upper() + message[1:])}."


def _headline(review: Review) -> str:
    count = len(review.items)
    if not count:
        return "Charter found nothing new"
    return f"Charter: {count} new finding{'' if count == 1 else 's'}"


def _scores(review: Review) -> str:
    if review.before is None and review.after is None:
        return ""
    return f"Score of the project: {_change(review.before, review.after)}"


def _change(before: float | None, after: float | None) -> str:
    if shown(before) == shown(after):
        return shown(after)
    delta = "" if before is None or after is None else f" ({int(after) - int(before):+d})"
    return f"{shown(before)} → **{shown(after)}**{delta}"


def _counts(review: Review) -> str:
    said: list[str] = []
    if review.fixed_count:
        said.append(f"{review.fixed_count} fixed by this change")
    if review.old_count:
        said.append(
            f"{review.old_count} that {'was' if review.old_count == 1 else 'were'} there before "
            f"{'is' if review.old_count == 1 else 'are'} not shown"
        )
    if review.hidden:
        said.append(f"{review.hidden} new below the severity asked for")
    if review.unread:
        names = ", ".join(code(path) for path in review.unread[:5])
        more = f" and {len(review.unread) - 5} more" if len(review.unread) > 5 else ""
        said.append(f"not analysed: {names}{more}")
    return "; ".join(said).capitalize() + "." if said else ""


def _patch(item: Item) -> str:
    patch = item.patch
    if patch is None:
        return ""
    doubt = f"\n\nA proposal: {prose(patch.doubt)}." if patch.doubt else ""
    body = fenced("diff", patch.diff.rstrip("\n").split("\n"))
    return f"<details><summary>{_html(patch.title)}</summary>\n\n{body}{doubt}\n\n</details>"


def _html(text: str) -> str:
    # Inside <summary> GitHub renders HTML, not Markdown: backticks would stand as they are.
    cleaned = plain(text).replace("`", "").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return cleaned.replace("@", "@\u200b")


def _range(start: int, end: int) -> str:
    return str(start) if start == end else f"{start}-{end}"


def _fit(parts: Iterable[str], *, keep: int) -> str:
    """Join paragraphs; from the first that would make the text too long on, only what still fits is kept."""
    chosen: list[str] = []
    size = 0
    left_out = False
    for number, part in enumerate(parts):
        if number >= keep and size + len(part) + 2 > LIMIT - 200:
            left_out = True
            continue
        chosen.append(part)
        size += len(part) + 2
    if left_out:
        chosen.append("Parts of this text were too long to show here.")
    return "\n\n".join(chosen)
