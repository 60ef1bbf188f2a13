"""A person with a browser, without the browser: cookies, CSRF, sockets. Real requests to the real product."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

LESSON = ("how-clusters-work", "14-self-healing")


class Refused(Exception):
    """The product answered with an error; `status` and its sentence."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


class Visitor:
    """Signed in through a link. `items` is the picture, merged as the protocol's rules say."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session, self.base = session, base
        self.course, self.lesson = LESSON
        self.items: dict[str, dict[str, Any]] = {}
        self.epoch, self.seq = 0, 0
        self.frames: list[tuple[float, dict[str, Any]]] = []
        self.changed = asyncio.Event()
        self.sandbox = self.csrf = ""
        self._reader: asyncio.Task[None] | None = None

    async def get(self, path: str) -> str:
        async with self.session.get(self.base + path) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise Refused(answer.status, text[:300])
            return text

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Raises Refused."""
        headers = {
            "X-CSRFToken": self.csrf,
            "Content-Type": "application/json",
            "Referer": self.base + "/",
            "Origin": self.base,
        }
        async with self.session.post(
            self.base + path, data=io.BytesIO(json.dumps(body or {}).encode()), headers=headers
        ) as answer:
            text = await answer.text()
            try:
                content = json.loads(text)
            except ValueError:
                content = text[:300]
            if answer.status >= 400:
                raise Refused(answer.status, content)
            return content

    async def page_data(self) -> dict[str, Any]:
        page = await self.get(f"/learn/{self.course}/{self.lesson}/")
        found = re.search(r'<script[^>]*id="lesson-data"[^>]*>(.*?)</script>', page, re.DOTALL)
        assert found, "the lesson page has no lesson-data"
        data = json.loads(found[1])
        self.csrf = data["csrf"]
        return data

    async def start(self) -> str:
        """Open the page, ask for a sandbox and follow its picture."""
        await self.page_data()
        return await self.press_start()

    async def press_start(self) -> str:
        """What a click on Start does, on a page that is open."""
        answer = await self.post("/api/sandboxes/", {"course": self.course, "lesson": self.lesson})
        self.sandbox = answer["sandbox"]["id"]
        self._reader = asyncio.ensure_future(self._read())
        return self.sandbox

    async def act(self, action: str, **body: Any) -> dict[str, Any]:
        return await self.post(f"/api/sandboxes/{self.sandbox}/{action}", body)

    async def _read(self) -> None:
        url = self.base.replace("http", "ws", 1) + f"/ws/sandbox/{self.sandbox}/"
        async with self.session.ws_connect(url, headers={"Origin": self.base}, max_msg_size=0) as socket:
            await socket.send_json({"f": "resume", "epoch": self.epoch, "seq": self.seq})
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(json.loads(message.data))

    def _take(self, frame: dict[str, Any]) -> None:
        self.frames.append((time.time(), frame))
        if frame["f"] == "snapshot":
            self.items, self.epoch, self.seq = frame["items"], frame["epoch"], frame["seq"]
        elif frame["f"] == "delta" and frame["epoch"] == self.epoch:
            for key in frame.get("del", []):
                self.items.pop(key, None)
            for key, fields in frame["set"].items():
                self.items[key] = {**self.items.get(key, {}), **fields}
            self.seq = frame["seq"]
        self.changed.set()

    async def until(self, condition: Any, seconds: float, what: str) -> float:
        """Wait for the picture, event-driven; seconds it took. Raises TimeoutError with the picture's state."""
        started = time.monotonic()
        while not condition(self.items):
            left = seconds - (time.monotonic() - started)
            if left <= 0 or (self._reader is not None and self._reader.done()):
                if self._reader is not None and self._reader.done() and self._reader.exception():
                    raise self._reader.exception()  # type: ignore[misc]
                kept = {
                    key: item for key, item in self.items.items() if not key.startswith(("marker/", "node/"))
                }
                raise TimeoutError(
                    f"waited {seconds:.0f} s for {what}; the picture: {json.dumps(kept)[:3000]}"
                )
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), min(left, 1.0))
            except TimeoutError:
                continue
        return time.monotonic() - started

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [{**item, "key": key} for key, item in self.items.items() if item.get("t") == kind]

    def check(self, name: str) -> str:
        return str(self.items.get(f"check/{name}", {}).get("state", ""))

    @property
    def phase(self) -> str:
        return str(self.items.get("sandbox/self", {}).get("phase", ""))

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)


@asynccontextmanager
async def visitor(url: str) -> AsyncIterator[Visitor]:
    """Signed in with a link printed by `manage.py signin`."""
    base = re.match(r"https?://[^/]+", url)
    assert base
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        one = Visitor(session, base[0])
        async with session.get(url) as answer:
            assert answer.status < 400, await answer.text()
        try:
            yield one
        finally:
            await one.close()
