"""What goes to the prober and comes back, and what survives a broken stream."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest

from sandbox import prober as prober_stream
from sandbox.errors import ClusterUnavailable
from sandbox.loading import LoadSpec
from sandbox.prober import Prober, ProberAway
from sandbox.probing import ProbeSpec


class FakeStream:
    """One connection to a prober: remembers commands, says lines."""

    def __init__(self) -> None:
        self.commands: list[dict] = []
        self.lines: asyncio.Queue[bytes | None] = asyncio.Queue()

    def say(self, **fields) -> None:
        self.lines.put_nowait(json.dumps(fields).encode() + b"\n")

    async def write(self, data: bytes) -> None:
        self.commands += [json.loads(line) for line in data.splitlines()]

    async def __aiter__(self):
        while (line := await self.lines.get()) is not None:
            yield 1, line[:10]
            yield 1, line[10:]
        raise ClusterUnavailable("broke off")

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None


@pytest.fixture
async def prober(monkeypatch: pytest.MonkeyPatch):
    """A running prober, its connections in order, its results and states."""
    streams: list[FakeStream] = []

    async def open_exec(*_, **__):
        streams.append(FakeStream())
        return streams[-1]

    monkeypatch.setattr(prober_stream, "open_exec", open_exec)
    monkeypatch.setattr(prober_stream, "SHORTEST_WAIT_S", 0.01)
    made = Prober(None, ("here", "prober"))  # type: ignore[arg-type]
    made.results, made.states = [], []
    made.on_result, made.on_state = made.results.append, made.states.append
    task = asyncio.create_task(made.run())
    await asyncio.sleep(0.02)
    yield made, streams
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


FRONT = ProbeSpec(id="front", every_ms=250, timeout_ms=1000, http="http://a/")
BACK = ProbeSpec(id="back", every_ms=250, timeout_ms=1000, tcp="a:1")


async def test_commands_go_out_and_results_come_back(prober):
    made, streams = prober
    made.start("s1", FRONT)
    await asyncio.sleep(0.02)
    assert streams[0].commands == [
        {"op": "probe", "id": "s1/front", "every_ms": 250, "timeout_ms": 1000, "http": "http://a/"}
    ]
    streams[0].say(id="s1/front", n=1, ok_transport=True, status=200, nonce="n", body="{}")
    streams[0].say(id="s1/unknown", n=1)
    streams[0].say(op="pong")
    streams[0].lines.put_nowait(b"nonsense\n")
    await asyncio.sleep(0.02)
    assert [(r.sandbox, r.id, r.status, r.is_http) for r in made.results] == [("s1", "front", 200, True)]


async def test_stopping_one_and_all_of_a_sandbox(prober):
    made, streams = prober
    for sandbox in ("s1", "s2"):
        made.start(sandbox, FRONT)
        made.start(sandbox, BACK)
    made.stop("s1", "front")
    made.stop("s2")
    made.stop("s3")
    await asyncio.sleep(0.02)
    assert streams[0].commands[4:] == [{"op": "stop", "id": "s1/front"}, {"op": "stop-all", "prefix": "s2/"}]
    streams[0].say(id="s2/front", n=9)
    streams[0].say(id="s1/back", n=1, ok_transport=True)
    await asyncio.sleep(0.02)
    assert [(r.sandbox, r.id, r.is_http) for r in made.results] == [("s1", "back", False)]


async def test_after_a_broken_stream_everything_running_is_asked_again(prober):
    made, streams = prober
    made.start("s1", FRONT)
    made.start("s1", BACK)
    made.stop("s1", "back")
    await asyncio.sleep(0.02)
    streams[0].lines.put_nowait(None)
    await asyncio.sleep(0.1)
    assert [command["id"] for command in streams[1].commands] == ["s1/front"]
    assert made.states == [True, False, True]


RUSH = LoadSpec(
    id="rush", http="http://a.ns.svc.d.:80/", within="ns.svc.d.", rate=5, for_ms=1000, timeout_ms=100, seed=1
)


async def test_a_load_is_sent_told_of_and_over(prober):
    made, streams = prober
    news = []
    made.on_load = news.append
    made.start_load("s1", RUSH)
    assert (made.rate, made.loads_of("s1"), made.loads_of("s2")) == (5, [RUSH], [])
    await asyncio.sleep(0.02)
    assert streams[0].commands[0]["op"] == "load"
    assert (streams[0].commands[0]["id"], streams[0].commands[0]["within"]) == ("s1/rush", "ns.svc.d.")
    streams[0].say(op="second", id="s1/rush", n=1, sent=5, failed=1, p95=2.5, pods={"u": 4}, lost=0, untold=0)
    streams[0].say(op="failure", id="s1/rush", status=0, ms=100, error="timeout", pod_uid="")
    streams[0].say(op="second", id="s2/rush", sent=99)
    made.end_load("s1", "rush")
    streams[0].say(op="ended", id="s1/rush")
    streams[0].say(op="second", id="s1/rush", sent=99)
    await asyncio.sleep(0.02)
    assert streams[0].commands[1] == {"op": "end", "id": "s1/rush"}
    assert [(each.op, each.sandbox, each.id) for each in news] == [
        ("second", "s1", "rush"), ("failure", "s1", "rush"), ("ended", "s1", "rush"),
    ]  # fmt: skip
    assert (news[0].sent, news[0].failed, news[0].p95, news[0].pods) == (5, 1, 2.5, {"u": 4})
    assert (news[2].error, made.rate) == ("", 0)


async def test_a_load_that_the_prober_refuses_or_that_lost_it_is_over_and_says_why(prober):
    made, streams = prober
    news = []
    made.on_load = news.append
    made.start_load("s1", RUSH)
    streams[0].say(op="error", id="s1/rush", error="too much")
    await asyncio.sleep(0.02)
    made.start_load("s1", RUSH)
    streams[0].lines.put_nowait(None)
    await asyncio.sleep(0.1)
    assert [(each.op, each.error) for each in news] == [
        ("error", "too much"),
        ("ended", "the sender was lost"),
    ]
    assert [command["op"] for command in streams[1].commands] == []  # it is not begun again
    made.start_load("s1", RUSH)
    made.stop("s1")
    await asyncio.sleep(0.02)
    assert streams[1].commands[-1] == {"op": "stop-all", "prefix": "s1/"}
    assert made.loads_of("s1") == []


async def test_asking_once(prober):
    made, streams = prober
    asking = asyncio.create_task(made.ask("http://10.1.2.3:9090/switch", method="POST", body="slow=1s"))
    await asyncio.sleep(0.02)
    (command,) = streams[0].commands
    assert (command["op"], command["method"], command["body"]) == ("ask", "POST", "slow=1s")
    streams[0].say(op="answer", id=command["id"], ok_transport=True, status=200, echo_pod_uid="u", body="{}")
    answered = await asking
    assert (answered.status, answered.echo_pod_uid, answered.is_http) == (200, "u", True)


async def test_who_asks_once_hears_of_refusals_losses_and_silence(prober, monkeypatch: pytest.MonkeyPatch):
    made, streams = prober
    refused = asyncio.create_task(made.ask("file:///etc/passwd"))
    await asyncio.sleep(0.02)
    streams[0].say(op="error", id=streams[0].commands[0]["id"], error="no http address")
    with pytest.raises(ProberAway, match="no http address"):
        await refused
    lost = asyncio.create_task(made.ask("http://a/"))
    await asyncio.sleep(0.02)
    streams[0].lines.put_nowait(None)
    with pytest.raises(ProberAway, match="lost before it answered"):
        await lost
    with pytest.raises(ProberAway, match="just now"):
        await made.ask("http://a/")
    with pytest.raises(ProberAway, match="just now"):
        made.start_load("s1", RUSH)
    await asyncio.sleep(0.1)
    monkeypatch.setattr(prober_stream, "ANSWER_S", 0.01)
    with pytest.raises(ProberAway, match="in time"):
        await made.ask("http://a/", timeout=0.01)


async def test_memory_is_asked_for_and_told(prober):
    made, streams = prober
    told = []
    made.on_memory = lambda sandbox, used: told.append((sandbox, used))
    made.measure("s1", {"uid-1": "10.1.2.3"})
    await asyncio.sleep(0.02)
    assert streams[0].commands == [{"op": "memory", "id": "s1", "pods": {"uid-1": "10.1.2.3"}}]
    streams[0].say(op="memory", id="s1", memory={"uid-1": 12_000_000})
    await asyncio.sleep(0.02)
    assert told == [("s1", {"uid-1": 12_000_000})]


async def test_a_silent_platform_pings(prober, monkeypatch: pytest.MonkeyPatch):
    made, streams = prober
    monkeypatch.setattr(prober_stream, "PING_S", 0.02)
    made.start("s1", FRONT)
    await asyncio.sleep(0.2)
    assert {"op": "ping"} in streams[0].commands


def test_a_result_line_is_cheap_to_decode():
    line = msgspec.json.encode({"id": "s/front", "n": 1, "ok_transport": True, "status": 200, "body": "{}"})
    assert prober_stream._decoder.decode(line).result(FRONT).id == "front"
