"""A rule's or a principle's documentation: its parts, and its page in Markdown. It knows no terminal and no editor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from charter.api import regex

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from charter.api import AnyRule, Principle

_BLOCK = regex(r"^```(\w+) (bad|fixed|good)([^\n]*)\n(.*?)^```[^\n]*$", re.MULTILINE | re.DOTALL)
_MARK = regex(r"^\s*#\s*\^+[^\n]*\n", re.MULTILINE)
_TITLE = regex(r'title="([^"]*)"')
_SENTENCE = regex(r"(?<=[.!?])\s+(?=[A-Z`*])")
_HEADINGS = {"bad": "Found", "fixed": "Fixed", "good": "Not found"}
CWE_ADDRESS = "https://cwe.mitre.org/data/definitions/{}.html"
_ADDRESSES = (
    (r"^https://cwe\.mitre\.org/data/definitions/(\d+)\.html$", "CWE-{}"),
    (r"^https://peps\.python\.org/pep-(\d+)/", "PEP {}"),
    (r"^https://cheatsheetseries\.owasp\.org/cheatsheets/(\w+)_Cheat_Sheet\.html", "OWASP cheat sheet: {}"),
    (r"^https://owasp\.org/Top10/(A\d+)", "OWASP Top 10: {}"),
    (r"^https://docs\.python\.org/3/(?:\w+/)*([\w.-]+?)(?:\.html)?(?:#.*)?$", "Python: {}"),
    (r"^https://(?:www\.|docs\.|wiki\.)?([\w.-]+)/", "{}"),
)
"""What to call an address, by its form; the first that fits."""


def explanation(rule: AnyRule) -> str:
    """What a rule's documentation says in words: without title and examples."""
    return _BLOCK.sub("", rule.doc.partition("\n")[2]).strip()


def why(rule: AnyRule) -> str:
    """The reason in one sentence; the title if the documentation gives none."""
    paragraph = " ".join(explanation(rule).partition("\n\n")[0].split())
    return _SENTENCE.split(paragraph)[0] if paragraph else rule.title


def markdown(rule: AnyRule, principles: Mapping[str, Principle], *, link: str = "") -> str:
    """A rule's page.

    Args:
        rule: the rule.
        principles: the charter by slug.
        link: the address of the principles' table, to which `#slug` is added; "" for no links.
    """
    parts = [
        f"# {rule.name} ({rule.code})",
        f"**{rule.title}**",
        _facts(rule, principles, link),
        explanation(rule),
    ]
    for language, kind, options, code in _BLOCK.findall(rule.doc):
        title = _TITLE.search(options)
        heading = f"{_HEADINGS[kind]} in `{title[1]}`" if title else _HEADINGS[kind]
        parts.append(f"**{heading}**\n\n```{language}\n{_MARK.sub('', code) if kind == 'bad' else code}```")
    if rule.options:
        rows = "\n".join(f"| `{name}` | `{value!r}` |" for name, value in rule.options.items())
        parts.append(
            f"## Options\n\nUnder `[rules.{rule.name}]`:\n\n| option | default |\n| --- | --- |\n{rows}"
        )
    addresses = dict.fromkeys([*rule.references, *(CWE_ADDRESS.format(number) for number in rule.cwe)])
    if addresses:
        parts.append("## Read on\n\n" + "\n".join(f"- {link_to(address)}" for address in addresses))
    parts.append(f"Silence one place with `# charter: ignore[{rule.name}] -- reason`.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(rule: AnyRule, principles: Mapping[str, Principle], link: str) -> str:
    served = [principles[slug] for slug in rule.principles if slug in principles]
    rows = [
        ("Severity", rule.severity.label),
        ("Confidence", rule.confidence.label),
        ("Principle", ", ".join(_principle(principle, link) for principle in served)),
        ("Weakness", ", ".join(f"[CWE-{number}]({CWE_ADDRESS.format(number)})" for number in rule.cwe)),
        ("Stands for", ", ".join(f"`{alias}`" for alias in rule.aliases)),
        ("By default", "on" if rule.default else "off"),
    ]
    body = "\n".join(f"| {name} | {value} |" for name, value in rows if value)
    return f"| | |\n| --- | --- |\n{body}"


def _principle(principle: Principle, link: str) -> str:
    text = f"{principle.id} {principle.title}"
    return f"[{text}]({link}#{principle.id.lower()})" if link else text


def principle_markdown(principle: Principle, rules: Sequence[AnyRule]) -> str:
    """A principle with its reasons and the rules that are its evidence."""
    looks = "\n".join(f"- {phrase}" for phrase in principle.looks_for)
    evidence = "\n".join(f"- `{rule.name}` ({rule.code}): {rule.title}" for rule in rules)
    linters = "\n".join(f"- {sentence}" for sentence in principle.linters)
    addresses = "\n".join(f"- {link_to(address)}" for address in principle.references)
    parts = [
        f"# {principle.id} {principle.title}",
        f"`{principle.slug}`, {principle.pillar.value}, rank {principle.rank}, weight {principle.weight:g}",
        principle.rationale,
        f"**A reviewer looks for**\n\n{looks}" if looks else "",
        f"**Rules**\n\n{evidence}" if evidence else "**Rules**\n\nNone yet.",
        f"**What linters say**\n\n{linters}" if linters else "",
        f"**Read on**\n\n{addresses}" if addresses else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def link_to(address: str) -> str:
    """A link with a text that says where it leads: the weakness, the PEP or the site."""
    for pattern, name in _ADDRESSES:
        match = re.search(pattern, address)
        if match:
            return f"[{name.format(*(part.replace('_', ' ').lstrip('0') for part in match.groups()))}]({address})"
    return f"<{address}>"


def serving(principle: Principle, rules: Iterable[AnyRule]) -> list[AnyRule]:
    """The rules that are a principle's evidence, by code."""
    return sorted((rule for rule in rules if principle.slug in rule.principles), key=lambda rule: rule.code)
