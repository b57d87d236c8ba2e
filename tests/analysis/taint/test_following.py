"""Data is followed to where it becomes dangerous, and no further."""

from __future__ import annotations

import pytest
from cases import all_projects
from following import expected, places, solved

from charter.api import Confidence

CASES = all_projects()


@pytest.mark.parametrize("name", CASES)
def test_data_arrives_exactly_where_it_is_marked(name: str) -> None:
    assert places(solved(CASES[name])) == expected(CASES[name])


def test_a_number_that_is_no_integer_stops_nothing() -> None:
    assert solved({"a.py": "LIMIT = int(1e999)\nOTHER = int(-1e999)\n"}) == []


def test_a_method_that_only_one_of_the_things_a_name_may_hold_has_is_called_of_that_one() -> None:
    text = """\
from flask import request
class Basket: pass
def view(flag):
    held = [] if flag else Basket
    held.append(request.args["x"])
    eval(held[0])
"""
    assert places(solved({"app.py": text})) == {("app.py", 6, "code")}


CHECKED = """\
import requests
from urllib.parse import urlparse
from flask import request

def is_allowed(url):
    if urlparse(url).hostname not in {"api.example.org", "cdn.example.org"}:
        return False, "this host is not allowed"
    return True, ""

def view():
    url = request.args["url"]
    %s
    requests.get(url)
"""


@pytest.mark.parametrize(
    ("check", "lines"),
    [
        ("ok, reason = is_allowed(url)\n    if not ok:\n        return reason", ()),
        ("ok, _ = is_allowed(url)\n    print(ok)", (14,)),
        ("if not is_allowed(url):\n        return None", (14,)),
        ("ok, reason = is_allowed(url)\n    if ok:\n        return reason", (15,)),
        ("result = is_allowed(url)\n    if not result:\n        return None", (15,)),
    ],
)
def test_the_first_of_two_results_says_what_a_check_has_shown(check: str, lines: tuple[int, ...]) -> None:
    found = places(solved({"app.py": CHECKED % check}))
    assert tuple(line for _, line, kind in sorted(found) if kind == "ssrf") == lines


def test_a_function_may_give_back_an_empty_tuple() -> None:
    text = """\
from flask import request
def parts(text):
    if not text:
        return ()
    return (text, 1)
def view():
    eval(parts(request.args["x"])[0])
"""
    assert places(solved({"app.py": text})) == {("app.py", 7, "code")}


@pytest.mark.parametrize(
    ("route", "certainty"),
    [
        ("/file/<name>", Confidence.MEDIUM),
        ("/file/<string:name>", Confidence.MEDIUM),
        ("/file/<path:name>", Confidence.HIGH),
        ("/file/<uuid_str:name>", None),
    ],
)
def test_one_part_of_a_url_climbs_out_of_a_folder_with_difficulty(
    route: str, certainty: Confidence | None
) -> None:
    text = f"""\
import os
from flask import Flask
app = Flask(__name__)
@app.get("{route}")
def view(name):
    return {{"names": os.listdir("files/" + name)}}
"""
    found = [flow for flow in solved({"app.py": text}) if flow.sink_kind == "path"]
    assert [flow.certainty for flow in found] == ([certainty] if certainty else [])
    # What is above is a folder, which nobody reads as a file.
    text = text.replace("os.listdir", "open")
    found = [flow for flow in solved({"app.py": text}) if flow.sink_kind == "path"]
    assert [flow.certainty for flow in found] == ([certainty] if certainty == Confidence.HIGH else [])


KEPT = """\
from flask import request
WATCHES = {"a": 1}
def view(store, client):
    name = request.args["name"]
    %s
    return {"text": open(name).read()}
"""


@pytest.mark.parametrize(
    ("check", "count"),
    [
        ("if not WATCHES.get(name):\n        return None", 0),
        ("watch = store.watches.get(name)\n    if watch is None:\n        return None", 0),
        ("watch = store.watches.get(name)\n    if watch:\n        return None", 1),
        ("watch = store.watches.get(name)", 1),
        ("if not client.get(name):\n        return None", 1),
        ("if not request.args.get(name):\n        return None", 1),
    ],
)
def test_what_is_found_in_a_table_of_the_program_is_one_of_its_keys(check: str, count: int) -> None:
    found = [flow for flow in solved({"app.py": KEPT % check}) if flow.sink_kind == "path"]
    assert len(found) == count
