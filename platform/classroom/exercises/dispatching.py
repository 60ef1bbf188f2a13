"""The safety net under the doorbell: rings again for every outbox row that is not done."""

from __future__ import annotations

import threading

import structlog
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from classroom.exercises.jobs import ring_for_marking
from classroom.exercises.models import Outbox

log = structlog.get_logger(__name__)
LOOK_SECONDS = 30.0
_stop = threading.Event()


def ring_undone() -> list[int]:
    """Ring for each attempt that is neither marked nor in somebody's lease. Their ids."""
    free = Q(leased_until=None) | Q(leased_until__lt=timezone.now())
    waiting = list(Outbox.objects.filter(free, done=None).order_by("pk").values_list("attempt_id", flat=True))
    for attempt in waiting:
        ring_for_marking(attempt)
    return waiting


def seconds_to_next_look() -> float:
    """Until the first lease ends (its worker may have died), at most LOOK_SECONDS."""
    row = Outbox.objects.filter(done=None, leased_until__isnull=False).order_by("leased_until").first()
    if row is None or row.leased_until is None:
        return LOOK_SECONDS
    left = (row.leased_until - timezone.now()).total_seconds()
    return min(max(left + 0.1, 1.0), LOOK_SECONDS)


def start_dispatcher() -> threading.Thread:
    """At once, when a lease ends, and every 30 s; in a thread of the worker."""
    thread = threading.Thread(target=_keep_ringing, name="dispatcher", daemon=True)
    thread.start()
    return thread


def _keep_ringing() -> None:
    while True:
        pause = LOOK_SECONDS
        try:
            waiting = ring_undone()
            if waiting:
                log.info("rang again", attempts=waiting)
            pause = seconds_to_next_look()
        except Exception:
            log.exception("the outbox could not be read, trying again")
        finally:
            connection.close()
        if _stop.wait(pause):
            return
