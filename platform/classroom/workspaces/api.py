"""What a person does, as HTTP (docs/live-protocol.md section 5). In the record before it is acknowledged."""

from __future__ import annotations

import json
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST

from classroom.access import Anyone, OwnSandbox, SignedIn, allow
from classroom.accounts import limits
from classroom.courseware.catalogue import NoSuchLesson, catalogue
from classroom.courseware.cluster_state import read_cluster
from classroom.courseware.page_data import sandbox_data
from classroom.courseware.reading import exercise_of
from classroom.courseware.recordings import history_of
from classroom.live.frames import encode
from classroom.live.runtime import runtime
from classroom.refusals import Refused, no_such
from classroom.workspaces import acting
from classroom.workspaces.models import Sandbox
from classroom.workspaces.requesting import ensure_requested

HISTORY_ENTRIES = 20_000  # the newest; a lesson makes about 2,000


@allow(Anyone())
@require_GET
async def cluster(request: HttpRequest) -> JsonResponse:
    return JsonResponse(read_cluster(settings.CLUSTER_FILE))


@allow(SignedIn())
@require_POST
async def start(request: HttpRequest) -> JsonResponse:
    """A sandbox for the lesson: mine if there is one, else asked for now."""
    person = request.granted  # type: ignore[attr-defined]
    body = body_of(request)
    limits.refuse_if_too_fast(limits.STARTS, str(person.pk))
    course, lesson, exercise = await sync_to_async(_find)(body.get("course"), body.get("lesson"))
    if await sync_to_async(person.role_in)(course.slug) is None:
        raise Refused(
            403, "not-a-member", "You are not in a class of this course. Join with a class code first."
        )
    sandbox = await sync_to_async(ensure_requested)(person, course, lesson, exercise)
    runtime().wake()
    return JsonResponse({"ok": True, "sandbox": sandbox_data(sandbox, read_only=False)})


def _find(course_slug: Any, lesson_slug: Any) -> tuple[Any, Any, Any]:
    try:
        course = catalogue.course(str(course_slug))
        lesson = catalogue.lesson(str(course_slug), str(lesson_slug))
    except NoSuchLesson:
        raise no_such("lesson") from None
    exercise = exercise_of(lesson)
    if exercise is None:
        raise Refused(409, "nothing-to-do", "This lesson is for reading; it needs no sandbox.")
    return course, lesson, exercise


@allow(OwnSandbox())
@require_POST
async def act(request: HttpRequest, sandbox: Any, action: str) -> JsonResponse:
    row: Sandbox = request.granted  # type: ignore[attr-defined]
    handler = acting.ACTIONS.get(action)
    if handler is None:
        raise no_such("action")
    limits.refuse_if_too_fast(
        limits.STARTS if action in acting.COSTLY else limits.ACTIONS, str(row.person_id)
    )
    runtime().attendance.acted(str(row.pk))
    answer = await handler(row, body_of(request))
    return JsonResponse({"ok": True, **answer})


@allow(OwnSandbox(watch=True))
@require_GET
async def history(request: HttpRequest, sandbox: Any) -> HttpResponse:
    """The sandbox's record as frames, for scrubbing back past what the browser saw."""
    limits.refuse_if_too_fast(limits.HISTORIES, str(request.user.pk))
    body = await sync_to_async(_history)(str(sandbox))
    response = HttpResponse(body, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _history(sandbox: str) -> bytes:
    store = runtime().store
    first = max(0, store.last_seq(sandbox) - HISTORY_ENTRIES)
    return encode(history_of(store.read(sandbox), label="Your attempt", after=first))


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object; an empty body is an empty object. Raises Refused."""
    try:
        body = json.loads(request.body or b"{}")
    except RequestDataTooBig:
        raise Refused(
            413, "too-large", "That is too much at once. A file may have at most 256 KiB."
        ) from None
    except (ValueError, RecursionError):
        raise Refused(400, "not-json", "The request was no JSON. Reload the page and try again.") from None
    if not isinstance(body, dict):
        raise Refused(400, "not-json", "The request was no JSON object. Reload the page and try again.")
    return body
