"""Small handlers, each with what flows in them: `# !kind` marks a line where data must arrive; elsewhere none may."""

from __future__ import annotations

import textwrap

PRELUDE = """\
import os
import re
import sqlite3
import subprocess
from pathlib import Path
from flask import Flask, abort, redirect, request, session
app = Flask(__name__)
db = sqlite3.connect("x.db")
"""

BODIES: dict[str, str] = {
    # Propagation
    "direct": 'x = request.args["x"]\neval(x)  # !code',
    "f-string": 'x = request.args.get("x")\ndb.execute(f"SELECT * FROM t WHERE a = \'{x}\'")  # !sql',
    "percent": 'x = request.form["x"]\ndb.execute("SELECT * FROM t WHERE a = \'%s\'" % x)  # !sql',
    "percent tuple": 'x = request.form["x"]\ndb.execute("SELECT %s FROM t WHERE a = \'%s\'" % ("a", x))  # !sql',
    "format": 'x = request.form["x"]\ndb.execute("SELECT * FROM t WHERE a = \'{}\'".format(x))  # !sql',
    "format named": 'x = request.form["x"]\ndb.execute("SELECT * FROM t WHERE a = \'{v}\'".format(v=x))  # !sql',
    "join": 'x = request.form["x"]\ndb.execute(" ".join(["SELECT * FROM t WHERE a =", x]))  # !sql',
    "augmented": 'q = "SELECT * FROM t WHERE a = "\nq += request.form["x"]\ndb.execute(q)  # !sql',
    "list element": 'x = [1, request.args["x"]]\neval(x[1])  # !code',
    "other element": 'x = ["1", request.args["x"]]\neval(x[0])',
    "popped": 'x = ["1", request.args["x"]]\nx.pop(0)\neval(x[0])  # !code',
    "popped away": 'x = [request.args["x"], "1"]\nx.pop(0)\neval(x[0])',
    "appended": 'x = []\nx.append(request.args["x"])\neval(x[0])  # !code',
    "dict key": 'd = {"a": "1", "b": request.args["x"]}\neval(d["b"])  # !code',
    "other key": 'd = {"a": "1", "b": request.args["x"]}\neval(d["a"])',
    "overwritten": 'x = request.args["x"]\nx = "1"\neval(x)',
    "unpacked": 'a, b = "1", request.args["x"]\neval(b)  # !code',
    "unpacked other": 'a, b = "1", request.args["x"]\neval(a)',
    "comprehension": 'xs = [v.strip() for v in request.args.getlist("x")]\neval(xs[0])  # !code',
    "loop": 'for v in request.args.getlist("x"):\n    eval(v)  # !code',
    "walrus": 'if (x := request.args.get("x")):\n    eval(x)  # !code',
    "conditional": 'x = request.args["x"] if request.args.get("y") else "1"\neval(x)  # !code',
    "match": 'match request.args["x"]:\n    case str() as v:\n        eval(v)  # !code',
    "with": 'with open("a") as f:\n    eval(request.args["x"])  # !code',
    "try": 'try:\n    x = request.args["x"]\nexcept KeyError:\n    x = "1"\neval(x)  # !code',
    "lambda": 'f = lambda v: v + "1"\neval(f(request.args["x"]))  # !code',
    "nested function": 'x = request.args["x"]\ndef inner():\n    return eval(x)  # !code\ninner()',
    "star arguments": 'def run(*args):\n    return eval(args[0])  # !code\nrun(request.args["x"])',
    "keyword arguments": 'def run(**kw):\n    return eval(kw["v"])  # !code\nrun(v=request.args["x"])',
    "partial": 'import functools\nf = functools.partial(eval, request.args["x"])\nf()  # !code',
    "getattr constant": 'run = getattr(subprocess, "run")\nrun(request.args["x"], shell=True)  # !command',
    "attribute": 'class Box: pass\nb = Box()\nb.v = request.args["x"]\neval(b.v)  # !code',
    "other attribute": 'class Box: pass\nb = Box()\nb.v = request.args["x"]\nb.w = "1"\neval(b.w)',
    "json": 'import json\nd = json.loads(request.data)\neval(d["x"])  # !code',
    "bytes": 'eval(request.data.decode("utf-8"))  # !code',
    "base64": 'import base64\neval(base64.b64decode(request.args["x"]))  # !code',
    # Constants and dead branches
    "dead branch": 'x = request.args["x"]\nif 7 * 18 + 2 > 200:\n    eval(x)',
    "live branch": 'x = request.args["x"]\nif 7 * 18 + 100 > 200:\n    eval(x)  # !code',
    "match constant": 'x = request.args["x"]\nmatch "ABC"[1]:\n    case "A":\n        eval(x)\n    case "B":\n        pass',
    "membership of constants": 'x = request.args["x"]\nif "s" in "should":\n    x = "1"\neval(x)',
    # Guards
    "reject and return": 'x = request.args["x"]\nif not x.isdigit():\n    return {}\neval(x)',
    "no reject": 'x = request.args["x"]\nif not x.isdigit():\n    print(x)\neval(x)  # !code',
    "allowed": 'x = request.args["x"]\nif x in ("a", "b"):\n    eval(x)',
    "not allowed": 'x = request.args["x"]\nif x not in ("a", "b"):\n    eval(x)  # !code',
    "equal": 'x = request.args["x"]\nif x == "1":\n    eval(x)',
    "full match": 'x = request.args["x"]\nif re.fullmatch(r"[a-z]+", x):\n    eval(x)',
    "match without end": 'x = request.args["x"]\nif re.match(r"[a-z]+", x):\n    eval(x)  # !code',
    "compiled match": 'P = re.compile(r"^\\w+$")\nx = request.args["x"]\nif not P.match(x):\n    abort(400)\neval(x)',
    "int": 'x = int(request.args["x"])\ndb.execute(f"SELECT * FROM t WHERE a = {x}")',
    "int as check": 'x = request.args["x"]\nint(x)\ndb.execute(f"SELECT * FROM t WHERE a = {x}")',
    "remembered test": 'x = request.args["x"]\nok = x.isalnum()\nif ok:\n    eval(x)',
    "checked part": 'x = request.args["x"]\nif x.split(".")[-1] in ("txt", "csv"):\n    open(x)  # !path',
    "an element that a helper checks": 'def ok(v):\n    return v.isalnum()\nx = request.args.getlist("x")[0]\nif not ok(x):\n    abort(404)\nopen(x)',
    "an element that a helper rejects": 'def check(v):\n    if not v.isalnum():\n        abort(404)\nx = request.args.getlist("x")[0]\ncheck(x)\nopen(x)',
    "a part that a helper checks": 'def ok(v):\n    return v in ("txt", "csv")\nx = request.args["x"]\nif not ok(x.split(".")[-1]):\n    abort(404)\nopen(x)  # !path',
    "a named part that a helper checks": 'def ok(v):\n    return v in ("txt", "csv")\nx = request.args["x"]\nend = x.split(".")[-1]\nif not ok(end):\n    abort(404)\nopen(end)\nopen(x)  # !path',
    "all characters": 'x = request.args["x"]\nif all(c.isalnum() for c in x):\n    eval(x)',
    "checked again": 'if request.args["x"].isdigit():\n    eval(request.args["x"])',
    "checked another": 'if request.args["y"].isdigit():\n    eval(request.args["x"])  # !code',
    # Contexts of sinks
    "parameters": 'x = request.args["x"]\ndb.execute("SELECT * FROM t WHERE a = ?", (x,))',
    "argument list": 'subprocess.run(["ls", request.args["x"]])  # !argument',
    "argument behind the options": 'subprocess.run(["ls", "--", request.args["x"]])',
    "argument of an option": 'subprocess.run(["ls", "--ignore=" + request.args["x"]])',
    "text in two steps": 'x = request.form["x"]\nq = "SELECT * FROM t WHERE a = \'" + x\nq = q + "\'"\nunknown.execute(q)  # !sql',
    "program": 'subprocess.run([request.args["x"]])  # !command',
    "shell in list": 'subprocess.run(["sh", "-c", request.args["x"]])  # !command',
    "quoted": 'import shlex\nos.system("ls " + shlex.quote(request.args["x"]))',
    "html escape is no sql": 'import html\nx = html.escape(request.args["x"])\ndb.execute("SELECT \'" + x + "\' FROM t")  # !sql',
    "redirect host": 'return redirect("https://example.com/" + request.args["x"])',
    "redirect open host": 'return redirect("https://example.com" + request.args["x"])  # !redirect',
    "redirect slash": 'return redirect("/" + request.args["x"])  # !redirect',
    "redirect checked": 'from urllib.parse import urlparse\nx = request.args["x"]\nif urlparse(x).netloc == "example.com":\n    return redirect(x)',
    "redirect relative": 'from urllib.parse import urlparse\nx = request.args["x"]\nif urlparse(x.replace("\\\\", "/")).netloc:\n    abort(400)\nreturn redirect(x)',
    "redirect relative, or behind a backslash": 'from urllib.parse import urlparse\nx = request.args["x"]\nif urlparse(x).netloc:\n    abort(400)\nreturn redirect(x)  # !redirect',
    "traversal joined": 'x = request.args["x"]\nif ".." in x:\n    abort(400)\nopen(os.path.join("/srv", x))  # !path',
    "traversal appended": 'x = request.args["x"]\nif ".." in x:\n    abort(400)\nopen("/srv/" + x)',
    "normalised, then checked": 'p = os.path.normpath("/srv/" + request.args["x"])\nif not p.startswith("/srv/"):\n    abort(400)\nopen(p)',
    "checked, then normalised": 'p = "/srv/" + request.args["x"]\nif not p.startswith("/srv/"):\n    abort(400)\nopen(os.path.normpath(p))  # !path',
    "resolved and contained": 'b = Path("/srv")\np = (b / request.args["x"]).resolve()\nif p.is_relative_to(b):\n    p.read_text()',
    "not resolved": 'b = Path("/srv")\np = b / request.args["x"]\nif p.is_relative_to(b):\n    p.read_text()  # !path',
    "secure filename": 'from werkzeug.utils import secure_filename\nf = request.files["f"]\nf.save("/srv/" + secure_filename(f.filename))',
    "upload name": 'f = request.files["f"]\nf.save("/srv/" + f.filename)  # !path',
    "returned page": 'return "<b>" + request.args["x"] + "</b>"  # !xss',
    "returned tuple": 'return request.args["x"], 200  # !xss',
    "returned json": 'return {"x": request.args["x"]}',
    "returned escaped": 'import html\nreturn "<b>" + html.escape(request.args["x"]) + "</b>"',
    "session": 'session["x"] = request.args["x"]  # !trust',
}
"""Bodies of one Flask handler, by name."""


