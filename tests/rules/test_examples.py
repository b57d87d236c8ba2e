"""Every rule's documentation and every literate test is run: marks are found, fixes made, good code left alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace

from charter.api import AnyRule
from charter.api.examples import Block, cases
from charter.engine.registry import load
from charter.mend.examples import check_case, failures

HERE = Path(__file__).parent
REGISTRY = load()
DOCUMENTED = [rule for rule in REGISTRY.rules if rule.module.startswith(REGISTRY.packs)]
"""The rules of packs. Bandit's tests have their own examples, beside bandit itself."""
DOCUMENTS = sorted(HERE.glob("*/*.md"))


@pytest.mark.parametrize("rule", DOCUMENTED, ids=lambda rule: rule.name)
def test_the_documentation_of_a_rule_holds(rule: AnyRule) -> None:
    blocks = [block for case in cases(rule.doc) for block in case.files]
    assert {"bad", "good"} <= {block.kind for block in blocks}
    assert all(block.marks for block in blocks if block.kind == "bad" and len(blocks) == 2)
    assert failures(rule, data=REGISTRY) == []


@pytest.mark.parametrize("rule", DOCUMENTED, ids=lambda rule: rule.name)
def test_a_fix_keeps_the_line_ends_of_windows(rule: AnyRule) -> None:
    for case in cases(rule.doc):
        if case.fixed:
            wrong = check_case(
                rule, replace(case, files=_of_windows(case.files), fixed=_of_windows(case.fixed)), REGISTRY
            )
            assert not any("becomes" in text for text in wrong), wrong


def _of_windows(blocks: Iterable[Block]) -> tuple[Block, ...]:
    return tuple(replace(block, code=block.code.replace("\n", "\r\n")) for block in blocks)


@pytest.mark.parametrize(
    ("document", "number"),
    [
        pytest.param(document, number, id=f"{document.stem}:{case.name or case.line}")
        for document in DOCUMENTS
        for number, case in enumerate(cases(document.read_text("utf-8")))
    ],
)
def test_an_edge_case_holds(document: Path, number: int) -> None:
    rule = REGISTRY.by_name[document.stem]
    assert check_case(rule, cases(document.read_text("utf-8"))[number], REGISTRY) == []


def test_every_document_is_named_after_a_rule_in_its_pillar() -> None:
    for document in DOCUMENTS:
        rule = REGISTRY.by_name.get(document.stem)
        assert rule is not None, f"{document.name} names no rule"
        assert f".{document.parent.name}." in rule.module, f"{document} lies in the wrong pillar"
