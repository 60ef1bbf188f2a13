"""The class table: who is where, which check passed when, who is stuck on what."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db.models import Max
from django.urls import reverse

from classroom.accounts.models import EVERY_COURSE, Membership, Role
from classroom.courseware.catalogue import NoSuchLesson, catalogue
from classroom.exercises.models import Mark
from classroom.instructors.misconceptions import misconceptions_in
from classroom.live.presence import Presence
from classroom.workspaces.models import Sandbox

STUCK_SECONDS = 90.0  # as long as the page waits before it offers a hint (lesson format 4.9)
ACTS = frozenset({"you", "prediction", "submit", "reset", "hint"})  # markers of what the student did
Items = Callable[[str], dict[str, Any]]
Presences = Callable[[str], Presence | None]


def nobody(sandbox: str) -> None:
    return None


def read_rows(course: str, items_of: Items, presence_of: Presences = nobody) -> list[dict[str, Any]]:
    """One row per student and lesson they opened, and one for each who opened none. Blocking.

    `items_of` gives a sandbox's live items, empty for one nobody observes; `presence_of` who has it open.
    """
    members = (
        Membership.objects.filter(course__in=[course, EVERY_COURSE])
        .select_related("user")
        .order_by("user__name")
    )
    people = {member.user_id: member.user for member in members if member.role == Role.STUDENT}
    boxes = Sandbox.objects.filter(course=course).select_related("person").order_by("person__name", "created")
    latest = {(box.person_id, box.lesson): box for box in boxes}
    marks = _marks(course)
    rows = [
        row_for(
            box,
            items_of(str(box.pk)),
            marks.get((box.person_id, box.lesson)),
            presence=presence_of(str(box.pk)),
        )
        for box in latest.values()
    ]
    busy = {person for person, _ in latest}
    rows += [_idle_row(user) for key, user in people.items() if key not in busy]
    return sorted(rows, key=lambda row: (row["name"].casefold(), row["lesson"]))


def row_for(
    box: Sandbox,
    items: dict[str, Any],
    mark: Mark | None,
    now: float | None = None,
    presence: Presence | None = None,
) -> dict[str, Any]:
    """One student in one lesson, from the row and, when the sandbox is observed, its picture."""
    at = time.time() if now is None else now
    checks = _checks(box, items, mark)
    attempt = items.get("attempt/now", {})
    return {
        "id": str(box.pk),
        "person": box.person_id,
        "name": str(box.person),
        "lesson": box.lesson,
        "lesson_title": _title(box),
        "step": _step(box, presence),
        "here": bool(presence and presence.pages),
        "seen": _seen(box, items, presence),
        "hints": _hints(items),
        "phase": items.get("sandbox/self", {}).get("phase", box.phase),
        "attempt": attempt.get("n", box.attempt),
        "state": attempt.get("state", ""),
        "checks": checks,
        "passed": sum(check["state"] == "pass" for check in checks),
        "of": len(checks),
        "stuck": _stuck(items, checks, attempt, at),
        "misconceptions": misconceptions_in(box, items, mark),
        "mark": str(mark) if mark else "",
        "href": f"{reverse('lesson', args=[box.course, box.lesson])}?as={box.pk}",
    }


def _checks(box: Sandbox, items: dict[str, Any], mark: Mark | None) -> list[dict[str, Any]]:
    """In the exercise's order; `at` is when the state was decided (Unix seconds) or None."""
    stored = {verdict.check_id: verdict for verdict in mark.verdicts.all()} if mark and not items else {}
    checks = []
    for check in box.rubric.get("checks", []):
        live = items.get(f"check/{check['id']}")
        verdict = stored.get(check["id"])
        state = live["state"] if live else verdict.outcome if verdict else "waiting"
        at = (live.get("at") or None) if live else None
        checks.append({"id": check["id"], "say": check["say"], "state": state, "at": at})
    return checks


def _stuck(items: dict[str, Any], checks: list[dict[str, Any]], attempt: dict[str, Any], now: float) -> str:
    """The first check that is open or failed, once nothing has moved for a while; with the engine's own line."""
    if not items or attempt.get("state") != "running":
        return ""
    moved = [check["at"] for check in checks if check["at"]] + [attempt.get("started") or now]
    quiet = now - max(moved)
    if quiet < STUCK_SECONDS:
        return ""
    for check in checks:
        if check["state"] in ("fail", "waiting", "could-not-grade"):
            line = items.get(f"check/{check['id']}", {}).get("line", "")
            return f"{check['say']}{': ' + line if line else ''} (for {round(quiet / 60)} min)"
    return ""


def _marks(course: str) -> dict[tuple[int, str], Mark]:
    """The newest mark per person and lesson."""
    newest = (
        Mark.objects.filter(attempt__course=course)
        .values("attempt__person_id", "attempt__lesson")
        .annotate(newest=Max("pk"))
        .values_list("newest", flat=True)
    )
    found = Mark.objects.filter(pk__in=list(newest)).select_related("attempt").prefetch_related("verdicts")
    return {(mark.attempt.person_id, mark.attempt.lesson): mark for mark in found}


def _title(box: Sandbox) -> str:
    try:
        return str(catalogue.lesson(box.course, box.lesson).title)
    except NoSuchLesson:
        return box.lesson


def _step(box: Sandbox, presence: Presence | None) -> str:
    """ "step 2 of 4", as the student's page last said; "" when it said nothing we know."""
    if presence is None or not presence.step:
        return ""
    try:
        ids = [step.id for step in catalogue.lesson(box.course, box.lesson).steps]
        return f"step {ids.index(presence.step) + 1} of {len(ids)}"
    except (NoSuchLesson, ValueError):
        return ""


def _seen(box: Sandbox, items: dict[str, Any], presence: Presence | None) -> float:
    """The last sign of life, Unix seconds: their page, else what they did in the picture, else the start."""
    acts = [item["at"] for item in items.values() if item.get("t") == "marker" and item.get("kind") in ACTS]
    return float(max([box.created.timestamp(), presence.seen if presence else 0.0, *acts]))


def _hints(items: dict[str, Any]) -> str:
    """How far they opened the hint on offer ("1 of 3"), or how many they opened before."""
    hint = items.get("hint/now", {})
    if hint.get("offered") and hint.get("say"):
        return f"{hint['n']} of {hint['most']}" if hint.get("most") else "opened"
    opened = sum(item.get("t") == "marker" and item.get("kind") == "hint" for item in items.values())
    return f"{opened} opened" if opened else ""


def _idle_row(user: Any) -> dict[str, Any]:
    return {
        "id": f"person-{user.pk}",
        "person": user.pk,
        "name": str(user),
        "step": "",
        "here": False,
        "seen": None,
        "hints": "",
        "lesson": "",
        "lesson_title": "",
        "phase": "",
        "attempt": 0,
        "state": "",
        "checks": [],
        "passed": 0,
        "of": 0,
        "stuck": "",
        "misconceptions": [],
        "mark": "",
        "href": "",
    }
