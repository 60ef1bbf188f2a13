"""The watch against a small API server that misbehaves in every way we know of."""

import asyncio
import contextlib
import time

import pytest
from aiohttp import web

from sandbox import watching
from sandbox.cluster.kinds import CONFIG_MAP, LEASE, POD, SECRET
from sandbox.heartbeat import Heartbeat
from sandbox.watching import Watcher
from tests.sandbox.fake_api import fake_api, status, stream

NS = "gh-aaaaaaaaaa"


def pod(name, version, *, namespace=NS, **rest):
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"metadata": metadata, **rest}


def listing(version, *items, kind="PodList"):
    return web.json_response(
        {"kind": kind, "metadata": {"resourceVersion": str(version)}, "items": list(items)}
    )


def event(kind, item):
    return {"type": kind, "object": item}


def bookmark(version):
    return event("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": str(version)}})


def error(code):
    return event("ERROR", {"kind": "Status", "code": code, "message": "too old", "reason": "Expired"})


class Script:
    """Answers lists and watches of Pods from two queues; the last answer of a queue repeats."""

    def __init__(self, lists, watches):
        self.lists, self.watches = list(lists), list(watches)
        self.versions = []

    async def __call__(self, request, asked):
        if asked.query.get("watch") != "true":
            return self._next(self.lists)(request)
        self.versions.append(asked.query["resourceVersion"])
        assert asked.query["allowWatchBookmarks"] == "true"
        return await self._next(self.watches)(request)

    @staticmethod
    def _next(queue):
        return queue.pop(0) if len(queue) > 1 else queue[0]


def lists(version, *items, **rest):
    return lambda _request: listing(version, *items, **rest)


def refuses(code):
    return lambda _request: status(code, "Why", "because")


def page(code):
    return lambda _request: web.Response(status=code, text="<html>oops</html>", content_type="text/html")


def watches(*lines, then="hold"):
    async def answer(request):
        return await stream(request, *lines, then=then)

    return answer


def watch_refuses(code):
    async def answer(_request):
        return status(code, "Expired", "too old resource version")

    return answer


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(watching, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(watching, "LONGEST_PAUSE_S", 0.1)


class Seen:
    def __init__(self):
        self.events, self.gaps = [], []
        self.changed = asyncio.Event()

    def event(self, one):
        mark = {"ADDED": "+", "MODIFIED": "~", "DELETED": "-"}[one.op]
        self.events.append(mark + one.object["metadata"]["name"] + ("?" if one.synthetic else ""))
        self.changed.set()

    def gap(self, how, since, until):
        assert since <= until
        self.gaps.append(how)
        self.changed.set()

    async def until(self, condition, seconds=5.0):
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), 0.05)


@contextlib.asynccontextmanager
async def watching_pods(script, *, kinds=(POD,), **arguments):
    seen = Seen()
    async with fake_api(script) as api, api.client() as client:
        watcher = Watcher(client, kinds, seen.event, seen.gap, **arguments)
        task = asyncio.create_task(watcher.run())
        try:
            yield seen, watcher, api
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_a_list_then_its_changes():
    script = Script(
        [lists(5, pod("a", 3), pod("b", 4))],
        [watches(event("ADDED", pod("c", 6)), event("MODIFIED", pod("a", 7)), event("DELETED", pod("b", 8)))],
    )
    async with watching_pods(script) as (seen, watcher, _):
        await seen.until(lambda: len(seen.events) == 5)
        assert seen.events == ["+a", "+b", "+c", "~a", "-b"]
        assert watcher.listed.is_set()
    assert script.versions == ["5"]
    assert seen.gaps == []


async def test_objects_say_what_they_are():
    got = []
    script = Script([lists(5, pod("a", 3))], [watches()])
    async with fake_api(script) as api, api.client() as client:
        watcher = Watcher(client, (POD,), got.append)
        task = asyncio.create_task(watcher.run())
        await asyncio.wait_for(watcher.listed.wait(), 5)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert (got[0].object["kind"], got[0].object["apiVersion"], got[0].kind) == ("Pod", "v1", "Pod")


async def test_only_our_namespaces_are_delivered():
    others = pod("x", 3, namespace="kube-system")
    script = Script(
        [lists(5, others, pod("a", 4))], [watches(event("MODIFIED", others), event("ADDED", pod("b", 6)))]
    )
    async with watching_pods(script) as (seen, _, _):
        await seen.until(lambda: "+b" in seen.events)
    assert seen.events == ["+a", "+b"]


