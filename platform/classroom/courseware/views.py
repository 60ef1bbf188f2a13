"""The course home and the lesson page: complete and readable without JavaScript."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from classroom.access import Anyone, allow, teaches
from classroom.accounts.models import Role, User
from classroom.courseware.catalogue import NoSuchLesson, catalogue
from classroom.courseware.chart import chart_of
from classroom.courseware.cluster_state import read_cluster
from classroom.courseware.page_data import page_data
from classroom.courseware.reading import (
    exercise_of,
    files_for,
    held_back,
    params_from,
    parts_for,
    place_of,
    progress_of,
    recording_of,
    seed_for,
    short_way_of,
)
from classroom.refusals import no_such, not_yours, signed_out
from classroom.workspaces.requesting import read_visible, welcome_back


@allow(Anyone())
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect("signin")
    return redirect("course", course=catalogue.default_course())


@allow(Anyone())
@require_GET
def course_home(request: HttpRequest, course: str) -> HttpResponse:
    try:
        found = catalogue.course(course)
    except NoSuchLesson:
        return _broken_course(request, course)
    person = _person(request)
    author = bool(person and teaches(person, course))
    mine = (
        {box.lesson: box for box in person.sandboxes.filter(course=course).order_by("created")}
        if person
        else {}
    )
    parts = parts_for(found, progress_of(person, course, held_back(found)) if person else {})
    continue_with = _continue_with(found, mine)
    here = continue_with["lesson"].slug if continue_with else None
    listed = request.GET.get("view") == "list"
    entries = [entry for part in parts for entry in part["entries"]]
    return render(
        request,
        "courseware/course.html",
        {
            "course": found,
            "parts": parts,
            "mine": mine,
            "continue_with": continue_with,
            "chart": None if listed else chart_of(parts, here),
            "listed": listed,
            "short_way": short_way_of(entries),
            "count": {
                "open": sum(entry["state"] == "open" for entry in entries),
                "done": sum(entry["done"] for entry in entries),
            },
            "broken": getattr(found, "broken", {}) if author else {},
        },
    )


def _continue_with(course: Any, mine: dict[str, Any]) -> dict[str, Any] | None:
    """The card on the course home: the lesson last opened, else the first."""
    by_slug = {lesson.slug: lesson for lesson in course.lessons}
    for slug, box in reversed(mine.items()):
        if slug in by_slug:
            return {"lesson": by_slug[slug], "number": course.number(slug), "sandbox": box}
    if not course.lessons:
        return None
    first = course.lessons[0]
    return {"lesson": first, "number": course.number(first.slug), "sandbox": None}


def _broken_course(request: HttpRequest, course: str) -> HttpResponse:
    problems = catalogue.troubles().get(course)
    if problems is None:
        raise no_such("course")
    person = _person(request)
    shown = problems if person and teaches(person, course) else []
    return render(request, "courseware/broken.html", {"what": course, "problems": shown}, status=503)


@allow(Anyone())
@require_GET
def lesson_page(request: HttpRequest, course: str, lesson: str) -> HttpResponse:
    try:
        found_course = catalogue.course(course)
        found = catalogue.lesson(course, lesson)
    except NoSuchLesson:
        return _broken_lesson(request, course, lesson)
    person = _person(request)
    watched = _watched(request, person, course, lesson)
    sandbox = watched or (welcome_back(person, course, lesson) if person else None)
    return render(
        request, "courseware/lesson.html", _lesson_context(request, found_course, found, sandbox, watched)
    )


def _lesson_context(
    request: HttpRequest, course: Any, lesson: Any, sandbox: Any | None, watched: Any | None
) -> dict[str, Any]:
    from lessons.rendering import render_lesson

    person = _person(request)
    exercise = exercise_of(lesson)
    seed = (
        sandbox.seed
        if sandbox
        else seed_for(person, course.slug, lesson.slug, exercise.id if exercise else "")
    )
    params = sandbox.params if sandbox else params_from(exercise, seed)
    steps = list(render_lesson(lesson, params))
    place = place_of(course, lesson.slug)
    data = page_data(
        course=course,
        lesson=lesson,
        number=place.number,
        steps=steps,
        exercise=exercise,
        params=params,
        seed=seed,
        files=files_for(exercise, params, sandbox.files if sandbox else {}),
        originals=files_for(exercise, params, {}),
        person=person,
        role=person.role_in(course.slug) if person else None,
        sandbox=sandbox,
        read_only=watched is not None,
        recording=_recording_url(course, lesson),
        cluster=read_cluster(settings.CLUSTER_FILE),
        next_href=reverse("lesson", args=[course.slug, place.next_slug]) if place.next_slug else None,
        csrf=get_token(request),
    )
    return {
        "course": course,
        "lesson": lesson,
        "number": place.number,
        "steps": steps,
        "exercise": exercise,
        "sandbox": sandbox,
        "watched": watched,
        "readonly_of": str(watched.person) if watched else "",
        "page_data": data,
    }


def _recording_url(course: Any, lesson: Any) -> str | None:
    return reverse("recording", args=[course.slug, lesson.slug]) if recording_of(lesson) else None


def _watched(request: HttpRequest, person: User | None, course: str, lesson: str) -> Any | None:
    """The student's sandbox that an instructor looks at (`?as=`), never one of another course or lesson."""
    key = request.GET.get("as")
    if not key:
        return None
    if person is None:
        raise signed_out()
    role = person.role_in(course)
    if role is None or role.rank < Role.INSTRUCTOR.rank:
        raise not_yours()
    sandbox = read_visible(key)
    if sandbox is None or (sandbox.course, sandbox.lesson) != (course, lesson):
        raise no_such("sandbox of this lesson")
    return sandbox if sandbox.person_id != person.pk else None


def _broken_lesson(request: HttpRequest, course: str, lesson: str) -> HttpResponse:
    """Authors and instructors read why; students are told that it is being mended."""
    try:
        problems = catalogue.problems(course, lesson)
    except NoSuchLesson:
        raise no_such("course") from None
    if not problems:
        raise no_such("lesson")
    person = _person(request)
    shown = problems if person and teaches(person, course) else []
    return render(request, "courseware/broken.html", {"what": lesson, "problems": shown}, status=503)


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
