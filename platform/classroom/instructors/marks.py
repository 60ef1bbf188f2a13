"""Marks as CSV: one line per attempt handed in, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from classroom.exercises.models import Attempt, Mark

COLUMNS = (
    "student", "student_id", "lesson", "attempt", "handed_in_utc", "handed_in_by", "state", "points", "of",
)  # fmt: skip
LAST_COLUMNS = ("content_hash", "rubric_hash", "verdicts")
# Excel takes a file without it for the system's old code page and garbles names.
BYTE_ORDER_MARK = "\ufeff"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full width too


def marks_csv(course: str) -> str:
    """Blocking. Every attempt handed in, oldest first, each with its newest mark."""
    attempts = (
        Attempt.objects.filter(course=course)
        .select_related("person", "outbox")
        .prefetch_related("marks__verdicts")
    )
    return write_csv(attempts.order_by("handed_in", "pk"))


def write_csv(attempts: Iterable[Attempt]) -> str:
    """Named columns; after the totals one column of points per check, `lesson/check`, in the order met."""
    rows = [(attempt, _newest(attempt)) for attempt in attempts]
    checks = list(
        dict.fromkeys(
            f"{attempt.lesson}/{verdict.check_id}"
            for attempt, mark in rows
            if mark
            for verdict in _verdicts(mark)
        )
    )
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, *map(safe, checks), *LAST_COLUMNS])
    for attempt, mark in rows:
        writer.writerow([*_facts(attempt, mark), *_points(attempt, mark, checks), *_last(attempt, mark)])
    return BYTE_ORDER_MARK + out.getvalue()


def _newest(attempt: Attempt) -> Mark | None:
    return max(attempt.marks.all(), key=lambda mark: mark.pk, default=None)


def _verdicts(mark: Mark) -> list[Any]:
    return sorted(mark.verdicts.all(), key=lambda verdict: verdict.pk)


def _facts(attempt: Attempt, mark: Mark | None) -> list[Any]:
    state = "being marked" if mark is None else "provisional" if mark.provisional else "marked"
    return [
        safe(attempt.person),
        attempt.person_id,  # two students may have the same name
        safe(attempt.lesson),
        attempt.number,
        attempt.handed_in.strftime("%Y-%m-%d %H:%M:%S"),
        attempt.by,
        state,
        f"{mark.points:g}" if mark else "",
        f"{mark.of:g}" if mark else "",
    ]


def _points(attempt: Attempt, mark: Mark | None, checks: list[str]) -> list[str]:
    """Empty for a check of another lesson and for one that could not be graded."""
    found = {f"{attempt.lesson}/{verdict.check_id}": verdict for verdict in _verdicts(mark)} if mark else {}
    return [
        f"{found[name].points:g}" if name in found and found[name].outcome != "could-not-grade" else ""
        for name in checks
    ]


def _last(attempt: Attempt, mark: Mark | None) -> list[str]:
    verdicts = _verdicts(mark) if mark else []
    told = "; ".join(f"{v.check_id} {v.outcome} {v.points:g}/{v.of:g}" for v in verdicts)
    return [attempt.content_hash, mark.rubric_hash if mark else attempt.rubric_hash, safe(told)]


def safe(value: Any) -> str:
    """A spreadsheet runs a cell that begins like a formula; a name somebody typed may not do that (CWE-1236)."""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
