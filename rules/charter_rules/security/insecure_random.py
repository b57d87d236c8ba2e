"""Finds secrets that are drawn from the predictable generator of `random` or `numpy`."""

from __future__ import annotations

import ast
import itertools
import re
from typing import TYPE_CHECKING, Final

from charter.api import AddImport, Fix, Grade, Severity, regex, rule
from charter_rules import calls, protocols, secrecy, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_FUNCTIONS: Final = (
    "random", "randint", "randrange", "choice", "choices", "sample", "getrandbits", "randbytes", "uniform", "shuffle",
    "normalvariate", "gauss", "triangular", "betavariate", "expovariate",
)  # fmt: skip
_CALLS: Final = (
    *(f"random.{name}" for name in _FUNCTIONS),
    *(f"numpy.random.{name}" for name in ("rand", "randint", "random", "choice", "bytes", "random_sample")),
)
_GENERATORS: Final = frozenset({"random.Random", "numpy.random.default_rng", "numpy.random.RandomState"})
"""Generators that programs make for themselves; all can be foretold."""
_METHODS: Final = (
    "choice",
    "choices",
    "sample",
    "randint",
    "randrange",
    "getrandbits",
    "randbytes",
    "bytes",
    "integers",
)
_NUMBERED: Final = regex(
    r"(?i)(?<!reset)(?<!access)(?<!auth)(?<!api)(?<!csrf)(?<!login)(?<!password)(?:^|_)(?:session_?id|token|nonce)s?$"
)
"""Names of what protocols number, besides secrets: sessions, pings, requests."""
_BETWEEN: Final = frozenset({"randint", "randrange"})
_COUNTED: Final = regex(r"^(?:builtins\.range$|secrets\.|os\.urandom$)")
"""What is told how many to draw."""
_LENGTH: Final = regex(r"(?i)(?:^|_)(?:len(?:gth)?|size|count)$|^[kn]$|^nbytes$")
"""Keywords that tell how many to draw."""
_SAFE_SOURCE: Final = regex(r"\burandom\(|\bsecrets\.|\bSystemRandom\b")
"""What secrets are drawn from."""
_WHOLE: Final = frozenset({"randint", "randrange", "getrandbits"})
_STORES: Final = regex(r"(?i)^(my)?(session|cookies?|sess)$")
_HASHES: Final = regex(
    r"(?i)hash|crypt|hmac|pbkdf|digest|md5|sha_?\d|passw|secret|get_?salt|(?:new|make|gen\w*)_?salt"
)
"""What is done with salts, or the name of a function that makes them."""
_NAME: Final = regex(r"(?i)name$")
"""What something is called by."""
_FEW: Final = 20
"""How many to choose from are no secret."""
_MADE_BEFORE: Final = regex(r"(?i)(?:token|key|secret|password|session|account|cookie|code|nonce)s$")
"""Collections of what was made before, of which one is picked."""
_REPLACEMENTS: Final = {"choice": "choice", "randbytes": "token_bytes", "getrandbits": "randbits"}

_WEAKER: Final = regex(r"(?i)unsafe|insecure|determinis|reproduc|for_test")
"""What is said of a switch to values that can be foretold."""
_SAID_WEAK: Final = regex(
    r"(?i)not (?:a )?(?:cryptographically )?secure|testing purposes|only (?:be used )?(?:for|in) test"
)
"""What the documentation of a function says that is there to try things out."""


