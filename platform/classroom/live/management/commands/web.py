"""`manage.py web`: pages, API and sockets on Daphne, with the runtime in its event loop."""

from __future__ import annotations

import asyncio
import gc
from argparse import ArgumentParser
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Serve pages, API and sockets (one process; observer and reconciler live in it)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        # The values are read from the environment by the settings; the options exist for the process list.
        parser.add_argument("--bind", default=settings.BIND)
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        serve(options["bind"], options["port"])


def serve(bind: str, port: int) -> None:
    """Until SIGTERM or SIGINT."""
    from daphne.server import Server  # installs Twisted's asyncio reactor: before anything imports `reactor`

    from classroom.asgi import application
    from classroom.live.runtime import runtime

    # What is loaded now stays: keep the collector from walking through it (a pause is a late frame).
    gc.collect()
    gc.freeze()
    tasks: list[asyncio.Task[None]] = []

    def ready() -> None:
        from twisted.internet import reactor

        loop = asyncio.get_event_loop()
        tasks.append(loop.create_task(runtime().run(), name="runtime"))
        reactor.addSystemEventTrigger("before", "shutdown", tasks[0].cancel)  # type: ignore[arg-type]

    server = Server(
        application,
        endpoints=[endpoint_for(bind, port)],
        ready_callable=ready,
        server_name="glasshull",
        websocket_timeout=-1,  # a lesson page stays open; pings find dead ones
        websocket_max_message_size=256 * 1024,
        websocket_max_frame_size=256 * 1024,
        http_timeout=60,
        verbosity=0,
    )
    log.info("serving", bind=bind, port=port)
    server.run()
    if not server.listening_addresses:
        raise CommandError(
            f"{bind}:{port} cannot be listened on. Is something else there? Choose another PORT."
        )


def endpoint_for(bind: str, port: int) -> str:
    """Twisted's description of where to listen; colons of an IPv6 address are escaped."""
    host = bind.strip("[]").replace(":", r"\:")
    kind = "tcp6" if ":" in bind else "tcp"
    return f"{kind}:port={port}:interface={host}"
