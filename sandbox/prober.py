"""The stream to the prober Pod: what should run on it, and the news that come back.

The prober (sandbox/embedded/images/sources/golang/prober) is told what to do by JSON lines and answers by JSON lines.
It stops when the stream ends; after a reconnect every probe that should run is sent again.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from collections.abc import Callable, Mapping

import msgspec

from sandbox.cluster.client import ClusterClient
from sandbox.errors import SandboxError
from sandbox.exec_stream import STDOUT, ExecStream, open_exec
from sandbox.loading import LoadNews, LoadSpec
from sandbox.prober_pod import find_prober
from sandbox.probing import OnResult, ProbeResult, ProbeSpec

log = logging.getLogger(__name__)

ARGV = ("prober", "run")
PING_S = 10.0  # the prober gives up after 45 s of silence
ANSWER_S = 2.0  # that an answer may take on the stream, over the request's own timeout
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0
LONGEST_LINE = 64 * 1024


class ProberAway(SandboxError):
    """The prober cannot be asked just now: its stream is down, or it did not answer in time."""


class Prober:
    """Keeps the stream to the prober and what should run on it. News come while `run` runs.

    A load that was running when the stream broke is over: it is told as ended, with `error`, and not begun again.
    """

    def __init__(
        self,
        client: ClusterClient,
        place: tuple[str, str] | None = None,
        *,
        container: str = "prober",
        on_result: OnResult = lambda _: None,
        on_load: Callable[[LoadNews], None] = lambda _: None,
        on_memory: Callable[[str, dict[str, int]], None] = lambda _sandbox, _bytes: None,
        on_state: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """`place`: namespace and name of the prober's Pod; None = whichever of the platform's is ready."""
        self.on_result = on_result
        self.on_load = on_load
        self.on_memory = on_memory
        self.on_state = on_state  # told True when answers can come, False when they cannot
        self.connected = False
        self._client = client
        self._place, self._container = place, container
        self._running: dict[str, ProbeSpec] = {}
        self._loads: dict[str, LoadSpec] = {}
        self._asked: dict[str, asyncio.Future[_Heard]] = {}
        self._numbers = itertools.count(1)
        self._unsent: list[bytes] = []
        self._news = asyncio.Event()

    def start(self, sandbox: str, probe: ProbeSpec) -> None:
        """Ask from now on; a running probe of the same id is replaced."""
        name = f"{sandbox}/{probe.id}"
        self._running[name] = probe
        self._tell(_command(name, probe))

    def stop(self, sandbox: str, probe: str | None = None) -> None:
        """Stop one probe of a sandbox, or all of them. Answers still under way are dropped."""
        prefix = f"{sandbox}/"
        if probe is not None:
            if self._running.pop(prefix + probe, None) is not None:
                self._tell(msgspec.json.encode({"op": "stop", "id": prefix + probe}))
            return
        mine = [name for name in (*self._running, *self._loads) if name.startswith(prefix)]
        for name in mine:
            self._running.pop(name, None)
            self._loads.pop(name, None)
        if mine:
            self._tell(msgspec.json.encode({"op": "stop-all", "prefix": prefix}))

    def start_load(self, sandbox: str, load: LoadSpec) -> None:
        """Send from now on, until its time is over. Raises ProberAway."""
        if not self.connected:
            raise ProberAway("Nobody can be sent to the shop just now.")
        name = f"{sandbox}/{load.id}"
        self._loads[name] = load
        self._tell(_command(name, load, op="load"))

    def end_load(self, sandbox: str, load: str) -> None:
        """Send nothing more; it is told as ended once what is under way was answered."""
        self._tell(msgspec.json.encode({"op": "end", "id": f"{sandbox}/{load}"}))

    def loads_of(self, sandbox: str) -> list[LoadSpec]:
        return [load for name, load in self._loads.items() if name.startswith(f"{sandbox}/")]

    @property
    def rate(self) -> float:
        """Requests a second of all loads together."""
        return sum(load.rate for load in self._loads.values())

    def measure(self, sandbox: str, pods: Mapping[str, str]) -> None:
        """Ask Pods (uid -> address) how much memory they use, once; `on_memory` is told what they say."""
        self._tell(msgspec.json.encode({"op": "memory", "id": sandbox, "pods": dict(pods)}))

    async def ask(
        self, url: str, *, method: str = "GET", body: str = "", timeout: float = 2.0
    ) -> ProbeResult:
        """One HTTP request outside any probe. What the server does is in the result. Raises ProberAway."""
        if not self.connected:
            raise ProberAway("The prober cannot be asked just now.")
        name = f"q{next(self._numbers)}"
        spec = ProbeSpec(id=name, http=url, method=method, body=body, timeout_ms=round(timeout * 1000))
        answer = self._asked[name] = asyncio.get_running_loop().create_future()
        self._tell(_command(name, spec, op="ask"))
        try:
            heard = await asyncio.wait_for(answer, timeout + ANSWER_S)
        except TimeoutError:
            raise ProberAway("The prober did not answer in time.") from None
        finally:
            self._asked.pop(name, None)
        if heard.op == "error":
            raise ProberAway(f"The prober refused: {heard.error}")
        result: ProbeResult = heard.result(spec)
        return result

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        wait = SHORTEST_WAIT_S
        while True:
            try:
                place = self._place or await find_prober(self._client)
                async with await open_exec(self._client, *place, self._container, ARGV) as stream:
                    wait = SHORTEST_WAIT_S
                    await self._serve(stream)
            except SandboxError as error:
                log.info("prober: %s", error)
            # Jitter, so that several platforms do not knock in step at a restarted API server.
            await asyncio.sleep(wait * random.uniform(0.75, 1.25))  # noqa: S311
            wait = min(wait * 2, LONGEST_WAIT_S)

    async def _serve(self, stream: ExecStream) -> None:
        self._unsent = [_command(name, probe) for name, probe in self._running.items()]
        self._news.set()
        self._set_state(True)
        writing = asyncio.create_task(self._write(stream))
        try:
            await self._read(stream)
        finally:
            self._set_state(False)
            self._lose_what_ran()
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    def _lose_what_ran(self) -> None:
        lost, self._loads = self._loads, {}
        for name, load in lost.items():
            sandbox = name.rpartition("/")[0]
            self.on_load(LoadNews(op="ended", sandbox=sandbox, id=load.id, error="the sender was lost"))
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ProberAway("The prober was lost before it answered."))

    async def _write(self, stream: ExecStream) -> None:
        while True:
            try:
                async with asyncio.timeout(PING_S):
                    await self._news.wait()
            except TimeoutError:
                self._unsent.append(b'{"op":"ping"}')
            self._news.clear()
            lines, self._unsent = self._unsent, []
            try:
                await stream.write(b"".join(line + b"\n" for line in lines))
            except SandboxError:
                return  # the reading side ends, too, and `run` connects again

    async def _read(self, stream: ExecStream) -> None:
        rest = b""
        async for channel, data in stream:
            if channel != STDOUT:
                log.warning("prober says: %s", data.decode("utf-8", "replace").strip())
                continue
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise SandboxError("The prober sent a line without an end.")
            for line in lines:
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            heard = _decoder.decode(line)
        except msgspec.MsgspecError as error:
            log.warning("prober sent nonsense: %s", error)
            return
        if heard.op in _OF_LOADS and heard.id in self._loads:
            self._take_load(heard)
        elif heard.op == "memory":
            self.on_memory(heard.id, heard.memory)
        elif heard.id in self._asked:
            if not (answer := self._asked[heard.id]).done():
                answer.set_result(heard)
        elif heard.op in ("error", "lost"):
            log.warning("prober %s: %s %s %s", heard.op, heard.id, heard.error, heard.lost or "")
        elif not heard.op and (spec := self._running.get(heard.id)) is not None:
            self.on_result(heard.result(spec))

    def _take_load(self, heard: _Heard) -> None:
        load = self._loads[heard.id]
        if heard.op in ("ended", "error"):
            del self._loads[heard.id]
        self.on_load(
            LoadNews(
                op=heard.op,
                sandbox=heard.id.rpartition("/")[0],
                id=load.id,
                sent=heard.sent,
                failed=heard.failed,
                untold=heard.untold,
                lost=heard.lost,
                p95=heard.p95,
                pods=heard.pods,
                status=heard.status,
                ms=heard.ms,
                error=heard.error,
                pod_uid=heard.pod_uid,
            )
        )

    def _tell(self, line: bytes) -> None:
        """Without a connection nothing is kept: everything running is sent when there is one."""
        if self.connected:
            self._unsent.append(line)
            self._news.set()

    def _set_state(self, connected: bool) -> None:
        if self.connected is not connected:
            self.connected = connected
            self.on_state(connected)


_OF_LOADS = frozenset({"second", "failure", "ended", "error"})


class _Heard(msgspec.Struct):
    """A line of the prober: a probe's result, or with `op` what that says."""

    op: str = ""
    id: str = ""
    n: int = 0
    at_ms: int = 0
    ok_transport: bool = False
    status: int = 0
    ms: float = 0.0
    body: str = ""
    error: str = ""
    nonce: str = ""
    echo_nonce: str = ""
    echo_pod_uid: str = ""
    lost: int = 0
    sent: int = 0
    failed: int = 0
    untold: int = 0
    p95: float | None = None
    pods: dict[str, int] = {}
    pod_uid: str = ""
    memory: dict[str, int] = {}

    def result(self, spec: ProbeSpec) -> ProbeResult:
        return ProbeResult(
            sandbox=self.id.rpartition("/")[0],
            id=spec.id,
            n=self.n,
            at_ms=self.at_ms,
            ok_transport=self.ok_transport,
            status=self.status,
            ms=self.ms,
            body=self.body,
            error=self.error,
            nonce=self.nonce,
            echo_nonce=self.echo_nonce,
            echo_pod_uid=self.echo_pod_uid,
            is_http=bool(spec.http),
        )


_decoder = msgspec.json.Decoder(_Heard)


def _command(name: str, spec: ProbeSpec | LoadSpec, *, op: str = "probe") -> bytes:
    return msgspec.json.encode({"op": op, **msgspec.to_builtins(spec), "id": name})
