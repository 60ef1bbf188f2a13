"""A shell in the toolbox that outlives a browser's connection, but not its own.

The shell runs under `terminal` (sandbox/embedded/images/sources/terminal), because a terminal of the container
runtime goes on for ever when its stream is cut. Output is numbered by position: the number of its first byte.
A viewer that comes back says the position it has reached and is given what follows.
"""

from __future__ import annotations

import asyncio
import logging
import re
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.cluster.client import ClusterClient
from sandbox.errors import SandboxError
from sandbox.exec_stream import ExecStream, open_exec
from sandbox.toolbox_files import read_file, write_file

__all__ = ["Exit", "InputTooLarge", "Output", "TerminalSession", "Viewer", "read_file", "write_file"]

log = logging.getLogger(__name__)

SHELL = ("sh", "-l")
REPLAY = 50_000  # bytes a new viewer is given of the past
CREDIT = 128 * 1024  # bytes a viewer may be behind before the session stops reading from the Pod
RETAINED = CREDIT + 64 * 1024  # what is under way to viewers, and one frame more
LARGEST_OUTPUT = 32 * 1024
LARGEST_INPUT = 64 * 1024
COLUMNS, ROWS = (20, 400), (5, 200)
IDLE_S = 30 * 60.0
CUT_OFF = "The terminal was cut off. Your files are kept."
CLEAN_EXITS = {0, 130}  # 130: Ctrl-C at an empty prompt, then Ctrl-D

# Questions a program asks the terminal (where is the cursor, what are you). In a replay they were answered
# long ago; a second answer would be typed into whatever runs now. NULs keep the positions and show nothing.
_QUESTIONS = re.compile(rb"\x1b\[[?>=]?[0-9;]*[nc]")


class InputTooLarge(SandboxError):
    """More than 64 kB of input at once; nothing of it was sent on."""


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes from position `at` on. `lost` bytes before them are gone: this viewer was too far behind."""

    at: int
    data: bytes
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Exit:
    """The shell ended; `text` says why to the student. `cut`: nobody wanted it, so a new one is worth a try."""

    code: int | None
    text: str
    cut: bool = False


def clamp_size(cols: int, rows: int) -> tuple[int, int]:
    """The nearest size a terminal may have here."""
    return min(max(cols, COLUMNS[0]), COLUMNS[1]), min(max(rows, ROWS[0]), ROWS[1])


class Viewer:
    """One reader of a session. Its own pace costs nobody else: it reads from the session's buffer."""

    def __init__(self, session: TerminalSession, start: int) -> None:
        self._session = session
        self.start = start
        self.sent = start
        self.acknowledged = start
        self.news = asyncio.Event()

    async def next(self) -> Output | Exit:
        """The next output, or the end once everything before it was given."""
        while True:
            self.news.clear()
            if self.sent - self.acknowledged < CREDIT:
                output = self._session.read(self.sent)
                if output is not None:
                    self.sent = output.at + len(output.data)
                    return output
                if self._session.exit is not None:
                    return self._session.exit
            await self.news.wait()

    def acknowledge(self, position: int) -> None:
        """The browser has shown everything before `position`."""
        self.acknowledged = min(max(self.acknowledged, position), self.sent)
        self.news.set()
        self._session.reconsider()

    def detach(self) -> None:
        """Leave. The shell goes on, until it is idle for too long."""
        self._session.forget(self)


