"""Ask Services as a customer would, from the platform's prober Pod, over one exec stream.

The prober (sandbox/embedded/images/sources/golang/prober) is told what to ask by JSON lines and answers by
JSON lines. It stops when the stream ends; after a reconnect everything that should run is sent again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Container
from typing import Any

import msgspec

from sandbox.cluster.client import ClusterClient
from sandbox.errors import SandboxError
from sandbox.exec_stream import STDOUT, ExecStream, open_exec
from sandbox.plan import SYSTEM_NAMESPACE
from sandbox.record.exercise import Probe

log = logging.getLogger(__name__)

ARGV = ("prober", "run")
PING_S = 10.0  # the prober gives up after 45 s of silence
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0
LONGEST_LINE = 64 * 1024
SUMMARY_S = 1.0
STRANGER = "answered by a stranger"


class ProbeSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question, asked every `every_ms`: exactly one of http, tcp and dns. Names are full names."""

    id: str
    every_ms: int
    timeout_ms: int
    http: str = ""
    tcp: str = ""
    dns: str = ""
    method: str = ""
    body: str = ""
    headers: dict[str, str] = {}


class ProbeResult(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, or its absence.

    `n` counts from 1 since the probe was (re)started, `at_ms` is the time of sending since then, `ms` how
    long the answer took. `error`: refused, timeout, no such host, reset, unreachable, closed…
    """

    sandbox: str = ""
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
    is_http: bool = True


class Evaluation(msgspec.Struct, frozen=True):
    """Whether an answer counts as one of this sandbox, and if not why. `json` is its body when it is JSON."""

    ok: bool
    reason: str = ""
    pod_uid: str = ""
    json: Any = None


OnResult = Callable[[ProbeResult], None]


def spec_for(probe: Probe, namespace: str, *, domain: str = "cluster.local") -> ProbeSpec:
    """The question a lesson's probe asks in `namespace`.

    `storefront:80/whoami` asks Service storefront of that namespace; a name with dots is taken as it is, so
    a lesson cannot be pointed elsewhere by accident. Raises ValueError for kinds the prober does not ask.
    """
    host, colon, rest = probe.target.removeprefix("http://").partition(":")
    # The final dot spares the resolver its search path: one query instead of four.
    name = f"{host}.{namespace}.svc.{domain}." if "." not in host else host
    asked = ProbeSpec(id=probe.id, every_ms=round(probe.every * 1000), timeout_ms=round(probe.timeout * 1000))
    replace = msgspec.structs.replace
    if probe.kind == "http":
        return replace(
            asked,
            http=f"http://{name}{colon}{rest}",
            method=probe.method,
            body=probe.body,
            headers=probe.headers,
        )
    if probe.kind == "tcp":
        return replace(asked, tcp=f"{name}{colon}{rest}")
    if probe.kind == "dns":
        return replace(asked, dns=name)
    raise ValueError(f"probe {probe.id!r}: the prober does not ask {probe.kind} probes")


def evaluate(result: ProbeResult, own_pod_uids: Container[str]) -> Evaluation:
    """Pure. An HTTP answer counts if it echoes its nonce and names a Pod of this sandbox.

    The app says so in headers, or in a JSON body with `nonce` and `podUid`. The status is the lesson's
    business, not this function's.
    """
    if not result.ok_transport:
        return Evaluation(False, result.error or "no answer")
    if not result.is_http:
        return Evaluation(True)
    body = _json(result.body)
    nonce, pod_uid = result.echo_nonce, result.echo_pod_uid
    if not (nonce and pod_uid) and isinstance(body, dict):
        nonce, pod_uid = str(body.get("nonce", "")), str(body.get("podUid", ""))
    if not nonce or nonce != result.nonce or pod_uid not in own_pod_uids:
        return Evaluation(False, STRANGER, pod_uid, body)
    return Evaluation(True, "", pod_uid, body)


class ProbeSummariser:
    """Pure: turns the answers of one sandbox's probes into what its record holds (lesson format 4.2).

    An entry for each failure and for each change of outcome, and one summary a second with what was sent
    and what failed in that second. Four good answers a second so become one small entry.
    """

    def __init__(self) -> None:
        self._outcome: dict[str, bool] = {}
        self._counts: dict[str, list[int]] = {}
        self._until: dict[str, float] = {}

    def feed(self, probe: str, ok: bool, change: dict[str, Any], at: float) -> list[dict[str, Any]]:
        """Changes to append for one answer, whose own `change` was made by the caller; at in seconds."""
        changes = self._due(probe, at)
        if not ok or self._outcome.get(probe) is not ok:
            self._outcome[probe] = ok
            changes.append({"id": probe, "ok": ok, **change})
        counts = self._counts.get(probe)
        if counts is None:
            counts = self._counts[probe] = [0, 0]
            self._until[probe] = at + SUMMARY_S
        counts[0] += 1
        counts[1] += not ok
        return changes

    def advance(self, at: float) -> list[dict[str, Any]]:
        """Summaries that are due although nothing more was answered."""
        return [change for probe in list(self._counts) for change in self._due(probe, at)]

    def close(self, probe: str | None = None) -> list[dict[str, Any]]:
        """The last summaries of one probe, or of all; what is fed later begins anew."""
        probes = list(self._counts) if probe is None else [probe]
        changes = [change for name in probes for change in self._due(name, float("inf"))]
        for name in list(self._outcome) if probe is None else probes:
            self._outcome.pop(name, None)
        return changes

    def _due(self, probe: str, at: float) -> list[dict[str, Any]]:
        if probe not in self._counts or at < self._until[probe]:
            return []
        sent, failed = self._counts.pop(probe)
        del self._until[probe]
        return [{"id": probe, "summary": True, "sent": sent, "failed": failed}]


class Prober:
    """Keeps the stream to the prober Pod and what should run on it. Answers come while `run` runs."""

    def __init__(
        self,
        client: ClusterClient,
        namespace: str = SYSTEM_NAMESPACE,
        pod: str = "prober",
        *,
        container: str = "prober",
        on_result: OnResult = lambda _: None,
        on_state: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self.on_result = on_result
        self.on_state = on_state  # told True when answers can come, False when they cannot
        self.connected = False
        self._client = client
        self._place = (namespace, pod, container)
        self._running: dict[str, ProbeSpec] = {}
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
        mine = [name for name in self._running if name.startswith(prefix)]
        for name in mine:
            del self._running[name]
        if mine:
            self._tell(msgspec.json.encode({"op": "stop-all", "prefix": prefix}))

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        wait = SHORTEST_WAIT_S
        while True:
            try:
                async with await open_exec(self._client, *self._place, ARGV) as stream:
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
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

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
        if heard.op:
            if heard.op != "pong":
                log.warning("prober %s: %s %s %s", heard.op, heard.id, heard.error, heard.lost or "")
            return
        spec = self._running.get(heard.id)
        if spec is not None:
            self.on_result(heard.result(spec))

    def _tell(self, line: bytes) -> None:
        """Without a connection nothing is kept: everything running is sent when there is one."""
        if self.connected:
            self._unsent.append(line)
            self._news.set()

    def _set_state(self, connected: bool) -> None:
        if self.connected is not connected:
            self.connected = connected
            self.on_state(connected)


class _Heard(msgspec.Struct):
    """A line of the prober: a result, or (with `op`) a notice."""

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


def _command(name: str, probe: ProbeSpec) -> bytes:
    return msgspec.json.encode({"op": "probe", **msgspec.to_builtins(probe), "id": name})


def _json(text: str) -> Any:
    if not text.startswith(("{", "[")):
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return None
