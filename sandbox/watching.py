"""See what the cluster's objects become: one watch per kind over all namespaces, never giving up.

Three thin layers: forever (back-off, no logic) > list-then-watch (what is known, what changed) > one HTTP
stream (`cluster.streaming`). Why not a library's: reference reliability, section 4 (reflectors that stay
silent, that stop trying, that read an error page as "nothing left").
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import LEASE, METADATA_ONLY, METADATA_ONLY_LIST, WATCHED, ApiKind
from sandbox.cluster.streaming import Frame, stream
from sandbox.errors import ApiError, ClusterUnavailable, Gone, NotFound
from sandbox.heartbeat import Heartbeat
from sandbox.naming import is_sandbox_namespace

log = logging.getLogger(__name__)

Op: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]
How: TypeAlias = Literal["late", "lost"]
Object: TypeAlias = dict[str, Any]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# The watch of Leases is also the scout: it tries more often, and its success wakes the others.
LONGEST_SCOUT_PAUSE_S = 2.0
# A stream that lived this long was fine: the next failure starts at the first pause again.
HEALTHY_AFTER_S = 10.0
# The server ends a watch after this long; jittered, so that 15 watches do not end together.
WATCH_SECONDS = (240, 300)
# Longer than the server lets a watch live. Bookmarks of a quiet kind may stay away for minutes (measured), and
# opening its watch again for that was a gap in everybody's record. A dead socket is told by TCP keepalive within
# ten seconds, a server that hangs by the heartbeat.
SILENCE_S = 330.0
# The heartbeat comes every 2 s on the watch of Leases.
HEARTBEAT_SILENCE_S = 8.0
LIST_TIMEOUT_S = 30.0
# Without a proof for this long the picture says "stale" (it must within 10 s).
STALE_AFTER_S = 6.0


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change of one object. `object` is as the server sent it; a DELETED carries the last known one.

    `synthetic`: the deletion was concluded from a new list, its moment and last state are not known.
    """

    op: Op
    kind: str
    object: Object
    synthetic: bool = False


OnEvent: TypeAlias = Callable[[WatchEvent], None]
OnGap: TypeAlias = Callable[[How, float, float], None]
OnAway: TypeAlias = Callable[[float, float], None]


