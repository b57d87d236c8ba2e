"""The project's own models: the sources, sinks and sanitizers of its settings. It knows no analysis and no rule."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from charter.engine.settings import SettingsError, table_of
from charter.syntax.toml import line_of

if TYPE_CHECKING:
    from pathlib import Path

    from charter.engine.settings import Settings
    from charter.model.library import Library


def own_libraries(settings: Settings) -> tuple[Library, ...]:
    """What a project adds to the models of libraries: the table `taint`, and the files that `models` names.

    Args:
        settings: the project's settings.

    Raises:
        SettingsError: for a file that cannot be read, and for a mistake in the table or a file, with its line.
    """
    if settings.path is None or not (settings.taint or settings.models):
        return ()
    found: list[Library] = []
    if settings.taint:
        found.append(_of_table(settings, settings.path))
    found += [_of_file(settings, settings.path, name) for name in settings.models]
    return tuple(found)


def _of_table(settings: Settings, path: Path) -> Library:
    from charter.model.library import LibraryError, tables

    text = path.read_text("utf-8-sig", "replace")
    try:
        return tables(settings.taint, str(path), text, (*table_of(path), "taint"))
    except LibraryError as error:
        raise SettingsError(path, error.line, error.problem) from None


def _of_file(settings: Settings, path: Path, name: str) -> Library:
    from charter.model.library import LibraryError, load

    file = settings.root / name
    try:
        return load(_text_of(file), str(file))
    except LibraryError as error:
        raise SettingsError(file, error.line, error.problem) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        line = line_of(path.read_text("utf-8-sig", "replace"), (*table_of(path), "models"), value=name)
        raise SettingsError(
            path,
            line,
            f"the model file `{name}` cannot be read: {reason}",
            f"it is looked for in {settings.root}",
        ) from None


def _text_of(file: Path) -> str:
    if file.is_fifo() or file.is_socket():  # nobody may ever write into it
        raise OSError(errno.EINVAL, "it is no regular file")
    return file.read_text("utf-8-sig")
