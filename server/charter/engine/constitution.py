"""The charter as data: the principles that rule packs bring along, as a team amends them. It knows no rule."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import msgspec
import tomli
from msgspec import Struct
from msgspec.structs import replace

from charter.api import Pillar, Principle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charter.engine.registry import Registry
    from charter.engine.settings import Amendment, Settings

FILE_NAME = "constitution.toml"
_SLUG = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"


class ConstitutionError(Exception):
    """The principles of a rule pack cannot be used; the message names the file, the line and the fault."""


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """One principle as it stands in a pack's file; the fields are those of `Principle`."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]+\d{2,}$")]
    slug: Annotated[str, msgspec.Meta(pattern=_SLUG)]
    title: Annotated[str, msgspec.Meta(min_length=1)]
    pillar: Pillar
    rank: int
    rationale: Annotated[str, msgspec.Meta(min_length=1)]
    looks_for: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    linters: tuple[str, ...] = ()
    weight: Annotated[float, msgspec.Meta(ge=0)] = 1.0

    def principle(self) -> Principle:
        """The principle as rules and scores know it."""
        return Principle(
            self.id,
            self.slug,
            self.title,
            self.pillar,
            self.rank,
            " ".join(self.rationale.split()),
            self.looks_for,
            self.references,
            self.weight,
            self.linters,
        )


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    principles: tuple[_Entry, ...]


class Constitution(Struct, frozen=True, dict=True):
    """The principles of a run.

    Attributes:
        principles: all of them, by rank; those of weight 0 are retired.
    """

    principles: tuple[Principle, ...]

    @cached_property
    def by_slug(self) -> Mapping[str, Principle]:
        """The principles by their long name."""
        return {principle.slug: principle for principle in self.principles}

    def find(self, text: str) -> Principle | None:
        """The principle with this id or slug, in any case and with `_` for `-`."""
        key = text.strip().lower().replace("_", "-")
        return next((p for p in self.principles if key in {p.slug, p.id.lower()}), None)

    def of(self, pillar: Pillar) -> tuple[Principle, ...]:
        """A pillar's principles that are not retired, by rank."""
        return tuple(p for p in self.principles if p.pillar is pillar and p.weight > 0)


def load(registry: Registry, settings: Settings | None = None) -> Constitution:
    """The principles of all packs, with a team's amendments.

    Raises:
        ConstitutionError: if a pack's file is wrong, or two packs claim the same id or slug.
        SettingsError: if an amendment is incomplete, meets no principle or takes another one's id.
    """
    texts = {name: text for name, text in registry.data("").items() if name.endswith(f"/{FILE_NAME}")}
    found = read(texts)
    return amend(found, settings) if settings is not None and settings.principles else found


def read(texts: Mapping[str, str]) -> Constitution:
    """The principles in some texts, given by the name to use in messages.

    Raises:
        ConstitutionError: as for `load`.
    """
    principles: dict[str, Principle] = {}
    for name, text in texts.items():
        for entry in _entries(name, text):
            for other in principles.values():
                if entry.slug == other.slug or entry.id == other.id:
                    raise ConstitutionError(
                        f"{name}: `{entry.slug}` ({entry.id}) is already taken by `{other.slug}` ({other.id})"
                    )
            principles[entry.slug] = entry.principle()
    return Constitution(_ordered(principles))


def amend(constitution: Constitution, settings: Settings) -> Constitution:
    """A constitution with the changes that a team's settings ask for.

    Raises:
        SettingsError: as for `load`.
    """
    principles = dict(constitution.by_slug)
    for name, change in settings.principles.items():
        old = constitution.find(name)
        if old is not None:
            principles[old.slug] = _changed(old, change)
        else:
            principles[name] = _added(name, change, constitution, settings)
    owners: dict[str, str] = {}
    for slug, principle in principles.items():
        other = owners.setdefault(principle.id, slug)
        if other != slug:
            message = f"the id {principle.id} of `{slug}` is taken by `{other}`"
            raise settings.mistake(message, "principles", slug, "id", hint="choose another one")
    return Constitution(_ordered(principles))


def _entries(name: str, text: str) -> tuple[_Entry, ...]:
    try:
        return msgspec.convert(tomli.loads(text), _File).principles
    except tomli.TOMLDecodeError as error:
        raise ConstitutionError(f"{name}: is not valid TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise ConstitutionError(f"{name}: {error}") from None


def _changed(old: Principle, change: Amendment) -> Principle:
    values = {
        "id": change.id,
        "title": change.title,
        "pillar": change.pillar,
        "rank": change.rank,
        "rationale": change.rationale,
        "looks_for": change.looks_for,
        "references": change.references,
        "weight": 0.0 if change.retire else change.weight,
    }
    return replace(old, **{key: value for key, value in values.items() if value is not None})


def _added(name: str, change: Amendment, constitution: Constitution, settings: Settings) -> Principle:
    """A principle of the team's own; its rank is behind all others unless it is given."""
    if change.id is None or change.title is None or change.pillar is None or change.rationale is None:
        needs = "a principle of your own needs id, title, pillar and rationale"
        known = constitution.by_slug
        raise settings.unknown(name, "principles", name, known=known, what="principle", otherwise=needs)
    last = max((p.rank for p in constitution.principles), default=0)
    return Principle(
        change.id,
        name,
        change.title,
        change.pillar,
        last + 1 if change.rank is None else change.rank,
        change.rationale,
        change.looks_for or (),
        change.references or (),
        0.0 if change.retire else 1.0 if change.weight is None else change.weight,
    )


def _ordered(principles: Mapping[str, Principle]) -> tuple[Principle, ...]:
    return tuple(sorted(principles.values(), key=lambda p: (p.rank, p.slug)))
