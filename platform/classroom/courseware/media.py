"""A lesson's own pictures. Served as pictures and nothing else: a drawing that brings a script runs none."""

from __future__ import annotations

from pathlib import Path

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from classroom.access import Anyone, allow
from classroom.courseware.catalogue import NoSuchLesson, catalogue
from classroom.refusals import no_such

KINDS = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}
MOST_BYTES = 2 * 2**20
# For who opens the file by its address: no script, no request, no form, an origin of its own.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@allow(Anyone())
@require_GET
async def media(request: HttpRequest, course: str, lesson: str, name: str) -> HttpResponse:
    """`media/<name>` of a lesson; 404 for anything else in its folder."""
    try:
        found = await sync_to_async(catalogue.lesson)(course, lesson)
    except NoSuchLesson:
        raise no_such("lesson") from None
    body = await sync_to_async(_read)(found.path / "media", name)
    if body is None:
        raise no_such("picture of this lesson")
    response = HttpResponse(body, content_type=KINDS[Path(name).suffix])
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-cache"
    return response


def _read(folder: Path, name: str) -> bytes | None:
    """None for what is no picture, too large, a link, or not in this very folder."""
    path = folder / name
    plain = "/" not in name and "\\" not in name and not name.startswith(".")
    if not plain or path.suffix not in KINDS or path.is_symlink() or not path.is_file():
        return None
    return path.read_bytes() if path.stat().st_size <= MOST_BYTES else None
