"""The web server and the worker: started confined, watched, brought back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .home import Owner

ROOT = Path(__file__).resolve().parents[3]
MARKER = "GLASSHULL_SERVICE_HOME"  # in the environment of every child; `down` finds survivors by it
CONFINED = Path(__file__).with_name("confined.py")


def command_for(arguments: list[str], home: Path, owner: Owner) -> list[str]:
    """`manage.py ARGUMENTS` as the owner. Confined when root starts it."""
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    if os.geteuid() != 0:
        return command
    kept = {
        ROOT,
        Path(sys.prefix),
        Path(sys.base_prefix),
        Path(sys.executable).resolve().parent.parent,
        home / "web",
        home / "shared",
        *own_lessons(),
    }
    keeps = [word for path in sorted(kept) for word in ("--keep", str(path))]
    return [sys.executable, "-I", str(CONFINED), "--user", owner.name, *keeps, "--", *command]


def own_lessons() -> list[Path]:
    """`GLASSHULL_LESSONS`, when it is set and there: the pages must be able to read it."""
    given = os.environ.get("GLASSHULL_LESSONS")
    folder = Path(given).expanduser().absolute() if given else None
    return [folder] if folder is not None and folder.is_dir() else []


def environment_for(home: Path, extra: Mapping[str, str] = {}) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "LANG", "LC_ALL", "TZ", "BIND", "PORT"}
        or (name.startswith("GLASSHULL_") and name != "GLASSHULL_SUPERVISOR")
    }
    for folder in own_lessons():  # the children's working folder is not the operator's
        kept["GLASSHULL_LESSONS"] = str(folder)
    return {**kept, "GLASSHULL_HOME": str(home), MARKER: str(home), "PYTHONDONTWRITEBYTECODE": "1", **extra}


@dataclass
class Child:
    """One supervised process. A crash is answered after 0.5 s, doubling to 5 s; ten calm seconds reset that."""

    name: str
    arguments: list[str]
    home: Path
    owner: Owner
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.5
    not_before: float = 0.0
    restarts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def log(self) -> Path:
        return self.home / "log" / f"{self.name}.log"

    def start(self) -> None:
        with self.lock, self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command_for(self.arguments, self.home, self.owner),
                cwd=ROOT,
                env=environment_for(self.home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self.started = time.monotonic()

    def ensure_running(self) -> None:
        """Called once a second: bring it back when it has ended."""
        now = time.monotonic()
        if self.process is None or self.process.poll() is None:
            if now - self.started > 10:
                self.pause = 0.5
            return
        if self.not_before < self.started:
            self.not_before = now + self.pause
            self.pause = min(self.pause * 2, 5.0)
        if now >= self.not_before:
            self.restarts += 1
            self.start()

    def stop(self, patience: float = 8.0) -> None:
        process = self.process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def run_once(arguments: list[str], home: Path, owner: Owner, timeout: float = 120) -> str:
    """One `manage.py` command as the owner; its output. Raises RuntimeError with the last lines."""
    result = subprocess.run(
        command_for(arguments, home, owner),
        cwd=ROOT,
        env=environment_for(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if result.returncode:
        lines = (result.stdout + result.stderr).strip().splitlines()
        raise RuntimeError(f"manage.py {arguments[0]} failed: " + " / ".join(lines[-3:]))
    return result.stdout


def surviving_children(home: Path) -> list[int]:
    """Process ids of web servers and workers of this state folder, whoever started them."""
    wanted = f"{MARKER}={home}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def ensure_no_survivors(home: Path) -> None:
    """SIGKILL what a dead supervisor left."""
    for _ in range(50):
        survivors = surviving_children(home)
        if not survivors:
            return
        for pid in survivors:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.1)
