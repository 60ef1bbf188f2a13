"""Why something happened: chains of causes over HTTP, of a sandbox's record and of a recorded lesson's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from classroom.access import Anyone, OwnSandbox, allow
from classroom.accounts import limits
from classroom.courseware.catalogue import NoSuchLesson, catalogue
from classroom.courseware.reading import recording_of
from classroom.live.runtime import runtime
from classroom.refusals import Refused, no_such
from lessons.recordings import RecordingInvalid, read_recording
from sandbox.record.causes import Causes
from sandbox.record.entry import Entry

ENTRIES = 20_000  # the newest; a lesson makes about 2,000
LATEST = "latest"  # in place of a seq: the newest Pod that came to serve
_DIGITS = 15  # more are not exact in a browser
MOST_KEPT = 64  # answers about recordings, of about 4 kB
# By file, its change time, the lesson's rubric and what was asked.
_told: dict[tuple[Path, int, str, int | None], dict[str, Any]] = {}


@allow(OwnSandbox(watch=True))
@require_GET
async def causes(request: HttpRequest, sandbox: Any, moment: str) -> JsonResponse:
    """`docs/live-protocol.md` section 3. 404 for a seq that the record does not hold."""
    wanted = wanted_of(moment)
    # Every chain is worked out from the whole record: about 0.1 s for a long lesson.
    limits.refuse_if_too_fast(limits.ACTIONS, str(request.user.pk))
    return _fresh(await sync_to_async(_of_sandbox)(str(sandbox), wanted))


@allow(Anyone())
@require_GET
async def recorded_causes(request: HttpRequest, course: str, lesson: str, moment: str) -> JsonResponse:
    """The same of the recording that the lesson's page plays."""
    wanted = wanted_of(moment)
    limits.refuse_if_too_fast(limits.ACTIONS, request.META.get("REMOTE_ADDR", ""))
    return _fresh(await sync_to_async(_of_recording)(course, lesson, wanted))


def wanted_of(moment: str) -> int | None:
    """The seq asked for, None for `latest`. Raises Refused."""
    if moment == LATEST:
        return None
    if not (moment.isascii() and moment.isdigit() and len(moment) <= _DIGITS and int(moment)):
        raise no_such("entry of this record")
    return int(moment)


def chain_of(entries: Iterable[Entry], wanted: int | None) -> dict[str, Any]:
    """`{seq, hops}`; before any Pod was ready the latest is `{seq: None, hops: []}`. Raises Refused."""
    known = Causes(entries)
    seq = known.latest() if wanted is None else wanted
    hops = known.trace(seq) if seq is not None else []
    if wanted is not None and not hops:
        raise no_such("entry of this record")
    return {"seq": seq, "hops": [hop.as_json() for hop in hops]}


def _of_sandbox(sandbox: str, wanted: int | None) -> dict[str, Any]:
    store = runtime().store
    return chain_of(store.read(sandbox, after=max(0, store.last_seq(sandbox) - ENTRIES)), wanted)


def _of_recording(course: str, slug: str, wanted: int | None) -> dict[str, Any]:
    try:
        lesson = catalogue.lesson(course, slug)
    except NoSuchLesson:
        raise no_such("lesson") from None
    path = recording_of(lesson)
    if path is None:
        raise no_such("recording of this lesson")
    key = (path, path.stat().st_mtime_ns, lesson.rubric_hash, wanted)
    known = _told.get(key)
    if known is None:
        try:
            known = chain_of(read_recording(path, lesson).entries, wanted)
        except RecordingInvalid as invalid:
            text = f"The recording cannot be played: {invalid}."
            raise Refused(409, "recording-refused", text) from invalid
        _told[key] = known
        while len(_told) > MOST_KEPT:
            _told.pop(next(iter(_told)), None)
    return known


def _fresh(body: dict[str, Any]) -> JsonResponse:
    answer = JsonResponse(body)
    answer.headers["Cache-Control"] = "no-store"
    return answer
