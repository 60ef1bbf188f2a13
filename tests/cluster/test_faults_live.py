"""Every kind of fault on the real cluster: it really happens, and it really is over."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import CONFIG_MAP, POD
from sandbox.faults.hands import HandsRefused, SupervisorHands
from sandbox.observing import ActRefused, Observer
from sandbox.plan import SandboxPlan, plan_for
from sandbox.preparing import ensure_guard_rails, ensure_namespace
from sandbox.record.exercise import Exercise, Fault
from sandbox.removing import ensure_removed
from sandbox.starting import apply_start
from tests.cluster.conftest import Embedded
from tests.cluster.real import START, pod_ready
from tests.sandbox.observing.shop import Store

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

POD_OF = "pod/storefront"
PRICES = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prices"}, "data": {"ROPE": "3"}}
FAULTS = (
    Fault(id="hang", kind="slow-app", target=POD_OF, lasting=4.0, parameters={"how": "hang"}),
    Fault(id="orphan", kind="slow-app", target=POD_OF, lasting=4.0, parameters={"how": "hang"}),
    Fault(id="delay", kind="slow-app", target=POD_OF, lasting=4.0, parameters={"how": "delay", "ms": 700}),
    Fault(id="unready", kind="fail-readiness", target=POD_OF, lasting=4.0),
    Fault(id="sigkill", kind="kill-container", target=POD_OF),
    Fault(id="oom", kind="kill-container", target=POD_OF, parameters={"how": "oom"}),
    Fault(id="names", kind="break-dns", target="", lasting=4.0, parameters={"name": "storefront"}),
    *(
        Fault(
            id=id_,
            kind="corrupt-config",
            target="",
            lasting=4.0,
            parameters={"object": "ConfigMap/prices", "path": "data.ROPE", "value": ["free", "300"]},
        )
        for id_ in ("value", "mended")
    ),
)
EXERCISE = Exercise(id="main", title="t", task="t", time=900.0, checks=(), faults=FAULTS)


class Bench:
    """One sandbox, one record, and observers one after another."""

    def __init__(self, embedded: Embedded, plan: SandboxPlan, clients: dict[str, ClusterClient]) -> None:
        self.embedded, self.plan, self.clients = embedded, plan, clients
        self.admin = clients.pop("admin")
        self.store = Store()
        self.hands = SupervisorHands(embedded.home / "shared/hands.sock")
        self.observer: Observer
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        self.observer = Observer(**self.clients, store=self.store, audit=None, images={}, hands=self.hands)  # type: ignore[arg-type]
        self._task = asyncio.create_task(self.observer.run())
        await self.observer.ready()
        await self.observer.open(self.plan.id, self.plan, EXERCISE, {})
        await self.until(lambda: self.observer.asking.prober.connected)

    async def die(self) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def phases(self, fault: str) -> list[str]:
        kept = self.store.entries.get(self.plan.id, [])
        found = [each.change["phase"] for each in kept if (each.kind, each.uid) == ("fault", fault)]
        return [phase for phase in found if phase != "armed"]

    async def until(self, holds: Callable[[], Any], seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def start(self, fault: str) -> None:
        await self.observer.start_fault(self.plan.id, fault)

    async def pod(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.clients["runner"].request(
            "GET", POD.path(self.plan.namespace, "storefront")
        )
        return found

    async def answers(self) -> None:
        """The container is ready and its Service reaches it again."""
        await pod_ready(self.clients["keeper"], self.plan.namespace, "storefront")
        async with asyncio.timeout(20):
            while (await self.ask()).status != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def ask(self, path: str = "/whoami", timeout: float = 1.0) -> Any:
        name = f"storefront.{self.plan.namespace}.svc.cluster.local."
        return await self.observer.asking.prober.ask(
            f"http://{name}:80{path}", method="GET", body="", timeout=timeout
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(embedded: Embedded) -> AsyncIterator[Bench]:
    """One sandbox for all of them, each with faults of its own: what is over has left nothing for the next."""
    scoped = embedded.product.scoped
    async with contextlib.AsyncExitStack() as open_clients:
        places = {"admin": embedded.kubeconfig} | {
            name: scoped(name) for name in ("observer", "keeper", "runner")
        }
        clients = {
            name: ClusterClient.from_kubeconfig(path, user_agent=f"glasshull-test-{name}")
            for name, path in places.items()
        }
        for client in clients.values():
            open_clients.push_async_callback(client.close)
        keeper = clients["keeper"]
        plan = plan_for(uuid.uuid4().hex, pods=3, memory=96 * 2**20, cpu=0.6)
        open_clients.push_async_callback(ensure_removed, keeper, plan)
        await ensure_namespace(keeper, plan)
        await ensure_guard_rails(keeper, plan)
        await apply_start(keeper, plan, [*START, PRICES])
        await pod_ready(keeper, plan.namespace, "storefront")
        made = Bench(embedded, plan, clients)
        await made.begin()
        made.observer.append(plan.id, "phase", "", {"phase": "ready", "text": ""}, "test")
        await made.until(lambda: made.observer.track(plan.id).begun)
        await asyncio.sleep(1.5)  # a new Service answers about a second later
        yield made
        await made.die()


def container(pod: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod["status"]["containerStatuses"][0]
    return found


async def test_it_hangs_and_is_well_again(bench: Bench) -> None:
    assert (await bench.ask()).status == 200
    await bench.start("hang")
    assert (await bench.ask()).error == "timeout"
    await bench.until(lambda: bench.phases("hang") == ["started", "reverted"])
    assert (await bench.ask()).status == 200


async def test_it_is_slow_by_as_much_as_was_said(bench: Bench) -> None:
    await bench.start("delay")
    answer = await bench.ask("/items", timeout=3.0)
    assert answer.status == 200
    assert 650 < answer.ms < 2000
    await bench.until(lambda: bench.phases("delay") == ["started", "reverted"])
    assert (await bench.ask("/items")).ms < 600


async def test_an_observer_that_dies_leaves_nothing_broken(bench: Bench) -> None:
    await bench.start("orphan")
    await bench.die()
    await bench.begin()
    await bench.until(lambda: bench.phases("orphan") == ["started", "reverted"])
    assert (await bench.ask()).status == 200


async def test_readyz_says_no(bench: Bench) -> None:
    await bench.start("unready")
    address = (await bench.pod())["status"]["podIP"]
    ask = bench.observer.asking.prober.ask
    assert (await ask(f"http://{address}:8080/readyz", method="GET", body="", timeout=1.0)).status == 503
    await bench.until(lambda: bench.phases("unready") == ["started", "reverted"])
    assert (await ask(f"http://{address}:8080/readyz", method="GET", body="", timeout=1.0)).status == 200


async def test_sigkill_ends_the_process_and_the_kubelet_starts_another(bench: Bench) -> None:
    before = container(await bench.pod())
    await bench.start("sigkill")
    await bench.until(lambda: bench.phases("sigkill") == ["started", "ended"])
    await bench.answers()
    after = container(await bench.pod())
    assert after["containerID"] != before["containerID"]
    assert after["lastState"]["terminated"]["exitCode"] == 137
    assert after["lastState"]["terminated"]["containerID"] == before["containerID"]


async def test_the_kernel_kills_what_grows(bench: Bench) -> None:
    await bench.start("oom")
    await bench.until(lambda: bench.phases("oom") == ["started", "ended"], 40.0)
    await bench.answers()
    assert container(await bench.pod())["lastState"]["terminated"]["reason"] == "OOMKilled"


async def test_one_name_stops_resolving_and_resolves_again(bench: Bench) -> None:
    prober = bench.observer.asking.prober
    await bench.start("names")
    began = time.monotonic()
    heard = ""
    while heard != "no such host" and time.monotonic() - began < 3:
        heard = (await bench.ask()).error
    assert heard == "no such host"
    elsewhere = await prober.ask(
        "http://kubernetes.default.svc.cluster.local.:443/", method="GET", body="", timeout=1.0
    )
    assert elsewhere.error != "no such host"  # only that name of that namespace
    await bench.until(lambda: bench.phases("names") == ["started", "reverted"])
    await asyncio.sleep(1.0)
    assert (await bench.ask()).status == 200


async def test_a_value_is_wrong_for_a_while(bench: Bench) -> None:
    path = CONFIG_MAP.path(bench.plan.namespace, "prices")
    keeper = bench.clients["keeper"]
    await bench.start("value")
    assert (await keeper.request("GET", path))["data"]["ROPE"] in ("free", "300")
    await bench.until(lambda: bench.phases("value") == ["started", "reverted"])
    assert (await keeper.request("GET", path))["data"]["ROPE"] == "3"


async def test_a_mended_value_stays_mended(bench: Bench) -> None:
    path = CONFIG_MAP.path(bench.plan.namespace, "prices")
    keeper = bench.clients["keeper"]
    await bench.start("mended")
    mended = [{"op": "replace", "path": "/data/ROPE", "value": "4"}]
    await keeper.request("PATCH", path, body=mended, content_type="application/json-patch+json")
    await bench.until(lambda: bench.phases("mended") == ["started", "reverted"])
    assert (await keeper.request("GET", path))["data"]["ROPE"] == "4"


async def test_the_menu_breaks_one_thing_of_a_kind_at_a_time(bench: Bench) -> None:
    uid = (await bench.pod())["metadata"]["uid"]
    await bench.observer.break_something(bench.plan.id, "slow-app", how="spin", pod=uid)
    with pytest.raises(ActRefused, match="broken already"):
        await bench.observer.break_something(bench.plan.id, "slow-app", how="spin", pod=uid)


# --- attacks on the hands ----------------------------------------------------------------------------
async def test_the_hands_touch_no_other_namespace(bench: Bench) -> None:
    """The prober runs in our own namespace: a real Pod with a real container, and yet no sandbox's."""
    listed = await bench.admin.request("GET", POD.collection("glasshull-system"))
    ours = listed["items"][0]
    about = (ours["metadata"]["name"], ours["metadata"]["uid"], container(ours)["containerID"])
    with pytest.raises(HandsRefused):
        await bench.hands.kill_container("glasshull-system", *about)
    with pytest.raises(HandsRefused):
        await bench.hands.kill_container(bench.plan.namespace, *about)
    mine = await bench.pod()
    with pytest.raises(HandsRefused):
        await bench.hands.kill_container(
            bench.plan.namespace, "storefront", mine["metadata"]["uid"], container(ours)["containerID"]
        )
    for namespace in ("kube-system", "default", "glasshull-system", "glasshull-toolboxes"):
        with pytest.raises(HandsRefused):
            await bench.hands.break_dns(namespace, [], 5)
    again = await bench.admin.request("GET", POD.path("glasshull-system", ours["metadata"]["name"]))
    assert container(again)["restartCount"] == container(ours)["restartCount"]
