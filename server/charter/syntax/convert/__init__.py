"""Parses what the host's `ast` refuses: newer syntax, and files of which a part is broken. It executes nothing."""

from charter.syntax.convert.recovery import Broken, Recovered, statements
from charter.syntax.convert.whole import parse

__all__ = ["Broken", "Recovered", "parse", "statements"]
