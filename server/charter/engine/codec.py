"""Findings and file results as plain tuples that `marshal` can write, and back. It keeps nothing itself."""

from __future__ import annotations

import marshal
from enum import Enum
from typing import Any, Final

from charter.api import (
    AddImport,
    Confidence,
    Edit,
    Finding,
    Fix,
    Grade,
    InsertStatement,
    Location,
    Related,
    RemoveArgument,
    RemoveStatement,
    SetKeyword,
    Severity,
    Span,
    Step,
)
from charter.engine.check import Failure, FileResult
from charter.engine.extract import Extract
from charter.engine.suppress import Suppression
from charter.syntax.source import Problem

_CLASSES: Final[tuple[type[Any], ...]] = (
    Finding,
    Location,
    Related,
    Step,
    Fix,
    Edit,
    AddImport,
    SetKeyword,
    RemoveArgument,
    RemoveStatement,
    InsertStatement,
    Problem,
    Failure,
    FileResult,
    Suppression,
    Extract,
    Span,
    Severity,
    Confidence,
    Grade,
)
"""The classes that may occur. A value of one is written as a tuple that begins with a mark and its place here."""

_MARK: Final = "\x00"
_ATOMS: Final = frozenset[object]({str, int, float, bytes, bool})
_NUMBERS: Final = {kind: number for number, kind in enumerate(_CLASSES)}


def dumps(value: object) -> bytes:
    """Write a value made of the known classes, tuples, lists, dicts, strings, bytes and numbers.

    Raises:
        TypeError: for a value of any other class.
    """
    return marshal.dumps(_plain(value))


def loads(data: bytes) -> Any:
    """Read what `dumps` wrote.

    Raises:
        ValueError: if the bytes are of another form.
    """
    try:
        return _value(marshal.loads(data))  # noqa: S302 (of Charter's own cache, sealed with the user's key)
    except (EOFError, TypeError, IndexError, KeyError) as error:
        raise ValueError(f"not a result of this version: {error}") from error


def _plain(value: Any) -> Any:
    kind: object = value.__class__
    if kind in _ATOMS or value is None:
        return value
    if kind is tuple:
        return tuple([_plain(item) for item in value]) if value else ()
    number = _NUMBERS.get(value.__class__)
    if number is not None:
        if isinstance(value, Enum):
            return (_MARK, number, value.value)
        if kind is Span:
            return (_MARK, number, value[0], value[1])
        if kind is Extract:
            return (_MARK, number, value.data)
        return (_MARK, number, *[_plain(getattr(value, name)) for name in value.__struct_fields__])
    if kind is list:
        return [_plain(item) for item in value]
    if kind is dict:
        return {key: _plain(item) for key, item in value.items()}
    raise TypeError(f"{value.__class__.__name__} cannot be kept")


def _value(plain: Any) -> Any:
    kind: object = plain.__class__
    if kind is tuple:
        if plain and plain[0] == _MARK:
            number: int = plain[1]
            made = _CLASSES[number]
            return made(*[_value(item) for item in plain[2:]])
        return tuple([_value(item) for item in plain])
    if kind is list:
        return [_value(item) for item in plain]
    if kind is dict:
        return {key: _value(item) for key, item in plain.items()}
    return plain
