"""The port through which a fault reaches what no API gives: processes on nodes, the name service, the control plane.

Whoever holds a cluster puts hands behind it. The embedded cluster's are the supervisor's, root, behind a socket
(`sandbox/embedded/hands.py`); the pages' server only asks, one question a connection, as one line of JSON.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Protocol

import msgspec

from sandbox.errors import SandboxError

ANSWER_S = 5.0  # the other side gives up by then, so that nobody waits longer
LONGEST_LINE = 4096  # bytes of a question or an answer


class HandsAway(SandboxError):
    """Nobody answers: no supervisor, or a busy one. Ours."""


class HandsRefused(SandboxError):
    """They will not do this, and say why."""


class Hands(Protocol):
    """What may be done below the API. Every method raises HandsAway and HandsRefused.

    `stop_node`, `start_node`, `cordon_node`, `stop_component` and `start_component` are to be added here when a
    student has a cluster of their own; until then `do` of those names is refused with the reason.
    """

    async def kill_container(self, namespace: str, pod: str, pod_uid: str, container_id: str) -> None:
        """SIGKILL to the first process of a running container of a sandbox's Pod."""

    async def break_dns(self, namespace: str, names: list[str], seconds: float) -> None:
        """Names (Services of that namespace; empty: all) do not exist for so many seconds, then they do again."""

    async def mend_dns(self, namespace: str) -> None:
        """At once what `break_dns` would end by itself. Idempotent."""


class NoHands:
    """For a cluster that is not ours: nothing below its API can be reached."""

    _WHY = "This cluster gives nobody a way to its nodes or its name service."

    async def kill_container(self, namespace: str, pod: str, pod_uid: str, container_id: str) -> None:
        raise HandsRefused(self._WHY)

    async def break_dns(self, namespace: str, names: list[str], seconds: float) -> None:
        raise HandsRefused(self._WHY)

    async def mend_dns(self, namespace: str) -> None:
        """Nothing of ours can be broken there."""


class SupervisorHands:
    """Asks the supervisor of the embedded cluster, at its socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def kill_container(self, namespace: str, pod: str, pod_uid: str, container_id: str) -> None:
        asked = {"namespace": namespace, "pod": pod, "podUid": pod_uid, "containerID": container_id}
        await self._ask({"do": "kill-container", **asked})

    async def break_dns(self, namespace: str, names: list[str], seconds: float) -> None:
        await self._ask({"do": "break-dns", "namespace": namespace, "names": names, "seconds": seconds})

    async def mend_dns(self, namespace: str) -> None:
        await self._ask({"do": "mend-dns", "namespace": namespace})

    async def _ask(self, question: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(ANSWER_S + 1):
                line = await self._exchange(msgspec.json.encode(question) + b"\n")
        except (OSError, TimeoutError) as error:
            raise HandsAway("The cluster's supervisor does not answer just now.") from error
        try:
            answer = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise HandsAway("The cluster's supervisor gave no answer.") from error
        if answer.get("ok") is not True:
            refusal = HandsAway if answer.get("away") else HandsRefused
            raise refusal(str(answer.get("error") or "The cluster's supervisor refused."))

    async def _exchange(self, line: bytes) -> bytes:
        # By the folder's descriptor: a socket's path may have 107 bytes, a state folder's own may have more.
        folder = os.open(self._socket.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            reader, writer = await asyncio.open_unix_connection(
                f"/proc/self/fd/{folder}/{self._socket.name}", limit=LONGEST_LINE
            )
        finally:
            os.close(folder)
        try:
            writer.write(line)
            await writer.drain()
            return await reader.readline()
        except ValueError as error:  # a line without an end
            raise OSError("the answer is too long") from error
        finally:
            writer.close()
