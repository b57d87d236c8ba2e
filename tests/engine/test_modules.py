"""Packages and scripts of one name in several folders of a repository, each with its own root on `sys.path`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from charter.engine.opening import open_project
from charter.engine.run import check_project

if TYPE_CHECKING:
    from pathlib import Path

CALLER = """import app.tools
from app import tools
from app.tools import fetch, send


async def view():
    fetch("a")
    send("a")
    tools.send("a")
    app.tools.send("a")
"""
SLOW = "import time\n\n\ndef fetch(name):\n    time.sleep(3)\n\n\ndef send(name):\n    print(name)\n"
PLAIN = "def fetch(name):\n    print(name)\n\n\ndef send(name, value):\n    print(name, value)\n"
MODELS = """from django.db import models


class City(models.Model):
    name = models.TextField()


class Customer(models.Model):
    city = models.{kind}


class Order(models.Model):
    customer = models.ForeignKey("shop.Customer", on_delete=models.CASCADE)
"""
VIEWS = """from shop.models import Order


def names():
    return [order.customer.city.name for order in Order.objects.select_related("customer")]
"""


def found(root: Path, files: dict[str, str], select: str) -> set[tuple[str, int]]:
    for name, text in {"charter.toml": "", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    opened = open_project([root], select=[select])
    report = check_project(opened.project, opened.targets)
    return {(finding.path, finding.location.line) for finding in report.findings}


@pytest.mark.parametrize(
    "folders", [("a", "b"), ("services/web-shop", "services/v1.2"), ("", "docs/tour"), ("a/src", "b")]
)
def test_a_call_goes_into_the_nearest_package_of_its_name(tmp_path: Path, folders: tuple[str, str]) -> None:
    files = {
        f"{folder}/{name}".lstrip("/"): text
        for folder, tools in zip(folders, (SLOW, PLAIN), strict=True)
        for name, text in (
            ("app/__init__.py", ""),
            ("app/tools.py", tools),
            ("app/views.py", CALLER),
            ("run.py", "from app.tools import send\n\nsend(1)\n"),
        )
    }
    slow, plain = (f"{folder}/".lstrip("/") for folder in folders)
    assert found(tmp_path, files, "blocking-call-in-async") == {(f"{slow}app/views.py", 7)}
    wrong = {(f"{plain}app/views.py", line) for line in (8, 9, 10)} | {(f"{plain}run.py", 3)}
    assert found(tmp_path, files, "wrong-arguments") == wrong


def test_a_script_takes_what_lies_beside_it(tmp_path: Path) -> None:
    handler = "from tools import send\n\n\ndef handle(event, context):\n    send(event)\n"
    files = {"job-a/tools.py": SLOW, "job-b/tools.py": PLAIN}
    files |= {"job-a/handler.py": handler, "job-b/handler.py": handler}
    assert found(tmp_path, files, "wrong-arguments") == {("job-b/handler.py", 5)}


def test_the_models_of_two_django_projects_are_not_mixed(tmp_path: Path) -> None:
    files = {
        f"{project}/shop/{name}": text
        for project, kind in (("a", "ForeignKey('City', models.CASCADE)"), ("b", "JSONField()"))
        for name, text in (("__init__.py", ""), ("models.py", MODELS.format(kind=kind)), ("views.py", VIEWS))
    }
    assert found(tmp_path, files, "n-plus-one-query") == {("a/shop/views.py", 5)}


def test_a_library_is_not_taken_for_examples_that_are_named_after_it(tmp_path: Path) -> None:
    main = "from flask import Flask\n\napp = Flask('a')\napp.run(debug=True)\n"
    files = {
        f"{folder}/flask/{name}": text
        for folder in ("docs", "examples")
        for name, text in (("__init__.py", ""), ("main.py", main))
    }
    assert found(tmp_path, files, "debug-enabled") == {
        ("docs/flask/main.py", 4),
        ("examples/flask/main.py", 4),
    }


def test_parts_of_one_namespace_stay_one_package(tmp_path: Path) -> None:
    files = {
        f"{part}/acme/{name}": text
        for part in ("core", "web")
        for name, text in (("__init__.py", ""), (f"{part}/__init__.py", ""), (f"{part}/tools.py", PLAIN))
    }
    files["web/acme/web/views.py"] = "from acme.core.tools import send\n\nsend(1)\n"
    assert found(tmp_path, files, "wrong-arguments") == {("web/acme/web/views.py", 3)}
