"""The baseline: what is known stays quiet, as often as it was known and not once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charter.api import Finding, Location, Severity, Span
from charter.engine import baseline

if TYPE_CHECKING:
    from pathlib import Path


def finding(mark: str, line: int = 1) -> Finding:
    place = Location("a.py", Span(0, 1), line, 0, line, 1)
    return Finding("a-rule", "MNT001", place, f"message {mark}", Severity.LOW, fingerprint=mark)


marks = st.lists(st.sampled_from("abcd"))


@given(marks, marks)
def test_split_accounts_for_every_finding(old: list[str], now: list[str]) -> None:
    known_before = baseline.of(finding(m) for m in old)
    new, known, gone = known_before.split([finding(m) for m in now])
    assert len(new) + len(known) == len(now)
    assert len(known) + len(gone) == len(old)
    assert not {f.fingerprint for f in new} & {e.fingerprint for e in gone}


def test_a_moved_finding_stays_known(tmp_path: Path) -> None:
    path = tmp_path / baseline.DEFAULT_NAME
    baseline.save(path, baseline.of([finding("x", line=3)]))
    new, known, gone = baseline.load(path).split([finding("x", line=90), finding("x", line=91)])
    assert ([f.location.line for f in known], [f.location.line for f in new], gone) == ([90], [91], [])


def test_the_file_does_not_depend_on_the_order_of_findings(tmp_path: Path) -> None:
    baseline.save(tmp_path / "1", baseline.of([finding("b"), finding("a")]))
    baseline.save(tmp_path / "2", baseline.of([finding("a"), finding("b")]))
    assert (tmp_path / "1").read_text() == (tmp_path / "2").read_text()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "damaged"),
        ('{"version": 9, "findings": []}', "format 9"),
        ('{"findings": [{"rule": 1}]}', "damaged"),
    ],
)
def test_a_bad_file_is_named_with_the_remedy(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(content)
    with pytest.raises(baseline.BaselineError, match=said) as caught:
        baseline.load(path)
    assert "charter baseline" in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(baseline.BaselineError, match="no such baseline"):
        baseline.load(tmp_path / "b.json")
