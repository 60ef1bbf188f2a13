"""`/ws/terminal/<id>/`: the student's shell. Sessions live in `sandbox.terminal`; this only carries frames."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from classroom.access import OwnSandbox, Rule
from classroom.live.runtime import NotObserved, runtime
from classroom.live.sockets import Close, Socket
from classroom.workspaces.models import Phase
from sandbox.errors import ClusterUnavailable, SandboxError
from sandbox.terminal import Exit, TerminalSession, Viewer

log = logging.getLogger(__name__)

DEFAULT_SIZE = (80, 24)


class Terminals:
    """One shell per sandbox, shared by its owner's tabs; a shell that ended is replaced when asked for."""

    def __init__(self, start: Callable[[str, int, int], Awaitable[TerminalSession]]) -> None:
        """`start(sandbox, cols, rows)` opens a shell in the sandbox's toolbox; may raise SandboxError."""
        self._start = start
        self._sessions: dict[str, TerminalSession] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def session(self, sandbox: str, cols: int, rows: int) -> TerminalSession:
        """The shell that runs, or a new one. Raises SandboxError."""
        async with self._locks.setdefault(sandbox, asyncio.Lock()):
            known = self._sessions.get(sandbox)
            if known is not None and known.exit is None:
                await known.resize(cols, rows)
                return known
            made = await self._start(sandbox, cols, rows)
            self._sessions[sandbox] = made
            return made

    async def close(self, sandbox: str, text: str = "The sandbox has ended.") -> None:
        self._locks.pop(sandbox, None)
        session = self._sessions.pop(sandbox, None)
        if session is not None:
            await session.close(text)

    async def close_all(self) -> None:
        await asyncio.gather(*(self.close(key, "The terminal was cut off.") for key in tuple(self._sessions)))


class TerminalSocket(Socket):
    """Rules T1 to T3. Only the owner types: an instructor looks at the picture, never into the shell."""

    access_rule: ClassVar[Rule] = OwnSandbox()

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.session: TerminalSession | None = None
        self.viewer: Viewer | None = None
        self._opened = asyncio.Event()

    async def serve(self) -> None:
        self.still_there()
        while True:
            await self._opened.wait()
            if self.viewer is None:
                self._opened.clear()
                continue
            await self._pass_on(self.viewer)

    async def _pass_on(self, viewer: Viewer) -> None:
        """The next piece of output, or the end of the shell."""
        output = await viewer.next()
        if viewer is not self.viewer:
            return  # opened again meanwhile
        if isinstance(output, Exit):
            ended = {"f": "exit", "code": output.code, "text": output.text, "cut": output.cut}
            await self.send_frame(ended)
            self._detach()
            return
        if output.lost:
            await self.send_frame({"f": "opened", "from": output.at})
        await self.gate.wait()
        await self.send_bytes(output.data)

    async def on_frame(self, frame: dict[str, Any]) -> None:
        kind = frame.get("f")
        if kind == "open":
            await self._open(frame)
        elif kind == "resize" and self.session is not None:
            await self._try(self.session.resize(*_size(frame)))
        elif kind == "ack" and self.viewer is not None:
            self.viewer.acknowledge(_whole(frame.get("n")) or 0)

    async def on_bytes(self, data: bytes) -> None:
        """T3: more than 64 kB at once is refused by the session, and nothing of it is sent on."""
        if self.session is None:
            await self.send_frame({"f": "error", "text": "The terminal is not open yet."})
            return
        await self._try(self.session.write(data))

    async def _open(self, frame: dict[str, Any]) -> None:
        self._detach()
        try:
            self.session = await runtime().terminal(str(self.granted.pk), *_size(frame))
        except NotObserved as error:
            await self.send_frame({"f": "error", "text": str(error)})
            return
        except SandboxError as error:
            log.warning("terminal: no shell in %s: %s", self.granted.pk, error)
            await self.send_frame({"f": "error", "text": _why_not(error)})
            return
        viewer = self.session.attach(_whole(frame.get("since")))
        await self.send_frame({"f": "opened", "from": viewer.start})
        self.viewer = viewer
        self._opened.set()

    async def _try(self, work: Awaitable[None]) -> None:
        try:
            await work
        except SandboxError as error:
            await self.send_frame({"f": "error", "text": str(error)})

    def _detach(self) -> None:
        if self.viewer is not None:
            self.viewer.detach()
            self.viewer = None

    def still_there(self) -> None:
        if self.granted.phase == Phase.REMOVED:
            raise Close(4010, "removed", "This sandbox has ended. Start again whenever you like.")

    async def left(self) -> None:
        self._detach()


def _why_not(error: SandboxError) -> str:
    """For the student: what the Pod behind the terminal is called is no concern of theirs."""
    if isinstance(error, ClusterUnavailable):
        return "The cluster does not answer just now."
    return "The terminal's shell is not there just now."


def _size(frame: dict[str, Any]) -> tuple[int, int]:
    cols, rows = _whole(frame.get("cols")), _whole(frame.get("rows"))
    return cols or DEFAULT_SIZE[0], rows or DEFAULT_SIZE[1]


def _whole(value: Any) -> int | None:
    """None for anything but a whole number that JavaScript counts exactly."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None
