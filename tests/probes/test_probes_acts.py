"""P02, through the product: what a student asks of the observer and of the prober never reaches a neighbour."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import POD
from sandbox.faults.hands import SupervisorHands
from sandbox.faults.switching import ADMIN_PORT
from sandbox.loading import LoadSpec, load_spec
from sandbox.observing import ActRefused, Observer
from sandbox.record.exercise import Exercise, Fault, Load
from sandbox.starting import apply_start
from tests.cluster.conftest import Embedded
from tests.cluster.real import START, pod_ready
from tests.probes.conftest import Student
from tests.sandbox.observing.shop import Store

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

ON_ONE_POD = ("kill-pod", "kill-container", "fail-readiness", "slow-app")
LOAD = Load(id="rush", target="storefront:80/items", rate=10.0, lasting=2.0)
EXERCISE = Exercise(
    id="main",
    title="t",
    task="t",
    time=900.0,
    checks=(),
    faults=(Fault(id="hang", kind="slow-app", target="pod:app=storefront", parameters={"how": "hang"}),),
    loads=(LOAD,),
)


class Both:
    """Two sandboxes under one observer: A asks, B has the shop."""

    def __init__(self, observer: Observer, store: Store, mine: Student, theirs: Student) -> None:
        self.observer, self.store, self.mine, self.theirs = observer, store, mine, theirs

    async def their_pod(self) -> dict[str, Any]:
        path = POD.path(self.theirs.namespace, "storefront")
        return dict(await self.theirs.client.request("GET", path))

    def started(self, student: Student) -> list[dict[str, Any]]:
        """Faults that began there."""
        return [each for each in self.told(student, "fault") if each["phase"] == "started"]

    def told(self, student: Student, *kinds: str) -> list[dict[str, Any]]:
        kept = self.store.entries.get(student.plan.id, [])
        return [each.change for each in kept if each.kind in kinds]

    async def switches(self) -> str:
        """What is switched in B's shop, in its own words."""
        address = (await self.their_pod())["status"]["podIP"]
        return (await self.observer.asking.prober.ask(f"http://{address}:{ADMIN_PORT}/switch")).body


def whoami(student: Student) -> str:
    return f"http://storefront.{student.namespace}.svc.cluster.local.:80/whoami"


@pytest.fixture
async def both(
    embedded: Embedded,
    student: Student,
    other: Student,
    keeper: ClusterClient,
    runner: ClusterClient,
    observer_client: ClusterClient,
) -> AsyncIterator[Both]:
    await apply_start(keeper, student.plan, START)
    for each in (student, other):
        await pod_ready(keeper, each.namespace, "storefront")
    store, hands = Store(), SupervisorHands(embedded.home / "shared/hands.sock")
    observer = Observer(
        observer=observer_client,
        keeper=keeper,
        runner=runner,
        store=store,
        audit=None,
        images={},
        hands=hands,
    )  # type: ignore[arg-type]
    running = asyncio.create_task(observer.run())
    try:
        await observer.ready()
        for each in (student, other):
            await observer.open(each.plan.id, each.plan, EXERCISE, {})
            observer.append(each.plan.id, "phase", "", {"phase": "ready", "text": ""}, "test")
            observer.append(each.plan.id, "start", "1", {"attempt": 1, "params": {}}, "test")
        async with asyncio.timeout(30):
            while not observer.asking.prober.connected:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            for each in (student, other):
                while (await observer.asking.prober.ask(whoami(each))).status != 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)  # a new Service refuses for about a second
        yield Both(observer, store, student, other)
    finally:
        for each in (student, other):
            observer.close(each.plan.id)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_p02_no_fault_of_ones_own_hits_a_neighbour(both: Both) -> None:
    before, switched = await both.their_pod(), await both.switches()
    uid = before["metadata"]["uid"]
    for kind in ON_ONE_POD:
        with pytest.raises(ActRefused, match="gone already"):
            await both.observer.break_something(both.mine.plan.id, kind, pod=uid)
    with pytest.raises(ActRefused, match="gone already"):
        await both.observer.delete_pod(both.mine.plan.id, uid)
    with pytest.raises(ActRefused, match="no such Pod"):
        await both.observer.start_fault(both.mine.plan.id, "hang", pod=uid)
    after = await both.their_pod()
    assert (after["metadata"]["uid"], after["status"]["containerStatuses"][0]["restartCount"]) == (uid, 0)
    assert await both.switches() == switched
    assert both.started(both.mine) == both.started(both.theirs) == []
    mine = await both.observer.start_fault(both.mine.plan.id, "hang")
    assert mine == "storefront", "control: the same fault hits the own shop of the same name"
    assert await both.switches() == switched
    (hit,) = both.started(both.mine)
    assert hit["target"]["uid"] != uid
    assert both.started(both.theirs) == []


def aimed_elsewhere(mine: Student, theirs: Student) -> dict[str, LoadSpec]:
    """Loads that no lesson can ask for, told to the prober all the same."""
    honest, foreign = (load_spec(LOAD, each.namespace, "seed") for each in (mine, theirs))
    return {
        "their address within my domain": msgspec.structs.replace(honest, http=foreign.http),
        "one name deeper": msgspec.structs.replace(honest, http=f"http://x.y.{honest.within}:80/"),
        "the whole cluster": msgspec.structs.replace(foreign, within="svc.cluster.local."),
        "an address": msgspec.structs.replace(honest, http="http://10.0.0.1:80/"),
        "a user before the host": msgspec.structs.replace(
            honest, http=f"http://{honest.within}@10.0.0.1:80/"
        ),
    }


async def test_p02_no_load_leaves_the_namespace_it_is_for(both: Both) -> None:
    prober = both.observer.asking.prober
    for n, (what, spec) in enumerate(aimed_elsewhere(both.mine, both.theirs).items()):
        prober.start_load(both.mine.plan.id, msgspec.structs.replace(spec, id=f"out-{n}"))
        async with asyncio.timeout(5):
            while not (ended := _ended(both, f"out-{n}")):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert "no Service within" in ended[0]["why"], what
    assert all(not each.get("sent") for each in both.told(both.mine, "load"))
    await both.observer.start_load(both.mine.plan.id, "rush")
    async with asyncio.timeout(10):
        while not _ended(both, "rush"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert sum(each.get("sent", 0) for each in both.told(both.mine, "load")) == 20, "control"
    assert both.told(both.theirs, "load") == []


def _ended(both: Both, load: str) -> list[dict[str, Any]]:
    return [
        each for each in both.told(both.mine, "load") if (each["id"], each.get("phase")) == (load, "ended")
    ]


async def test_p02_names_denied_to_one_are_known_to_the_other(both: Both) -> None:
    ask = both.observer.asking.prober.ask
    mine, theirs = whoami(both.mine), whoami(both.theirs)
    await both.observer.break_something(both.mine.plan.id, "break-dns")
    try:
        async with asyncio.timeout(10):
            while (await ask(mine)).ok_transport:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert (await ask(theirs)).status == 200
    finally:
        with contextlib.suppress(Exception):
            await both.observer.injector._hands.mend_dns(both.mine.namespace)
