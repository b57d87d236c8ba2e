"""Which rules there are: packs found through the entry point `charter.rules`, and bandit's. It knows none by name."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec import Struct, field
from msgspec.structs import replace

from charter.api import Rule, Severity
from charter.engine import bandit
from charter.engine.extensions import points

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import ModuleType

    from charter.api import AnyRule

GROUP = "charter.rules"
"""The entry point group by which an installed package offers rules; the value is a package or module."""


class PackError(Exception):
    """A rule pack cannot be used. The message names the pack, the fault and the remedy."""


class Registry(Struct, frozen=True, dict=True):
    """All rules of a run.

    Attributes:
        rules: the rules, ordered by code.
        packs: dotted names of the packages they come from.
    """

    rules: tuple[AnyRule, ...]
    packs: tuple[str, ...] = ()
    _data: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    @cached_property
    def by_name(self) -> Mapping[str, AnyRule]:
        """The rules by name."""
        return {rule.name: rule for rule in self.rules}

    @cached_property
    def by_code(self) -> Mapping[str, AnyRule]:
        """The rules by code."""
        return {rule.code: rule for rule in self.rules}

    @cached_property
    def by_alias(self) -> Mapping[str, tuple[AnyRule, ...]]:
        """The rules that stand for another tool's rule, by its id."""
        found: dict[str, tuple[AnyRule, ...]] = {}
        for rule in self.rules:
            for alias in rule.aliases:
                found[alias] = (*found.get(alias, ()), rule)
        return found

    def find(self, text: str) -> AnyRule | None:
        """The rule with this name or code, in any case and with `_` for `-`."""
        return self.by_name.get(text.lower().replace("_", "-")) or self.by_code.get(text.upper())

    def data(self, folder: str) -> Mapping[str, str]:
        """The texts of the TOML files in a folder of every pack, by `pack/folder/name.toml`."""
        if folder not in self._data:
            self._data[folder] = {
                f"{pack}/{folder}/{name}": text
                for pack in self.packs
                for name, text in _toml_texts(pack, folder)
            }
        return self._data[folder]


@cache
def load() -> Registry:
    """The rules of every installed pack, and a rule for every test of bandit.

    Raises:
        PackError: if a pack cannot be imported, offers no rule, or repeats a name or code.
    """
    found: list[AnyRule] = []
    packs: list[str] = []
    for entry in sorted(points(GROUP), key=lambda entry: entry.name):
        owner = entry.dist.name if entry.dist is not None else entry.name
        rules = _of_pack(entry.module, owner)
        if not rules:
            raise PackError(
                f"rule pack `{entry.module}` (from {owner}) defines no rule; mark functions with `charter.api.rule`"
            )
        found.extend(rules)
        packs.append(entry.module)
    return registry((*found, *_rules_for_bandit(found)), tuple(packs))


def _rules_for_bandit(found: Iterable[AnyRule]) -> Iterator[AnyRule]:
    """The rules for bandit's tests. Those that a rule of a pack stands for, mere remarks and imports wait to be selected."""
    replaced = {alias for rule in found for alias in rule.aliases}
    among = bandit.among()
    for rule in bandit.rules():
        off = rule.code in replaced or rule.severity <= Severity.LOW or among.get(rule.code) == "imports"
        yield replace(rule, default=False) if off else rule


def registry(rules: Iterable[AnyRule], packs: tuple[str, ...] = ()) -> Registry:
    """Put rules into order.

    Raises:
        PackError: if two have the same name or code.
    """
    names: dict[str, AnyRule] = {}
    codes: dict[str, AnyRule] = {}
    for rule in rules:
        for table, key in ((names, rule.name), (codes, rule.code)):
            other = table.setdefault(key, rule)
            if other is not rule:
                raise PackError(
                    f"`{rule.module}` and `{other.module}` both define a rule {key}; rename one of them"
                )
    return Registry(tuple(sorted(names.values(), key=lambda rule: rule.code)), packs)


def _of_pack(name: str, owner: str) -> list[AnyRule]:
    rules: dict[str, AnyRule] = {}
    for module in _modules(name, owner):
        for value in vars(module).values():
            if isinstance(value, Rule):
                rule = cast("AnyRule", value)
                if rule.module == module.__name__:
                    rules[f"{rule.module}:{rule.name}"] = rule
    return list(rules.values())


def _modules(name: str, owner: str) -> Iterator[ModuleType]:
    module = _import(name, owner)
    yield module
    for path in getattr(module, "__path__", ()):
        for info in pkgutil.walk_packages([path], prefix=f"{name}."):
            yield _import(info.name, owner)
        break


def _import(name: str, owner: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise PackError(
            f"rule pack `{name}` (from {owner}) cannot be imported: {type(error).__name__}: {error}; "
            f"update or uninstall {owner}"
        ) from error


def _toml_texts(pack: str, folder: str) -> Iterator[tuple[str, str]]:
    for place in getattr(importlib.import_module(pack), "__path__", ()):
        for file in sorted(Path(place, folder).glob("*.toml")):
            yield file.name, file.read_text(encoding="utf-8")
