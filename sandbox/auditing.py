"""What students did, from the API server's audit log: only their own requests that change something."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias
from urllib.parse import parse_qs, urlsplit

import msgspec

from sandbox.naming import is_sandbox_namespace
from sandbox.plan import STUDENT

log = logging.getLogger(__name__)

Through: TypeAlias = Literal["terminal", "editor", "picture", "page"]

POLL_S = 0.05
CHUNK = 256 * 1024
LINE_LIMIT = 4 * 2**20

_READS = frozenset({"get", "list", "watch"})
# Streams into a Pod: their HTTP verb says nothing, so they are named after what they do.
_STREAMS = frozenset({"exec", "attach", "portforward"})


@dataclass(frozen=True, slots=True)
class Action:
    """One request of a student that changed, or tried to change, something.

    `verb` is create, update, patch, delete, deletecollection, scale, exec, attach or portforward; `code` the
    HTTP status; `at` the API server's time in Unix seconds (data, never used for grading).
    """

    namespace: str
    verb: str
    resource: str
    name: str
    code: int
    through: Through
    subresource: str
    at: float

    def change(self) -> dict[str, Any]:
        """The `change` of an `action` entry."""
        return {
            "verb": self.verb,
            "resource": self.resource,
            "name": self.name,
            "code": self.code,
            "through": self.through,
            "subresource": self.subresource,
        }


class _Reference(msgspec.Struct):
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""


class _User(msgspec.Struct):
    username: str = ""


class _Status(msgspec.Struct):
    code: int = 0


class _Event(msgspec.Struct):
    """The part of an audit event that is read."""

    stage: str = ""
    verb: str = ""
    requestURI: str = ""  # noqa: N815  (the API's name)
    userAgent: str = ""  # noqa: N815
    user: _User = msgspec.field(default_factory=_User)
    objectRef: _Reference | None = None  # noqa: N815
    responseStatus: _Status | None = None  # noqa: N815
    stageTimestamp: str = ""  # noqa: N815


_decoder = msgspec.json.Decoder(_Event)


def action_of(line: bytes) -> Action | None:
    """The action in one line of the audit log, if it is one of a student."""
    # Most lines are others'; looking for the words first costs a fiftieth of decoding.
    if b"system:serviceaccount:gh-" not in line:
        return None
    try:
        event = _decoder.decode(line)
    except msgspec.DecodeError:
        log.warning("audit log: a line could not be read and is left out")
        return None
    reference = event.objectRef
    if reference is None or not is_sandbox_namespace(reference.namespace):
        return None
    if event.user.username != f"system:serviceaccount:{reference.namespace}:{STUDENT}":
        return None
    verb = _verb(event, reference)
    if verb is None:
        return None
    return Action(
        namespace=reference.namespace,
        verb=verb,
        resource=reference.resource,
        name=reference.name,
        code=event.responseStatus.code if event.responseStatus else 0,
        through=through_of(event.userAgent),
        subresource=reference.subresource,
        at=_seconds(event.stageTimestamp),
    )


def _verb(event: _Event, reference: _Reference) -> str | None:
    """None for what is no action: reads, dry runs, access reviews, the first half of a long request."""
    if reference.subresource in _STREAMS:
        # Told when it begins; its end may be hours away. A refused one never begins.
        code = event.responseStatus.code if event.responseStatus else 0
        refused = event.stage == "ResponseComplete" and code >= 400
        return reference.subresource if event.stage == "ResponseStarted" or refused else None
    if event.stage not in ("ResponseComplete", "Panic") or event.verb in _READS:
        return None
    if reference.resource.endswith("reviews") or _is_dry_run(event.requestURI):
        return None
    if reference.subresource == "scale":
        return "scale"
    created = event.verb == "patch" and event.responseStatus is not None and event.responseStatus.code == 201
    return "create" if created else event.verb  # a server-side apply that made a new object


def _is_dry_run(uri: str) -> bool:
    return "dryRun" in uri and bool(parse_qs(urlsplit(uri).query).get("dryRun"))


def through_of(user_agent: str) -> Through:
    """Which way the student took. Everything that is not ours came out of the terminal."""
    if user_agent.startswith("glasshull-editor"):
        return "editor"
    if user_agent.startswith("glasshull-picture"):
        return "picture"
    if user_agent.startswith("glasshull-page"):
        return "page"
    return "terminal"


def _seconds(timestamp: str) -> float:
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except ValueError:
        return 0.0


# --- following the file -----------------------------------------------------------------------------
OnAction: TypeAlias = Callable[[Action], None]


async def tail(path: Path, on_action: OnAction, *, from_start: bool = False, poll: float = POLL_S) -> None:
    """Call `on_action` for every new action until cancelled; starts at the end of the file.

    Survives rotation (the old file is read to its end first), truncation, and a file that is not there yet.
    """
    follower = _Follower(path, from_start=from_start)
    try:
        while True:
            for line in follower.new_lines():
                action = action_of(line)
                if action is not None:
                    on_action(action)
            await asyncio.sleep(poll)
    finally:
        follower.close()


class _Follower:
    """Whole lines as they are appended. Not inotify: one `stat` each 50 ms costs nothing and never misses."""

    def __init__(self, path: Path, *, from_start: bool) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._rest = b""
        self._open(at_end=not from_start)

    def new_lines(self) -> list[bytes]:
        if self._file is None and not self._open(at_end=False):
            return []
        lines = self._read()
        if self._is_replaced():
            lines += self._read()  # what was written between the reading and the rotation
            self.close()
            if self._open(at_end=False):
                lines += self._read()
        return lines

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._rest = None, b""

    def _open(self, *, at_end: bool) -> bool:
        try:
            self._file = self._path.open("rb", buffering=0)
        except OSError:
            self._file = None
            return False
        if at_end:
            self._file.seek(0, os.SEEK_END)
        return True

    def _read(self) -> list[bytes]:
        assert self._file is not None  # noqa: S101  (callers opened it)
        lines: list[bytes] = []
        while part := self._file.read(CHUNK):
            *whole, self._rest = (self._rest + part).split(b"\n")
            lines += whole
            if len(self._rest) > LINE_LIMIT:
                self._rest = b""
        return lines

    def _is_replaced(self) -> bool:
        """Renamed away by rotation, or cut to nothing."""
        assert self._file is not None  # noqa: S101  (callers opened it)
        mine = os.fstat(self._file.fileno())
        try:
            there = self._path.stat()
        except OSError:
            return False
        if there.st_ino != mine.st_ino or there.st_dev != mine.st_dev:
            return True
        return there.st_size < self._file.tell()
