from __future__ import annotations

import ast

import pytest

from charter.model.modules import ModuleNames
from charter.model.names import Names, absolute_module
from charter.syntax.source import Source


def meaning(text: str, module: str = "pkg.mod", path: str = "pkg/mod.py") -> str | None:
    """What the function of the last call in a text refers to."""
    source = Source(path, text, module)
    call = source.nodes(ast.Call)[-1]
    return Names(source).qualified(call.func)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import yaml\nyaml.load()", "yaml.load"),
        ("import yaml as y\ny.load()", "yaml.load"),
        ("from yaml import load as l\nl()", "yaml.load"),
        ("import os.path\nos.path.join()", "os.path.join"),
        ("import os.path as p\np.join()", "os.path.join"),
        ("from . import x\nx.f()", "pkg.x.f"),
        ("from .x import f\nf()", "pkg.x.f"),
        ("from ..x import f\nf()", None),
        ("open()", "builtins.open"),
        ("def open(): pass\nopen()", "pkg.mod.open"),
        ("def f(open):\n    open()", None),
        ("try:\n    import yaml\nexcept ImportError:\n    yaml = None\nyaml.load()", "yaml.load"),
        ("import yaml\nload = yaml.load\nload()", "yaml.load"),
        ("import yaml\ndef f():\n    yaml = g\n    yaml.load()", None),
        ("import yaml\nclass A:\n    yaml = 1\n    def f(self):\n        yaml.load()", "yaml.load"),
        ("class A:\n    def f(self):\n        self.g()\n    def g(self): pass", "pkg.mod.A.g"),
        ("class A:\n    def f(self):\n        self.g()\n", None),
        ("class A:\n    @staticmethod\n    def f(x):\n        self.f()\n", None),
        ("import a\n[a.f() for a in b]", None),
        ("import a\n[x for x in a.f()]", "a.f"),
        ("import a\n[a for a in a.f()]", "a.f"),
        ("import a\ndef f(x=a.g()): pass", "a.g"),
        ("import a\ndef f():\n    global a\n    a.g()", "a.g"),
        ("if (m := g):\n    pass\nm()", "pkg.mod.m"),
        ("x = y\ny = x\nx()", "pkg.mod.x"),
        ("for a in b: pass\na()", None),
        ("with open() as f:\n    f.read()", None),
        ("import a\nlambda a: a.f()", None),
        ("import a\nmatch x:\n    case {'k': a}:\n        a.f()", None),
        ("import a\ntry:\n    pass\nexcept E as a:\n    a.f()", None),
        ("import a\ndef f():\n    import a as b, b as a\n    a.f()", "b.f"),
        ("import a\ndef f():\n    def a(): pass\n    a()", "pkg.mod.f.a"),
        ("import a\n[(a := x) for x in y]\ndef f():\n    a.g()", None),
        ("import a\ndef f():\n    for a, *b in c:\n        b.g()", None),
        ("from a import f\nclass A:\n    x = f()\n    def f(self): pass", "a.f"),
        ("from a import f\nclass A:\n    def f(self): pass\n    x = f()", "pkg.mod.A.f"),
        ("from a import f\nclass A:\n    f = f\n    x = f()", "a.f"),
        ("f()()", None),
    ],
)
def test_a_name_is_followed_through_imports_aliases_and_scopes(text: str, name: str | None) -> None:
    assert meaning(text) == name


@pytest.mark.parametrize(
    ("module", "path", "level", "name", "expected"),
    [
        ("a.b.c", "a/b/c.py", 1, "d", "a.b.d"),
        ("a.b", "a/b/__init__.py", 1, "d", "a.b.d"),
        ("a.b.c", "a/b/c.py", 2, None, "a"),
        ("a.b.c", "a/b/c.py", 4, "x", None),
        ("", "x.py", 1, "y", None),
    ],
)
def test_relative_imports_are_made_absolute(
    module: str, path: str, level: int, name: str | None, expected: str | None
) -> None:
    assert absolute_module(module, path, level, name) == expected


def test_modules_are_named_from_the_outermost_package() -> None:
    names = ModuleNames(
        ["src/shop/__init__.py", "src/shop/views.py", "tools/run.py", "setup.py", "my-app/main.py"]
    )
    assert names.name("src/shop/views.py") == "shop.views"
    assert names.name("src/shop/__init__.py") == "shop"
    assert names.name("tools/run.py") == "tools.run"
    assert names.name("setup.py") == "setup"
    assert names.name("my-app/main.py") == "main"


def test_scripts_of_one_name_keep_apart_by_their_folders() -> None:
    names = ModuleNames(
        ["main.py", "job-a/main.py", "job-b/v1.2/main.py", "job-b/tools.py", "job-b/tools.pyi", "src/run.py"]
    )
    assert names.name("main.py") == "main"
    assert names.name("job-a/main.py") == "job-a.main"
    assert names.name("job-b/v1.2/main.py") == "job-b.v1_2.main"
    assert names.name("job-b/tools.py") == names.name("job-b/tools.pyi") == "tools"
    assert names.name("src/run.py") == "run"


def test_a_long_row_of_aliases_is_left_alone() -> None:
    row = "".join(f"a{number} = a{number - 1}\n" for number in range(1, 3000))
    assert meaning(f"import os\na0 = os.system\n{row}a50()") == "os.system"
    assert meaning(f"import os\na0 = os.system\n{row}a2999()") != "os.system"
