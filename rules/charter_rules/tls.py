"""What the history of a TLS context comes to: whom it trusts, which versions it speaks. It judges nothing.

Defaults are those of the `ssl` module's documentation and of pyOpenSSL's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from charter.api.facts.objects import Event, ObjectHistory

UNVERIFIED: Final = ("ssl._create_unverified_context", "ssl._create_stdlib_context")
_NONE: Final = frozenset({"ssl.CERT_NONE", "ssl.VerifyMode.CERT_NONE", "0", "OpenSSL.SSL.VERIFY_NONE"})
_PROTOCOLS_OF_CLIENTS: Final = frozenset({"ssl.PROTOCOL_TLS_CLIENT"})
_SERVERS: Final = frozenset(
    {
        "asyncio.start_server", "asyncio.start_unix_server", "*.create_server", "*.create_unix_server",
        "*.start_server", "uvicorn.run", "uvicorn.Config", "aiohttp.web.run_app", "aiohttp.web.TCPSite",
        "websockets.serve", "websockets.server.serve", "*.run_app", "*.run",
    }
)  # fmt: skip
_CLIENTS: Final = frozenset(
    {
        "urllib.request.urlopen", "urllib.request.HTTPSHandler", "http.client.HTTPSConnection", "smtplib.SMTP_SSL",
        "imaplib.IMAP4_SSL", "poplib.POP3_SSL", "ftplib.FTP_TLS", "nntplib.NNTP_SSL", "*.starttls", "*.stls",
        "asyncio.open_connection", "*.create_connection", "xmlrpc.client.ServerProxy", "aiohttp.TCPConnector",
        "websockets.connect", "websockets.client.connect", "httpx.Client", "httpx.AsyncClient", "httpx.get",
        "httpx.post", "urllib3.PoolManager",
    }
)  # fmt: skip
_CONNECTIONS: Final = frozenset({"OpenSSL.SSL.Connection"})
_ORDER: Final = ("SSLv2", "SSLv3", "TLSv1", "TLSv1_1")
_FLAGS: Final = {
    "SSLv2": "OP_NO_SSLv2",
    "SSLv3": "OP_NO_SSLv3",
    "TLSv1": "OP_NO_TLSv1",
    "TLSv1_1": "OP_NO_TLSv1_1",
}
_MINIMA: Final = {
    "SSLv3": "SSLv3", "MINIMUM_SUPPORTED": "SSLv3", "TLSv1": "TLSv1", "TLSv1_1": "TLSv1_1", "SSL3_VERSION": "SSLv3",
    "TLS1_VERSION": "TLSv1", "TLS1_1_VERSION": "TLSv1_1",
}  # fmt: skip


class Trust(Struct):
    """Whom a context trusts in the end.

    Attributes:
        verifies: whether it checks certificates; None if that is not known.
        hostname: whether it checks the host's name; None if that is not known.
        verify_event: what decided the first; None if the making did.
        hostname_event: what decided the second; None if the making did.
        client: whether it is used to connect to a server.
        server: whether it is used to serve.
    """

    verifies: bool | None = None
    hostname: bool | None = None
    verify_event: Event | None = None
    hostname_event: Event | None = None
    client: bool = False
    server: bool = False


def trust(history: ObjectHistory) -> Trust:
    """Whom the context of a history trusts after all that happens to it."""
    state = _at_first(history)
    for event in history.events:
        value = event.argument("") or ""
        if event.action == "set" and event.name == "verify_mode":
            state.verifies = _verifies(value)
            state.verify_event = event
        elif event.action == "set" and event.name == "check_hostname":
            state.hostname = {"True": True, "1": True, "False": False, "0": False}.get(value)
            state.hostname_event = event
        elif event.action == "call" and event.name == "set_verify":
            mode = event.argument("0", "mode") or ""
            state.verifies = _verifies(mode)
            state.verify_event = event
        else:
            _use(event, state)
    return state


def _verifies(mode: str) -> bool | None:
    """Whether a mode checks certificates; None for one that is not known, such as a constant of another module."""
    if not mode or (mode[0].isalpha() and not mode.startswith(("ssl.", "OpenSSL."))):
        return None
    return mode not in _NONE


def _at_first(history: ObjectHistory) -> Trust:
    made, creation = history.made, history.creation
    if made in UNVERIFIED:
        purpose = (creation.argument("purpose") if creation is not None else None) or ""
        return Trust(verifies=False, hostname=False, server=purpose.endswith("CLIENT_AUTH"))
    if made == "ssl.create_default_context":
        purpose = (creation.argument("0", "purpose") if creation is not None else None) or ""
        server = purpose.endswith("CLIENT_AUTH")
        return Trust(verifies=not server, hostname=not server, server=server)
    if made == "ssl.SSLContext":
        protocol = creation.argument("0", "protocol") if creation is not None else None
        if protocol == "" or protocol in _PROTOCOLS_OF_CLIENTS:
            return Trust(verifies=True, hostname=True) if protocol else Trust()
        server = protocol == "ssl.PROTOCOL_TLS_SERVER"
        return Trust(verifies=False, hostname=False, server=server)
    return Trust()


def _use(event: Event, state: Trust) -> None:
    """Note on which side of a connection a context is used."""
    if event.action == "call" and event.name in {"wrap_socket", "wrap_bio"}:
        side = event.argument("1" if event.name == "wrap_socket" else "2", "server_side")
        state.server = state.server or side in {"True", "1"}
        state.client = state.client or side in {None, "False", "0"}
    elif event.action == "pass":
        state.server = state.server or event.name in _SERVERS
        state.client = state.client or event.name in _CLIENTS


def old_versions(history: ObjectHistory) -> tuple[list[str], Event | None]:
    """The versions before TLS 1.2 that a context allows against its defaults, and what decided it; None for its making.

    A making that names a version itself (`PROTOCOL_TLSv1`) counts as no decision here.
    """
    open_ended = history.made == "OpenSSL.SSL.Context" and _protocol(history).endswith(".SSLv23_METHOD")
    if open_ended and any(
        event.action == "pass" and event.name not in _CONNECTIONS for event in history.events
    ):
        return [], None
    minimum = "TLSv1" if open_ended else ""
    refused: set[str] = set()
    decided: Event | None = None
    for event in history.events:
        value = event.argument("") or event.argument("0") or ""
        flags = {part.rpartition(".")[2] for part in value.split("|")}
        if event.name in {"minimum_version", "set_min_proto_version"}:
            named = value.rpartition(".")[2]
            minimum = _MINIMA.get(named, "")
            decided = event if minimum else None
        elif event.name in {"options", "set_options"}:
            if event.action == "remove":
                if flags & refused:
                    decided = event
                refused -= flags
            else:
                refused |= flags
                if not value:
                    return [], None
    if not minimum:
        return [], None
    allowed = [
        version
        for version in _ORDER
        if _ORDER.index(version) >= _ORDER.index(minimum) and _FLAGS[version] not in refused
    ]
    return allowed, decided


def _protocol(history: ObjectHistory) -> str:
    return (history.creation.argument("0", "method") if history.creation is not None else None) or ""
