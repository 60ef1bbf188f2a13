#!/usr/bin/env python3
"""The operator's commands: `./manage.py up`, `down`, `signin`, `cluster status`, ..."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# These need root's rights or touch no state; every other command works on the state folder's web part
# and must leave files there that the web server can use, so root runs it as the service user.
AS_STARTED = {"up", "down", "cluster", "check", "makemigrations", "help", "version", "test", "collectstatic"}


def use_own_python() -> None:
    """Started with the system's Python: go on with the one that has the packages."""
    own = ROOT / ".venv/bin/python"
    if own.exists() and Path(sys.prefix) != ROOT / ".venv":
        os.execv(own, [str(own), *sys.argv])  # noqa: S606


def use_own_tools() -> None:
    """Node and Go that set-up had to bring lie in the project's own folder."""
    os.environ["PATH"] = f"{ROOT / '.tools/bin'}:{os.environ.get('PATH', os.defpath)}"


def main() -> None:
    use_own_python()
    use_own_tools()
    # `platform/` has no __init__.py of its own: as a package it would shadow the standard library's module.
    sys.path.insert(0, str(ROOT / "platform"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.settings.embedded")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if os.geteuid() == 0 and command in ("up", "down", "cluster"):
        os.environ["GLASSHULL_SUPERVISOR"] = "1"
    if os.geteuid() == 0 and command not in AS_STARTED and not command.startswith("-"):
        from classroom.operating.handing_over import go_on_as_owner

        go_on_as_owner(sys.argv[1:])
    from django.core.management import execute_from_command_line

    from classroom.settings.environment import SettingInvalid

    try:
        execute_from_command_line(sys.argv)
    except SettingInvalid as reason:
        sys.exit(f"Glasshull could not start. {reason}")


if __name__ == "__main__":
    main()
