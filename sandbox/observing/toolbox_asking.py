"""Ask from the student's own toolbox: what a terminal there would see. Never proof of anything.

Each question is a program of its own in the toolbox, so these are asked once a second at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from sandbox.cluster.client import ClusterClient
from sandbox.errors import SandboxError
from sandbox.exec_stream import ExecResult, ExecTimeout, run
from sandbox.plan import TOOLBOX_NAMESPACE, SandboxPlan
from sandbox.probing import OnResult, ProbeResult
from sandbox.record.exercise import Probe

SHORTEST_EVERY = 1.0  # seconds
MOST_OPEN = 4  # programs of one probe at a time
STARTING = 2.0  # seconds that starting a program may take, over the probe's own timeout
OUTPUT = 8 * 1024
_STATUS = re.compile(r"[0-9]{3}")
# curl's exit codes, in the words of the prober.
_STOPPED = (124, 143)  # what `timeout` ends with when it had to stop the program
_ERRORS = {6: "no such host", 7: "refused", 28: "timeout", 52: "closed", 56: "reset"}

Run = Callable[[SandboxPlan, tuple[str, ...], float], Awaitable[ExecResult]]


class ToolboxProber:
    """Runs toolbox probes on schedule, never waiting for a slow one. `start` needs a running event loop."""

    def __init__(self, run: Run, on_result: OnResult = lambda _: None) -> None:
        self.on_result = on_result
        self._run = run
        self._running: dict[str, list[asyncio.Task[None]]] = {}

    @classmethod
    def over(cls, client: ClusterClient) -> ToolboxProber:
        async def in_toolbox(plan: SandboxPlan, argv: tuple[str, ...], timeout: float) -> ExecResult:
            return await run(
                client, TOOLBOX_NAMESPACE, plan.toolbox, "toolbox", argv, timeout=timeout, limit=OUTPUT
            )

        return cls(in_toolbox)

    def start(self, sandbox: str, plan: SandboxPlan, probe: Probe) -> None:
        task = asyncio.ensure_future(self._repeat(sandbox, plan, probe))
        self._running.setdefault(sandbox, []).append(task)

    def stop(self, sandbox: str) -> None:
        for task in self._running.pop(sandbox, ()):
            task.cancel()

    async def _repeat(self, sandbox: str, plan: SandboxPlan, probe: Probe) -> None:
        every = max(probe.every, SHORTEST_EVERY)
        n = 0
        async with asyncio.TaskGroup() as asked:
            free = asyncio.Semaphore(MOST_OPEN)
            while True:
                n += 1
                if not free.locked():
                    await free.acquire()
                    asked.create_task(self._ask(sandbox, plan, probe, n, free))
                await asyncio.sleep(every)

    async def _ask(
        self, sandbox: str, plan: SandboxPlan, probe: Probe, n: int, free: asyncio.Semaphore
    ) -> None:
        nonce, sent = secrets.token_hex(12), time.monotonic()
        about = ProbeResult(sandbox=sandbox, id=probe.id, n=n, nonce=nonce, is_http=probe.kind == "http")
        try:
            with contextlib.suppress(SandboxError):  # a toolbox that is not there has seen nothing
                try:
                    ran = await self._run(plan, argv_for(probe, nonce), probe.timeout + STARTING)
                    heard = read_output(probe, about, ran)
                except ExecTimeout:
                    heard = _with(about, error="timeout")
                self.on_result(_with(heard, ms=(time.monotonic() - sent) * 1000))
        finally:
            free.release()


def argv_for(probe: Probe, nonce: str) -> tuple[str, ...]:
    """The command a student could type. Raises ValueError for a kind that is not asked there."""
    if probe.kind == "exec":  # a program that hangs must not stay behind
        return ("timeout", str(math.ceil(probe.timeout)), *probe.argv)
    if probe.kind == "dns":
        return ("nslookup", probe.target)
    if probe.kind != "http":
        raise ValueError(f"probe {probe.id!r}: a toolbox does not ask {probe.kind} probes")
    headers = {**probe.headers, "X-Glasshull-Nonce": nonce}
    options = [option for name, value in headers.items() for option in ("-H", f"{name}: {value}")]
    data = ("-d", probe.body) if probe.body else ()
    limit = f"{probe.timeout:g}"
    return ("curl", "-s", "-i", "-m", limit, "-X", probe.method, *options, *data, f"http://{probe.target}")


def read_output(probe: Probe, about: ProbeResult, ran: ExecResult) -> ProbeResult:
    """Pure. What a program's output says."""
    text = ran.stdout.decode("utf-8", "replace")
    if ran.code is None:
        return _with(about, error=ran.reason or "it could not be run")
    if probe.kind == "exec":
        stopped = ran.code in _STOPPED
        return _with(
            about, ok_transport=not stopped, status=ran.code, body=text, error="timeout" if stopped else ""
        )
    if probe.kind == "dns" and "can't find" in text:
        return _with(about, error="no such host")
    if ran.code != 0:
        return _with(about, error=_ERRORS.get(ran.code, f"exit code {ran.code}"))
    if probe.kind == "dns":
        addresses = [line.split()[-1] for line in text.splitlines() if line.startswith("Address")]
        return _with(about, ok_transport=True, body=json.dumps({"answers": sorted(addresses)}))
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.split("\n")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)
    }
    words = first.split()
    return _with(
        about,
        ok_transport=True,
        status=int(words[1]) if len(words) > 1 and _STATUS.fullmatch(words[1]) else 0,
        body=body,
        echo_nonce=headers.get("x-glasshull-nonce", ""),
        echo_pod_uid=headers.get("x-glasshull-pod-uid", ""),
    )


def _with(result: ProbeResult, **changes: Any) -> ProbeResult:
    return msgspec.structs.replace(result, **changes)
