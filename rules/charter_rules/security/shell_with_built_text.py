"""Finds shell commands that are put together from text. Where the parts come from is not asked."""

from __future__ import annotations

import ast
import re
import shlex
from typing import TYPE_CHECKING, Final

from charter.api import Confidence, Fix, Grade, Severity, regex, rule
from charter.api.facts.taint import OwnText
from charter_rules import building, calls, commands, growing, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from charter.api import Context, Finding
    from charter_rules.building import Piece
from charter_rules.own import is_own

_META: Final = regex(r"[|&;<>()$`\\\"'*?\[\]#~{}\n!]")
_PROGRAM: Final = regex(
    r"(?i)(?:^|_)(?:prog(?:ram)?|cmdline|executable|binary|editor|pager|browser)$|tables_path$|cmd$|command$"
)
"""Names of what a command line begins with on purpose: behind other text they are text like any other."""
_NUMBER: Final = regex(r"(?:^|_)(?:p?pid|pgid|uid|gid|port|length|size|count|bits)$")
"""Names of numbers: of what there is how much, and those of processes, users and services."""
_OPTIONS: Final = regex(r"(?i)(?:^|_)(?:options?|opts|args|arguments|flags?|switch(?:es)?|params)$")
"""Names of what is several words of a command line on purpose."""
_QUOTES: Final = frozenset({"shlex.quote", "shlex.join", "pipes.quote", "subprocess.list2cmdline"})

_DEEPEST: Final = 8
"""How many calls and names a path is followed through; `path = abspath(path)` has no end."""


