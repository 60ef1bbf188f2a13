"""Parts of the running product are killed while students work: late, never wrong, never twice."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from bench.product import Product
from bench.visitor import Refused
from tests.faults.conftest import Behind, Parts, Tab, Written, at_once, open_shop, run_the_shop, student

pytestmark = pytest.mark.faults


# --- the worker -------------------------------------------------------------------------------------
class KilledMidMark:
    """In the background: hands in, and kills the worker while it holds the lease on that attempt."""

    def __init__(self, product: Product) -> None:
        self.product, self.written, self.parts = product, Written(product), Parts(product)
        self.sandbox = ""
        self.at = 0.0
        self.trouble: BaseException | None = None
        self.handed_in, self.go_home = threading.Event(), threading.Event()
        self.seen: list[dict[str, Any]] = []
        self.thread = threading.Thread(target=self._run, name="mid-mark")
        self.thread.start()

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:  # told to the test that waits for it
            self.trouble = error
        finally:
            self.handed_in.set()

    async def _live(self) -> None:
        async with student(self.product, "Bad luck: worker") as one:
            await open_shop(one)
            self.sandbox = one.sandbox
            await one.insist("submit")
            await asyncio.to_thread(self._kill_in_the_lease)
            self.handed_in.set()
            await one.until(lambda items: items["attempt/now"]["state"] == "marked", 150, "the mark")
            self.seen = list(one.of("attempt"))

    def _kill_in_the_lease(self) -> None:
        """Runs the worker in slices once the attempt waits, and looks while it stands still: no race to lose."""
        (pid,) = self.parts.pids("worker")
        handle = os.pidfd_open(pid)  # whatever happens to the number, only this very process is meant
        until = time.monotonic() + 150
        try:
            while time.monotonic() < until:
                if not self.written.outbox(self.sandbox):
                    time.sleep(0.005)
                    continue
                signal.pidfd_send_signal(handle, signal.SIGSTOP)
                ((generation, leased_until, done),) = self.written.outbox(self.sandbox)
                assert not done, "the worker was faster than the kill"
                if generation == 1 and leased_until:
                    self._end_it(handle)
                    return
                signal.pidfd_send_signal(handle, signal.SIGCONT)
                time.sleep(0.003)
        finally:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGCONT)
            os.close(handle)
        raise TimeoutError("nobody began to mark")

    def _end_it(self, handle: int) -> None:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        self.at = time.time()


@pytest.fixture(scope="module")
def mid_mark(product: Product) -> Iterator[KilledMidMark]:
    made = KilledMidMark(product)
    yield made
    made.thread.join(150)


# --- the web process --------------------------------------------------------------------------------
async def test_web_killed_between_prediction_and_fault(
    product: Product, parts: Parts, written: Written, behind: Behind, mid_mark: KilledMidMark
) -> None:
    async with student(product, "Bad luck: web") as ada:
        data = await open_shop(ada)
        await run_the_shop(ada, data)
        await ada.act("predict", id="who-returns", value="new")
        before = await ada.page_data()
        connections, epoch, seen = ada.connections, ada.epoch, ada.seq
        verdicts = {check["key"]: check["state"] for check in ada.of("check")}
        marker_seqs = [marker["seq"] for marker in ada.of("marker")]

        old = parts.pids("web")
        killed = parts.kill("web")
        await parts.back("web", since=old)
        await ada.until(lambda _: ada.epoch > epoch and ada.phase == "open", 30, "the new process's picture")
        print(f"web killed: a live picture again after {time.time() - killed:.1f} s")
        assert ada.connections > connections
        assert ada.seq >= seen
        assert (await ada.page_data())["sandbox"]["id"] == before["sandbox"]["id"]
        assert ada.items["prediction/who-returns"]["value"] == "new"
        assert ada.items["attempt/now"]["n"] == 1
        assert {check["key"]: check["state"] for check in ada.of("check")} == verdicts
        now = [marker["seq"] for marker in ada.of("marker")]
        assert len(now) == len(set(now))
        assert set(marker_seqs) <= set(now)
        assert {pod["key"][4:] for pod in ada.of("pod")} == set(await behind.pods(ada))

        # It goes on: said once, broken once, handed in once, marked once.
        with pytest.raises(Refused):
            await ada.insist("predict", id="who-returns", value="same")
        assert await at_once(ada.act("fault", id="kill"), ada.act("fault", id="kill")) == ["ok", "running"]
        await ada.until(lambda items: items["fault/kill"]["phase"] in ("started", "ended"), 5, "the window")
        assert await at_once(ada.act("submit"), ada.act("submit")) == ["handed-in", "ok"]
        assert await at_once(ada.act("reset"), ada.act("restart")) == ["testing", "testing"]
        await ada.until(lambda items: items["attempt/now"]["state"] == "testing", 60, "our own test")
        assert await at_once(ada.act("reset")) == ["testing"]
        await ada.until(lambda items: items["attempt/now"]["state"] == "marked", 90, "the mark")
        assert ada.wrong() == {}
        for kind in ("submit", "handover", "mark"):
            assert len(written.record(ada.sandbox, kind)) == 1, kind
        started = [
            row.uid for row in written.record(ada.sandbox, "fault") if row.change["phase"] == "started"
        ]
        assert started == ["kill", "again"]
        assert len(written.marks(ada.sandbox)) == 1
        assert ada.gaps + ada.backwards == []
        written.must_be_whole(ada.sandbox)


# --- the API server ---------------------------------------------------------------------------------
async def test_api_server_killed_in_a_window(
    product: Product, parts: Parts, written: Written, behind: Behind, mid_mark: KilledMidMark
) -> None:
    async with student(product, "Bad luck: API server") as ada:
        data = await open_shop(ada)
        await run_the_shop(ada, data)
        await ada.act("predict", id="who-returns", value="new")
        await ada.act("fault", id="kill")
        await ada.until(lambda items: items["fault/kill"]["phase"] in ("started", "ended"), 5, "the window")

        killed = await away_until_stale(ada, parts)
        await ada.until(lambda _: fresh(ada), 40, "the picture to be fresh again")
        print(f"API server: fresh again {time.time() - killed:.1f} s after the kill")
        await ada.until(lambda _: ada.items["fault/kill"]["phase"] == "ended", 30, "the target to be gone")
        await ada.until(lambda _: len([p for p in ada.of("pod") if p["ok"]]) == data["params"]["replicas"], 60,
                        "full strength again")  # fmt: skip
        really = set(await behind.pods(ada))
        assert {pod["key"][4:] for pod in ada.of("pod")} == really
        assert not {key[4:] for key in ada.gone_since(killed, "pod/")} & really
        await ada.until(lambda _: ada.check("never-empty") in ("pass", "could-not-grade"), 45, "the verdict")
        # Without an API server nobody tells kube-proxy that an address is gone: more customers than usual are
        # really refused, which is ours.
        await ada.until(
            lambda _: ada.check("served") in ("pass", "could-not-grade"), 45, "the customers' verdict"
        )
        assert ada.wrong() == {}

        # Once more, in the middle of a reset: it is finished by itself.
        old = parts.pids("kube-apiserver")
        parts.kill("kube-apiserver")
        with pytest.raises(Refused) as refused:
            await ada.act("reset")
        assert (refused.value.status, refused.value.body["error"]["code"]) == (503, "cluster-away")
        await parts.back("kube-apiserver", since=old)
        await ada.until(lambda _: ada.phase == "open" and len(ada.of("pod")) == 1, 60, "the start state")
        assert len(written.record(ada.sandbox, "reset")) == 1
        assert ada.wrong() == {}
        assert ada.gaps + ada.backwards == []
        written.must_be_whole(ada.sandbox)


async def away_until_stale(ada: Tab, parts: Parts) -> float:
    """Killed, and its successor held back until the picture says that it is stale; when it was killed."""
    before, old = set(ada.items), parts.pids("kube-apiserver")
    killed = parts.kill("kube-apiserver")
    await parts.hold("kube-apiserver", since=old)
    try:
        await ada.until(lambda _: not fresh(ada), 12, "the picture to say that it is stale")
        told_at, beat = next((at, f) for at, f in ada.frames_since(killed, "beat") if f["stale_since"])
        print(f"API server: stale {told_at - killed:.1f} s after the kill")
        assert told_at - killed < 10
        assert killed - 4 < beat["stale_since"] < killed + 1
        assert ada.gone_since(killed + 1, "pod/") == ada.gone_since(killed + 1, "service/") == set()
        assert {key for key in before if key.startswith(("node/", "service/"))} <= set(ada.items)
        with pytest.raises(Refused) as refused:
            await ada.act(
                "apply", file="shop.yaml", text="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}"
            )
        assert refused.value.status == 503
        assert ada.wrong() == {}
    finally:
        parts.let_go()
    return killed


def fresh(ada: Tab) -> bool:
    beats = [frame for _, frame in ada.frames if frame["f"] == "beat"]
    return bool(beats) and beats[-1]["stale_since"] is None


# --- and the mark that was interrupted at the beginning -----------------------------------------------
def test_what_the_killed_worker_held_is_marked_once(mid_mark: KilledMidMark, written: Written) -> None:
    mid_mark.thread.join(150)
    assert mid_mark.trouble is None, mid_mark.trouble
    assert not mid_mark.thread.is_alive()
    (mark,) = written.marks(mid_mark.sandbox)
    ((generation, _, done),) = written.outbox(mid_mark.sandbox)
    assert done
    assert (mark[1], generation) == (2, 2), "the second lease made the only mark"
    (entry,) = written.record(mid_mark.sandbox, "mark")
    assert entry.at > mid_mark.at
    print(f"worker: marked {entry.at - mid_mark.at:.1f} s after the kill")
    assert mid_mark.seen[0]["points"] == mark[2]
