"""Opens a project on the disk: settings, rules, charter and files put together. It checks nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from charter.engine import bandit, constitution, discovery, registry
from charter.engine.plan import SelectionError, Selector
from charter.engine.project import Project
from charter.engine.seal import user_folder
from charter.engine.settings import Settings, SettingsError, guess, load

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from charter.engine.cache import Cache
    from charter.engine.constitution import Constitution
    from charter.engine.registry import Registry

UserError = (
    SettingsError,
    SelectionError,
    registry.PackError,
    constitution.ConstitutionError,
    discovery.PathError,
    bandit.ConfigurationError,
)
"""What opening raises when the user has to mend something; each says what."""


_KINDS: Final[Mapping[type, str]] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
}
"""What the default of a rule's option says of its value, in words."""


class Files(Struct, frozen=True):
    """Reads a project's files, some of which are given instead of read.

    Attributes:
        root: the project's root.
        given: bytes by path relative to the root: standard input, or an editor's text.
    """

    root: Path
    given: Mapping[str, bytes] = field(default_factory=dict[str, bytes])

    def __call__(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            OSError: if it cannot be read.
        """
        data = self.given.get(path)
        if data is not None:
            return data
        with open(f"{self.root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123 (0.6 of the time of `Path.read_bytes`)
            return file.read()


class Opened(Struct, frozen=True):
    """A project that is ready to be checked.

    Attributes:
        project: the project.
        targets: the files that were asked for, relative to the root.
        charter: the principles.
    """

    project: Project
    targets: tuple[str, ...]
    charter: Constitution

    @property
    def settings(self) -> Settings:
        """The project's settings."""
        return self.project.settings

    def cache(self) -> Cache | None:
        """Where results are kept; None if the settings want none."""
        from charter.engine.cache import Cache

        return Cache(cache_folder(self.settings)) if self.settings.cache else None


def open_project(
    paths: Sequence[Path],
    *,
    config: Path | None = None,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    given: Mapping[Path, bytes] | None = None,
    change: Mapping[str, object] | None = None,
) -> Opened:
    """Open the project that some paths belong to.

    Args:
        paths: files and folders to check; none for the rules and the settings alone.
        config: a settings file to use instead of the nearest one.
        select: selectors that replace those of the settings.
        ignore: selectors to take away besides.
        given: the bytes of files that are not to be read from the disk; they need not exist there.
        change: settings that the command line overrides, by field name.

    Raises:
        SettingsError: and all others of `UserError`, for what the user has to mend.
    """
    settings = load(_common(paths), explicit=config)
    if change:
        import msgspec

        settings = msgspec.structs.replace(settings, **change)
    rules = registry.load()
    charter = constitution.load(rules, settings)
    check_names(settings, rules, charter)
    overlay = {_relative(path, settings.root): data for path, data in (given or {}).items()}
    on_disk = [path for path in paths if given is None or path not in given]
    targets, known, templates, is_whole = _files(on_disk, settings, overlay.keys())
    project = Project.of(
        settings,
        rules,
        charter.principles,
        known | targets,
        Files(settings.root, overlay),
        others=templates,
        select=select,
        ignore=ignore,
    )
    if is_whole:
        check_layers(settings, project.modules.values())
    return Opened(project, tuple(sorted(targets)), charter)


def cache_folder(settings: Settings) -> Path:
    """Where a project's results are kept: in the project, or with the user for a folder that is none."""
    if settings.is_marked:
        return settings.root / settings.cache_dir
    name = hashlib.blake2b(os.fsencode(settings.root), digest_size=8).hexdigest()
    return user_folder() / name


def _files(
    paths: Sequence[Path], settings: Settings, given: AbstractSet[str]
) -> tuple[set[str], set[str], list[str], bool]:
    """The Python files that were asked for, the project's other ones, its templates, and whether that is the whole project.

    Without a sign of a project, or if nothing of it is asked for (an installed package, say), the files and folders
    that were asked for are all there is: nobody wants a whole home directory read for one script.
    """
    root = settings.root
    files, templates = discovery.python_files_and_templates(paths, settings)
    targets = {_relative(path, root) for path in files} | given
    known = set[str]()
    is_whole = bool(targets) and [os.path.abspath(path) for path in paths] == [str(root)]  # noqa: PTH100
    if targets and settings.is_marked and not is_whole:
        whole, below = discovery.python_files_and_templates([root], settings)
        everything = {_relative(path, root) for path in whole}
        if everything & targets:
            known, templates, is_whole = everything, below, True
    return targets, known, [_relative(path, root) for path in templates] if targets else [], is_whole


def _common(paths: Sequence[Path]) -> Path:
    whole = [os.path.abspath(path) for path in paths] or [os.getcwd()]  # noqa: PTH100, PTH109
    try:
        return Path(os.path.commonpath(whole))
    except ValueError:  # several drives
        return Path(whole[0])


def _relative(path: Path, root: Path) -> str:
    whole = os.path.abspath(path)  # noqa: PTH100 (a link keeps the name the user knows)
    top = os.path.join(root, "")  # noqa: PTH118 (a project has many files, and a `Path` for each costs)
    if not whole.startswith(top):
        real = os.path.realpath(whole)
        if not real.startswith(top):
            return Path(os.path.relpath(whole, root)).as_posix()
        whole = real
    return whole[len(top) :].replace(os.sep, "/")


def check_names(settings: Settings, rules: Registry, charter: Constitution) -> None:
    """Refuse settings for rules and options that there are not, and options of another kind.

    Raises:
        SettingsError: for the first one.
    """
    selector = Selector(rules.rules, charter.principles)
    for where, words in _selectors(settings):
        for word in words:
            try:
                selector.matches(word)
            except SelectionError:
                known = [*rules.by_name, *rules.by_code, *charter.by_slug]
                raise settings.unknown(word, *where, known=known) from None
    for where, names in _rule_names(settings):
        for name in names:
            if name not in rules.by_name:
                raise settings.unknown(name, *where, name, known=rules.by_name)
    if settings.conventions:
        from charter.analysis.conventions import WORDS

        for topic in settings.conventions:
            if topic not in WORDS:
                raise settings.unknown(topic, "conventions", topic, known=WORDS, what="convention")
    for name, options in settings.rules.items():
        known = rules.by_name[name].options
        for option in options:
            if option not in known:
                otherwise = f"it has {', '.join(known)}" if known else "it has none"
                raise settings.unknown(
                    option,
                    "rules",
                    name,
                    option,
                    known=known,
                    what=f"option of `{name}`",
                    otherwise=otherwise,
                )
            _check_kind(settings, name, option, known[option])


def check_layers(settings: Settings, modules: Collection[str]) -> None:
    """Refuse layers that are no module or package of the project, unless they are of a library.

    Args:
        settings: the settings.
        modules: the dotted names of all modules of the project.

    Raises:
        SettingsError: for the first one.
    """
    if not settings.layers:
        return
    known = {".".join(parts[:count]) for parts in map(_parts, modules) for count in range(1, len(parts) + 1)}
    for index, contract in enumerate(settings.layers):
        for layer in contract.layers:
            for name in filter(None, map(str.strip, layer.split("|"))):
                hint = "" if name in known else guess(name, known)
                if hint or (name not in known and _parts(name)[0] in known):
                    message = f"`{name}` is no module of the project"
                    where = ("layers", index, "layers")
                    raise settings.mistake(message, *where, hint=hint or "it may be excluded", value=layer)


def _parts(name: str) -> list[str]:
    return name.split(".")


def _check_kind(settings: Settings, rule: str, option: str, default: object) -> None:
    """Refuse a value that is of another kind than the option's default; a whole number may stand for any number."""
    value = settings.rules[rule][option]
    kinds = (int, float) if isinstance(default, float) else (type(default),)
    if type(value) not in kinds:
        message = f"`rules.{rule}.{option}` is to be {_KINDS.get(type(default), 'of another kind')}"
        raise settings.mistake(message, "rules", rule, option, hint=f"by default it is {default!r}")


def _selectors(settings: Settings) -> Iterable[tuple[tuple[str, ...], Iterable[str]]]:
    yield ("select",), settings.select or ()
    yield ("extend-select",), settings.extend_select
    yield ("ignore",), settings.ignore
    for pattern, override in settings.per_file.items():
        yield ("per-file", pattern, "select"), override.select or ()
        yield ("per-file", pattern, "ignore"), override.ignore


def _rule_names(settings: Settings) -> Iterable[tuple[tuple[str, ...], Iterable[str]]]:
    yield ("severity",), settings.severity
    yield ("rules",), settings.rules
    for pattern, override in settings.per_file.items():
        yield ("per-file", pattern, "severity"), override.severity
