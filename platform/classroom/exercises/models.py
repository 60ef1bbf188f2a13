"""Attempts handed in, the outbox that makes sure each is marked, and what came of it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from classroom.accounts.models import User
from classroom.workspaces.models import Sandbox


class Attempt(models.Model):
    """One handed-in attempt: everything a replay needs, so that the mark can be explained and worked out again."""

    sandbox = models.ForeignKey(Sandbox, on_delete=models.CASCADE, related_name="attempts")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="attempts")
    course = models.CharField(max_length=100)
    lesson = models.CharField(max_length=100)
    exercise = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    by = models.CharField(max_length=12, blank=True)  # student, checks, time
    content_hash = models.CharField(max_length=80)
    rubric_hash = models.CharField(max_length=80)
    seed = models.CharField(max_length=64)
    params = models.JSONField(default=dict)
    rubric = models.JSONField(
        default=dict
    )  # the Exercise it began with: a later edit never changes this mark
    first_seq = models.PositiveBigIntegerField()
    last_seq = models.PositiveBigIntegerField()
    handed_in = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            # Idempotency: the same hand-over told twice (a crash in between) is one attempt.
            models.UniqueConstraint(fields=["sandbox", "last_seq"], name="one_attempt_per_handover"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.sandbox}"


class Outbox(models.Model):
    """What still has to be marked. Written with its attempt in one transaction; Celery is only the doorbell.

    `generation` rises with every lease, so the late result of a worker that was given up is refused.
    """

    attempt = models.OneToOneField(Attempt, on_delete=models.CASCADE, related_name="outbox")
    made = models.DateTimeField(default=timezone.now)
    done = models.DateTimeField(null=True, blank=True, db_index=True)
    generation = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.attempt}: {'done' if self.done else f'generation {self.generation}'}"


class Mark(models.Model):
    """The result of one attempt under one rubric. Provisional while something of ours could not be graded."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="marks")
    rubric_hash = models.CharField(max_length=80)
    generation = models.PositiveIntegerField()
    points = models.FloatField()
    of = models.FloatField()
    provisional = models.BooleanField(default=False)
    made = models.DateTimeField(default=timezone.now)
    told = models.DateTimeField(null=True, blank=True)  # when the record got its `mark` entry

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["attempt", "rubric_hash"], name="one_mark_per_rubric"),
        ]

    def __str__(self) -> str:
        return f"{self.points:g}/{self.of:g}{' (provisional)' if self.provisional else ''}"


class Verdict(models.Model):
    """One check of a mark, with the entries that decided it."""

    mark = models.ForeignKey(Mark, on_delete=models.CASCADE, related_name="verdicts")
    check_id = models.CharField(max_length=100)
    outcome = models.CharField(max_length=20)  # pass, fail, could-not-grade
    points = models.FloatField()
    of = models.FloatField()
    line = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(default=dict)  # the engine's whole verdict: window, decided_by, facts

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["mark", "check_id"], name="one_verdict_per_check"),
        ]

    def __str__(self) -> str:
        return f"{self.check_id}: {self.outcome}"
