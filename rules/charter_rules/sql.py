"""SQL text that is put together: where each computed part stands in it, and how it becomes a parameter. It judges nothing."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from charter.api import regex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.api import Context
    from charter_rules.building import Piece

STATEMENT: Final = regex(
    r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*|\(\s*)*(?:select\b.+\bfrom\b|select\s+\S|insert\s+(?:or\s+\w+\s+|ignore\s+)?into\b|update\b.+\bset\b"
    r"|delete\s+from\b|replace\s+into\b|with\b.+\bas\s*\(|merge\s+into\b|exec(?:ute)?\s+\w+|call\s+\w+)",
    re.IGNORECASE | re.DOTALL,
)
"""How the SQL statements begin that take parameters; definitions (`CREATE`, `ALTER`) take none."""

_BEFORE_VALUE: Final = regex(
    r"(?:[=<>]|\blike|\bilike|\bregexp|\bin\s*\(|\bbetween|\bvalues\s*\(|\blimit|\boffset|,)\s*$",
    re.IGNORECASE,
)
_IN_LIST: Final = regex(r"(?:\bvalues\s*\([^()]*|\bin\s*\([^()]*)$", re.IGNORECASE)
_BEFORE_TABLE: Final = regex(
    r"\b(?:from|join|into|table|update|as|order\s+by|group\s+by|select|distinct)\s*$", re.IGNORECASE
)
_BEFORE_QUOTED_TABLE: Final = regex(r"\b(?:from|join|into|update|table)\s+'$", re.IGNORECASE)
_BEFORE_AND: Final = regex(r"\bbetween\s+\S+\s+and\s*$", re.IGNORECASE)
_CLOSES: Final = {"'": "'", '"': '"', "`": "`", "--": "\n", "/*": "*/"}
"""What ends quotes and comments, in which an apostrophe is only that, by what opens them."""
_OPENS: Final = regex("|".join(map(re.escape, _CLOSES)))

PARAMETERS: Final[dict[str, str]] = {
    "sqlite3": "?", "aiosqlite": "?", "pyodbc": "?", "duckdb": "?",
    "psycopg": "%s", "psycopg2": "%s", "pymysql": "%s", "MySQLdb": "%s", "mysql.connector": "%s", "aiomysql": "%s",
    "django.db": "%s", "aiopg": "%s", "pymssql": "%s", "snowflake.connector": "%s",
    "oracledb": ":{}", "cx_Oracle": ":{}", "asyncpg": "${}",
}  # fmt: skip
"""The placeholder of each driver (PEP 249, `paramstyle`), for positional parameters; `{}` stands for their number."""


class Slot(Struct, frozen=True):
    """A computed part of an SQL text.

    Attributes:
        index: which piece it is.
        place: `value` (bare), `quoted` (inside of single quotes) or `name` (a table, a column, a piece of syntax).
    """

    index: int
    place: str


def slots(parts: Sequence[Piece]) -> list[Slot]:
    """Where the computed pieces of an SQL text stand."""
    found: list[Slot] = []
    text = ""
    quote = ""
    for index, piece in enumerate(parts):
        if piece.value is None:
            quote = _quote_after(piece.text, quote)
            text += piece.text
            continue
        if quote == "'":
            # SQLite takes a table's name between such quotes, too.
            place = "name" if _BEFORE_QUOTED_TABLE.search(text) else "quoted"
        elif quote:
            place = "name"
        else:
            place = (
                "value"
                if _expects_value(text, parts[index + 1].text if index + 1 < len(parts) else "")
                else "name"
            )
        found.append(Slot(index, place))
        text += "x"
    return found


def _quote_after(text: str, quote: str) -> str:
    """In which quotes or comment a text ends, when it begins in some."""
    at = 0
    while True:
        if quote:
            end = text.find(_CLOSES[quote], at)
            if end < 0:
                return quote
            at = end + len(_CLOSES[quote])
        opening = _OPENS.search(text, at)
        if opening is None:
            return ""
        quote, at = opening[0], opening.end()


def _expects_value(before: str, after: str) -> bool:
    """Whether SQL wants a value between two texts."""
    if re.match(r"[\w.(]", after):
        return False
    tail = before[-400:]
    if tail.rstrip().endswith(","):
        return bool(_IN_LIST.search(tail))
    if re.search(r"\bselect\b[^=<>]*$", tail, re.IGNORECASE) and not re.search(
        r"\bfrom\b", tail, re.IGNORECASE
    ):
        return False
    if _BEFORE_TABLE.search(tail):
        return False
    return bool(_BEFORE_VALUE.search(tail) or _BEFORE_AND.search(tail) or _IN_LIST.search(tail))


def is_migration(ctx: Context) -> bool:
    """Whether a file changes a database's tables once, with names that it makes itself."""
    return "migrations/" in ctx.path or "alembic/versions/" in ctx.path


