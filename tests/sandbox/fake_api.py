"""A small HTTP API server for tests: a script of answers per path, and what was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kubeconfig import Access


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


Handler = Callable[[web.Request, Asked], Awaitable[web.StreamResponse]]


@dataclass
class FakeApi:
    """`answer` is called for every request; replace it in the test."""

    answer: Handler
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def client(self, **arguments) -> ClusterClient:
        access = Access(server=self.url, authority=b"", token=arguments.pop("token", None))
        return ClusterClient(access, user_agent=arguments.pop("user_agent", "glasshull-test"))


@asynccontextmanager
async def fake_api(answer: Handler):
    fake = FakeApi(answer)

    async def handle(request: web.Request) -> web.StreamResponse:
        asked = Asked(
            request.method, request.path, dict(request.query), dict(request.headers), await request.read()
        )
        fake.asked.append(asked)
        return await fake.answer(request, asked)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()


def status(code: int, reason: str = "", message: str = "", **details) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "code": code, "reason": reason, "message": message}
    if details:
        body["details"] = details
    return web.json_response(body, status=code)


async def stream(request: web.Request, *lines: dict | bytes, then: str = "end", hold: float = 30.0):
    """A watch answer: each line an event; then `end` properly, `hold` silently, or `cut` the connection."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for line in lines:
        await response.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
    if then == "hold":
        await asyncio.sleep(hold)
    if then == "cut" and request.transport is not None:
        request.transport.abort()
    return response
