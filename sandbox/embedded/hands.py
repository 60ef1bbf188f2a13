"""The supervisor's hands: the few things below the API that a fault needs, done as root for the pages' server.

One question a connection, one line of JSON each way (`sandbox/faults/hands.py` asks). Nothing asked is believed:
names have a form, the namespace must be a sandbox by its label, the Pod and the container must be what the API server
says they are. A pid, a path or a command is never taken from outside. Rules of the name service end by themselves.
"""

import http.client
import json
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.embedded.api import AdminApi, ApiRefused
from sandbox.embedded.commands import run
from sandbox.embedded.errors import EmbeddedError
from sandbox.embedded.layout import Layout
from sandbox.embedded.names_rules import NameRules
from sandbox.embedded.node import SOCKET, enter
from sandbox.plan import SANDBOX_LABEL

LONGEST_LINE = 4096
_READ_S = 1.0  # in which the whole question must have come
_WORK_S = 3.0  # of one command on a node
_SWEEP_S = 0.5  # between two looks at rules that are over
_AT_ONCE = 8  # connections; more are closed unheard
_MOST_SECONDS = 120.0
_MOST_NAMES = 8

_NAMESPACE = re.compile(r"gh-[a-z0-9]([-a-z0-9]{0,58}[a-z0-9])?")
_POD = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CONTAINER = re.compile(r"containerd://([0-9a-f]{64})")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_LATER = {
    "stop-node": "the nodes are shared by all students of this cluster",
    "start-node": "the nodes are shared by all students of this cluster",
    "cordon-node": "the nodes are shared by all students of this cluster",
    "drain-node": "the nodes are shared by all students of this cluster",
    "stop-component": "the control plane is shared by all students of this cluster",
    "start-component": "the control plane is shared by all students of this cluster",
}

Question = Mapping[str, Any]


class Refused(Exception):
    """For the one who asked. `away`: nobody's fault, it may be asked again."""

    def __init__(self, text: str, *, away: bool = False) -> None:
        super().__init__(text)
        self.away = away


