"""Solvers that are kept between edits give what a fresh one gives, whatever came before."""

from __future__ import annotations

import importlib
import marshal
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charter.analysis import ProjectInfo, clones
from charter.model.names import Names
from charter.syntax.source import Source

if TYPE_CHECKING:
    from charter.analysis import ProjectAnalysis, Solution, Solver

PATHS = {"shop/a.py": "shop.a", "shop/b.py": "shop.b", "shop/c.py": "shop.c"}
LONG = "\n".join(f"    total = total + items[{n}].price(rate, tax={n})" for n in range(14))
TEXTS = [
    "from shop.b import helper\n\nasync def run():\n    helper()\n\ndef _dead():\n    return 1\n",
    "import time\nfrom shop.c import run\n\ndef helper():\n    time.sleep(1)\n    return run\n",
    "import os\nfrom shop.a import run\n\nclass Public:\n    def work(self, a, b):\n        '''Do.\n\n        :param c: x.\n        '''\n        return a\n",
    f"def first(items, rate, total):\n{LONG}\n    return total\n",
    f"def second(things, share, amount):\n{LONG.replace('total', 'amount').replace('items', 'things').replace('rate', 'share')}\n    return amount\n",
    "LIMIT = 3\n\nclass Public:\n    LIMIT = [LIMIT, 4]\n",
    "from shop.a import *\nfrom shop.c import Public\nimport shop.b\n\nshop.b.LIMIT = 5\n",
    "import ssl\n\ndef helper(context):\n    context.check_hostname = False\n\ndef run():\n    return ssl.SSLContext()\n",
    "from shop.a import helper\nfrom shop.b import run\n\ncontext = run()\nhelper(context)\ncontext.wrap_socket(None)\n",
    "from shop.a import helper\nfrom shop.c import run\n\nif run():\n    helper(True)\nhelper(context=False)\n",
    "import warnings\n\ndef helper():\n    warnings.warn('use other', DeprecationWarning)\n\ndef run():\n    helper()\n",
    "",
]
MODULES = [
    "blocking",
    "deprecation",
    "unused",
    "public",
    "contracts",
    "docs",
    "clones",
    "imports",
    "conventions",
    "constants",
    "objects",
    "callers",
]


def analysis(name: str) -> ProjectAnalysis:
    return cast("ProjectAnalysis", cast("object", importlib.import_module(f"charter.analysis.{name}")))


def fresh(module: ProjectAnalysis) -> Solver:
    return module.Solver(ProjectInfo("/shop", (3, 11), PATHS, (), lambda _: None, {}, {}))


def extract(module: ProjectAnalysis, path: str, text: str) -> object | None:
    source = Source(path, text, PATHS[path])
    names = Names(source)
    for asked in ("shop.a.LIMIT", "shop.b.LIMIT", "shop.c.Public.LIMIT"):
        names.elsewhere.value(asked)
    for module_name in PATHS.values():
        names.elsewhere.passed(f"{module_name}.helper(0:context)")
        names.elsewhere.result(f"{module_name}.run")
    names.elsewhere.take_recent()
    found = module.extract(source, names)
    return None if found is None else marshal.loads(marshal.dumps(cast("Any", found)))


def facts(solution: Solution) -> dict[str, set[object]]:
    return {path: set(found) for path, found in solution.facts.items() if found}


@pytest.mark.parametrize("name", MODULES)
@settings(max_examples=25)
@given(edits=st.lists(st.tuples(st.sampled_from(sorted(PATHS)), st.sampled_from(TEXTS)), max_size=8))
def test_edits_lead_where_a_fresh_start_leads(name: str, edits: list[tuple[str, str]]) -> None:
    module = analysis(name)
    kept = fresh(module)
    now: dict[str, str] = {}
    for path, text in edits:
        now[path] = text
        kept.update(path, extract(module, path, text))
        kept.solve()
    new = fresh(module)
    for path, text in now.items():
        new.update(path, extract(module, path, text))
    assert facts(kept.solve()) == facts(new.solve())


@pytest.mark.parametrize("name", MODULES)
def test_a_file_that_goes_takes_its_facts_along(name: str) -> None:
    module = analysis(name)
    solver = fresh(module)
    for path, text in zip(PATHS, TEXTS, strict=False):
        solver.update(path, extract(module, path, text))
    solver.solve()
    for path in PATHS:
        solver.update(path, None)
    assert facts(solver.solve()) == {}


def test_a_long_function_of_which_nothing_can_be_read_is_no_clone() -> None:
    source = Source("a.py", "def f():\n" + "    x x x\n" * 12)
    assert clones.extract(source, Names(source)) is None


def test_syntax_that_the_host_may_not_know_is_no_error_in_a_long_function() -> None:
    body = "".join(f"    x{number} = {number}\n" for number in range(12))
    source = Source("a.py", f"def f():\n{body}    def g[T](a: T):\n        return t'{{a}}'\n    y = (\n")
    assert clones.extract(source, Names(source)) is not None
