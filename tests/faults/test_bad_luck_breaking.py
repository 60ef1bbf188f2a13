"""Things broken from the picture's menu of the running product, also with the pages' server killed in the middle."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from bench.product import Product
from bench.visitor import Refused
from tests.faults.conftest import Parts, Tab, open_shop, student

pytestmark = pytest.mark.faults


def pod_of(tab: Tab) -> tuple[str, dict[str, Any]]:
    found = tab.of("pod")[0]
    return found["key"][4:], found


def front(items: dict[str, Any], field: str) -> Any:
    """Of the last answer to the lesson's probe; nothing is known of it right after the start."""
    return items.get("probe/front", {}).get(field)


async def over(tab: Tab, fault: str, seconds: float) -> None:
    def is_over(items: dict[str, Any]) -> bool:
        return items.get(f"fault/{fault}", {}).get("phase") in ("ended", "reverted")

    await tab.until(is_over, seconds, f"{fault} to be over")


async def test_from_the_menu_to_the_process_on_its_node(product: Product) -> None:
    async with student(product, "Bad luck: menu") as ada:
        data = await open_shop(ada)
        assert {each["group"] for each in data["exercise"]["menu"]} >= {"pod", "traffic", "node"}
        uid, before = pod_of(ada)
        await ada.act("break", kind="kill-container", how="sigkill", pod=uid)
        await ada.until(
            lambda _: pod_of(ada)[1]["restarts"] > before["restarts"], 30, "the kubelet's restart"
        )
        await over(ada, "free-1", 5)
        assert ada.items["fault/free-1"]["target"] == f"pod/{uid}"
        await ada.act("break", kind="break-dns")
        await ada.until(lambda items: front(items, "error") == "no such host", 10, "the names to go")
        for kind in ("cut-traffic", "drain-node", "kill-component", "corrupt-config"):
            with pytest.raises(Refused) as refused:
                await ada.act("break", kind=kind, pod=uid)
            assert refused.value.body["error"]["code"] == "refused"
        await over(ada, "free-2", 40)
        await ada.until(lambda items: front(items, "ok") is True, 10, "the names to come back")


async def test_web_killed_in_the_middle_of_a_fault(product: Product, parts: Parts) -> None:
    async with student(product, "Bad luck: breaking") as ada:
        await open_shop(ada)
        uid, _ = pod_of(ada)
        await ada.act("break", kind="slow-app", how="hang", pod=uid)
        began, epoch = time.time(), ada.epoch
        await ada.until(lambda items: front(items, "ok") is False, 10, "the shop to hang")
        old = parts.pids("web")
        parts.kill("web")
        await parts.back("web", since=old)
        await ada.until(lambda _: ada.epoch > epoch, 30, "the new process's picture")
        assert ada.items["fault/free-1"]["phase"] == "started"
        await over(ada, "free-1", 40)
        assert time.time() - began < 45
        await ada.until(lambda items: front(items, "ok") is True, 10, "the shop to answer again")
        await asyncio.sleep(2)
        assert ada.items["fault/free-1"]["phase"] == "reverted"
