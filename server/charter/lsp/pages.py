"""What an editor shows of a rule: its page, with the example blocks as plain Markdown, and a link to it. It knows no protocol."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charter.api import regex
from charter.engine.seal import user_folder
from charter.lsp.documents import uri_of
from charter.lsp.rows import RulePage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.api import AnyRule

_FENCE = regex(r"^(```+)python[ \t]+(bad|fixed|good)\b.*$", re.MULTILINE)
_MARK = regex(r"^[ \t]*#[ \t]*(\^+)[ \t]*(.*)\n", re.MULTILINE)
_HEADINGS = {"bad": "**Bad**", "fixed": "**Fixed**", "good": "**Good**"}


def pages(rules: Iterable[AnyRule]) -> list[tuple[Any, ...]]:
    """What the server shows of each rule, as `rows.RulePage` has it."""
    found = [_page(rule) for rule in rules]
    folder = _written(found)
    return [
        tuple(page._replace(link=uri_of(str(folder / f"{page.name}.md")) if folder else "")) for page in found
    ]


def _page(rule: AnyRule) -> RulePage:
    doc = _MARK.sub("", _FENCE.sub(lambda fence: f"{_HEADINGS[fence[2]]}\n{fence[1]}python", rule.doc))
    title, _, body = doc.partition("\n")
    head = f"### {title.rstrip('.')}\n\n`{rule.name}` · {rule.code} · {rule.severity.label} · {', '.join(rule.principles)}\n"
    cwe = "".join(f"\n- CWE-{number}" for number in rule.cwe)
    references = "".join(f"\n- {address}" for address in rule.references)
    tail = f"\n\nRead on:\n{cwe}{references}\n" if cwe or references else ""
    return RulePage(
        rule.name,
        rule.code,
        title.rstrip("."),
        rule.severity.label,
        rule.principles,
        f"{head}\n{body.strip()}{tail}",
        f"{body.strip()}{tail}",
    )


def _written(found: list[RulePage]) -> Path | None:
    """Write the pages where any editor can open them; None if there is no place for them."""
    digest = hashlib.blake2b("".join(page.page for page in found).encode(), digest_size=6).hexdigest()
    folder = user_folder() / "pages" / digest
    if (folder / "complete").exists():
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for page in found:
            (folder / f"{page.name}.md").write_text(page.page, "utf-8")
        (folder / "complete").touch()
    except OSError:
        return None
    return folder
