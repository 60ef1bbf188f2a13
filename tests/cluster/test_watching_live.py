"""The watch against the real API server, straight and through a wire that fails."""

import asyncio
import contextlib
import time

import pytest

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import CONFIG_MAP, POD, SECRET, SERVICE, WATCHED
from sandbox.cluster.kubeconfig import Access, read_access
from sandbox.preparing import ensure_guard_rails, ensure_namespace
from sandbox.resetting import reset
from sandbox.starting import apply_start
from sandbox.watching import Watcher
from tests.cluster.real import START, names

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]


class Wire:
    """A TCP relay to the API server that can be cut, or go silent with its connections alive."""

    def __init__(self, host, port):
        self._target = (host, port)
        self._open = set()
        self.flows = asyncio.Event()
        self.flows.set()
        self.refuses = False

    async def serve(self):
        self._server = await asyncio.start_server(self._serve_one, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def _serve_one(self, reader, writer):
        if self.refuses:
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        pair = {writer, there_writer}
        self._open |= pair
        await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))
        self._open -= pair

    async def _pump(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self.flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self):
        for writer in list(self._open):
            writer.transport.abort()

    async def close(self):
        self.flows.set()
        self._server.close()
        self.cut()
        await asyncio.sleep(0.1)


class Seen:
    def __init__(self):
        self.state, self.events, self.gaps = {}, [], []

    def event(self, one):
        metadata = one.object["metadata"]
        self.events.append((one.op, one.kind, metadata.get("namespace", ""), metadata["name"], one.object))
        key = (one.kind, metadata["uid"])
        if one.op == "DELETED":
            self.state.pop(key, None)
        else:
            self.state[key] = one.object

    def names(self, kind, namespace):
        return {
            one["metadata"]["name"]
            for (of, _), one in self.state.items()
            if of == kind.name and one["metadata"].get("namespace") == namespace
        }


@contextlib.asynccontextmanager
async def watching(client, **arguments):
    seen = Seen()
    watcher = Watcher(client, on_event=seen.event, on_gap=lambda *gap: seen.gaps.append(gap), **arguments)
    task = asyncio.create_task(watcher.run())
    try:
        await asyncio.wait_for(watcher.listed.wait(), 20)
        yield seen, watcher
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition, seconds=20.0):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.fixture
async def namespace(keeper, sandbox_plan):
    """A sandbox's namespace with its guard rails, without a toolbox."""
    plan = sandbox_plan()
    await ensure_namespace(keeper, plan)
    await ensure_guard_rails(keeper, plan)
    return plan


@pytest.fixture
async def wire(embedded):
    """(wire, client through it) as the observer."""
    access = read_access(embedded.product.scoped("observer"))
    host, port = access.server.removeprefix("https://").rsplit(":", 1)
    made = Wire(host, int(port))
    here = await made.serve()
    through = Access(f"https://127.0.0.1:{here}", access.authority, access.certificate, access.key)
    client = ClusterClient(through, user_agent="glasshull-test-wire")
    yield made, client
    await client.close()
    await made.close()


async def test_everything_a_sandbox_does_is_seen(keeper, observer_client, namespace):
    async with watching(observer_client) as (seen, watcher):
        started = time.monotonic()
        await apply_start(keeper, namespace, START)
        await until(lambda: "storefront" in seen.names(POD, namespace.namespace), 3)
        print(f"Pod seen {(time.monotonic() - started) * 1000:.0f} ms after the request began")
        await until(lambda: "storefront" in seen.names(SERVICE, namespace.namespace), 3)
        await until(
            lambda: [e for e in seen.events if e[1] == "EndpointSlice" and e[2] == namespace.namespace]
        )
        await reset(keeper, namespace)
        await until(lambda: not seen.names(POD, namespace.namespace))
        assert seen.names(CONFIG_MAP, namespace.namespace) == {"kube-root-ca.crt"}
        assert ("DELETED", "Pod", namespace.namespace, "storefront") in [one[:4] for one in seen.events]
        assert not [one for one in seen.events if one[2] and not one[2].startswith("gh-")]
        assert seen.gaps == []
        assert watcher.lists == len(WATCHED), "one list per kind"


async def test_the_heartbeat_returns_quickly(observer_client):
    async with watching(observer_client) as (_, watcher):
        await asyncio.sleep(5)
        assert watcher.behind < 1.0
        assert watcher.stale_since is None


async def test_secrets_are_seen_without_their_contents(admin, observer_client, namespace):
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"word": "canary-7"},
    }
    async with watching(observer_client, kinds=(SECRET,)) as (seen, _):
        await admin.request("POST", SECRET.collection(namespace.namespace), body=secret)
        await until(lambda: "s" in seen.names(SECRET, namespace.namespace), 5)
    (one,) = [event[4] for event in seen.events if event[3] == "s"]
    assert one["kind"] == "Secret"
    assert "data" not in one
    assert "canary" not in str(one)


async def test_a_cut_wire_loses_nothing(keeper, wire, namespace):
    line, client = wire
    async with watching(client) as (seen, watcher):
        await apply_start(keeper, namespace, START)
        await until(lambda: "storefront" in seen.names(POD, namespace.namespace))
        line.refuses = True
        line.cut()
        await asyncio.sleep(1)
        await reset(keeper, namespace)
        await apply_start(keeper, namespace, START[1:])
        await asyncio.sleep(1)
        assert "storefront" in seen.names(POD, namespace.namespace), "what is not known is not changed"
        line.refuses = False
        await until(lambda: seen.gaps and not seen.names(POD, namespace.namespace))
        assert seen.gaps[0][0] == "late", "every event in between was delivered"
        assert watcher.lists == len(WATCHED)
        assert seen.names(SERVICE, namespace.namespace) == {"storefront"}


async def test_a_silent_wire_is_stale_within_ten_seconds_and_recovers(keeper, wire, namespace):
    line, client = wire
    async with watching(client) as (seen, watcher):
        await asyncio.sleep(2.5)
        assert watcher.stale_since is None
        line.flows.clear()
        silent_from = time.time()
        await apply_start(keeper, namespace, START)
        await until(lambda: watcher.stale_since is not None, 10)
        assert abs(watcher.stale_since - silent_from) < 4.0
        assert watcher.behind > 2.0
        await asyncio.sleep(max(0.0, silent_from + 10 - time.time()))
        line.flows.set()
        line.cut()  # what was stuck in the wire is lost with it
        await until(lambda: "storefront" in seen.names(POD, namespace.namespace), 30)
        await until(lambda: watcher.stale_since is None and watcher.behind < 1.0, 10)
        assert seen.gaps
        mine = [event for event in seen.events if event[2] == namespace.namespace]
        assert not [event for event in mine if event[0] == "DELETED"], "no false deletion"


async def test_what_is_seen_is_what_is_there(admin, keeper, wire, namespace):
    """Changes all the time while the wire is cut again and again; at the end both sides agree."""
    line, client = wire
    async with watching(client, kinds=(CONFIG_MAP, POD)) as (seen, _):
        for number in range(40):
            name = f"c{number % 10}"
            path = CONFIG_MAP.path(namespace.namespace, name)
            config = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name},
                "data": {"n": str(number)},
            }
            if name in await names(admin, CONFIG_MAP, namespace.namespace):
                await admin.request("DELETE", path)
            else:
                await admin.request("POST", CONFIG_MAP.collection(namespace.namespace), body=config)
            if number % 7 == 3:
                line.cut()
            await asyncio.sleep(0.05)
        there = await names(admin, CONFIG_MAP, namespace.namespace)
        await until(lambda: seen.names(CONFIG_MAP, namespace.namespace) == there)
