"""Killed at a random moment while sandboxes open: they open all the same, once."""

from __future__ import annotations

import asyncio
import os
import random
import time
from contextlib import AsyncExitStack

import aiohttp
import pytest

from bench.product import Product
from bench.visitor import LESSON
from tests.faults.conftest import Parts, Tab, Written, student

pytestmark = pytest.mark.faults

SEED = int(os.environ.get("GLASSHULL_TEST_SEED", random.randrange(10**6)))
STUDENTS = 2


async def test_web_and_api_server_killed_while_sandboxes_open(
    product: Product, parts: Parts, written: Written
) -> None:
    chance = random.Random(SEED)
    delays = {"web": chance.uniform(0.0, 9.0), "kube-apiserver": chance.uniform(0.0, 9.0)}
    print(f"seed {SEED}: {', '.join(f'{name} after {delay:.2f} s' for name, delay in delays.items())}")
    async with AsyncExitStack() as stack:
        tabs = [
            await stack.enter_async_context(student(product, f"Bad luck: opening {n}"))
            for n in range(STUDENTS)
        ]
        for tab in tabs:
            await tab.page_data()
        began = time.monotonic()
        await asyncio.gather(
            *(press_start(tab) for tab in tabs), *(kill_later(parts, *each) for each in delays.items())
        )
        for tab in tabs:
            await tab.until(lambda _, tab=tab: tab.phase == "open", 75, "the lesson's own ready")
        print(f"open after {time.monotonic() - began:.1f} s")
        for tab in tabs:
            assert [pod["name"] for pod in tab.of("pod")] == ["storefront"]
            assert tab.wrong() == {}
            assert tab.gaps + tab.backwards == []
            assert [row.change["attempt"] for row in written.record(tab.sandbox, "start")] == [1]
            written.must_be_whole(tab.sandbox)
            sandboxes = written.ask(
                "db.sqlite3",
                "SELECT count(*) FROM workspaces_sandbox WHERE person_id ="
                " (SELECT person_id FROM workspaces_sandbox WHERE id = ?)",
                tab.sandbox.replace("-", ""),
            )
            assert sandboxes == [(1,)]


async def kill_later(parts: Parts, name: str, delay: float) -> None:
    await asyncio.sleep(delay)
    parts.kill(name)


async def press_start(tab: Tab) -> None:
    """As often as it takes: the page may be away at that very moment."""
    for _ in range(60):
        try:
            await tab.post("/api/sandboxes/", {"course": LESSON[0], "lesson": LESSON[1]})
            await tab.start()
            return
        except aiohttp.ClientError:
            await asyncio.sleep(0.25)
    raise TimeoutError("the page did not come back")
