"""Functions that untrusted data comes nowhere near are not run by themselves; nothing is lost by it."""

from __future__ import annotations

import pytest
from following import flows, places, record, solved, solver

from charter.api.facts.taint import TaintFlow

REQUEST = "from flask import request\n"

REACHED = {
    "a helper that gives the request": {
        "web.py": REQUEST + "def current():\n    return request\n",
        "app.py": "from web import current\ndef act():\n    eval(current().args['x'])  # !\n",
    },
    "a helper under another name": {
        "web.py": REQUEST + "def field():\n    return request.args['x']\n",
        "app.py": "from web import field as load\ndef act():\n    eval(load())  # !\n",
    },
    "a function held by another name": {
        "web.py": REQUEST + "def field():\n    return request.args['x']\nfetch = field\n",
        "app.py": "from web import fetch\ndef act():\n    eval(fetch())  # !\n",
    },
    "a function with a name that many methods have": {
        "web.py": REQUEST + "def get():\n    return request.args['x']\n",
        "app.py": "from web import get\ndef act():\n    eval(get())  # !\n",
        "other.py": "import web\ndef act():\n    eval(web.get())  # !\n",
        "own.py": REQUEST + "def load():\n    return request.args['x']\ndef act():\n    eval(load())  # !\n",
    },
    "a function with a common name that another module hands on": {
        "web/__init__.py": "from web.parts import load\n",
        "web/parts.py": REQUEST + "def load():\n    return request.args['x']\n",
        "app.py": "import web\ndef act():\n    eval(web.load())  # !\n",
        "other.py": "from web import load\ndef act():\n    eval(load())  # !\n",
    },
    "an attribute that another method assigns": {
        "app.py": REQUEST
        + "class A:\n    def take(self):\n        self.held = request.args['x']\n    def use(self):\n        eval(self.held)  # !\n",
    },
    "a subscript": {
        "web.py": REQUEST + "class Box:\n    def __getitem__(self, key):\n        return request.args[key]\n",
        "app.py": "from web import Box\ndef act():\n    box = Box()\n    eval(box['x'])  # !\n",
    },
    "a module's variable": {
        "web.py": REQUEST + "last = ''\ndef take():\n    global last\n    last = request.args['x']\n",
        "app.py": "import web\ndef act():\n    eval(web.last)  # !\n",
    },
    "a variable of the function around": {
        "app.py": REQUEST
        + "def outer():\n    x = request.args['x']\n    def inner():\n        eval(x)  # !\n    return inner\n",
    },
    "a sink's object that a method assigns which nobody calls": {
        "app.py": REQUEST
        + "import sqlite3\nclass A:\n    def open(self):\n        self.db = sqlite3.connect('x')\n"
        + "    def find(self):\n        self.db.execute('SELECT ' + request.args['x'])  # !\n",
    },
    "a handler registered through a function": {
        "app.py": "from flask import Flask\napp = Flask(__name__)\ndef register(view):\n    app.add_url_rule('/<x>', 'x', view)\n"
        "def view(x):\n    eval(x)  # !\nregister(view)\n",
    },
    "a handler inside of a function": {
        "app.py": "from flask import Flask\ndef create():\n    app = Flask(__name__)\n    @app.route('/<x>')\n    def view(x):\n        eval(x)  # !\n    return app\n",
    },
    "a parameter that is a request by its annotation": {
        "app.py": "from flask import Request\ndef act(given: Request):\n    eval(given.args['x'])  # !\n",
    },
}


@pytest.mark.parametrize("name", REACHED)
def test_what_untrusted_data_reaches_by_roundabout_ways_is_found(name: str) -> None:
    project = REACHED[name]
    wanted = {
        (path, number)
        for path, text in project.items()
        for number, line in enumerate(text.splitlines(), 1)
        if line.endswith("# !")
    }
    assert {(path, line) for path, line, _ in places(solved(project))} == wanted


def test_a_function_that_comes_to_read_the_request_is_noticed_by_its_callers() -> None:
    engine = solver()
    before = "from flask import request\ndef fill(box):\n    box['x'] = 1\n"
    user = "from web import fill\ndef act():\n    box = {}\n    fill(box)\n    eval(box['x'])\n"
    engine.update("web.py", record("web.py", before))
    engine.update("app.py", record("app.py", user))
    assert flows(engine) == []
    engine.update("web.py", record("web.py", before.replace("= 1", "= request.args['x']")))
    assert places(flows(engine)) == {("app.py", 5, "code")}
    engine.update("web.py", record("web.py", before))
    assert flows(engine) == []


def test_a_helper_that_ends_the_request_is_run_though_nobody_uses_its_value() -> None:
    text = (
        "from flask import request, abort\ndef deny():\n    abort(403)\n"
        "def act():\n    x = request.args['x']\n    if not x.isalnum():\n        deny()\n    eval(x)\n"
    )
    assert solved({"app.py": text}) == []


def test_sinks_count_as_opportunities_wherever_they_stand() -> None:
    engine = solver()
    text = (
        "import logging, os, sqlite3\nfrom subprocess import run as go\nlog = logging.getLogger(__name__)\n"
        "def one():\n    import shelve\n    os.system('x')\n    go('y', shell=True)\n    shelve.open('z')\n    log.info('n')\n"
        "def two():\n    db = sqlite3.connect('f')\n    db.cursor().execute('SELECT 1')\n"
        "def three(db):\n    db.executescript('SELECT 1')\n    {}.get('x')\n"
    )
    engine.update("app.py", record("app.py", text))
    counts = {
        kind: number
        for (fact, kind), number in engine.solve().opportunities["app.py"].items()
        if fact is TaintFlow
    }
    assert counts["command"] == 2
    assert counts["sql"] == 2
    assert counts["log"] == 1
    assert counts["path"] >= 1
    assert "ssrf" not in counts
    engine.update("app.py", record("app.py", "import os\nos.system('x')\n"))
    assert {kind: number for (_, kind), number in engine.solve().opportunities["app.py"].items()} == {
        "command": 1
    }
