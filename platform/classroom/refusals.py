"""No, and why: one exception for every refusal, turned into JSON for the API and into a page for people."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


class Refused(Exception):
    """A request we will not serve. `text` is for the person who asked, one sentence with the next step."""

    def __init__(self, status: int, code: str, text: str, **more: Any) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
        self.more = more  # line, column, retry_after: whatever helps the page to point at the place


def signed_out() -> Refused:
    return Refused(401, "signed-out", "You are signed out. Sign in again to go on.")


def not_yours() -> Refused:
    return Refused(403, "not-yours", "This belongs to somebody else, or your role does not reach it.")


def no_such(what: str) -> Refused:
    return Refused(404, "not-found", f"There is no such {what}.")


def wants_json(request: HttpRequest) -> bool:
    return request.path.startswith("/api/") or request.path in ("/healthz", "/readyz")


def as_json(refusal: Refused) -> JsonResponse:
    body = {"error": {"code": refusal.code, "text": refusal.text, **refusal.more}}
    response = JsonResponse(body, status=refusal.status)
    if "retry_after" in refusal.more:
        response.headers["Retry-After"] = str(refusal.more["retry_after"])
    return response


def as_page(request: HttpRequest, refusal: Refused) -> HttpResponse:
    return render(request, "refused.html", {"refusal": refusal}, status=refusal.status)


def answer_to(request: HttpRequest, refusal: Refused) -> HttpResponse:
    return as_json(refusal) if wants_json(request) else as_page(request, refusal)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's view for a missing or wrong CSRF token."""
    text = "This page is too old to be trusted. Reload it and try again."
    return answer_to(request, Refused(403, "csrf", text))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_to(request, no_such("page"))


def server_error(request: HttpRequest) -> HttpResponse:
    return answer_to(
        request,
        Refused(500, "our-fault", "Something of ours broke. Reload the page; nothing of yours is lost."),
    )
