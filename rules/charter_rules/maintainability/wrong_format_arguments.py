"""Finds templates that have a name and are filled with other values than they ask for."""

from __future__ import annotations

import ast
import re
import string
from typing import TYPE_CHECKING

from charter.api import Severity, regex, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_PERCENT = regex(
    r"%(?:\((?P<key>[^)]*)\))?[#0\- +]*(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+))?[hlL]?(?P<kind>[a-zA-Z%])"
)
_KINDS = frozenset("diouxXeEfFgGcrsa%")


@rule(
    ast.BinOp,
    ast.Call,
    code="MNT234",
    principles=("robust-comparisons",),
    severity=Severity.HIGH,
    calls=("*.format",),
    aliases=("E1305", "E1306", "W1306", "W1308"),
    cwe=(685,),
)
def wrong_format_arguments(operation: ast.BinOp | ast.Call, ctx: Context) -> Iterator[Finding]:
    """A template is filled with too few or too many values, or with other names than it has.

    `"%s of %s" % (1,)` and `"{a} {b}".format(a=1)` raise; a value too many raises with `%` and is dropped by `format`.

    Ruff's F50x and F52x look at templates that stand right there. This rule looks at those that have a name: a constant of
    the module or of another file, or a variable that is bound once.

    ```python bad
    TEMPLATE = "%s of %s"

    def show(page):
        return TEMPLATE % (page,)
    #          ^^^^^^^^^^^^^^^^^^ the template `TEMPLATE` asks for 2 values and is given 1
    ```
    ```python bad
    TEMPLATE = "{page} of {pages}"

    def show(page, count):
        return TEMPLATE.format(page=page, count=count)
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the template `TEMPLATE` asks for `pages`, which is not given
    ```
    ```python good
    TEMPLATE = "%s of %s"

    def show(page, pages):
        return TEMPLATE % (page, pages)
    ```
    """
    if isinstance(operation, ast.BinOp):
        if not isinstance(operation.op, ast.Mod) or not isinstance(operation.left, (ast.Name, ast.Attribute)):
            ctx.not_an_opportunity()
            return
        template, check = operation.left, _percent
    else:
        func = operation.func
        if not isinstance(func, ast.Attribute) or not isinstance(func.value, (ast.Name, ast.Attribute)):
            ctx.not_an_opportunity()
            return
        template, check = func.value, _format
    if isinstance(operation, ast.BinOp) and not isinstance(operation.right, (ast.Tuple, ast.Dict)):
        return
    text = ctx.value(template)
    if not isinstance(text, str) or _may_be_overridden(template, ctx):
        return
    problem = check(text, operation)  # pyright: ignore[reportArgumentType] (chosen by what it is)
    if problem:
        yield ctx.finding(operation, f"the template `{ctx.source(template)}` asks for {problem}")


def _may_be_overridden(template: ast.expr, ctx: Context) -> bool:
    """Whether an attribute of an object is put together from others, which a class below may replace."""
    return isinstance(template, ast.Attribute) and not isinstance(
        ctx.origin(template), (ast.Constant, ast.Name, ast.Attribute)
    )


def _percent(text: str, operation: ast.BinOp) -> str:
    """How the values of `%` differ from what a template asks for; "" if they fit or nobody can tell."""
    fields = [match for match in _PERCENT.finditer(text) if match["kind"] != "%"]
    if any(match["kind"] not in _KINDS for match in fields) or any(
        "*" in (m["width"] or "") + (m["precision"] or "") for m in fields
    ):
        return ""
    names = {match["key"] for match in fields if match["key"] is not None}
    values = operation.right
    if isinstance(values, ast.Tuple):
        if any(isinstance(value, ast.Starred) for value in values.elts):
            return ""
        if names:
            return "names, and is given a tuple"
        given = len(values.elts)
        return "" if given == len(fields) else f"{_count(len(fields))} and is given {given}"
    if isinstance(values, ast.Dict) and names and all(isinstance(key, ast.Constant) for key in values.keys):
        keys = {key.value for key in values.keys if isinstance(key, ast.Constant)}
        missing = sorted(names - keys)
        return f"`{missing[0]}`, which is not given" if missing else ""
    return ""


def _format(text: str, call: ast.Call) -> str:
    """How the arguments of `format` differ from what a template asks for; "" if they fit or nobody can tell."""
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(
        k.arg is None for k in call.keywords
    ):
        return ""
    names: set[str] = set()
    numbers: set[int] = set()
    automatic = 0
    try:
        for _, field, nested, _ in string.Formatter().parse(text):
            if field is None:
                continue
            if nested and "{" in nested:
                return ""
            root = re.split(r"[.\[]", field, maxsplit=1)[0]
            if not root:
                numbers.add(automatic)
                automatic += 1
            elif root.isdigit():
                numbers.add(int(root))
            else:
                names.add(root)
    except ValueError:
        return ""
    missing = sorted(names - {keyword.arg for keyword in call.keywords if keyword.arg})
    if missing:
        return f"`{missing[0]}`, which is not given"
    wanted = max(numbers, default=-1) + 1
    return f"{_count(wanted)} and is given {len(call.args)}" if wanted > len(call.args) else ""


def _count(number: int) -> str:
    return "1 value" if number == 1 else f"{number} values"