@rule(
    ast.Call,
    code="SEC003",
    principles=("command-injection",),
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    cwe=(78,),
    calls=(*commands.WITH_SWITCH, *commands.SHELLS),
    aliases=("B602", "B605", "S602", "S605"),
    excused_by=(OwnText,),
    references=(
        "https://docs.python.org/3/library/subprocess.html#security-considerations",
        "https://cwe.mitre.org/data/definitions/78.html",
    ),
)
def shell_with_built_text(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Run programs from argument lists, without a shell in between.

    A shell reads spaces, quotes, `;` and `$(…)` in the text it is given. A file name with a space breaks the
    command; one with `; rm -rf ~` runs another. A list hands each argument to the program as it is. Where a shell
    is needed for pipes, put every value through `shlex.quote`.

    ```python bad
    import subprocess

    def log(path):
        return subprocess.run(f"git log --oneline {path}", shell=True, check=True)
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the shell reads `path` as part of the command, spaces and `;` included
    ```
    ```python fixed
    import subprocess

    def log(path):
        return subprocess.run(["git", "log", "--oneline", path], check=True)
    ```
    ```python good
    import shlex
    import subprocess

    def log(path):
        return subprocess.run(["git", "log", "--oneline", path], check=True)

    def count(path):
        return subprocess.run(f"sort {shlex.quote(path)} | uniq -c", shell=True, check=True)
    ```
    """
    command = commands.of_shell(call, ctx) or commands.of_named_shell(call, ctx)
    if command is None or ctx.is_test:
        return
    written = ctx.origin(command)
    parts = building.pieces(written, ctx) or growing.pieces(written, ctx) or _joined(written, ctx)
    if not parts:
        return
    risky = [
        piece.value
        for number, piece in enumerate(parts)
        if piece.value is not None
        and not _is_program(parts, number)
        and _may_carry_text(piece, ctx, begins=_begins(parts, number))
    ]
    if not risky:
        return
    text = calls.short(ctx, risky[0])
    place = growing.place(command, written, risky[0], ctx)
    related = [] if place is None else [ctx.related(place, "the command is put together here")]
    yield ctx.finding(
        call,
        f"the shell reads `{text}` as part of the command, spaces and `;` included",
        fix=list_fix(call, ctx.name(call.func) or "", command, written, parts, ctx),
        related=related,
    )


def _joined(written: ast.expr, ctx: Context) -> tuple[Piece, ...]:
    """The words of a list that is written out and joined with spaces; () for any other text."""
    if (
        not isinstance(written, ast.Call)
        or not isinstance(written.func, ast.Attribute)
        or written.func.attr != "join"
        or len(written.args) != 1
        or ctx.value(written.func.value) != " "
    ):
        return ()
    found: list[Piece] = []
    for word in _words(ctx.origin(written.args[0])):
        if found:
            found.append(building.Piece(" "))
        text = ctx.value(word)
        found.extend(
            (building.Piece(text),)
            if isinstance(text, str)
            else building.pieces(word, ctx) or (building.Piece(value=word),)
        )
    return tuple(found)


def _words(listed: ast.expr) -> Iterator[ast.expr]:
    """The items of a list that is written out, and what is added to it as a whole."""
    if isinstance(listed, (ast.List, ast.Tuple)):
        for item in listed.elts:
            yield item.value if isinstance(item, ast.Starred) else item
    elif isinstance(listed, ast.BinOp) and isinstance(listed.left, (ast.List, ast.BinOp)):
        yield from _words(listed.left)
        yield from _words(listed.right) if isinstance(listed.right, ast.List) else (listed.right,)


def _begins(parts: Sequence[Piece], number: int) -> bool:
    """Whether a piece stands where the program is named: at the beginning, or behind `sudo`."""
    return number == 0 or (
        number == 1 and parts[0].value is None and parts[0].text.strip(" \"'") in {"", "sudo"}
    )


def _is_program(parts: Sequence[Piece], number: int) -> bool:
    """Whether a piece is the first word of the command by itself: before others, or whole between quotes."""
    if number == 1 and len(parts) > 2 and parts[0].text.strip() in {'"', "'"}:
        return parts[2].text[:1] == parts[0].text.strip()
    return number == 0 and len(parts) > 1 and parts[1].text[:1].isspace()


def _may_carry_text(piece: Piece, ctx: Context, *, begins: bool) -> bool:
    value = piece.value
    if value is None or piece.numeric:
        return False
    value = _element(value)
    if isinstance(value, ast.Call) and ctx.name(value.func) == "builtins.str" and len(value.args) == 1:
        value = value.args[0]  # is spelled out as it is between other text
        if _is_key(value):
            return False
    for node in (value, ctx.origin(value)):
        if isinstance(node, ast.Call):
            name = ctx.name(node.func)
            if name in _QUOTES or name in {"builtins.int", "builtins.len", "os.getpid", "tempfile.mkdtemp"}:
                return False
            if "quote" in calls.identifier(node.func).lower():
                return False
        if ctx.name(node) in {"sys.executable", "os.sep", "os.devnull"}:
            return False
        if isinstance(node, ast.Constant):
            return False
    named = calls.identifier(value)
    if "quote" in named or named.isupper() or _OPTIONS.search(named) or ".prog." in ctx.source(value):
        return False
    if _NUMBER.search(named):
        return False
    if begins and _PROGRAM.search(named):
        return False
    if _is_of_the_program(value, ctx) or _is_number_of_parser(value, ctx):
        return False
    return ctx.type_name(value) not in {"builtins.int", "builtins.float", "builtins.bool"}


def _element(value: ast.expr) -> ast.expr:
    """What each of the words is that a comprehension makes, joined or not; the value itself if it is no such."""
    is_joined = (
        isinstance(value, ast.Call) and calls.identifier(value.func) == "join" and len(value.args) == 1
    )
    words = value.args[0] if is_joined and isinstance(value, ast.Call) else value
    return words.elt if isinstance(words, (ast.ListComp, ast.GeneratorExp)) else value


def _is_key(spelled: ast.expr) -> bool:
    """Whether what is made a text is the key of something, which so is no text: `str(job.id)`."""
    name = calls.identifier(spelled)
    return name == "id" or name.endswith("_id")


def _is_of_the_program(value: ast.expr, ctx: Context) -> bool:
    """Whether a value is one of several constants that a loop takes, a path of the settings, or the name of a temporary file."""
    if _is_set(value, ctx):
        return True
    joined = ctx.origin(value)
    for named in (value, joined):
        if isinstance(named, ast.Attribute) and named.attr == "name":
            return ctx.made_by(named.value).startswith("tempfile.") or _is_opened_temporary(named.value, ctx)
    if isinstance(joined, ast.Call) and ctx.name(joined.func) == "tempfile.mktemp":
        return True
    if isinstance(joined, ast.Call) and (ctx.name(joined.func) or "").startswith("os.path.") and joined.args:
        first, *others = joined.args
        made = ctx.origin(first)
        return (
            isinstance(made, ast.Call)
            and ctx.name(made.func) == "tempfile.mkdtemp"
            and all(isinstance(ctx.value(other), str) for other in others)
        )
    function = ctx.function(value)
    if function is not None and any(
        isinstance(node.targets[0], ast.Tuple)
        and isinstance(node.value, ast.Call)
        and ctx.name(node.value.func) == "tempfile.mkstemp"
        and calls.identifier(node.targets[0].elts[-1]) == calls.identifier(value)
        for node in ctx.nodes(ast.Assign, within=function)
    ):
        return True
    return shapes.is_listed(value, ctx)


def _is_number_of_parser(value: ast.expr, ctx: Context) -> bool:
    """Whether a value is an option that the file's argument parser takes for a number, or what stands in for it."""
    made = ctx.origin(value)
    if isinstance(made, ast.BoolOp):
        return all(isinstance(ctx.value(one), int) or _is_number_of_parser(one, ctx) for one in made.values)
    if not isinstance(made, ast.Attribute):
        return False
    option = f"--{made.attr.replace('_', '-')}"
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "add_argument"
        and (taken := ctx.argument(call, None, "type")) is not None
        and ctx.name(taken) in {"builtins.int", "builtins.float"}
        and any(ctx.value(argument) in {option, made.attr} for argument in call.args)
        for call in ctx.nodes(ast.Call)
    )


