"""A mark that the worker stored becomes an entry of the record, once."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from classroom.exercises.models import Mark
from classroom.workspaces.models import Phase


def read_untold() -> list[Mark]:
    """Marks of sandboxes that live; nobody looks at the record of one that has ended."""
    waiting = Mark.objects.filter(told=None).exclude(attempt__sandbox__phase=Phase.REMOVED)
    return list(waiting.select_related("attempt").order_by("pk"))


def tell(observer: Any, mark: Mark) -> bool:
    """False while the sandbox is not observed: it will be told when it is, and is in the table anyway."""
    sandbox = str(mark.attempt.sandbox_id)
    if sandbox not in observer.tracks:
        return False
    change = {
        "attempt": mark.attempt.number,
        "points": mark.points,
        "of": mark.of,
        "provisional": mark.provisional,
    }
    observer.append(sandbox, "mark", str(mark.attempt.number), change, "worker")
    observer.commit()
    return True


def note_told(key: int) -> None:
    Mark.objects.filter(pk=key).update(told=timezone.now())
