"""Stop Glasshull and remove every trace of its cluster. Safe after a crash."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from classroom.operating.children import ensure_no_survivors
from classroom.operating.home import default_home


def supervisor_pid(home: Path) -> int | None:
    """The running supervisor's process id, None when there is none."""
    import fcntl

    path = home / "supervisor.lock"
    if not path.exists():
        return None
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int((path.read_text().split() or ["0"])[0]) or None
    return None


def end_supervisor(home: Path, patience: float = 40.0) -> None:
    pid = supervisor_pid(home)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + patience
    while time.monotonic() < until and supervisor_pid(home) is not None:
        time.sleep(0.2)
    if supervisor_pid(home) is not None:
        os.kill(pid, signal.SIGKILL)


class Command(BaseCommand):
    help = "Stop Glasshull and remove what its cluster left on this machine."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        home = default_home()
        if not home.exists():
            print("Nothing runs and nothing is left.")
            return
        end_supervisor(home)
        ensure_no_survivors(home)
        left: list[str] = []
        if os.geteuid() == 0:
            from sandbox.embedded.down import down_all

            left = down_all(home)
        if left:
            sys.exit("Could not be removed: " + "; ".join(left))
        print("Nothing runs and nothing is left.")
