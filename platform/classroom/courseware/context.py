"""What every template knows: who is looking, and which course the header leads home to."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from classroom.access import teaches
from classroom.accounts.models import User
from classroom.courseware.catalogue import catalogue


def shell(request: HttpRequest) -> dict[str, Any]:
    """`me` (User or None), `course_slug`, `teaches` (may see the class of that course)."""
    user = getattr(request, "user", None)
    me = user if isinstance(user, User) else None
    slug = request.resolver_match.kwargs.get("course") if request.resolver_match else None
    course = slug or catalogue.default_course()
    return {"me": me, "course_slug": course, "teaches": bool(me and teaches(me, course))}
