"""Bandit inside Charter's walk reports what bandit itself reports; how it is configured, and how its tests are rules."""

from __future__ import annotations

import ast
import logging
import os
import subprocess
import sys
import sysconfig
from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from charter.engine import registry
from charter.engine.bandit import Configuration, ConfigurationError, Inspector, read, rules
from charter.engine.bandit.core import load
from charter.engine.check import check_source
from charter.engine.plan import Planner
from charter.engine.settings import Settings
from charter.syntax.source import Source, decode

if TYPE_CHECKING:
    from collections.abc import Iterable

# One entry for every test of bandit; each must be reported, by bandit and by Charter.
EXAMPLES = {
    "B101": "assert x\n",
    "B102": "exec(code)\nimport exec as run\nrun(code)\n",
    "B103": "import os\nos.chmod('a', 0o777)\nos.chmod('a', 0o755)\nos.fchmod(f, 0o711)\nos.chmod('a', 0o600)\n",
    "B104": "s.bind(('0.0.0.0', 1))\n'0.0.0.0'\nx = f'{y}0.0.0.0'\n",
    "B105": (
        "password = 'a'\nself.token = 'b'\nd = {'secret': 'c', 'pwd': x}\nd['passwd'] = 'd'\nif user.pwd == 'e': pass\n"
        "if secrete == 'f' == x: pass\nage = 'password'\na, token = 'g', 'h'\n"
    ),
    "B106": "connect(host='a', password='b')\nconnect(**'c')\nconnect(tokens='d', token=e)\n",
    "B107": (
        "def f(user, password='a', *, token='b'): pass\nasync def g(password='c'): pass\n"
        "def h(secret, /, pwd='d'): pass\ndef i(token=None, pwd=x.y): pass\n"
    ),
    "B108": "open('/tmp/a')\ndef f(where='/var/tmp/b'): pass\n[x for x in '/dev/shm/c']\nx = '/tmpfs'\n",
    "B110": "try: a()\nexcept: pass\ntry: b()\nexcept Exception: pass\ntry: c()\nexcept ValueError: pass\n",
    "B112": "for x in y:\n    try: a()\n    except Exception: continue\n    else: pass\n",
    "B113": "import requests, httpx\nrequests.get(u)\nrequests.post(u, timeout=None)\nhttpx.get(u, timeout=None)\nx.get(u)\n",
    "B201": "import flask\napp = flask.Flask(__name__)\napp.run(\n    host=h,\n    debug=True)\n",
    "B202": (
        "import tarfile\nt = tarfile.open(f)\nt.extractall()\nt.extractall(members=check(t))\nt.extractall(members=[])\n"
        "t.extractall(filter='data')\n"
    ),
    "B301": "import pickle as p\nfrom dill import loads\np.loads(b)\nloads(b)\n",
    "B302": "import marshal\nmarshal.loads(b)\n",
    "B303": "from Crypto.Hash import MD5\nMD5.new()\n",
    "B304": "from Crypto.Cipher import DES\nDES.new(k)\n",
    "B305": "from cryptography.hazmat.primitives.ciphers.modes import ECB\nECB()\n",
    "B306": "from tempfile import mktemp\nmktemp()\n",
    "B307": "eval(x)\n",
    "B308": "from django.utils.safestring import mark_safe\nmark_safe(x)\n",
    "B310": "import urllib.request\nurllib.request.urlopen(u)\n",
    "B311": "import random\nrandom.random()\nrandom.choice(x)\n",
    "B312": "import telnetlib\ntelnetlib.Telnet(h)\n",
    "B313": "import xml.etree.cElementTree as e\ne.parse(f)\n",
    "B314": "from xml.etree import ElementTree\nElementTree.fromstring(s)\n",
    "B315": "import xml.sax.expatreader\nxml.sax.expatreader.create_parser()\n",
    "B316": "import xml.dom.expatbuilder as b\nb.parse(f)\n",
    "B317": "import xml.sax\nxml.sax.parseString(s, h)\n",
    "B318": "from xml.dom.minidom import parseString as p\np(s)\n",
    "B319": "from xml.dom import pulldom\npulldom.parse(f)\n",
    "B321": "import ftplib\nftplib.FTP(h)\n",
    "B323": "import ssl\nssl._create_unverified_context()\n",
    "B324": (
        "import hashlib, crypt\nhashlib.md5(b)\nhashlib.sha1(b, usedforsecurity=False)\nhashlib.new('MD5')\n"
        "crypt.crypt(p, salt=crypt.METHOD_MD5)\n"
    ),
    "B401": "import telnetlib\n",
    "B402": "from ftplib import FTP\n",
    "B403": "import cPickle, shelve\n__import__('pickle')\n",
    "B404": "import subprocess\nimport importlib\nimportlib.import_module('subprocess')\nfrom . import subprocess\n",
    "B405": "import xml.etree.ElementTree\n",
    "B406": "from xml.sax import parse\n",
    "B407": "from xml.dom import expatbuilder\n",
    "B408": "import xml.dom.minidom\n",
    "B409": "import xml.dom.pulldom\n",
    "B411": "import xmlrpc.client\n",
    "B412": "from wsgiref.handlers import CGIHandler\n",
    "B413": "import Crypto.Cipher\n",
    "B415": "import pyghmi\n",
    "B501": "import requests\nrequests.get(\n    u,\n    verify=False, timeout=1)\n",
    "B502": "import ssl\nssl.wrap_socket(ssl_version=ssl.PROTOCOL_SSLv3)\nf(\n  method=SSL.SSLv2_METHOD)\n",
    "B503": "def f(version=ssl.PROTOCOL_SSLv2): pass\n",
    "B504": "import ssl\nssl.wrap_socket()\n",
    "B505": (
        "from cryptography.hazmat.primitives.asymmetric import rsa, ec\nfrom Crypto.PublicKey import DSA\n"
        "rsa.generate_private_key(65537, 1024)\nec.generate_private_key(ec.SECT163K1)\nDSA.generate(bits=512)\n"
    ),
    "B506": "import yaml\nyaml.load(s)\nyaml.load(s, Loader=yaml.SafeLoader)\nyaml.load(s, Loader=yaml.Loader)\n",
    "B507": "import paramiko\nc.set_missing_host_key_policy(paramiko.AutoAddPolicy())\n",
    "B508": "from pysnmp.hlapi import CommunityData\nCommunityData('public', mpModel=0)\n",
    "B509": "import pysnmp.hlapi as h\nh.UsmUserData('a')\n",
    "B601": "import paramiko\nc.exec_command(x)\n",
    "B602": "import subprocess\nsubprocess.Popen(x,\n  shell=True)\nsubprocess.run('ls', shell=1)\n",
    "B603": "from subprocess import run as r\nr(['/bin/ls'])\n",
    "B604": "f(x, shell=True)\ng(shell='yes')\nh(shell=False)\n",
    "B605": "import os\nos.system(x)\nos.popen('ls')\n",
    "B606": "import os\nos.execv('/bin/ls', a)\n",
    "B607": "import subprocess\nsubprocess.run(['ls', x])\n",
    "B608": (
        "q = 'SELECT a FROM b WHERE c = ' + c\nq = f'delete from {t} where x'\nq = f'sel{x}ect * from t '\n"
        "x.execute('update %s set a = 1' % t)\nq = 'INSERT INTO t VALUES ({})'.format(v)\nq = 'select a'\n"
        "q = ('select ' + a\n     + 'from b ')\nq = 'select x from y '.replace('x', z)\n"
    ),
    "B609": "import os, subprocess\nos.system('chown a *')\nsubprocess.call('rsync *', shell=True)\n",
    "B610": "User.objects.extra(where=[x])\nUser.objects.extra(select={'a': 'b'})\nUser.objects.extra(x)\n",
    "B611": "from django.db.models.expressions import RawSQL\nRawSQL(x, [])\nRawSQL('a', [])\nRawSQL()\n",
    "B612": "import logging.config\nlogging.config.listen(1)\nlogging.config.listen(verify=f)\n",
    "B613": "x = 'a'\nif x: # \u202e check\n    y\n",
    "B614": "import torch\ntorch.load(f)\ntorch.load(f, weights_only=True)\n",
    "B615": "from transformers import AutoModel\nAutoModel.from_pretrained('a')\nAutoModel.from_pretrained('a', revision=r)\n",
    "B701": "import jinja2\njinja2.Environment()\njinja2.Environment(autoescape=False)\njinja2.Environment(autoescape=True)\n",
    "B702": "from mako.template import Template\nimport mako.template\nTemplate(x)\nmako.template.Template(x)\n",
    "B703": (
        "from django.utils.safestring import mark_safe\nx = 'a'\nmark_safe(x)\nmark_safe(y)\nmark_safe()\n"
        "def f(a):\n    b = '%s' % a\n    with c as d:\n        mark_safe(b)\n    mark_safe('{}'.format('e'))\n"
    ),
    "B704": "from markupsafe import Markup\nMarkup(x)\nMarkup('a')\n",
}

