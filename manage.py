"""The operator's commands: `python manage.py up`, `signin`, `web`, `worker`, `cluster status`, ..."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    # `platform/` has no __init__.py of its own: as a package it would shadow the standard library's module.
    sys.path.insert(0, str(Path(__file__).resolve().parent / "platform"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.settings.embedded")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