def _is_opened_temporary(file: ast.expr, ctx: Context) -> bool:
    """Whether a file is the temporary one of a `with` statement around."""
    opened = shapes.entered(file, ctx)
    return isinstance(opened, ast.Call) and (ctx.name(opened.func) or "").startswith("tempfile.")


def _is_set(argument: ast.expr, ctx: Context, *, depth: int = 0) -> bool:
    """Whether an argument is the file's own, named like a constant (`settings.PROJECT_ROOT`), or a path made of such and of where the module is."""
    if is_own(argument, ctx) or calls.identifier(argument).isupper():
        return True
    if shapes.is_name(argument, "__file__"):
        return True
    made = ctx.origin(argument) if depth < _DEEPEST else argument
    if isinstance(made, ast.BinOp) and isinstance(made.op, ast.Div):
        return all(_is_set(side, ctx, depth=depth + 1) for side in (made.left, made.right))
    if isinstance(made, ast.Attribute):
        return made.attr in {"parent", "parents"} and _is_set(made.value, ctx, depth=depth + 1)
    if not isinstance(made, ast.Call):
        return False
    given = [*made.args]
    if not (ctx.name(made.func) or "").startswith(("os.path.", "pathlib.", "builtins.str")):
        if not isinstance(made.func, ast.Attribute):
            return False
        given.append(made.func.value)
    return bool(given) and all(_is_set(one, ctx, depth=depth + 1) for one in given)


def list_fix(
    call: ast.Call, name: str, command: ast.expr, written: ast.expr, parts: Sequence[Piece], ctx: Context
) -> Fix | None:
    """A list of arguments, where the constant part has no words for the shell."""
    if name not in commands.WITH_SWITCH or written is not command or calls.keyword(call, "shell") is None:
        return None
    arguments = _arguments(parts, ctx)
    if arguments is None:
        return None
    edits = (ctx.replace(command, f"[{', '.join(arguments)}]"), ctx.remove_argument(call, "shell"))
    return Fix("Run it from a list of arguments, without a shell", edits, Grade.UNSAFE)


def _arguments(parts: Sequence[Piece], ctx: Context) -> list[str] | None:
    if any(_META.search(piece.text) or not piece.plain for piece in parts):
        return None
    words: list[list[Piece]] = [[]]
    for piece in parts:
        if piece.value is not None:
            words[-1].append(piece)
            continue
        for at, word in enumerate(re.split(r"\s+", piece.text)):
            if at:
                words.append([])
            if word:
                words[-1].append(building.Piece(word))
    found = [word for word in words if word]
    if not found or any(piece.value is not None for piece in found[0]) or "=" in found[0][0].text:
        return None
    sources = [_argument(word, ctx) for word in found]
    return [source for source in sources if source is not None] if None not in sources else None


def _argument(word: list[Piece], ctx: Context) -> str | None:
    if len(word) == 1:
        value = word[0].value
        if value is None:
            return '"' + shlex.split(word[0].text)[0] + '"'
        return (
            ctx.source(value)
            if ctx.type_name(value) in {None, "builtins.str"}
            else f"str({ctx.source(value)})"
        )
    inner: list[str] = []
    for piece in word:
        if piece.value is None:
            inner.append(piece.text)
        else:
            source = ctx.source(piece.value)
            if any(char in source for char in "'\"\\{}\n"):
                return None
            inner.append(f"{{{source}}}")
    return f'f"{"".join(inner)}"'