# What is hard to get right: order of imports, silence by line, places that are not the node's own.
TRICKY = [
    "loads(b)\nfrom pickle import loads\nloads(b)\n",
    "def f():\n    import pickle as x\n    return x.loads(b)\ndef g():\n    import json as x\n    return x.loads(b)\n",
    "@yaml.load(s)\ndef f(a=pickle.loads(b)) -> pickle.loads(c):\n    import pickle, yaml\n",
    "import subprocess  # nosec\nassert x  # nosec: B101\nassert y  # nosec B102\nassert z  # nosec assert_used\n",
    "subprocess.run(  # nosec B603\n    x,\n    shell=False,\n)\n",
    "q = (  # nosec\n    'select a from b where '\n    + x)\nq = ('select a from b where '  # nosec B608\n    + x)\n",
    "def f(\n    a,  # nosec\n    b='/tmp/x',\n): pass\n",
    "x = [y for y in '/tmp/a'\n    for z in '/tmp/b']  # nosec\n",
    "class A:\n    password = 'x'  # noqa: nosec\n    token: str = 'y'\n",
    "try:\n    a\nexcept (B, C):\n    pass\nexcept Exception as e:  # nosec\n    pass\n",
    "x = '''\n0.0.0.0'''\n'password' 'a'\n'''doc'''\nmatch x:\n    case '/tmp': pass\n    case {'token': '/tmp/a'}: pass\n",
    "import a.b.c as requests\nrequests.get(u)\nfrom x import requests\nrequests.get(u)\nimport requests\nrequests().get(u)\n",
    "getattr(os, 'system')(x)\n(lambda: 0)()\nf()()\n[pickle][0].loads(x)\n",
    "\n\n",
    "",
]


