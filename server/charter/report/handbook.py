"""The handbook that stands beside the rules: a table of principles, a page a rule. It makes texts and writes none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Pillar
from charter.report.page import link_to, markdown, serving

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charter.engine.constitution import Constitution
    from charter.engine.registry import Registry

_HEAD = """\
# The charter and its rules

{principles} principles in three pillars, and the {rules} rules that are evidence for them. Made by
`charter rules --pages rules` from `charter_rules/constitution.toml` and the rules' own documentation; change those.

A rule may serve several principles; it is listed under each. When two principles conflict, the one further up wins.
"""


def files(registry: Registry, charter: Constitution) -> Mapping[str, str]:
    """The handbook's files.

    Returns:
        Texts by path: `README.md` and `pages/RULE.md`.
    """
    made = {"README.md": _overview(registry, charter)}
    for rule in registry.rules:
        made[f"pages/{rule.name}.md"] = markdown(rule, charter.by_slug, link="../README.md")
    return made


def _overview(registry: Registry, charter: Constitution) -> str:
    parts = [_HEAD.format(principles=len(charter.principles), rules=len(registry.rules))]
    for pillar in Pillar:
        parts.append(f"## {pillar.value.capitalize()}\n")
        for principle in charter.of(pillar):
            parts.append(f'### <a id="{principle.id.lower()}"></a>{principle.id} {principle.title}\n')
            parts.append(f"`{principle.slug}`. {principle.rationale}\n")
            rules = serving(principle, registry.rules)
            if rules:
                rows = [
                    f"| {rule.code} | [{rule.name}](pages/{rule.name}.md) | {_cell(rule.title)} | {rule.severity.label} |"
                    for rule in rules
                ]
                parts.append(
                    "| code | rule | | severity |\n| --- | --- | --- | --- |\n" + "\n".join(rows) + "\n"
                )
            if principle.linters:
                sentences = "".join(f"- {sentence}\n" for sentence in principle.linters)
                parts.append(f"What linters say:\n\n{sentences}")
            parts.append(f"Read on: {', '.join(map(link_to, principle.references))}\n")
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
