"""Which hosts are near: the machine itself, a private network, a name that no public name service knows. It asks none.

Reserved names are those of RFC 2606, RFC 6761 and RFC 6762, private addresses those of RFC 1918, RFC 3927 and RFC 4193.
"""

from __future__ import annotations

from typing import Final

from charter.api import regex

_NEAR: Final = (
    r"localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[?::1?\]?(?![\w:])|\[?f[cd][0-9a-f]{2}:[0-9a-f:]+\]?"
    r"|10(?:\.\d{1,3}){3}|192\.168(?:\.\d{1,3}){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2}|169\.254(?:\.\d{1,3}){2}"
    r"|host\.docker\.internal|minikube|testserver"
    r"|(?:[\w-]+\.)+(?:local|localhost|internal|intranet|lan|test|example|invalid|svc(?:\.[\w.-]+)?)"
)
_HOST: Final = regex(rf"(?i)(?:{_NEAR}|[\w-]*[a-z][\w-]*)")
"""A whole host that is near; a name without dots is known only to a network of one's own."""
_WITHIN: Final = regex(rf"(?i)(?<![\w.-])(?:{_NEAR})(?![\w.-]*\w)|/var/run\b")
_PLACE: Final = regex(r"(?i)^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?(\[[0-9a-f:]*\]|[^/:?#\s]*)")
"""The host in a URL, or in `host:port`."""


def host_of(address: str) -> str:
    """The host of a URL or of `host:port`; "" if the address names none."""
    match = _PLACE.match(address)
    return match[1] if match else ""


def is_near(address: str) -> bool:
    """Whether a host, or that of a URL, is reached without a public network; no host at all is the machine itself."""
    host = host_of(address)
    return not host or _HOST.fullmatch(host) is not None


def speaks_of_near(text: str) -> bool:
    """Whether a text, such as the settings of a connection or the code of an expression, names a host that is near."""
    return _WITHIN.search(text) is not None