load()  # bandit's modules warn when they are imported, which would be an error in a test


def _bandit(folder: Path, config: str | None = None, **profile: set[str]) -> tuple[Counter[Any], set[str]]:
    """What bandit itself finds below a folder, and the files that it cannot read."""
    core = import_module("bandit.core")
    before = Path.cwd()
    os.chdir(folder)
    logging.disable(logging.CRITICAL)
    try:
        made = core.manager.BanditManager(
            core.config.BanditConfig(config), "file", profile=profile, quiet=True
        )
        made.discover_files(["."], recursive=True)
        made.run_tests()
    finally:
        logging.disable(logging.NOTSET)
        os.chdir(before)
    found: Counter[Any] = Counter()
    for issue in made.results:
        found[_normal(issue.fname), issue.lineno, issue.test_id, issue.severity, issue.confidence] += 1
    return found, {_normal(name) for name, _ in made.skipped}


def _normal(path: str) -> str:
    return Path(path).as_posix().removeprefix("./")


def _charter(
    folder: Path, configuration: Configuration | None = None, *, filtering: bool = True
) -> Counter[Any]:
    inspector = Inspector(configuration or Configuration(), filtering=filtering)
    found: Counter[Any] = Counter()
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        for issue in inspector.inspect(Source(name, decode(path.read_bytes()).text)).issues:
            found[name, issue.location.line, issue.test, issue.severity.name, issue.confidence.name] += 1
    return found


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = {f"{id_}.py": text for id_, text in EXAMPLES.items()}
    tricky = {f"tricky{number}.py": text for number, text in enumerate(TRICKY)}
    return _write(tmp_path_factory.mktemp("examples"), named | tricky)


