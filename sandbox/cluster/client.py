"""The one way to an API server: raw JSON over aiohttp, decoded with msgspec.

The official client's models cost 14 to 39 times plain JSON in the event loop (reference: dependencies,
section 4), so none are used here.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec

from sandbox.cluster.kubeconfig import Access, read_access
from sandbox.errors import (
    ApiError,
    ClusterUnavailable,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Unauthorized,
    api_error,
)

__all__ = [
    "Answer",
    "ApiError",
    "ClusterClient",
    "ClusterUnavailable",
    "Conflict",
    "Forbidden",
    "Gone",
    "Invalid",
    "NotFound",
    "Unauthorized",
]

# Milliseconds without an acknowledgement after which the kernel gives a connection up: a half-open
# watch must be noticed within the ten seconds in which the picture may be wrong without saying so.
TCP_USER_TIMEOUT_MS = 8000
KEEPALIVE_IDLE_S = 3
KEEPALIVE_INTERVAL_S = 2
KEEPALIVE_COUNT = 3
# Two shared cores: more than this at once only queues inside the API server.
CONNECTIONS = 64
# The API server closes idle connections after 90 s; a new one costs two round trips and a TLS handshake.
IDLE_CONNECTION_S = 60.0
ANSWER_LIMIT = 64 * 2**20

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"  # JSON is YAML, so a JSON body is right

# Gateways and API servers that are starting or overloaded say these without having done anything.
_UNAVAILABLE = frozenset({502, 503, 504})

Params = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an API server said: status 2xx, decoded JSON (or text), and its warnings in order."""

    status: int
    body: Any
    warnings: tuple[str, ...] = ()


