"""Run a program in a container, over the API server's WebSocket exec (`v5.channel.k8s.io`, else v4).

Channels: 0 stdin, 1 stdout, 2 stderr, 3 the final Status as JSON, 4 terminal size as JSON; v5 adds 255,
which closes the channel whose number follows. Both directions are bounded: aiohttp stops reading the
connection when 128 kB wait for a slow reader, and `write` waits for a slow program.

Closing the connection ends the program only if it notices: a program with a terminal is sent SIGHUP, one that
reads its standard input sees it end; any other goes on (reference: dependencies, section 4).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec

from sandbox.cluster.client import ClusterClient, unavailable
from sandbox.errors import ApiError, ClusterUnavailable, SandboxError

STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"

OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0
_ENDS = (
    aiohttp.WSMsgType.CLOSE,
    aiohttp.WSMsgType.CLOSING,
    aiohttp.WSMsgType.CLOSED,
    aiohttp.WSMsgType.ERROR,
)
# A frame over this is not one of an API server, which cuts output into pieces of 32 kB.
LARGEST_FRAME = 1 << 20
PIECE = 32 * 1024
OUTPUT_LIMIT = 1 << 20
# A stream may be silent for hours, so the kernel asks whether the other side still lives.
KEEPALIVE_S = 10


class ExecTimeout(SandboxError):
    """The program did not end in time; its stream was closed."""


class InputCannotEnd(SandboxError):
    """The API server speaks only v4, which cannot close a program's standard input."""


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a program ended. `code` is None when it never ran or nobody told; `reason` then says why."""

    code: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a program said, at most `limit` bytes of each stream; `truncated` when it was stopped there."""

    code: int | None
    stdout: bytes
    stderr: bytes
    reason: str = ""
    truncated: bool = False


class ExecStream:
    """One running program. Iterate for `(channel, bytes)` until it ends; then `exit_status` is known."""

    def __init__(
        self, session: aiohttp.ClientSession, socket_: aiohttp.ClientWebSocketResponse[Any], what: str
    ) -> None:
        self._session = session
        self._socket = socket_
        self._what = what
        self._closed = False
        self.exit_status: ExitStatus | None = None

    @property
    def can_close_stdin(self) -> bool:
        return self._socket.protocol == V5

    async def write(self, data: bytes) -> None:
        """Send input; waits while the program does not read. Raises ClusterUnavailable."""
        for start in range(0, len(data), PIECE):
            await self._send(STDIN, data[start : start + PIECE])

    async def resize(self, cols: int, rows: int) -> None:
        """Tell the program's terminal its new size. Raises ClusterUnavailable."""
        await self._send(RESIZE, msgspec.json.encode({"Width": cols, "Height": rows}))

    async def close_stdin(self) -> None:
        """The program reads the end of its input. Raises InputCannotEnd, ClusterUnavailable."""
        if not self.can_close_stdin:
            raise InputCannotEnd(
                "This API server cannot end a program's input; it is older than Kubernetes 1.30."
            )
        await self._send(CLOSE, bytes([STDIN]))

    async def __aiter__(self) -> AsyncIterator[tuple[int, bytes]]:
        """Output as it comes. Raises ClusterUnavailable when the connection breaks before the end."""
        while True:
            message = await self._socket.receive()
            if message.type == aiohttp.WSMsgType.BINARY:
                channel, data = message.data[0], message.data[1:]
                if channel == STATUS:
                    self.exit_status = read_status(data)
                elif data and channel in (STDOUT, STDERR):
                    yield channel, data
            elif message.type in _ENDS:
                break
        if self.exit_status is None:
            if not self._closed:
                raise ClusterUnavailable(f"The connection to {self._what} broke off.")
            self.exit_status = ExitStatus(None, "closed from here")

    async def close(self) -> None:
        """Hang up. Twice is the same as once; never raises for a broken connection."""
        self._closed = True
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._socket.close()
        except (TimeoutError, aiohttp.ClientError, OSError):
            pass  # the session's end below cuts the connection
        await self._session.close()

    async def __aenter__(self) -> ExecStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _send(self, channel: int, data: bytes) -> None:
        try:
            await self._socket.send_bytes(bytes([channel]) + data)
        except (aiohttp.ClientError, OSError) as error:
            raise ClusterUnavailable(f"The connection to {self._what} broke off.") from error


