"""Questions and predictions as students meet them in lesson 12, through the product's own pages and sockets."""

from __future__ import annotations

from typing import Any

import pytest

from bench.product import Product
from bench.visitor import Refused, Visitor, visitor

pytestmark = pytest.mark.cluster

PAST = ["borg", "omega", "kubernetes"]
HOPS = ["request", "object", "controller", "scheduler", "kubelet", "container"]


async def opened(one: Visitor) -> dict[str, Any]:
    one.lesson = "12-first-app"
    data = await one.page_data()
    await one.start()
    await one.until(lambda _: "attempt/now" in one.items, 90, "the attempt to begin")
    return data


async def apply_storefront(one: Visitor, data: dict[str, Any]) -> None:
    await one.act("apply", file="storefront.yaml", text=data["exercise"]["files"]["storefront.yaml"])


async def test_a_question_is_marked_at_once_and_hops_are_marked_by_the_record(product: Product) -> None:
    async with visitor(product.signin("student", name="Grace")) as grace:
        data = await opened(grace)
        (hops,), (history,) = data["exercise"]["predictions"], data["exercise"]["questions"]
        assert sorted(key for key, _ in hops["choices"]) == sorted(HOPS)
        assert [key for key, _ in hops["choices"]] != HOPS
        assert [key for key, _ in history["choices"]] != PAST
        assert (await grace.page_data())["exercise"]["predictions"] == [hops]  # the same after a reload

        with pytest.raises(Refused, match="Put all 3 in order"):
            await grace.act("answer", id="history", value=PAST[:2])
        with pytest.raises(Refused, match="asks nothing called hops"):
            await grace.act("answer", id="hops", value=HOPS)
        await grace.act("answer", id="history", value=[PAST[1], PAST[0], PAST[2]])
        await grace.until(lambda items: "answer/history" in items, 10, "the answer")
        said = grace.items["answer/history"]
        assert (said["right"], said["observed"]) == (False, [PAST])
        assert said["why"]
        with pytest.raises(Refused, match="too-late"):
            await grace.act("answer", id="history", value=PAST)
        await grace.until(lambda _: grace.check("past") == "fail", 10, "the check on it")

        await grace.act("predict", id="hops", value=HOPS)
        assert grace.items.get("prediction/hops", {}).get("observed") is None
        await apply_storefront(grace, data)
        await grace.until(lambda _: grace.check("p1") == "pass", 60, "the hops to be looked at")
        assert grace.items["prediction/hops"]["observed"] == [HOPS]


async def test_who_acts_before_predicting_is_told_so(product: Product) -> None:
    async with visitor(product.signin("student", name="Linus")) as linus:
        data = await opened(linus)
        await apply_storefront(linus, data)
        await linus.until(lambda _: bool(linus.of("pod")), 60, "the first Pod")
        with pytest.raises(Refused, match=r"Too late for this one.*Reset to predict"):
            await linus.act("predict", id="hops", value=HOPS)
        await linus.act("reset")
        await linus.until(
            lambda _: not linus.of("pod") and linus.phase == "open", 120, "the start to be back"
        )
        await linus.act("predict", id="hops", value=HOPS)
        await linus.until(lambda items: "prediction/hops" in items, 10, "the prediction")
