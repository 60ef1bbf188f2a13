"""Run Glasshull: pages, worker, cluster. Stops on Ctrl-C."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from classroom.operating.children import run_once
from classroom.operating.home import HomeUnfit, default_home, ensure_owner
from classroom.operating.supervising import AlreadyRunning, Supervisor


class Command(BaseCommand):
    help = "Run Glasshull: pages, worker and cluster, until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default=os.environ.get("BIND", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8300"))
        parser.add_argument("--no-cluster", action="store_true", help="pages and recordings only")

    def handle(self, *args: Any, **options: Any) -> None:
        home = default_home()
        supervisor = Supervisor(home, options["bind"], options["port"], cluster=not options["no_cluster"])
        os.environ["BIND"], os.environ["PORT"] = options["bind"], str(options["port"])
        try:
            sys.exit(supervisor.run())
        except AlreadyRunning:
            pid, bind, port = running_as(home)
            os.environ["BIND"], os.environ["PORT"] = bind, port  # not those asked for now
            print(f"Glasshull already runs here (pid {pid}, port {port}). Another sign-in address:")
            print(run_once(["signin", "--quiet"], home, ensure_owner()).strip())
        except (HomeUnfit, RuntimeError) as error:
            sys.exit(f"Glasshull could not start. {error}")


def running_as(home: Path) -> tuple[str, str, str]:
    """(pid, bind, port) of the supervisor that holds this state folder."""
    words = (home / "supervisor.lock").read_text().split()
    pid, bind, port = words if len(words) == 3 else ("unknown", "127.0.0.1", "8300")
    return pid, bind, port
