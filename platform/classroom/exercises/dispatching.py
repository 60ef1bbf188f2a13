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


def start_dispatcher() -> threading.Thread:
    """At once and then every 30 s, in a thread of the worker."""
    thread = threading.Thread(target=_keep_ringing, name="dispatcher", daemon=True)
    thread.start()
    return thread


def _keep_ringing() -> None:
    while True:
        try:
            waiting = ring_undone()
            if waiting:
                log.info("rang again", attempts=waiting)
        except Exception:
            log.exception("the outbox could not be read, trying again")
        finally:
            connection.close()
        if _stop.wait(LOOK_SECONDS):
            return
