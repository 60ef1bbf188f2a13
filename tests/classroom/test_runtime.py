"""What lives beside the pages: the cluster's progress, restarts with back-off, bells, recordings."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from classroom.courseware import recordings
from classroom.courseware.catalogue import catalogue
from classroom.exercises import bell
from classroom.live import runtime as module
from classroom.live.news import News
from classroom.live.pressure import gate_for
from classroom.live.runtime import Runtime, forever
from lessons.recordings import encode
from sandbox.record.entry import Entry
from sandbox.record.marking import Result


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> None:
    settings.CLUSTER_FILE = tmp_path / "cluster.json"
    monkeypatch.setattr(module, "CLUSTER_LOOK_SECONDS", 0.01)


async def test_the_pages_learn_of_the_cluster_by_themselves(quick: None, live: Runtime) -> None:
    work = asyncio.ensure_future(live._follow_cluster_file())
    try:
        number, _ = await live.cluster_news.after(-1)
        ready = asyncio.ensure_future(live._cluster_is("ready"))
        settings.CLUSTER_FILE.write_text(
            json.dumps({"state": "building", "text": "Compiling", "done": 1, "total": 2})
        )
        number, encoded = await asyncio.wait_for(live.cluster_news.after(number), 3)
        assert json.loads(encoded)["done"] == 1
        assert not ready.done()
        settings.CLUSTER_FILE.write_text(json.dumps({"state": "ready", "text": "Ready"}))
        await asyncio.wait_for(ready, 3)
        gone = asyncio.ensure_future(live._cluster_is("ready", still=True))
        settings.CLUSTER_FILE.unlink()
        await asyncio.wait_for(gone, 3)
        assert live.cluster["state"] == "absent"
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_a_part_that_fails_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    real_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await real_sleep(0)

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    runs = 0

    async def part() -> None:
        nonlocal runs
        runs += 1
        if runs == 7:
            raise asyncio.CancelledError
        raise RuntimeError("broken")

    with pytest.raises(asyncio.CancelledError):
        await forever("part", part)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


async def test_news_skips_states_that_were_replaced() -> None:
    news = News()
    for state in (b"1", b"2", b"2", b"3"):
        news.publish(state)
    assert await news.after(-1) == (2, b"3")
    waiting = asyncio.ensure_future(news.after(2))
    await asyncio.sleep(0)
    news.publish(b"4")
    assert await waiting == (3, b"4")


async def test_the_bell_rings_across_processes_and_survives_a_stale_file(tmp_path: Path) -> None:
    path = tmp_path / "bell.sock"
    bell.ring(path)  # nobody listens: no error
    path.write_text("left over")
    rung = asyncio.Event()
    transport = await bell.listen(path, rung.set)
    try:
        await asyncio.to_thread(bell.ring, path)
        await asyncio.wait_for(rung.wait(), 3)
    finally:
        transport.close()


async def test_L8_writers_wait_while_the_servers_buffer_is_full() -> None:
    class Transport:
        producer: Any = object()

        def unregisterProducer(self) -> None:
            self.producer = None

        def registerProducer(self, producer: Any, streaming: bool) -> None:
            assert self.producer is None
            assert streaming
            self.producer = producer

    class Protocol:
        transport = Transport()

    async def handle_reply(protocol: Any, message: dict[str, Any]) -> None:
        return None

    protocol = Protocol()
    gate = gate_for(partial(handle_reply, protocol))
    assert gate.is_open
    protocol.transport.producer.pauseProducing()
    waiting = asyncio.ensure_future(gate.wait())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    protocol.transport.producer.resumeProducing()
    await asyncio.wait_for(waiting, 1)
    assert gate_for(partial(handle_reply, None)).is_open


def entries(count: int) -> list[Entry]:
    return [
        Entry(
            epoch=3,
            seq=n,
            at=100.0 + n,
            source="t",
            kind="phase",
            uid="",
            change={"phase": "ready", "text": f"n{n}"},
        )
        for n in range(1, count + 1)
    ]


def recorded(run: list[Entry], **changes: Any) -> bytes:
    """A recording of tiny/01-one."""
    lesson = dataclasses.replace(catalogue.lesson("tiny", "01-one"), **changes)
    result = Result(points=0, of=0, provisional=False, verdicts=())
    return encode(lesson, run, way="solution", params={}, result=result, images={}, kubernetes="v1.37.2")


@pytest.mark.django_db
def test_a_recording_is_served_as_the_frames_of_the_socket() -> None:
    address = "/api/recordings/tiny/01-one/"
    assert Client().get(address).status_code == 404
    assert Client().get("/api/recordings/tiny/none/").status_code == 404
    folder = catalogue.lesson("tiny", "01-one").path / "recordings" / "namespace"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "solution.jsonl.gz"
    try:
        path.write_bytes(recorded(entries(4)))
        answer = Client().get(address)
        history = json.loads(gzip.decompress(answer.content))
        assert answer.headers["Content-Encoding"] == "gzip"
        assert (history["epoch"], history["seconds"], history["label"]) == (
            3,
            3.0,
            "a real run, 1 January 1970",
        )
        assert [frame["seq"] for frame in history["frames"]] == [1, 2, 3, 4]
        page = Client().get("/learn/tiny/01-one/").context["page_data"]
        assert page["recording"] == address
        path.write_bytes(recorded(entries(4), rubric_hash="0" * 64))
        refused = Client().get(address)
        assert refused.status_code == 409
        text = refused.json()["error"]["text"]
        assert "solution.jsonl.gz was made of another version of 01-one" in text
    finally:
        path.unlink()


def test_history_can_begin_late() -> None:
    history = recordings.history_of(entries(5), label="x", after=3)
    assert (history["start"]["seq"], history["start"]["items"]["sandbox/self"]["text"]) == (3, "n3")
    assert [frame["seq"] for frame in history["frames"]] == [4, 5]
    assert recordings.history_of([], label="x")["frames"] == []