class TerminalSession:
    """One shell. `open` starts it; `close` hangs up."""

    def __init__(self, stream: ExecStream, *, first: int | None = None, idle: float = IDLE_S) -> None:
        self._stream = stream
        # Positions start at the clock's milliseconds, so that a viewer of an earlier shell cannot mistake its
        # position for one of this shell's. (JavaScript counts exactly up to 9e15.)
        self.position = time.time_ns() // 1_000_000 if first is None else first
        self._from = self.position  # of the first byte retained
        self._buffer = bytearray()
        self._viewers: set[Viewer] = set()
        self._unwatched_since = self.position
        self._may_read = asyncio.Event()
        self._idle = idle
        self._last_sign = time.monotonic()
        self._farewell = ""
        self.exit: Exit | None = None
        self._tasks = [asyncio.create_task(self._pump()), asyncio.create_task(self._watch_idleness())]

    @classmethod
    async def open(
        cls,
        client: ClusterClient,
        namespace: str,
        pod: str,
        *,
        container: str = "toolbox",
        argv: Sequence[str] = SHELL,
        cols: int = 80,
        rows: int = 24,
        token: str | None = None,
        idle: float = IDLE_S,
    ) -> TerminalSession:
        """Start a shell. Raises ApiError and ClusterUnavailable."""
        columns, lines = clamp_size(cols, rows)
        command = ("terminal", str(columns), str(lines), *argv)
        return cls(await open_exec(client, namespace, pod, container, command, token=token), idle=idle)

    def attach(self, since: int | None = None) -> Viewer:
        """A new viewer, from `since` where that is still kept, else from the last 50 kB on."""
        oldest = max(self._from, self.position - REPLAY)
        start = since if since is not None and self._from <= since <= self.position else oldest
        self._silence_questions()
        viewer = Viewer(self, start)
        self._viewers.add(viewer)
        self._last_sign = time.monotonic()
        self.reconsider()
        return viewer

    async def write(self, data: bytes) -> None:
        """Type. Waits while the connection is full. Raises InputTooLarge, ClusterUnavailable."""
        if len(data) > LARGEST_INPUT:
            raise InputTooLarge("More than 64 kB were pasted at once; paste it in parts, or use the editor.")
        self._last_sign = time.monotonic()
        if self.exit is None and data:
            await self._stream.write(frame(b"d", data))

    async def resize(self, cols: int, rows: int) -> None:
        """Raises ClusterUnavailable."""
        if self.exit is None:
            await self._stream.write(frame(b"r", struct.pack(">HH", *clamp_size(cols, rows))))

    async def close(self, text: str = "The terminal was closed.") -> None:
        """Hang up: the shell and what it started end. Viewers are told `text`. Twice is the same as once."""
        self._farewell = self._farewell or text
        await self._stream.close()
        current = asyncio.current_task()
        others = [task for task in self._tasks if task is not current]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self._end(Exit(None, self._farewell))

    # --- for Viewer -----------------------------------------------------------------------------------
    def read(self, position: int) -> Output | None:
        """What lies at `position`, or the oldest kept after it; None when nothing does."""
        start = max(position, self._from)
        if start >= self.position:
            return None
        offset = start - self._from
        return Output(start, bytes(self._buffer[offset : offset + LARGEST_OUTPUT]), start - position)

    def forget(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        if not self._viewers:
            self._unwatched_since = self.position
        self.reconsider()

    def reconsider(self) -> None:
        """Read on from the Pod if anybody can take it.

        The fastest viewer sets the pace, so that a sleeping second tab stops nobody; one left behind by more
        than is kept is told what it lost. Without a viewer the shell may say as much as one could hold.
        """
        taken = max((viewer.acknowledged for viewer in self._viewers), default=self._unwatched_since)
        if self.position - taken < CREDIT:
            self._may_read.set()
        else:
            self._may_read.clear()

    # --- tasks ----------------------------------------------------------------------------------------
    async def _pump(self) -> None:
        try:
            async for _, data in self._stream:
                self._keep(data)
                await self._may_read.wait()
            status = self._stream.exit_status
            code = status.code if status else None
            if code is None and status is not None:
                log.warning("terminal: the shell was not run: %s", status.reason)
            self._end(
                Exit(code, self._farewell or describe_exit(code), cut=code is None and not self._farewell)
            )
        except SandboxError as error:
            log.info("terminal: cut off: %s", error)
            self._end(Exit(None, self._farewell or CUT_OFF, cut=not self._farewell))
        finally:
            await self._stream.close()

    def _keep(self, data: bytes) -> None:
        self._buffer += data
        self.position += len(data)
        surplus = len(self._buffer) - RETAINED
        if surplus > LARGEST_OUTPUT:  # in larger steps: each moves the rest
            del self._buffer[:surplus]
            self._from += surplus
        self.reconsider()
        for viewer in self._viewers:
            viewer.news.set()

    async def _watch_idleness(self) -> None:
        # The moment moves with every key; an event per key would buy nothing.
        while (left := self._last_sign + self._idle - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left)
        minutes = round(self._idle / 60)
        await self.close(f"Nothing was typed for {minutes} minutes, so the terminal was closed.")

    def _silence_questions(self) -> None:
        """In what some viewer was already given."""
        given = max((viewer.sent for viewer in self._viewers), default=self.position) - self._from
        if given > 0:
            past = _QUESTIONS.sub(lambda found: bytes(len(found[0])), bytes(self._buffer[:given]))
            self._buffer[:given] = past

    def _end(self, exit_: Exit) -> None:
        if self.exit is None:
            self.exit = exit_
        for viewer in self._viewers:
            viewer.news.set()


def frame(kind: bytes, payload: bytes) -> bytes:
    """A frame as `terminal` reads it: kind, length, payload."""
    return kind + struct.pack(">I", len(payload)) + payload


def describe_exit(code: int | None) -> str:
    """Words for the student."""
    if code is None:
        return CUT_OFF
    if code in CLEAN_EXITS:
        return "The shell ended."
    return f"The shell ended with code {code}."
