"""Processes of a cluster: started, found again, counted. They outlive the supervisor on purpose.

A process is known by its pid and its start time (a pid alone is reused), and carries our marker
variable, by which `down` finds it without any memory of ours.
"""

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.embedded.errors import ComponentFailed, StartCancelled
from sandbox.embedded.layout import MARKER, Layout
from sandbox.embedded.pki import write_private

_OLD_LOGS = 3
LOG_LIMIT_BYTES = 20_000_000


@dataclass(frozen=True)
class Component:
    """A process to be: its name (also that of its log), its command, the node it belongs to."""

    name: str
    argv: tuple[str, ...]
    node: int | None = None


@dataclass(frozen=True)
class Trace:
    """What `run/<component>.json` says about the last start."""

    pid: int
    start_ticks: int
    started_at: float
    starts: int


def read_start_ticks(pid: int) -> int | None:
    """Start time in clock ticks since boot (proc(5), field 22); None when gone, going or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if is_going(pid):
        return None
    # The name may hold blanks and brackets: fields count from the last bracket.
    fields = stat[stat.rindex(")") + 2 :].split()
    if fields[0] in "ZX":
        return None
    return int(fields[19])


def is_going(pid: int) -> bool:
    """True for a process that was killed and has lost its memory, though not yet its sockets."""
    try:
        # Not its command line: that is empty for a moment while a program is being started, too.
        return Path(f"/proc/{pid}/statm").read_text().startswith("0 ")
    except (FileNotFoundError, ProcessLookupError):
        return True


def read_marks() -> Iterator[tuple[int, str]]:
    """(pid, cluster id) of every living process of any cluster on this machine."""
    prefix = f"{MARKER}=".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            environ = (folder / "environ").read_bytes()
        except OSError:
            continue
        for word in environ.split(b"\0"):
            if word.startswith(prefix) and read_start_ticks(int(folder.name)) is not None:
                yield int(folder.name), word[len(prefix) :].decode(errors="replace")


def marked_pids(cluster_id: str) -> list[int]:
    """Every living process that carries this cluster's marker."""
    return [pid for pid, mark in read_marks() if mark == cluster_id]


class Processes:
    """Start and find the components of one cluster. Not shared between threads per component."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._children: set[int] = set()
        self._closing = False
        self._lock = threading.Lock()

    def open(self) -> None:
        """Let components be started (again)."""
        self._closing = False

    def close(self) -> None:
        """From now on nothing is started: a thread that is still starting the cluster is told so."""
        with self._lock:
            self._closing = True

    def must_be_open(self) -> None:
        """Raises StartCancelled once the cluster is being taken down."""
        if self._closing:
            raise StartCancelled("The cluster was taken down while it was still starting.")

    def ensure(self, component: Component) -> bool:
        """Start it unless it lives; True when it was started."""
        if self.is_alive(component.name):
            return False
        self.start(component)
        return True

    def start(self, component: Component) -> None:
        with self._lock:
            self.must_be_open()
            self._spawn(component)

    def _spawn(self, component: Component) -> None:
        log = self._layout.log(component.name)
        _rotate(log)
        before = self.read_trace(component.name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        # `env -C /`: a process that stays in the folder of whoever started it keeps it busy.
        argv = ["/usr/bin/env", "-C", "/", *component.argv]
        pid = os.posix_spawn(
            argv[0],
            argv,
            {
                MARKER: self._layout.id,
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/root",
                "LANG": "C.UTF-8",
            },
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE],
        )
        self._children.add(pid)
        self._write(component.name, pid, before.starts + 1 if before else 1)

    def _write(self, name: str, pid: int, starts: int) -> None:
        trace = Trace(pid, read_start_ticks(pid) or 0, time.time(), starts)
        write_private(self._trace_file(name), json.dumps(asdict(trace)).encode())

    def _trace_file(self, name: str) -> Path:
        return self._layout.run / f"{name}.json"

    def read_trace(self, name: str) -> Trace | None:
        try:
            return Trace(**json.loads(self._trace_file(name).read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def is_alive(self, name: str) -> bool:
        trace = self.read_trace(name)
        if trace is None:
            return False
        self._reap(trace.pid)
        return trace.start_ticks != 0 and read_start_ticks(trace.pid) == trace.start_ticks

    def _reap(self, pid: int) -> None:
        if pid not in self._children:
            return
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            ended = pid
        if ended:
            self._children.discard(pid)

    def reap_all(self) -> None:
        for pid in list(self._children):
            self._reap(pid)

    def last_words(self, name: str) -> str:
        """The last line a component wrote, for an error message."""
        try:
            lines = self._layout.log(name).read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return "it wrote nothing"
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "it wrote nothing")

    def must_live(self, name: str) -> None:
        """Raises ComponentFailed with the component's last words when it is gone."""
        if not self.is_alive(name):
            raise ComponentFailed(
                f"{name} stopped while the cluster was starting: {self.last_words(name)}",
                f"Look into {self._layout.log(name)}, then start again.",
            )

    def trim_logs(self) -> None:
        """Cut logs that have grown too long; they are opened for appending, so writing goes on."""
        for log in self._layout.logs.glob("*.log"):
            if log.stat().st_size > LOG_LIMIT_BYTES:
                log.with_suffix(".log.1").write_bytes(log.read_bytes()[-LOG_LIMIT_BYTES // 4 :])
                os.truncate(log, 0)


def _rotate(log: Path) -> None:
    if not log.exists() or log.stat().st_size == 0:
        return
    for number in range(_OLD_LOGS, 1, -1):
        older = log.with_suffix(f".log.{number - 1}")
        if older.exists():
            older.replace(log.with_suffix(f".log.{number}"))
    log.replace(log.with_suffix(".log.1"))


def kill(pid: int) -> None:
    """SIGKILL; a process that is gone already is what we wanted."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