def test_every_test_of_bandit_is_described_and_has_an_example(examples: Path) -> None:
    extensions = load().extensions
    ids = {*extensions.plugins_by_id, *extensions.blacklist_by_id}
    assert {rule.code for rule in rules()} == ids == set(EXAMPLES)
    found = {(name, id_) for name, _, id_, _, _ in _charter(examples)}
    assert {(f"{id_}.py", id_) for id_ in EXAMPLES} <= found


def test_findings_are_those_of_bandit_on_the_examples(examples: Path) -> None:
    expected, skipped = _bandit(examples)
    assert skipped == set()
    assert _charter(examples) == expected
    assert _charter(examples, filtering=False) == expected


def _installed(names: Iterable[str]) -> Iterable[Path]:
    for name in names:
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            yield from map(Path, spec.submodule_search_locations)


def test_findings_are_those_of_bandit_on_real_code(tmp_path: Path) -> None:
    """Bandit's own code, and modules of the standard library that bandit speaks of."""
    files: dict[str, str] = {}
    for folder in _installed(["bandit", "stevedore"]):
        for path in folder.rglob("*.py"):
            files[f"{folder.name}/{path.relative_to(folder).as_posix()}"] = path.read_text("utf-8")
    library = Path(sysconfig.get_paths()["stdlib"])
    for name in (
        "subprocess",
        "tarfile",
        "pickle",
        "ftplib",
        "tempfile",
        "random",
        "ssl",
        "shutil",
        "smtplib",
        "uuid",
    ):
        files[f"library/{name}.py"] = (library / f"{name}.py").read_text("utf-8")
    _write(tmp_path, files)
    expected, skipped = _bandit(tmp_path)
    assert len({key[2] for key in expected}) >= 8
    found = _charter(tmp_path)
    assert Counter({key: count for key, count in found.items() if key[0] not in skipped}) == expected


# Bandit parses with the `ast` of the Python that it runs on, and leaves out files whose syntax is newer (its issue
# list knows this as "syntax error while parsing AST from file"); Charter reads them, so it finds more there.
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the syntax is not newer than the host")
def test_finds_more_only_in_files_that_bandit_cannot_parse(tmp_path: Path) -> None:
    text = 'import yaml\ndef f[T](x: T):\n    return yaml.load(f"{x["a"]}")\n'
    _write(tmp_path, {"newer.py": text})
    assert _bandit(tmp_path) == (Counter(), {"newer.py"})
    assert [key[1:3] for key in _charter(tmp_path)] == [(3, "B506")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bandit.yaml", "skips: [B101]\nassert_used:\n  skips: ['*']\nhardcoded_tmp_directory:\n  tmp_dirs: ['/opt']\n"),
        ("pyproject.toml", "[tool.bandit]\ntests = ['B101', 'B602', 'B301', 'B404']\n"),
        ("bandit.yaml", "skips: ['B001']\nshell_injection:\n  subprocess: [my.run]\n  shell: [my.shell]\n  no_shell: []\n"),
        ("bandit.toml", "[tool.bandit]\nexclude_dirs = ['B1', 'tricky']\n[tool.bandit.try_except_pass]\ncheck_typed_exception = true\n"),
        ("bandit.yaml", "markupsafe_xss:\n  extend_markup_names: [a.Literal]\n  allowed_calls: [clean]\n"),
        ("bandit.yaml", "ssl_with_bad_version: {bad_protocol_versions: [PROTOCOL_TLSv1_2]}\nhardcoded_tmp_directory: {tmp_dirs: [7]}\n"),
    ],
)  # fmt: skip
def test_the_configuration_is_honoured(examples: Path, tmp_path: Path, name: str, text: str) -> None:
    more = "import my, a\nmy.run(x, shell=True)\nmy.shell('ls')\na.Literal(x)\na.Literal(clean(x))\ntry: x\nexcept A: pass\nf('/opt/x')\n"
    _write(
        tmp_path, {path.name: path.read_text("utf-8") for path in examples.glob("*.py")} | {"more.py": more}
    )
    (tmp_path / name).write_text(text, "utf-8")
    configuration = read(tmp_path)
    parsed = load().config(str(tmp_path / name))
    tests: list[str] = parsed.get_option("tests") or []
    skips: list[str] = parsed.get_option("skips") or []
    profile = {"include": set(tests), "exclude": set(skips)}
    expected, _ = _bandit(tmp_path, str(tmp_path / name), **profile)
    assert expected
    assert _charter(tmp_path, configuration) == expected
    # Nothing of it is left behind for another project in the same process.
    assert _charter(examples) == _bandit(examples)[0]


