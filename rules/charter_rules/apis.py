"""The deprecated names of the standard library and of big packages, read from `data/deprecated_*.toml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import tomli
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

Version = tuple[int, ...]


class Api(Struct, frozen=True):
    """One name that should no longer be used.

    Attributes:
        name: the qualified name, the module, or the method.
        package: who deprecated it.
        since: the version that deprecated it; () if it was removed at once or the version is unknown.
        removed: the version without it; () if it is still there.
        use: what to use instead, as source text or words.
        replace: the qualified name that takes its place unchanged; "" if none does.
        safe: whether the replacement keeps the meaning.
        needs: the Python version in which the replacement exists; () for all supported.
        always: whether it is wrong whatever Python the project supports.
        note: why, in a few words; "" for the usual reason.
        of: for methods, the last part of the base class's name.
        function: whether a module of the same name is there to stay.
    """

    name: str
    package: str
    since: Version = ()
    removed: Version = ()
    use: str = ""
    replace: str = ""
    safe: bool = True
    needs: Version = ()
    always: bool = False
    note: str = ""
    of: str = ""
    function: bool = False

    @property
    def history(self) -> str:
        """Since when it is deprecated or gone, for a message."""
        if self.removed:
            return f"removed in {self.package} {_dotted(self.removed)}"
        return f"deprecated since {self.package} {_dotted(self.since)}"


class Apis(Struct, frozen=True):
    """All deprecated names.

    Attributes:
        names: by qualified name.
        modules: by dotted name of the module.
        methods: by method name.
        words: the last part of every name and module, and every method.
    """

    names: Mapping[str, Api]
    modules: Mapping[str, Api]
    methods: Mapping[str, Api]
    words: frozenset[str]


def _load() -> Apis:
    tables: dict[str, dict[str, Api]] = {"names": {}, "modules": {}, "methods": {}}
    for entry in sorted(Path(__file__).with_name("data").glob("deprecated_*.toml")):
        document = tomli.loads(entry.read_text(encoding="utf-8"))
        packages: Any = document["package"]
        parts: list[dict[str, Any]] = (
            [{**document, "name": packages}] if isinstance(packages, str) else packages
        )
        for part in parts:
            for key, table in tables.items():
                for name, row in part.get(key, {}).items():
                    table[name] = _api(entry.name, name, part["name"], row)
    names = tables["names"]
    words = {name.rpartition(".")[2] for name in (*names, *tables["modules"])} | set(tables["methods"])
    return Apis(names, tables["modules"], tables["methods"], frozenset(words))


_KEYS = frozenset(
    {"since", "removed", "returned", "use", "replace", "grade", "needs", "always", "note", "of", "function"}
)


def _api(file: str, name: str, package: str, row: dict[str, Any]) -> Api:
    unknown = row.keys() - _KEYS
    if unknown or not ("since" in row or "removed" in row) or not ("use" in row or "replace" in row):
        raise ValueError(
            f"data/{file}: `{name}` needs `since` or `removed`, and `use` or `replace`; unknown: {unknown}"
        )
    grade: Literal["safe", "unsafe"] = row.get("grade", "safe")
    return Api(
        name=name,
        package=package,
        since=_version(row.get("since", "")),
        removed=_version(row.get("removed", "")),
        use=row.get("use") or str(row["replace"]).removeprefix("builtins."),
        replace=row.get("replace", ""),
        safe=grade == "safe",
        needs=_version(row.get("needs", "")),
        always=row.get("always", False),
        note=row.get("note", ""),
        of=row.get("of", ""),
        function=row.get("function", False),
    )


def _version(text: str) -> Version:
    return tuple(int(part) for part in text.split(".")) if text else ()


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


@cache
def load() -> Apis:
    """All deprecated names.

    Raises:
        ValueError: if a data file has a row that cannot be used; it names the file and the row.
    """
    return _load()


WORDS: Final = tuple(sorted(load().words))
"""The identifiers of which a file must have one to be worth a look."""
