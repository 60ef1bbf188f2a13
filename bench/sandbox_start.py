"""P1: a cold sandbox, from the click to "ready" on the page, against a raw script that makes the same objects.
P4, P4r: a reset in place, against deleting the namespace and making it again."""

from __future__ import annotations

import asyncio
import copy
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from lessons.loading import load_lesson
from lessons.manifests_loading import substitute
from lessons.variants import edges_for
from sandbox import manifests
from sandbox.cluster.client import ClusterClient, NotFound
from sandbox.cluster.ensuring import ensure_all_applied, ensure_applied
from sandbox.cluster.kinds import NAMESPACE, POD
from sandbox.cluster.waiting import wait_for, wait_until_gone
from sandbox.plan import TOOLBOX_NAMESPACE, SandboxPlan, plan_for_exercise
from sandbox.preparing import ensure_guard_rails, ensure_namespace
from sandbox.removing import ensure_removed
from sandbox.resetting import reset
from sandbox.starting import apply_start

from .product import ROOT, Product
from .statistics_of import ratio
from .visitor import LESSON, Refused, Visitor


def is_ready(pod: dict[str, Any] | None) -> bool:
    conditions = ((pod or {}).get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


async def raw_sandbox(admin: ClusterClient, plan: SandboxPlan) -> float:
    """Seconds: the same namespace, guard rails and Pod, no platform around them."""
    started = time.monotonic()
    await ensure_applied(admin, manifests.namespace(plan))
    await asyncio.gather(
        ensure_all_applied(admin, manifests.guard_rails(plan)), ensure_applied(admin, manifests.toolbox(plan))
    )
    await wait_for(admin, POD, TOOLBOX_NAMESPACE, plan.toolbox, is_ready, timeout=60)
    return time.monotonic() - started


async def cold_start(product: Product, guest: Visitor, pairs: int = 30) -> dict[str, Any]:
    """P1. Alternating; the guest's sandbox is ended between two starts."""
    admin = ClusterClient.from_kubeconfig(product.kubeconfig, user_agent="glasshull-bench")
    exercise = load_lesson(ROOT / "lessons" / LESSON[0] / LESSON[1]).exercise
    assert exercise is not None
    ours, theirs = [], []
    for _ in range(pairs):
        await guest.page_data()
        started = await allowed(guest.press_start)
        await guest.until(lambda _: guest.phase in ("ready", "open"), 60, "a ready sandbox")
        ours.append(time.monotonic() - started)
        await allowed(lambda: guest.act("end"))
        await guest.until(lambda _: guest.phase == "removed", 120, "the sandbox's end")
        await guest.close()
        guest.items, guest.epoch, guest.seq = {}, 0, 0
        plan = plan_for_exercise(secrets.token_hex(16), exercise)
        theirs.append(await raw_sandbox(admin, plan))
        await ensure_removed(admin, plan)
    await admin.close()
    return {**ratio(ours, theirs), "unit": "s"}


async def allowed(act: Callable[[], Awaitable[Any]]) -> float:
    """Do it; when the try was made that counted. One person may not act as often as this bench does."""
    while True:
        started = time.monotonic()
        try:
            await act()
        except Refused as refused:
            if refused.status != 429:
                raise
            await asyncio.sleep(refused.body["error"]["retry_after"])
        else:
            return started


def quick(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The start state with the app's own START_DELAY unset, so that the platform's part is what is measured."""
    found = copy.deepcopy(objects)
    for one in found:
        for container in one.get("spec", {}).get("containers", []):
            container.pop("env", None)
    return found


async def resets(product: Product, rounds: int = 6) -> dict[str, dict[str, Any]]:
    """P4 (until the cluster accepted the start again) and P4r (until its Pod is Ready again)."""
    admin = ClusterClient.from_kubeconfig(product.kubeconfig, user_agent="glasshull-bench")
    keeper = ClusterClient.from_kubeconfig(product.scoped("keeper"), user_agent="glasshull-bench")
    exercise = load_lesson(ROOT / "lessons" / LESSON[0] / LESSON[1]).exercise
    assert exercise is not None
    start = quick([dict(one) for one in substitute(exercise.objects, dict(edges_for(exercise)[0]))])
    name = next(one["metadata"]["name"] for one in start if one["kind"] == "Pod")
    accepted, ready, again_accepted, again_ready = [], [], [], []
    for _ in range(rounds):
        plan = plan_for_exercise(secrets.token_hex(16), exercise)
        await make(keeper, plan, start, name)
        began = time.monotonic()
        await reset(keeper, plan)
        await apply_start(keeper, plan, start)
        accepted.append(time.monotonic() - began)
        await wait_for(keeper, POD, plan.namespace, name, is_ready, timeout=90)
        ready.append(time.monotonic() - began)
        began = time.monotonic()
        await delete_namespace(admin, plan)
        await ensure_namespace(keeper, plan)
        await ensure_guard_rails(keeper, plan)
        await apply_start(keeper, plan, start)
        again_accepted.append(time.monotonic() - began)
        await wait_for(keeper, POD, plan.namespace, name, is_ready, timeout=90)
        again_ready.append(time.monotonic() - began)
        await ensure_removed(keeper, plan)
    await admin.close()
    await keeper.close()
    return {
        "P4": {**ratio(accepted, again_accepted), "unit": "s"},
        "P4r": {**ratio(ready, again_ready), "unit": "s"},
    }


async def make(keeper: ClusterClient, plan: SandboxPlan, start: list[dict[str, Any]], name: str) -> None:
    await ensure_namespace(keeper, plan)
    await ensure_guard_rails(keeper, plan)
    await apply_start(keeper, plan, start)
    await wait_for(keeper, POD, plan.namespace, name, is_ready, timeout=90)


async def delete_namespace(admin: ClusterClient, plan: SandboxPlan) -> None:
    path = NAMESPACE.path(None, plan.namespace)
    try:
        found = await admin.request("GET", path)
        await admin.request("DELETE", path)
    except NotFound:
        return
    await wait_until_gone(admin, NAMESPACE, None, plan.namespace, found["metadata"]["uid"], timeout=120)
