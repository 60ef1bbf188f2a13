"""A recorded lesson: a stored record folded into the same frames that the live socket sends."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from classroom.access import Anyone, allow
from classroom.courseware.catalogue import NoSuchLesson, catalogue
from classroom.courseware.reading import exercise_of, recording_of
from classroom.live.frames import encode
from classroom.refusals import Refused, no_such
from lessons.practice import practice_of
from lessons.recordings import RecordingInvalid, history_of, read_recording

__all__ = ["history_of", "recording"]

MOST_KEPT = 16  # histories of about 100 kB
# By file, its change time and the lesson's rubric: a new recording, or another version of the lesson, is seen.
_folded: dict[tuple[Path, int, str], bytes] = {}


@allow(Anyone())
@require_GET
async def recording(request: HttpRequest, course: str, lesson: str) -> HttpResponse:
    """`docs/live-protocol.md` section 3. 404 when the lesson has none, 409 with its name when it is not played."""
    try:
        found = await sync_to_async(catalogue.lesson)(course, lesson)
    except NoSuchLesson:
        raise no_such("lesson") from None
    path = recording_of(found)
    if path is None:
        raise no_such("recording of this lesson")
    try:
        body = await sync_to_async(_history_of_file)(path, found)
    except RecordingInvalid as invalid:
        text = f"The recording cannot be played: {invalid}."
        raise Refused(409, "recording-refused", text) from invalid
    response = HttpResponse(body, content_type="application/json")
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "no-cache"
    return response


def _history_of_file(path: Path, lesson: Any) -> bytes:
    """Compressed JSON. Raises RecordingInvalid."""
    key = (path, path.stat().st_mtime_ns, lesson.rubric_hash)
    body = _folded.get(key)
    if body is None:
        found = read_recording(path, lesson)
        history = history_of(found.entries, label=found.label)
        history["practice"] = practice_of(exercise_of(lesson), found.params)
        body = gzip.compress(encode(history), compresslevel=6, mtime=0)
        _folded[key] = body
        while len(_folded) > MOST_KEPT:
            _folded.pop(next(iter(_folded)), None)
    return body