@rule(
    ast.Call,
    code="SEC005",
    principles=("secure-randomness",),
    severity=Severity.HIGH,
    cwe=(330, 338),
    calls=(*_CALLS, *(f"*.{name}" for name in _METHODS)),
    mentions=("random",),
    aliases=("B311", "S311"),
    references=(
        "https://docs.python.org/3/library/secrets.html",
        "https://cwe.mitre.org/data/definitions/338.html",
    ),
)
def insecure_random(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Draw tokens, passwords, keys and salts from `secrets`.

    `random` is made for simulations: whoever sees 624 of its numbers can compute all that follow, and with them
    the next password or session. `secrets` draws from the operating system's cryptographic generator. Only values
    whose name or use shows that they are secrets are reported; dice, jitter and samples are not.

    ```python bad
    import random
    import string

    def new_token():
        return "".join(random.choice(string.ascii_letters) for _ in range(32))
    #                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `new_token` is predictable: it comes from `random.choice`
    ```
    ```python fixed
    import random
    import secrets
    import string

    def new_token():
        return "".join(secrets.choice(string.ascii_letters) for _ in range(32))
    ```
    ```python good
    import random
    import secrets

    def new_token():
        return secrets.token_urlsafe(32)

    def backoff(attempt):
        return 2**attempt + random.random()
    ```
    """
    name = _drawn_by(call, ctx)
    if not name:
        ctx.not_an_opportunity()
        return
    if ctx.is_test:
        return
    function = ctx.function(call)
    if function is not None and _SAID_WEAK.search(ast.get_docstring(function) or ""):
        return
    if any(
        isinstance(parent, ast.If) and _WEAKER.search(ctx.source(parent.test))
        for parent in ctx.ancestors(call)
    ):
        return  # whoever switches it on has been told
    purpose = _purpose(call, ctx)
    last = name.rpartition(".")[2]
    if purpose and not (
        _picks_one_of_few(call, last, ctx)
        or _is_number_used_once(purpose, call, ctx)
        or _names_nobodys(purpose, call, ctx)
        or _only_counts(call, ctx)
        or _is_no_salt(purpose, call, ctx)
        or protocols.dictated(ctx, call)
        or protocols.asked_of_others(ctx, call)
    ):
        yield ctx.finding(
            call,
            f"`{purpose}` is predictable: it comes from `{ctx.source(call.func)}`",
            fix=_fix(call, last, ctx),
        )


def _drawn_by(call: ast.Call, ctx: Context) -> str:
    """The function of a generator that can be foretold, also of one that the program has made; "" for any other call."""
    name = ctx.name(call.func) or ""
    if name in _CALLS:
        return name
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    made = ctx.origin(owner) if isinstance(owner, (ast.Name, ast.Attribute, ast.Call)) else None
    module = "" if made is None else ctx.name(made) or ""
    if module in {"random", "numpy.random"}:  # kept as it is: `self._rng = random`
        return f"{module}.{calls.identifier(call.func)}"
    if not isinstance(made, ast.Call) or ctx.name(made.func) not in _GENERATORS:
        return ""
    return f"random.{calls.identifier(call.func)}"


def _picks_one_of_few(call: ast.Call, last: str, ctx: Context) -> bool:
    """Whether one of a handful of numbers, or one of what there is already, is picked once: to draw a secret takes more."""
    once = ctx.loop(call) is None and not any(
        isinstance(parent, (ast.GeneratorExp, ast.ListComp)) for parent in ctx.ancestors(call)
    )
    if not once:
        return False
    if last in _BETWEEN:
        statement = ctx.statement(call)
        drawn = [
            one for one in ctx.nodes(ast.Call, within=statement) if ctx.name(one.func) == ctx.name(call.func)
        ]
        ends = [ctx.value(one) for one in call.args]
        numbers = [one for one in ends if isinstance(one, int)]
        return len(drawn) == 1 and len(numbers) == len(ends) > 0 and max(numbers) - min([0, *numbers]) < _FEW
    if last != "choice" or not call.args:
        return False
    few = ctx.origin(call.args[0])
    if isinstance(few, (ast.List, ast.Tuple)):
        return len(few.elts) < _FEW
    if _MADE_BEFORE.search(calls.identifier(call.args[0])):
        return True
    is_piece = isinstance(ctx.parent(call), (ast.BinOp, ast.FormattedValue, ast.List, ast.Tuple, ast.Set))
    return not is_piece and not isinstance(ctx.value(call.args[0]), str)


def _is_number_used_once(purpose: str, call: ast.Call, ctx: Context) -> bool:
    """Whether a protocol has a plain number for a value that need not be secret, but new, or Python one for its attributes."""
    if _NUMBERED.search(secrecy.snake(purpose)) is None or calls.identifier(call.func) not in _WHOLE:
        return False
    child: ast.AST = call
    parent = ctx.parent(call)
    while (isinstance(parent, ast.BinOp) and not isinstance(parent.op, (ast.Add, ast.Mod))) or (
        isinstance(parent, ast.Call) and shapes.is_name(parent.func, "int")
    ):
        child, parent = parent, ctx.parent(parent)
    if isinstance(parent, (ast.Assign, ast.AnnAssign, ast.Return)) and parent.value is child:
        return not _is_written_out(parent, ctx)
    return False


def _only_counts(call: ast.Call, ctx: Context) -> bool:
    """Whether a number only tells how many are drawn: `range(size - 2)`, `secrets.token_bytes(size)`, at once or under a name."""
    reads = shapes.reads_of_result(call, ctx)
    users = [_user(read, ctx) for read in ([call] if reads is None else reads)]
    return bool(users) and all(_is_count(user, ctx) for user in users)


def _user(number: ast.expr, ctx: Context) -> ast.AST | None:
    """What takes a number, or what is computed of it."""
    user = ctx.parent(number)
    while isinstance(user, ast.BinOp):
        user = ctx.parent(user)
    return user


def _is_count(user: ast.AST | None, ctx: Context) -> bool:
    """Whether what takes a number wants to know how many: `range(number)`, `make_password(length=number)`."""
    if isinstance(user, ast.keyword):
        return _LENGTH.search(user.arg or "") is not None
    return isinstance(user, ast.Call) and _COUNTED.search(ctx.name(user.func) or "") is not None


def _is_no_salt(purpose: str, call: ast.Call, ctx: Context) -> bool:
    """Whether what is called a salt stands where nothing is hashed or encrypted."""
    function = ctx.function(call)
    return (
        function is not None
        and re.search(r"(?i)salt", purpose) is not None
        and _HASHES.search(ctx.source(function)) is None
    )


def _names_nobodys(purpose: str, call: ast.Call, ctx: Context) -> bool:
    """Whether a name that locks, runs and messages have too stands where nothing speaks of people, or for OAuth's nonce."""
    function = ctx.function(call)
    if function is None or _NUMBERED.search(purpose) is None or "." in purpose:
        return False
    if _only_names(call, ctx):
        return True
    if "nonce" in purpose.lower() and "time(" in ctx.source(ctx.statement(call)):
        return True  # it only has to be new
    if "nonce" in purpose.lower():
        return re.search(r"(?i)oauth|boundary", f"{ctx.path} {ctx.symbol(call)}") is not None
    if "token" in purpose.lower() and _is_spelt(call, ctx):
        return "boundary" in function.name
    return secrecy.is_nobodys(purpose, call, ctx) or "boundary" in function.name


def _only_names(call: ast.Call, ctx: Context) -> bool:
    """Whether all that a value goes into is a name that something is called by: `self.name = f"channel-{nonce}"`."""
    becomes = [list(calls.destinations(ctx, read)) for read in shapes.reads_of_statement(call, ctx)]
    return bool(becomes) and all(names and _NAME.search(names[-1]) is not None for names in becomes)


def _is_spelt(call: ast.Call, ctx: Context) -> bool:
    """Whether letters are drawn and joined: what is only counted or told apart is a number."""
    statement = ctx.statement(call)
    return any(
        isinstance(parent, ast.Call)
        and isinstance(parent.func, ast.Attribute)
        and parent.func.attr == "join"
        and isinstance(parent.func.value, ast.Constant)
        and ctx.statement(parent) is statement
        for parent in ctx.ancestors(call)
    )


def _is_written_out(statement: ast.Assign | ast.AnnAssign | ast.Return, ctx: Context) -> bool:
    """Whether a number is made a text of later, as cookies and links need it."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
    function = ctx.function(statement)
    if not isinstance(target, ast.Name) or function is None:
        return False
    return any(
        isinstance(parent := ctx.parent(use), (ast.FormattedValue, ast.BinOp))
        or (isinstance(parent, ast.Call) and calls.identifier(parent.func) in {"str", "hex", "format"})
        for use in shapes.reads_in(target.id, function, ctx)
    )


def _purpose(call: ast.Call, ctx: Context) -> str:
    """The name that shows that a random value is a secret; "" if none does."""
    names = [name for name in calls.destinations(ctx, call) if name]
    function = ctx.function(call)
    if function is not None:
        if _feeds_return(call, function, ctx):
            names.append(function.name)
            class_ = ctx.class_(function)
            if class_ is not None and class_.name.endswith("Generator"):
                names.append(class_.name)
            names += [told.identifier for told in ctx.results(function)]
        names += [use for name in list(names) for use in _later_uses(name, function, ctx)]
    for name in names:
        if secrecy.is_secret(name) or name == "set_cookie":
            return name
    return "key" if secrecy.is_key(call, ctx) else ""


def _feeds_return(call: ast.Call, function: ast.AST, ctx: Context) -> bool:
    """Whether the value, or the variable that holds it, is what the function returns."""
    statement = ctx.statement(call)
    if isinstance(statement, ast.Return):
        return True
    target = _gatherer(statement, call)
    if isinstance(statement, (ast.Assign, ast.AugAssign)):
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    if not isinstance(target, ast.Name):
        return False
    if _SAFE_SOURCE.search(ctx.source(function)):
        return False  # the number only says which part of that is taken
    return any(
        isinstance(node, ast.Return) and node.value is not None and target.id in ast.unparse(node.value)
        for node in ctx.walk(function, into_functions=False)
    )


def _gatherer(statement: ast.stmt, call: ast.Call) -> ast.expr | None:
    """The list that a statement adds a value to, or puts in another order: `drawn.append(choice(letters))`, `shuffle(letters)`."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return None
    done = statement.value
    if done is call:
        return call.args[0] if calls.identifier(call.func) == "shuffle" and call.args else None
    adds = (
        isinstance(done.func, ast.Attribute) and done.func.attr in {"append", "extend"} and call in done.args
    )
    return done.func.value if adds and isinstance(done.func, ast.Attribute) else None


def _later_uses(name: str, function: shapes.FunctionNode, ctx: Context) -> Iterator[str]:
    """What a variable becomes: a session's item, a cookie, a keyword with a telling name."""
    for use in shapes.reads_in(name, function, ctx):
        parent = ctx.parent(use)
        if isinstance(parent, ast.keyword) and parent.arg:
            yield parent.arg
        elif isinstance(parent, ast.Call) and ctx.name(parent.func) == "builtins.str":
            yield from calls.destinations(ctx, parent)
        elif isinstance(parent, (ast.BinOp, ast.FormattedValue)):
            becomes = calls.destinations(ctx, use)
            # A field of what a function is given is not what the function returns.
            yield from itertools.islice(becomes, 1) if _is_field(use, ctx) else becomes
        elif isinstance(parent, ast.Assign) and parent.value is use:
            target = parent.targets[0]
            if isinstance(target, ast.Subscript) and _STORES.match(calls.identifier(target.value)):
                yield "session_key"
            else:
                yield calls.identifier(target)
        elif (
            isinstance(parent, ast.Call)
            and use in parent.args
            and calls.identifier(parent.func) == "set_cookie"
        ):
            yield "set_cookie"


def _is_field(use: ast.expr, ctx: Context) -> bool:
    """Whether a value goes into a dictionary that is given to a function."""
    is_in_dictionary = False
    for parent in ctx.ancestors(use):
        if isinstance(parent, ast.stmt):
            return False
        if isinstance(parent, ast.Dict):
            is_in_dictionary = True
        elif isinstance(parent, ast.Call) and is_in_dictionary:
            return True
    return False


def _fix(call: ast.Call, last: str, ctx: Context) -> Fix | None:
    if not (ctx.name(call.func) or "").startswith("random."):
        return None
    source = ctx.source(call.func)
    if last in _REPLACEMENTS and not call.keywords:
        new = f"secrets.{_REPLACEMENTS[last]}"
    elif last == "shuffle" or source == "random.random" or last in _FUNCTIONS:
        new = f"secrets.SystemRandom().{last}"
    else:
        return None
    return Fix(f"Draw from `{new}`", (ctx.replace(call.func, new), AddImport("secrets")), Grade.UNSAFE)