class ClusterClient:
    """One API server as one user; `token` on a call acts as somebody else, without our certificate."""

    def __init__(self, access: Access, *, user_agent: str) -> None:
        self.base_url = access.server
        self.authority = access.authority
        self.user_agent = user_agent
        self._access = access
        self.ssl = _context(access, with_certificate=True)
        # With a client certificate on the connection the API server ignores a bearer token, so calls
        # as a student need connections of their own.
        self._bare_ssl = _context(access, with_certificate=False)
        self._session: aiohttp.ClientSession | None = None
        self._bare_session: aiohttp.ClientSession | None = None

    @classmethod
    def from_kubeconfig(cls, path: Path | str, *, user_agent: str) -> ClusterClient:
        """Raises KubeconfigInvalid."""
        return cls(read_access(Path(path)), user_agent=user_agent)

    @property
    def session(self) -> aiohttp.ClientSession:
        """Our own identity's connections. Made on first use, because aiohttp wants a running loop."""
        if self._session is None or self._session.closed:
            self._session = _session(self.ssl)
        return self._session

    def session_for(self, token: str | None) -> aiohttp.ClientSession:
        """The session to use with `headers(token)`: without our certificate when there is a token."""
        if token is None:
            return self.session
        if self._bare_session is None or self._bare_session.closed:
            self._bare_session = _session(self._bare_ssl)
        return self._bare_session

    def ssl_for(self, token: str | None) -> ssl.SSLContext:
        """The TLS context that belongs to `session_for(token)`."""
        return self.ssl if token is None else self._bare_ssl

    def headers(self, token: str | None = None, *, user_agent: str | None = None) -> dict[str, str]:
        """User-Agent, and Authorization when a token (given or the kubeconfig's) is what identifies us."""
        headers = {"User-Agent": user_agent or self.user_agent}
        bearer = token or self._access.token
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        return headers

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Params | None = None,
        content_type: str = "application/json",
        token: str | None = None,
        timeout: float = 10.0,
        user_agent: str | None = None,
        accept: str = "application/json",
    ) -> Any:
        """The decoded answer. Raises ApiError (by status) and ClusterUnavailable."""
        answer = await self.exchange(
            method,
            path,
            body=body,
            params=params,
            content_type=content_type,
            token=token,
            timeout=timeout,
            user_agent=user_agent,
            accept=accept,
        )
        return answer.body

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Params | None = None,
        content_type: str = "application/json",
        token: str | None = None,
        timeout: float = 10.0,
        user_agent: str | None = None,
        accept: str = "application/json",
    ) -> Answer:
        """Like `request`, with status and warnings."""
        headers = self.headers(token, user_agent=user_agent) | {"Accept": accept}
        data = None
        if body is not None:
            headers["Content-Type"] = content_type
            data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        try:
            async with self.session_for(token).request(
                method,
                self.url(path, params),
                data=data,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as response:
                raw = await _read_bounded(response, ANSWER_LIMIT)
                return answer_of(method, path, response.status, response.headers, raw)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unavailable(self.base_url, method, path, error) from error

    def url(self, path: str, params: Params | None = None) -> str:
        """`base_url`, `path` and the query; booleans become true/false as the API server reads them."""
        if not params:
            return self.base_url + path
        return f"{self.base_url}{path}?{urlencode({name: _query(value) for name, value in params.items()})}"

    async def close(self) -> None:
        """Close all connections; calling it twice is the same as once."""
        for session in (self._session, self._bare_session):
            if session is not None and not session.closed:
                await session.close()
        await asyncio.sleep(0)  # lets the loop finish the connections that were just dropped

    async def __aenter__(self) -> ClusterClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def answer_of(method: str, path: str, status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
    """Decode one answer. An error page is never taken for an object: raises ClusterUnavailable instead."""
    is_json = headers.get("Content-Type", "").startswith("application/json")
    body: Any = None
    if is_json:
        try:
            body = msgspec.json.decode(raw)
        except msgspec.DecodeError as error:
            raise ClusterUnavailable(f"The answer to {method} {path} broke off in the middle.") from error
    if status < 300:
        if not is_json and path.endswith(("/log", "/readyz", "/livez", "/healthz")):
            body = raw.decode("utf-8", "replace")
        elif not is_json:
            raise ClusterUnavailable(f"The answer to {method} {path} is not JSON, so no API server gave it.")
        return Answer(status, body, _warnings(headers))
    if (
        status in _UNAVAILABLE
        or _is_starting(status, body)
        or not isinstance(body, dict)
        or body.get("kind") != "Status"
    ):
        said = body.get("message", "") if isinstance(body, dict) else ""
        why = f"{status} {said}".rstrip()
        raise ClusterUnavailable(f"The cluster cannot answer {method} {path} now ({why}).")
    raise api_error(status, body)


def _is_starting(status: int, body: Any) -> bool:
    """For a moment after its start an API server knows the bindings, and not yet the roles they name."""
    said = str(body.get("message", "")) if isinstance(body, dict) else ""
    return (
        status == 403
        and "RBAC: " in said
        and "role.rbac.authorization.k8s.io" in said
        and "not found" in said
    )


def unavailable(base_url: str, method: str, path: str, error: BaseException) -> ClusterUnavailable:
    """One sentence for whatever the network did."""
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return ClusterUnavailable(f"The cluster at {base_url} did not answer {method} {path} in time.")
    return ClusterUnavailable(f"The cluster at {base_url} cannot be reached for {method} {path}: {error}.")


async def _read_bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > limit:
            raise ClusterUnavailable(f"The answer to {response.url.path} is larger than {limit} bytes.")
        parts.append(part)
    return b"".join(parts)


def _warnings(headers: Mapping[str, str]) -> tuple[str, ...]:
    """RFC 7234 `299 - "text"`. One header may hold several."""
    values = headers.getall("Warning", []) if hasattr(headers, "getall") else [headers.get("Warning", "")]
    return tuple(text for value in values for text in _quoted(value))


def _quoted(value: str) -> list[str]:
    texts: list[str] = []
    start = value.find('"')
    while start >= 0:
        end = start + 1
        while end < len(value) and value[end] != '"':
            end += 2 if value[end] == "\\" else 1
        texts.append(value[start + 1 : end].replace('\\"', '"').replace("\\\\", "\\"))
        start = value.find('"', end + 1)
    return texts


def _query(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _context(access: Access, *, with_certificate: bool) -> ssl.SSLContext:
    # Without an authority in the kubeconfig the machine's own ones count, as in kubectl.
    context = ssl.create_default_context(cadata=access.authority.decode("ascii") or None)
    if with_certificate and access.certificate is not None and access.key is not None:
        # ssl reads certificates from files only.
        with tempfile.NamedTemporaryFile() as file:  # mode 0600
            file.write(access.certificate + b"\n" + access.key)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _session(context: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        ssl=context, limit=CONNECTIONS, socket_factory=_socket, keepalive_timeout=IDLE_CONNECTION_S
    )
    return aiohttp.ClientSession(connector=connector, trust_env=False, auto_decompress=True)


def _socket(address: Any) -> socket.socket:
    """A TCP socket that notices a silent peer: keepalive while idle, TCP_USER_TIMEOUT while sending."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_COUNT)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, TCP_USER_TIMEOUT_MS)
    made.setblocking(False)
    return made
