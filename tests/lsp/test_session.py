"""Sessions with the real server: findings, fixes and what else an editor shows."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from lsp.client import MODERN, Client, edited, eventually, insert, plain, replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Start = Callable[..., Client]

BAD = "def f(a):\n    return a == None\n"
"""One finding with a fix: `singleton-comparison` in line 1."""


def codes(items: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return sorted((item["code"], item["range"]["start"]["line"]) for item in items)


def rules(items: list[dict[str, Any]], code: str = "singleton-comparison") -> list[dict[str, Any]]:
    return [item for item in items if item["code"] == code]


def test_a_finding_says_what_why_and_where_to_read_on(start: Start, tmp_path: Path) -> None:
    client = start()
    uri = client.open(tmp_path / "a.py", BAD)
    (item,) = client.pull(uri)["items"]
    assert item["range"] == {"start": {"line": 1, "character": 11}, "end": {"line": 1, "character": 20}}
    assert (item["source"], item["code"]) == ("charter", "singleton-comparison")
    assert "robust-comparisons" in item["message"]
    assert item["codeDescription"]["href"].endswith("/singleton-comparison.md")
    hover = client.request(
        "textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 1, "character": 13}}
    )
    assert "`==` compares with" in hover["contents"]["value"]
    assert "python bad" not in hover["contents"]["value"]
    assert "###" not in hover["contents"]["value"]
    assert client.close() == 0


def test_a_pull_of_what_is_known_is_answered_as_unchanged(start: Start, tmp_path: Path) -> None:
    client = start()
    uri = client.open(tmp_path / "a.py", BAD)
    first = client.pull(uri)
    assert client.pull(uri, first["resultId"]) == {"kind": "unchanged", "resultId": first["resultId"]}
    client.change(uri, 2, insert(0, 0, "\n"))
    assert codes(client.pull(uri, first["resultId"])["items"]) == [("singleton-comparison", 2)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_pushed_findings_carry_version_and_right_columns(start: Start, tmp_path: Path, encoding: str) -> None:
    client = start(plain(encoding))
    assert "diagnosticProvider" not in client.capabilities
    text = 's = "😀😀é"; t = s == None\n'
    uri = client.open(tmp_path / "a.py", text)
    (item,) = rules(client.published_for(uri, 1))
    before = text[: text.index("s == None")]
    size = {
        "utf-8": len(before.encode()),
        "utf-16": len(before.encode("utf-16-le")) // 2,
        "utf-32": len(before),
    }
    assert item["range"]["start"]["character"] == size[encoding]
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    client.wait(lambda: client.published[uri][-1]["diagnostics"] == [])


def test_a_superseded_version_is_never_published(start: Start, tmp_path: Path) -> None:
    client = start(plain("utf-16"))
    uri = client.open(tmp_path / "a.py", BAD * 30)
    client.published_for(uri, 1)
    for version in range(2, 42):
        client.change(uri, version, insert(0, 0, "#"))
    client.published_for(uri, 41)
    versions = [one["version"] for one in client.published[uri]]
    assert versions == sorted(versions)


def test_a_quick_fix_is_proved_when_chosen_and_carries_the_version(start: Start, tmp_path: Path) -> None:
    client = start()
    uri = client.open(tmp_path / "a.py", BAD)
    (item,) = client.pull(uri)["items"]
    action = next(one for one in client.actions(uri, item) if one["title"].startswith("Compare with"))
    assert "edit" not in action
    resolved = client.request("codeAction/resolve", action)
    (change,) = resolved["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": 1}
    assert edited(BAD, change["edits"]) == BAD.replace("== None", "is None")
    # It is not certain to keep the meaning, so the client is to ask.
    (annotation,) = resolved["edit"]["changeAnnotations"].values()
    assert annotation["needsConfirmation"]


def test_a_fix_for_a_text_that_is_gone_is_refused(start: Start, tmp_path: Path) -> None:
    client = start()
    uri = client.open(tmp_path / "a.py", BAD)
    (item,) = client.pull(uri)["items"]
    action = next(one for one in client.actions(uri, item) if one["title"].startswith("Compare with"))
    client.change(uri, 2, replace(1, 11, 1, 20, "a"))
    assert client.answer(client.ask("codeAction/resolve", action))["error"]["code"] == -32801


def test_a_client_that_cannot_resolve_gets_whole_actions(start: Start, tmp_path: Path) -> None:
    client = start(plain("utf-16"))
    uri = client.open(tmp_path / "a.py", BAD)
    (item,) = client.published_for(uri, 1)
    action = next(one for one in client.actions(uri, item) if one["title"].startswith("Compare with"))
    assert edited(BAD, action["edit"]["changes"][uri]) == BAD.replace("== None", "is None")


def test_ignoring_silences_and_the_reason_has_its_place(start: Start, tmp_path: Path) -> None:
    client = start()
    uri = client.open(tmp_path / "a.py", BAD)
    (item,) = client.pull(uri)["items"]
    for title, line in (("here", 1), ("in this file", 0)):
        action = next(one for one in client.actions(uri, item) if one["title"].endswith(title))
        (change,) = client.request("codeAction/resolve", action)["edit"]["documentChanges"]
        (edit,) = change["edits"]
        assert edit["range"]["start"]["line"] == line
        assert "${1:" in edit["snippet"]["value"]
        silenced = edited(BAD, change["edits"])
        other = client.open(tmp_path / f"b{line}.py", silenced)
        assert rules(client.settled(other)) == []


def test_ignoring_in_the_settings_creates_or_extends_the_list(start: Start, tmp_path: Path) -> None:
    client = start()
    (tmp_path / "charter.toml").write_text('ignore = ["mutable-default"]\n')
    uri = client.open(tmp_path / "a.py", BAD)
    client.pull(uri)
    arguments = [{"uri": uri, "rule": "singleton-comparison"}]
    client.request(
        "workspace/executeCommand", {"command": "charter.ignoreInSettings", "arguments": arguments}
    )
    (change,) = client.applied[0]["documentChanges"]
    text = edited((tmp_path / "charter.toml").read_text(), change["edits"])
    assert text == 'ignore = ["mutable-default", "singleton-comparison"]\n'
    (tmp_path / "charter.toml").write_text(text)
    watched = {"changes": [{"uri": (tmp_path / "charter.toml").as_uri(), "type": 2}]}
    client.notify("workspace/didChangeWatchedFiles", watched)
    eventually(lambda: client.pull(uri)["items"] == [])


def test_broken_code_keeps_what_parses_and_tells_the_error_once(start: Start, tmp_path: Path) -> None:
    client = start()
    text = BAD + "\n\n" + BAD.replace("f(", "g(")
    uri = client.open(tmp_path / "a.py", text)
    assert codes(client.pull(uri)["items"]) == [("singleton-comparison", 1), ("singleton-comparison", 5)]
    client.change(uri, 2, insert(3, 0, "def broken(a, b=[\n"))
    items = client.pull(uri)["items"]
    assert codes(rules(items)) == [("singleton-comparison", 1), ("singleton-comparison", 6)]
    assert codes(rules(items, "syntax-error")) == [("syntax-error", 3)]
    # Even in the statement that is broken, what is not being typed at stays.
    client.change(uri, 3, insert(5, 5, "("))
    items = client.pull(uri)["items"]
    assert ("singleton-comparison", 6) in codes(items)
    assert len(rules(items, "syntax-error")) == 1


def test_in_sync_below_form_feeds_and_unicode_separators(start: Start, tmp_path: Path) -> None:
    client = start()
    uri = client.open(tmp_path / "a.py", 'x = "\u2028"\r\n\f\n' + BAD)
    assert codes(rules(client.pull(uri)["items"])) == [("singleton-comparison", 3)]
    client.change(uri, 2, insert(2, 0, "y = 1\n"))
    assert codes(rules(client.pull(uri)["items"])) == [("singleton-comparison", 4)]


def test_suppressions_complete_hover_and_link(start: Start, tmp_path: Path) -> None:
    client = start()
    text = "x = 1  # charter: ignore[singleton-comparison]\n# charter: ignore[\n"
    uri = client.open(tmp_path / "a.py", text)
    client.settled(uri)
    document = {"textDocument": {"uri": uri}}
    eventually(lambda: client.request("textDocument/documentLink", document))
    (link,) = client.request("textDocument/documentLink", document)
    assert link["range"]["start"] == {"line": 0, "character": 25}
    hover = client.request("textDocument/hover", document | {"position": {"line": 0, "character": 30}})
    assert "singleton-comparison" in hover["contents"]["value"]
    found = client.request("textDocument/completion", document | {"position": {"line": 1, "character": 18}})
    assert "singleton-comparison" in {item["label"] for item in found["items"]}
    found = client.request("textDocument/completion", document | {"position": {"line": 0, "character": 2}})
    assert found == []


def test_lenses_score_the_file_and_what_is_wrong_in_it(start: Start, tmp_path: Path) -> None:
    client = start()
    uri = client.open(tmp_path / "a.py", BAD)
    lenses = client.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
    assert lenses[0]["command"]["title"].startswith("Charter ")
    assert "1 finding" in lenses[1]["command"]["title"]
    assert lenses[1]["range"]["start"]["line"] == 0


def test_hints_are_off_until_asked_for(start: Start, tmp_path: Path) -> None:
    client = start()
    text = "def f(a):\n    if a:\n        raise ValueError(a)\n"
    uri = client.open(tmp_path / "a.py", text)
    everywhere = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    params = {"textDocument": {"uri": uri}, "range": everywhere}
    assert client.request("textDocument/inlayHint", params) == []
    client.notify("workspace/didChangeConfiguration", {"settings": {"charter": {"inlayHints": True}}})
    (hint,) = client.request("textDocument/inlayHint", params)
    assert hint["label"] == "raises ValueError"
    assert hint["position"] == {"line": 0, "character": 8}


def test_settings_that_break_are_shown_and_the_last_good_ones_stay(start: Start, tmp_path: Path) -> None:
    client = start(plain("utf-16"))
    settings = tmp_path / "charter.toml"
    settings.write_text('ignore = ["singleton-comparison"]\n')
    uri = client.open(tmp_path / "a.py", BAD)
    assert client.published_for(uri, 1) == []
    settings.write_text('ignore = ["singleton-comparison"\n\nbroken = = 1\n')
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": settings.as_uri(), "type": 2}]})
    client.wait(lambda: client.published.get(settings.as_uri()))
    (item,) = client.published[settings.as_uri()][-1]["diagnostics"]
    assert item["severity"] == 1
    assert client.published[uri][-1]["diagnostics"] == []
    settings.write_text("")
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": settings.as_uri(), "type": 2}]})
    client.wait(lambda: client.published[settings.as_uri()][-1]["diagnostics"] == [])
    client.wait(lambda: client.published[uri][-1]["diagnostics"] != [])
    assert not [params for method, params in client.heard if method == "window/showMessage"]


def test_nested_settings_hold_for_their_folder(start: Start, tmp_path: Path) -> None:
    client = start()
    (tmp_path / "sub").mkdir()
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "sub" / "pyproject.toml").write_text("[tool.charter]\nignore = ['singleton-comparison']\n")
    assert rules(client.pull(client.open(tmp_path / "a.py", BAD))["items"])
    assert not rules(client.pull(client.open(tmp_path / "sub" / "b.py", BAD))["items"])


def test_a_notebook_is_one_program_with_findings_by_cell(start: Start, tmp_path: Path) -> None:
    client = start()
    cells = [f"vscode-notebook-cell:{tmp_path}/n.ipynb#c{number}" for number in range(3)]
    texts = [
        "%matplotlib inline\nfiles = !ls\nx = 1\n",
        "if x == None:\n    !ls\n",
        "%%bash\nif [ x == None ]\n",
    ]
    uri = (tmp_path / "n.ipynb").as_uri()
    notebook = {
        "uri": uri,
        "notebookType": "jupyter-notebook",
        "version": 1,
        "cells": [{"kind": 2, "document": cell} for cell in cells],
    }
    documents = [
        {"uri": cell, "languageId": "python", "version": 1, "text": text}
        for cell, text in zip(cells, texts, strict=True)
    ]
    client.notify("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": documents})
    assert client.pull(cells[0])["items"] == []
    (item,) = client.pull(cells[1])["items"]
    assert (item["code"], item["range"]["start"]) == ("singleton-comparison", {"line": 0, "character": 3})
    assert client.pull(cells[2])["items"] == []
    action = next(one for one in client.actions(cells[1], item) if one["title"].startswith("Compare with"))
    (change,) = client.request("codeAction/resolve", action)["edit"]["documentChanges"]
    assert change["textDocument"]["uri"] == cells[1]
    assert edited(texts[1], change["edits"]) == "if x is None:\n    !ls\n"
    content = [{"document": {"uri": cells[1], "version": 2}, "changes": [insert(0, 0, "y = 2\n")]}]
    change = {"notebookDocument": {"uri": uri, "version": 2}, "change": {"cells": {"textContent": content}}}
    client.notify("notebookDocument/didChange", change)
    (item,) = client.pull(cells[1])["items"]
    assert item["range"]["start"]["line"] == 1


def test_everything_is_answered_and_rudeness_is_survived(start: Start, tmp_path: Path) -> None:
    client = start()
    answer = client.answer(client.ask("charter/unknown", {}))
    assert answer["error"]["code"] == -32601
    client.notify("$/unknown", {})
    client.send_raw(b"{not json")
    client.send_raw(b'"text"')
    client.change((tmp_path / "never.py").as_uri(), 3, insert(0, 0, "x"))
    assert client.answer(client.ask("textDocument/hover", {"nonsense": 1}))["error"]["code"] == -32602
    for number, text in enumerate(
        ["x = 1\x00\n", "x = '\\ud800'\n", "x = '" + "a" * 1_000_000 + "'\n", "\ufeff\fimport os\n"]
    ):
        client.pull(client.open(tmp_path / f"w{number}.py", text, save=False))
    for uri in ("untitled:Untitled-1", "git:/x/a.py?ref=HEAD", "file:///c%3A/proj/a.py"):
        item = {"uri": uri, "languageId": "python", "version": 1, "text": BAD}
        client.notify("textDocument/didOpen", {"textDocument": item})
        assert rules(client.pull(uri)["items"])
    assert client.close() == 0


@pytest.mark.parametrize(
    "text", ["x = " + "(" * 100_000 + ")" * 100_000, "x = " + "-" * 30_000 + "1", "x = " + "[" * 3_000]
)
def test_hostile_nesting_harms_nobody_else(start: Start, tmp_path: Path, text: str) -> None:
    client = start()
    good = client.open(tmp_path / "good.py", BAD)
    client.pull(good)
    hostile = client.open(tmp_path / "hostile.py", text + "\n")
    assert client.pull(hostile)["items"] != []
    client.change(good, 2, insert(0, 0, "\n"))
    assert codes(rules(client.pull(good)["items"])) == [("singleton-comparison", 2)]


def test_a_killed_checker_comes_back(start: Start, tmp_path: Path) -> None:
    client = start()
    uri = client.open(tmp_path / "a.py", BAD)
    client.pull(uri)
    status = client.request("workspace/executeCommand", {"command": "charter.status"})
    os.kill(status["processes"]["checker"]["pid"], signal.SIGKILL)
    client.change(uri, 2, insert(0, 0, "\n"))
    eventually(lambda: codes(rules(client.pull(uri)["items"])) == [("singleton-comparison", 2)])


def test_a_request_is_cancelled_at_once(start: Start, tmp_path: Path) -> None:
    client = start()
    uri = client.open(tmp_path / "a.py", BAD * 800)
    begun = time.perf_counter()
    number = client.ask("textDocument/diagnostic", {"textDocument": {"uri": uri}})
    client.notify("$/cancelRequest", {"id": number})
    assert client.answer(number)["error"]["code"] == -32800
    answered = time.perf_counter()
    client.pull(uri)
    assert answered - begun < time.perf_counter() - answered


def test_nothing_of_the_workspace_is_imported(start: Start, tmp_path: Path) -> None:
    for name in ("yaml", "libcst", "msgspec", "json", "charter_rules", "tomli"):
        (tmp_path / f"{name}.py").write_text("import pathlib\npathlib.Path('ran').touch()\n")
    client = start()
    assert rules(client.pull(client.open(tmp_path / "a.py", BAD))["items"])
    assert client.close() == 0
    # (`-P`, or the installed command, keeps the current folder off the path; the server does so for its own processes)
    assert not (tmp_path / "ran").exists()


def test_the_workspace_is_shown_by_choice_and_streamed(start: Start, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    for number in range(5):
        (tmp_path / f"m{number}.py").write_text(BAD)
    client = start(MODERN, index=True, diagnosticScope="workspace")
    client.pull(client.open(tmp_path / "a.py", BAD))

    def reports() -> list[Any]:
        answer = client.request("workspace/diagnostic", {"previousResultIds": [], "partialResultToken": "t"})
        parts = [p["value"]["items"] for m, p in client.heard if m == "$/progress" and p["token"] == "t"]
        return answer["items"] + [item for part in parts for item in part]

    eventually(lambda: len({item["uri"] for item in reports()}) >= 5)
    assert all(rules(item["items"]) for item in reports() if item["uri"].endswith("m1.py"))
    # What an excluded file had goes with it.
    known = {"uri": (tmp_path / "m1.py").as_uri(), "value": "older"}
    (tmp_path / "charter.toml").write_text('exclude = ["m1.py"]\n')
    settings = {"uri": (tmp_path / "charter.toml").as_uri(), "type": 1}
    client.notify("workspace/didChangeWatchedFiles", {"changes": [settings]})

    def left() -> list[Any]:
        answer = client.request("workspace/diagnostic", {"previousResultIds": [known]})
        return [item["items"] for item in answer["items"] if item["uri"] == known["uri"]]

    eventually(lambda: left() == [[]])


MODELS = """from django.db import models

