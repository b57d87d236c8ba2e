"""The projects that open documents belong to: settings, rules and plans, looked up once for each folder. It checks nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from charter.engine import constitution, registry
from charter.engine.discovery import is_excluded
from charter.engine.opening import UserError, check_names
from charter.engine.project import Project, module_names
from charter.engine.settings import Settings, SettingsError
from charter.engine.settings import load as load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.model.modules import ModuleNames

Problem = tuple[int, str]
"""A fault of a settings file: 1-based line, 0 if none can be named, and what to read."""


@dataclass(slots=True)
class Home:
    """One project as the checker knows it.

    Attributes:
        project: settings, rules and plans; its only files are those asked about.
        root: its folder.
        names: tells the modules of one name in several folders apart; None if nobody has looked for such.
    """

    project: Project = field(repr=False)
    root: Path
    names: ModuleNames | None = None
    _excluded: dict[str, bool] = field(default_factory=dict[str, bool], repr=False)

    def relative(self, file: str) -> str:
        """A file as the project names it; a file outside of it by its name only."""
        try:
            return Path(file).relative_to(self.root).as_posix()
        except ValueError:
            return Path(file).name

    def module(self, file: str) -> str:
        """The dotted name under which a file would be imported."""
        from charter.model.modules import ModuleNames

        relative = self.relative(file)
        if self.names is not None and relative in self.names.by_path:
            return self.names.name(relative)
        path = Path(file)
        inits = [
            self.relative(str(init))
            for folder in path.parents
            if self.root in (folder, *folder.parents) and (init := folder / "__init__.py").is_file()
        ]
        return ModuleNames([relative, *inits]).name(relative)

    def meant(self, file: str) -> Callable[[str], str] | None:
        """What tells the names of the modules that a file imports; None if each is known by the name it is imported by."""
        return None if self.names is None else self.names.meant(self.relative(file))

    def excludes(self, file: str) -> bool:
        """Whether the settings, or git, leave a file out."""
        if file not in self._excluded:
            path = Path(file)
            inside = self.root in path.parents
            self._excluded[file] = inside and is_excluded(path, self.project.settings)
        return self._excluded[file]


class Homes:
    """All projects that open documents belong to.

    Args:
        text_of_open: gives the text of an open file by its absolute path; None if it is not open.
    """

    def __init__(self, text_of_open: Callable[[str], str | None]) -> None:
        self._text_of_open = text_of_open
        self._by_folder: dict[str, Home] = {}
        self._by_settings: dict[Path, Home] = {}
        self._names: dict[Path, ModuleNames] = {}
        self._last_good: dict[str, Home] = {}
        self._problems: dict[str, list[Problem]] = {}
        self._told: dict[str, list[Problem]] = {}
        self._folder = str(Path.cwd())
        self._options: dict[str, Any] = {}

    def configure(self, folder: str, options: dict[str, Any]) -> None:
        """Take the first workspace folder, for documents that are no files, and the client's settings."""
        self._folder = folder or self._folder
        self._options = options
        self.forget()

    def forget(self) -> None:
        """Look settings up anew when they are next needed; the old ones serve while the new ones are faulty."""
        self._last_good.update(self._by_folder)
        self._by_folder.clear()
        self._by_settings.clear()
        self._problems = {path: [] for path in self._told}

    def take_shared(self, root: str, paths: list[str]) -> None:
        """Take the files of a project whose top-level names several folders have."""
        names = self._names[Path(root)] = module_names(paths, registry.load())
        for home in self._by_folder.values():
            if home.root == Path(root):
                home.names = names

    def of(self, file: str) -> Home:
        """The project of a file, given as an absolute path; "" for a document that is no file."""
        folder = str(Path(file).parent) if file else self._folder
        home = self._by_folder.get(folder)
        if home is None:
            home = self._by_folder[folder] = self._load(folder)
        return home

    def take_problems(self) -> list[tuple[str, list[Problem]]]:
        """The faults of settings files that were not told yet; an empty list takes older ones back."""
        changed = [
            (path, found) for path, found in self._problems.items() if self._told.get(path, []) != found
        ]
        self._told.update(changed)
        return changed

    def rule_pages(self) -> list[tuple[Any, ...]]:
        """What the server shows of each rule, as `rows.RulePage` has it."""
        from charter.lsp.pages import pages

        return pages(registry.load().rules)

    def _load(self, folder: str) -> Home:
        settings = Settings(root=Path(folder))
        last = self._last_good.get(folder)
        former = last.project.settings.path if last is not None else None
        try:
            settings = load_settings(Path(folder))
            if former is not None and former != settings.path and former.is_file():
                load_settings(
                    Path(folder), explicit=former
                )  # if it is broken, who knows whether it still counts
            self._problems.setdefault(str(settings.path), []) if settings.path else None
            check_names(settings, registry.load(), constitution.load(registry.load(), settings))
            return self._home(settings)
        except SettingsError as error:
            hint = f"; {error.hint}" if error.hint else ""
            self._fault(error.path, error.line, f"{error.message}{hint}")
        except UserError as error:
            self._fault(settings.path or Path(folder), 0, str(error))
        return last or self._home(Settings(root=Path(folder)))

    def _fault(self, path: Path, line: int, text: str) -> None:
        found = self._problems.setdefault(str(path), [])
        if (line, text) not in found:
            self._problems[str(path)] = [*found, (line, text)]

    def _home(self, settings: Settings) -> Home:
        if settings.path is not None and settings.path in self._by_settings:
            return self._by_settings[settings.path]
        rules = registry.load()
        principles = constitution.load(rules, settings).principles
        ignore: list[str] = self._options.get("ignore") or []
        select: list[str] | None = self._options.get("select") or None

        def read(path: str) -> bytes:
            file = settings.root / path
            text = self._text_of_open(str(file))
            return file.read_bytes() if text is None else text.encode("utf-8", "surrogatepass")

        project = Project.of(settings, rules, principles, (), read, select=select, ignore=ignore)
        home = Home(project, settings.root, self._names.get(settings.root))
        if settings.path is not None:
            self._by_settings[settings.path] = home
        return home


def without_project_facts(project: Project) -> Project:
    """The project as it is when only one of its files is known: nothing is concluded from the absence of others."""
    import copy

    planner = copy.copy(project.planner)
    planner.analyses = ()
    return replace(project, planner=planner)
