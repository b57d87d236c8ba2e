"""What each of bandit's own tests asks for before anything else, so that it is not called where it must be silent.

A need is a necessary condition of a report, read off the test; that it is one is kept by a test that compares the
findings with and without needs. A test that is not listed here, or a version of bandit that was not compared, needs
nothing and is called everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec import Struct

from charter.api import regex
from charter.engine.extensions import version

if TYPE_CHECKING:
    from charter.syntax.source import Source

COMPARED: Final = ("1.9.",)
"""Beginnings of the versions of bandit whose tests were compared."""

CANDIDATE: Final = regex(r"pas|pwd|token|secret", re.IGNORECASE)
"""Stands in every name that bandit takes for that of a password."""
SQL_VERB: Final = regex(r"select|delete|insert|update", re.IGNORECASE)
"""Stands in every text that bandit takes for SQL."""
BIDIRECTIONAL: Final = regex("[\u202a-\u202e\u2066-\u2069\u200f]")
"""The characters that reorder text on the screen."""

STRING_TESTS: Final = frozenset({"B104", "B105", "B108", "B608"})
"""Tests of strings whose needs the inspector knows."""
FUNCTION_TESTS: Final = frozenset({"B107", "B503"})
"""Tests of functions that say nothing unless a default is a string or an attribute."""
HANDLER_TESTS: Final = frozenset({"B110", "B112"})
"""Tests of exception handlers that say nothing unless the handler is one `pass` or `continue`."""

_HTTP: Final = frozenset(
    {"get", "options", "head", "post", "put", "patch", "delete", "request", "stream", "Client", "AsyncClient"}
)
_IMPORTERS: Final = frozenset({"__import__", "import_module"})
_EXPANDING: Final = ("chown", "chmod", "tar", "rsync")
"""The programs that B609 looks for beside a wildcard."""


class Need(Struct, frozen=True):
    """What a test of calls asks for; a call that meets none of `names`, `part` and `keywords` cannot be reported.

    Attributes:
        names: last parts of the names of the functions called.
        part: what stands somewhere in the last part of the name; "" for nothing.
        keywords: keyword arguments.
        passwords: whether a keyword argument with the name of a password is asked for.
        qualified: of calls that meet `names` or `part`: whether the whole name will do; None if any does.
    """

    names: frozenset[str] = frozenset()
    part: str = ""
    keywords: frozenset[str] = frozenset()
    passwords: bool = False
    qualified: Callable[[str], bool] | None = None


def is_compared() -> bool:
    """Whether the needs of this version of bandit's own tests are known."""
    return version("bandit").startswith(COMPARED)


def is_silent(id_: str, source: Source) -> bool:
    """Whether a test as bandit brings it can have nothing to say on a file, by the file's words and strings alone.

    Args:
        id_: the test's id.
        source: the file.
    """
    if id_ == "B609":
        texts = [text for text, _ in source.strings] if "*" in source.text else []
        return not any("*" in text for text in texts) or not any(
            program in text for text in texts for program in _EXPANDING
        )
    if id_ == "B613":
        return not reorders(source.text)
    need = _SIMPLE.get(id_)
    if need is None or need.part or need.passwords:
        return False
    return need.names.isdisjoint(source.words) and need.keywords.isdisjoint(source.words)


def reorders(text: str) -> bool:
    """Whether a text holds a character that reorders it on the screen."""
    return not text.isascii() and BIDIRECTIONAL.search(text) is not None


def need_of_call(id_: str, config: object) -> Need | None:
    """What a test of calls asks for; None if that is not known.

    Args:
        id_: the test's id.
        config: the test's configuration.
    """
    if id_ in _SIMPLE:
        return _SIMPLE[id_]
    maker = _CONFIGURED.get(id_)
    try:
        return maker(config) if maker else None
    except (TypeError, AttributeError, KeyError):  # a configuration that is not what bandit expects
        return None


def _containing(*words: str) -> Callable[[str], bool]:
    return lambda name: any(word in name for word in words)


def _one_of(names: Iterable[str]) -> Need:
    whole = frozenset(names)
    return Need(frozenset(name.rpartition(".")[2] for name in whole), qualified=whole.__contains__)


def _shell(config: object) -> Need:
    lists = cast("dict[str, list[str]]", config)
    return _one_of(name for key in ("subprocess", "shell", "no_shell") for name in lists.get(key, ()))


def _markup(config: object) -> Need:
    extended = cast("dict[str, list[str]]", config).get("extend_markup_names", [])
    return _one_of(("markupsafe.Markup", "flask.Markup", *extended))


def _blacklist(config: object) -> Need:
    entries = cast("dict[str, list[dict[str, Any]]]", config).get("Call", ())
    whole = frozenset(str(name) for entry in entries for name in entry["qualnames"])
    names = frozenset(name.rpartition(".")[2] for name in whole) | _IMPORTERS
    return Need(names, qualified=lambda name: name in whole or name.rpartition(".")[2] in _IMPORTERS)


_SIMPLE: Final = {
    "B102": _one_of(("exec",)),
    "B103": Need(part="chmod"),
    "B106": Need(passwords=True),
    "B113": Need(_HTTP, qualified=_containing("requests", "httpx")),
    "B201": Need(frozenset({"run"})),
    "B202": Need(part="extractall"),
    "B324": Need(
        frozenset({"md4", "md5", "sha", "sha1", "new", "crypt", "mksalt"}),
        qualified=_containing("hashlib", "crypt"),
    ),
    "B501": Need(_HTTP, qualified=_containing("requests", "httpx")),
    "B502": Need(keywords=frozenset({"method", "ssl_version"})),
    "B504": _one_of(("ssl.wrap_socket",)),
    "B505": Need(
        frozenset({"generate_private_key", "generate"}), qualified=_containing("cryptography", "Crypto")
    ),
    "B506": Need(frozenset({"load"}), qualified=_containing("yaml")),
    "B507": Need(frozenset({"set_missing_host_key_policy"})),
    "B508": _one_of(("pysnmp.hlapi.CommunityData",)),
    "B509": _one_of(("pysnmp.hlapi.UsmUserData",)),
    "B601": Need(frozenset({"exec_command"})),
    "B604": Need(keywords=frozenset({"shell"})),
    "B610": Need(frozenset({"extra"})),
    "B611": Need(frozenset({"RawSQL"})),
    "B612": _one_of(("logging.config.listen",)),
    "B614": Need(frozenset({"load"}), qualified=_containing("torch")),
    "B615": Need(
        frozenset(
            {"from_pretrained", "load_dataset", "hf_hub_download", "snapshot_download", "repository_id"}
        )
    ),
    "B701": Need(frozenset({"Environment"}), qualified=_containing("jinja2")),
    "B702": Need(frozenset({"Template"}), qualified=_containing("mako")),
    "B703": Need(frozenset({"mark_safe", "SafeText", "SafeUnicode", "SafeString", "SafeBytes"})),
}
_CONFIGURED: Final[dict[str, Callable[[object], Need]]] = {
    "B001": _blacklist,
    "B602": _shell,
    "B603": _shell,
    "B605": _shell,
    "B606": _shell,
    "B607": _shell,
    "B609": _shell,
    "B704": _markup,
}
