"""fail-readiness, slow-app and the kernel's OOM kill: switches that the shop's apps have for it.

`POST :9090/switch` with words such as `slow=800ms`; only the platform's prober asks there. What is switched ends with
the process, so a container that was started again is well by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from sandbox.errors import SandboxError
from sandbox.record.exercise import Fault
from sandbox.record.fault_kinds import USUAL_DELAY_MS, how_of

ADMIN_PORT = 9090
LEAK = "leak=64Mi/s"  # past any container's limit here within two seconds
ANSWER_S = 2.0
_WELL: dict[str, tuple[str, ...]] = {  # how an app may say that nothing is wrong
    "ready": ("on",),
    "slow": ("off", "0ms"),
    "hang": ("off",),
    "spin": ("off", "0"),
    "leak": ("off", "0/s"),
}


class SwitchRefused(SandboxError):
    """The app has no such switch, or is not one of the shop's apps; for the person."""


class SwitchAway(SandboxError):
    """Nobody answered: the app, or the way to it. `ours` when it is the way."""

    def __init__(self, text: str, *, ours: bool) -> None:
        super().__init__(text)
        self.ours = ours


class Answer(Protocol):
    """What `Prober.ask` gives (sandbox/prober.py)."""

    @property
    def ok_transport(self) -> bool: ...
    @property
    def status(self) -> int: ...
    @property
    def body(self) -> str: ...
    @property
    def error(self) -> str: ...
    @property
    def echo_pod_uid(self) -> str: ...


class Asker(Protocol):
    async def ask(self, url: str, *, method: str, body: str, timeout: float) -> Answer:
        """One request by the prober. Raises SandboxError when the prober cannot be reached."""


def words_for(fault: Fault, pod: Mapping[str, Any]) -> tuple[str, str]:
    """(on, off) for this Pod. A module's name comes from its label `part`: the monolith hangs in that part only."""
    how = how_of(fault)
    if fault.kind == "fail-readiness":
        return "ready=off", "ready=on"
    if fault.kind == "kill-container" and how == "oom":
        return LEAK, "leak=off"
    if how == "delay":
        return f"slow={fault.parameters.get('ms', USUAL_DELAY_MS)}ms", "slow=off"
    if how == "spin":
        return "spin=1", "spin=0"
    part = (pod["metadata"].get("labels") or {}).get("part")
    return f"hang={part}" if part else "hang", "hang=off"


async def switch(prober: Asker, pod: str, uid: str, address: str, words: str) -> None:
    """Obeyed by that very Pod. Raises SwitchRefused, SwitchAway."""
    await _ask(prober, pod, uid, address, "POST", words)


async def state_of(prober: Asker, pod: str, uid: str, address: str) -> str:
    """What is switched in that very Pod, as the app says it (JSON). Raises SwitchRefused, SwitchAway."""
    return await _ask(prober, pod, uid, address, "GET", "")


def is_off(state: str, off: str) -> bool:
    """Does the app say that what `off` would end is not switched on? False when it says nothing of it."""
    name, _, value = off.partition("=")
    try:
        said = msgspec.json.decode(state, type=dict[str, Any])
    except msgspec.MsgspecError:
        return False
    return name in said and str(said[name]) in {value, *_WELL[name]}


async def _ask(prober: Asker, pod: str, uid: str, address: str, method: str, words: str) -> str:
    url = f"http://{address}:{ADMIN_PORT}/switch"
    try:
        heard = await prober.ask(url, method=method, body=words, timeout=ANSWER_S)
    except SandboxError as error:
        raise SwitchAway("the platform's prober does not answer just now", ours=True) from error
    if not heard.ok_transport and heard.error == "refused":
        raise SwitchRefused(
            f"{pod} has no switches: it is not one of the shop's apps, or does not listen yet"
        )
    if not heard.ok_transport:
        raise SwitchAway(f"{pod} does not answer on its switch port ({heard.error})", ours=False)
    if heard.echo_pod_uid and heard.echo_pod_uid != uid:
        raise SwitchAway(f"another Pod has the address of {pod} by now", ours=False)
    if heard.status != 200:
        raise SwitchRefused(
            f"{pod} has no switch {words.partition('=')[0]}".rstrip() + f" (answer {heard.status})"
        )
    return heard.body
