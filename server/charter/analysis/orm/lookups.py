"""Columns by which a Django project looks its rows up, and those among them that have no index.

It sees declarations and queries, not the database: how large a table is and what its planner does, nobody here knows.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.analysis.orm.declarations import keyword_of
from charter.analysis.orm.mapping import Model, Orm
from charter.analysis.orm.mentions import last_name
from charter.analysis.orm.values import Const
from charter.analysis.orm.world import Class, Site, World
from charter.api import Edit, Fix, Grade, Span
from charter.api.facts.queries import UnindexedColumn

if TYPE_CHECKING:
    from charter.analysis.orm.arguments import Arguments
    from charter.analysis.orm.frames import Uses
    from charter.analysis.orm.machine import Machine

_NAMED = frozenset({"filter", "get", "order_by", "earliest", "latest", "get_or_create", "update_or_create"})
_SERVED = frozenset({"", "exact", "in", "gt", "gte", "lt", "lte", "range", "startswith", "date", "year"})
"""Lookups that a plain index serves."""
_COARSE = frozenset(
    {"BooleanField", "NullBooleanField", "TextField", "JSONField", "BinaryField", "ArrayField"}
)
"""Fields of too few values, or of too large ones."""
_INDEXED = frozenset({"SlugField", "AutoField", "BigAutoField"})
_OPTIONS = frozenset({"indexes", "constraints", "unique_together", "index_together", "get_latest_by"})
_FEWEST = 4


def note(run: Machine, model: Model, name: str, arguments: Arguments, site: Site) -> None:
    """Note by which columns a method of a query set looks rows up."""
    if name not in _NAMED or model.orm is not Orm.DJANGO or site.node is None:
        return
    columns = {key.partition("__")[0] for key in arguments.keywords if key.partition("__")[2] in _SERVED}
    if name in {"order_by", "earliest", "latest"}:
        texts = [v.value for v in arguments.positional[:1] if isinstance(v, Const)]
        columns = {text.lstrip("-") for text in texts if isinstance(text, str)}
    for column in columns & model.columns.keys():
        found = run.lookups.setdefault(site.file.path, {}).setdefault((model, column), {})
        found[getattr(site.node, "lineno", 0)] = site


def facts(uses: Uses, world: World) -> dict[str, list[UnindexedColumn]]:
    """The columns without an index by which rows are looked up at several places, by the file of their model."""
    places: dict[tuple[Model, str], list[Site]] = {}
    for path in sorted(uses):
        for key, sites in uses[path].items():
            places.setdefault(key, []).extend(sites[line] for line in sorted(sites))
    found: dict[str, list[UnindexedColumn]] = {}
    for (model, column), sites in places.items():
        field = _field(model, column, world) if len(sites) >= _FEWEST else None
        if field is not None:
            fact = UnindexedColumn(
                field.location,
                model.name,
                column,
                tuple(site.location for site in sites),
                (_fix(field),),
            )
            found.setdefault(field.file.path, []).append(fact)
    return {path: sorted(values, key=lambda v: v.location) for path, values in found.items()}


def _field(model: Model, column: str, world: World) -> Site | None:
    """The declaration of a column that has no index and could do with one."""
    if model.cls is None or column in model.indexed | model.unique:
        return None
    owner, node = world.member(model.cls, column) or (model.cls, None)
    if not isinstance(node, ast.Call) or last_name(node.func) in _COARSE | _INDEXED:
        return None
    if any(keyword_of(node, name) is not None for name in ("choices", "primary_key", "db_index", "unique")):
        return None
    classes = [entry for entry in world.mro(model.cls) if isinstance(entry, Class)]
    return None if any(_in_meta(cls, column) for cls in classes) else Site(owner.module, node)


def _in_meta(cls: Class, column: str) -> bool:
    """Whether an option of the model that makes indexes names a column."""
    meta = cls.members.get("Meta")
    inner = cls.module.inner.get(meta) if meta is not None else None
    options = [inner.members[name] for name in _OPTIONS if name in inner.members] if inner else []
    return any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lstrip("-") == column
        for option in options
        for node in ast.walk(option)
    )


def _fix(field: Site) -> Fix:
    node = field.node
    assert isinstance(node, ast.Call)
    last = [*node.args, *(keyword.value for keyword in node.keywords)]
    end = Site(field.file, last[-1]).span.end if last else field.span.end - 1
    edit = Edit(Span(end, end), ", db_index=True" if last else "db_index=True", field.file.path)
    return Fix("Give it an index, and make a migration", (edit,), Grade.UNSAFE)
