"""Traffic on the real cluster: customers are counted, Pods are measured, strangers do not count, nobody is missed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import POD
from sandbox.exec_stream import run
from sandbox.observing import Observer
from sandbox.plan import SandboxPlan
from sandbox.preparing import ensure_guard_rails, ensure_namespace, ensure_sandbox
from sandbox.prober_pod import find_prober
from sandbox.probing import STRANGER
from sandbox.record.exercise import Exercise, Load, Probe
from sandbox.starting import apply_start
from tests.cluster.real import START, pod_ready
from tests.sandbox.observing.shop import Store

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

EXERCISE = Exercise(
    id="main",
    title="t",
    task="t",
    time=900.0,
    checks=(),
    probes=(
        Probe(id="front", kind="http", target="storefront:80/whoami", every=0.25),
        Probe(id="open", kind="tcp", target="storefront:80", ok="object.ok"),
        Probe(id="name", kind="dns", target="storefront", ok="object.json.answers.size() == 1"),
    ),
    loads=(
        Load(id="browse", target="storefront:80", rate=10.0, lasting=4.0, script="browse"),
        Load(id="long", target="storefront:80/items", rate=5.0, lasting=60.0),
    ),
)


class Bench:
    """One sandbox with a storefront, observed."""

    def __init__(self, plan: SandboxPlan, clients: dict[str, ClusterClient]) -> None:
        self.plan, self.clients, self.store = plan, clients, Store()
        self.observer: Observer

    @property
    def sandbox(self) -> str:
        return self.plan.id

    def changes(self, kind: str, uid: str | None = None) -> list[dict[str, Any]]:
        kept = self.store.entries.get(self.sandbox, [])
        return [each.change for each in kept if each.kind == kind and uid in (None, each.uid)]

    def item(self, key: str) -> dict[str, Any]:
        return self.observer.track(self.sandbox).picture.items.get(key, {})

    async def until(self, holds: Callable[[], Any], seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def observed(
    plan: SandboxPlan, exercise: Exercise, clients: dict[str, ClusterClient]
) -> AsyncIterator[Bench]:
    made = Bench(plan, clients)
    observer = made.observer = Observer(**clients, store=made.store, audit=None, images={})  # type: ignore[arg-type]
    running = asyncio.create_task(observer.run())
    try:
        await observer.ready()
        await observer.open(plan.id, plan, exercise, {})
        await made.until(lambda: observer.asking.prober.connected)
        observer.append(plan.id, "phase", "", {"phase": "ready", "text": ""}, "test")
        yield made
    finally:
        observer.close(plan.id)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def shop_plan(keeper: ClusterClient, sandbox_plan: Callable[..., SandboxPlan]) -> SandboxPlan:
    plan = sandbox_plan(pods=3, memory=96 * 2**20)
    await ensure_namespace(keeper, plan)
    await ensure_guard_rails(keeper, plan)
    await apply_start(keeper, plan, START)
    await pod_ready(keeper, plan.namespace, "storefront")
    return plan


@pytest.fixture
async def bench(
    shop_plan: SandboxPlan, keeper: ClusterClient, runner: ClusterClient, observer_client: ClusterClient
) -> AsyncIterator[Bench]:
    clients = {"observer": observer_client, "keeper": keeper, "runner": runner}
    async with observed(shop_plan, EXERCISE, clients) as made:
        await made.until(lambda: made.item("probe/front").get("ok"))
        yield made


async def test_customers_are_counted_and_answered_by_this_pod(bench: Bench) -> None:
    await bench.observer.start_load(bench.sandbox, "browse")
    await bench.until(lambda: bench.item("load/browse").get("phase") == "ended")
    item = bench.item("load/browse")
    assert (item["sent"], item["failed"], item["distinct"]) == (40, 0, 1)
    (uid,) = bench.observer.track(bench.sandbox).seen_pods
    seconds = [each for each in bench.changes("load", "browse") if "sent" in each]
    assert all(set(each["pods"]) <= {uid} for each in seconds)
    assert sum(each["pods"].get(uid, 0) for each in seconds) == 40
    assert all(0 < each["p95"] < 1000 for each in seconds if each["sent"])
    assert bench.item("probe/front")["pod"] == f"pod/{uid}"
    assert bench.item("probe/open")["ok"]
    assert bench.item("probe/name")["ok"]


async def test_the_pods_own_word_on_its_memory_stands_on_it(bench: Bench) -> None:
    (uid,) = bench.observer.track(bench.sandbox).seen_pods
    await bench.until(lambda: bench.item(f"pod/{uid}").get("mem"))
    assert 4 * 2**20 < bench.item(f"pod/{uid}")["mem"] < 64 * 2**20


def refusals(bench: Bench) -> list[dict[str, Any]]:
    return [each for each in bench.changes("probe", "front") if each.get("ok") is False]


async def test_a_hanging_shop_is_timeouts_of_its_own(bench: Bench) -> None:
    pod = await bench.clients["runner"].request("GET", POD.path(bench.plan.namespace, "storefront"))
    admin = f"http://{pod['status']['podIP']}:9090/switch"
    prober = bench.observer.asking.prober
    before = len(refusals(bench))  # a new Service refuses for about a second
    switched = await prober.ask(admin, method="POST", body="hang")
    assert switched.status == 200
    await bench.observer.start_load(bench.sandbox, "long")
    await bench.until(lambda: bench.item("load/long").get("failed", 0) >= 5)
    failures = [each for each in bench.changes("load", "long") if each.get("ok") is False]
    assert {each["error"] for each in failures} == {"timeout"}
    assert all(each["ms"] >= 2000 for each in failures)
    assert {each["error"] for each in refusals(bench)[before:]} == {"timeout"}
    await bench.observer.stop_load(bench.sandbox, "long")
    await bench.until(lambda: bench.item("load/long")["phase"] == "ended", 5)
    await prober.ask(admin, method="POST", body="hang=off")
    await bench.until(lambda: bench.item("probe/front")["ok"])


async def test_an_answer_from_another_sandbox_does_not_count(
    bench: Bench, keeper: ClusterClient, sandbox_plan: Callable[..., SandboxPlan]
) -> None:
    """The same question, asked in the bench's namespace, for a sandbox that has no such Pod."""
    spec = bench.observer.asking.prober._running[f"{bench.sandbox}/front"]
    other = sandbox_plan(pods=2, memory=64 * 2**20)
    await ensure_namespace(keeper, other)
    await bench.observer.open(other.id, other, EXERCISE, {})
    bench.observer.append(other.id, "phase", "", {"phase": "ready", "text": ""}, "test")
    bench.observer.asking.prober.start(other.id, spec)

    def strangers() -> list[Any]:
        kept = bench.store.entries.get(other.id, [])
        return [each for each in kept if each.uid == "front" and each.change.get("error") == STRANGER]

    await bench.until(lambda: len(strangers()) >= 2)
    bench.observer.close(other.id)


