"""A JSON client for a forge's API that knows when a request may be repeated and keeps its token to itself.

A request that creates something is never repeated after a server error: the forge may have done it all the same.
The token goes into one header, to one host, over TLS or the loopback interface; redirects are not followed.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from charter.review.forge import DeniedError, ForgeError, LimitedError, RefusedError, UncertainError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
_ATTEMPTS: Final = 3
_PATIENCE: Final = 300.0
"""Seconds that all waiting for limits together may take."""
_LARGEST: Final = 64 * 1024 * 1024
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class Answer(Struct, frozen=True):
    """What came back.

    Attributes:
        data: the decoded JSON; None for an empty body.
        headers: by lower-case name.
    """

    data: Any
    headers: Mapping[str, str]


def checked_base(url: str) -> str:
    """The base address without a final slash, if a token may be sent there.

    Raises:
        ForgeError: if it is neither https nor on the loopback interface, or carries credentials.
    """
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment or not parts.hostname:
        raise ForgeError("the address of the forge's API must be of the form https://host/path")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ForgeError(f"refusing to send a token to {parts.scheme}://{parts.hostname}; use https")
    return url.rstrip("/")


class Client:
    """Talks JSON to one host.

    Args:
        base: the address that all paths are appended to.
        token: the secret.
        header: the header that carries it and the text before it, for instance `("Authorization", "Bearer ")`.
        headers: further headers of every request.
        sleep: waits for seconds; replaced in tests.
    """

    def __init__(
        self,
        base: str,
        token: str,
        *,
        header: tuple[str, str] = ("Authorization", "Bearer "),
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base: str = checked_base(base)
        self._token: str = token
        self._sleep: Callable[[float], None] = sleep
        self._waited: float = 0.0
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ForgeError(
                "the token has characters that no token has; was it cut or pasted with a line break?"
            )
        self._http: httpx.Client = httpx.Client(
            headers={**(headers or {}), header[0]: f"{header[1]}{token}"},
            timeout=_TIMEOUT,
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Answer:
        """Read something."""
        return self._request("GET", path, None, params, repeatable=True)

    def send(self, method: str, path: str, body: object, *, repeatable: bool, base: str = "") -> Answer:
        """Change or create something.

        Args:
            method: `POST`, `PUT` or `PATCH`.
            path: below the base.
            body: what to send as JSON.
            repeatable: whether doing it twice is the same as doing it once.
            base: another base address on the same host.

        Raises:
            ForgeError: of the kind that fits; `UncertainError` only if not repeatable.
        """
        return self._request(method, path, body, None, repeatable=repeatable, base=base)

    def _request(
        self,
        method: str,
        path: str,
        body: object,
        params: Mapping[str, str | int] | None,
        *,
        repeatable: bool,
        base: str = "",
    ) -> Answer:
        what = f"{method} {path}"
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._http.request(method, (base or self._base) + path, json=body, params=params)
            except httpx.ConnectError as error:
                # Nothing was sent, so repeating is safe whatever the request would have done.
                if attempt >= _ATTEMPTS:
                    raise ForgeError(f"{what}: {self._clean(str(error))}") from None
                self._sleep(2.0**attempt)
                continue
            except httpx.HTTPError as error:
                if repeatable and attempt < _ATTEMPTS:
                    self._sleep(2.0**attempt)
                    continue
                kind = ForgeError if repeatable else UncertainError
                raise kind(f"{what}: {self._clean(str(error) or type(error).__name__)}") from None
            if answer.status_code >= 500 and repeatable and attempt < _ATTEMPTS:
                self._sleep(2.0**attempt)
                continue
            if (pause := _pause(answer, attempt)) is not None:
                self._wait(what, pause)
                continue
            return self._judge(what, answer, repeatable=repeatable)

    def _wait(self, what: str, seconds: float) -> None:
        if self._waited + seconds > _PATIENCE:
            raise LimitedError(f"{what}: the limit of requests is reached; it lifts in {seconds:.0f} seconds")
        self._waited += seconds
        self._sleep(seconds)

    def _judge(self, what: str, answer: httpx.Response, *, repeatable: bool) -> Answer:
        status = answer.status_code
        if 200 <= status < 300:
            if len(answer.content) > _LARGEST:
                raise ForgeError(f"{what}: the answer has {len(answer.content)} bytes")
            try:
                data = json.loads(answer.content) if answer.content else None
            except ValueError:
                raise ForgeError(f"{what}: the answer is not JSON") from None
            return Answer(data, dict(answer.headers))
        reason = f"{what}: {status} {self._clean(_message(answer))}"
        if status in (401, 403, 404):
            raise DeniedError(reason)
        if status in (400, 409, 413, 422):
            raise RefusedError(reason)
        if status >= 500 and not repeatable:
            raise UncertainError(reason)
        raise ForgeError(reason)

    def _clean(self, text: str) -> str:
        return text.replace(self._token, "***")[:500] if self._token else text[:500]


def _pause(answer: httpx.Response, attempt: int) -> float | None:
    """How many seconds to wait before the same request again, if a limit was hit; None if that is not the matter."""
    if answer.status_code not in (403, 429):
        return None
    after = answer.headers.get("retry-after", "")
    if after.isdigit():
        return max(1.0, float(after))
    if answer.headers.get("x-ratelimit-remaining") == "0":
        reset = answer.headers.get("x-ratelimit-reset", "")
        return max(1.0, float(reset) - time.time()) if reset.isdigit() else 60.0
    if answer.status_code == 429 or "rate limit" in _message(answer).lower():
        return 60.0 * 2.0 ** (attempt - 1)
    return None


def _message(answer: httpx.Response) -> str:
    try:
        data: Any = answer.json()
    except ValueError:
        return answer.reason_phrase
    found: dict[str, Any] = dict(data) if isinstance(data, dict) else {}  # pyright: ignore[reportUnknownArgumentType]
    message = str(found.get("message") or found.get("error") or answer.reason_phrase)
    errors = found.get("errors")
    return f"{message} {json.dumps(errors)}" if errors else message
