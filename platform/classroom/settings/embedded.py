"""The default: one machine, SQLite, `manage.py up`."""

from __future__ import annotations

from classroom.settings import logs
from classroom.settings.base import *  # noqa: F403

logs.configure()
