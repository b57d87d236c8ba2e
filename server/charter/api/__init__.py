"""What a rule's author sees of Charter: rules, findings, fixes, facts and contexts. It imports nothing else of ours."""

from charter.api.context import Context
from charter.api.facts import Fact
from charter.api.finding import Finding, Related, Step
from charter.api.fix import (
    AddImport,
    AnyEdit,
    Edit,
    Fix,
    Grade,
    InsertStatement,
    RemoveArgument,
    RemoveStatement,
    SetKeyword,
)
from charter.api.principle import Pillar, Principle
from charter.api.regex import regex
from charter.api.rule import AnyRule, Rule, rule
from charter.api.sensitive import Sensitivity, sensitivity, words
from charter.api.severity import Confidence, Severity
from charter.api.text import Location, Span
from charter.api.unknown import UNKNOWN, Unknown

__all__ = [
    "UNKNOWN",
    "AddImport",
    "AnyEdit",
    "AnyRule",
    "Confidence",
    "Context",
    "Edit",
    "Fact",
    "Finding",
    "Fix",
    "Grade",
    "InsertStatement",
    "Location",
    "Pillar",
    "Principle",
    "Related",
    "RemoveArgument",
    "RemoveStatement",
    "Rule",
    "Sensitivity",
    "SetKeyword",
    "Severity",
    "Span",
    "Step",
    "Unknown",
    "regex",
    "rule",
    "sensitivity",
    "words",
]
