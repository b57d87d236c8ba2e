"""What a project says of libraries and of its own functions holds like what Charter ships."""

from __future__ import annotations

import pytest
from following import places, solved

OUTSIDE = "from shop.http import field\nfrom shop import db\ndef view():\n    db.run(field('x'))\n"
OWN = """\
[[source]]
names = ["shop.http.field"]
kind = "http"

[[sink]]
names = ["shop.db.run"]
kind = "sql"
"""


def test_sources_and_sinks_of_a_library_that_charter_does_not_know() -> None:
    assert solved({"app.py": OUTSIDE}) == []
    assert places(solved({"app.py": OUTSIDE}, own=OWN)) == {("app.py", 4, "sql")}


@pytest.mark.parametrize("folder", ["", "src/"])
def test_sources_and_sinks_among_the_functions_of_the_project(folder: str) -> None:
    project = {
        f"{folder}shop/__init__.py": "",
        f"{folder}shop/http.py": "def field(name):\n    return {}\n",
        f"{folder}shop/db.py": "def run(text, *values):\n    return text\n",
        f"{folder}shop/web.py": OUTSIDE,
    }
    assert solved(project) == []
    assert places(solved(project, own=OWN)) == {(f"{folder}shop/web.py", 4, "sql")}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("", True),
        ('[[sanitizer]]\nnames = ["app.clean"]\nfor = ["code"]\n', False),
        ('[[sanitizer]]\nnames = ["app.clean"]\nfor = ["sql"]\n', True),
        ('[[guard]]\nnames = ["app.check"]\nfor = "*"\noutcome = "returns"\n', False),
        ('[[exit]]\nnames = ["app.check"]\n', False),
    ],
)
def test_sanitizers_and_guards_among_the_functions_of_the_project(said: str, found: bool) -> None:
    text = (
        "from flask import request\ndef clean(x):\n    return x.strip()\ndef check(x):\n    ...\n"
        "def view():\n    x = clean(request.args['x'])\n    check(x)\n    eval(x)\n"
    )
    assert bool(solved({"app.py": text}, own=said)) is found


def test_methods_and_constructors_of_the_project() -> None:
    text = (
        "from flask import request\nclass Query:\n    def __init__(self, text):\n        ...\n"
        "    def where(self, text):\n        ...\n"
        "def view():\n    q = Query(request.args['x'])\n    q.where(request.args['y'])\n"
    )
    own = '[[sink]]\nnames = ["app.Query", "app.Query.where"]\nkind = "sql"\n'
    assert places(solved({"app.py": text}, own=own)) == {("app.py", 8, "sql"), ("app.py", 9, "sql")}


def test_a_decorator_of_the_project_makes_handlers() -> None:
    text = "def endpoint(f):\n    return f\n@endpoint\ndef view(x):\n    eval(x)\n"
    own = '[[handler]]\ndecorators = ["app.endpoint"]\nparameters = "all"\n'
    assert solved({"app.py": text}) == []
    assert places(solved({"app.py": text}, own=own)) == {("app.py", 5, "code")}
