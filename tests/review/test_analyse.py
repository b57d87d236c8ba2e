"""Base and head checked together give what each gives alone, and what they share is checked once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from charter.engine import constitution, registry
from charter.review.analyse import Analysis, Side, Tools, analyse
from charter.review.git import Repository
from charter.review.snapshot import settings_of, take

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charter.api import Finding
    from review.git_project import Project

VIEWS = """\
from flask import request

from shop.store import find


def view():
    return find(request.args["name"])
"""
STORE = """\
import sqlite3


def find(name):
    return sqlite3.connect("shop.db").execute({query}).fetchall()
"""
DANGER, SAFE = "'select * from goods where name = ' + name", "'select * from goods where name = ?', (name,)"
BASE: Mapping[str, str | None] = {
    "shop/__init__.py": "",
    "shop/store.py": STORE.format(query=SAFE),
    "shop/views.py": VIEWS,
    "shop/old.py": "import shop.views\n\n\ndef late():\n    return shop.views.view()\n",
}
CHANGES: dict[str, Mapping[str, str | None]] = {
    "another file's code": {"shop/store.py": STORE.format(query=DANGER)},
    "a function more": {"shop/store.py": STORE.format(query=DANGER) + "\n\ndef added(a=[]):\n    return a\n"},
    "a file gone, one new": {
        "shop/old.py": None,
        "shop/new.py": VIEWS,
        "shop/store.py": STORE.format(query=DANGER),
    },
    "a package that is none any more": {"shop/__init__.py": None},
}


@pytest.mark.parametrize("change", CHANGES)
def test_both_trees_are_found_to_hold_what_each_holds_alone(project: Project, change: str) -> None:
    base, head = project.commit(dict(BASE)), project.commit(dict(CHANGES[change]))
    repository = Repository(project.root)
    with settings_of(repository, base) as settings:
        rules = registry.load()
        tools = Tools(settings, rules, constitution.load(rules, settings).principles)
        both = analyse(repository, base, head, tools)
        for tree, side in ((base, both.base), (head, both.head)):
            alone = Side(take(repository, tree, settings), replace(tools))
            assert side.report.failures == []
            assert _told(side.report.findings) == _told(alone.report.findings)
        assert _shared(both) == {
            path
            for path in both.base.project.paths
            if both.base.snapshot.blobs[path] == both.head.snapshot.blobs.get(path)
            and both.base.project.modules[path] == both.head.project.modules[path]
        }


def _told(findings: list[Finding]) -> list[tuple[str, str, int, str]]:
    return [(one.path, one.rule, one.location.line, one.message) for one in findings]


def _shared(both: Analysis) -> set[str]:
    """The files whose result is one for both trees."""
    base, head = both.base.results, both.head.results
    return {path for path in base if base[path] is head.get(path)}