def test_the_options_of_a_bandit_file_are_honoured(tmp_path: Path) -> None:
    ini = "[bandit]\nskips: B101,B602\nexclude: tricky,sub\nlevel: 3\nignore-nosec: true\n"
    _write(
        tmp_path,
        {".bandit": ini, "a.py": "import os\nos.system(x)  # nosec\nassert x\n", "sub/b.py": "exec(x)\n"},
    )
    assert {(key[0], key[2]) for key in _charter(tmp_path, read(tmp_path))} == {("a.py", "B605")}


@pytest.mark.parametrize(
    ("name", "text"), [("bandit.yaml", "a: [\n"), ("bandit.yaml", "- a\n"), ("bandit.toml", "a = \n"), (".bandit", "[bandit]\nconfigfile = no.yaml\n")]
)  # fmt: skip
def test_a_configuration_that_bandit_refuses_is_named(tmp_path: Path, name: str, text: str) -> None:
    _write(tmp_path, {name: text})
    with pytest.raises(ConfigurationError, match=r"bandit cannot use (bandit|no)"):
        read(tmp_path)


def test_a_file_on_which_no_wanted_test_can_speak_is_left_alone(examples: Path) -> None:
    for id_ in sorted(EXAMPLES):
        source = Source("a.py", (examples / f"{id_}.py").read_text("utf-8"))
        found = [
            [
                issue
                for issue in Inspector(Configuration(), wanted).inspect(source).issues
                if issue.test == id_
            ]
            for wanted in (None, frozenset({id_}))
        ]
        assert found[0] == found[1]
        assert found[0]


_LOADED = """
import sys
from pathlib import Path
from charter.engine.opening import open_project
from charter.engine.run import check_project
for name in sys.argv[1:]:
    opened = open_project([Path(name)], select=["B612"])
    check_project(opened.project, opened.targets, jobs=1)
    print("bandit.core" in sys.modules)
"""


