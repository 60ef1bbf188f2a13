"""The instructor's pages: the class table, links for colleagues, marks to take away."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from classroom.access import CourseRole, allow
from classroom.accounts.links import make_signin_link
from classroom.accounts.models import Role
from classroom.accounts.people import NameInvalid, ensure_classroom, make_person
from classroom.accounts.views import for_the_room
from classroom.courseware.catalogue import NoSuchLesson, catalogue
from classroom.instructors.marks import marks_csv
from classroom.instructors.misconceptions import count_misconceptions
from classroom.instructors.rows import read_rows
from classroom.live.runtime import runtime
from classroom.refusals import Refused, no_such

INVITABLE = (Role.INSTRUCTOR, Role.AUTHOR)


@allow(CourseRole(Role.INSTRUCTOR))
@require_GET
def class_table(request: HttpRequest, course: str) -> HttpResponse:
    return _show(request, course)


@allow(CourseRole(Role.OPERATOR))
@require_POST
def class_links(request: HttpRequest, course: str) -> HttpResponse:
    """A new colleague and the link that signs them in once; shown this one time."""
    role = next((role for role in INVITABLE if role.value == request.POST.get("role")), None)
    if role is None:
        raise Refused(400, "role", "Choose instructor or author.")
    try:
        user = make_person(request.POST.get("name", ""), role, course)
    except NameInvalid as problem:
        raise Refused(400, "name", str(problem)) from problem
    url = request.build_absolute_uri(reverse("signin_by_link", args=[make_signin_link(user)]))
    response = _show(request, course, link={"name": str(user), "role": role.value, "url": url})
    response.headers["Cache-Control"] = "no-store"
    return response


def _show(request: HttpRequest, course: str, link: dict[str, Any] | None = None) -> HttpResponse:
    try:
        found = catalogue.course(course)
    except NoSuchLesson:
        raise no_such("course") from None
    join_url = for_the_room(request, reverse("join"))
    rows = read_rows(course, runtime().items_of, runtime().attendance.of)
    return render(
        request,
        "instructors/class.html",
        {
            "course": found,
            "classroom": ensure_classroom(course),
            "join_url": join_url,
            "only_here": urlsplit(join_url).hostname in ("localhost", "127.0.0.1", "::1"),
            # The socket pushes live rows as soon as it is open; these are for reading without JavaScript.
            "rows": rows,
            "misconceptions": count_misconceptions(rows),
            "link": link,
            "broken": getattr(found, "broken", {}),
            "can_invite": request.granted.rank >= Role.OPERATOR.rank,  # type: ignore[attr-defined]
        },
    )


@allow(CourseRole(Role.INSTRUCTOR))
@require_GET
def export_marks(request: HttpRequest, course: str) -> HttpResponse:
    response = HttpResponse(marks_csv(course), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="marks.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response
