"""Queries in loops as a project-scope analysis: files in, facts out, and only what an edit touches done again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from charter.analysis import Solution
from charter.analysis.orm import answers, entries, findings, fixes
from charter.analysis.orm.frames import Event, Note
from charter.analysis.orm.interpreter import Interpreter
from charter.analysis.orm.schema import Schema
from charter.analysis.orm.templates import Templates
from charter.analysis.orm.world import World

if TYPE_CHECKING:
    from charter.analysis import ProjectInfo
    from charter.analysis.orm.frames import Repeated
    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 2
_LIBRARIES = re.compile(
    r"^[ \t]*(?:from|import)[ \t]+[\w.]*(?:django|sqlalchemy|sqlmodel|peewee|tortoise|playhouse)",
    re.MULTILINE,
)
_MAPPERS = re.compile(r"\b(?:django|sqlalchemy|sqlmodel|peewee|tortoise|playhouse|models|db)\b")
_MODEL = re.compile(
    r"\b(?:models|relationship|mapped_column|Column|SQLModel|[A-Za-z]*Field|ForeignKey|Model|DeclarativeBase|declarative_base)\b"
)
_WORD = re.compile(r"[A-Za-z_]\w*")
_TEST = re.compile(
    r"(^|/)(tests?|testing|test_[^/]*|[^/]*_tests?\.py|conftest\.py|migrations|alembic|factories)(/|$|\.py$)"
)
_SEEDS = frozenset(
    {
        *("objects", "_default_manager", "_base_manager", "select_related", "prefetch_related"),
        *("get_object_or_404", "get_list_or_404", "prefetch_related_objects", "get_queryset", "queryset"),
        *("session", "get_user_model", "get_model", "fetch_related"),
    }
)
_COMMON = frozenset(
    {
        *(
            "get",
            "save",
            "filter",
            "all",
            "__init__",
            "items",
            "values",
            "update",
            "delete",
            "add",
            "create",
            "run",
            "handle",
        ),
        *(
            "clean",
            "render",
            "process",
            "main",
            "call",
            "data",
            "name",
            "is_valid",
            "execute",
            "form_valid",
            "post",
            "put",
        ),
        *(
            "patch",
            "__call__",
            "__str__",
            "__repr__",
            "validate",
            "append",
            "extend",
            "join",
            "format",
            "keys",
            "pop",
            "close",
        ),
        *(
            "open",
            "read",
            "write",
            "load",
            "dump",
            "dumps",
            "loads",
            "copy",
            "count",
            "index",
            "remove",
            "sort",
            "start",
        ),
    }
)


def extract(source: Source, names: Names) -> object | None:
    """A file's text, whether it may speak of a mapper, and whether it imports one."""
    del names
    text = source.text
    return (text, _MAPPERS.search(text) is not None, _LIBRARIES.search(text) is not None)


@dataclass(slots=True)
class _File:
    """What is remembered of one file.

    Attributes:
        words: for each function, what its body mentions.
        notes: rows loaded for what the database could answer.
        found: the repeated queries met from its entry points.
        touched: the files from which these answers were drawn.
    """

    words: dict[str, frozenset[str]]
    notes: list[Note] = field(default_factory=list["Note"])
    found: list[Repeated] = field(default_factory=list["Repeated"])
    touched: frozenset[str] = frozenset()
    done: bool = False


class _Files:
    """The project's templates, found by the names under which code asks for them."""

    def __init__(self, project: ProjectInfo) -> None:
        self._read = project.read
        self._index: dict[str, str] = {}
        for path in project.files:
            for folder in ("templates/", "jinja2/", "jinja/"):
                head, found, name = f"/{path}".rpartition(f"/{folder}")
                if found:
                    del head
                    self._index.setdefault(name, path)

    def find(self, name: str) -> tuple[str, str] | None:
        """The path and text of a template."""
        path = self._index.get(name)
        text = self._read(path) if path else None
        return (path, text) if path and text is not None else None


