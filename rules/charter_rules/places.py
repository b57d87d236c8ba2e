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
    rf"(?i){_SHOWN}|(^|/)exploits?/|dev_?project/|placeholder|build_settings|(^|/)tests?[-_]|(^|/)(?:factories|conftest|test)\.py$"
)
_NOT_DEPLOYED: Final = regex(
    rf"(?i:{_SHOWN})|(?:^|[/_. -]|(?<=[a-z0-9])(?=[A-Z]))(?i:dev(?!ic)|(?:unit)?test|mock|local(?!e|i)|debug|demo|bench|profiling|sandbox"
    r"|workbench|global_settings|(?:example|sample)_settings|settings_(?:example|sample)|ci(?=[/_. -]|$))"
)
"""Beginnings of words, in snake and camel case, for what only developers and readers run."""


def is_sample(ctx: Context) -> bool:
    """Whether a file shows or tries something out, so that what stands in it is nobody's."""
    return _SAMPLES.search(ctx.path) is not None


def is_deployed(ctx: Context, node: ast.AST | None = None) -> bool:
    """Whether settings may be those of a deployed program: neither the file's path nor the name around a node says otherwise."""
    name = "" if node is None else ctx.symbol(node)
    return _NOT_DEPLOYED.search(f"{ctx.path} {name}") is None