def project(body: str) -> dict[str, str]:
    """A body as a project of one file."""
    handler = '@app.post("/")\ndef handler():\n' + textwrap.indent(body, "    ") + "\n    return {}\n"
    return {"app.py": f"{PRELUDE}\n{handler}"}


PROJECTS: dict[str, dict[str, str]] = {
    "helper in another file": {
        "web.py": "from flask import Flask, request\nfrom store import find\napp = Flask(__name__)\n"
        '@app.get("/")\ndef view():\n    find(request.args["x"])\n    return {}\n',
        "store.py": "import sqlite3\ndef find(name):\n    db = sqlite3.connect('x')\n"
        "    return db.execute('SELECT * FROM t WHERE n = ' + name)  # !sql\n",
    },
    "validator in another file": {
        "web.py": "from flask import Flask, request\nfrom checks import is_name, demand\napp = Flask(__name__)\n"
        '@app.get("/")\ndef view():\n    x = request.args["x"]\n    if not is_name(x):\n        return {}\n    eval(x)\n'
        '    y = request.args["y"]\n    demand(y)\n    eval(y)\n    return {}\n',
        "checks.py": "import re\ndef is_name(v):\n    return v is not None and re.fullmatch('[a-z]+', v) is not None\n"
        "def demand(v):\n    if not v.isalnum():\n        raise ValueError(v)\n",
    },
    "two callers of one helper": {
        "web.py": "from flask import Flask, request\napp = Flask(__name__)\ndef same(v):\n    return v\n"
        '@app.get("/")\ndef view():\n    a = same(request.args["x"])\n    b = same("1")\n    eval(b)\n    eval(a)  # !code\n    return {}\n',
    },
    "fields of an object": {
        "web.py": "from flask import Flask, request\nimport sqlite3\napp = Flask(__name__)\n"
        "class Wrapper:\n    def __init__(self, req):\n        self.req = req\n    def get(self, name):\n"
        "        return self.req.form.get(name)\n    def fixed(self, name):\n        return 'bar'\n"
        "class Store:\n    def __init__(self):\n        self.db = sqlite3.connect('x')\n    def find(self, q):\n"
        "        return self.db.execute(q)  # !sql\n"
        '@app.post("/")\ndef view():\n    w = Wrapper(request)\n    eval(w.fixed("x"))\n'
        '    Store().find("SELECT * FROM t WHERE a = " + w.get("x"))\n    return {}\n',
    },
    "handlers inside init": {
        "web.py": "from flask import request\ndef init(app):\n    @app.route('/a', methods=['GET'])\n    def a():\n"
        "        return b()\n    @app.route('/b', methods=['POST'])\n    def b():\n"
        "        eval(request.form['x'])  # !code\n        return {}\n",
    },
    "typed routes": {
        "web.py": "from flask import Flask\nimport sqlite3\napp = Flask(__name__)\ndb = sqlite3.connect('x')\n"
        "@app.get('/a/<int:n>')\ndef a(n):\n    db.execute(f'SELECT * FROM t WHERE a = {n}')\n    return {}\n"
        "@app.get('/b/<name>')\ndef b(name):\n    db.execute(f'SELECT * FROM t WHERE a = {name}')  # !sql\n    return {}\n",
    },
    "re-exported and aliased": {
        "web.py": "from flask import Flask, request as r\nimport pkg as p\napp = Flask(__name__)\n"
        "@app.get('/')\ndef view():\n    p.execute(r.args['x'])\n    return {}\n",
        "pkg/__init__.py": "from .inner import run as execute\n",
        "pkg/inner.py": "import os as system\ndef run(c):\n    system.system(c)  # !command\n",
    },
    "inherited method": {
        "web.py": "from flask import request\nfrom flask.views import MethodView\nclass Base(MethodView):\n"
        "    def get(self):\n        return self.show(request.args['x'])\n    def show(self, v):\n        return {}\n"
        "class Page(Base):\n    def show(self, v):\n        eval(v)  # !code\n        return {}\n",
    },
    "recursion": {
        "web.py": "from flask import Flask, request\napp = Flask(__name__)\ndef walk(v, n):\n"
        "    if n == 0:\n        return v\n    return walk(v, n - 1)\n"
        "@app.get('/')\ndef view():\n    eval(walk(request.args['x'], 3))  # !code\n    return {}\n",
    },
    "callback": {
        "web.py": "from flask import Flask, request\napp = Flask(__name__)\ndef apply(f, v):\n    return f(v)\n"
        "@app.get('/')\ndef view():\n    apply(eval, '1')\n    apply(lambda v: eval(v), request.args['x'])  # !code\n    return {}\n",
    },
    "generator": {
        "web.py": "from flask import Flask, request\napp = Flask(__name__)\ndef parts(v):\n    for p in v.split(','):\n        yield p\n"
        "@app.get('/')\ndef view():\n    for p in parts(request.args['x']):\n        eval(p)  # !code\n    return {}\n",
    },
    "validator that rejects by exception": {
        "web.py": "from flask import Flask, request\napp = Flask(__name__)\n@app.get('/')\ndef view():\n    x = request.args['x']\n"
        "    try:\n        int(x)\n    except ValueError:\n        return {}\n    eval(x)\n    return {}\n",
    },
}
"""Projects of several functions or files, by name."""


def all_projects() -> dict[str, dict[str, str]]:
    """Every case as a project."""
    return {**{name: project(body) for name, body in BODIES.items()}, **PROJECTS}
