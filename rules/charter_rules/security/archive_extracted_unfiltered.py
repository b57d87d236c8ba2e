"""Finds tar archives that are unpacked with all that is in them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import (
    UNKNOWN,
    Confidence,
    Fix,
    Grade,
    Severity,
    regex,
    rule,
)
from charter_rules import calls, shapes
from charter_rules.own import is_own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="SEC036",
    principles=("path-containment", "hardened-defaults"),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    cwe=(22,),
    calls=("*.extractall", "*.extract", "shutil.unpack_archive"),
    mentions=("tarfile", "unpack_archive"),
    aliases=("B202", "S202"),
    references=(
        "https://docs.python.org/3/library/tarfile.html#tarfile-extraction-filter",
        "https://peps.python.org/pep-0706/",
    ),
)
def archive_extracted_unfiltered(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Unpack tar archives through the `data` filter.

    An archive can hold absolute paths, `..`, links that lead out of the folder, devices and programs that run as their owner. The filter
    `"data"` (in all supported Pythons, and the default since 3.14) refuses them. Zip archives need no filter, and one
    member that the program names itself is put where the program wants it.

    ```python bad
    import tarfile

    def unpack(path, folder):
        with tarfile.open(path) as archive:
            archive.extractall(folder)
    #       ^^^^^^^^^^^^^^^^^^^^^^^^^^ the archive decides where its files are put: there is no `filter`
    ```
    ```python fixed
    import tarfile

    def unpack(path, folder):
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
    ```
    ```python good
    import tarfile

    def unpack(path, folder):
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
    ```
    """
    if ctx.python >= (3, 14) and calls.keyword(call, "filter") is None:
        return
    name = ctx.name(call.func)
    if name is None:
        if not isinstance(call.func, ast.Attribute) or not _is_tar(call.func.value, ctx):
            ctx.not_an_opportunity()
            return
        if calls.keyword(call, "members") is not None:
            return
    elif name != "shutil.unpack_archive":
        ctx.not_an_opportunity()
        return
    if name is not None and _is_zip(call, ctx):
        return
    chosen = calls.value(ctx, call, None, "filter", default=None)
    if (
        ctx.is_test
        or chosen not in {None, "fully_trusted"}
        or chosen is UNKNOWN
        or _is_stood_for(call, ctx)
        or _is_named_by_caller(call, ctx)
        or _is_fallback(call, ctx)
        or _checks_members(call, ctx)
    ):
        return
    fix = Fix(
        "Refuse what leads out of the folder", (ctx.set_keyword(call, "filter", '"data"'),), Grade.UNSAFE
    )
    yield ctx.finding(call, "the archive decides where its files are put: there is no `filter`", fix=fix)


def _is_zip(call: ast.Call, ctx: Context) -> bool:
    """Whether what `shutil` unpacks is a zip archive, as an argument or the ending of the path says."""
    path = calls.given(ctx, call, 0, "filename")
    return calls.value(ctx, call, 2, "format") == "zip" or (
        path is not None and _ENDS_IN_ZIP.search(ctx.source(ctx.origin(path))) is not None
    )


def _is_tar(receiver: ast.expr, ctx: Context) -> bool:
    """Whether an object is a tar archive."""
    if ctx.type_name(receiver) == "tarfile.TarFile" or re.match(
        r"tar(?:_?(?:file|ball|archive))?$", calls.identifier(receiver)
    ):
        return True
    return _opened(receiver, ctx) is not None


def _opened(receiver: ast.expr, ctx: Context) -> ast.Call | None:
    """The call that opens an archive, by the name that it is given or by a `with` around; None if it is not in sight."""
    made = ctx.origin(receiver)
    if isinstance(made, ast.Call) and ctx.name(made.func) in _OPEN:
        return made
    opened = shapes.entered(receiver, ctx)
    if isinstance(opened, ast.Call) and calls.identifier(opened.func) == "closing" and opened.args:
        opened = opened.args[0]
    return opened if isinstance(opened, ast.Call) and ctx.name(opened.func) in _OPEN else None


def _is_named_by_caller(call: ast.Call, ctx: Context) -> bool:
    """Whether one member is unpacked by a name that was there before the archive was opened, which so decides nothing.

    It is the file's own; or a parameter, or an item of one, of the function that opens the archive.
    """
    member = ctx.argument(call, 0, "member")
    if member is None or calls.identifier(call.func) != "extract":
        return False
    if is_own(member, ctx):
        return True
    function = ctx.function(call)
    opened = _opened(call.func.value, ctx) if isinstance(call.func, ast.Attribute) else None
    if not isinstance(member, ast.Name) or function is None or opened is None:
        return False
    loops = (parent for parent in ctx.ancestors(call) if isinstance(parent, ast.For))
    named = next((loop.iter for loop in loops if shapes.is_name(loop.target, member.id)), member)
    if not isinstance(named, ast.Name):
        return False
    bound = shapes.bindings(named.id, function, ctx)
    return ctx.function(opened) is function and len(bound) == 1 and isinstance(bound[0], ast.arg)


def _is_stood_for(call: ast.Call, ctx: Context) -> bool:
    """Whether a function has the name of the one that it calls, so that what is unpacked is for its callers to choose."""
    function = ctx.function(call)
    return function is not None and function.name == calls.identifier(call.func)


def _is_fallback(call: ast.Call, ctx: Context) -> bool:
    """Whether the function unpacks with a filter where Python has some, and without where it has none."""
    function = ctx.function(call)
    method = calls.identifier(call.func)
    return function is not None and any(
        other is not call
        and calls.identifier(other.func) == method
        and calls.value(ctx, other, None, "filter", default=None) not in {None, "fully_trusted"}
        for other in ctx.nodes(ast.Call, within=function)
    )


def _checks_members(call: ast.Call, ctx: Context) -> bool:
    """Whether the function looks at the members' paths itself, or at the digest of the archive."""
    around = ctx.function(call)
    if around is None:
        return False
    return _CHECKS.search(ctx.source(around)) is not None or any(
        isinstance(loop.iter, ast.Call)
        and calls.identifier(loop.iter.func) in {"getmembers", "getnames"}
        and any(_only_checks(each) for each in loop.body)
        for loop in ctx.nodes(ast.For, within=around)
    )


def _only_checks(statement: ast.stmt) -> bool:
    """Whether a statement does no more than call what is named for a check, which raises if it fails."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and _NAMED_FOR_CHECK.match(calls.identifier(statement.value.func)) is not None
    )


_CHECKS: Final = regex(
    r"commonpath|commonprefix|is_relative_to|is_within|startswith\(|realpath|\.issym|safe_|isabs\(|[\"']\.\.[\"'] in|[!=]= *[\w.]*(?:sha|digest|checksum|hash)|compare_digest"
)
"""What code does that looks at where paths lead, or whether the archive is the one that is known."""
_ENDS_IN_ZIP: Final = regex(r"""\.zip["'](?:\)*$|\.format\(|\s*%)""")
"""The end of a path of a zip archive, also where the rest is filled in."""
_NAMED_FOR_CHECK: Final = regex(r"_*(?:assert|check|ensure|guard|require|validate|verify)(?:_|[A-Z]|$)")
_OPEN: Final = frozenset(
    {"tarfile.open", "tarfile.TarFile", "tarfile.TarFile.open", "tarfile.TarFile.gzopen"}
)
