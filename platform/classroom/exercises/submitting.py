"""Handing over an attempt: one transaction writes it and its outbox row, then the doorbell rings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from classroom.exercises.jobs import ring_for_marking
from classroom.exercises.models import Attempt, Outbox
from classroom.workspaces.models import Sandbox
from sandbox.record.entry import Entry


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """What the record says about one handed-in attempt."""

    number: int
    first_seq: int
    last_seq: int
    by: str


def hand_over(sandbox: Any, handed: HandOver) -> Attempt:
    """Write it down once, however often it is told, and ring. Committed when this returns."""
    row = Sandbox.objects.get(pk=sandbox)
    try:
        with transaction.atomic():
            attempt = Attempt.objects.create(
                sandbox=row,
                person_id=row.person_id,
                course=row.course,
                lesson=row.lesson,
                exercise=row.exercise,
                number=handed.number,
                by=handed.by,
                content_hash=row.content_hash,
                rubric_hash=row.rubric_hash,
                seed=row.seed,
                params=row.params,
                rubric=row.rubric,
                first_seq=handed.first_seq,
                last_seq=handed.last_seq,
            )
            Outbox.objects.create(attempt=attempt)
    except IntegrityError:
        return Attempt.objects.get(sandbox=row, last_seq=handed.last_seq)
    transaction.on_commit(lambda: ring_for_marking(attempt.pk))
    return attempt


def handovers_in(entries: Iterable[Entry]) -> list[HandOver]:
    """Every hand-over of a record, from its start, submit and handover entries in order.

    For a process that died between the entry and our transaction: the record is what counts.
    """
    found: list[HandOver] = []
    first, by = 1, ""
    for entry in entries:
        if entry.kind == "start":
            first, by = entry.seq, ""
        elif entry.kind == "submit":
            by = str(entry.change.get("by", ""))
        elif entry.kind == "handover":
            number = int(entry.change.get("attempt", 1))
            found.append(HandOver(number=number, first_seq=first, last_seq=entry.seq, by=by))
    return found


def catch_up(sandbox: Any, entries: Iterable[Entry]) -> list[Attempt]:
    """Write down hand-overs of the record that have no attempt yet."""
    known = set(Attempt.objects.filter(sandbox_id=sandbox).values_list("last_seq", flat=True))
    return [hand_over(sandbox, each) for each in handovers_in(entries) if each.last_seq not in known]
