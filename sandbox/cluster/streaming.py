"""The lowest layer of a watch: one HTTP stream, decoded line by line. No retry, no state."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

import aiohttp
import msgspec

from sandbox.cluster.client import ClusterClient, Params, answer_of, unavailable
from sandbox.errors import ApiError, ClusterUnavailable, api_error

CONNECT_TIMEOUT_S = 3.0
LINE_LIMIT = 8 * 2**20  # etcd refuses objects over 1.5 MiB


class Frame(msgspec.Struct):
    """One line of a watch."""

    type: str  # ADDED, MODIFIED, DELETED, BOOKMARK, ERROR
    object: dict[str, Any]


_decoder = msgspec.json.Decoder(Frame)


async def stream(
    client: ClusterClient,
    path: str,
    params: Params,
    *,
    silence: float,
    token: str | None = None,
    accept: str = "application/json",
    on_open: Callable[[], None] | None = None,
) -> AsyncGenerator[Frame, None]:
    """Frames until the server ends the stream properly; `on_open` is called when it accepts.

    Use it within `contextlib.aclosing`: left half-read, its connection stays open until it is collected.

    Raises ClusterUnavailable when it breaks, is silent for `silence` seconds or sends nonsense, and
    ApiError (Gone for 410) when the API server says so, by status or by an ERROR frame.
    """
    headers = client.headers(token) | {"Accept": accept}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=silence)
    query = {**params, "watch": True}
    try:
        async with client.session_for(token).get(
            client.url(path, query), headers=headers, timeout=timeout
        ) as response:
            if response.status != 200:
                answer_of("GET", path, response.status, response.headers, await response.read())
                raise ClusterUnavailable(f"The cluster answered {response.status} to a watch of {path}.")
            if on_open is not None:
                on_open()
            try:
                async for line in _lines(response.content):
                    yield _frame(path, line)
            finally:
                _hang_up(response)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise unavailable(client.base_url, "GET", path, error) from error


def _hang_up(response: aiohttp.ClientResponse) -> None:
    """Drop a half-read stream at once: a polite goodbye over TLS waits for a peer that may be silent."""
    if response.connection is not None and response.connection.transport is not None:
        response.connection.transport.abort()


def _frame(path: str, line: bytes) -> Frame:
    try:
        frame = _decoder.decode(line)
    except msgspec.DecodeError as error:
        raise ClusterUnavailable(f"The watch of {path} broke off in the middle of an event.") from error
    if frame.type == "ERROR":
        raise _error(frame.object)
    return frame


def _error(body: dict[str, Any]) -> ApiError | ClusterUnavailable:
    code = int(body.get("code") or 500)
    if code >= 500:
        return ClusterUnavailable(f"The cluster ended a watch ({code} {body.get('message', '')}).")
    return api_error(code, body)


async def _lines(content: aiohttp.StreamReader) -> AsyncGenerator[bytes, None]:
    """Whole lines; aiohttp's own readline() refuses long ones."""
    rest = b""
    async for part in content.iter_any():
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
        if len(rest) > LINE_LIMIT:
            raise ClusterUnavailable(f"An event of a watch is larger than {LINE_LIMIT} bytes.")
    if rest.strip():
        yield rest
