"""`/ws/terminal/<id>/`: the student's shell. Sessions live in `sandbox.terminal`; this only carries frames."""

from __future__ import annotations

from typing import Any, ClassVar

from classroom.access import OwnSandbox, Rule
from classroom.live.sockets import Socket


class TerminalSocket(Socket):
    access_rule: ClassVar[Rule] = OwnSandbox()

    async def serve(self) -> None:
        raise NotImplementedError

    async def on_frame(self, frame: dict[str, Any]) -> None:
        raise NotImplementedError
