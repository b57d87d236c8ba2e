"""What is known of libraries' APIs: sources, sinks, sanitizers, guards, propagators and handlers, read from TOML."""

from charter.model.library.load import LibraryError, header, load, tables
from charter.model.library.values import (
    Argument,
    Callback,
    Condition,
    Guard,
    Handler,
    Library,
    Propagator,
    Registration,
    Sanitizer,
    Sink,
    Source,
)

__all__ = [
    "Argument",
    "Callback",
    "Condition",
    "Guard",
    "Handler",
    "Library",
    "LibraryError",
    "Propagator",
    "Registration",
    "Sanitizer",
    "Sink",
    "Source",
    "header",
    "load",
    "tables",
]
