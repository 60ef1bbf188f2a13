"""Who is at the other end of a socket: read from the session cookie, again and again (rule L13)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from classroom.accounts.models import User


def header_of(scope: dict[str, Any], name: bytes) -> bytes | None:
    for key, value in scope.get("headers", ()):
        if key == name:
            return bytes(value)
    return None


def session_key_of(scope: dict[str, Any]) -> str | None:
    cookies = parse_cookie((header_of(scope, b"cookie") or b"").decode("latin-1"))
    return cookies.get(settings.SESSION_COOKIE_NAME)


def read_person(session_key: str | None) -> User | AnonymousUser:
    """Blocking. Channels keeps the user of connect time; we ask the session each time, so a sign-out counts."""
    if not session_key:
        return AnonymousUser()
    request = HttpRequest()
    request.session = SessionStore(session_key)
    person = get_user(request)
    return person if isinstance(person, User) else AnonymousUser()
