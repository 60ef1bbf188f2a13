"""Which probes run, where they ask, and whether an answer counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from sandbox.observing.track import Track
from sandbox.probing import Prober, ProbeResult, ProbeSummariser, evaluate, spec_for
from sandbox.record.cel import Names, Predicate, compile_predicate
from sandbox.record.exercise import Probe

Told = Callable[[str, str, dict[str, Any]], None]  # sandbox, probe id, change

KINDS = ("http", "tcp", "dns")
SUMMARIES = 0.5  # seconds between two looks for summaries that are due
LONGEST_BODY = 400  # characters of an answer that are kept
LONGEST_JSON = (
    8 * 1024
)  # characters up to which its JSON is kept, whole: the shop's answers have some hundred


class _Answer:
    """What a probe's `ok` is asked about: `object` is the answer."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.activation: Any = None
        self.bound: dict[str, tuple[str, ...]] = {}
        self._answer = answer

    def lookup(self, slot: tuple[str, ...]) -> Any:
        return self._answer if slot == ("object",) else {}


class _Asked:
    """One sandbox's running probes."""

    def __init__(self, track: Track, probes: tuple[Probe, ...]) -> None:
        self.track = track
        self.summariser = ProbeSummariser()
        self.good: dict[str, Predicate] = {
            probe.id: compile_predicate(probe.ok, names=Names(each=f"probe/{probe.id}")) for probe in probes
        }


class Asking:
    """One prober for all sandboxes; each answer becomes entries of the sandbox it belongs to."""

    def __init__(self, prober: Prober, told: Told) -> None:
        self.prober, self.told = prober, told
        prober.on_result = self._on_result
        self._asked: dict[str, _Asked] = {}

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.prober.run(), name="prober stream")
            group.create_task(self._summarise(), name="probe summaries")

    def start(self, track: Track) -> None:
        """Ask all of this exercise's probes from now on. Idempotent; nobody asks for an attempt handed over."""
        asked = self._asked.get(track.sandbox)
        if track.is_over or (asked is not None and asked.track is track):
            return
        probes = tuple(
            probe
            for probe in (track.exercise.probes if track.exercise else ())
            if probe.kind in KINDS and probe.origin == "platform"
        )
        if not probes:
            return
        self._asked[track.sandbox] = _Asked(track, probes)
        for probe in probes:
            self.prober.start(track.sandbox, spec_for(probe, track.plan.namespace))

    def stop(self, sandbox: str) -> None:
        asked = self._asked.pop(sandbox, None)
        if asked is None:
            return
        self.prober.stop(sandbox)
        for change in asked.summariser.close():
            self.told(sandbox, change["id"], change)

    def _on_result(self, result: ProbeResult) -> None:
        asked = self._asked.get(result.sandbox)
        if asked is None or result.id not in asked.good:
            return
        heard = evaluate(result, asked.track.pod_uids)
        change: dict[str, Any] = {
            "status": result.status,
            "ms": round(result.ms, 1),
            "body": result.body[:LONGEST_BODY],
            "json": heard.json if isinstance(heard.json, dict) and len(result.body) <= LONGEST_JSON else {},
            "podUid": heard.pod_uid,
            "error": heard.reason,
        }
        ok = heard.ok and asked.good[result.id].evaluate(_Answer({"ok": True, **change})) is True
        for told in asked.summariser.feed(result.id, ok, change, time.time()):
            self.told(result.sandbox, result.id, told)

    async def _summarise(self) -> None:
        while True:
            await asyncio.sleep(SUMMARIES)
            now = time.time()
            for sandbox, asked in tuple(self._asked.items()):
                for change in asked.summariser.advance(now):
                    self.told(sandbox, change["id"], change)
