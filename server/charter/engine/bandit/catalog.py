"""Bandit's tests as rules: what they are called, what they are evidence for, and what a reader needs to know.

The tests that bandit itself brings are described in `tests.toml`, so that rules can be listed without loading bandit.
Tests that other packages add to bandit are loaded to be asked for their ids.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import tomli

from charter.api import Confidence, Fact, Rule, Severity, regex
from charter.engine.extensions import points

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from charter.api import AnyRule, Context, Finding

_CODE: Final = regex(r"[A-Z]{1,6}\d{3}")
_DOCS: Final = "https://bandit.readthedocs.io/en/latest/"


class BanditIssue(Fact, frozen=True):
    """What one of bandit's tests reports at one place.

    Attributes:
        test: the test's id, such as `B506`.
        message: what bandit says.
        severity: how bad bandit takes it to be.
        confidence: how sure bandit is.
    """

    test: str
    message: str
    severity: Severity
    confidence: Confidence

    @property
    def kind(self) -> str:
        """The test's id."""
        return self.test


@cache
def rules() -> tuple[AnyRule, ...]:
    """A rule for every test of bandit and of the packages that extend it, in the order of their ids."""
    data = _data()
    known = [_rule(id_, cast("dict[str, Any]", entry)) for id_, entry in data.items() if id_ != "unknown"]
    foreign = [_foreign_rule(id_, name, test) for id_, name, test in _foreign_tests() if id_ not in data]
    return tuple(sorted((*known, *foreign), key=lambda rule: rule.code))


@cache
def among() -> Mapping[str, str]:
    """Among what a test found the mere use of something: `calls`, `imports` and so on, by the test's id."""
    return {id_: entry["among"] for id_, entry in _data().items() if "among" in entry}


@cache
def _data() -> dict[str, Any]:
    return tomli.loads(Path(__file__).with_name("tests.toml").read_text(encoding="utf-8"))


def _rule(id_: str, entry: Mapping[str, Any]) -> AnyRule:
    return Rule(
        check=_speaker(entry["name"]),
        subscribes=(BanditIssue,),
        code=id_,
        principles=tuple(entry["principles"]),
        severity=Severity[entry["severity"].upper()],
        confidence=Confidence[entry["confidence"].upper()],
        cwe=(entry["cwe"],),
        kinds=(id_,),
        references=(_address(id_, entry["name"]),),
        module=__name__,
        docstring=f"{entry['title']}.\n\n{entry['why']}\n\nThis is bandit's test {id_} (`{entry['name']}`).",
    )


def _speaker(name: str) -> Callable[[BanditIssue, Context], Iterable[Finding]]:
    """The check of a rule, which only passes on what bandit said; the rule is named after it."""

    def speak(issue: BanditIssue, ctx: Context) -> Iterator[Finding]:
        yield ctx.finding(issue.location, issue.message, severity=issue.severity, confidence=issue.confidence)

    speak.__name__ = f"bandit_{re.sub(r'[^a-z0-9]+', '_', name.lower())}"
    return speak


def _address(id_: str, name: str) -> str:
    """The page about a test in bandit's documentation."""
    if id_ in {"B304", "B305"}:
        return f"{_DOCS}blacklists/blacklist_calls.html#b304-b305-ciphers-and-modes"
    if "B313" <= id_ <= "B320":
        return f"{_DOCS}blacklists/blacklist_calls.html#b313-b320-{name.lower().replace('_', '-')}"
    if id_ == "B324":
        return f"{_DOCS}plugins/b324_hashlib.html"
    if id_[1] in "34":
        kind = "calls" if id_[1] == "3" else "imports"
        return f"{_DOCS}blacklists/blacklist_{kind}.html#{id_.lower()}-{name.lower().replace('_', '-')}"
    return f"{_DOCS}plugins/{id_.lower()}_{name}.html"


def _foreign_tests() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Id, name and description of the tests that other packages add to bandit."""
    for point in _foreign_points("bandit.plugins"):
        test = _load(point)
        id_ = getattr(test, "_test_id", "")
        if id_:
            yield id_, point.name, {"title": _first_line(test.__doc__)}
    for point in _foreign_points("bandit.blacklists"):
        lists = _load(point)
        made = cast("Mapping[str, Iterable[Mapping[str, Any]]]", lists() if callable(lists) else {})
        for entries in made.values():
            for entry in entries:
                yield entry["id"], entry["name"], {"title": entry["message"], "cwe": entry.get("cwe", 0)}


def _foreign_points(group: str) -> Iterator[EntryPoint]:
    for point in points(group):
        if not point.module.startswith("bandit."):
            yield point


def _load(point: EntryPoint) -> Any:
    """Load an extension of bandit; one that cannot be loaded is none, as it is for bandit."""
    from charter.engine.bandit.core import load

    load()  # bandit imports its extensions, and they import bandit: this is the order in which both succeed
    try:
        return point.load()
    except Exception:  # noqa: BLE001 (somebody else's code may throw anything)
        return None


def _first_line(doc: str | None) -> str:
    return next((line.strip("* ") for line in (doc or "").splitlines() if line.strip()), "")


def _foreign_rule(id_: str, name: str, entry: Mapping[str, Any]) -> AnyRule:
    unknown = _data()["unknown"]
    cwe = int(entry.get("cwe", 0))
    code = id_ if _CODE.fullmatch(id_) else f"BX{sum(map(ord, id_)) % 1000:03}"
    return Rule(
        check=_speaker(name),
        subscribes=(BanditIssue,),
        code=code,
        principles=(unknown["by_cwe"].get(str(cwe), unknown["principle"]),),
        cwe=(cwe,) if cwe else (),
        kinds=(id_,),
        module=__name__,
        docstring=f"{entry['title'] or name.replace('_', ' ')}\n\nThis is the test {id_} (`{name}`), added to bandit by another package.",
    )
