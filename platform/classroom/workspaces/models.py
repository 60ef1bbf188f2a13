"""A student's sandbox as a row: what it should be, how far it is, until when it lives."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from classroom.accounts.models import User


class Phase(models.TextChoices):
    """The protocol's phases (`sandbox/self`). `open` = the lesson's own `ready` holds."""

    REQUESTED = "requested"
    PREPARING = "preparing"
    READY = "ready"
    OPEN = "open"
    RESETTING = "resetting"
    EXPIRING = "expiring"
    REMOVED = "removed"


LIVING = (Phase.REQUESTED, Phase.PREPARING, Phase.READY, Phase.OPEN, Phase.RESETTING)
RUNNING = (Phase.PREPARING, Phase.READY, Phase.OPEN, Phase.RESETTING, Phase.EXPIRING)


class Sandbox(models.Model):
    """One namespace for one person and lesson. Its record outlives it.

    `lost`: the cluster's content is gone (it was built anew); made again when its student comes back.
    `ends`: somebody asked for the end; the reconciler removes it at its next look.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sandboxes")
    course = models.CharField(max_length=100)
    lesson = models.CharField(max_length=100)
    exercise = models.CharField(max_length=100)
    content_hash = models.CharField(max_length=80)
    rubric_hash = models.CharField(max_length=80)
    seed = models.CharField(max_length=64)
    params = models.JSONField(default=dict)
    rubric = models.JSONField(default=dict)  # the Exercise as it was when the sandbox was asked for
    files = models.JSONField(
        default=dict
    )  # file name -> the student's text, when it differs from the lesson's
    namespace = models.CharField(max_length=63, blank=True)
    namespace_uid = models.CharField(max_length=64, blank=True)
    phase = models.CharField(max_length=12, choices=Phase.choices, default=Phase.REQUESTED)
    phases = models.JSONField(default=list)  # [{"name": "namespace", "ms": 41}, ...] of the last preparation
    text = models.CharField(max_length=300, blank=True)
    place = models.PositiveIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=1)
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField(null=True, blank=True)
    lost = models.BooleanField(default=False)
    ends = models.BooleanField(default=False)
    tries = models.PositiveIntegerField(default=0)  # failed preparations in a row
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["person", "course", "lesson"],
                condition=~models.Q(phase=Phase.REMOVED),
                name="one_living_sandbox_per_lesson",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["phase"]),
            models.Index(fields=["course", "lesson"]),
        ]

    def __str__(self) -> str:
        return f"{self.course}/{self.lesson} of {self.person} ({self.phase})"
