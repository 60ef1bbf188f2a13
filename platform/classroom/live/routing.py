"""Addresses of the sockets. Each consumer names its access rule; the access walk reads them from here."""

from __future__ import annotations

from typing import Any, cast

from channels.routing import URLRouter  # type: ignore[import-untyped]
from django.urls import path
from django.urls.exceptions import Resolver404

from classroom.live.consumers import ClassSocket, ClusterSocket, SandboxSocket
from classroom.live.sockets import Receive, Send, Socket, as_asgi
from classroom.live.terminals import TerminalSocket

CONSUMERS: dict[str, type[Socket]] = {
    "ws/sandbox/<uuid:sandbox>/": SandboxSocket,
    "ws/terminal/<uuid:sandbox>/": TerminalSocket,
    "ws/class/<str:course>/": ClassSocket,
    "ws/cluster/": ClusterSocket,
}
# Django's `path` is typed for views; Channels' router calls ASGI applications.
routes: list[Any] = [path(address, cast("Any", as_asgi(consumer))) for address, consumer in CONSUMERS.items()]
_router = URLRouter(routes)


async def sockets(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """An unknown address is refused like a foreign one, not reported as an error of ours."""
    try:
        await _router(scope, receive, send)
    except (Resolver404, ValueError) as error:
        if isinstance(error, ValueError) and "No route found" not in str(error):
            raise
        await send({"type": "websocket.close", "code": 4004})
