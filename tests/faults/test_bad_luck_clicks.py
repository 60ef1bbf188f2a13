"""A student who clicks twice, opens two tabs, deletes everything or has something deleted: one effect, a way back."""

from __future__ import annotations

import asyncio
import time

import pytest

from bench.product import Product
from tests.faults.conftest import Behind, Tab, Written, another_tab, at_once, open_shop, student

pytestmark = pytest.mark.faults


def things(tab: Tab) -> set[str]:
    """What a student would call "what I have"."""
    return {key for key, item in tab.items.items() if item["t"] in ("pod", "workload", "service")}


async def test_two_tabs_many_clicks_and_everything_deleted(
    product: Product, written: Written, behind: Behind
) -> None:
    async with student(product, "Bad luck: clicks") as ada:
        # Start, three times at the same moment: one sandbox.
        await ada.page_data()
        body = {"course": "how-clusters-work", "lesson": "14-self-healing"}
        answers = await asyncio.gather(*(ada.post("/api/sandboxes/", body) for _ in range(3)))
        assert len({answer["sandbox"]["id"] for answer in answers}) == 1
        await open_shop(ada)
        async with another_tab(ada) as second:
            await second.until(lambda _: second.phase == "open", 10, "the second tab's picture")
            assert (second.sandbox, second.items) == (ada.sandbox, ada.items)
            await deleted_behind_our_back(ada, behind)
            await everything_deleted(ada, second, behind)
            await clicked_twice(ada, second, written)
            assert second.gaps + ada.gaps + second.backwards + ada.backwards == []
        written.must_be_whole(ada.sandbox)


async def deleted_behind_our_back(ada: Tab, behind: Behind) -> None:
    """An administrator deletes the Pod: it goes from the picture, and it is nobody's fault."""
    pod = ada.of("pod")[0]
    namespace = await behind.namespace(ada)
    await behind.kubectl("delete", "pod", pod["name"], "-n", namespace, "--now", "--wait=false")
    await ada.until(lambda items: pod["key"] not in items, 20, "the deleted Pod to go")
    assert ada.items["fault/kill"]["phase"] == "armed"
    assert ada.wrong() == {}


async def everything_deleted(ada: Tab, second: Tab, behind: Behind) -> None:
    """`kubectl delete all --all`, the Service too: reset brings the start back, within moments."""
    said = await behind.in_toolbox(
        ada, "kubectl", "delete", "all,configmaps,secrets", "--all", "--wait=false"
    )
    assert "service" in said, said
    await ada.until(lambda _: not things(ada), 20, "nothing to be left")
    assert await behind.pods(ada) == {}
    began = time.monotonic()
    await ada.act("reset")
    assert time.monotonic() - began < 5
    await ada.until(lambda _: ada.phase == "open", 60, "the start state")
    assert {item["name"] for item in (ada.items[key] for key in things(ada))} == {"storefront"}
    assert len(things(ada)) == 2
    await second.until(lambda _: things(second) == things(ada), 5, "the second tab to show the same")
    assert ada.items["attempt/now"]["n"] == 1


async def clicked_twice(ada: Tab, second: Tab, written: Written) -> None:
    """Reset and Start again, from both tabs at the same moment: one of each, and no number is skipped."""
    resets = len(written.record(ada.sandbox, "reset"))
    assert await at_once(ada.act("reset"), ada.act("reset"), second.act("reset")) == ["busy", "busy", "ok"]
    assert len(written.record(ada.sandbox, "reset")) == resets + 1
    assert await at_once(ada.act("restart"), second.act("restart")) == ["busy", "ok"]
    assert await at_once(second.act("restart")) == ["ok"]  # before it began: still the second attempt
    await ada.until(lambda _: ada.phase == "open", 60, "the second attempt")
    assert [row.change["attempt"] for row in written.record(ada.sandbox, "start")] == [1, 1, 2]
    assert ada.items["attempt/now"]["n"] == 2
