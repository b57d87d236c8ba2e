"""What a project asks of Charter: `charter.toml` or `[tool.charter]`, read, checked and made into one value.

It knows no rule: names of rules are words here, and whoever has the rules checks them (`SettingsError.unknown`).
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar

import msgspec
import tomli

from charter.api import Pillar, Severity
from charter.engine.patterns import is_pattern, matcher
from charter.syntax.toml import line_of, table_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE_NAME = "charter.toml"
DEFAULT_PYTHON = (3, 10)
"""The oldest Python assumed of a project that states none."""

DEFAULT_EXCLUDE = (
    ".git", ".hg", ".svn", ".venv", "venv", "node_modules", "site-packages", "__pycache__", ".eggs", ".tox", ".nox",
    ".mypy_cache", ".pytest_cache", ".ruff_cache", ".charter_cache", "/build", "/dist", "*_pb2.py", "*_pb2_grpc.py",
)  # fmt: skip
"""Never looked into unless named on the command line, as .gitignore patterns; `exclude` adds to them."""

_UPWARD_END = (".git", ".hg")
_METADATA = ("pyproject.toml", "setup.cfg", "setup.py")
_SAID = re.compile(r"(?m)^\s*(?:name|description|keywords) *= *(\[[^\]]*\]|.+)$")
_PROJECT_MARKS = ("pyproject.toml", "setup.cfg", "setup.py", *_UPWARD_END)

SeverityName = Literal["info", "low", "medium", "high", "critical"]
T = TypeVar("T")

_HINTS = {
    "severity": "say info, low, medium, high or critical",
    "pillar": "say security, maintainability or performance",
    "threats": "say remote, model, local or stored",
    "python": 'write it like "3.11"',
    "fail-under": "scores go from 0 to 100",
}


class SettingsError(Exception):
    """Settings that cannot be followed.

    Attributes:
        path: the file at fault.
        line: 1-based; 0 where no line can be named.
        message: what is wrong.
        hint: what to do; "" if there is nothing to add.
    """

    def __init__(self, path: Path, line: int, message: str, hint: str = "") -> None:
        super().__init__(path, line, message, hint)
        self.path: Path = path
        self.line: int = line
        self.message: str = message
        self.hint: str = hint

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        return f"{place}: {self.message}" + (f"; {self.hint}" if self.hint else "")


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What is different for the files that a pattern matches.

    Attributes:
        select: these and no others, as in `Options.select`; None leaves the choice as it is.
        ignore: these not.
        severity: severities of rules by name.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    severity: dict[str, SeverityName] = {}


class Amendment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """A change to a principle, or a principle of the team's own (then id, title, pillar and rationale are needed).

    Attributes:
        weight: its share in its pillar's score; 0 takes it out.
        retire: whether it is no longer scored nor checked.
        rank: who wins a conflict: the lower number.
        id: short name of a new principle, such as `T01`.
        title: the principle as an order.
        pillar: `security`, `maintainability` or `performance`.
        rationale: why.
        looks_for: what a reviewer looks for.
        references: addresses to read on.
    """

    weight: Annotated[float, msgspec.Meta(ge=0)] | None = None
    retire: bool = False
    rank: int | None = None
    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]+\d{2,}$")] | None = None
    title: str | None = None
    pillar: Pillar | None = None
    rationale: str | None = None
    looks_for: tuple[str, ...] | None = None
    references: tuple[str, ...] | None = None


class Layers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """One import contract: packages from the top down; a higher one may import a lower one, never the reverse.

    Attributes:
        layers: dotted names, the highest first; `a | b` names two of one height that may not import each other. A library
            may be one of them.
        name: what to call the contract in messages.
    """

    layers: tuple[str, ...]
    name: str = "the layers"


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What may stand in the settings file; every field has a default. The JSON schema is made from this class.

    Attributes:
        select: rules that run, by name, code, beginning of a code, principle (id or slug), pillar or `all`;
            None runs every rule that is on by default.
        extend_select: rules that run in addition.
        ignore: rules that do not run, by the same words.
        per_file: overrides by .gitignore pattern.
        exclude: files and folders not to look into, as .gitignore patterns, on top of Charter's own list.
        include: which files are Python, as .gitignore patterns.
        respect_gitignore: whether what git ignores is left out.
        force_exclude: whether exclusion also holds for files named on the command line.
        severity: severities of rules by name.
        rules: options of rules by name.
        fail_under: the score below which a principle fails.
        baseline: file of known findings, relative to the project's root; "" for none.
        python: the oldest Python version to be supported, such as `3.11`; None reads `requires-python`.
        tests: which files are tests, as .gitignore patterns.
        bandit: whether bandit's checks run.
        principles: changes to the charter, by the principle's slug.
        layers: import contracts.
        conventions: what to hold the project to besides what is learned from it, by topic: the way to do it, or false
            to leave the topic alone; `charter conventions` names topics and ways.
        threats: whose input is not trusted: `remote` (network), `model` (what a language model answers), `local` (argv,
            environment, files), `stored` (rows of a database).
        models: further model files (sources, sinks, sanitizers), relative to the project's root.
        taint: sources, sinks, sanitizers and propagators of the project's own, as in a model file.
        cache: whether results are kept between runs.
        cache_dir: where, relative to the project's root.
    """

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file: dict[str, Override] = {}
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ("*.py", "*.pyi", "*.ipynb")
    respect_gitignore: bool = True
    force_exclude: bool = False
    severity: dict[str, SeverityName] = {}
    rules: dict[str, dict[str, Any]] = {}
    fail_under: Annotated[float, msgspec.Meta(ge=0, le=100)] = 80.0
    baseline: str = ""
    python: Annotated[str, msgspec.Meta(pattern=r"^3\.\d{1,2}$")] | None = None
    tests: tuple[str, ...] = (
        "tests/",
        "/test/",
        "e2e/",
        "test_*.py",
        "*_test.py",
        "tests.py",
        "test.py",
        "conftest.py",
    )
    bandit: bool = True
    principles: dict[str, Amendment] = {}
    layers: tuple[Layers, ...] = ()
    conventions: dict[str, str | bool] = {}
    threats: tuple[Literal["remote", "model", "local", "stored"], ...] = ("remote", "model")
    models: tuple[str, ...] = ()
    taint: dict[str, Any] = {}
    cache: bool = True
    cache_dir: str = ".charter_cache"


