"""Which patterns are slow: witnesses are tried on `re` itself, look-alikes stay silent."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from charter.analysis import Coarse
from charter.analysis.regex import proof
from charter.analysis.regex.backtracking import exponential_pumps, exponential_witness, polynomial_witness
from charter.analysis.regex.patterns import facts
from charter.api.facts.regex import Regex
from charter.model.names import Names
from charter.syntax.source import Source

EXPONENTIAL = [
    r"(a|a)*$",
    r"^(a+)+$",
    r"(a*)*b",
    r"^(\w+\s?)*$",
    r'"(\\.|[^"])*"',
    r"(x+x+)+y",
    r"(-?[a-z]+)*=",
    r"(\d{1,30}){1,30}$",
]
LINEAR_OR_POLYNOMIAL = [
    r"^\w+$",
    r'"(\\.|[^"\\])*"',
    r"(?:a|ab|abc)+$",
    r"(?:[^<]|<[^/])*</",
    r"(?>(a+)+)$",
    r"(?:\d+,)*\d+$",
    r"(a+)+",
    r"^(?:[a-z]+\.)*[a-z]+$",
    r"\s+$",
]


@pytest.mark.parametrize("pattern", EXPONENTIAL)
def test_a_witness_keeps_re_busy_for_more_than_a_second(pattern: str) -> None:
    witness = exponential_witness(pattern)
    assert witness is not None
    assert witness.length <= 60
    text = witness.text(60)
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(
            [sys.executable, "-c", "import re, sys; re.search(*sys.argv[1:])", pattern, text],
            timeout=1,
            check=True,
        )


@pytest.mark.parametrize("pattern", LINEAR_OR_POLYNOMIAL)
def test_patterns_that_only_look_alike_are_not_exponential(pattern: str) -> None:
    assert exponential_witness(pattern) is None


@pytest.mark.parametrize(
    "pattern", ["(", "*", "a{3,1}", "(?P<n>a)(?P<n>b)", "[z-a]", "(" * 5000, "a" * 100_000]
)
def test_what_is_no_pattern_or_too_large_has_no_pumps(pattern: str) -> None:
    assert exponential_pumps(pattern) == ()


@pytest.mark.parametrize(
    ("pattern", "method", "slow"),
    [
        (r"\s+$", "search", True),
        (r"\s+$", "match", False),
        (r"^a*a*$", "match", True),
        (r"^[^,]*,[^,]*$", "match", False),
    ],
)
def test_quadratic_time_depends_on_the_method(pattern: str, method: str, slow: bool) -> None:
    assert (polynomial_witness(pattern, 0, method) is not None) is slow


def test_bytes_patterns_are_understood() -> None:
    witness = exponential_witness(rb"^(\d+)+$")
    assert witness is not None
    assert re.match(rb"^(\d+)+$", witness.text(4).encode("latin-1")) is None


def test_a_file_of_hostile_patterns_ends_in_bounded_time_and_says_where_it_was_left() -> None:
    text = "import re\n" + "".join(f"P{number} = re.compile(r'^(a+)+{number}$')\n" for number in range(200))
    source = Source("a.py", text)
    found = list(facts(source, Names(source)))
    proved = [fact for fact in found if isinstance(fact, Regex) and fact.problems]
    assert len(proved) == 60
    (coarse,) = [fact for fact in found if isinstance(fact, Coarse)]
    assert coarse.location.line == 62


def test_what_a_hostile_pattern_takes_of_the_time_is_not_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "_LIMIT", 0.2)
    hostile = f"^((?:{'|'.join(f'a?b?{number}?c*' for number in range(60))})*)"
    proofs = proof.Proofs()
    assert exponential_witness(f"{hostile}1$", proofs=proofs) is None
    assert proofs.are_cut
    assert exponential_witness(r"^(a+)+$", proofs=proofs) is None
    assert exponential_witness(r"^(a+)+$") is not None
