"""What all our WebSocket consumers share: origin, person, rule, re-authorisation, close codes.

Raw ASGI on purpose. Channels' AsyncConsumer sends each message through one shared thread first
(`aclose_old_connections`), which makes an idle socket wait seconds behind other people's queries.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ClassVar

import structlog
from django.conf import settings

from classroom.access import Rule
from classroom.accounts.models import User
from classroom.database import in_database
from classroom.live.frames import bye_frame, encode
from classroom.live.origins import is_own_origin
from classroom.live.people import header_of, read_person, session_key_of
from classroom.live.pressure import Gate, gate_for
from classroom.refusals import Refused

log = structlog.get_logger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
AUTHORISE_SECONDS = 4.0  # L13 promises 5
MOST_UNREAD = 128  # incoming frames; a shell that takes no input must not fill memory
MOST_BYTES = 128 * 1024  # of one incoming frame; the largest honest one is a 64 KiB paste


class Close(Exception):
    """Close the socket with this code (L9), after a `bye` frame that says why."""

    def __init__(self, number: int, code: str, text: str) -> None:
        super().__init__(text)
        self.number, self.code, self.text = number, code, text


NUMBERS = {401: (4001, "signed-out"), 403: (4003, "not-yours"), 404: (4004, "no-such-sandbox")}


def close_for(refusal: Refused) -> Close:
    number, code = NUMBERS.get(refusal.status, (4003, refusal.code))
    return Close(number, code, refusal.text)


class Socket:
    """One connection. Subclasses say who may (`access_rule`) and what happens (`serve`, `on_text`, ...)."""

    access_rule: ClassVar[Rule]

    def __init__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.scope, self.receive, self._send = scope, receive, send
        self.parts: dict[str, Any] = scope.get("url_route", {}).get("kwargs", {})
        self.person: User | None = None
        self.granted: Any = None
        self.gate = Gate()

    # --- for subclasses -----------------------------------------------------------------------------
    async def serve(self) -> None:
        """Runs beside the reader until it returns, raises Close or is cancelled."""
        raise NotImplementedError

    async def on_frame(self, frame: dict[str, Any]) -> None:
        """A JSON object from the browser."""

    async def on_bytes(self, data: bytes) -> None:
        """A binary frame from the browser."""

    async def left(self) -> None:
        """The connection is over, whoever ended it."""

    def still_there(self) -> None:
        """Called after each re-authorisation; may raise Close."""

    async def send_bytes(self, data: bytes) -> None:
        await self._send({"type": "websocket.send", "bytes": data})

    async def send_text(self, encoded: bytes) -> None:
        await self._send({"type": "websocket.send", "text": encoded.decode()})

    async def send_frame(self, frame: dict[str, Any]) -> None:
        await self.send_text(encode(frame))

    # --- the connection's life ----------------------------------------------------------------------
    async def run(self) -> None:
        message = await self.receive()
        if message["type"] != "websocket.connect":
            return
        if not is_own_origin(header_of(self.scope, b"origin"), settings.OWN_ORIGINS):
            await self._send({"type": "websocket.close", "code": 4003})  # before accepting: an HTTP 403
            return
        try:
            await self.authorise()
        except Refused as refusal:
            # Accepted first, because a browser only sees the code of a socket that was open.
            await self._send({"type": "websocket.accept"})
            await self._close(close_for(refusal))
            return
        await self._send({"type": "websocket.accept"})
        self.gate = gate_for(self._send)
        try:
            await _first_of(self._read(), self.serve(), self._authorise_again())
        except Close as close:
            await self._close(close)
        except Refused as refusal:
            await self._close(close_for(refusal))
        finally:
            await self.left()

    async def authorise(self) -> None:
        """Ask the session and the rule. Raises Refused."""
        person, granted = await in_database(_admit, self.access_rule, session_key_of(self.scope), self.parts)
        self.person, self.granted = person, granted

    async def _authorise_again(self) -> None:
        while True:
            await asyncio.sleep(AUTHORISE_SECONDS)
            await self.authorise()
            self.still_there()

    async def _read(self) -> None:
        waiting = getattr(self.receive, "__self__", None)  # Daphne's queue, which has no limit of its own
        while True:
            message = await self.receive()
            if message["type"] == "websocket.disconnect":
                return
            if isinstance(waiting, asyncio.Queue) and waiting.qsize() > MOST_UNREAD:
                raise Close(4008, "too-fast", "That was too much at once. The page connects again.")
            if message.get("bytes") is not None:
                await self.on_bytes(message["bytes"])
                continue
            frame = parse(message.get("text") or "")
            if frame is not None:
                await self.on_frame(frame)

    async def _close(self, close: Close) -> None:
        with contextlib.suppress(Exception):  # the browser may be gone already, and that is all right
            await self.send_frame(bye_frame(close.code, close.text))
            await self._send({"type": "websocket.close", "code": close.number})


def _admit(rule: Rule, session_key: str | None, parts: dict[str, Any]) -> tuple[User | None, Any]:
    person = read_person(session_key)
    granted = rule.admit(person, parts)
    return (person if isinstance(person, User) else None), granted


def parse(text: str) -> dict[str, Any] | None:
    """None for anything that is not a JSON object: a browser of ours never sends such a thing."""
    if len(text) > MOST_BYTES:
        return None
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return frame if isinstance(frame, dict) else None


async def _first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Run all until the first ends; cancel the others; raise what it raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def as_asgi(consumer: type[Socket]) -> Callable[[dict[str, Any], Receive, Send], Coroutine[Any, Any, None]]:
    """An ASGI application that makes one `consumer` per connection. Carries its rule for the access walk."""

    async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await consumer(scope, receive, send).run()

    application.access_rule = consumer.access_rule  # type: ignore[attr-defined]
    application.consumer = consumer  # type: ignore[attr-defined]
    return application
