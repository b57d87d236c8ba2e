"""Reads what classes declare: whether they are models, of which mapper, and the calls, constants and options within."""

from __future__ import annotations

import ast

from charter.analysis.orm.mapping import Orm
from charter.analysis.orm.mentions import last_name
from charter.analysis.orm.world import Class, World

_BASES = (
    "DeclarativeBase",
    "declarative_base()",
    "DeclarativeBaseNoMeta",
    "MappedAsDataclass",
    "flask_sqlalchemy.Model",
)


def is_table(cls: Class) -> bool:
    """Whether a SQLAlchemy class is mapped to a table of its own."""
    if any(k.arg == "table" for k in cls.node.keywords):
        return True
    return any(n in cls.members for n in ("__tablename__", "__table__", "__mapper_args__")) or any(
        is_call(m, {"relationship", "mapped_column", "Column"}) for m in cls.members.values()
    )


def inherits_table(world: World, cls: Class) -> bool:
    """Whether an ancestor is mapped to a table."""
    return any(isinstance(e, Class) and is_table(e) for e in world.mro(cls))


def is_call(node: ast.AST, names: set[str]) -> bool:
    """Whether an expression calls something of one of these last names."""
    if isinstance(node, ast.AnnAssign):
        node = node.value or node
    return isinstance(node, ast.Call) and last_name(node.func) in names


def keyword_of(call: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword argument."""
    return next((k.value for k in call.keywords if k.arg == name), None)


def argument_of(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """The argument at a position or under a keyword."""
    if len(call.args) > position:
        return call.args[position]
    return keyword_of(call, name)


def constant_of(node: ast.AST | None) -> object:
    """The value of a constant; None for anything else."""
    if isinstance(node, ast.AnnAssign):
        node = node.value
    return node.value if isinstance(node, ast.Constant) else None


def string_of(node: ast.AST | None) -> str:
    """The value of a string; "" for anything else."""
    value = constant_of(node)
    return value if isinstance(value, str) else ""


def meta_option(cls: Class, name: str) -> object:
    """An option of a Django model's `Meta`; the nodes of a list."""
    inner = cls.members.get("Meta")
    if not isinstance(inner, ast.ClassDef):
        return None
    for statement in inner.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == name for t in statement.targets
        ):
            if isinstance(statement.value, (ast.List, ast.Tuple)):
                return [*statement.value.elts]
            return constant_of(statement.value)
    return None


def app_label(cls: Class) -> str:
    """The label of a Django model's app."""
    explicit = meta_option(cls, "app_label")
    if isinstance(explicit, str):
        return explicit
    parts = cls.module.path.removesuffix(".py").split("/")
    for word in ("models", "abstract_models"):
        if word in parts[1:]:
            return parts[len(parts) - 1 - parts[::-1].index(word) - 1]
    return parts[-2] if len(parts) > 1 else ""


def foreign_tables(call: ast.Call) -> list[str]:
    """The tables or columns that a column refers to."""
    found: list[str] = []
    for argument in call.args:
        if is_call(argument, {"ForeignKey"}) and isinstance(argument, ast.Call):
            target = argument_of(argument, 0, "column")
            found.append(
                string_of(target) or last_name(target.value if isinstance(target, ast.Attribute) else target)
            )
    direct = string_of(keyword_of(call, "foreign_key"))
    return [*found, direct] if direct else found


def relationship_options(call: ast.Call) -> dict[str, object]:
    """The constant options of a `relationship`."""
    options: dict[str, object] = {k.arg: constant_of(k.value) for k in call.keywords if k.arg}
    inner = keyword_of(call, "sa_relationship_kwargs")
    if isinstance(inner, ast.Dict):
        options |= {string_of(k): constant_of(v) for k, v in zip(inner.keys, inner.values, strict=True)}
    if keyword_of(call, "link_model") is not None:
        options["secondary"] = True
    return options


def lazy_option(value: object) -> str:
    """SQLAlchemy's `lazy=` as a word."""
    if value is True:
        return "select"
    if value is False:
        return "joined"
    return value if isinstance(value, str) else "select"


COLLECTIONS = {
    "List",
    "list",
    "Set",
    "set",
    "Sequence",
    "Collection",
    "WriteOnlyMapped",
    "DynamicMapped",
    "Dict",
    "dict",
}


def mapped_target(annotation: ast.expr) -> tuple[ast.expr | None, bool]:
    """The target of `Mapped[List["Track"]]` or `Optional["Depot"]`, and whether it is a collection."""
    many = False
    node: ast.expr | None = annotation
    while True:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if not node.value.isidentifier():
                try:
                    node = ast.parse(node.value, mode="eval").body
                except SyntaxError:
                    return node, many
                continue
            return node, many
        if isinstance(node, ast.BinOp):
            node = (
                node.left
                if constant_of(node.right) is None and isinstance(node.right, ast.Constant)
                else node.right
            )
            continue
        if not isinstance(node, ast.Subscript):
            return node, many
        many = many or last_name(node.value) in COLLECTIONS
        inner = node.slice
        node = inner.elts[-1] if isinstance(inner, ast.Tuple) else inner


def is_queryset_class(world: World, cls: Class) -> bool:
    """Whether a class is a Django query set by its ancestors' names."""
    return any(
        (e if isinstance(e, str) else e.name).rpartition(".")[2].endswith(("QuerySet", "QuerySetMixin"))
        for e in world.mro(cls)
    )


def is_manager_class(world: World, cls: Class) -> bool:
    """Whether a class is a Django manager by its ancestors' names."""
    return any(
        (e if isinstance(e, str) else e.name).rpartition(".")[2].endswith("Manager") for e in world.mro(cls)
    )


def orm_of(cls: Class, outside: list[str]) -> Orm | None:
    """The mapper whose model a class is; None for a class that is no model.

    Args:
        cls: the class.
        outside: the dotted names of its ancestors outside the project.
    """
    for base in outside:
        last = base.rpartition(".")[2]
        if base.startswith("tortoise"):
            return Orm.TORTOISE if last == "Model" else None
        if base.startswith(("peewee", "playhouse")):
            return Orm.PEEWEE if last == "Model" else None
        if base.startswith("sqlmodel"):
            return Orm.SQLALCHEMY if last == "SQLModel" else None
        if last in _BASES or base in _BASES or base.endswith("declarative_base()"):
            return Orm.SQLALCHEMY
        if last == "Model" and ".models" in base:
            return Orm.DJANGO
    if "__tablename__" in cls.members or any(is_call(m, {"relationship"}) for m in cls.members.values()):
        return Orm.SQLALCHEMY
    if outside and any(
        is_call(m, {"ForeignKey", "ManyToManyField", "OneToOneField"}) for m in cls.members.values()
    ):
        return Orm.DJANGO
    if any(_is_db_model(base) for base in cls.node.bases):
        return Orm.SQLALCHEMY
    return None


def _is_db_model(base: ast.expr) -> bool:
    return (
        isinstance(base, ast.Attribute)
        and base.attr == "Model"
        and last_name(base.value) in {"db", "database"}
    )