async def test_an_ended_watch_goes_on_where_it_was():
    script = Script(
        [lists(5, pod("a", 3))],
        [
            watches(event("ADDED", pod("b", 6)), bookmark(9), then="end"),
            watches(event("ADDED", pod("c", 10))),
        ],
    )
    async with watching_pods(script) as (seen, watcher, _):
        await seen.until(lambda: "+c" in seen.events)
        assert watcher.lists == 1
    assert script.versions == ["5", "9"], "the bookmark's version counts"


@pytest.mark.parametrize(
    "broken",
    [
        watches(then="cut"),
        watches(b'{"type":"ADDED","object":{"metad', then="cut"),
        watches(error(500), then="end"),
    ],
    ids=["connection cut", "half an event", "ERROR 500"],
)
async def test_a_broken_watch_goes_on_late_and_loses_nothing(broken):
    script = Script([lists(5, pod("a", 3))], [broken, watches(event("ADDED", pod("b", 6)))])
    async with watching_pods(script) as (seen, watcher, _):
        await seen.until(lambda: "+b" in seen.events)
        assert seen.events == ["+a", "+b"]
        assert watcher.lists == 1
        assert seen.gaps == ["late"]
    assert script.versions == ["5", "5"]


@pytest.mark.parametrize(
    "gone", [watches(error(410)), watch_refuses(410)], ids=["as an event", "as a status"]
)
async def test_gone_lists_again_and_concludes_deletions(gone):
    script = Script(
        [lists(5, pod("a", 3), pod("b", 4), pod("c", 5)), lists(20, pod("b", 15), pod("c", 5), pod("d", 18))],
        [watches(event("MODIFIED", pod("a", 6)), then="end"), gone, watches(event("ADDED", pod("e", 21)))],
    )
    async with watching_pods(script) as (seen, watcher, _):
        await seen.until(lambda: "+e" in seen.events)
        assert watcher.lists == 2
        assert seen.events == ["+a", "+b", "+c", "~a", "-a?", "~b", "+d", "+e"]
        assert seen.gaps == ["lost"]


@pytest.mark.parametrize(
    "bad",
    [page(504), page(200), refuses(504), refuses(500), refuses(403), lists(9, kind="Status")],
    ids=["504 page", "200 page", "504 status", "500", "403", "not a list"],
)
async def test_an_error_is_never_an_empty_list(bad):
    script = Script(
        [lists(5, pod("a", 3)), bad, bad, lists(20, pod("a", 3))],
        [watches(error(410)), watches(event("ADDED", pod("b", 21)))],
    )
    async with watching_pods(script) as (seen, _, _):
        await seen.until(lambda: "+b" in seen.events)
    assert seen.events == ["+a", "+b"], "no false deletion"


async def test_a_list_without_items_is_an_error_too():
    def headless(_request):
        return web.json_response({"kind": "PodList", "metadata": {"resourceVersion": "9"}})

    script = Script(
        [lists(5, pod("a", 3)), headless, lists(20, pod("a", 3))], [watches(error(410)), watches()]
    )
    async with watching_pods(script) as (seen, watcher, _):
        await seen.until(lambda: watcher.lists == 2)
    assert seen.events == ["+a"]


async def test_half_open_is_noticed(monkeypatch):
    monkeypatch.setattr(watching, "SILENCE_S", 0.2)
    script = Script([lists(5, pod("a", 3))], [watches(), watches(event("ADDED", pod("b", 6)))])
    async with watching_pods(script) as (seen, _, _):
        started = time.monotonic()
        await seen.until(lambda: "+b" in seen.events)
        assert time.monotonic() - started < 2.0
    assert script.versions[:2] == ["5", "5"]


async def test_after_an_outage_a_lost_position_is_made_good_at_once(monkeypatch):
    monkeypatch.setattr(watching, "LONGEST_PAUSE_S", 60.0)
    script = Script(
        [lists(5, pod("a", 3)), lists(20, pod("b", 15))],
        [watch_refuses(503)] * 6 + [watch_refuses(410), watches(event("ADDED", pod("c", 21)))],
    )
    async with watching_pods(script) as (seen, _, _):
        await seen.until(lambda: "-a?" in seen.events)
        listed = time.monotonic()
        await seen.until(lambda: "+c" in seen.events)
        assert time.monotonic() - listed < 0.3
    spent = sum(0.02 * 2**n for n in range(7))
    assert spent > 1.2, "the pauses had grown beyond what is waited after it"


async def test_a_position_that_is_lost_again_and_again_is_listed_with_pauses():
    script = Script([lists(5, pod("a", 3))], [watch_refuses(410)])
    async with watching_pods(script) as (_, watcher, _):
        await asyncio.sleep(0.5)
        assert 3 < watcher.lists < 15