FROM_TOOLBOX = (
    Probe(id="seen", kind="http", target="storefront:80/whoami", origin="toolbox"),
    Probe(
        id="named", kind="dns", target="storefront", origin="toolbox", ok="object.json.answers.size() == 1"
    ),
    Probe(
        id="counted",
        kind="exec",
        target="",
        argv=("sh", "-c", "kubectl get pods -o name | wc -l"),
        origin="toolbox",
        timeout=5.0,
        ok='object.status == 0 && object.body.startsWith("1")',
    ),
    Probe(id="hangs", kind="exec", target="", argv=("sleep", "60"), origin="toolbox", timeout=1.0),
)


async def test_the_toolbox_sees_what_a_student_would_see(
    keeper: ClusterClient, runner: ClusterClient, observer_client: ClusterClient, sandbox_plan: Any
) -> None:
    plan = sandbox_plan(pods=3, memory=96 * 2**20)
    await ensure_sandbox(keeper, plan, lambda _name, _ms: None)
    await apply_start(keeper, plan, START)
    await pod_ready(keeper, plan.namespace, "storefront")
    clients = {"observer": observer_client, "keeper": keeper, "runner": runner}
    exercise = Exercise(id="main", title="t", task="t", time=900.0, checks=(), probes=FROM_TOOLBOX)
    async with observed(plan, exercise, clients) as made:
        for name in ("seen", "named", "counted"):
            await made.until(lambda name=name: made.item(f"probe/{name}").get("ok"), 30)
        await made.until(lambda: made.item("probe/hangs").get("error") == "timeout")
        pod = ("glasshull-toolboxes", plan.toolbox, "toolbox")
        left = (await run(runner, *pod, ["ps", "-o", "args"], timeout=10)).stdout.decode()
        assert left.count("sleep 60") <= 6  # ended by `timeout`, one after another


async def test_a_prober_that_dies_is_made_again_and_what_was_not_sent_costs_nobody(
    bench: Bench, admin: ClusterClient
) -> None:
    await bench.observer.start_load(bench.sandbox, "long")
    await bench.until(lambda: bench.item("load/long").get("sent", 0) >= 5)
    namespace, name = await find_prober(admin)
    await admin.request("DELETE", POD.path(namespace, name), body={"gracePeriodSeconds": 0})
    await bench.until(lambda: bench.item("load/long")["phase"] == "ended", 15)
    await bench.until(lambda: bench.observer.asking.prober.connected, 60)
    assert (await find_prober(admin))[1] != name
    assert any(each["kinds"] == ["load"] for each in bench.changes("trouble"))
    told = len(bench.changes("probe", "front"))
    await bench.until(lambda: len(bench.changes("probe", "front")) > told)
    await bench.observer.start_load(bench.sandbox, "browse")
    await bench.until(lambda: bench.item("load/browse").get("phase") == "ended")
