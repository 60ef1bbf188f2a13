from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "classroom.accounts"
    label = "accounts"

    def ready(self) -> None:
        post_migrate.connect(_use_write_ahead_log, sender=self)


def _use_write_ahead_log(using: str, **_: Any) -> None:
    """WAL is a property of the file, so once is enough (readers then never wait for the writer)."""
    from django.db import connections

    connection = connections[using]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")
