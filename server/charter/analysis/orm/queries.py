"""The queries that the loops of a project repeat: files in, facts out, and only what an edit touches done again."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, cast

from msgspec import Struct, field

from charter.analysis import Solution
from charter.analysis.orm import answers, entries, findings, fixes, lookups
from charter.analysis.orm.extract import is_test
from charter.analysis.orm.frames import OPERATIONS, Event, Note, Place
from charter.analysis.orm.interpreter import Interpreter
from charter.analysis.orm.reach import Reach, Seeds
from charter.analysis.orm.schema import Schema
from charter.analysis.orm.templates import Templates
from charter.analysis.orm.world import World
from charter.api.facts.queries import QueryInLoop, RowsInsteadOfAnswer, UnindexedColumn

if TYPE_CHECKING:
    from charter.analysis import ProjectInfo
    from charter.analysis.orm.extract import Extract
    from charter.analysis.orm.frames import Repeated
    from charter.analysis.orm.mentions import ClassMention
    from charter.api import Fact
    from charter.model.modules import ModuleNames

_ROOTS = frozenset(
    {"Model", "SQLModel", "DeclarativeBase", "DeclarativeBaseNoMeta", "MappedAsDataclass", "declarative_base"}
)


class _File(Struct):
    """What is remembered of one file.

    Attributes:
        notes: rows loaded for what the database could answer.
        found: the repeated queries met from its entry points.
        places: what was looked at, whether or not it was found wanting.
        touched: the files from which these answers were drawn.
    """

    notes: list[Note] = field(default_factory=list["Note"])
    found: list[Repeated] = field(default_factory=list["Repeated"])
    places: set[Place] = field(default_factory=set["Place"])
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


class Queries:
    """Finds repeated queries; kept between edits."""

    def __init__(self, project: ProjectInfo) -> None:
        self._names: ModuleNames = project.names
        self._templates: Templates = Templates(_Files(project))
        self._texts: dict[str, str] = {}
        self._sessions: set[str] = set()
        self._classes: dict[str, list[ClassMention]] = {}
        self._changed: set[str] = set()
        self._files: dict[str, _File] = {}
        self._world: World | None = None
        self._run: Interpreter | None = None
        self._reach: Reach = Reach()
        self._loose: bool = True
        self._fresh: bool = True
        self._defining: set[str] = set()

    def update(self, path: str, extract: Extract | None) -> None:
        """Take in a new or changed file, or take one out."""
        if extract is None:
            self._fresh = self._texts.pop(path, None) is not None or self._fresh
            self._sessions.discard(path)
            self._classes.pop(path, None)
            self._loose = self._reach.update(path, None) or self._loose
            return
        text, _, sessions, said = extract
        if path not in self._texts:
            self._fresh = True
        elif self._texts[path] == text:
            return
        self._texts[path] = text
        (self._sessions.add if sessions else self._sessions.discard)(path)
        self._changed.add(path)
        if said is not None:
            self._classes[path] = said[0]
            self._loose = self._reach.update(path, said) or self._loose

    def solve(self) -> Solution:
        """The repeated queries of the project as it now is."""
        self.prepare()
        run, world = self._run, self._world
        assert run is not None
        assert world is not None
        changed = self._templates.refresh()
        if changed:
            run.forget()
        for path, file in self._files.items():
            if not file.done or (changed & file.touched):
                self._evaluate(path, file, run, world)
        everything = [item for path in sorted(self._files) for item in self._files[path].found]
        notes = [note for path in sorted(self._files) for note in self._files[path].notes]
        facts: dict[str, list[Fact]] = {}
        for made in (findings.facts(everything, fixes.Knowledge(world)), answers.facts(notes)):
            for path, values in made.items():
                facts.setdefault(path, []).extend(values)
        counts = self._opportunities(facts)
        uses = {path: found for path, found in run.lookups.items() if not is_test(path)}
        for path, columns in lookups.facts(uses, world).items():
            facts.setdefault(path, []).extend(columns)
            counts.setdefault(path, {})[UnindexedColumn, ""] = len(columns)
        return Solution(facts, counts)

    def _opportunities(self, facts: dict[str, list[Fact]]) -> dict[str, dict[tuple[type[Fact], str], int]]:
        """Per file, the places in loops that could repeat a query, and those that could load rows for an answer."""
        places: set[tuple[str, Place]] = set()
        for home, file in self._files.items():
            places.update((place[1] if place[1] in self._files else home, place) for place in file.places)
        counts: dict[str, Counter[tuple[type[Fact], str]]] = {}
        for path, (kind, *_) in places:
            fact = QueryInLoop if kind in OPERATIONS.values() else RowsInsteadOfAnswer
            counts.setdefault(path, Counter())[fact, kind] += 1
        for path, values in facts.items():
            found = Counter((type(v), cast("QueryInLoop | RowsInsteadOfAnswer", v).kind) for v in values)
            counts[path] = counts.get(path, Counter()) | found
        return {path: dict(count) for path, count in counts.items()}

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
        self._world = World(self._names)
        self._world.set_files(self._texts)
        self._files = {path: _File() for path in self._classes}
        schema = self._models()
        self._close(schema)
        self._run = Interpreter(self._world, schema, self._reach)
        self._run.templates = self._templates

    def _refresh(self) -> None:
        world, run = self._world, self._run
        assert world is not None
        assert run is not None
        mapping = bool(self._changed & self._defining)
        candidates = self._candidates()
        for path in self._changed:
            world.update(path, self._texts[path])
            module = world.by_path[path]
            if not mapping and path in candidates:
                _ = module.names
                mapping = any(run.schema.would_map(cls) for cls in module.classes)
            run.lookups.pop(path, None)
            if path in self._files:
                self._files[path] = _File()
        run.forget()
        stale = set(self._changed)
        if mapping:
            before = run.schema.digest()
            run.schema = self._models()
            if run.schema.digest() != before:
                self._loose = True
                stale |= self._files.keys()
        if self._loose:
            stale |= self._close(run.schema)
        for path, file in self._files.items():
            if path in stale or not file.touched.isdisjoint(stale):
                file.done = False

    def _close(self, schema: Schema) -> set[str]:
        """Find anew what can reach a query; gives the files in which that changed."""
        self._loose = False
        return self._reach.close(Seeds(schema, sessions=bool(self._sessions)))

    def _candidates(self) -> set[str]:
        """The files with classes that may be models, by the names of their bases."""
        waiting = [(path, *mention) for path, classes in self._classes.items() for mention in classes]
        known = set(_ROOTS)
        found: set[str] = set()
        grown = True
        while grown:
            fresh = [w for w in waiting if w[3] or not known.isdisjoint(w[2])]
            waiting = [w for w in waiting if not (w[3] or not known.isdisjoint(w[2]))]
            grown = bool({w[1] for w in fresh} - known)
            known.update(w[1] for w in fresh)
            found.update(w[0] for w in fresh)
        return found

    def _models(self) -> Schema:
        assert self._world is not None
        schema = Schema(self._world, sorted(self._candidates()))
        for path, text in self._texts.items():
            match = (
                re.search(r"^AUTH_USER_MODEL\s*=\s*[\"']([\w.]+)[\"']", text, re.MULTILINE)
                if "AUTH_USER_MODEL" in text
                else None
            )
            if match and not is_test(path):
                schema.user_model = match.group(1)
        self._defining = schema.defining()
        return schema

    def _evaluate(self, path: str, file: _File, run: Interpreter, world: World) -> None:
        outer, world.touched = world.touched, {path}
        events: list[Event] = []
        notes: list[Note] = []
        places: set[Place] = set()
        if path in self._reach.files:
            for entry in entries.entries(run, world.by_path[path]):
                entries.evaluate(run, entry)
                events.extend(run.events)
                notes.extend(run.notes)
                places |= run.looped
                places.update(place for place in run.reads if place[0] in answers.QUESTIONS)
        file.found = [
            item for item in findings.gather(events, path) if not is_test(item.event.site.file.path)
        ]
        file.notes = [note for note in notes if not is_test(note.site.file.path)]
        file.places = {place for place in places if not is_test(place[1])}
        file.touched = frozenset(world.touched)
        file.done = True
        world.touched = outer
