"""Bad luck on the real product: who to kill, what a browser does about it, and what the record says of it."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bench.product import Product
from bench.visitor import Refused, Visitor, visitor
from sandbox.embedded.layout import MARKER as CLUSTER_MARKER
from sandbox.embedded.layout import Layout
from sandbox.embedded.plan import ClusterPlan

SERVICE_MARKER = "GLASSHULL_SERVICE_HOME"
FINAL_CLOSES = {4001, 4003, 4004, 4010}  # rule L9: after these a browser does not come back
MAY_STAND = {"pass", "waiting", "holding", "could-not-grade", "your-turn", ""}  # nothing marked wrong


# --- who to kill ------------------------------------------------------------------------------------
def marked(variable: str, value: str, words: Callable[[list[str]], bool]) -> list[int]:
    """Processes of this very product: by the marker in their environment and by their command line."""
    wanted, found = f"{variable}={value}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted not in (folder / "environ").read_bytes().split(b"\0"):
                continue
            command = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words(command):
            found.append(int(folder.name))
    return found


class Parts:
    """The product's processes, and what can be done to them. Nothing stays stopped when a test ends."""

    def __init__(self, product: Product) -> None:
        self.home = product.home
        self._stopped: set[int] = set()

    def pids(self, name: str) -> list[int]:
        """Of `web`, `worker` or `kube-apiserver`."""
        if name in ("web", "worker"):
            return marked(SERVICE_MARKER, str(self.home), lambda words: words[1:3] == [MANAGE, name])
        cluster = Layout(self.home, ClusterPlan()).id
        return marked(CLUSTER_MARKER, cluster, lambda words: Path(words[0]).name == name)

    def kill(self, name: str) -> float:
        """SIGKILL; the moment of it."""
        pids = self.pids(name)
        assert pids, f"{name} does not run"
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return time.time()

    async def back(self, name: str, *, since: list[int], seconds: float = 15.0) -> list[int]:
        """New pids, once there are some."""
        until = time.monotonic() + seconds
        while not (fresh := [pid for pid in self.pids(name) if pid not in since]):
            assert time.monotonic() < until, f"{name} did not come back within {seconds:.0f} s"
            await asyncio.sleep(0.05)
        return fresh

    async def hold(self, name: str, *, since: list[int]) -> None:
        """The next one is stopped as soon as it starts: it is away for as long as the test wants."""
        for pid in await self.back(name, since=since):
            os.kill(pid, signal.SIGSTOP)
            self._stopped.add(pid)

    def let_go(self) -> None:
        for pid in self._stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._stopped.clear()


MANAGE = str(Path(__file__).resolve().parents[2] / "manage.py")


@pytest.fixture
def parts(product: Product) -> Iterator[Parts]:
    made = Parts(product)
    yield made
    made.let_go()


# --- what a browser does ----------------------------------------------------------------------------
class Tab(Visitor):
    """A visitor that connects again like the page does, and watches the protocol's numbers for holes."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        super().__init__(session, base)
        self.connections = 0
        self.gaps: list[str] = []
        self.backwards: list[str] = []
        self.closed_for_good = 0

    async def _read(self) -> None:
        pause = 0.25
        while not self.closed_for_good:
            self.connections += 1
            began = time.monotonic()
            with suppress(aiohttp.ClientError, OSError):
                await self._read_once()
            if time.monotonic() - began > 5:
                pause = 0.25
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, 5.0)

    async def _read_once(self) -> None:
        url = self.base.replace("http", "ws", 1) + f"/ws/sandbox/{self.sandbox}/"
        async with self.session.ws_connect(url, headers={"Origin": self.base}, max_msg_size=0) as socket:
            await socket.send_json({"f": "resume", "epoch": self.epoch, "seq": self.seq})
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._check(frame := json.loads(message.data))
                    self._take(frame)
            if socket.close_code in FINAL_CLOSES:
                self.closed_for_good = socket.close_code or 0

    def _check(self, frame: dict[str, Any]) -> None:
        """L1, L3 to L5, L11, on every frame that arrives."""
        if frame["f"] == "snapshot" and frame["epoch"] and frame["seq"] < self.seq:
            self.backwards.append(f"snapshot {frame['seq']} after {self.seq}")
        if frame["f"] != "delta" or frame["epoch"] != self.epoch:
            return
        first = frame.get("from", frame["seq"])
        if first > self.seq + 1:
            self.gaps.append(f"delta {first}..{frame['seq']} after {self.seq}")
        elif first <= self.seq:
            self.backwards.append(f"delta {first}..{frame['seq']} after {self.seq}")

    async def insist(self, action: str, seconds: float = 20.0, **body: Any) -> dict[str, Any]:
        """Act, again and again while nobody answers the phone or the sandbox is not observed yet."""
        until = time.monotonic() + seconds
        while True:
            try:
                return await self.act(action, **body)
            except aiohttp.ClientError:
                if time.monotonic() > until:
                    raise
            except Refused as refused:
                waiting = refused.status >= 500 or refused.body["error"]["code"] == "not-ready"
                if not waiting or time.monotonic() > until:
                    raise
            await asyncio.sleep(0.25)

    def frames_since(self, moment: float, kind: str) -> list[tuple[float, dict[str, Any]]]:
        return [(at, frame) for at, frame in self.frames if at >= moment and frame["f"] == kind]

    def gone_since(self, moment: float, prefix: str) -> set[str]:
        """Keys that any frame took off the picture: by name, or by a snapshot without them."""
        deltas = {key for _, frame in self.frames_since(moment, "delta") for key in frame.get("del", [])}
        return {key for key in deltas if key.startswith(prefix)}

    def wrong(self) -> dict[str, str]:
        """Verdicts that blame somebody."""
        return {
            check["key"]: f"{check['state']}: {check['line']}"
            for check in self.of("check")
            if check["state"] not in MAY_STAND
        }


@asynccontextmanager
async def student(product: Product, name: str) -> AsyncIterator[Tab]:
    """A signed-in student's tab; the sandbox is ended afterwards."""
    async with visitor(product.signin("student", name=name)) as signed_in:
        tab = Tab(signed_in.session, signed_in.base)
        try:
            yield tab
        finally:
            with suppress(Refused, aiohttp.ClientError):
                await tab.act("end")
            await tab.close()


