"""Which files are deployed and which only show something, as their paths and the names of classes say. It judges nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from charter.api import regex

if TYPE_CHECKING:
    import ast

    from charter.api import Context

_SHOWN: Final = r"(?:^|/|_)(?:(?:run)?tests?|examples?|samples?|demos?|fixtures?|mocks?|docs?|sandbox|workbench)/|(?:^|/)(?:examples?|samples?)_\w+/"
"""Folders of what is shown as an example or tries something out."""
_SAMPLES: Final = regex(
    rf"(?i){_SHOWN}|(^|/)exploits?/|(?:dev|test)_?project/|placeholder|build_settings|(^|/)tests?[-_]|(^|/)(?:factories|conftest|test(?:ing)?)\.py$"
)
_NOT_DEPLOYED: Final = regex(
    rf"(?i:{_SHOWN})|(?:^|[/_. -]|(?<=[a-z0-9])(?=[A-Z]))(?i:dev(?!ic)|(?:unit)?test|mock|local(?!e|i)|debug|demo|bench|profiling|sandbox"
    r"|workbench|global_settings|(?:example|sample)_settings|settings_(?:example|sample)|ci(?=[/_. -]|$))"
)
"""Beginnings of words, in snake and camel case, for what only developers and readers run."""

_EXAMINES: Final = regex(
    r"(?i)(?:^|[/_])(?:vuln\w*|exploits?|pentest\w*|recon\w*|\w*scanners?|fuzz\w*|attacks?|mitm|brute_?force\w*)(?:[/_.]|$)"
)
"""Folders and files of programs that examine or attack servers, which they trust in nothing."""
_INVESTIGATES: Final = regex(
    r"(?i)\bvulnerab|\bexploit|\bpen(?:etration)?[- ]?test|\brecon(?:naissance)?\b|\bosint\b|\bhack(?:er|ing)|\bfuzz|\battack|\boffensive|\btakeover\b"
    r"|\bbug[- ]?bount|\bred[- ]?team|\bman[- ]in[- ]the[- ]middle|\bmitm|\b(?:web|port|network|path|subdomain|security)[\w -]{0,20} scann"
    r"|\bsecurity (?:research|test|assess|audit|toolkit)"
)
"""What such programs say of themselves in their projects' metadata."""


def is_sample(ctx: Context) -> bool:
    """Whether a file shows or tries something out, so that what stands in it is nobody's."""
    return _SAMPLES.search(ctx.path) is not None


def is_deployed(ctx: Context, node: ast.AST | None = None) -> bool:
    """Whether settings may be those of a deployed program: neither the file's path nor the name around a node says otherwise."""
    name = "" if node is None else ctx.symbol(node)
    return _NOT_DEPLOYED.search(f"{ctx.path} {name}") is None


def examines_others(ctx: Context) -> bool:
    """Whether a file is of a program that examines or attacks servers, whatever they show of themselves."""
    return ctx.once(_examines_others)


def _examines_others(ctx: Context) -> bool:
    return _EXAMINES.search(ctx.path) is not None or _INVESTIGATES.search(ctx.purpose) is not None
