"""Marks as CSV: one line per attempt that was marked, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from classroom.exercises.models import Mark

COLUMNS = (
    "student", "lesson", "attempt", "handed_in_utc", "handed_in_by", "points", "of", "provisional",
    "content_hash", "rubric_hash", "verdicts",
)  # fmt: skip


def marks_csv(course: str) -> str:
    """Blocking. Every mark of the course, oldest first."""
    marks = (
        Mark.objects.filter(attempt__course=course)
        .select_related("attempt__person")
        .prefetch_related("verdicts")
    )
    return write_csv(marks.order_by("attempt__handed_in", "pk"))


def write_csv(marks: Iterable[Mark]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for mark in marks:
        attempt = mark.attempt
        verdicts = "; ".join(f"{v.check_id} {v.outcome} {v.points:g}/{v.of:g}" for v in mark.verdicts.all())
        writer.writerow(
            [
                safe(str(attempt.person)),
                attempt.lesson,
                attempt.number,
                attempt.handed_in.strftime("%Y-%m-%d %H:%M:%S"),
                attempt.by,
                f"{mark.points:g}",
                f"{mark.of:g}",
                "yes" if mark.provisional else "no",
                attempt.content_hash,
                mark.rubric_hash,
                safe(verdicts),
            ]
        )
    return out.getvalue()


def safe(value: Any) -> str:
    """A spreadsheet runs a cell that begins like a formula; a name somebody typed may not do that (CWE-1236)."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
