"""Brings every sandbox from what it is to what it should be. Runs in the web process's loop.

Each look reads all rows, decides (`deciding.py`) and lets one task per sandbox do the next step. Every step
may be done twice, so a crash between any two of them only means that the next process does it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from classroom.database import in_database
from classroom.exercises.submitting import catch_up
from classroom.workspaces.deciding import Step, compare, decide, retry_pause
from classroom.workspaces.models import Phase, Sandbox
from classroom.workspaces.phases import (
    note_phase,
    ready_text,
    self_item,
    waiting_text,
    warning_due,
    warning_text,
)
from classroom.workspaces.rubric import exercise_from, plan_of, start_objects
from sandbox.errors import ClusterUnavailable, NotFound, SandboxError, SandboxMismatch
from sandbox.record.delta import Delta

log = structlog.get_logger(__name__)
LOOK_SECONDS = 1.0
SWEEP_SECONDS = 60.0
AT_ONCE = 4  # preparations side by side; the kubelets of a small machine start no more Pods at once
RENEW_SECONDS = 15 * 60.0  # before a key ends (design: architecture, section 7: renewed at 45 of 60 min)
OnPhase = Callable[[str, float | None], None]  # name, milliseconds it took; None when it begins


@dataclass(frozen=True, slots=True)
class Made:
    """What to remember of a prepared sandbox. `key_expires` in Unix seconds."""

    namespace_uid: str
    key_expires: float


class Steps(Protocol):
    """What can be done to a sandbox in the cluster. Every one is idempotent and may raise SandboxError."""

    async def prepare(self, row: Sandbox, objects: list[dict[str, Any]], on_phase: OnPhase) -> Made:
        """Namespace, guard rails, toolbox, key, the lesson's start state and its files (or the student's text
        of them) in the toolbox's home: all confirmed."""

    async def renew_key(self, row: Sandbox) -> float:
        """A fresh key into the toolbox; when it ends, in Unix seconds."""

    async def remove(self, row: Sandbox) -> None:
        """Everything of it, and nothing whose uid is not the recorded one."""

    async def uid_of(self, row: Sandbox) -> str | None:
        """The uid of the namespace that is there now, None when there is none."""

    async def namespaces(self) -> dict[str, str]:
        """Name -> uid of every namespace in the cluster that is a sandbox's."""

    async def limit(self) -> int:
        """How many sandboxes this cluster takes at once."""


class Desk(Protocol):
    """What the reconciler tells: the hub, the class tables, the terminals."""

    def opened(self, sandbox: str) -> None: ...
    def closed(self, sandbox: str, resting: dict[str, Any]) -> None: ...
    def rest(self, sandbox: str, resting: dict[str, Any]) -> None: ...
    def changed(self) -> None: ...


