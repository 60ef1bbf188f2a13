"""Everything that needs a ready cluster: clients, observer, reconciler, marks that go back into the record."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from django.conf import settings

from classroom.database import in_database
from classroom.exercises import bell, telling
from classroom.exercises.marking import read_images
from classroom.exercises.submitting import HandOver, hand_over
from classroom.live.terminals import Terminals
from classroom.workspaces.cluster_steps import ClusterSteps
from classroom.workspaces.models import Sandbox
from classroom.workspaces.reconciling import Reconciler
from sandbox.cluster.client import ClusterClient
from sandbox.errors import Unauthorized
from sandbox.faults.hands import SupervisorHands
from sandbox.observing import Observer
from sandbox.plan import TOOLBOX_NAMESPACE
from sandbox.terminal import TerminalSession
from sandbox.tokens import student_token

if TYPE_CHECKING:
    from classroom.live.runtime import Runtime

log = structlog.get_logger(__name__)
MARK_LOOK_SECONDS = 5.0


class ClusterSide:
    """Made when the cluster is ready, closed when it is not any more."""

    def __init__(self, runtime: Runtime, clients: dict[str, ClusterClient]) -> None:
        self.runtime, self.clients = runtime, clients
        self.observer = Observer(
            observer=clients["observer"],
            keeper=clients["keeper"],
            runner=clients["runner"],
            store=runtime.store,
            audit=audit_file(settings.AUDIT_FILE),
            images=read_images(),
            on_handover=self._handed_over,
            hands=SupervisorHands(settings.HANDS_SOCKET),
        )
        self.steps = ClusterSteps(clients["keeper"], self.observer)
        self.reconciler = Reconciler(self.steps, self.observer, _Desk(runtime), runtime.resting_snapshot)
        self.terminals = Terminals(self._start_shell)
        self._marked = asyncio.Event()

    @classmethod
    async def make(cls, runtime: Runtime) -> ClusterSide:
        """Raises OSError when the supervisor has not written the kubeconfigs yet."""
        names = {"observer": "observer", "keeper": "keeper", "runner": "runner", "editor": "runner"}
        clients = {
            purpose: ClusterClient.from_kubeconfig(
                settings.KUBE_FOLDER / f"{account}.kubeconfig",
                user_agent=f"glasshull-{AGENTS.get(purpose, purpose)}",
            )
            for purpose, account in names.items()
        }
        return cls(runtime, clients)

    async def run(self) -> None:
        """Until cancelled, or until a part that cannot go on alone has failed."""
        watching = asyncio.ensure_future(self.observer.run())
        bells = await bell.listen(settings.BELL_FILE, self._marked.set)
        try:
            # Opening a sandbox before the first list would read "not listed yet" as "deleted".
            await self.observer.ready()
            self.runtime.side = self
            self.runtime.hub.attach(self.observer)
            await _first(watching, self.reconciler.run(), self._tell_marks())
        finally:
            bells.close()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def close(self) -> None:
        await self.terminals.close_all()
        for sandbox in tuple(self.observer.tracks):
            with contextlib.suppress(Exception):
                self.observer.close(sandbox)
        await asyncio.gather(*(client.close() for client in self.clients.values()), return_exceptions=True)

    # --- acts that need more than the observer ------------------------------------------------------
    async def write_file(self, row: Sandbox, name: str, text: str) -> None:
        await self.steps.write_file(row, name, text)

    async def _start_shell(self, sandbox: str, cols: int, rows: int) -> TerminalSession:
        toolbox = self.observer.track(sandbox).plan.toolbox
        return await TerminalSession.open(
            self.clients["runner"], TOOLBOX_NAMESPACE, toolbox, cols=cols, rows=rows
        )

    async def apply(self, row: Sandbox, manifests: list[Any], *, dry_run: bool) -> list[dict[str, Any]]:
        from sandbox.applying import apply

        track = self.observer.track(str(row.pk))
        namespace, editor = track.plan.namespace, self.clients["editor"]
        token = await self.observer.token_for(track)
        try:
            applied = await apply(editor, token.value, namespace, manifests, dry_run=dry_run)
        except Unauthorized:
            # The cluster forgot the key (it was restarted with a new one of its own): ask for another, once.
            token = await student_token(self.clients["keeper"], track.plan)
            applied = await apply(editor, token.value, namespace, manifests, dry_run=dry_run)
        return [msgspec.to_builtins(each) for each in applied]

    # --- marks --------------------------------------------------------------------------------------
    def _handed_over(self, sandbox: str, attempt: int, first: int, last: int, by: str) -> None:
        handed = HandOver(number=attempt, first_seq=first, last_seq=last, by=by)
        self.observer.spawn(in_database(hand_over, sandbox, handed), f"hand over {sandbox}")

    async def _tell_marks(self) -> None:
        """Each mark becomes a `mark` entry once, so that the page shows it; the bell makes it immediate."""
        while True:
            for mark in await in_database(telling.read_untold):
                if telling.tell(self.observer, mark):
                    await in_database(telling.note_told, mark.pk)
                    self.runtime.something_changed()
            self._marked.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._marked.wait(), MARK_LOOK_SECONDS)


AGENTS = {"runner": "picture"}  # what the student does in the picture and the page goes through the runner


class _Desk:
    """The reconciler's news, passed on."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def opened(self, sandbox: str) -> None:
        self._runtime.hub.opened(sandbox)

    def closed(self, sandbox: str, resting: dict[str, Any]) -> None:
        self._runtime.hub.closed(sandbox, resting)
        if self._runtime.side is not None:
            self._runtime.spawn(self._runtime.side.terminals.close(sandbox), f"close terminal {sandbox}")

    def rest(self, sandbox: str, resting: dict[str, Any]) -> None:
        self._runtime.hub.rest(sandbox, resting)

    def changed(self) -> None:
        self._runtime.something_changed()


def audit_file(path: Path) -> Path | None:
    """None, with a warning, when we may not read it: then what students do with kubectl is not in the record."""
    if os.access(path, os.R_OK):
        return path
    log.warning("the audit log cannot be read: actions are not seen", path=str(path))
    return None


async def _first(*works: Any) -> None:
    """Until the first ends or fails; the others are cancelled."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
