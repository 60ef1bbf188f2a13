"""Headers that every answer carries (the content security policy itself is django-csp's, settings/base.py), and the
thread that a request is answered in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware, sync_only_middleware

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


def _with_headers(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    # What a signed-in person saw must not come back with the Back button on a shared machine.
    if getattr(request, "user", None) is not None and request.user.is_authenticated:
        response.headers.setdefault("Cache-Control", "no-store")
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


@sync_and_async_middleware
def SecurityHeaders(  # noqa: N802 - middleware is named like a class everywhere
    get_response: Callable[[HttpRequest], HttpResponse] | Callable[[HttpRequest], Awaitable[HttpResponse]],
) -> Callable[[HttpRequest], HttpResponse] | Callable[[HttpRequest], Awaitable[HttpResponse]]:
    if iscoroutinefunction(get_response):

        async def later(request: HttpRequest) -> HttpResponse:
            return _with_headers(await get_response(request), request)

        return later

    def now(request: HttpRequest) -> HttpResponse:
        return _with_headers(get_response(request), request)  # type: ignore[arg-type]

    return now


@sync_only_middleware
def InOneThread(  # noqa: N802
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """The innermost one. Because it is synchronous, so is all middleware around it, in the request's own thread.

    Otherwise Django goes from the event loop to that thread and back for each half of each middleware, 14 times a
    page, and each time it waits for a loop that also carries all sockets.
    """

    def answered(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    return answered
