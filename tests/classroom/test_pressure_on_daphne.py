"""L8 and P41 on the real server: a browser that stops reading must not fill our memory."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

ROOT = Path(__file__).resolve().parents[2]
SERVER = '''
import asyncio, sys
from daphne.server import Server
sys.path[:0] = ["platform", "."]
from classroom.live.pressure import gate_for

PIECE = "x" * 16384
sent = 0

async def application(scope, receive, send):
    """Floods each socket as fast as its gate lets; /sent tells how much was written."""
    global sent
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/sent":
        while True:
            await receive()
            await send({"type": "websocket.send", "text": str(sent)})
    gate = gate_for(send)
    while True:
        await gate.wait()
        await send({"type": "websocket.send", "text": PIECE})
        sent += len(PIECE)
        await asyncio.sleep(0)

def ready():
    from twisted.internet import reactor
    reactor.callLater(0.2, lambda: print(server.listening_addresses[0][1], flush=True))

server = Server(application, endpoints=["tcp:port=0:interface=127.0.0.1"], ready_callable=ready)
server.run()
'''


async def test_L8_a_browser_that_does_not_read_stops_the_writer() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        port = int(await asyncio.wait_for(process.stdout.readline(), 20))
        async with (
            # Its end is not seen behind text that nobody reads: close without waiting for it.
            connect(f"ws://127.0.0.1:{port}/flood", max_queue=1, max_size=None, close_timeout=0.5) as slow,
            connect(f"ws://127.0.0.1:{port}/sent") as counter,
        ):

            async def sent() -> int:
                await counter.send("?")
                return int(await asyncio.wait_for(counter.recv(), 5))

            await asyncio.sleep(0.5)
            first = await sent()
            await asyncio.sleep(0.5)
            stalled = await sent()
            assert stalled == first, "the writer went on although nobody read"
            assert stalled < 16 * 2**20  # kernel buffers and Twisted's 64 KiB, never more
            for _ in range(400):
                await asyncio.wait_for(slow.recv(), 5)
            await asyncio.sleep(0.2)
            assert await sent() > stalled
            process.kill()  # first, so that nobody waits for a polite goodbye behind all that text
    finally:
        if process.returncode is None:
            process.kill()
        await asyncio.wait_for(process.communicate(), 10)


pytestmark = pytest.mark.timeout(60)