async def open_exec(
    client: ClusterClient,
    namespace: str,
    pod: str,
    container: str,
    argv: Sequence[str],
    *,
    stdin: bool = True,
    tty: bool = False,
    token: str | None = None,
    user_agent: str | None = None,
) -> ExecStream:
    """Start a program. Raises ApiError (NotFound, Forbidden, Invalid…) and ClusterUnavailable.

    Each stream has a connection and a session of its own: it may last for hours, and the client's
    connections are counted.
    """
    path = exec_path(namespace, pod, container, argv, stdin=stdin, tty=tty)
    headers = client.headers(token, user_agent=user_agent)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=client.ssl_for(token)), trust_env=False
    )
    try:
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            connected = await session.ws_connect(
                client.base_url + path,
                protocols=(V5, V4),
                headers=headers,
                max_msg_size=LARGEST_FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
            )
    except aiohttp.WSServerHandshakeError as refused:
        await session.close()
        await _explain(client, path, refused, token)
        raise unavailable(client.base_url, "GET", path, refused) from refused
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        await session.close()
        raise unavailable(client.base_url, "GET", path.partition("?")[0], error) from error
    except BaseException:
        await session.close()
        raise
    _keep_alive(connected)
    return ExecStream(session, connected, f"{argv[0]} in Pod {pod}")


async def run(
    client: ClusterClient,
    namespace: str,
    pod: str,
    container: str,
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    timeout: float,
    token: str | None = None,
    limit: int = OUTPUT_LIMIT,
) -> ExecResult:
    """Run a program to its end. Raises ExecTimeout, InputCannotEnd, ApiError, ClusterUnavailable."""
    try:
        async with asyncio.timeout(timeout):
            stream = await open_exec(client, namespace, pod, container, argv, stdin=bool(stdin), token=token)
            async with stream:
                return await _talk(stream, stdin, limit)
    except TimeoutError:
        raise ExecTimeout(f"{argv[0]} in Pod {pod} did not end within {timeout:g} s.") from None


async def _talk(stream: ExecStream, stdin: bytes, limit: int) -> ExecResult:
    output: dict[int, bytearray] = {STDOUT: bytearray(), STDERR: bytearray()}
    truncated = False
    writing = asyncio.create_task(_feed(stream, stdin)) if stdin else None
    try:
        async for channel, data in stream:
            kept = output[channel]
            kept += data[: limit - len(kept)]
            if len(kept) >= limit:
                truncated = True
                break
        if writing is not None and writing.done():
            writing.result()
    finally:
        if writing is not None:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
    status = stream.exit_status or ExitStatus(None, "stopped at the limit of output")
    return ExecResult(status.code, bytes(output[STDOUT]), bytes(output[STDERR]), status.reason, truncated)


async def _feed(stream: ExecStream, stdin: bytes) -> None:
    await stream.write(stdin)
    await stream.close_stdin()


def exec_path(
    namespace: str, pod: str, container: str, argv: Sequence[str], *, stdin: bool, tty: bool
) -> str:
    """The request's path and query. With a terminal, stderr comes on stdout."""
    query = [("container", container), *(("command", word) for word in argv)]
    query += [("stdin", _said(stdin)), ("stdout", "true"), ("stderr", _said(not tty)), ("tty", _said(tty))]
    return f"/api/v1/namespaces/{namespace}/pods/{pod}/exec?{urlencode(query)}"


def read_status(data: bytes) -> ExitStatus:
    """The exit status told on channel 3: a Status, with the exit code among its causes when it is not 0."""
    try:
        status = msgspec.json.decode(data, type=_Status)
    except msgspec.MsgspecError:
        return ExitStatus(None, data.decode("utf-8", "replace")[:500])
    if status.status == "Success":
        return ExitStatus(0)
    causes = status.details.causes if status.details else []
    codes = [cause.message for cause in causes if cause.reason == "ExitCode"]
    if codes and codes[0].isdigit():
        return ExitStatus(int(codes[0]), status.message)
    return ExitStatus(None, status.message or status.reason)


class _Cause(msgspec.Struct):
    reason: str = ""
    message: str = ""


class _Details(msgspec.Struct):
    causes: list[_Cause] = []


class _Status(msgspec.Struct):
    status: str = ""
    reason: str = ""
    message: str = ""
    details: _Details | None = None


async def _explain(
    client: ClusterClient, path: str, refused: aiohttp.WSServerHandshakeError, token: str | None
) -> None:
    """Raises ApiError: a refused handshake hides its reason, the same request without upgrade is told it."""
    if 400 <= refused.status < 500:
        try:
            await client.request("GET", path, token=token)
        except ApiError as explained:
            if explained.status == refused.status:
                raise explained from refused


def _keep_alive(connected: aiohttp.ClientWebSocketResponse[Any]) -> None:
    tcp = connected.get_extra_info("socket")
    if tcp is None:
        return
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):  # Linux
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_S)
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_S // 2)
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def _said(value: bool) -> str:
    return "true" if value else "false"
