"""A terminal session keeps a little, promises exact positions, and never grows."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest

from sandbox import terminal
from sandbox.errors import ClusterUnavailable
from sandbox.exec_stream import ExitStatus
from sandbox.terminal import (
    CREDIT,
    CUT_OFF,
    LARGEST_INPUT,
    REPLAY,
    Exit,
    InputTooLarge,
    Output,
    TerminalSession,
    Viewer,
)

FRAME = 32 * 1024


class FakeStream:
    """Says what it is given; counts what was taken, as a real stream whose reader may pause."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.typed = b""
        self.taken = 0
        self.closed = False
        self.endless = False
        self.exit_status: ExitStatus | None = None

    def say(self, data: bytes) -> None:
        self.waiting.put_nowait(data)

    def end(self, code: int | None) -> None:
        self.exit_status = ExitStatus(code)
        self.waiting.put_nowait(None)

    async def write(self, data: bytes) -> None:
        self.typed += data

    async def close(self) -> None:
        self.closed = True
        self.waiting.put_nowait(None)

    async def __aiter__(self):
        while True:
            if self.endless:
                await asyncio.sleep(0)
                data: Any = b"y\r\n" * (FRAME // 3)
            else:
                data = await self.waiting.get()
            if data is None or self.closed:
                return
            if isinstance(data, Exception):
                raise data
            self.taken += len(data)
            yield 1, data


@pytest.fixture
def stream() -> FakeStream:
    return FakeStream()


@pytest.fixture
async def session(stream: FakeStream):
    made = TerminalSession(stream, first=1000)  # type: ignore[arg-type]
    yield made
    await made.close()


async def turns(n: int = 50) -> None:
    for _ in range(n):
        await asyncio.sleep(0)


async def read_all(viewer: Viewer, *, ack: bool = True) -> bytes:
    """Everything a viewer is given without waiting for more."""
    data = b""
    try:
        while True:
            async with asyncio.timeout(0.05):
                output = await viewer.next()
            if isinstance(output, Exit):
                return data
            data += output.data
            if ack:
                viewer.acknowledge(viewer.sent)
    except TimeoutError:
        return data


async def test_output_is_numbered_by_position(session: TerminalSession, stream: FakeStream):
    viewer = session.attach()
    stream.say(b"hello ")
    assert await viewer.next() == Output(1000, b"hello ")
    stream.say(b"world")
    assert await viewer.next() == Output(1006, b"world")
    assert session.position == 1011


async def test_t1_a_viewer_comes_back_where_it_was(session: TerminalSession, stream: FakeStream):
    first = session.attach()
    stream.say(b"abcdef")
    await first.next()
    first.detach()
    stream.say(b"ghi")
    await turns()
    back = session.attach(since=1004)
    assert back.start == 1004
    assert await read_all(back) == b"efghi"


async def test_t1_the_last_50_kb_are_replayed_when_the_position_is_not_kept(
    session: TerminalSession, stream: FakeStream
):
    for number in range(4):
        stream.say(bytes([97 + number]) * 30_000)
    await turns()
    for since in (None, 5, 10**15):
        viewer = session.attach(since=since)
        assert viewer.start == session.position - REPLAY
        viewer.detach()
    assert await read_all(session.attach()) == b"c" * 20_000 + b"d" * 30_000


@pytest.mark.parametrize("viewers", [0, 1, 2])
async def test_t2_an_endless_program_is_read_no_further_than_the_credit(
    session: TerminalSession, stream: FakeStream, viewers: int
):
    """`yes`: with nobody looking, and with viewers that acknowledge nothing."""
    for _ in range(viewers):
        session.attach()
    stream.endless = True
    stream.say(b"y")
    await turns(2000)
    assert CREDIT <= stream.taken <= CREDIT + FRAME
    assert len(session._buffer) <= CREDIT + 2 * FRAME


async def test_t2_an_acknowledgement_lets_it_go_on(session: TerminalSession, stream: FakeStream):
    viewer = session.attach()
    stream.endless = True
    stream.say(b"y")
    await turns(500)
    before = stream.taken
    for _ in range(200):
        async with asyncio.timeout(1):
            await viewer.next()
        viewer.acknowledge(viewer.sent)
    assert stream.taken > before + CREDIT
    assert len(session._buffer) <= terminal.RETAINED + terminal.LARGEST_OUTPUT


async def test_a_sleeping_viewer_stops_nobody_and_is_told_what_it_lost(
    session: TerminalSession, stream: FakeStream
):
    sleeper, awake = session.attach(), session.attach()
    seen = b""
    for number in range(20):
        stream.say(bytes([65 + number]) * FRAME)
        seen += await read_all(awake)
    assert len(seen) == 20 * FRAME
    output = await sleeper.next()
    assert isinstance(output, Output)
    assert output.lost > 0
    assert output.at == sleeper.start + output.lost
    assert output.data == seen[output.lost : output.lost + len(output.data)]


async def test_a_viewer_out_of_credit_is_given_nothing_until_it_acknowledges(
    session: TerminalSession, stream: FakeStream
):
    slow, fast = session.attach(), session.attach()
    for _ in range(6):
        stream.say(b"x" * FRAME)
        await read_all(fast)
        await read_all(slow, ack=False)
    assert CREDIT <= slow.sent - slow.start <= CREDIT + FRAME
    slow.acknowledge(slow.sent)
    assert await read_all(slow) != b""


async def test_acknowledgements_cannot_lie(session: TerminalSession, stream: FakeStream):
    viewer = session.attach()
    stream.say(b"abc")
    await viewer.next()
    viewer.acknowledge(10**15)
    assert viewer.acknowledged == viewer.sent
    viewer.acknowledge(0)
    assert viewer.acknowledged == viewer.sent


async def test_t3_input_over_64_kb_is_refused_and_not_sent(session: TerminalSession, stream: FakeStream):
    with pytest.raises(InputTooLarge, match="64 kB"):
        await session.write(b"x" * (LARGEST_INPUT + 1))
    assert stream.typed == b""
    await session.write(b"x" * LARGEST_INPUT)
    assert stream.typed == b"d" + struct.pack(">I", LARGEST_INPUT) + b"x" * LARGEST_INPUT


@pytest.mark.parametrize(
    ("asked", "given"), [((100, 40), (100, 40)), ((1, 1), (20, 5)), ((9999, -3), (400, 5))]
)
async def test_sizes_are_clamped(session: TerminalSession, stream: FakeStream, asked, given):
    await session.resize(*asked)
    assert stream.typed == b"r" + struct.pack(">IHH", 4, *given)


@pytest.mark.parametrize(("code", "text"), [(0, "ended."), (130, "ended."), (7, "code 7"), (None, "cut off")])
async def test_the_exit_is_told_after_the_last_output(
    session: TerminalSession, stream: FakeStream, code, text
):
    viewer = session.attach()
    stream.say(b"bye")
    stream.end(code)
    assert await viewer.next() == Output(1000, b"bye")
    ended = await viewer.next()
    assert isinstance(ended, Exit)
    assert ended.code == code
    assert text in ended.text
    await session.write(b"too late")
    assert stream.typed == b""


async def test_a_broken_connection_is_told(session: TerminalSession, stream: FakeStream):
    viewer = session.attach()
    stream.waiting.put_nowait(ClusterUnavailable("The connection broke off."))
    assert await viewer.next() == Exit(None, CUT_OFF, cut=True)


async def test_closing_hangs_up_and_wakes_viewers(session: TerminalSession, stream: FakeStream):
    viewer = session.attach()
    waiting = asyncio.create_task(viewer.next())
    await turns()
    await session.close("You left the class.")
    await session.close()
    assert stream.closed
    assert await waiting == Exit(None, "You left the class.")


async def test_an_idle_terminal_is_closed_and_says_so(stream: FakeStream):
    session = TerminalSession(stream, idle=0.1)  # type: ignore[arg-type]
    viewer = session.attach()
    await asyncio.sleep(0.06)
    await session.write(b"x")
    await asyncio.sleep(0.06)
    assert session.exit is None
    async with asyncio.timeout(2):
        ended = await viewer.next()
    assert isinstance(ended, Exit)
    assert "Nothing was typed" in ended.text


async def test_a_replay_asks_the_terminal_nothing_again(session: TerminalSession, stream: FakeStream):
    said = b"\x1b[6n$ \x1b[1;31mred\x1b[0m \x1b[c\x1b[>0c end"
    stream.say(said)
    first = session.attach()
    assert await read_all(first) == said
    first.detach()
    again = await read_all(session.attach())
    assert len(again) == len(said)
    assert again.replace(b"\0", b"") == b"$ \x1b[1;31mred\x1b[0m  end"
