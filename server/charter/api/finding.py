"""What a rule reports: findings, the places related to them and the flow that leads to them."""

from __future__ import annotations

from msgspec import Struct

from charter.api.fix import Fix
from charter.api.severity import Confidence, Severity
from charter.api.text import Location


class Related(Struct, frozen=True):
    """Another place that explains a finding.

    Attributes:
        location: where.
        message: what is there, without a full stop.
    """

    location: Location
    message: str


class Step(Struct, frozen=True):
    """One station of a flow, from source to sink.

    Attributes:
        location: where.
        message: what happens to the value there.
        essential: whether a short rendering must keep it (sources, sinks, calls, returns).
    """

    location: Location
    message: str
    essential: bool = True


class Finding(Struct, frozen=True):
    """One violation of a charter at one place.

    Attributes:
        rule: the rule's name, in kebab case; its identity.
        code: the rule's short handle, such as `SEC031`.
        location: where.
        message: what is wrong: the subject first, code in backticks, no full stop.
        severity: how bad.
        confidence: how sure.
        principles: slugs of the principles that it violates, the main one first.
        cwe: numbers of the weaknesses (Common Weakness Enumeration).
        related: other places that explain it.
        flow: the stations from source to sink; () where nothing flows.
        fixes: ways to mend it, the best first; not proved yet.
        symbol: qualified name of the enclosing function or class within the module; "" at module level.
        tags: `unnecessary` or `deprecated`, as in LSP's DiagnosticTag.
        fingerprint: stable identity without line numbers, given by the engine.
    """

    rule: str
    code: str
    location: Location
    message: str
    severity: Severity
    confidence: Confidence = Confidence.HIGH
    principles: tuple[str, ...] = ()
    cwe: tuple[int, ...] = ()
    related: tuple[Related, ...] = ()
    flow: tuple[Step, ...] = ()
    fixes: tuple[Fix, ...] = ()
    symbol: str = ""
    tags: tuple[str, ...] = ()
    fingerprint: str = ""

    @property
    def path(self) -> str:
        """The file, relative to the project's root."""
        return self.location.path
