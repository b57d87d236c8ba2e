"""How bad a finding is and how sure its rule; knows no rule and no principle."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """How much harm a finding can do, in rising order, so that severities compare."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        """The lower-case name used in every output and setting."""
        return self.name.lower()


class Confidence(IntEnum):
    """How sure a rule is that its finding is real, in rising order."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        """The lower-case name used in every output and setting."""
        return self.name.lower()
