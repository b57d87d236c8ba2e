"""Parses what the host's `ast` refuses: newer syntax, and files of which a part is broken. It executes nothing."""

from charter.syntax.convert.recovery import Broken, Recovered, mentioned, statements
from charter.syntax.convert.whole import MAY_BE_NEWER, parse

__all__ = ["MAY_BE_NEWER", "Broken", "Recovered", "mentioned", "parse", "statements"]
