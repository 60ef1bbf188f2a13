"""Addresses of the sockets. Each consumer names its access rule; the access walk reads them from here."""

from __future__ import annotations

from typing import Any

from channels.routing import URLRouter
from django.urls import path
from django.urls.exceptions import Resolver404

from classroom.live.consumers import ClassSocket, ClusterSocket, SandboxSocket
from classroom.live.sockets import Receive, Send, as_asgi
from classroom.live.terminals import TerminalSocket

routes = [
    path("ws/sandbox/<uuid:sandbox>/", as_asgi(SandboxSocket)),
    path("ws/terminal/<uuid:sandbox>/", as_asgi(TerminalSocket)),
    path("ws/class/<str:course>/", as_asgi(ClassSocket)),
    path("ws/cluster/", as_asgi(ClusterSocket)),
]
_router = URLRouter(routes)


async def sockets(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """An unknown address is refused like a foreign one, not reported as an error of ours."""
    try:
        await _router(scope, receive, send)
    except (Resolver404, ValueError) as error:
        if isinstance(error, ValueError) and "No route found" not in str(error):
            raise
        await send({"type": "websocket.close", "code": 4004})
