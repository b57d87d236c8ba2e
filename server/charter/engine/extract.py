"""What an analysis took from a file: an object, and the bytes it is sent and kept as, each made when first asked for."""

from __future__ import annotations

import marshal
from typing import Any, cast


class Extract:
    """What one project-scope analysis needs to know of one file.

    Args:
        data: its bytes, as `marshal` writes them; None if only the object is known.
        value: the object, which nobody changes; None if only the bytes are known.
    """

    __slots__ = ("_data", "_value")

    def __init__(self, data: bytes | None = None, value: object = None) -> None:
        self._data = data
        self._value = value

    @property
    def data(self) -> bytes:
        """The bytes.

        Raises:
            ValueError: if the object is made of what `marshal` cannot write, or too deep.
        """
        if self._data is None:
            self._data = marshal.dumps(cast("Any", self._value))
        return self._data

    @property
    def value(self) -> object:
        """The object, the same one for all who ask."""
        if self._value is None and self._data is not None:
            self._value = marshal.loads(self._data)  # noqa: S302 (our own extract)
        return self._value

    def __eq__(self, other: object) -> bool:
        """Whether another one says the same; equal objects may have unequal bytes."""
        if not isinstance(other, Extract):
            return NotImplemented
        if self._data is not None and self._data == other._data:
            return True
        return self.value == other.value

    __hash__ = None  # pyright: ignore[reportAssignmentType]
