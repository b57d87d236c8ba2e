"""How a project has configured bandit: `.bandit`, `[tool.bandit]` in `pyproject.toml`, or `bandit.yaml`.

Bandit reads the last two only where a command line names them; a reviewer in an editor has no command line, so they
are found by name at the project's root.
"""

from __future__ import annotations

import fnmatch
import hashlib
from typing import TYPE_CHECKING, Any, Final

import tomli
from msgspec import Struct

from charter.engine.extensions import version
from charter.syntax.toml import table_in

if TYPE_CHECKING:
    from pathlib import Path

_FILES: Final = ("bandit.yaml", "bandit.yml", ".bandit.yaml", ".bandit.yml", "bandit.toml", ".bandit.toml")
RANKING: Final = ("UNDEFINED", "LOW", "MEDIUM", "HIGH")


class ConfigurationError(Exception):
    """Bandit's configuration cannot be followed. The message names the file and what bandit says of it."""


class Configuration(Struct, frozen=True):
    """What a project asks of bandit.

    Attributes:
        file: the configuration file, absolute; "" for none.
        tests: ids of the tests to run; () for all.
        skips: ids of the tests not to run.
        profile: a legacy profile of the configuration file; "" for none.
        exclude: paths not to look into: substrings or patterns of the path as bandit has it.
        include: patterns of the files to look into.
        ignore_nosec: whether `# nosec` is of no account.
        severity: the least severity, one of bandit's four words.
        confidence: the least confidence, likewise.
        digest: a hash of all that was read, for caches.
    """

    file: str = ""
    tests: tuple[str, ...] = ()
    skips: tuple[str, ...] = ()
    profile: str = ""
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ("*.py", "*.pyw", "*.ipynb")
    ignore_nosec: bool = False
    severity: str = "UNDEFINED"
    confidence: str = "UNDEFINED"
    digest: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether all tests run, configured as bandit brings them."""
        return not (self.file or self.profile or self.tests or self.skips)

    def covers(self, path: str) -> bool:
        """Whether bandit would look at a file, given relative to the root with forward slashes."""
        # Bandit's name for a file begins as the argument on its command line does: a folder, or `.` for all.
        names = (f"./{path}", path)
        return any(fnmatch.fnmatch(names[0], pattern) for pattern in self.include) and not any(
            fnmatch.fnmatch(name, pattern) or pattern in name for pattern in self.exclude for name in names
        )


def read(root: Path) -> Configuration:
    """The configuration of the project at a root.

    Raises:
        ConfigurationError: for a file that bandit refuses.
    """
    content = version("bandit").encode()
    ini = root / ".bandit"
    options: dict[str, str] = {}
    if ini.is_file():
        data = ini.read_bytes()
        content += data
        options = _options(data.decode("utf-8", "replace"))
    file = _file(root, options.get("configfile", ""))
    tests, skips = _ids(options.get("tests", "")), _ids(options.get("skips", ""))
    exclude = [f"{part}/*" if (root / part).is_dir() else part for part in _ids(options.get("exclude", ""))]
    include: tuple[str, ...] = Configuration().include
    if file is not None:
        config = _checked(file)
        content += file.read_bytes()
        exclude = [*map(str, config.get_option("exclude_dirs") or ()), *exclude]
        chosen = config.get_option("include")
        include = (*map(str, chosen), "*.ipynb") if chosen else include
    return Configuration(
        file=str(file or ""),
        tests=tests,
        skips=skips,
        profile=options.get("profile", ""),
        exclude=tuple(exclude),
        include=include,
        ignore_nosec=bool(options.get("ignore-nosec")),
        severity=_rank(options.get("level", "")),
        confidence=_rank(options.get("confidence", "")),
        digest=hashlib.blake2b(content, digest_size=16).hexdigest(),
    )


def _options(text: str) -> dict[str, str]:
    """The options in a `.bandit` file; none if it is no INI file with such a section, as for bandit itself."""
    import configparser

    parser = configparser.ConfigParser()
    try:
        parser.read_string(text)
        return dict(parser.items("bandit"))
    except configparser.Error:
        return {}


def _ids(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


def _rank(text: str) -> str:
    """The word for a level, which is given as a number: 1 is everything."""
    number = int(text) if text.isdigit() else 1
    return RANKING[min(max(number, 1), len(RANKING)) - 1]


def _file(root: Path, named: str) -> Path | None:
    if named:
        return root / named
    for name in _FILES:
        if (root / name).is_file():
            return root / name
    project = root / "pyproject.toml"
    try:
        data = tomli.loads(project.read_text(encoding="utf-8")) if project.is_file() else {}
    except (OSError, ValueError):
        return None
    return project if "bandit" in table_in(data, "tool") else None


def _checked(file: Path) -> Any:
    """The file as bandit reads it."""
    from charter.engine.bandit.core import load

    core = load()
    try:
        return core.config(str(file))
    except core.utils.ConfigError as error:
        raise ConfigurationError(f"bandit cannot use {file.name}: {error}") from None
    except (AttributeError, TypeError, KeyError):
        raise ConfigurationError(f"bandit cannot use {file.name}: it is not a mapping of settings") from None