def looks_like_sql(parts: Sequence[Piece]) -> bool:
    """Whether built text is an SQL statement."""
    return (
        STATEMENT.match("".join(piece.text if piece.value is None else " x " for piece in parts)) is not None
    )


def placeholder(receiver: ast.expr, ctx: Context) -> str | None:
    """The placeholder that the driver behind a cursor or connection wants; None where the driver is not certain."""
    owner = ctx.type_name(receiver)
    if owner is not None:
        return next((mark for driver, mark in PARAMETERS.items() if owner.startswith(f"{driver}.")), None)
    marks = {PARAMETERS[driver] for driver in ctx.once(_drivers)}
    return marks.pop() if len(marks) == 1 else None


def _drivers(ctx: Context) -> set[str]:
    """The drivers that a file imports."""
    return {
        driver
        for driver in PARAMETERS
        for statement in (*ctx.nodes(ast.Import), *ctx.nodes(ast.ImportFrom))
        if _imports(statement, driver)
    }


def _imports(statement: ast.Import | ast.ImportFrom, driver: str) -> bool:
    if isinstance(statement, ast.Import):
        return any(alias.name == driver or alias.name.startswith(f"{driver}.") for alias in statement.names)
    module = statement.module or ""
    return not statement.level and (module == driver or module.startswith(f"{driver}."))


def names(parts: Sequence[Piece]) -> list[str]:
    """A name for each computed part of a text, each once: that of the variable, attribute or key if there is one."""
    found: list[str] = []
    for piece in parts:
        if piece.value is not None:
            name = _name(piece.value)
            number = sum(one.rstrip("0123456789_") == name for one in found)
            found.append(f"{name}_{number + 1}" if number else name)
    return found


def _name(value: ast.expr) -> str:
    key = value.slice if isinstance(value, ast.Subscript) else None
    if isinstance(value, ast.Call) and value.args and isinstance(value.args[0], ast.Constant):
        key = value.args[0]
    if isinstance(value, ast.Name):
        return value.id
    if isinstance(value, ast.Attribute):
        return value.attr
    if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isidentifier():
        return key.value
    return "value"


def parameterized(
    parts: Sequence[Piece], mark: str | Sequence[str], ctx: Context
) -> tuple[str, list[str]] | None:
    """The statement with placeholders, as a Python literal, and the parameters' source texts.

    None if a part stands where SQL takes no parameter, or its value is formatted on the way.

    Args:
        parts: the statement's text, taken apart.
        mark: the placeholder, in which `{}` stands for the parameter's number; or one for each computed part.
        ctx: the file.
    """
    places = {slot.index: slot.place for slot in slots(parts)}
    if any(place == "name" for place in places.values()):
        return None
    text = ""
    values: list[str] = []
    index = 0
    while index < len(parts):
        piece = parts[index]
        if piece.value is None:
            text += _escaped(piece.text, mark)
        elif not piece.plain:
            return None
        elif places[index] == "value":
            text += _mark(mark, len(values))
            values.append(ctx.source(piece.value))
        else:
            quoted = _take_quoted(parts, index, text, ctx)
            if quoted is None:
                return None
            text, value, rest, index = quoted
            text += _mark(mark, len(values)) + _escaped(rest, mark)
            values.append(value)
        index += 1
    return _literal(text), values


def _mark(mark: str | Sequence[str], index: int) -> str:
    return mark.format(index + 1) if isinstance(mark, str) else mark[index]


def _escaped(text: str, mark: str | Sequence[str]) -> str:
    return text.replace("%", "%%") if mark == "%s" else text


def _take_quoted(
    parts: Sequence[Piece], index: int, text: str, ctx: Context
) -> tuple[str, str, str, int] | None:
    """Undo the quotes around a value: the text before, the parameter, the text behind, the last piece used."""
    start = text.rfind("'")
    before = text[start + 1 :]
    piece = parts[index]
    following = parts[index + 1].text if index + 1 < len(parts) else ""
    end = following.find("'")
    if (
        start < 0
        or end < 0
        or piece.value is None
        or following[end + 1 : end + 2] == "'"
        or before.endswith("'")
    ):
        return None
    after = following[:end]
    source = ctx.source(piece.value)
    if not before and not after:
        value = source
    elif any(char in source + before + after for char in "'\"\\{}\n"):
        return None
    else:
        value = f'f"{before.replace("%%", "%")}{{{source}}}{after}"'
    return text[:start], value, following[end + 1 :], index + 1


def _literal(text: str) -> str:
    if "\n" in text and '"""' not in text and "\\" not in text:
        return f'"""{text}"""'
    body = text.replace("\\", "\\\\").replace("\n", "\\n")
    if '"' not in body:
        return f'"{body}"'
    return f"'{body}'" if "'" not in body else '"' + body.replace('"', '\\"') + '"'
