"""Patterns of the standard library: how long the engine thinks about them, and whether what it calls slow is slow."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import pytest

from charter.analysis.regex.backtracking import exponential_witness
from charter.model.names import Names
from charter.model.values import Values
from charter.syntax.source import Source

MODULES = (
    "_strptime", "base64", "calendar", "configparser", "csv", "difflib", "doctest", "email._header_value_parser",
    "email.feedparser", "email.header", "email.utils", "fnmatch", "fractions", "gettext", "html", "html.parser",
    "http.client", "http.cookiejar", "http.cookies", "imaplib", "inspect", "json.decoder", "json.scanner", "locale",
    "mailcap", "mimetypes", "netrc", "nturl2path", "optparse", "pkgutil", "platform", "poplib", "posixpath", "pprint",
    "pydoc", "shlex", "smtplib", "ssl", "string", "sysconfig", "tarfile", "textwrap", "tokenize", "tomllib._re",
    "traceback", "turtle", "urllib.parse", "urllib.request", "uuid", "warnings", "wsgiref.headers", "zipfile",
)  # fmt: skip


def patterns() -> list[str]:
    """The constant patterns of some modules, as the rules see them."""
    found: set[str] = set()
    for module in MODULES:
        spec = (
            importlib.util.find_spec(module) if module.partition(".")[0] in sys.stdlib_module_names else None
        )
        if spec is None or not spec.origin or not spec.origin.endswith(".py"):
            continue
        source = Source(f"{module}.py", Path(spec.origin).read_text("utf-8"), module)
        names = Names(source)
        values = Values(source, names)
        for call in source.nodes(ast.Call):
            if (names.qualified(call.func) or "").startswith("re.") and call.args:
                value = values.value(call.args[0])
                if isinstance(value, str):
                    found.add(value)
    return sorted(found)


@pytest.fixture(scope="module")
def known() -> list[str]:
    return patterns()


def test_the_engine_answers_at_once(known: list[str]) -> None:
    assert len(known) > 80
    exponential_witness(r"^\w+$")
    slow = 0
    for pattern in known:
        started = time.process_time()
        exponential_witness(pattern)
        slow += time.process_time() - started > 0.05
    assert slow <= len(known) // 100


def test_what_is_called_slow_is_slow(known: list[str]) -> None:
    for pattern in known:
        witness = exponential_witness(pattern)
        if witness is None:
            continue
        assert witness.length <= 60
        code = "import re, sys; re.search(*sys.argv[1:])"
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run([sys.executable, "-c", code, pattern, witness.text(60)], timeout=1, check=True)
