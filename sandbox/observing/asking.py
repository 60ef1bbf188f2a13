"""Which probes and loads run, where they go, and whether an answer counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from sandbox.loading import LoadNews, change_of, load_spec
from sandbox.observing.toolbox_asking import ToolboxProber
from sandbox.observing.track import Track
from sandbox.prober import Prober
from sandbox.probing import ProbeResult, ProbeSummariser, evaluate, spec_for
from sandbox.record.cel import Names, Predicate, compile_predicate
from sandbox.record.entry import Kind
from sandbox.record.exercise import Load, Probe

Told = Callable[[str, Kind, str, dict[str, Any]], None]  # sandbox, kind of entry, its uid, change

KINDS = ("http", "tcp", "dns")
SUMMARIES = 0.5  # seconds between two looks for summaries that are due
MEASURES = 2.0  # seconds between two measurements of memory
MOST_MEASURED = 32  # Pods of one sandbox
SMALLEST_CHANGE = 32 * 1024  # bytes of memory that are worth an entry
SILENT_S = 1.0  # without a prober for so long, requests are missing: a stream that breaks is back in a tenth
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
    """One sandbox's running probes, and what is known of its Pods' memory."""

    def __init__(self, track: Track, probes: tuple[Probe, ...]) -> None:
        self.track = track
        self.summariser = ProbeSummariser()
        self.good: dict[str, Predicate] = {
            probe.id: compile_predicate(probe.ok, names=Names(each=f"probe/{probe.id}")) for probe in probes
        }
        self.memory: dict[str, int] = {}
        self.stopped: set[str] = set()  # loads that were sent away before their time

    @property
    def is_measured(self) -> bool:
        """While somebody looks; where loads are sent also when nobody does, for whoever replays the record."""
        exercise = self.track.exercise
        return bool(self.track.listeners) or bool(exercise and exercise.loads)


class Asking:
    """One prober for all sandboxes; each answer becomes entries of the sandbox it belongs to."""

    def __init__(self, prober: Prober, told: Told, toolbox: ToolboxProber | None = None) -> None:
        self.prober, self.told, self.toolbox = prober, told, toolbox
        prober.on_result, prober.on_load = self._on_result, self._on_load
        prober.on_memory, prober.on_state = self._on_memory, self._on_state
        if toolbox is not None:
            toolbox.on_result = self._on_result
        self._asked: dict[str, _Asked] = {}
        self._away_since: float | None = None
        self._away_told = 0.0  # until when the record knows of it

    async def run(self) -> None:
        """Until cancelled."""
        self._on_state(self.prober.connected)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.prober.run(), name="prober stream")
            group.create_task(self._every(SUMMARIES, self._summarise), name="probe summaries")
            group.create_task(self._every(MEASURES, self._measure), name="memory")

    def start(self, track: Track) -> None:
        """Ask all of this exercise's probes from now on. Idempotent; nobody asks for an attempt handed over."""
        asked = self._asked.get(track.sandbox)
        exercise = track.exercise
        if track.is_over or exercise is None or (asked is not None and asked.track is track):
            return
        probes = tuple(probe for probe in exercise.probes if self._can_ask(probe))
        self._asked[track.sandbox] = _Asked(track, probes)
        for probe in probes:
            if probe.origin == "toolbox" and self.toolbox is not None:
                self.toolbox.start(track.sandbox, track.plan, probe)
            else:
                self.prober.start(track.sandbox, spec_for(probe, track.plan.namespace))

    def _can_ask(self, probe: Probe) -> bool:
        return self.toolbox is not None if probe.origin == "toolbox" else probe.kind in KINDS

    def stop(self, sandbox: str, *, lost: bool = False) -> None:
        """No more probes, and no more traffic: loads under way are called off and have shown nothing.

        `lost`: the attempt goes on without us, so that they could not be seen to their end is our trouble.
        """
        asked = self._asked.pop(sandbox, None)
        if asked is None:
            return
        loads = self.prober.loads_of(sandbox)
        self.prober.stop(sandbox)
        if self.toolbox is not None:
            self.toolbox.stop(sandbox)
        for change in asked.summariser.close():
            self.told(sandbox, "probe", change["id"], change)
        for load in loads:
            how = self._lost(sandbox) if lost else {"stopped": True}
            self.told(sandbox, "load", load.id, {"id": load.id, "phase": "ended", **how})

    def _lost(self, sandbox: str, why: str = "the sender was lost") -> dict[str, Any]:
        """Told while the load's window is open: what it would have shown is not known."""
        self._tell_trouble(sandbox, "the customers stopped: that was us", time.time(), kinds=["load"])
        return {"why": why}

    # --- answers --------------------------------------------------------------------------------------
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
            self.told(result.sandbox, "probe", result.id, told)

    async def _every(self, seconds: float, look: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(seconds)
            look()

    def _summarise(self) -> None:
        now = time.time()
        for sandbox, asked in tuple(self._asked.items()):
            for change in asked.summariser.advance(now):
                self.told(sandbox, "probe", change["id"], change)
        self._tell_away(now)

    # --- loads ----------------------------------------------------------------------------------------
    def start_load(self, track: Track, load: Load, rate: float) -> None:
        """Raises ProberAway."""
        spec = load_spec(load, track.plan.namespace, track.sandbox, rate=rate)
        self.prober.start_load(track.sandbox, spec)

    def end_load(self, track: Track, load: str) -> None:
        """Before its time. What is under way is answered first, then it is told as ended."""
        if (asked := self._asked.get(track.sandbox)) is not None:
            asked.stopped.add(load)
        self.prober.end_load(track.sandbox, load)

    def _on_load(self, news: LoadNews) -> None:
        asked = self._asked.get(news.sandbox)
        if asked is None:
            return
        if news.op in ("second", "failure"):
            self.told(news.sandbox, "load", news.id, change_of(news, asked.track.pod_uids))
            return
        ended: dict[str, Any] = {"id": news.id, "phase": "ended"}
        if news.error:
            ended |= self._lost(news.sandbox, news.error)
        elif news.id in asked.stopped:
            ended["stopped"] = True
        asked.stopped.discard(news.id)
        self.told(news.sandbox, "load", news.id, ended)

    # --- memory ---------------------------------------------------------------------------------------
    def _measure(self) -> None:
        for sandbox, asked in tuple(self._asked.items()):
            pods = dict(list(asked.track.addresses.items())[:MOST_MEASURED]) if asked.is_measured else {}
            if pods:
                self.prober.measure(sandbox, pods)

    def _on_memory(self, sandbox: str, said: dict[str, int]) -> None:
        asked = self._asked.get(sandbox)
        if asked is None:
            return
        own = {uid: used for uid, used in said.items() if uid in asked.track.pod_uids}
        known = asked.memory
        changed = any(
            abs(used - known.get(uid, -SMALLEST_CHANGE)) >= SMALLEST_CHANGE for uid, used in own.items()
        )
        if changed:
            asked.memory = own
            self.told(sandbox, "measure", "memory", {"pods": own})

    # --- when nobody can ask --------------------------------------------------------------------------
    def _on_state(self, connected: bool) -> None:
        if not connected:
            self._away_since = self._away_since or time.time()
        elif self._away_since is not None:
            self._tell_away(time.time())
            self._away_since, self._away_told = None, 0.0

    def _tell_away(self, now: float) -> None:
        """Requests that nobody sent prove nothing. Told again when it lasts, ever less often."""
        since = self._away_since
        if since is None or now - since < SILENT_S or now < self._away_told:
            return
        self._away_told = now + max(1.0, (now - since) / 2)
        for sandbox in tuple(self._asked):
            text = "nobody could be sent to your shop for a moment: that was us"
            self._tell_trouble(sandbox, text, since, until=self._away_told, kinds=["probe", "load"])

    def _tell_trouble(
        self, sandbox: str, text: str, since: float, *, until: float | None = None, kinds: list[str]
    ) -> None:
        change = {"text": text, "from": since, "until": until or since, "kinds": kinds}
        self.told(sandbox, "trouble", "", change)
