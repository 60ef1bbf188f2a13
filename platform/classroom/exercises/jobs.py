"""The only place that puts something on Celery's queue, so that Celery stays replaceable."""

from __future__ import annotations

import structlog
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def ring_for_marking(attempt_id: int) -> None:
    """Tell the worker that an attempt waits. Losing the ring costs time only: the dispatcher looks every 30 s."""
    from classroom.exercises.tasks import mark_attempt

    try:
        mark_attempt.delay(attempt_id)
    except (OperationalError, OSError) as error:
        log.warning("the worker could not be rung", attempt=attempt_id, error=str(error))
