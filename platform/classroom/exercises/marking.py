"""Working out a mark: lease, replay of the record, one result. Never a zero for something of ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from classroom.exercises.models import Attempt, Mark, Outbox, Verdict
from classroom.live.storage import SqliteRecordStore
from sandbox.record.exercise import Exercise

log = structlog.get_logger(__name__)
LEASE = timedelta(seconds=60)
MOST_TRIES = 8  # of could-not-grade or a failure of ours; then it waits for the operator, still never a zero


class LeaseLost(Exception):
    """Somebody else took the attempt over in the meantime; this result must not be stored."""


def mark(attempt_id: int) -> bool:
    """Mark the attempt if nobody else does. False when there was nothing to do or it has to be tried again."""
    generation = take_lease(attempt_id)
    if generation is None:
        return False
    try:
        attempt = Attempt.objects.select_related("sandbox").get(pk=attempt_id)
        result = _work_out(attempt)
        store_result(attempt, generation, result)
    except LeaseLost:
        log.warning("a late result was refused", attempt=attempt_id, generation=generation)
        return False
    except Exception as error:
        log.exception("an attempt could not be marked", attempt=attempt_id)
        give_back(attempt_id, generation, f"{type(error).__name__}: {error}")
        return False
    ring_web()
    return True


def take_lease(attempt_id: int) -> int | None:
    """This worker's generation, or None while another lease holds or the work is done."""
    now = timezone.now()
    with transaction.atomic():
        row = Outbox.objects.select_for_update().filter(attempt_id=attempt_id, done=None).first()
        if row is None or (row.leased_until is not None and row.leased_until > now):
            return None
        row.generation += 1
        row.leased_until = now + LEASE
        row.tries += 1
        row.save(update_fields=["generation", "leased_until", "tries"])
        return row.generation


def give_back(attempt_id: int, generation: int, problem: str) -> None:
    """Something of ours failed: wait longer each time (5 s to 5 min), and keep the reason for the operator."""
    mine = Outbox.objects.filter(attempt_id=attempt_id, generation=generation, done=None)
    row = mine.first()
    if row is not None:
        pause = timedelta(seconds=min(5 * 2 ** (row.tries - 1), 300))
        mine.update(leased_until=timezone.now() + pause, problem=problem[:300])


def store_result(attempt: Attempt, generation: int, result: Any) -> Mark:
    """One mark per attempt and rubric. A provisional one stays in the outbox and is replaced by a better one.

    Raises LeaseLost when `generation` is not the newest.
    """
    with transaction.atomic():
        row = Outbox.objects.select_for_update().get(attempt=attempt)
        if row.generation != generation or row.done is not None:
            raise LeaseLost
        Mark.objects.filter(attempt=attempt, rubric_hash=attempt.rubric_hash, provisional=True).delete()
        try:
            with transaction.atomic():
                mark_ = Mark.objects.create(
                    attempt=attempt,
                    rubric_hash=attempt.rubric_hash,
                    generation=generation,
                    points=result.points,
                    of=result.of,
                    provisional=result.provisional,
                )
        except IntegrityError as error:
            raise LeaseLost from error
        Verdict.objects.bulk_create(_verdict(mark_, each) for each in result.verdicts)
        _close(row, provisional=result.provisional)
    return mark_


def _close(row: Outbox, *, provisional: bool) -> None:
    if provisional and row.tries < MOST_TRIES:
        row.leased_until = timezone.now() + timedelta(seconds=min(15 * 2 ** (row.tries - 1), 600))
        row.problem = "could not grade everything; will be tried again"
    else:
        row.done = timezone.now()
        row.problem = "still provisional" if provisional else ""
    row.save(update_fields=["leased_until", "done", "problem"])


def _verdict(mark_: Mark, verdict: Any) -> Verdict:
    evidence: dict[str, Any] = msgspec.to_builtins(verdict)
    return Verdict(
        mark=mark_,
        check_id=str(evidence.get("check", "")),
        outcome=str(evidence.get("outcome") or "could-not-grade"),
        points=float(evidence.get("points", 0)),
        of=float(evidence.get("of", 0)),
        line=str(evidence.get("line", ""))[:300],
        evidence=evidence,
    )


def _work_out(attempt: Attempt) -> Any:
    """A replay of the record up to the hand-over; what was there when the attempt began counts as its state."""
    from sandbox.record.checks.state import SandboxFacts
    from sandbox.record.marking import work_out

    store = SqliteRecordStore(settings.RECORD_FILE)
    try:
        entries = list(store.read(str(attempt.sandbox_id), until=attempt.last_seq))
    finally:
        store.close()
    exercise = msgspec.convert(attempt.rubric, Exercise)
    facts = SandboxFacts(namespace=attempt.sandbox.namespace)
    return work_out(exercise, attempt.params, entries, read_images(), sandbox=facts)


def read_images() -> dict[str, str]:
    """Image name -> what a Pod's `imageID` shows for it, as the supervisor wrote them; empty before that."""
    try:
        found = msgspec.json.decode(settings.IMAGES_FILE.read_bytes())
    except (OSError, msgspec.DecodeError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: each["image_id"] if isinstance(each, dict) else str(each) for name, each in found.items()}


def ring_web() -> None:
    """Let the web process tell the record, and so the page, without waiting for its next look."""
    from classroom.exercises.bell import ring

    ring(settings.BELL_FILE)
