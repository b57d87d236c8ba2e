"""Finds commands in which the shell puts file names where a dangerous option may stand. What the program does is not asked."""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from charter.api import Confidence, Fix, Grade, Severity, regex, rule
from charter_rules import calls, commands

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from charter.api import Context, Edit, Finding

_SMUGGLED: Final = {
    "chgrp": "--reference=FILE",
    "chmod": "--reference=FILE",
    "chown": "--reference=FILE",
    "dpkg": "--pre-invoke=COMMAND",
    "find": "-delete",
    "perl": "-eCODE",
    "rpm": "--pipe=COMMAND",
    "rsync": "-eCOMMAND",
    "scp": "-oProxyCommand=COMMAND",
    "sed": "-eSCRIPT",
    "setfacl": "--restore=FILE",
    "tar": "--checkpoint-action=exec=COMMAND",
    "zip": "-TTCOMMAND",
    "7z": "@FILE",
    "7za": "@FILE",
    "7zr": "@FILE",
}
"""Programs, and a file name that each takes for an option that runs something or changes who may do what."""
_ENDLESS: Final = frozenset({"7z", "7za", "7zr"})
"""Programs that read such a name also behind `--`."""
_VALUE: Final = "\0"
"""Stands for what is only known when the program runs."""
_WORD: Final = regex(r"""(?:[^\s;&|()<>`"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+|[;&|()`\n]+|[<>]+""", re.DOTALL)
"""A word of the shell with its quotes, or signs that end a command or redirect it."""
_ENDING: Final = frozenset(";&|()`\n")
_BEFORE: Final = frozenset(
    {"!", "builtin", "command", "do", "doas", "else", "env", "exec", "fakeroot", "if", "nice", "nohup", "sudo", "then", "time",
     "while", "xargs", "{"}
)  # fmt: skip
"""Words before the name of a program."""
_SETTING: Final = regex(r"\w+=")
_PATTERN: Final = regex(r"-x|-i|--?(?:exclude|include|filter|i?name|i?path)")
"""Options whose value is a pattern for the program itself, which its author forgot to quote."""
_PACKS: Final = regex(r"-?[a-zA-Z]*[cru][a-zA-Z]*$|--(?:create|append|update)$")
"""How `tar` is told to pack, and not to look into an archive."""
_SYSTEM: Final = regex(r"/(?:usr|etc|lib|bin|sbin|boot)(?:/|$)")
"""Folders in which only the administrator makes files."""


class _Expansion(Struct, frozen=True):
    """A word that the shell replaces by names of files.

    Attributes:
        word: the word.
        program: the program that is given the names.
        finds: whether the program looks in the files for what is named, so that the names have to be as they are there.
    """

    word: str
    program: str
    finds: bool


@rule(
    ast.Call,
    code="SEC070",
    principles=("command-injection",),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    cwe=(88, 155),
    calls=(*commands.WITH_SWITCH, *commands.SHELLS),
    mentions=tuple(_SMUGGLED),
    aliases=("B609", "S609"),
    references=(
        "https://gtfobins.github.io/gtfobins/tar/",
        "https://www.gnu.org/software/coreutils/manual/html_node/Common-options.html",
        "https://cwe.mitre.org/data/definitions/88.html",
    ),
)
def wildcard_as_option(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Let no file name become an option of a program.

    A shell replaces `*` by the names of the files that are there, and the program cannot tell them from what was
    written. Whoever may create a file there chooses an option: one named `--checkpoint-action=exec=sh run.sh` makes `tar`
    run `run.sh`, one named `--reference=mine` tells `chown` whom to give everything. With `./*` every name begins with
    `./` and is no option; a `--` before the wildcard ends the options of most programs.

    Reported are programs that have such an option, where the wildcard begins a word that the shell expands.

    ```python bad
    import subprocess

    def pack(folder):
        subprocess.run("tar czf /backup/all.tgz *", shell=True, check=True, cwd=folder)
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a file named `--checkpoint-action=exec=COMMAND` is an option of `tar` once the shell expands `*`: write `./*`
    ```
    ```python fixed
    import subprocess

    def pack(folder):
        subprocess.run("tar czf /backup/all.tgz ./*", shell=True, check=True, cwd=folder)
    ```
    ```python good
    import subprocess

    def pack(folder):
        subprocess.run(["tar", "czf", "/backup/all.tgz", "."], check=True, cwd=folder)
    ```
    """
    command = commands.of_shell(call, ctx) or commands.of_named_shell(call, ctx)
    if command is None or ctx.is_test:
        return
    text = commands.known(command, ctx, _VALUE)
    if "*" not in text and "?" not in text:
        return
    expansions = list(_expansions(text))
    if not expansions or _is_of_system(call, ctx):
        return
    found = expansions[0]
    fix = _fix(ctx.origin(command), expansions, ctx)
    todo = f"quote it, or write `./{found.word}`" if found.finds else f"write `./{found.word}`"
    message = (
        f"a file named `{_SMUGGLED[found.program]}` is an option of `{found.program}` once the shell expands"
        f" `{found.word}`: {todo}"
    )
    yield ctx.finding(call, message, fix=fix)


def _expansions(text: str) -> Iterator[_Expansion]:
    """The words that begin with a wildcard and stand where a program takes options."""
    words: list[str] = []
    for match in _WORD.finditer(f"{text};"):
        if match[0][0] in _ENDING:
            yield from _of_command(words)
            words = []
        else:
            words.append(match[0])


def _of_command(words: Sequence[str]) -> Iterator[_Expansion]:
    start = _program(words)
    program = words[start].rpartition("/")[2] if start < len(words) else ""
    if program not in _SMUGGLED:
        return
    for before, word in zip(words[start:], words[start + 1 :], strict=False):
        if word == "--" and program not in _ENDLESS:
            return
        if program == "find" and word[0] in "-(!\\":
            return  # where to look stands before what is looked for
        if word[0] in "*?" and before[0] not in "<>" and not _PATTERN.fullmatch(before):
            yield _Expansion(word, program, finds=program == "tar" and _PACKS.match(words[start + 1]) is None)


def _program(words: Sequence[str]) -> int:
    """Which word names the program, behind settings of variables and programs that start others."""
    at = 0
    while at < len(words):
        if words[at] in _BEFORE or words[at][0] == "-" or _SETTING.match(words[at]):
            at += 2 if words[at] in {"-u", "-g", "-n"} else 1
        else:
            break
    return at


def _is_of_system(call: ast.Call, ctx: Context) -> bool:
    """Whether a command runs in a folder in which only the administrator makes files."""
    folder = calls.value(ctx, call, None, "cwd", default=None)
    return isinstance(folder, str) and _SYSTEM.match(folder) is not None


def _fix(written: ast.expr, expansions: Sequence[_Expansion], ctx: Context) -> Fix | None:
    """`./` before the wildcards, where it is certain which words of the command they are."""
    begin, source = ctx.span(written).start, ctx.source(written)
    edits: list[Edit] = []
    for word, times in Counter(expansion.word for expansion in expansions).items():
        places = list(re.finditer(rf"(?<=\s){re.escape(word)}(?=[\s;&|)\"'])", source))
        if len(places) != times:
            return None
        edits += [ctx.insert(begin + place.start(), "./") for place in places]
    if any(expansion.finds for expansion in expansions):
        return None
    return Fix("Begin the names with `./`", tuple(edits), Grade.UNSAFE)
