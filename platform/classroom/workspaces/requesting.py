"""Asking for a sandbox: at most one living per person and lesson, however often Start is pressed."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from classroom.accounts.models import User
from classroom.workspaces.models import LIVING, Phase, Sandbox

MADE_AGAIN = "The cluster was started anew, so your sandbox is made again from the lesson's start."
MAX_AHEAD = timedelta(hours=8)  # however often Extend is pressed, a sandbox ends within a working day


def read_mine(person: User, course: str, lesson: str) -> Sandbox | None:
    """The person's sandbox of that lesson that is not removed, if any."""
    found = Sandbox.objects.filter(person=person, course=course, lesson=lesson)
    return found.exclude(phase=Phase.REMOVED).select_related("person").first()


def read_visible(key: str) -> Sandbox | None:
    """A sandbox by its id, None for anything that is no id."""
    try:
        return Sandbox.objects.select_related("person").filter(pk=uuid.UUID(key)).first()
    except ValueError:
        return None


def welcome_back(person: User, course: str, lesson: str) -> Sandbox | None:
    """The person's sandbox as they open the page; one that the cluster lost is asked for again."""
    mine = read_mine(person, course, lesson)
    if mine is not None:
        return mine
    lost = Sandbox.objects.filter(person=person, course=course, lesson=lesson, lost=True, phase=Phase.REMOVED)
    latest = lost.order_by("-created").first()
    if latest is None or not _ask_again(latest.pk):
        return read_mine(person, course, lesson)
    latest.refresh_from_db()
    return latest


def _ask_again(key: Any) -> bool:
    try:
        with transaction.atomic():
            again = Sandbox.objects.filter(pk=key, phase=Phase.REMOVED, lost=True)
            return bool(
                again.update(
                    phase=Phase.REQUESTED, text=MADE_AGAIN, phases=[], namespace_uid="", expires=None,
                    ended=None, ends=False, tries=0, place=0,
                )
            )  # fmt: skip
    except IntegrityError:
        return False  # another tab was first


def ensure_requested(person: User, course: Any, lesson: Any, exercise: Any) -> Sandbox:
    """The person's sandbox for this lesson, asked for now if there is none (or the cluster lost it)."""
    from classroom.courseware.reading import params_from, seed_for

    existing = welcome_back(person, course.slug, lesson.slug)
    if existing is not None:
        return existing
    seed = seed_for(person, course.slug, lesson.slug, exercise.id)
    try:
        with transaction.atomic():
            return Sandbox.objects.create(
                person=person,
                course=course.slug,
                lesson=lesson.slug,
                exercise=exercise.id,
                content_hash=lesson.content_hash,
                rubric_hash=lesson.rubric_hash,
                seed=seed,
                params=params_from(exercise, seed),
                rubric=msgspec.to_builtins(exercise),
                text="Waiting for a place.",
            )
    except IntegrityError:
        found = read_mine(person, course.slug, lesson.slug)  # another tab was first
        if found is None:
            raise
        return found


def extend(key: Any) -> Sandbox | None:
    """Half an hour more than it had, or than now if it is over; None when it does not live any more."""
    with transaction.atomic():
        sandbox = Sandbox.objects.select_for_update().filter(pk=key, phase__in=LIVING).first()
        if sandbox is None:
            return None
        now = timezone.now()
        more = timedelta(seconds=settings.SANDBOX_EXTENSION_SECONDS)
        sandbox.expires = min(max(sandbox.expires or now, now) + more, now + MAX_AHEAD)
        sandbox.save(update_fields=["expires"])
        return sandbox


def end(key: Any) -> bool:
    """Ask the reconciler to remove it. False when it is removed already."""
    return bool(Sandbox.objects.filter(pk=key).exclude(phase=Phase.REMOVED).update(ends=True))
