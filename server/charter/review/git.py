"""Git's own plumbing, hardened against the repository it reads: objects, trees and raw diffs; nothing of reviews.

Nothing in a tree under review can make git run a program: external diffs, text conversion, hooks, filters and
file-system monitors are off, blobs are read without attributes, and every diff treats files as text.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from charter.api import regex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SHA: Final = regex(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REF: Final = regex(r"[^\x00-\x20\x7f~^:?*\[\\-][^\x00-\x20\x7f:?*\[\\]*")
_REGULAR: Final = ("100644", "100755")
_HARDENING: Final = (
    "--no-pager",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.attributesFile=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.quotePath=true",
    "-c", "protocol.allow=never",
)  # fmt: skip
_DIFF: Final = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "-r", "-M50%", "-l2000")
_DROPPED: Final = ("GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_PAGER", "GIT_TRACE", "GIT_SSH_COMMAND")


class GitError(Exception):
    """Git could not answer; the message says what to do."""


class TreeFile(Struct, frozen=True):
    """A regular file of a tree.

    Attributes:
        path: relative to the tree's root, with forward slashes; bytes that are not UTF-8 are surrogates.
        blob: the object that holds its content.
        size: its length in bytes.
    """

    path: str
    blob: str
    size: int


class RawChange(Struct, frozen=True):
    """One entry of a raw diff.

    Attributes:
        status: git's letter: `A`, `D`, `M`, `R` or `T`.
        path: the file in the new tree (in the old one, for `D`).
        old_path: the file in the old tree; equal to `path` unless renamed.
        regular: whether both sides that exist are regular files.
    """

    status: str
    path: str
    old_path: str
    regular: bool


class Repository:
    """One git repository, read only.

    Args:
        root: a folder inside it.

    Raises:
        GitError: if git is missing or the folder is in no repository.
    """

    def __init__(self, root: Path) -> None:
        self._start: Path = root
        top = self._run("rev-parse", "--show-toplevel").decode(errors="surrogateescape").rstrip("\n")
        self.root: Path = type(root)(top)

    def commit(self, ref: str) -> str:
        """The full hash of the commit that a name stands for.

        Raises:
            GitError: for a malformed or unknown name.
        """
        return self._resolve(ref, "commit")

    def tree(self, ref: str) -> str:
        """The full hash of the tree of a commit or tree."""
        return self._resolve(ref, "tree")

    def folder(self, tree: str, path: str) -> str:
        """The hash of the tree of a folder (the whole for ""); of an empty one where the tree has no such folder.

        Args:
            tree: hash of a commit or tree.
            path: the folder, relative to the tree's root.
        """
        if not path:
            return tree
        # A `^{tree}` behind a path would be read as part of its name.
        entry = self._call("rev-parse", "--verify", "--quiet", "--end-of-options", f"{tree}:{path}").stdout
        ask = f"{entry.decode('ascii', 'replace').strip()}^{{tree}}"
        done = self._call("rev-parse", "--verify", "--quiet", "--end-of-options", ask)
        return (done.stdout if done.returncode == 0 else self._run("mktree")).decode("ascii").strip()

    def _resolve(self, ref: str, kind: str) -> str:
        if not _REF.fullmatch(ref) or ".." in ref:
            raise GitError(f"{ref!r} is not a valid git revision")
        try:
            found = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{{kind}}}")
        except GitError:
            raise GitError(f"revision {ref!r} is not in this clone; {self._deepen()}") from None
        sha = found.decode("ascii", "replace").strip()
        if not _SHA.fullmatch(sha):
            raise GitError(f"git resolved {ref!r} to {sha!r}, which is not an object id")
        return sha

    def index_tree(self) -> str:
        """The hash of a tree that holds exactly what is staged.

        Raises:
            GitError: while a merge has unresolved conflicts.
        """
        return self._run("write-tree").decode("ascii").strip()

    def last_tree(self) -> str:
        """The hash of the tree of the last commit; of an empty one before the first."""
        done = self._call("rev-parse", "--verify", "--quiet", "HEAD^{tree}")
        return (done.stdout if done.returncode == 0 else self._run("mktree")).decode("ascii").strip()

    def merge_base(self, base: str, head: str) -> str:
        """The best common ancestor of two commits.

        Raises:
            GitError: if there is none, naming the fetch depth that is missing in a shallow clone.
        """
        done = self._call("merge-base", "--end-of-options", base, head)
        sha = done.stdout.decode("ascii", "replace").strip()
        if done.returncode == 0 and _SHA.fullmatch(sha):
            return sha
        if self.is_shallow():
            raise GitError(
                f"the common ancestor of {base[:12]} and {head[:12]} is not here; {self._deepen()}"
            )
        raise GitError(f"{base[:12]} and {head[:12]} have no common ancestor")

    def is_shallow(self) -> bool:
        """Whether the clone lacks history."""
        return self._run("rev-parse", "--is-shallow-repository").strip() == b"true"

    def _deepen(self) -> str:
        if self._call("rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
            return "this is a shallow clone: set `fetch-depth: 0` on actions/checkout, or run `git fetch --unshallow`"
        return "fetch it first, for instance with `git fetch origin`"

    def default_base(self) -> str:
        """The branch that `origin` works on, as `origin/main`.

        Raises:
            GitError: if the clone does not know.
        """
        done = self._call("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
        if done.returncode:
            raise GitError("cannot tell which branch to compare with; give `--base REF`")
        return done.stdout.decode(errors="surrogateescape").strip()

    def remote_url(self) -> str:
        """The address of `origin`; "" if there is none."""
        done = self._call("config", "--get", "remote.origin.url")
        return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""

    def files(self, tree: str) -> list[TreeFile]:
        """The regular files of a tree, by path. Symbolic links and submodules are left out."""
        found: list[TreeFile] = []
        for entry in self._run("ls-tree", "-r", "-z", "-l", "--full-tree", tree).split(b"\0"):
            meta, tab, name = entry.partition(b"\t")
            if not tab:
                continue
            mode, kind, blob, size = meta.decode("ascii").split()
            if kind == "blob" and mode in _REGULAR:
                found.append(TreeFile(_name(name), blob, int(size)))
        return found

    def raw_diff(self, base: str, head: str) -> list[RawChange]:
        """What differs between two trees, renames detected, in git's order."""
        fields = self._run("diff-tree", "--raw", "-z", *_DIFF, base, head).split(b"\0")
        changes: list[RawChange] = []
        position = 0
        while position + 1 < len(fields):
            old_mode, new_mode, _, _, status = fields[position].decode("ascii").lstrip(":").split()
            letter = status[0]
            old = _name(fields[position + 1])
            new = _name(fields[position + 2]) if letter in "RC" else old
            position += 3 if letter in "RC" else 2
            regular = all(mode in _REGULAR for mode in (old_mode, new_mode) if mode != "000000")
            changes.append(RawChange(letter, new, old, regular))
        return changes

    def patch(self, base: str, head: str) -> bytes:
        """The unified diff of two trees with three lines of context, as GitHub shows it."""
        return self._run(
            "diff-tree", "-p", "-U3", "--text", "--no-color", "--full-index", "--indent-heuristic",
            "--diff-algorithm=myers", "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/",
            *_DIFF, base, head,
        )  # fmt: skip

    def blobs(self, ids: Iterable[str]) -> Iterator[bytes]:
        """The contents of objects, in the order asked for, by one process.

        Raises:
            GitError: for an object that is missing.
        """
        wanted = list(ids)
        data = self._run("cat-file", "--batch", stdin="".join(f"{one}\n" for one in wanted).encode("ascii"))
        position = 0
        for one in wanted:
            end = data.index(b"\n", position)
            header = data[position:end].split()
            if len(header) != 3:
                raise GitError(f"object {one} is missing; {self._deepen()}")
            size = int(header[2])
            yield data[end + 1 : end + 1 + size]
            position = end + 2 + size

    def _run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        done = self._call(*arguments, stdin=stdin)
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
            raise GitError(f"git {arguments[0]}: {reason or f'exit status {done.returncode}'}")
        return done.stdout

    def _call(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        program = shutil.which("git")
        if program is None:
            raise GitError("git is not installed")
        environment = {key: value for key, value in os.environ.items() if key not in _DROPPED}
        environment |= {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "LC_ALL": "C",
        }
        return subprocess.run(  # noqa: S603 - a fixed program with an argument list
            [program, *_HARDENING, *arguments],
            cwd=self._start,
            env=environment,
            input=stdin,
            capture_output=True,
            check=False,
        )


def _name(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
