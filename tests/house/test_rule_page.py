"""The page for authors of rules: its example is a rule that works, and the arguments that it tells of exist."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from charter.api import AnyRule, Context, Finding, Rule, rule
from charter.mend.examples import failures

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")


def test_the_example_passes_the_test_that_is_its_documentation() -> None:
    code = re.search(r"^```python\n(@rule.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert code is not None
    scope: dict[str, object] = {
        "ast": ast, "rule": rule, "Context": Context, "Finding": Finding, "Iterator": Iterator, "__name__": "page",
    }  # fmt: skip
    exec(textwrap.dedent(code[1]), scope)
    assert failures(cast("AnyRule", scope["endless_fetch"])) == []


def test_the_arguments_that_it_tells_of_are_those_of_a_rule() -> None:
    told = set(re.findall(r"`(\w+)=", PAGE)) - {"title", "timeout"}
    assert told <= set(Rule.__struct_fields__)
    assert {"when", "excused_by", "mentions", "calls", "kinds"} <= told


def test_the_questions_that_it_tells_of_are_those_of_a_context() -> None:
    asked = set(re.findall(r"`ctx\.(\w+)\(", PAGE))
    assert asked
    assert all(callable(getattr(Context, name, None)) for name in asked)
