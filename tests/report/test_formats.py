"""Every format: well formed, complete, and nothing of the repository breaks out of it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charter.report import FORMATS, escape, reporter
from charter.report.linehash import LineHashes
from charter.report.outcome import Outcome

from .conftest import NASTY, OTHER, TEXT

SARIF = json.loads(Path(__file__).with_name("sarif-2.1.0.json").read_text("utf-8"))


def rendered(name: str, outcome: Outcome) -> str:
    out = StringIO()
    reporter(name).render(outcome, out)
    return out.getvalue()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_renders_findings_and_none(name: str, outcome: Outcome, empty: Outcome) -> None:
    text = rendered(name, outcome)
    assert "\x1b" not in text
    text.encode("utf-8")
    assert rendered(name, outcome) == text or name == "gitlab-sast"
    rendered(name, empty).encode("utf-8")


@pytest.mark.parametrize("name", ["full", "concise", "grouped", "pylint"])
def test_line_formats_keep_names_and_messages_on_their_line(name: str, outcome: Outcome) -> None:
    text = rendered(name, outcome)
    assert not re.search(r"^(::|;|##vso)", text, re.MULTILINE)
    assert "owned\\x0a" in text


def test_full_underlines_the_place_by_columns_of_the_terminal(outcome: Outcome) -> None:
    lines = rendered("full", outcome).splitlines()
    at = next(n for n, line in enumerate(lines) if 'print("é😀", x)' in line)
    code, mark = lines[at], lines[at + 1]
    assert mark.index("^") == code.index("print")
    assert len(mark) - mark.index("^") == len('print("é😀", x)') + 1  # the emoji is two columns wide


def test_full_says_what_why_principle_flow_and_fix(outcome: Outcome) -> None:
    text = rendered("full", outcome)
    for part in (
        "critical SEC900 nasty-rule",
        "why Because it `hurts`.",
        "principle S01",
        "fix Call `safe` (--fix)",
        "1. line 1: comes in",
        f"2. {OTHER}:2: goes on",
        "Fixes: 1 with `--fix`",
        "Under 80: S01 sql-injection",
        "does <not> parse",
    ):
        assert part in text


def sarif(outcome: Outcome) -> dict[str, Any]:
    log = json.loads(rendered("sarif", outcome))
    jsonschema.validate(log, SARIF)
    return log["runs"][0]


def test_sarif_is_valid_and_carries_what_code_scanning_uses(outcome: Outcome, empty: Outcome) -> None:
    sarif(empty)
    run = sarif(outcome)
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["id"] == "nasty-rule"
    assert {"security", "external/cwe/cwe-089", "external/cwe/cwe-020", "S01"} <= set(
        rule["properties"]["tags"]
    )
    assert rule["properties"]["security-severity"] == "9.5"
    assert "# ^^^" not in rule["help"]["markdown"]
    first = run["results"][0]
    assert first["level"] == "error"
    assert set(first["partialFingerprints"]) == {"primaryLocationLineHash", "charter/v1"}
    location = first["locations"][0]["physicalLocation"]
    assert unquote(location["artifactLocation"]["uri"]) == NASTY
    assert location["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
    assert location["region"]["startLine"] == 2
    assert location["region"]["startColumn"] == 2
    assert location["region"]["snippet"]["text"] == 'print("é😀", x)'
    steps = first["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["importance"] for step in steps] == ["essential", "unimportant"]
    assert "\\[reaches\\]" in first["message"]["text"]


def test_sarif_fixes_are_the_proved_edits(outcome: Outcome) -> None:
    (fix,) = sarif(outcome)["results"][0]["fixes"]
    (change,) = fix["artifactChanges"]
    (replacement,) = change["replacements"]
    region = replacement["deletedRegion"]
    lines = TEXT.splitlines()
    assert lines[region["startLine"] - 1][region["startColumn"] - 1 : region["endColumn"] - 1] == "print"
    assert replacement["insertedContent"]["text"] == "safe"


def test_sarif_over_the_limit_keeps_the_worst_and_says_so(
    outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charter.report.sarif.MOST_RESULTS", 2)
    run = sarif(outcome)
    assert [result["properties"]["severity"] for result in run["results"]] == ["critical", "high"]
    assert "1 of 3 findings" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


class Commands:
    """What a GitHub runner reads from a log: commands with their properties."""

    def __init__(self, text: str) -> None:
        self.found: list[tuple[str, dict[str, str], str]] = []
        for line in text.splitlines():
            match = re.match(r"::(\w+) (.*?)::(.*)", line)
            if match:
                pairs = dict(pair.split("=", 1) for pair in match[2].split(","))
                self.found.append((match[1], pairs, match[3]))


def test_github_commands_cannot_be_forged_by_a_name_or_a_message(outcome: Outcome) -> None:
    text = rendered("github", outcome)
    found = Commands(text).found
    assert len(found) == len(text.splitlines()) == 4
    kind, properties, message = found[0]
    assert kind == "error"
    assert unquote(properties["file"]) == NASTY.replace("\x1b", "\\x1b")
    assert (properties["line"], properties["col"]) == ("2", "2")
    assert "%0D%0A" in message


def test_github_says_what_github_hides(outcome: Outcome) -> None:
    outcome.report.findings.extend(outcome.report.findings[:1] * 20)
    assert "13 are only in this log" not in rendered("concise", outcome)
    assert "12 are only in this log" in rendered("github", outcome)


def test_azure_commands_stay_on_their_line(outcome: Outcome) -> None:
    lines = rendered("azure", outcome).splitlines()
    assert len(lines) == 3
    for line in lines:
        properties = line.removeprefix("##vso[task.logissue ").partition(";]")[0]
        assert [pair.partition("=")[0] for pair in properties.split(";")] == [
            "type",
            "sourcepath",
            "linenumber",
            "columnnumber",
            "code",
        ]


def test_gitlab_has_what_the_widget_needs_once_each(outcome: Outcome) -> None:
    outcome.report.findings.append(outcome.report.findings[0])
    text = rendered("gitlab", outcome)
    rows = json.loads(text)
    assert not text.startswith("\ufeff")
    assert len({row["fingerprint"] for row in rows}) == len(rows) == 3
    for row in rows:
        assert row["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert row["description"]
        assert not row["location"]["path"].startswith("/")


def test_gitlab_sast_names_weaknesses(outcome: Outcome) -> None:
    report = json.loads(rendered("gitlab-sast", outcome))
    first = report["vulnerabilities"][0]
    assert {"type": "cwe", "name": "CWE-89"}.items() <= first["identifiers"][1].items()
    assert first["severity"] == "Critical"
    assert len({v["id"] for v in report["vulnerabilities"]}) == 3


@pytest.mark.parametrize("name", ["junit", "checkstyle"])
def test_xml_is_well_formed_and_keeps_the_name(name: str, outcome: Outcome) -> None:
    root = ET.fromstring(rendered(name, outcome))
    shown = NASTY.replace("\x1b", "\\x1b")
    assert shown in {element.get("name") for element in root.iter()}


def test_junit_counts_add_up(outcome: Outcome) -> None:
    root = ET.fromstring(rendered("junit", outcome))
    assert root.get("failures") == str(len(root.findall(".//failure"))) == "3"
    assert root.get("errors") == str(len(root.findall(".//error"))) == "1"
    suites = root.findall("testsuite")
    assert [int(s.get("tests", 0)) for s in suites] == [len(s.findall("testcase")) for s in suites]


def test_rdjson_counts_columns_in_bytes(outcome: Outcome) -> None:
    first = json.loads(rendered("rdjson", outcome))["diagnostics"][0]
    line = TEXT.splitlines()[1].encode()
    found = first["location"]["range"]
    assert line[found["start"]["column"] - 1 : found["end"]["column"] - 1].decode() == 'print("é😀", x)'
    assert first["suggestions"][0]["text"] == "safe"


def test_json_and_json_lines_say_the_same(outcome: Outcome) -> None:
    document = json.loads(rendered("json", outcome))
    lines = [json.loads(line) for line in rendered("jsonl", outcome).splitlines()]
    assert document["findings"] == lines
    assert document["version"] == 1
    edit = lines[0]["fixes"][0]["edits"][0]
    assert TEXT[edit["start"] : edit["end"]] == "print"
    assert document["scores"]["principles"]["sql-injection"]["score"] <= 49


def test_markdown_holds_no_markup_mention_or_link_of_the_repository(outcome: Outcome) -> None:
    text = rendered("markdown", outcome)
    outside_code = re.sub(r"(`+).*?\1", "", text)
    assert "<sink>" not in outside_code.replace("\\<", "")
    assert "@everyone" not in outside_code
    assert "](http" not in outside_code
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) in {4, 5} for row in rows)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.tags.add(tag)


def test_html_has_only_its_own_elements(outcome: Outcome) -> None:
    page = Tags()
    page.feed(rendered("html", outcome))
    assert not page.tags & {"script", "b1", "sink", "img", "iframe", "link"}
    assert "default-src 'none'" in rendered("html", outcome)


def test_paths_are_relative_to_where_the_user_stands(outcome: Outcome) -> None:
    from msgspec.structs import replace

    below = replace(outcome, strip="pkg/")
    above = replace(outcome, prefix="backend/")
    assert below.shown(OTHER) == "plain.py"
    assert below.machine(OTHER) == OTHER
    assert above.shown(OTHER) == above.machine(OTHER) == f"backend/{OTHER}"


@given(st.text())
def test_escaped_text_cannot_leave_its_place(text: str) -> None:
    assert ET.fromstring(f'<a b="{escape.xml(text)}">{escape.xml(text)}</a>').tag == "a"
    assert not re.search(r"[\r\n\x1b\u202e]", escape.visible(text))
    assert not re.search(r"[\r\n:,]", escape.command_property(text))
    assert "\n" not in escape.code_span(text)


LOREM = "Lorem ipsum dolor sit amet.\n" * 10
GREETINGS = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    "c129715d7a2bc9a3:1",
]


@pytest.mark.parametrize(
    ("text", "hashes"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        (
            " a\nb\n  \t\tc\n d",
            ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
        ),
        (
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End",
            [
                "8b7cf3e952e7aeb2:1",
                "b1ae1287ec4718d9:1",
                "bff680108adb0fcc:1",
                "c6805c5e1288b612:1",
                "b86d3392aea1be30:1",
                "e6ceba753e1a442:1",
            ],
        ),
        (" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", GREETINGS),
        (" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", GREETINGS),
        (" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", GREETINGS),
        (" hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n", GREETINGS),
        (
            LOREM,
            [
                *(f"a7f2ff13bc495cf2:{n}" for n in range(1, 7)),
                "a7f2ff1481e87703:1",
                "a9cf91f7bbf1862b:1",
                "55ec222b86bcae53:1",
                "cc97dc7b1d7d8f7b:1",
                "c129715d7a2bc9a3:1",
            ],
        ),
    ],
)
def test_line_hashes_equal_githubs_published_vectors(text: str, hashes: list[str]) -> None:
    made = LineHashes(text)
    assert [made.line(number) for number in range(1, len(hashes) + 1)] == hashes
    assert LineHashes(text).line(len(hashes)) == hashes[-1]
    assert made.line(len(hashes) + 1) == ""