class Watcher:
    """All watches together. `on_event` and `on_gap` are called in the loop and must not block.

    `listed` is set once every kind was listed. `on_gap(how, from, until)` comes after a break is over:
    "late" when every watch went on from where it was (nothing was missed, only seen late), "lost" when one
    had to list anew (states in between are unknown). `on_away(from, until)` follows it when the heartbeat's
    own watch had broken, too: the cluster itself was away. Times are Unix seconds.
    """

    def __init__(
        self,
        client: ClusterClient,
        kinds: Sequence[ApiKind] = WATCHED,
        on_event: OnEvent = lambda _event: None,
        on_gap: OnGap = lambda _how, _since, _until: None,
        on_away: OnAway = lambda _since, _until: None,
        *,
        wanted: Callable[[str], bool] = is_sandbox_namespace,
        heartbeat: Heartbeat | None = None,
    ) -> None:
        self.listed = asyncio.Event()
        self.lists = 0  # LIST calls made, for tests and gauges
        self._on_event = on_event
        self._on_gap = on_gap
        self._on_away = on_away
        self._was_away = False
        self._heartbeat = heartbeat if heartbeat is not None else Heartbeat(client)
        self._watches = [_KindWatch(client, kind, self, wanted) for kind in kinds]
        self._broken: dict[str, How] = {}
        self._gap_from: float | None = None
        self._gap_how: How = "late"
        self._started = 0.0
        self._cluster_is_back = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled. What was seen is kept, so running again continues."""
        async with asyncio.TaskGroup() as group:  # the group holds the strong references
            for watch in self._watches:
                group.create_task(_forever(watch, self), name=f"watch {watch.kind.plural}")
            if any(watch.kind is LEASE for watch in self._watches):
                self._started = self._started or time.time()
                group.create_task(self._heartbeat.run(), name="heartbeat")

    @property
    def behind(self) -> float:
        """Seconds by which the newest proof of life is late; about 0.01 when all is well."""
        return self._heartbeat.behind(time.time())

    @property
    def stale_since(self) -> float | None:
        """Since when nothing proves that what we show is true; None while something does."""
        proof = self._heartbeat.proof or self._started
        since = proof if self._gap_from is None else min(proof, self._gap_from)
        return since if proof > 0 and time.time() - since > STALE_AFTER_S else None

    @property
    def is_whole(self) -> bool:
        """Every kind is watched just now: what we show is one state, not put together of several moments."""
        return self._gap_from is None

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until the scout has found the cluster again."""
        try:
            async with asyncio.timeout(seconds):
                await self._cluster_is_back.wait()
        except TimeoutError:
            return

    # --- told by the watches ------------------------------------------------------------------------
    def deliver(self, event: WatchEvent) -> None:
        """Hand an event on; an exception of the receiver ends the stream, which then offers it again."""
        self._on_event(event)

    def saw(self, kind: ApiKind, seen: Object) -> None:
        if kind is LEASE:
            self._heartbeat.saw(seen)

    def broke(self, kind: ApiKind) -> None:
        """A watch that had been going is interrupted."""
        if self._gap_from is None:
            proof = self._heartbeat.proof
            self._gap_from, self._gap_how = (proof if proof > 0 else time.time()), "late"
        self._broken[kind.name] = "late"
        self._was_away = self._was_away or kind is LEASE
        if kind is LEASE and self.behind > HEARTBEAT_SILENCE_S / 2:
            # No beat came back though the connection lived: whatever swallowed them has the others, too, and
            # those are quiet by nature, so their own silence would be noticed much later.
            for watch in self._watches:
                watch.interrupt()

    def listed_anew(self, kind: ApiKind) -> None:
        self.lists += 1
        if kind.name in self._broken:
            self._gap_how = "lost"

    def goes_on(self, kind: ApiKind) -> None:
        """A watch is open (again)."""
        was_broken = self._broken.pop(kind.name, None) is not None
        if kind is LEASE and was_broken:
            self._cluster_is_back.set()
            self._cluster_is_back = asyncio.Event()
        if not self._broken and self._gap_from is not None:
            since, how = self._gap_from, self._gap_how
            self._gap_from = None
            was_away, self._was_away = self._was_away, False
            self._on_gap(how, since, time.time())
            if was_away:
                self._on_away(since, time.time())
        if not self.listed.is_set() and all(watch.is_listed for watch in self._watches):
            self.listed.set()


async def _forever(watch: _KindWatch, watcher: Watcher) -> None:
    """Try, pause, try. The only way out is cancellation or a bug of ours (which must be heard)."""
    pause = FIRST_PAUSE_S
    longest = LONGEST_SCOUT_PAUSE_S if watch.kind is LEASE else LONGEST_PAUSE_S
    gone_before = False
    while True:
        started, was_gone, gone_before = time.monotonic(), gone_before, False
        try:
            await watch.list_then_watch()
            if time.monotonic() - started > FIRST_PAUSE_S:
                pause = FIRST_PAUSE_S
                continue
            reason = "the cluster ends it at once"  # properly, so it is no break: only slow down
        except Gone:
            watch.broke()
            watch.forget_position()
            # The cluster answers again: what made the pauses long is over. Once, lest we list in a circle.
            reason, gone_before = "the position is too old", True
            pause = pause if was_gone else FIRST_PAUSE_S
        except NotFound:
            watch.is_absent()
            reason, pause = "the cluster does not serve it", longest
        except (ClusterUnavailable, ApiError) as error:
            watch.broke()
            reason = str(error)
        if time.monotonic() - started > HEALTHY_AFTER_S:
            pause = FIRST_PAUSE_S
        log.warning("watch of %s: %s; again in %.1f s", watch.kind.plural, reason, pause)
        await watcher.pause(pause * random.uniform(0.5, 1.0))  # noqa: S311  (jitter, not a secret)
        pause = min(pause * 2, longest)


