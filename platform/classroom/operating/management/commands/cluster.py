"""`manage.py cluster status [--json]`."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

import msgspec
from django.core.management.base import BaseCommand

from classroom.operating.home import default_home
from sandbox.embedded.status import read_status


class Command(BaseCommand):
    help = "Version, nodes, components with pid and memory, disk used."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["status"])
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            status = read_status(default_home())
        except PermissionError:
            sys.exit("The cluster's files belong to root. Run: sudo ./manage.py cluster status")
        if status is None:
            reason = "No cluster runs here. Start it as root: make up"
            if options["json"]:
                print(json.dumps({"running": False, "reason": reason}))
                sys.exit(1)
            sys.exit(reason)
        data = msgspec.to_builtins(status)
        if options["json"]:
            print(json.dumps(data, indent=2))
            return
        print(status.as_text())