async def test_it_never_gives_up_and_backs_off():
    script = Script([page(503)] * 8 + [lists(5, pod("a", 3))], [watches()])
    async with watching_pods(script) as (seen, watcher, api):
        await asyncio.wait_for(watcher.listed.wait(), 5)
        assert seen.events == ["+a"]
        assert len(api.asked) >= 9
        assert seen.gaps == [], "nothing was shown before, so nothing was missed"


async def test_a_watch_that_ends_at_once_is_not_asked_in_a_tight_loop(monkeypatch):
    monkeypatch.setattr(watching, "FIRST_PAUSE_S", 0.1)
    script = Script([lists(5)], [watches(then="end")])
    async with watching_pods(script) as (_, _, api):
        await asyncio.sleep(0.6)
        assert len(api.asked) < 15


async def test_a_kind_the_cluster_does_not_serve_stops_nobody():
    async def answer(request, asked):
        if "configmaps" in asked.path:
            return status(404, "NotFound", "the server could not find the requested resource")
        return await Script([lists(5, pod("a", 3))], [watches()])(request, asked)

    async with watching_pods(answer, kinds=(POD, CONFIG_MAP)) as (seen, watcher, _):
        await asyncio.wait_for(watcher.listed.wait(), 5)
        assert seen.events == ["+a"]
        assert seen.gaps == []


async def test_secrets_are_asked_for_as_metadata_only():
    accepts = []

    async def answer(request, asked):
        accepts.append(asked.headers["Accept"])
        if asked.query.get("watch"):
            return await stream(request, then="hold")
        return listing(5, kind="PartialObjectMetadataList")

    async with watching_pods(answer, kinds=(SECRET,)) as (seen, watcher, _):
        await asyncio.wait_for(watcher.listed.wait(), 5)
        await seen.until(lambda: len(accepts) == 2)
    assert accepts == [
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    ]


async def test_an_event_the_receiver_could_not_take_is_offered_again():
    script = Script([lists(5)], [watches(event("ADDED", pod("a", 6)))])
    taken, refused = [], []

    def picky(one):
        if not refused:
            refused.append(one)
            raise RuntimeError("the disk is full")
        taken.append(one.object["metadata"]["name"])

    async with fake_api(script) as api, api.client() as client:
        watcher = Watcher(client, (POD,), picky)
        with pytest.raises(ExceptionGroup, match="unhandled"):
            await asyncio.wait_for(watcher.run(), 5)
        task = asyncio.create_task(watcher.run())
        async with asyncio.timeout(5):
            while not taken:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert taken == ["a"]


# --- the heartbeat ------------------------------------------------------------------------------------
class Leases:
    """An API server that holds one Lease and streams it back; `mute` stops the stream's events."""

    def __init__(self):
        self.lease, self.version, self.mute = None, 1, False
        self.queues = []

    async def __call__(self, request, asked):
        if asked.query.get("watch"):
            return await self._watch(request)
        if asked.method == "GET":
            return listing(self.version, kind="LeaseList")
        if asked.method == "PATCH" and self.lease is None:
            return status(404, "NotFound", "leases not found")
        self.version += 1
        self.lease = {
            "metadata": {
                "name": "observer", "namespace": "glasshull-system", "uid": "u", "resourceVersion": str(self.version),
            },
            "spec": asked.json["spec"],
        }  # fmt: skip
        for queue in self.queues:
            queue.put_nowait(event("MODIFIED", self.lease))
        return web.json_response(self.lease)

    async def _watch(self, request):
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        queue = asyncio.Queue()
        self.queues.append(queue)
        while True:
            one = await queue.get()
            if not self.mute:
                await response.write(web.json_response(one).body + b"\n")


async def test_the_heartbeat_comes_back(monkeypatch):
    monkeypatch.setattr("sandbox.heartbeat.PERIOD_S", 0.1)
    monkeypatch.setattr(watching, "STALE_AFTER_S", 0.4)
    leases = Leases()
    async with watching_pods(leases, kinds=(LEASE,)) as (seen, watcher, _):
        await asyncio.sleep(0.5)
        assert watcher.behind < 0.2
        assert watcher.stale_since is None
        leases.mute = True
        silent_from = time.time()
        await asyncio.sleep(0.8)
        assert watcher.behind > 0.4
        assert watcher.stale_since is not None
        assert abs(watcher.stale_since - silent_from) < 0.3
        leases.mute = False
        await asyncio.sleep(0.3)
        assert watcher.behind < 0.2
        assert watcher.stale_since is None
    assert seen.events == [], "the platform's own Lease is nobody's event"