class Solver:
    """Finds repeated queries; kept between edits."""

    def __init__(self, project: ProjectInfo) -> None:
        self._templates: Templates = Templates(_Files(project))
        self._texts: dict[str, str] = {}
        self._mapped: set[str] = set()
        self._importing: set[str] = set()
        self._changed: set[str] = set()
        self._files: dict[str, _File] = {}
        self._world: World | None = None
        self._run: Interpreter | None = None
        self._fresh: bool = True
        self._defining: set[str] = set()
        self._pivots: set[str] = set()

    def update(self, path: str, extract: object | None) -> None:
        """Take in a new or changed file, or take one out."""
        if not isinstance(extract, tuple):
            self._texts.pop(path, None)
            self._mapped.discard(path)
            self._importing.discard(path)
            self._fresh = True
            return
        text, mapped, importing = cast("tuple[str, bool, bool]", extract)
        if path not in self._texts:
            self._fresh = True
        elif self._texts[path] == text:
            return
        self._texts[path] = text
        (self._mapped.add if mapped else self._mapped.discard)(path)
        (self._importing.add if importing else self._importing.discard)(path)
        self._changed.add(path)

    def solve(self) -> Solution:
        """The repeated queries of the project as it now is."""
        if not self._importing:
            return Solution({})
        self.prepare()
        run, world = self._run, self._world
        assert run is not None
        assert world is not None
        changed = self._templates.refresh()
        for path, file in self._files.items():
            if not file.done or (changed & file.touched):
                self._evaluate(path, file, run, world)
        everything = [item for path in sorted(self._files) for item in self._files[path].found]
        notes = [note for path in sorted(self._files) for note in self._files[path].notes]
        facts: dict[str, list[Fact]] = {}
        for made in (findings.facts(everything, fixes.Knowledge(world)), answers.facts(notes)):
            for path, values in made.items():
                facts.setdefault(path, []).extend(values)
        return Solution(facts)

    def prepare(self) -> None:
        """Bring modules, models and the interpreter up to date."""
        if self._fresh or self._world is None:
            self._begin()
        elif self._changed:
            self._refresh()
        self._changed = set()
        self._fresh = False

    @property
    def schema(self) -> Schema:
        """The models of the project."""
        self.prepare()
        assert self._run is not None
        return self._run.schema

    def _begin(self) -> None:
        self._world = World()
        self._world.set_files(self._texts)
        self._files = {
            path: _File(_words(text)) for path, text in self._texts.items() if not _TEST.search(path)
        }
        schema = self._models()
        self._run = Interpreter(self._world, schema, self._hot(schema))
        self._run.templates = self._templates

    def _refresh(self) -> None:
        world, run = self._world, self._run
        assert world is not None
        assert run is not None
        mapping = bool(self._changed & self._defining)
        settled = True
        for path in self._changed:
            world.update(path, self._texts[path])
            module = world.by_path[path]
            if (
                not mapping
                and path in self._mapped
                and not _is_migration(path)
                and _MODEL.search(module.text)
            ):
                _ = module.names
                mapping = any(run.schema.would_map(cls) for cls in module.classes)
            if path in self._files:
                words = _words(self._texts[path])
                settled = settled and self._settled(self._files[path].words, words, run.hot)
                self._files[path] = _File(words)
        run.forget()
        for file in self._files.values():
            if file.touched & self._changed:
                file.done = False
        if mapping:
            before = run.schema.digest()
            run.schema = self._models()
            if run.schema.digest() != before:
                settled = False
                for file in self._files.values():
                    file.done = False
        if not settled:
            run.hot = self._hot(run.schema)

    def _settled(
        self, before: dict[str, frozenset[str]], after: dict[str, frozenset[str]], hot: frozenset[str]
    ) -> bool:
        """Whether the functions of a changed file reach queries as before, so that `hot` need not be found anew."""
        if before.keys() != after.keys():
            return False
        pivots = self._pivots | (hot - _COMMON)
        return all((not words.isdisjoint(pivots)) == (name in hot) for name, words in after.items())

    def _models(self) -> Schema:
        assert self._world is not None
        paths = [
            path
            for path in sorted(self._mapped)
            if _MODEL.search(self._texts[path]) and not _is_migration(path)
        ]
        schema = Schema(self._world, paths)
        for path, text in self._texts.items():
            match = (
                re.search(r"^AUTH_USER_MODEL\s*=\s*[\"']([\w.]+)[\"']", text, re.MULTILINE)
                if "AUTH_USER_MODEL" in text
                else None
            )
            if match and not _TEST.search(path):
                schema.user_model = match.group(1)
        self._defining = schema.defining()
        return schema

    def _hot(self, schema: Schema) -> frozenset[str]:
        """The names of functions that may reach a query, by what they mention and whom they call."""
        seeds = set(_SEEDS)
        for model in schema.models.values():
            seeds.add(model.name)
            seeds.update(model.managers)
        self._pivots = seeds
        callers: dict[str, set[str]] = {}
        hot: set[str] = set()
        for file in self._files.values():
            for name, words in file.words.items():
                if not words.isdisjoint(seeds):
                    hot.add(name)
                for word in words:
                    callers.setdefault(word, set()).add(name)
        pending = [name for name in hot if name not in _COMMON]
        while pending:
            for caller in callers.get(pending.pop(), ()):
                if caller not in hot:
                    hot.add(caller)
                    if caller not in _COMMON:
                        pending.append(caller)
        return frozenset(hot)

    def _evaluate(self, path: str, file: _File, run: Interpreter, world: World) -> None:
        outer, world.touched = world.touched, {path}
        events: list[Event] = []
        notes: list[Note] = []
        if not run.hot.isdisjoint(file.words):
            for entry in entries.entries(run, world.by_path[path]):
                entries.evaluate(run, entry)
                events.extend(run.events)
                notes.extend(run.notes)
        file.found = [
            item for item in findings.gather(events, path) if not _TEST.search(item.event.site.file.path)
        ]
        file.notes = [note for note in notes if not _TEST.search(note.site.file.path)]
        file.touched = frozenset(world.touched)
        file.done = True
        world.touched = outer


def _is_migration(path: str) -> bool:
    return "/migrations/" in f"/{path}"


_DEF = re.compile(r"^([ \t]*)(?:async[ \t]+)?def[ \t]+(\w+)", re.MULTILINE)
_CLASS = re.compile(r"^class[ \t]+(\w+)(?:.*\n)(?:(?:[ \t#)].*)?\n)*", re.MULTILINE)


def _words(text: str) -> dict[str, frozenset[str]]:
    """What each function of a file mentions; functions of one name are taken together."""
    found: dict[str, frozenset[str]] = {}
    for match in _CLASS.finditer(text):
        found[match.group(1)] = frozenset(_WORD.findall(match.group(0))) - {match.group(1)}
    starts = [(m.start(), len(m.group(1)), m.group(2)) for m in _DEF.finditer(text)]
    for index, (start, indent, name) in enumerate(starts):
        end = next((s for s, i, _ in starts[index + 1 :] if i <= indent), len(text))
        words = frozenset(_WORD.findall(text, start, end))
        found[name] = found[name] | words if name in found else words
    return found
