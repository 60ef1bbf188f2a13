"""`manage.py up`: pages within seconds, the cluster behind them, everything stopped cleanly."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING

from classroom.live.origins import LOOPBACK, own_hosts

from .children import Child, ensure_no_survivors, own_lessons, run_once
from .home import HomeUnfit, Owner, ensure_home, ensure_owner
from .notice import ClusterNotice, publish_notice
from .ports import holder_of, is_free, is_own_address

if TYPE_CHECKING:
    from .cluster_thread import ClusterThread


def taken(bind: str, port: int) -> str:
    """Why we cannot listen there, and what to do, in one or two sentences."""
    if not is_own_address(bind):
        return f"BIND={bind} is no address of this machine. Use 127.0.0.1, or 0.0.0.0 for the whole room."
    other = port + 1 if port < 65535 else port - 1
    return (
        f"Port {port} on {bind} is taken by {holder_of(port)}. "
        f"Stop it, or choose another: PORT={other} make up"
    )


class AlreadyRunning(Exception):
    """Another supervisor holds this state folder."""


def room_host(bind: str) -> str:
    """The name other machines reach us by: the bound address, or this machine's own for a wildcard."""
    outside = [host for host in own_hosts(bind) if host not in LOOPBACK]
    return outside[0] if outside else "THIS-MACHINE"


def say(text: str) -> None:
    print(f"  {text}", flush=True)


class Supervisor:
    """One per state folder, held by a lock on `supervisor.lock`."""

    def __init__(self, home: Path, bind: str, port: int, *, cluster: bool = True) -> None:
        self.home, self.bind, self.port, self.with_cluster = home, bind, port, cluster
        self.stopping = threading.Event()
        self.lock_file: IO[str] | None = None

    def take_lock(self) -> None:
        """Raises AlreadyRunning."""
        path = self.home / "supervisor.lock"
        held = path.open("a+")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.close()
            raise AlreadyRunning from None
        held.seek(0)
        held.truncate()
        held.write(f"{os.getpid()}\n{self.bind} {self.port}\n")
        held.flush()
        self.lock_file = held  # the lock lives as long as the file is open

    def prepare(self) -> Owner:
        """Folders, lock, database. Raises HomeUnfit, AlreadyRunning, RuntimeError."""
        if os.environ.get("GLASSHULL_LESSONS") and not own_lessons():
            raise HomeUnfit("GLASSHULL_LESSONS is no folder. Set it to the folder that holds the courses.")
        owner = ensure_owner()
        ensure_home(self.home, owner)
        self.take_lock()
        ensure_no_survivors(self.home)
        if not is_free(self.bind, self.port):
            raise HomeUnfit(taken(self.bind, self.port))
        publish_notice(
            self.home / "shared/cluster.json", ClusterNotice("starting", "Looking at this machine"), owner.gid
        )
        run_once(["migrate", "--verbosity", "0"], self.home, owner)
        return owner

    def run(self) -> int:
        """Until Ctrl-C or SIGTERM. Exit code for the shell."""
        signal.signal(signal.SIGINT, self.on_signal)
        signal.signal(signal.SIGTERM, self.on_signal)
        owner = self.prepare()
        children = [
            Child("web", ["web", "--bind", self.bind, "--port", str(self.port)], self.home, owner),
            Child("worker", ["worker"], self.home, owner),
        ]
        cluster = None
        try:
            for child in children:
                child.start()
            self.wait_for_pages(children[0])
            self.greet(owner)
            cluster = self.start_cluster(owner)
            while not self.stopping.wait(1.0):
                for child in children:
                    child.ensure_running()
        finally:
            say("Stopping ...")
            for child in reversed(children):
                child.stop()
            left = cluster.stop() if cluster else []
            ensure_no_survivors(self.home)
            for one in left:
                print(f"  Could not be removed: {one}", file=sys.stderr)
        say("Stopped. Nothing is left running.")
        return 1 if left else 0

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping.set()

    def start_cluster(self, owner: Owner) -> ClusterThread | None:
        """The thread that builds and keeps it. Its module loads the Kubernetes side, so it is imported late."""
        if not self.with_cluster:
            reason, remedy = "Glasshull was started with `--no-cluster`.", "Stop it and run: make up"
            notice = ClusterNotice("absent", "Lessons play recorded here.", reason=reason, remedy=remedy)
            publish_notice(self.home / "shared/cluster.json", notice, owner.gid)
            say(f"Lessons play recorded only. {reason} {remedy}")
            return None
        from .cluster_thread import ClusterThread

        thread = ClusterThread(self.home, owner, say)
        thread.start()
        return thread

    def wait_for_pages(self, web: Child, seconds: float = 60.0) -> None:
        """Raises RuntimeError when the web server does not answer."""
        address = f"http://{self.address}/healthz"
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.stopping.is_set():
            try:
                with urllib.request.urlopen(address, timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                if web.process is not None and web.process.poll() is not None:
                    break
                time.sleep(0.1)
        if not self.stopping.is_set():
            raise RuntimeError(f"The web server did not answer. Its last words are in {web.log}")

    @property
    def address(self) -> str:
        host = "127.0.0.1" if self.bind in ("0.0.0.0", "::", "127.0.0.1") else self.bind  # noqa: S104
        return f"{host}:{self.port}"

    def greet(self, owner: Owner) -> None:
        url = run_once(["signin", "--quiet"], self.home, owner).strip().splitlines()[-1]
        print(f"\n  Open this address (it signs you in, once):\n\n    {url}\n", flush=True)
        if self.bind not in ("127.0.0.1", "localhost", "::1"):
            code = run_once(["classcode"], self.home, owner).strip().splitlines()[-1]
            say(f"For the room: http://{room_host(self.bind)}:{self.port}/join/ with the class code {code}.")
            say("This is plain HTTP: use it only in a network you trust, or put an HTTPS proxy before it.")
        say("Ctrl-C stops everything. Another address: ./manage.py signin")