class Reconciler:
    """`observer` is `sandbox.observing.Observer`, already watching."""

    def __init__(
        self, steps: Steps, observer: Any, desk: Desk, resting: Callable[[Sandbox], dict[str, Any]]
    ) -> None:
        self.steps, self.observer, self.desk, self.resting = steps, observer, desk, resting
        self._wake = asyncio.Event()
        self._work: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[str, float] = {}
        self._warned: dict[str, int] = {}
        self._key_expires: dict[str, float] = {}
        self._strangers: set[str] = set()
        self._sweep_at = time.monotonic() + SWEEP_SECONDS
        self._places = asyncio.Semaphore(AT_ONCE)

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled; then the steps under way are cancelled too (the next process does them again)."""
        try:
            while True:
                await self.look()
                if time.monotonic() >= self._sweep_at:
                    self._sweep_at = time.monotonic() + SWEEP_SECONDS
                    await self.sweep()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
                self._wake.clear()
        finally:
            for task in self._work.values():
                task.cancel()
            await asyncio.gather(*self._work.values(), return_exceptions=True)

    async def look(self) -> None:
        """One look at all rows; begins a task for each step that nobody does yet."""
        rows = {str(row.pk): row for row in await in_database(read_rows)}
        limit = settings.SANDBOX_LIMIT or await self._limit()
        for step in decide(rows.values(), timezone.now(), limit):
            if step.sandbox in self._work or time.monotonic() < self._not_before.get(step.sandbox, 0.0):
                continue
            if self._needs_work(step, rows[step.sandbox]):
                task = asyncio.ensure_future(self._do(step, rows[step.sandbox]))
                task.set_name(f"{step.verb} {step.sandbox}")
                self._work[step.sandbox] = task
                task.add_done_callback(partial(self._done, step.sandbox))

    async def sweep(self) -> None:
        """Compare database and cluster both ways; one broken sandbox keeps no other from its turn."""
        try:
            namespaces = await self.steps.namespaces()
        except SandboxError as error:
            log.warning("the cluster's namespaces are unknown", error=str(error))
            return
        found = compare(await in_database(read_all, list(namespaces)), namespaces)
        for row in found.remains:
            try:
                await self.steps.remove(row)
                log.info("what was left of an ended sandbox is removed", sandbox=str(row.pk))
            except SandboxError as error:
                log.warning("what is left of an ended sandbox stays", sandbox=str(row.pk), error=str(error))
        for row in found.lost:
            if str(row.pk) not in self._work:
                await self._lost(row)
        if set(found.strangers) - self._strangers:
            log.warning("namespaces that nobody recorded are left alone", namespaces=found.strangers)
        self._strangers = set(found.strangers)

    async def settle(self) -> None:
        """Wait for the steps under way (for tests)."""
        while self._work:
            await asyncio.gather(*self._work.values(), return_exceptions=True)
            await asyncio.sleep(0)

    def _done(self, sandbox: str, task: asyncio.Task[None]) -> None:
        del self._work[sandbox]
        if not task.cancelled() and task.exception() is not None:
            log.error("step failed", task=task.get_name(), exc_info=task.exception())
            self._not_before[sandbox] = time.monotonic() + retry_pause(3)
        self._wake.set()

    async def _limit(self) -> int:
        try:
            return await self.steps.limit()
        except SandboxError as error:
            log.warning("the cluster's room is unknown", error=str(error))
            return 0  # nobody new until the cluster answers; those who run keep running

    def _needs_work(self, step: Step, row: Sandbox) -> bool:
        if step.verb == "queue":
            return row.place != step.place
        if step.verb == "keep":
            known = step.sandbox in self.observer.tracks
            half = known and self.observer.is_half_reset(step.sandbox)
            return not known or half or self._key_is_old(step.sandbox) or self._warning(row) is not None
        return True

    def _warning(self, row: Sandbox) -> int | None:
        if row.expires is None:
            return None
        left = (row.expires - timezone.now()).total_seconds()
        if left > 600:
            self._warned.pop(str(row.pk), None)  # extended: warn again next time
        return warning_due(left, self._warned.get(str(row.pk)))

    def _key_is_old(self, sandbox: str) -> bool:
        return self._key_expires.get(sandbox, 0.0) - time.time() < RENEW_SECONDS

    async def _do(self, step: Step, row: Sandbox) -> None:
        if step.verb == "queue":
            await self._queue(row, step.place)
        elif step.verb == "remove":
            await self._remove(row)
        elif step.verb == "keep":
            await self._keep(row)
        else:
            async with self._places:
                await self._prepare(row)

    # --- the steps ----------------------------------------------------------------------------------
    async def _queue(self, row: Sandbox, place: int) -> None:
        await self._save(row, place=place, text=waiting_text(place))
        self.desk.rest(str(row.pk), self._snapshot(row))

    async def _prepare(self, row: Sandbox) -> None:
        """From asked for to ready. Anything that raises leaves the row in `preparing`, to be done again."""
        try:
            await self._save(row, phase=Phase.PREPARING, place=0, phases=[], namespace=plan_of(row).namespace)
            await self._open(row)
            self._tell(row)
            phases: list[dict[str, Any]] = []

            def on_phase(name: str, ms: float | None) -> None:
                note_phase(phases, name, ms)
                self._tell(row, phases=[dict(each) for each in phases])

            made = await self.steps.prepare(row, await in_database(start_objects, row), on_phase)
            self._key_expires[str(row.pk)] = made.key_expires
            await self._save(row, namespace_uid=made.namespace_uid, phases=phases)
        except SandboxError as error:
            await self._failed(row, error)
            return
        expires = timezone.now() + timedelta(seconds=settings.SANDBOX_SECONDS)
        text = ready_text(row)
        await self._save(row, phase=Phase.READY, expires=expires, text=text, tries=0, lost=False)
        self._tell(row)
        self._ask_probes(row)

    async def _failed(self, row: Sandbox, error: SandboxError) -> None:
        """Ours, never the student's: say so, wait, try again."""
        if isinstance(error, ClusterUnavailable):
            text = "The cluster does not answer just now. Trying again by itself."
            await self._save(row, text=text)
            pause = 1.0
        else:
            log.warning(
                "a sandbox could not be made", sandbox=str(row.pk), tries=row.tries + 1, error=str(error)
            )
            # The reason names our own objects: it is the operator's, in the log.
            text = "Your sandbox could not be made yet. It is tried again by itself; if it stays, ask your teacher."
            await self._save(row, tries=row.tries + 1, text=text)
            pause = retry_pause(row.tries)
        self._not_before[str(row.pk)] = time.monotonic() + pause
        self._tell(row)

    async def _keep(self, row: Sandbox) -> None:
        """After a start of this process: is it still there? Then observe it again. Later: warn in time."""
        sandbox = str(row.pk)
        if sandbox not in self.observer.tracks:
            try:
                uid = await self.steps.uid_of(row)
            except SandboxError:
                self._not_before[sandbox] = time.monotonic() + 1.0
                return
            if uid is None or uid != row.namespace_uid:
                await self._lost(row)
                return
            await self._open(row)
            if not self.observer.is_half_reset(sandbox):
                self._ask_probes(row)
        if self.observer.is_half_reset(sandbox):
            await self._reset_again(row)
        if self._key_is_old(sandbox):
            await self._renew_key(row)
        minutes = self._warning(row)
        if minutes is not None:
            self._warned[sandbox] = minutes
            await self._save(row, text=warning_text(minutes))
            self._tell(row)

    async def _renew_key(self, row: Sandbox) -> None:
        """A terminal outlives its key: `kubectl` reads the file again for each command."""
        sandbox = str(row.pk)
        try:
            self._key_expires[sandbox] = await self.steps.renew_key(row)
        except SandboxError as error:
            log.warning("a key could not be renewed", sandbox=sandbox, error=str(error))
            self._not_before[sandbox] = time.monotonic() + 10.0

    async def _lost(self, row: Sandbox) -> None:
        """The cluster was built anew: what was inside is gone, the record and the marks are not."""
        text = "The cluster was started anew, so this sandbox is gone. It is made again when you come back."
        await self._save(row, phase=Phase.REMOVED, lost=True, ended=timezone.now(), expires=None, text=text)
        if str(row.pk) in self.observer.tracks:
            self._tell(row)
            self.observer.close(str(row.pk))
        self.desk.closed(str(row.pk), await in_database(self.resting, row))
        self.desk.changed()

    async def _reset_again(self, row: Sandbox) -> None:
        """A reset that a dying process or a silent cluster left half done."""
        sandbox = str(row.pk)
        try:
            await self.observer.finish_reset(sandbox, await in_database(start_objects, row))
        except SandboxError as error:
            log.warning("a reset could not be finished yet", sandbox=sandbox, error=str(error))
            self._not_before[sandbox] = time.monotonic() + 2.0

    async def _remove(self, row: Sandbox) -> None:
        sandbox = str(row.pk)
        if row.phase != Phase.EXPIRING:
            text = "This sandbox ends now." if row.ends else "The time of this sandbox is up."
            await self._save(row, phase=Phase.EXPIRING, text=text)
            self._tell(row)
        try:
            await self.steps.remove(row)
        except NotFound:
            pass  # somebody was faster
        except SandboxMismatch as error:
            log.error("what lies under a sandbox's name is left alone", sandbox=sandbox, error=str(error))
        except SandboxError as error:
            log.warning("a sandbox could not be removed", sandbox=sandbox, error=str(error))
            self._not_before[sandbox] = time.monotonic() + 5.0
            return
        text = "This sandbox has ended. Start again whenever you like."
        await self._save(row, phase=Phase.REMOVED, ended=timezone.now(), expires=None, text=text)
        self._tell(row)
        if sandbox in self.observer.tracks:
            self.observer.close(sandbox)
        self.desk.closed(sandbox, await in_database(self.resting, row))
        self.desk.changed()

    # --- the observer -------------------------------------------------------------------------------
    async def _open(self, row: Sandbox) -> None:
        """Observe it; hand-overs that a dead process did not write down are written down now."""
        sandbox = str(row.pk)
        if sandbox in self.observer.tracks:
            return
        plan, exercise = plan_of(row), exercise_from(row.rubric)
        await self.observer.open(sandbox, plan, exercise, row.params)
        self.observer.listen(sandbox, lambda delta: self._mirror(row.pk, delta))
        self.desk.opened(sandbox)
        await in_database(_catch_up, self.observer.store, sandbox)

    def _ask_probes(self, row: Sandbox) -> None:
        self.observer.asking.start(self.observer.track(str(row.pk)))

    def _tell(self, row: Sandbox, **more: Any) -> None:
        """The row as a `phase` entry of the record (pages read the picture, not the database)."""
        sandbox = str(row.pk)
        if sandbox not in self.observer.tracks:
            self.desk.rest(sandbox, self._snapshot(row))
            return
        said = {**{key: value for key, value in self_item(row).items() if key != "t"}, **more}
        known = getattr(self.observer.tracks[sandbox], "phase", {})
        if all(known.get(key) == value for key, value in said.items()):
            return  # a try that failed like the one before is no news: an outage must not fill the record
        self.observer.append(sandbox, "phase", "", said, "platform")
        self.desk.changed()

    def _snapshot(self, row: Sandbox) -> dict[str, Any]:
        return {"epoch": 0, "seq": 0, "at": time.time(), "items": {"sandbox/self": self_item(row)}}

    def _mirror(self, key: Any, delta: Delta) -> None:
        """What the observer decides (open, resetting, the attempt's number) back into the row."""
        change: dict[str, Any] = {}
        phase = delta.set.get("sandbox/self", {}).get("phase")
        if phase in (Phase.READY, Phase.OPEN, Phase.RESETTING):
            change["phase"] = phase
        number = delta.set.get("attempt/now", {}).get("n")
        if number:
            change["attempt"] = number
        if change:
            self.observer.spawn(in_database(_follow, key, change), f"mirror {key}")
        if any(name.startswith(("check/", "attempt/", "sandbox/")) for name in delta.set):
            self.desk.changed()

    async def _save(self, row: Sandbox, **fields: Any) -> None:
        """Only what this step changes: extend, end and save may write other fields at the same moment."""
        for name, value in fields.items():
            setattr(row, name, value)
        await in_database(row.save, update_fields=list(fields))


def read_rows() -> list[Sandbox]:
    return list(Sandbox.objects.exclude(phase=Phase.REMOVED).select_related("person"))


def read_all(namespaces: list[str]) -> list[Sandbox]:
    """Rows that live, and ended ones whose namespace is (still or again) there."""
    rows = Sandbox.objects.select_related("person").exclude(namespace="")
    return list(rows.filter(~Q(phase=Phase.REMOVED) | Q(namespace__in=namespaces)))


def _follow(key: Any, change: dict[str, Any]) -> None:
    living = Sandbox.objects.filter(pk=key, phase__in=[Phase.READY, Phase.OPEN, Phase.RESETTING])
    living.update(**change)


def _catch_up(store: Any, sandbox: str) -> None:
    entries = [entry for kind in ("start", "submit", "handover") for entry in store.read_kind(sandbox, kind)]
    catch_up(sandbox, sorted(entries, key=lambda entry: entry.seq))
