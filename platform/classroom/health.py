"""`/healthz`: the process answers. `/readyz`: pages can be served (database, lessons); never the cluster."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from classroom.access import Anyone, allow
from classroom.courseware.catalogue import catalogue


@allow(Anyone())
@require_safe
async def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


@allow(Anyone())
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """503 names what is missing, without details that only the operator should see."""
    problems: list[str] = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        problems.append("the database does not answer")
    if not catalogue.courses():
        problems.append("no course loads")
    return JsonResponse({"ok": not problems, "problems": problems}, status=503 if problems else 200)
