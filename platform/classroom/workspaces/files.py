"""The student's own text of a lesson's files."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from classroom.workspaces.models import Sandbox


def save_file(key: Any, name: str, text: str) -> None:
    """Two tabs may save different files at once: each save changes only its own."""
    with transaction.atomic():
        row = Sandbox.objects.select_for_update().only("files").get(pk=key)
        row.files = {**row.files, name: text}
        row.save(update_fields=["files"])
