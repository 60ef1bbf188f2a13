"""Rules T1 to T3 through the socket, over a real session and a made-up exec stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from classroom.accounts.models import Role, User
from classroom.courseware.catalogue import catalogue
from classroom.courseware.reading import exercise_of
from classroom.live.routing import sockets as application
from classroom.live.runtime import Runtime
from classroom.live.terminals import Terminals
from classroom.workspaces.models import Sandbox
from classroom.workspaces.requesting import ensure_requested
from sandbox.errors import ClusterUnavailable, NotFound
from sandbox.terminal import CREDIT, CUT_OFF, TerminalSession
from tests.classroom.fakes import FakeObserver

pytestmark = pytest.mark.django_db(transaction=True)


class FakeStream:
    def __init__(self) -> None:
        self.output: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.typed: list[bytes] = []
        self.exit_status: Any = None
        self.read = 0

    def __aiter__(self) -> AsyncIterator[tuple[int, bytes]]:
        return self._read()

    async def _read(self) -> AsyncIterator[tuple[int, bytes]]:
        while True:
            data = await self.output.get()
            if data is None:
                return
            self.read += len(data)
            yield 1, data

    async def write(self, data: bytes) -> None:
        self.typed.append(data)

    async def close(self) -> None:
        self.output.put_nowait(None)


class Shells:
    """What `ClusterSide` is to the runtime: an observer that knows the sandbox, and terminals."""

    def __init__(self, sandbox: str) -> None:
        self.observer = FakeObserver()
        self.observer.tracks[sandbox] = None  # type: ignore[assignment]
        self.streams: list[FakeStream] = []
        self.broken: Exception | None = None
        self.terminals = Terminals(self.start)
        self.reconciler = SimpleNamespace(wake=lambda: None)

    async def start(self, sandbox: str, cols: int, rows: int) -> TerminalSession:
        if self.broken:
            raise self.broken
        self.streams.append(FakeStream())
        return TerminalSession(self.streams[-1], first=1000)  # type: ignore[arg-type]


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user(Role.STUDENT, "Ada")


@pytest.fixture
def box(ada: User) -> Sandbox:
    lesson = catalogue.lesson("tiny", "01-one")
    return ensure_requested(ada, catalogue.course("tiny"), lesson, exercise_of(lesson))


@pytest.fixture
async def shells(box: Sandbox, live: Runtime) -> AsyncIterator[Shells]:
    made = Shells(str(box.pk))
    live.side = made  # type: ignore[assignment]
    yield made
    await made.terminals.close_all()


async def connect(box: Sandbox, user: User, client_of: Callable[..., Client]) -> WebsocketCommunicator:
    client = await sync_to_async(client_of)(user)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode()
    headers = [(b"origin", b"http://localhost:8300"), (b"cookie", cookie)]
    communicator = WebsocketCommunicator(application, f"/ws/terminal/{box.pk}/", headers=headers)
    assert (await communicator.connect())[0]
    return communicator


async def frame(communicator: WebsocketCommunicator) -> dict[str, Any]:
    got = await communicator.receive_from(timeout=3)
    assert isinstance(got, str), got
    found: dict[str, Any] = json.loads(got)
    return found


async def read(communicator: WebsocketCommunicator, size: int) -> bytes:
    data = b""
    while len(data) < size:
        got = await communicator.receive_from(timeout=3)
        assert isinstance(got, bytes), got
        data += got
    return data


async def test_a_shell_opens_types_resizes_and_ends(
    box: Sandbox, ada: User, client_of: Any, shells: Shells
) -> None:
    terminal = await connect(box, ada, client_of)
    await terminal.send_to(bytes_data=b"too early")
    assert (await frame(terminal))["f"] == "error"
    await terminal.send_json_to({"f": "open", "cols": 100, "rows": 30})
    assert await frame(terminal) == {"f": "opened", "from": 1000}
    shells.streams[0].output.put_nowait(b"$ ")
    assert await read(terminal, 2) == b"$ "
    await terminal.send_to(bytes_data=b"ls\r")
    await terminal.send_json_to({"f": "resize", "cols": 5000, "rows": 1})
    shells.streams[0].exit_status = SimpleNamespace(code=0, reason="")
    await shells.streams[0].close()
    assert await frame(terminal) == {"f": "exit", "code": 0, "text": "The shell ended.", "cut": False}
    assert shells.streams[0].typed[0].endswith(b"ls\r")
    assert shells.streams[0].typed[1][-4:] == bytes(
        [1, 144, 0, 5]
    )  # 400 columns, 5 rows: the nearest allowed
    await terminal.send_json_to({"f": "open"})
    assert (await frame(terminal))["f"] == "opened"
    assert len(shells.streams) == 2
    await terminal.disconnect()


async def test_T1_a_reconnecting_browser_gets_what_it_missed(
    box: Sandbox, ada: User, client_of: Any, shells: Shells
) -> None:
    first = await connect(box, ada, client_of)
    await first.send_json_to({"f": "open"})
    await frame(first)
    shells.streams[0].output.put_nowait(b"0123456789")
    await read(first, 10)
    await first.disconnect()
    shells.streams[0].output.put_nowait(b"abcde")
    second = await connect(box, ada, client_of)
    await second.send_json_to({"f": "open", "since": 1008})
    assert await frame(second) == {"f": "opened", "from": 1008}
    assert await read(second, 7) == b"89abcde"
    await second.disconnect()
    third = await connect(box, ada, client_of)
    await third.send_json_to({"f": "open", "since": 5})
    assert await frame(third) == {"f": "opened", "from": 1000}
    await third.disconnect()
    assert len(shells.streams) == 1


async def test_T2_P41_a_browser_that_does_not_acknowledge_stops_the_reading(
    box: Sandbox, ada: User, client_of: Any, shells: Shells
) -> None:
    terminal = await connect(box, ada, client_of)
    await terminal.send_json_to({"f": "open"})
    await frame(terminal)
    stream = shells.streams[0]
    for _ in range(100):
        stream.output.put_nowait(b"y\n" * 8192)
    await asyncio.sleep(0.2)
    assert CREDIT <= stream.read <= CREDIT + 64 * 1024
    before = stream.read
    await terminal.send_json_to({"f": "ack", "n": 1000 + 64 * 1024})
    await asyncio.sleep(0.1)
    assert stream.read > before
    await terminal.disconnect()


async def test_T3_a_huge_paste_is_refused_whole(
    box: Sandbox, ada: User, client_of: Any, shells: Shells
) -> None:
    terminal = await connect(box, ada, client_of)
    await terminal.send_json_to({"f": "open"})
    await frame(terminal)
    await terminal.send_to(bytes_data=b"x" * (64 * 1024 + 1))
    answer = await frame(terminal)
    assert answer["f"] == "error"
    assert "64 kB" in answer["text"]
    assert shells.streams[0].typed == []
    await terminal.disconnect()


async def test_what_the_cluster_says_no_to_is_said_to_the_person(
    box: Sandbox, ada: User, client_of: Any, shells: Shells
) -> None:
    terminal = await connect(box, ada, client_of)
    shells.broken = ClusterUnavailable("The API server does not answer.")
    await terminal.send_json_to({"f": "open"})
    assert await frame(terminal) == {"f": "error", "text": "The cluster does not answer just now."}
    shells.broken = None
    await terminal.send_json_to({"f": "open"})
    assert (await frame(terminal))["f"] == "opened"
    await terminal.disconnect()


async def test_T4_a_shell_that_was_cut_off_says_so_and_a_new_one_opens_on_the_same_socket(
    box: Sandbox, ada: User, client_of: Any, shells: Shells
) -> None:
    terminal = await connect(box, ada, client_of)
    await terminal.send_json_to({"f": "open"})
    await frame(terminal)
    await shells.streams[0].close()  # no exit status: the connection is gone, the shell did not end
    assert await frame(terminal) == {"f": "exit", "code": None, "text": CUT_OFF, "cut": True}
    shells.broken = NotFound(404, "NotFound", 'pods "toolbox-ada-x" not found')
    await terminal.send_json_to({"f": "open"})
    refused = await frame(terminal)
    assert refused == {"f": "error", "text": "The terminal's shell is not there just now."}
    shells.broken = None
    await terminal.send_json_to({"f": "open"})
    assert (await frame(terminal))["f"] == "opened"
    assert len(shells.streams) == 2
    await terminal.disconnect()


async def test_without_a_cluster_the_terminal_says_so(
    box: Sandbox, ada: User, client_of: Any, live: Runtime
) -> None:
    terminal = await connect(box, ada, client_of)
    await terminal.send_json_to({"f": "open"})
    assert "not ready" in (await frame(terminal))["text"]
    await terminal.disconnect()


async def test_two_tabs_share_one_shell_and_nobody_else_gets_in(
    box: Sandbox, ada: User, make_user: Any, client_of: Any, shells: Shells
) -> None:
    one, two = await connect(box, ada, client_of), await connect(box, ada, client_of)
    for tab in (one, two):
        await tab.send_json_to({"f": "open"})
        await frame(tab)
    shells.streams[0].output.put_nowait(b"hello")
    assert [await read(tab, 5) for tab in (one, two)] == [b"hello"] * 2
    assert len(shells.streams) == 1
    teacher = await sync_to_async(make_user)(Role.INSTRUCTOR)
    other = await connect(box, teacher, client_of)
    assert (await frame(other))["code"] == "not-yours"
    await one.disconnect()
    await two.disconnect()