@asynccontextmanager
async def another_tab(of: Tab) -> AsyncIterator[Tab]:
    """The same person, the same cookies, one more page."""
    tab = Tab(of.session, of.base)
    try:
        await tab.start()
        yield tab
    finally:
        await tab.close()


async def at_once(*acts: Any) -> list[str]:
    """Concurrent requests; "ok" or the code of the refusal of each, in order of the alphabet."""

    async def said(act: Any) -> str:
        try:
            await act
        except Refused as refused:
            return str(refused.body["error"]["code"])
        return "ok"

    return sorted(await asyncio.gather(*(said(act) for act in acts)))


async def open_shop(tab: Tab) -> dict[str, Any]:
    data = await tab.page_data()
    await tab.start()
    await tab.until(lambda _: tab.phase == "open", 90, "the lesson's own ready")
    return data


async def run_the_shop(tab: Tab, data: dict[str, Any]) -> None:
    """Mended as the lesson asks, until the wanted number is ready."""
    text = data["exercise"]["files"]["shop.yaml"]
    text = text.replace("replicas: 1", f"replicas: {data['params']['replicas']}")
    marker = "          # the readinessProbe"
    probe = "          readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}\n"
    await tab.act("delete-pod", pod=tab.of("pod")[0]["key"][4:])
    await tab.act("apply", file="shop.yaml", text=text.replace(marker, probe + marker))
    await tab.until(lambda _: tab.check("enough") == "pass", 90, "the wanted number")


# --- what is written down ---------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    seq: int
    epoch: int
    at: float
    kind: str
    uid: str
    change: dict[str, Any]


class Written:
    """The product's own two files, read behind its back."""

    def __init__(self, product: Product) -> None:
        self._web = product.home / "web"

    def ask(self, file: str, question: str, *values: Any) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{self._web / file}?mode=ro", uri=True, timeout=5.0)
        try:
            return connection.execute(question, values).fetchall()
        finally:
            connection.close()

    def record(self, sandbox: str, *kinds: str) -> list[Row]:
        """Entries of these kinds, or all."""
        question = "SELECT seq, epoch, at, kind, uid, change FROM entries WHERE sandbox = ? ORDER BY seq"
        rows = [
            Row(*row[:5], json.loads(row[5])) for row in self.ask("record.sqlite3", question, dashed(sandbox))
        ]
        return [row for row in rows if not kinds or row.kind in kinds]

    def must_be_whole(self, sandbox: str) -> None:
        """Numbers from 1 without a hole over all epochs, times that never run back."""
        rows = self.record(sandbox)
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        assert all(one.at <= two.at and one.epoch <= two.epoch for one, two in itertools.pairwise(rows))

    def marks(self, sandbox: str) -> list[tuple[Any, ...]]:
        """(mark id, generation, points, provisional) of every attempt."""
        return self.ask(
            "db.sqlite3",
            "SELECT m.id, m.generation, m.points, m.provisional FROM exercises_mark m"
            " JOIN exercises_attempt a ON m.attempt_id = a.id WHERE a.sandbox_id = ?",
            plain(sandbox),
        )

    def outbox(self, sandbox: str) -> list[tuple[Any, ...]]:
        """(generation, leased_until, done) of every attempt."""
        return self.ask(
            "db.sqlite3",
            "SELECT o.generation, o.leased_until, o.done FROM exercises_outbox o"
            " JOIN exercises_attempt a ON o.attempt_id = a.id WHERE a.sandbox_id = ?",
            plain(sandbox),
        )


def plain(sandbox: str) -> str:
    return sandbox.replace("-", "")


def dashed(sandbox: str) -> str:
    text = plain(sandbox)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


@pytest.fixture
def written(product: Product) -> Written:
    return Written(product)


# --- behind the product's back ----------------------------------------------------------------------
class Behind:
    """kubectl as the administrator, and as the student in the toolbox."""

    def __init__(self, product: Product) -> None:
        self._product = product

    async def namespace(self, tab: Tab) -> str:
        question = "SELECT namespace FROM workspaces_sandbox WHERE id = ?"
        return str(Written(self._product).ask("db.sqlite3", question, plain(tab.sandbox))[0][0])

    async def kubectl(self, *words: str, check: bool = True) -> str:
        return await asyncio.to_thread(self._product.kubectl, *words, check=check)

    async def in_toolbox(self, tab: Tab, *words: str) -> str:
        namespace = await self.namespace(tab)
        label = "jsonpath={.metadata.labels.glasshull\\.dev/sandbox}"
        key = await self.kubectl("get", "namespace", namespace, "-o", label)
        boxes = "glasshull-toolboxes"
        pod = await self.kubectl(
            "get", "pods", "-n", boxes, "-l", f"glasshull.dev/sandbox={key}", "-o", "name"
        )
        return await self.kubectl("exec", "-n", boxes, pod.strip(), "--", *words, check=False)

    async def pods(self, tab: Tab) -> dict[str, str]:
        """uid -> name of the Pods that are really there."""
        listed = json.loads(await self.kubectl("get", "pods", "-n", await self.namespace(tab), "-o", "json"))[
            "items"
        ]
        return {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in listed}


@pytest.fixture
def behind(product: Product) -> Behind:
    return Behind(product)
