"""The exec bridge against a small server that speaks the channel protocols."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sandbox.errors import ClusterUnavailable, Forbidden
from sandbox.exec_stream import (
    V4,
    V5,
    ExecTimeout,
    ExitStatus,
    InputCannotEnd,
    exec_path,
    open_exec,
    read_status,
    run,
)

SUCCESS = b'\x03{"metadata":{},"status":"Success"}'
FAILURE = {
    "status": "Failure",
    "message": "command terminated with non-zero exit code",
    "reason": "NonZeroExitCode",
    "details": {"causes": [{"reason": "ExitCode", "message": "3"}]},
}


class FakeClient:
    """The parts of ClusterClient a stream uses."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def headers(self, token: str | None = None, *, user_agent: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"} if token else {}

    def ssl_for(self, token: str | None) -> bool:
        return True

    async def request(self, method: str, path: str, *, token: str | None = None) -> Any:
        raise Forbidden(403, "Forbidden", "pods/exec is forbidden")


@pytest.fixture
async def serve():
    """Start a server whose exec runs `program(socket, request)`; gives a client of it."""
    runners: list[web.AppRunner] = []

    async def start(program: Callable[..., Any], *, protocols: tuple[str, ...] = (V5, V4)) -> Any:
        async def handle(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse(protocols=protocols)
            await socket.prepare(request)
            await program(socket, request)
            await socket.close()
            return socket

        app = web.Application()
        app.router.add_get("/api/v1/namespaces/{ns}/pods/{pod}/exec", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return FakeClient(f"http://127.0.0.1:{runner.addresses[0][1]}")

    yield start
    for runner in runners:
        await runner.cleanup()


async def test_output_error_and_exit_code(serve):
    async def program(socket, request):
        assert request.query.getall("command") == ["sh", "-c", "echo"]
        await socket.send_bytes(b"\x01")  # the server's greeting on each channel
        await socket.send_bytes(b"\x01out")
        await socket.send_bytes(b"\x02err")
        await socket.send_bytes(b"\x03" + json.dumps(FAILURE).encode())

    done = await run(await serve(program), "ns", "pod", "c", ["sh", "-c", "echo"], timeout=5)
    assert (done.code, done.stdout, done.stderr, done.truncated) == (3, b"out", b"err", False)


async def test_input_is_sent_and_ended_over_v5(serve):
    async def program(socket, request):
        received = b""
        async for message in socket:
            if message.data == b"\xff\x00":
                break
            received += message.data[1:]
        await socket.send_bytes(b"\x01" + str(len(received)).encode())
        await socket.send_bytes(SUCCESS)

    done = await run(await serve(program), "ns", "pod", "c", ["wc", "-c"], stdin=b"x" * 100_000, timeout=5)
    assert (done.code, done.stdout) == (0, b"100000")


async def test_v4_is_spoken_but_cannot_end_the_input(serve):
    async def program(socket, request):
        await asyncio.sleep(0.2)
        await socket.send_bytes(SUCCESS)

    client = await serve(program, protocols=(V4,))
    assert (await run(client, "ns", "pod", "c", ["true"], timeout=5)).code == 0
    async with await open_exec(client, "ns", "pod", "c", ["cat"]) as stream:
        assert not stream.can_close_stdin
        with pytest.raises(InputCannotEnd):
            await stream.close_stdin()


async def test_size_goes_as_json_on_channel_four(serve):
    heard: list[bytes] = []

    async def program(socket, request):
        assert (request.query["tty"], request.query["stderr"]) == ("true", "false")
        heard.append((await socket.receive()).data)
        await socket.send_bytes(SUCCESS)

    async with await open_exec(await serve(program), "ns", "pod", "c", ["sh"], tty=True) as stream:
        await stream.resize(100, 40)
        assert [item async for item in stream] == []
        assert stream.exit_status == ExitStatus(0)
    assert heard == [b'\x04{"Width":100,"Height":40}']


async def test_a_slow_reader_stops_the_sender(serve):
    """`yes` and a consumer that takes nothing: the server's writes must come to a halt."""
    sent = 0

    async def program(socket, request):
        nonlocal sent
        with pytest.raises((aiohttp.ClientError, ConnectionError, TimeoutError)):  # noqa: PT012
            while True:
                async with asyncio.timeout(1):
                    await socket.send_bytes(b"\x01" + b"y" * 32_000)
                sent += 32_000
        raise ConnectionResetError

    async with await open_exec(await serve(program), "ns", "pod", "c", ["yes"]) as stream:
        await anext(aiter(stream))
        await asyncio.sleep(1.5)
        assert sent < 16 * 2**20  # the kernel's socket buffers, and ours


async def test_a_flood_is_cut_at_the_limit(serve):
    async def program(socket, request):
        while not socket.closed:
            await socket.send_bytes(b"\x01" + b"y" * 1000)

    done = await run(await serve(program), "ns", "pod", "c", ["yes"], timeout=5, limit=10_000)
    assert (done.truncated, len(done.stdout), done.code) == (True, 10_000, None)


async def test_a_program_that_does_not_end(serve):
    async def program(socket, request):
        await socket.receive()

    with pytest.raises(ExecTimeout, match=r"sleep in Pod pod did not end within 0\.2 s"):
        await run(await serve(program), "ns", "pod", "c", ["sleep", "9"], timeout=0.2)


async def test_a_connection_that_breaks_before_the_end(serve):
    async def program(socket, request):
        await socket.send_bytes(b"\x01half")
        request.transport.abort()

    with pytest.raises(ClusterUnavailable, match="broke off"):
        await run(await serve(program), "ns", "pod", "c", ["cat"], timeout=5)


async def test_a_refusal_tells_the_clusters_reason(serve):
    async def program(socket, request):
        raise AssertionError("never reached")

    client = await serve(program)

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=403)

    app = web.Application()
    app.router.add_get("/{path:.*}", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        with pytest.raises(Forbidden, match="pods/exec is forbidden"):
            await open_exec(client, "ns", "pod", "c", ["sh"])
    finally:
        await runner.cleanup()


async def test_no_cluster():
    with pytest.raises(ClusterUnavailable):
        await open_exec(FakeClient("http://127.0.0.1:1"), "ns", "pod", "c", ["sh"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (SUCCESS[1:], ExitStatus(0)),
        (json.dumps(FAILURE).encode(), ExitStatus(3, "command terminated with non-zero exit code")),
        (b'{"status":"Failure","message":"no such program"}', ExitStatus(None, "no such program")),
        (b"gibberish", ExitStatus(None, "gibberish")),
    ],
)
def test_the_status_channel(data: bytes, status: ExitStatus):
    assert read_status(data) == status


def test_words_are_escaped_in_the_query():
    path = exec_path("ns", "pod", "c", ["echo", "a&command=rm"], stdin=False, tty=False)
    assert path == (
        "/api/v1/namespaces/ns/pods/pod/exec?container=c&command=echo&command=a%26command%3Drm"
        "&stdin=false&stdout=true&stderr=true&tty=false"
    )
