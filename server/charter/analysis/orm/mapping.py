"""What a model is: its columns, relations and managers, whichever mapper maps it. `schema` builds them."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct, field

from charter.analysis.orm.world import Class, Site


class Orm(Enum):
    """The mappers whose models are understood."""

    DJANGO = "django"
    SQLALCHEMY = "sqlalchemy"
    PEEWEE = "peewee"
    TORTOISE = "tortoise"


class Kind(Enum):
    """How a relation is held."""

    FORWARD = "foreign key"
    ONE = "one-to-one"
    REVERSE_ONE = "reverse one-to-one"
    REVERSE = "reverse foreign key"
    MANY = "many-to-many"
    GENERIC = "generic foreign key"
    GENERIC_MANY = "generic relation"


MANY_KINDS = frozenset({Kind.REVERSE, Kind.MANY, Kind.GENERIC_MANY})


class Relation(Struct, eq=False):
    """One direction of a relation, as an attribute of a model's instances.

    Attributes:
        name: the attribute.
        target: the model at the other end; None where it is not known.
        column: the attribute that holds the key itself (`customer_id`), "" where the row has none.
        inverse: the attribute of the target that leads back.
        query_name: the name in lookups (`filter(orders__status=…)`).
        lazy: SQLAlchemy's loading by default; "select" elsewhere.
        through: the name of the model in between.
        cascade: whether deleting a row deletes these.
        declared: whether the model itself declares it; the other end of what another one declares is not.
    """

    name: str
    kind: Kind
    target: Model | None
    site: Site
    column: str = ""
    null: bool = False
    inverse: str = ""
    query_name: str = ""
    lazy: str = "select"
    through: str = ""
    cascade: bool = False
    declared: bool = True

    @property
    def many(self) -> bool:
        """Whether the attribute holds any number of rows."""
        return self.kind in MANY_KINDS


class Model(Struct, eq=False):
    """A mapped class.

    Attributes:
        cls: its definition; None for a model outside the project.
        columns: plain columns, with whether they are loaded only on demand.
        managers: attribute to (manager class or None, query set class or None).
        files: columns whose values are more than what is stored (`FileField`).
        ordered: whether rows have an order by default.
        expressions: SQLAlchemy association proxies: name to (relation, attribute).
    """

    name: str
    orm: Orm
    label: str
    cls: Class | None = None
    abstract: bool = False
    columns: dict[str, bool] = field(default_factory=dict[str, bool])
    relations: dict[str, Relation] = field(default_factory=dict[str, Relation])
    managers: dict[str, tuple[Class | None, Class | None]] = field(
        default_factory=dict[str, tuple[Class | None, Class | None]]
    )
    default_manager: str = "objects"
    ordered: bool = False
    parents: list[Model] = field(default_factory=list["Model"])
    children: list[Model] = field(default_factory=list["Model"])
    proxies: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    table: str = ""
    polymorphic: bool = False
    keys: list[str] = field(default_factory=list[str])
    primary: list[str] = field(default_factory=list[str])
    files: set[str] = field(default_factory=set[str])
    indexed: set[str] = field(default_factory=set[str])
    unique: set[str] = field(default_factory=set[str])

    def relation(self, name: str) -> Relation | None:
        """The relation of an attribute."""
        return self.relations.get(name)

    def by_query_name(self, name: str) -> Relation | None:
        """The relation that a lookup's part means."""
        found = self.relations.get(name)
        if found is not None:
            return found
        return next((r for r in self.relations.values() if r.query_name == name), None)

    def by_column(self, name: str) -> Relation | None:
        """The relation whose key an attribute holds."""
        return next((r for r in self.relations.values() if r.column and r.column == name), None)
