"""The process that knows the whole workspace: every file checked in the background, and what only the whole can tell.

Files are read from the disk and the cache, in batches between which it listens; open files are told to it by the
checker. It sends facts about open files, and findings of the others if the user wants to see them.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import sys
import time
import traceback
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from charter.engine.extract import Extract
from charter.lsp.checker import Inbox, Interrupted
from charter.lsp.pipes import Pipe

if TYPE_CHECKING:
    from charter.api import Finding
    from charter.engine.check import FileResult
    from charter.engine.opening import Opened
    from charter.engine.reduce import ProjectFacts, Reducer
    from charter.lsp.pipes import Frame

_BATCH = 25
_SETTLE = 0.3
"""Seconds after the last change before the whole is solved again, if that is quick."""
_SHARE = 3
"""How many times longer than the last solving took the index rests before the next, so that typing never heats."""
_MAX_REST = 60.0
_MAX_MEMORY = 800 * 2**20
"""Bytes from which no more files are taken in: solving needs as much again."""


class Part(Struct, eq=False):
    """One project of the workspace.

    Attributes:
        opened: the project.
        reducer: its solvers.
        results: what checking each file gave, without its extracts.
        waiting: files that are to be checked.
        open: what open files are to the whole, by path: a number that names the state, and their extracts.
        facts: what the whole told last.
        solved: whether `facts` hold for the newest state.
    """

    opened: Opened
    reducer: Reducer
    results: dict[str, FileResult] = field(default_factory=dict[str, "FileResult"])
    waiting: deque[str] = field(default_factory=deque[str])
    open: dict[str, tuple[int, dict[str, bytes]]] = field(
        default_factory=dict[str, "tuple[int, dict[str, bytes]]"]
    )
    facts: ProjectFacts | None = None
    solved: bool = False

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.opened.settings.root

    def path_of(self, file: str) -> str | None:
        """A file as the project names it; None if it is not in it."""
        try:
            return Path(file).relative_to(self.root).as_posix()
        except ValueError:
            return None


class Indexer:
    """The workspace.

    Args:
        pipe: the connection to the server.
    """

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.inbox = Inbox(pipe)
        self.parts: list[Part] = []
        self.shown = False
        self._sent: dict[str, bytes] = {}
        self._told: set[str] = set()
        self._shared: dict[str, list[str]] = {}
        self._queue: deque[Frame] = deque()
        self._last = 0.0
        self._rest = _SETTLE
        self._reported = (-1, -1)

    def run(self) -> int:
        """Work until the server is gone."""
        while True:
            frame = self.inbox.take(self._patience())
            if frame is None:
                return 0
            try:
                if frame:
                    self._last = time.monotonic()
                    self._take(frame)
                else:
                    self._work()
            except Interrupted:
                continue
            except Exception:  # noqa: BLE001 (the index goes on without what failed)
                self.pipe.send(
                    "log", "error", f"Charter's index failed and goes on.\n{traceback.format_exc()}"
                )

    def _patience(self) -> float | None:
        if self._queue or any(part.waiting for part in self.parts):
            return 0
        if any(not part.solved for part in self.parts):
            return max(self._last + self._rest - time.monotonic(), 0)
        return None

    def _take(self, frame: Frame) -> None:
        kind, *values = frame
        if kind == "index":
            self._begin(*values)
        elif kind == "changed":
            for file in values[0]:
                self._changed(file)
        elif kind == "extracts":
            self._extracts(*values)
        elif kind == "ask":
            self._queue.append(frame)
        elif kind == "forget":
            self._queue = deque(one for one in self._queue if one[1] != values[0])

    def _begin(self, folders: list[str], options: dict[str, Any]) -> None:
        from charter.engine.opening import UserError, open_project
        from charter.engine.reduce import Reducer

        self.parts = []
        self.shown = bool(options.get("shown"))
        self._told.clear()
        for folder in _outermost(folders):
            try:
                opened = open_project(
                    [Path(folder)], select=options.get("select"), ignore=options.get("ignore") or ()
                )
            except UserError as error:
                self.pipe.send("log", "warning", f"The workspace is not indexed: {error}")
                continue
            reducer = Reducer(opened.project.planner.analyses, opened.project.info)
            part = Part(opened, reducer)
            self._tell_shared(part)
            if self.shown or opened.project.planner.analyses:
                part.waiting.extend(opened.project.paths)
            self.parts.append(part)
        if self.shown:
            files = [str(part.root / path) for part in self.parts for path in part.opened.project.paths]
            self.pipe.send("files", files)
        self._report()

    def _changed(self, file: str) -> None:
        for part in self.parts:
            path = part.path_of(file)
            if path is None or path in part.open:
                continue
            if path in part.opened.project.others:
                part.solved = False
                continue
            known = path in part.results
            if not (part.root / path).exists():
                if known:
                    part.results.pop(path)
                    part.reducer.update(path, {})
                    part.solved = False
                    self.pipe.send("unopened", file, [])
            elif known or path in part.opened.project.modules:
                part.waiting.append(path)
            else:
                self._added(part, path)

    def _added(self, part: Part, path: str) -> None:
        """Take in a file that is new to the project, unless the settings leave it out."""
        from charter.engine.discovery import is_excluded

        project = part.opened.project
        if is_excluded(part.root / path, project.settings) or not path.endswith((".py", ".pyi", ".ipynb")):
            return
        from charter.engine.project import module_names

        paths = tuple(sorted({*project.paths, path}))
        names = module_names(paths, project.registry)
        part.opened = replace(part.opened, project=replace(project, paths=paths, names=names))
        self._tell_shared(part)
        part.waiting.append(path)

    def _tell_shared(self, part: Part) -> None:
        """Tell of the files with a name that several folders have, if they are others than before."""
        root, shared = str(part.root), part.opened.project.names.shared()
        if shared != self._shared.get(root, []):
            self._shared[root] = shared
            self.pipe.send("shared", root, shared)

    def _extracts(self, file: str, number: int, extracts: dict[str, bytes] | None) -> None:
        """An open file as its editor has it; None when it is closed and the disk counts again."""
        for part in self.parts:
            path = part.path_of(file)
            if path is None:
                continue
            self._sent.pop(path, None)
            if extracts is None:
                if part.open.pop(path, None) is not None:
                    part.waiting.append(path)
            else:
                part.open[path] = (number, extracts)
                part.reducer.update(path, {module: Extract(data) for module, data in extracts.items()})
            part.solved = False

    # Work
    def _work(self) -> None:
        part = next((part for part in self.parts if part.waiting), None)
        if part is not None:
            self._check_some(part)
            self._report()
            return
        if self._queue:
            self._answer(self._queue.popleft())
            return
        part = next((part for part in self.parts if not part.solved), None)
        if part is not None:
            started = time.process_time()
            self._solve(part)
            self._rest = min(max((time.process_time() - started) * _SHARE, _SETTLE), _MAX_REST)

    def _check_some(self, part: Part) -> None:
        from charter.engine.run import default_jobs
        from charter.engine.work import results_of

        jobs = max(default_jobs() - 1, 1)
        batch = [
            part.waiting.popleft()
            for _ in range(min(_BATCH * (jobs if jobs == 1 else jobs * 8), len(part.waiting)))
        ]
        cache = part.opened.cache()
        try:
            results = results_of(part.opened.project, list(dict.fromkeys(batch)), jobs=jobs, cache=cache)
        finally:
            if cache is not None:
                cache.close()
        for path, result in results.items():
            if path not in part.open:
                part.reducer.update(path, result.extracts)
            part.results[path] = replace(result, extracts={}, times={})
            self._told.discard(path)
        part.solved = False
        if part.waiting and _memory() > _MAX_MEMORY:
            self._stop_at_limit(part)
        if not part.waiting:
            gc.collect()

    def _stop_at_limit(self, part: Part) -> None:
        text = (
            f"Charter's index stops at {len(part.results)} of {len(part.opened.project.paths)} files, for it would "
            "need too much memory: findings that need several files may be missing. `exclude` in charter.toml helps."
        )
        part.waiting.clear()
        self.pipe.send("log", "warning", text)

    def _solve(self, part: Part) -> None:
        self.inbox.pause()
        part.facts = part.reducer.solve()
        part.solved = True
        for failure in part.facts.failures:
            self.pipe.send(
                "log", "warning", f"Charter's {failure.part} failed: {failure.error} ({failure.place})"
            )
        for path, (number, _) in part.open.items():
            mine = (part.facts.facts.get(path, []), part.facts.opportunities.get(path, {}))
            data = pickle.dumps(mine)
            if self._sent.get(path) != data:
                self._sent[path] = data
                self.pipe.send("facts", str(part.root / path), number, data)
        if self.shown:
            for path in part.results:
                if path not in part.open:
                    self._show(part, path)

    def _show(self, part: Part, path: str) -> None:
        from charter.engine.project import finish, settle, told_once
        from charter.lsp.sheets import row_of, span_in

        facts = part.facts
        result = part.results[path]
        if facts is None:
            return
        own = facts.facts.get(path)
        if path in self._told and not own:
            return
        self._told.add(path)
        project = part.opened.project
        try:
            kept = told_once(*settle(project, finish(project, result, facts)))
        except (OSError, ValueError):
            return
        rows = [
            (*span, row_of(finding, 0, part.root, path))
            for finding in kept
            if (span := span_in(path, finding)) is not None
        ]
        self.pipe.send("unopened", str(part.root / path), rows)

    def _report(self) -> None:
        total = sum(len(part.opened.project.paths) for part in self.parts)
        waiting = sum(len(part.waiting) for part in self.parts)
        state = (total - min(waiting, total), total)
        if state != self._reported:
            self._reported = state
            self.pipe.send("state", {"done": state[0], "total": state[1], "projects": len(self.parts)})

    # Questions
    def _answer(self, frame: Frame) -> None:
        _, number, question, *values = frame
        try:
            answers = {"score": self._score, "fix-workspace": self._fix_workspace}
            self.pipe.send("answer", number, answers[question](*values))
        except Interrupted:
            self._queue.appendleft(frame)
            raise
        except Exception:
            self.pipe.send("answer", number, None)
            raise

    def _score(self) -> dict[str, Any]:
        """The scores of the first project, and its findings."""
        from charter.engine.opening import cache_folder
        from charter.engine.project import assemble
        from charter.engine.reduce import ProjectFacts
        from charter.engine.score import scores
        from charter.lsp.insights import score_data
        from charter.lsp.trend import follow

        if not self.parts:
            return {}
        part = self.parts[0]
        report = assemble(part.opened.project, part.results, part.facts or ProjectFacts())
        looked_at: dict[str, int] = {}
        for counts in report.opportunities.values():
            for rule, count in counts.items():
                looked_at[rule] = looked_at.get(rule, 0) + count
        made = score_data(
            scores(report.principles, report.rules, report.findings, looked_at), report.principles
        )
        folder = cache_folder(part.opened.settings)
        trend = follow(folder, made) if part.opened.settings.cache else []
        return made | {
            "trend": trend,
            "findings": [
                {
                    "rule": finding.rule,
                    "message": finding.message,
                    "principles": list(finding.principles),
                    "severity": finding.severity.label,
                    "path": str(part.root / finding.path),
                    "line": finding.location.line,
                }
                for finding in report.findings
            ],
        }

    def _fix_workspace(self, rule: str) -> dict[str, Any]:
        """The edits of every SAFE fix of the unopened files, or of one rule's fixes up to UNSAFE, each proved."""
        from charter.engine.work import results_of
        from charter.lsp.answers import grade_of, line_edits
        from charter.mend.apply import allowed_grades, fix_project
        from charter.syntax.source import decode

        edits: dict[str, list[tuple[int, int, str]]] = {}
        applied = 0
        mended: list[Finding] = []
        for part in self.parts:
            project = part.opened.project
            # Open files may differ from the disk; the checker fixes them as they are in the editor.
            targets = [path for path in project.paths if path not in part.open]
            results = results_of(project, project.paths, jobs=1, cache=part.opened.cache())
            fixed = fix_project(
                project,
                results,
                targets,
                grades=allowed_grades(unsafe=bool(rule)),
                wanted=lambda finding: not rule or finding.rule == rule,
            )
            applied += sum(fixed.applied.values())
            mended += [
                found for path in fixed.texts for found in results[path].findings if found.rule == rule
            ]
            for path, text in fixed.texts.items():
                with contextlib.suppress(OSError, ValueError):
                    old = decode(project.read(path)).text
                    edits[str(part.root / path)] = line_edits(old, text)
        return {"edits": edits, "applied": applied, "grade": grade_of(mended)}


def _memory() -> int:
    """The resident memory of this process in bytes; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _outermost(folders: list[str]) -> list[str]:
    """Folders that lie in no other one of them."""
    paths = sorted({Path(folder) for folder in folders}, key=lambda path: len(path.parts))
    kept: list[Path] = []
    for path in paths:
        if not any(outer in path.parents for outer in kept):
            kept.append(path)
    return [str(path) for path in kept]


def main() -> int:
    """Run the indexer on this process's standard streams."""
    incoming, outgoing = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a rule prints must not get among the frames
    with contextlib.suppress(OSError, AttributeError):
        os.nice(10)  # typing comes first
    gc.disable()
    return Indexer(Pipe(incoming, outgoing)).run()