class HandsDesk(threading.Thread):
    """Listens at `path` until `stop` is set. Only root and `uid` are heard; `gid` may open the socket."""

    def __init__(
        self, layout: Layout, api: AdminApi, rules: NameRules, path: Path, uid: int, gid: int
    ) -> None:
        super().__init__(name="hands", daemon=True)
        self._layout, self._api, self._rules = layout, api, rules
        self._heard = frozenset({0, uid})
        self._places = threading.Semaphore(_AT_ONCE)
        self.stopping = threading.Event()
        self._listener = _listen(path, gid)
        self._do: dict[str, Callable[[Question], None]] = {
            "kill-container": self._kill_container,
            "break-dns": self._break_dns,
            "mend-dns": self._mend_dns,
        }

    def run(self) -> None:
        with self._listener:
            self._rules.begin()
            self._listener.settimeout(_SWEEP_S)
            while not self.stopping.is_set():
                self._rules.sweep(time.monotonic())
                self._hear()

    def stop(self) -> None:
        self.stopping.set()

    def _hear(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # nobody for a while, or one that left at once
            return
        if self._places.acquire(blocking=False):
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        else:
            connection.close()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(_READ_S)
                if _peer(connection) in self._heard:
                    connection.sendall(json.dumps(self.answer(_read_line(connection))).encode() + b"\n")
        except OSError:
            pass  # the other side left, or said nothing
        finally:
            self._places.release()

    def answer(self, line: bytes) -> dict[str, Any]:
        """To one question: `{"ok": true}`, or false with `error`, and `away` when it may be asked again."""
        try:
            question = _read(line)
            self._handler(question)(question)
        except Refused as refused:
            return {"ok": False, "error": str(refused), "away": refused.away}
        except (OSError, http.client.HTTPException, EmbeddedError):
            return {"ok": False, "error": "The cluster does not answer just now.", "away": True}
        return {"ok": True}

    def _handler(self, question: Question) -> Callable[[Question], None]:
        what = question.get("do")
        if isinstance(what, str) and what in _LATER:
            raise Refused(f"{what} is refused: {_LATER[what]}.")
        handler = self._do.get(what) if isinstance(what, str) else None
        if handler is None:
            raise Refused(f"There is nothing called that to do; there is {', '.join(sorted(self._do))}.")
        return handler

    # --- what may be done -----------------------------------------------------------------------
    def _kill_container(self, question: Question) -> None:
        namespace, name = _text(question, "namespace", _NAMESPACE), _text(question, "pod", _POD)
        uid, container = _text(question, "podUid", _UID), _text(question, "containerID", _CONTAINER)
        self._must_be_sandbox(namespace)
        pod = self._read(f"/api/v1/namespaces/{namespace}/pods/{name}")
        if pod["metadata"]["uid"] != uid:
            raise Refused("That Pod is gone; another has its name.")
        statuses = pod.get("status", {}).get("containerStatuses") or []
        runs = any(each.get("containerID") == container and "running" in each["state"] for each in statuses)
        if not runs:
            raise Refused("That container does not run any more.")
        where = pod["spec"].get("nodeName")
        node = next((each for each in self._layout.plan.workers if each.name == where), None)
        if node is None:
            raise Refused("That Pod is on no node of this cluster.")
        ctr = (*enter(self._layout, node), "ctr", "--address", SOCKET, "--namespace", "k8s.io")
        run(
            (*ctr, "tasks", "kill", "--signal", "SIGKILL", container.removeprefix("containerd://")),
            timeout=_WORK_S,
        )

    def _break_dns(self, question: Question) -> None:
        namespace = _text(question, "namespace", _NAMESPACE)
        names, seconds = question.get("names"), question.get("seconds")
        if not isinstance(names, list) or len(names) > _MOST_NAMES:
            raise Refused(f"names is a list of at most {_MOST_NAMES} Services; an empty one means all.")
        if not all(isinstance(name, str) and _SERVICE.fullmatch(name) for name in names):
            raise Refused("A name in names is no Service's name.")
        if (
            isinstance(seconds, bool)
            or not isinstance(seconds, int | float)
            or not 0 < seconds <= _MOST_SECONDS
        ):
            raise Refused(f"seconds is more than 0 and at most {_MOST_SECONDS:g}.")
        self._must_be_sandbox(namespace)
        self._rules.put(namespace, tuple(names), time.monotonic() + seconds)

    def _mend_dns(self, question: Question) -> None:
        self._rules.remove(_text(question, "namespace", _NAMESPACE))

    def _must_be_sandbox(self, namespace: str) -> None:
        found = self._read(f"/api/v1/namespaces/{namespace}")
        if not (found["metadata"].get("labels") or {}).get(SANDBOX_LABEL):
            raise Refused(f"{namespace} is no sandbox.")

    def _read(self, path: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._api.request("GET", path, timeout=_READ_S)
        except ApiRefused as refused:
            if refused.status == 404:
                raise Refused("It is not there (any more).") from None
            raise
        return found


def _listen(path: Path, gid: int) -> socket.socket:
    """A socket at `path` that root and group `gid` may open. Raises OSError."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        short = f"/proc/self/fd/{folder}/{path.name}"  # a socket's path may have 107 bytes
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listener.bind(short)
        finally:
            os.umask(before)
        os.chown(path, -1, gid)
        path.chmod(0o660)
        listener.listen(_AT_ONCE)
    finally:
        os.close(folder)
    return listener


def _peer(connection: socket.socket) -> int:
    """The other side's user, as the kernel knows it."""
    _pid, uid, _gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)


def _read_line(connection: socket.socket) -> bytes:
    """Up to the first line's end. Raises OSError when it is too long or too late."""
    until, line = time.monotonic() + _READ_S, b""
    while b"\n" not in line:
        if len(line) > LONGEST_LINE or time.monotonic() > until:
            raise OSError("no question in time")
        piece = connection.recv(LONGEST_LINE)
        if not piece:
            break
        line += piece
    return line.partition(b"\n")[0]


def _read(line: bytes) -> Question:
    """Raises Refused."""
    if len(line) > LONGEST_LINE:
        raise Refused(f"A question has at most {LONGEST_LINE} bytes.")
    try:
        question = json.loads(line)
    except (ValueError, RecursionError):
        raise Refused("A question is one line of JSON.") from None
    if not isinstance(question, dict):
        raise Refused("A question is a JSON object.")
    return question


def _text(question: Question, key: str, form: re.Pattern[str]) -> str:
    value = question.get(key)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise Refused(f"{key} is missing or has not its form.")
    return value