def test_bandit_is_loaded_for_a_file_on_which_a_wanted_test_can_speak_and_for_no_other(
    tmp_path: Path,
) -> None:
    _write(
        tmp_path, {"quiet.py": "x = 1\n", "loud.py": "import logging.config\n\nlogging.config.listen(9999)\n"}
    )
    files = [str(tmp_path / name) for name in ("quiet.py", "loud.py")]
    done = subprocess.run([sys.executable, "-c", _LOADED, *files], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_run_that_selects_nothing_asks_no_test_of_bandit() -> None:
    assert [rule.name for rule in registry.load().rules if rule.code in EXAMPLES and rule.default] == []


def test_tests_that_are_both_selected_and_skipped_are_named() -> None:
    with pytest.raises(ConfigurationError, match="contradict"):
        Inspector(Configuration(tests=("B101",), skips=("B101",))).inspect(Source("a.py", "assert x\n"))


def test_the_tree_is_left_as_it_was(examples: Path) -> None:
    inspector = Inspector(Configuration())
    for path in examples.glob("*.py"):
        source = Source(path.name, path.read_text("utf-8"))
        assert inspector.inspect(source) is not None
        placed = [
            node
            for node in ast.walk(source.tree)
            if hasattr(node, "lineno") or isinstance(node, ast.arguments)
        ]
        assert [node for node in placed for name in vars(node) if "bandit" in name] == []


def test_an_issue_points_at_what_is_wrong() -> None:
    text = "import subprocess as s\ns.Popen(x,\n    shell=True)\ndef f(a, token='b'):\n    try: a\n    except: pass\n"
    source = Source("a.py", text)
    places = {
        issue.test: text[slice(*issue.location.span)]
        for issue in Inspector(Configuration()).inspect(source).issues
    }
    assert places["B602"] == "shell=True"
    assert places["B107"] == "f"
    assert places["B110"] == "except: pass"


def test_an_import_alone_is_reported_on_request_only() -> None:
    source = Source("a.py", "import telnetlib\nfrom ftplib import FTP\nfrom Crypto.Cipher import AES\n")

    def found(select: list[str] | None) -> set[str]:
        plan = Planner(registry.load(), Settings(), select=select).plan("a.py")
        return {finding.code for finding in check_source(source, plan).findings if finding.code[0] == "B"}

    assert found(None) == set()
    assert found(["B4"]) == {"B401", "B402", "B413"}


def test_bandits_tests_are_rules() -> None:
    known = registry.load()
    rule = known.by_name["bandit-yaml-load"]
    assert (rule.code, rule.principles, rule.cwe) == ("B506", ("safe-deserialization",), (20,))
    planner = Planner(known, Settings(), select=["B506", "B101", "B602"])
    # What silences `S506` is for the tool that knows the test by that id; bandit's own findings heed `# nosec` alone.
    text = "import yaml\nyaml.load(a)  # noqa: S506\nyaml.load(b)  # nosec\nassert a\nexec(a)\n"
    source = Source("a.py", text)
    result = check_source(source, planner.plan("a.py"))
    bandit = [
        (finding.rule, finding.code, finding.location.line)
        for finding in result.findings
        if finding.code[0] == "B"
    ]
    assert sorted(bandit) == [("bandit-assert-used", "B101", 4), ("bandit-yaml-load", "B506", 2)]
    assert result.opportunities["bandit-yaml-load"] == 2
    assert "bandit-exec-used" not in result.opportunities


def test_bandit_can_be_switched_off() -> None:
    planner = Planner(registry.load(), Settings(bandit=False))
    result = check_source(Source("a.py", "assert x\n"), planner.plan("a.py"))
    assert [finding for finding in result.findings if finding.code.startswith("B")] == []


_FOREIGN = """
import ast, bandit
from bandit.core import test_properties as test

@test.checks("Call", "Raise", "Str")
@test.test_id("B950")
def no_print(context):
    '''**B950: No printing**'''
    name = context.call_function_name_qual
    if name == "print" or isinstance(context.node, ast.Raise) or context.string_val == "x":
        kind = type(context.node._bandit_parent).__name__
        return bandit.Issue(severity=bandit.LOW, confidence=bandit.HIGH, text=kind, cwe=78)
"""
_ASK = """
from charter.engine.bandit import *
from charter.syntax.source import Source
rule = next(rule for rule in rules() if rule.code == "B950")
print(rule.name, rule.title)
for issue in Inspector(Configuration()).inspect(Source("a.py", "print(1)\\nraise A\\ny = 'x'\\nassert y\\n")).issues:
    print(issue.test, issue.location.line, issue.message)
"""


def test_tests_that_other_packages_add_to_bandit_run_too(tmp_path: Path) -> None:
    meta = "acme_bandit-1.0.dist-info"
    files = {
        "acme_bandit.py": _FOREIGN,
        f"{meta}/METADATA": "Metadata-Version: 2.1\nName: acme-bandit\nVersion: 1.0\n",
        f"{meta}/entry_points.txt": "[bandit.plugins]\nno_print = acme_bandit:no_print\n",
    }
    _write(tmp_path, files)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", _ASK], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.splitlines() == [
        "bandit-no-print B950: No printing",
        "B950 1 Expr",
        "B950 2 Module",
        "B950 3 Assign",
        "B101 4 Use of assert detected. The enclosed code will be removed when compiling to optimised byte code",
    ]
    assert done.stderr == ""