class _KindWatch:
    """List-then-watch of one kind. Knows the last state of each object, to tell what a new list changed."""

    def __init__(
        self, client: ClusterClient, kind: ApiKind, watcher: Watcher, wanted: Callable[[str], bool]
    ) -> None:
        self.kind = kind
        self.is_listed = False
        self._client = client
        self._watcher = watcher
        self._wanted = wanted
        self._known: dict[str, Object] = {}
        self._version = ""
        self._is_going = False
        self._attempt: asyncio.Task[None] | None = None
        self._is_interrupted = False

    def forget_position(self) -> None:
        self._version = ""

    def is_absent(self) -> None:
        """404. If it never was there, nothing is to be seen and nothing else is stale for it."""
        if self._version:
            self.broke()
            return
        self.is_listed, self._is_going = True, False
        self._watcher.goes_on(self.kind)

    def broke(self) -> None:
        if self._is_going:
            self._is_going = False
            self._watcher.broke(self.kind)

    def interrupt(self) -> None:
        """End the stream in hand as if the connection had broken."""
        if self._attempt is not None and self._is_going:
            self._is_interrupted = True
            self._attempt.cancel()

    async def list_then_watch(self) -> None:
        """One list if the position is unknown, then one stream; returns when the server ends it properly."""
        self._attempt, self._is_interrupted = asyncio.ensure_future(self._list_then_watch()), False
        try:
            await self._attempt
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._is_interrupted or (task is not None and task.cancelling()):
                raise
            raise ClusterUnavailable("the heartbeat no longer comes back") from None

    async def _list_then_watch(self) -> None:
        if not self._version:
            await self._list()
        params: dict[str, str | int | bool] = {
            "resourceVersion": self._version,
            "allowWatchBookmarks": True,
            "timeoutSeconds": random.randint(*WATCH_SECONDS),  # noqa: S311  (jitter, not a secret)
        }
        silence = HEARTBEAT_SILENCE_S if self.kind is LEASE else SILENCE_S
        accept = METADATA_ONLY if self.kind.metadata_only else "application/json"
        frames = stream(
            self._client, self.kind.everywhere, params, silence=silence, accept=accept, on_open=self._goes_on
        )
        async with aclosing(frames):
            async for frame in frames:
                self._take(frame)

    def _goes_on(self) -> None:
        """Called when the server accepted the watch."""
        self._is_going = True
        self._watcher.goes_on(self.kind)

    async def _list(self) -> None:
        accept = METADATA_ONLY_LIST if self.kind.metadata_only else "application/json"
        listed = await self._client.request(
            "GET", self.kind.everywhere, accept=accept, timeout=LIST_TIMEOUT_S
        )
        items, version = _listing(self.kind, listed)
        now = {item["metadata"]["uid"]: item for item in items if self._is_wanted(item)}
        self._watcher.listed_anew(self.kind)
        for uid in [uid for uid in self._known if uid not in now]:
            self._deliver("DELETED", uid, self._known[uid], synthetic=True)
        for uid, item in now.items():
            known = self._known.get(uid)
            if known is None:
                self._deliver("ADDED", uid, item)
            elif known["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
                self._deliver("MODIFIED", uid, item)
        self._version, self.is_listed = version, True

    def _take(self, frame: Frame) -> None:
        version = frame.object["metadata"]["resourceVersion"]
        if frame.type != "BOOKMARK":
            self._watcher.saw(self.kind, frame.object)
            if self._is_wanted(frame.object):
                uid = frame.object["metadata"]["uid"]
                op: Op = (
                    "DELETED" if frame.type == "DELETED" else "MODIFIED" if uid in self._known else "ADDED"
                )
                self._deliver(op, uid, frame.object)
        self._version = version

    def _deliver(self, op: Op, uid: str, item: Object, *, synthetic: bool = False) -> None:
        # Items of a list, and metadata-only objects, do not say what they are.
        item["kind"], item["apiVersion"] = self.kind.name, self.kind.api_version
        self._watcher.deliver(WatchEvent(op, self.kind.name, item, synthetic))
        if op == "DELETED":
            self._known.pop(uid, None)
        else:
            self._known[uid] = item

    def _is_wanted(self, item: Object) -> bool:
        return not self.kind.namespaced or self._wanted(item["metadata"].get("namespace", ""))


def _listing(kind: ApiKind, body: Any) -> tuple[list[Object], str]:
    """Items and position of a list. Anything else is an error, never "nothing there"."""
    try:
        if not body["kind"].endswith("List"):
            raise ClusterUnavailable(f"The list of {kind.plural} is a {body['kind']}.")
        return list(body["items"] or []), str(body["metadata"]["resourceVersion"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ClusterUnavailable(f"The list of {kind.plural} is not one ({error!r}).") from error
