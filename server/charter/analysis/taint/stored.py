"""What goes through the database: a value that is stored in a field of a model, and read from the field elsewhere.

Only followed where the threat model `stored` is asked for. A query of a model gives its instances, whose fields hold whatever the
project stores in them, by assignment or by the arguments of what makes an instance.
"""

# The values here are nested tuples, which only their tags type.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.frame import REST
from charter.analysis.taint.values import INSTANCE, NO, PROJECT_CLASS, PROJECT_INSTANCE, Value, references

if TYPE_CHECKING:
    from charter.analysis.taint.arguments import Arguments

_MODEL: Final = ".model"
_BASES: Final = (
    "django.db.models.Model",
    "flask_sqlalchemy.SQLAlchemy",
    "peewee.Model",
    "tortoise.models.Model",
)
_MANAGERS: Final = {
    "objects": "django.db.models.Manager",
    "_default_manager": "django.db.models.Manager",
    "query": "sqlalchemy.orm.Query",
}
_QUERIES: Final = frozenset({"django.db.models.Manager", "django.db.models.QuerySet", "sqlalchemy.orm.Query"})
_ONE: Final = frozenset(
    "get first last earliest latest one one_or_none scalar get_or_404 first_or_404 aget afirst".split()
)
_MADE: Final = frozenset("create update_or_create get_or_create acreate".split())


def is_stored(frame: Any, cls: Any) -> bool:
    """Whether a class is a model of a database, and its fields are followed."""
    bases = frame.project.externals(cls) if frame.engine.stored else ()
    return any(base.startswith(_BASES) or base.endswith("db.Model") for base in bases)


def manager(frame: Any, cls: Any, name: str, position: int) -> Value | None:
    """`Model.objects` and `Model.query`, with the model that they are of; None for any other attribute."""
    sort = _MANAGERS.get(name)
    if sort is None or not is_stored(frame, cls):
        return None
    return frame.new_object((INSTANCE, sort), position, {_MODEL: (0, NO, (PROJECT_CLASS, cls), ())})


def queried(
    frame: Any, path: str, receiver: Value | None, arguments: Arguments, position: int
) -> Value | None:
    """What a method of a manager or query gives: an instance, instances or another query of the same model."""
    owner, _, name = path.rpartition(".")
    if receiver is None or owner not in _QUERIES or not receiver[3]:
        return None
    model = frame.read(receiver, _MODEL)
    for reference in references(None if model is None else model[2]):
        if reference[0] != PROJECT_CLASS:
            continue
        instance: Value = (0, NO, (PROJECT_INSTANCE, reference[1], False), ())
        if name in _ONE:
            return instance
        if name in _MADE:
            keep(frame, reference[1], arguments)
            return instance
        return frame.new_object((INSTANCE, owner), position, {_MODEL: model, REST: instance})
    return None


def keep(frame: Any, cls: Any, arguments: Arguments) -> None:
    """Store what an instance is made of in the fields of its model."""
    if is_stored(frame, cls):
        for name, value in arguments.keywords.items():
            frame.engine.store_field(cls, name, value, frame)
