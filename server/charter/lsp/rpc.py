"""JSON-RPC 2.0 over byte streams, as the Language Server Protocol frames it. It knows no method of the protocol.

Messages stay plain dictionaries: importing and running the typed messages of a protocol library costs a server more
start-up time, memory and time per message than all else that its message loop does.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
NOT_INITIALIZED: Final = -32002
REQUEST_CANCELLED: Final = -32800
CONTENT_MODIFIED: Final = -32801
REQUEST_FAILED: Final = -32803

MAX_MESSAGE = 512 * 2**20
"""Bytes above which a message's announced length is taken for damage."""

Message = dict[str, Any]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def fields(value: Any) -> Message:
    """A part of a message that should be an object; an empty one if it is something else or absent."""
    return cast("Message", value) if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """A part of a message that should be an array; an empty one if it is something else or absent."""
    return cast("list[Any]", value) if isinstance(value, list) else []


class Failure(Exception):  # noqa: N818 (an answer of the protocol, not an error of the program)
    """Raised by a handler to answer a request with an error.

    Attributes:
        code: the protocol's error code.
        message: what the user may read.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code: int = code
        self.message: str = message


def read_frame(stream: BinaryIO) -> bytes | None:
    """The body of the next message; None at the end of the stream.

    Header lines that make no sense are passed over until a length and an empty line are found.
    """
    length = -1
    while True:
        line = stream.readline(4096)
        if not line:
            return None
        if line in {b"\r\n", b"\n"}:
            if 0 <= length <= MAX_MESSAGE:
                break
            continue
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            length = int(value)
    body = stream.read(length)
    return body if len(body) == length else None


def decode(body: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: if it is none.
    """
    try:
        return _decode(body)
    except (msgspec.DecodeError, RecursionError):
        # A lone surrogate, which editors do send, is an error to msgspec and none to the standard library.
        return json.loads(body)


def encode(message: object) -> bytes:
    """A value as JSON, in UTF-8; a lone surrogate is escaped."""
    try:
        return _encode(message)
    except (UnicodeEncodeError, TypeError):
        return json.dumps(message, separators=(",", ":")).encode()


class Peer:
    """The client's end: messages to it, and what it answers to our requests.

    Args:
        stream: where messages to the client go.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._next_id = 0
        self._asked: dict[str, Callable[[Any], None]] = {}
        self.closed: bool = False
        """Whether the client is gone; what is sent then is dropped."""

    def send(self, message: Message) -> None:
        """Send one message."""
        if self.closed:
            return
        body = encode(message)
        try:
            with self._lock:
                self._stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
                self._stream.flush()
        except (OSError, ValueError):
            self.closed = True

    def notify(self, method: str, params: object) -> None:
        """Send a notification."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: object, then: Callable[[Any], None] | None = None) -> None:
        """Send a request; `then` is called with its result, or with None if the client answers with an error."""
        self._next_id += 1
        key = f"charter-{self._next_id}"
        if then is not None:
            self._asked[key] = then
        self.send({"jsonrpc": "2.0", "id": key, "method": method, "params": params})

    def answered(self, message: Message) -> None:
        """Take the client's answer to one of our requests; an answer to nothing we asked is dropped."""
        then = self._asked.pop(str(message.get("id")), None)
        if then is not None:
            then(message.get("result"))


class Request:
    """A request of the client that waits for its answer.

    Args:
        peer: who asked.
        key: the request's id; None for a notification, whose answer is dropped.
    """

    __slots__ = ("_peer", "done", "key", "when_cancelled")

    def __init__(self, peer: Peer, key: int | str | None) -> None:
        self._peer = peer
        self.key = key
        self.done = False
        self.when_cancelled: Callable[[], None] | None = None

    def reply(self, result: object) -> None:
        """Answer; a second answer is dropped."""
        if not self.done and self.key is not None:
            self._peer.send({"jsonrpc": "2.0", "id": self.key, "result": result})
        self.done = True

    def fail(self, code: int, message: str) -> None:
        """Answer with an error; a second answer is dropped."""
        if not self.done and self.key is not None:
            error = {"code": code, "message": message}
            self._peer.send({"jsonrpc": "2.0", "id": self.key, "error": error})
        self.done = True

    def cancel(self) -> None:
        """Answer that the request was cancelled."""
        if not self.done:
            self.fail(REQUEST_CANCELLED, "cancelled")
            if self.when_cancelled is not None:
                self.when_cancelled()