_ENTRIES: Final[dict[str, Any]] = {
    "per-file": Override,
    "principles": Amendment,
    "severity": SeverityName,
    "rules": dict[str, Any],
    "conventions": str | bool,
}
"""The tables whose keys are the user's own words, by what each of them holds."""


class Settings(Options, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The options of one project together with where they come from.

    Attributes:
        root: the project's root: absolute; every reported path is relative to it.
        path: the settings file; None if the project has none.
        oldest_python: the oldest Python version that the project supports.
        purpose: what the project's metadata say that it is for: its name, description and keywords.
    """

    root: Path = Path()
    path: Path | None = None
    oldest_python: tuple[int, int] = DEFAULT_PYTHON
    purpose: str = ""

    @property
    def is_marked(self) -> bool:
        """Whether the root is known to be a project's top, by its settings or by the usual files."""
        return self.path is not None or any((self.root / mark).exists() for mark in _PROJECT_MARKS)

    def is_test(self, path: str) -> bool:
        """Whether a file, relative to the root, belongs to the tests."""
        return matcher(self.tests)(path)

    def overrides(self, path: str) -> tuple[Override, ...]:
        """The overrides whose pattern matches a file, relative to the root, in the order of the settings."""
        return tuple(override for pattern, override in self.per_file.items() if matcher((pattern,))(path))

    def severity_of(self, rule: str, path: str) -> Severity | None:
        """The severity that the settings give a rule in a file; None if they give none."""
        name = self.severity.get(rule)
        for override in self.overrides(path):
            name = override.severity.get(rule, name)
        return Severity[name.upper()] if name else None

    def digest(self) -> str:
        """A hash of all that can change a finding, for keys of caches; where the project lies is not in it."""
        here = msgspec.structs.replace(self, root=Path(), path=None, cache_dir="", cache=True)
        models = [path.read_bytes() for name in self.models if (path := self.root / name).is_file()]
        content = msgspec.json.encode(here, enc_hook=str, order="sorted") + b"".join(models)
        return hashlib.blake2b(content, digest_size=16).hexdigest()

    def unknown(
        self, word: str, *where: str, known: Iterable[str], what: str = "rule", otherwise: str = ""
    ) -> SettingsError:
        """The error for a word in the settings that nothing answers to.

        Args:
            word: the word.
            where: the keys that lead to it, for instance `("ignore",)`.
            known: the words that would do; the nearest is offered.
            what: what the word should have named.
            otherwise: the hint if none is near.
        """
        hint = guess(word, known) or otherwise
        return self.mistake(f"no {what} is called `{word}`", *where, hint=hint, value=word)

    def mistake(self, message: str, *where: str | int, hint: str = "", value: str = "") -> SettingsError:
        """The error for what the settings say, with its line.

        Args:
            message: what is wrong.
            where: the keys that lead to it.
            hint: what to do.
            value: the string at fault, if its own line is meant.
        """
        if self.path is None:
            return SettingsError(Path("the command line"), 0, message, hint)
        line = line_of(self.path.read_text("utf-8-sig", "replace"), table_of(self.path) + where, value=value)
        return SettingsError(self.path, line, message, hint)


def load(start: Path, *, explicit: Path | None = None) -> Settings:
    """The settings that hold for a file or folder.

    The nearest `charter.toml`, or `pyproject.toml` with `[tool.charter]`, upward from `start` counts; the search
    ends at the repository's root, so that a file in a home directory never governs a project.

    Args:
        start: a file or folder of the project.
        explicit: a settings file to read instead of searching; the root is then found by the usual marks.

    Raises:
        SettingsError: for a file that cannot be read or followed.
    """
    # Unlike `pathlib`, `os.path` takes a link to itself, or a folder that may not be entered, for a path to nowhere.
    whole = os.path.realpath(start)
    folder = Path(whole if os.path.isdir(whole) else os.path.dirname(whole))  # noqa: PTH112, PTH120
    found = Path(os.path.realpath(explicit)) if explicit else _nearest(folder)
    if found is None:
        root = _root(folder)
        return Settings(
            root=root, oldest_python=_requires_python(root) or DEFAULT_PYTHON, purpose=_purpose(root)
        )
    text, table = _read(found, required=True)
    options = _options(found, text, table)
    root = _root(folder) if explicit else found.parent
    declared = _version(options.python) if options.python else _requires_python(root)
    fields = {name: getattr(options, name) for name in Options.__struct_fields__}
    return Settings(
        **fields, root=root, path=found, oldest_python=declared or DEFAULT_PYTHON, purpose=_purpose(root)
    )


def schema() -> dict[str, Any]:
    """The JSON schema of `charter.toml`, for editors."""
    made = msgspec.json.schema(Options)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Settings of Charter", **made}


def _nearest(folder: Path) -> Path | None:
    for place in (folder, *folder.parents):
        own = place / FILE_NAME
        if os.path.lexists(own):  # a link to nowhere too: whoever made it wants no other settings
            if own.is_fifo() or own.is_socket():
                raise SettingsError(own, 0, "is no regular file", "name another one with `--config`")
            return own
        shared = place / "pyproject.toml"
        if shared.is_file() and _read(shared, required=False)[1] is not None:
            return shared
        if any((place / mark).exists() for mark in _UPWARD_END):
            return None
    return None


def _root(folder: Path) -> Path:
    """The nearest folder that looks like a project's top, else the nearest one that is not a package."""
    places = (folder, *folder.parents)
    marked = (place for place in places if any((place / mark).exists() for mark in _PROJECT_MARKS))
    return next(marked, None) or next(p for p in places if not (p / "__init__.py").is_file())


def _read(path: Path, *, required: bool) -> tuple[str, dict[str, Any] | None]:
    """The text and Charter's table of a settings file; None for the table if the file has none."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        hint = "check the path and its permissions"
        raise SettingsError(path, 0, f"cannot be read: {error.strerror}", hint) from None
    except UnicodeDecodeError:
        raise SettingsError(path, 0, "is not UTF-8", "save it as UTF-8, as TOML demands") from None
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        if not required and "tool.charter" not in text:
            return text, None
        message = error.msg[:1].lower() + error.msg[1:]
        raise SettingsError(path, error.lineno, f"is not valid TOML: {message}") from None
    if path.name != "pyproject.toml":
        return text, data
    tools = table_in(data, "tool")
    if "charter" not in tools:
        return text, {} if required else None
    if not isinstance(tools["charter"], dict):
        line = line_of(text, table_of(path))
        raise SettingsError(path, line, "`tool.charter` is no table", "write `[tool.charter]`")
    return text, table_in(tools, "charter")


def table_of(path: Path) -> tuple[str, ...]:
    """The tables in which Charter's settings stand in a file."""
    return ("tool", "charter") if path.name == "pyproject.toml" else ()


def _options(path: Path, text: str, table: dict[str, Any] | None) -> Options:
    data: dict[str, Any] = table or {}
    for name, kind in _ENTRIES.items():
        for key, value in table_in(data, name).items():
            _convert(path, text, value, kind, (name, key))
    options = _convert(path, text, data, Options, ())
    _check_patterns(path, text, options)
    return options


def _check_patterns(path: Path, text: str, options: Options) -> None:
    """Refuse a pattern that git would not take either."""
    for keys, patterns in (
        (("exclude",), options.exclude),
        (("include",), options.include),
        (("tests",), options.tests),
        (("per-file",), options.per_file),
    ):
        for pattern in patterns:
            if not is_pattern(pattern):
                line = line_of(text, table_of(path) + keys, value=pattern)
                raise SettingsError(path, line, f"`{pattern}` is no pattern", "write it as in .gitignore")


def _convert(path: Path, text: str, data: object, kind: type[T], where: tuple[str, ...]) -> T:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at ")
        keys = where + tuple(re.findall(r"[\w-]+", re.sub(r"\[.*?\]", "", place.strip("`").lstrip("$"))))
        hint = ""
        if unknown := re.search(r"unknown field `(.+)`", message):
            keys = (*keys, unknown[1])
            known = [
                field.encode_name for field in msgspec.structs.fields(_kind_at(kind, keys[len(where) : -1]))
            ]
            message, hint = f"unknown key `{unknown[1]}`", guess(unknown[1], known)
        elif keys:
            message = f"`{'.'.join(keys)}`: {message[0].lower()}{message[1:]}".replace(" | null", "")
            hint = next((hint for key, hint in _HINTS.items() if key in keys), "")
        raise SettingsError(path, line_of(text, table_of(path) + keys), message, hint) from None


def _kind_at(kind: Any, keys: tuple[str, ...]) -> Any:
    """The struct that an unknown key was found in: the only list of structs is `layers`."""
    return Layers if kind is Options and keys[:1] == ("layers",) else kind


def guess(word: str, known: Iterable[str]) -> str:
    """The question whether another word was meant; "" if none is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def _requires_python(folder: Path) -> tuple[int, int] | None:
    """The oldest version that `requires-python`, or Poetry's, of the nearest pyproject.toml admits."""
    for place in (folder, *folder.parents):
        path = place / "pyproject.toml"
        if path.is_file():
            try:
                data: Mapping[str, Any] = tomli.loads(path.read_text("utf-8-sig"))
            except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError):
                return None
            poetry = table_in(data, "tool", "poetry", "dependencies")
            bound = str(table_in(data, "project").get("requires-python") or poetry.get("python") or "")
            lower = re.findall(r"(?:>=|~=|==|>|\^|~)\s*(3)\.(\d+)", bound)
            return min(((int(major), int(minor)) for major, minor in lower), default=None)
        if any((place / mark).exists() for mark in _UPWARD_END):
            return None
    return None


def _purpose(root: Path) -> str:
    """What the metadata at a project's top say that it is for, as they are written, in TOML, a configuration or `setup.py`."""
    said: list[str] = []
    for name in _METADATA:
        try:
            if (root / name).is_file():
                said += _SAID.findall((root / name).read_text("utf-8-sig", "replace"))
        except OSError:
            continue
    return " ".join(said)