class Owner(models.Model):
    name = models.CharField(max_length=9)

class Pet(models.Model):
    owner = models.ForeignKey(Owner, on_delete=models.CASCADE)
"""
VIEWS = """from django.shortcuts import render
from zoo.models import Pet

def pets(request):
    return render(request, "pets.html", {"pets": Pet.objects.all()})
"""


def test_what_a_template_repeats_is_shown_there_too_and_goes_with_its_cause(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "zoo" / "templates").mkdir(parents=True)
    (tmp_path / "zoo" / "__init__.py").write_text("")
    (tmp_path / "zoo" / "models.py").write_text(MODELS)
    template = tmp_path / "zoo" / "templates" / "pets.html"
    template.write_text("<p>é</p>\n{% for pet in pets %}{{ pet.owner.name }}{% endfor %}\n")
    client = start(MODERN, index=True)
    uri = client.open(tmp_path / "zoo" / "views.py", VIEWS)

    def shown() -> list[Any]:
        sent = [
            p["diagnostics"]
            for m, p in client.heard
            if m == "textDocument/publishDiagnostics" and p["uri"] == template.as_uri()
        ]
        return sent[-1] if sent else []

    eventually(lambda: bool(shown()))
    (item,) = shown()
    assert item["code"] == "n-plus-one-query"
    assert item["message"].startswith("`{{ pet.owner.name }}` runs one")
    assert item["range"]["start"] == {"line": 1, "character": 21}
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    eventually(lambda: not shown())


def test_all_safe_fixes_of_a_file_at_once(start: Start, tmp_path: Path) -> None:
    client = start()
    uri = client.open(tmp_path / "a.py", "import os\n" + BAD + BAD.replace("f(", "g("))
    items = rules(client.settled(uri))
    (action,) = client.actions(uri, items[0], "source.fixAll")
    assert action["kind"] == "source.fixAll.charter"
    same = next(one for one in client.actions(uri, items[0]) if one["title"].startswith("Fix all `singleton"))
    edit = client.request("codeAction/resolve", same)["edit"]
    (change,) = edit["documentChanges"]
    assert "== None" not in edited("import os\n" + BAD + BAD.replace("f(", "g("), change["edits"])
    assert edit["changeAnnotations"]


def test_a_rule_is_fixed_in_the_whole_workspace_open_or_not(start: Start, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "b.py").write_text(BAD)
    client = start(MODERN, index=True)
    uri = client.open(tmp_path / "a.py", BAD)
    client.change(uri, 2, insert(0, 0, "x = 1\n"))
    (item,) = rules(client.settled(uri))
    titles = {action["title"]: action for action in client.actions(uri, item)}
    command = titles["Fix all `singleton-comparison` in the workspace"]["command"]
    parameters = {"command": command["command"], "arguments": command["arguments"]}
    assert client.request("workspace/executeCommand", parameters)["applied"]
    (edit,) = client.applied
    assert edit["changeAnnotations"]
    texts = {uri: "x = 1\n" + BAD, (tmp_path / "b.py").as_uri(): BAD}
    for change in edit["documentChanges"]:
        old = texts.pop(change["textDocument"]["uri"])
        assert edited(old, change["edits"]) == old.replace("== None", "is None")
    assert not texts
