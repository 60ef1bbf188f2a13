"""Coming in, coming back, going out."""

from __future__ import annotations

from typing import Any

from allauth.account import views as allauth_views
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from classroom.access import Anyone, SignedIn, allow
from classroom.accounts import limits
from classroom.accounts.links import make_return_link, use_link
from classroom.accounts.models import User
from classroom.accounts.people import NameInvalid, classroom_for, join
from classroom.live.origins import LOOPBACK

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
DEAD_LINK = "This link is used up or too old. Ask for a new one, or join with your class code."
UNKNOWN_CODE = "That class code is not known. Codes look like KEEL-4821."


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


@allow(Anyone())
@require_GET
def signin(request: HttpRequest) -> HttpResponse:
    """The page for people who are not signed in: class code, or what to do with a link."""
    if request.user.is_authenticated:
        return redirect("home")
    return render(request, "accounts/signin.html", {"code": request.GET.get("code", ""), "name": ""})


@allow(Anyone())
@require_GET
def signin_by_link(request: HttpRequest, secret: str) -> HttpResponse:
    return _come_in(request, secret, once=True)


@allow(Anyone())
@require_GET
def come_back(request: HttpRequest, secret: str) -> HttpResponse:
    return _come_in(request, secret, once=False)


def _come_in(request: HttpRequest, secret: str, *, once: bool) -> HttpResponse:
    user = use_link(secret, once=once)
    if user is None:
        if request.user.is_authenticated:
            return redirect("home")  # the same link opened twice: they are in already
        limits.refuse_if_too_fast(limits.WRONG_TRIES, _address(request))
        return render(
            request, "accounts/signin.html", {"problem": DEAD_LINK, "code": "", "name": ""}, status=403
        )
    login(request, user, backend=BACKEND)
    return redirect("home")


@allow(Anyone())
@require_http_methods(["GET", "POST"])
def join_class(request: HttpRequest) -> HttpResponse:
    """Code and name in, a student signed in, and the link to come back with shown once."""
    if request.method == "GET":
        return HttpResponseRedirect(f"{reverse('signin')}?{request.GET.urlencode()}")
    limits.refuse_if_too_fast(limits.JOINING, _address(request))
    code, name = request.POST.get("code", ""), request.POST.get("name", "")
    classroom = classroom_for(code)
    if classroom is None:
        limits.refuse_if_too_fast(limits.WRONG_TRIES, _address(request))
        return _again(request, "code", UNKNOWN_CODE, code, name)
    try:
        user = join(classroom, name)
    except NameInvalid as problem:
        return _again(request, "name", str(problem), code, name)
    login(request, user, backend=BACKEND)
    return _show_return_link(request, user)


def _again(request: HttpRequest, wrong: str, problem: str, code: str, name: str) -> HttpResponse:
    context = {"wrong": wrong, "problem": problem, "code": code[:40], "name": name[:200]}
    return render(request, "accounts/signin.html", context, status=400)


@allow(SignedIn())
@require_http_methods(["GET", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    """Who I am here; POST makes a new link to come back with (the old one stops working)."""
    user = request.granted  # type: ignore[attr-defined]
    if request.method == "POST":
        return _show_return_link(request, user)
    return render(request, "accounts/me.html", {"person": user, "return_url": None})


def _show_return_link(request: HttpRequest, user: User) -> HttpResponse:
    url = request.build_absolute_uri(reverse("come_back", args=[make_return_link(user)]))
    response = render(request, "accounts/me.html", {"person": user, "return_url": url})
    response.headers["Cache-Control"] = "no-store"
    return response


@allow(Anyone())
@require_POST
def signout(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.info(request, "You are signed out.")
    return redirect("signin")


@allow(Anyone())
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
def password(request: HttpRequest) -> HttpResponse:
    """allauth's login for the few who have a password (`manage.py changepassword`)."""
    if request.method == "POST":
        limits.refuse_if_too_fast(limits.PASSWORDS, _address(request))
    response: Any = allauth_views.login(request)
    return response  # type: ignore[no-any-return]


@allow(Anyone())
def closed(request: HttpRequest) -> HttpResponse:
    """Where allauth's pages that we do not offer lead (sign-up, password reset)."""
    return redirect("signin")


def for_the_room(request: HttpRequest, path: str) -> str:
    """`path` at an address that other machines reach too: never loopback when we are bound to more than that."""
    here = request.get_host().rsplit(":", 1)[0]
    if here in LOOPBACK and settings.BIND not in (*LOOPBACK, "::1"):
        outside = [host for host in settings.ALLOWED_HOSTS if host not in LOOPBACK]
        if outside:
            return f"http://{outside[0]}:{settings.PORT}{path}"
    return request.build_absolute_uri(path)


def absolute(path: str) -> str:
    """`path` under the address this server prints for itself: the bound one, or localhost for a wildcard."""
    bind = settings.BIND
    host = "127.0.0.1" if bind in ("0.0.0.0", "::", "localhost") else bind  # noqa: S104
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{settings.PORT}{path}"
