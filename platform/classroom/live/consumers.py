"""The four sockets: a sandbox's picture, its terminal, the class, the cluster's progress."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from classroom.access import Anyone, CourseRole, OwnSandbox, Rule
from classroom.accounts.models import Role
from classroom.database import in_database
from classroom.live.runtime import runtime
from classroom.live.sockets import Close, Socket
from classroom.live.viewer import Viewer
from classroom.workspaces.models import Phase


class SandboxSocket(Socket):
    """`/ws/sandbox/<id>/`: snapshot, deltas, beats. Streams only; acting is HTTP."""

    access_rule: ClassVar[Rule] = OwnSandbox(watch=True)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._joined = asyncio.Event()
        self.viewer: Viewer | None = None
        self.sandbox_id = ""
        self._owner = False

    async def serve(self) -> None:
        self.sandbox_id = str(self.granted.pk)
        self.still_there()
        resting = await in_database(runtime().resting_snapshot, self.granted)
        viewer = self.viewer = Viewer()
        runtime().hub.join(self.sandbox_id, viewer, resting)
        self._owner = self.person is not None and self.granted.person_id == self.person.pk
        if self._owner:
            runtime().attendance.came(self.sandbox_id)
        self._joined.set()
        while True:
            await viewer.wait()
            await self.gate.wait()
            for encoded in viewer.take():
                await self.send_text(encoded)

    async def on_frame(self, frame: dict[str, Any]) -> None:
        await self._joined.wait()
        if self.viewer is None:
            return
        if frame.get("f") == "resume":
            epoch, seq = _whole(frame.get("epoch")), _whole(frame.get("seq"))
            runtime().hub.resume(self.sandbox_id, self.viewer, epoch, seq)
        elif frame.get("f") == "snapshot":
            runtime().hub.resume(self.sandbox_id, self.viewer, 0, 0)
        elif frame.get("f") == "at" and self._owner:
            runtime().attendance.at_step(self.sandbox_id, str(frame.get("step", "")))

    def still_there(self) -> None:
        if self.granted.phase == Phase.REMOVED and not self.granted.lost:
            raise Close(4010, "removed", "This sandbox has ended. Start again whenever you like.")
        if self.viewer is not None and self.viewer.too_slow:
            raise Close(4008, "too-slow", "Your browser could not keep up. It takes a fresh picture now.")

    async def left(self) -> None:
        if self.viewer is not None:
            runtime().hub.leave(self.sandbox_id, self.viewer)
        if self._owner:
            runtime().attendance.left(self.sandbox_id)


class ClusterSocket(Socket):
    """`/ws/cluster/`: how far the cluster is, pushed when it changes. Everybody may know that."""

    access_rule: ClassVar[Rule] = Anyone()

    async def serve(self) -> None:
        await _follow(runtime().cluster_news, self)


class ClassSocket(Socket):
    """`/ws/class/<course>/`: the class table's rows, pushed when something changed, at most once a second."""

    access_rule: ClassVar[Rule] = CourseRole(Role.INSTRUCTOR)

    async def serve(self) -> None:
        news = runtime().class_news(str(self.parts["course"]))
        try:
            await _follow(news, self)
        finally:
            runtime().leave_class(str(self.parts["course"]))


async def _follow(news: Any, socket: Socket) -> None:
    """Send each new state; a slow socket skips states in between, since each is complete."""
    seen = -1
    while True:
        seen, encoded = await news.after(seen)
        await socket.gate.wait()
        await socket.send_text(encoded)


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
