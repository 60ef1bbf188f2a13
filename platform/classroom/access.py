"""Who may do what: every route, action and socket names one rule; one without a rule fails the tests.

`@allow(rule)` enforces the rule before the view runs and leaves it on the function as `access_rule`, where
`tests/classroom/test_access_walk.py` looks for it.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any, Protocol, TypeVar, cast

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from classroom.accounts.models import Role, User
from classroom.refusals import Refused, answer_to, no_such, not_yours, signed_out, wants_json

Person = User | AnonymousUser
View = TypeVar("View", bound=Callable[..., Any])


class Rule(Protocol):
    """Decides from the person and the URL's parts; touches the database, so it runs in a thread."""

    @property
    def name(self) -> str: ...

    def admit(self, person: Person, parts: Mapping[str, Any]) -> Any:
        """What was granted (a sandbox, a role), handed to the view as `request.granted`. Raises Refused."""


@dataclass(frozen=True)
class Anyone:
    name: str = "anyone"

    def admit(self, person: Person, parts: Mapping[str, Any]) -> None:
        return None


@dataclass(frozen=True)
class SignedIn:
    name: str = "signed in"

    def admit(self, person: Person, parts: Mapping[str, Any]) -> User:
        return signed_in(person)


@dataclass(frozen=True)
class CourseRole:
    """At least this role in the course that the URL names as `course`."""

    least: Role

    @property
    def name(self) -> str:
        return f"at least {self.least.value} of the course"

    def admit(self, person: Person, parts: Mapping[str, Any]) -> Role:
        role = signed_in(person).role_in(str(parts["course"]))
        if role is None or role.rank < self.least.rank:
            raise not_yours()
        return role


@dataclass(frozen=True)
class OwnSandbox:
    """The sandbox that the URL names as `sandbox` is this person's; with `watch`, an instructor may look too."""

    watch: bool = False

    @property
    def name(self) -> str:
        return "owner of the sandbox, or instructor of its course" if self.watch else "owner of the sandbox"

    def admit(self, person: Person, parts: Mapping[str, Any]) -> Any:
        from classroom.workspaces.models import Sandbox

        user = signed_in(person)
        sandbox = Sandbox.objects.filter(pk=parts["sandbox"]).select_related("person").first()
        if sandbox is None:
            raise no_such("sandbox")
        if sandbox.person_id == user.pk:
            return sandbox
        if self.watch and teaches(user, sandbox.course):
            return sandbox
        raise not_yours()


def signed_in(person: Person) -> User:
    if not isinstance(person, User) or not person.is_active:
        raise signed_out()
    return person


def teaches(user: User, course: str) -> bool:
    role = user.role_in(course)
    return role is not None and role.rank >= Role.INSTRUCTOR.rank


def allow(rule: Rule) -> Callable[[View], View]:
    """Enforce `rule`; a refusal becomes JSON under /api/, else a page, or the sign-in page when signed out."""

    def decorate(view: View) -> View:
        wrapped: Any = _around_async(view, rule) if iscoroutinefunction(view) else _around_sync(view, rule)
        wrapped.access_rule = rule
        return cast("View", wrapped)

    return decorate


def _around_sync(view: Callable[..., HttpResponse], rule: Rule) -> Callable[..., HttpResponse]:
    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **parts: Any) -> HttpResponse:
        try:
            request.granted = rule.admit(request.user, parts)  # type: ignore[attr-defined]
            return view(request, *args, **parts)
        except Refused as refusal:
            return _refusal(request, refusal)

    return guarded


def _around_async(
    view: Callable[..., Awaitable[HttpResponse]], rule: Rule
) -> Callable[..., Awaitable[HttpResponse]]:
    @functools.wraps(view)
    async def guarded(request: HttpRequest, *args: Any, **parts: Any) -> HttpResponse:
        try:
            request.user = await request.auser()
            request.granted = await sync_to_async(rule.admit)(request.user, parts)  # type: ignore[attr-defined]
            return await view(request, *args, **parts)
        except Refused as refusal:
            return await sync_to_async(_refusal)(request, refusal)

    return guarded


def _refusal(request: HttpRequest, refusal: Refused) -> HttpResponse:
    if refusal.status == 401 and not wants_json(request):
        return redirect("signin")
    return answer_to(request, refusal)