async def test_a_silent_lease_watch_is_opened_again(monkeypatch):
    monkeypatch.setattr("sandbox.heartbeat.PERIOD_S", 0.1)
    monkeypatch.setattr(watching, "HEARTBEAT_SILENCE_S", 0.4)
    leases = Leases()
    async with watching_pods(leases, kinds=(LEASE,)) as (seen, _, _):
        await asyncio.sleep(0.3)
        leases.mute = True
        await seen.until(lambda: len(leases.queues) >= 2)
        leases.mute = False
        await seen.until(lambda: seen.gaps == ["late"])


async def test_when_the_heartbeat_stops_the_quiet_watches_are_opened_again_too(monkeypatch):
    monkeypatch.setattr("sandbox.heartbeat.PERIOD_S", 0.1)
    monkeypatch.setattr(watching, "HEARTBEAT_SILENCE_S", 0.4)
    leases = Leases()
    pods = Script([lists(5, pod("a", 3))], [watches()])

    async def answer(request, asked):
        return await (pods if asked.path == "/api/v1/pods" else leases)(request, asked)

    async with watching_pods(answer, kinds=(LEASE, POD)) as (seen, watcher, _):
        await asyncio.sleep(0.3)
        assert len(pods.versions) == 1
        leases.mute = True
        await seen.until(lambda: len(pods.versions) >= 2)
        leases.mute = False
        await seen.until(lambda: "late" in seen.gaps)
        assert watcher.lists == 2, "one list per kind, none anew"
    assert set(pods.versions) == {"5"}
    assert seen.events == ["+a"]


async def test_the_scout_wakes_the_others_when_the_cluster_is_back(monkeypatch):
    monkeypatch.setattr("sandbox.heartbeat.PERIOD_S", 0.1)
    monkeypatch.setattr(watching, "FIRST_PAUSE_S", 0.4)
    monkeypatch.setattr(watching, "LONGEST_PAUSE_S", 60.0)
    monkeypatch.setattr(watching.random, "uniform", lambda _least, most: most)
    monkeypatch.setattr(watching, "LONGEST_SCOUT_PAUSE_S", 0.1)
    leases, pods = (
        Leases(),
        Script([lists(5, pod("a", 3))], [watches(), watches(event("ADDED", pod("b", 6)))]),
    )
    down = asyncio.Event()

    async def answer(request, asked):
        if down.is_set():
            return status(503, "Unavailable", "starting")
        return await (pods if asked.path == "/api/v1/pods" else leases)(request, asked)

    async with watching_pods(answer, kinds=(LEASE, POD)) as (seen, watcher, _):
        await asyncio.wait_for(watcher.listed.wait(), 5)
        await asyncio.sleep(0.3)
        down.set()
        for watch in watcher._watches:
            watch.interrupt()
        await asyncio.sleep(1.5)  # the watch of Pods has tried at 0.4 and 1.2 s; by itself it would at 2.8 s
        down.clear()
        back = time.monotonic()
        await seen.until(lambda: "+b" in seen.events)
        assert time.monotonic() - back < 0.6


async def test_a_heartbeat_that_never_works_is_stale(monkeypatch):
    monkeypatch.setattr(watching, "STALE_AFTER_S", 0.3)

    async def mute(request, asked):
        if asked.query.get("watch"):
            return await stream(request, then="hold")
        return listing(1, kind="LeaseList") if asked.method == "GET" else status(403, "Forbidden", "no")

    async with watching_pods(mute, kinds=(LEASE,)) as (_, watcher, _):
        started = time.time()
        await asyncio.wait_for(watcher.listed.wait(), 5)
        assert watcher.stale_since is None
        await asyncio.sleep(0.6)
        assert watcher.stale_since == pytest.approx(started, abs=0.3)


async def test_a_404_of_a_kind_that_was_there_is_a_break():
    script = Script(
        [lists(5, pod("a", 3))],
        [watches(then="end"), watch_refuses(404), watches(event("ADDED", pod("b", 6)))],
    )
    async with watching_pods(script) as (seen, watcher, _):
        await seen.until(lambda: "+b" in seen.events)
        assert seen.events == ["+a", "+b"]
        assert seen.gaps == ["late"]
        assert watcher.lists == 1


async def test_beats_of_others_prove_nothing():
    async def nothing(request, asked):
        return status(404, "NotFound", "no")

    async with fake_api(nothing) as api, api.client() as client:
        beat = Heartbeat(client)
        beat.saw(
            pod(
                "observer",
                1,
                namespace="glasshull-system",
                spec={"holderIdentity": "x", "leaseTransitions": 1},
            )
        )
        beat.saw(pod("other", 1, namespace="glasshull-system"))
    assert beat.proof == 0.0
    assert beat.behind(time.time()) == 0.0
