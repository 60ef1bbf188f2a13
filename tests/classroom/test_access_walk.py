"""P38: every route, action and socket names a rule, and the rule holds for everybody.

A route without a rule fails here, so a new one cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from classroom.access import Anyone, CourseRole, OwnSandbox, SignedIn
from classroom.accounts.models import Role, User
from classroom.courseware.catalogue import catalogue
from classroom.courseware.reading import exercise_of
from classroom.live.routing import routes as socket_routes
from classroom.workspaces.acting import ACTIONS
from classroom.workspaces.models import Sandbox
from classroom.workspaces.requesting import ensure_requested

PEOPLE = (None, "other student", "owner", "stranger", "instructor", "author", "operator")


def walk(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern), pattern


ROUTES = [(route, pattern.callback) for route, pattern in walk(get_resolver().url_patterns)]


def test_the_walk_sees_the_product() -> None:
    names = [route for route, _ in ROUTES]
    assert len(names) > 15
    assert "api/sandboxes/<uuid:sandbox>/<slug:action>" in names
    assert len(socket_routes) == 4


@pytest.mark.parametrize(("route", "view"), ROUTES, ids=[route or "home" for route, _ in ROUTES])
def test_every_route_names_a_rule(route: str, view: Any) -> None:
    assert hasattr(view, "access_rule"), f"{route} has no access rule: decorate it with @allow(...)"


@pytest.mark.parametrize("route", socket_routes, ids=[str(route.pattern) for route in socket_routes])
def test_every_socket_names_a_rule(route: Any) -> None:
    assert hasattr(route.callback, "access_rule")


def may(rule: Any, who: str | None) -> bool:
    """What the rules say, written down a second time and differently."""
    rank = {"other student": 0, "owner": 0, "instructor": 1, "author": 2, "operator": 3}
    if isinstance(rule, Anyone):
        return True
    if who is None:
        return False
    if isinstance(rule, SignedIn):
        return True
    if isinstance(rule, CourseRole):
        return who != "stranger" and rank[who] >= list(Role).index(rule.least)
    assert isinstance(rule, OwnSandbox)
    return who == "owner" or (rule.watch and who in ("instructor", "author", "operator"))


@pytest.fixture
def cast(make_user: Callable[..., User]) -> dict[str | None, User | None]:
    """`stranger` teaches another course."""
    return {
        None: None,
        "owner": make_user(Role.STUDENT, "Ada"),
        "other student": make_user(Role.STUDENT, "Eve"),
        "stranger": make_user(Role.INSTRUCTOR, "Mallory", "another"),
        "instructor": make_user(Role.INSTRUCTOR),
        "author": make_user(Role.AUTHOR),
        "operator": make_user(Role.OPERATOR),
    }


@pytest.fixture
def box(cast: dict[str | None, User | None]) -> Sandbox:
    lesson = catalogue.lesson("tiny", "01-one")
    owner = cast["owner"]
    assert owner is not None
    return ensure_requested(owner, catalogue.course("tiny"), lesson, exercise_of(lesson))


def addresses(route: str, box: Sandbox) -> list[str]:
    filled = (
        route.replace("<uuid:sandbox>", str(box.pk))
        .replace("<str:course>", "tiny")
        .replace("<str:lesson>", "01-one")
        .replace("<str:secret>", "nobodys")
        .replace("<str:moment>", "latest")
    )
    if "<slug:action>" in filled:
        return ["/" + filled.replace("<slug:action>", action) for action in ACTIONS]
    return ["/" + filled]


def refused(client: Client, address: str, method: str) -> bool:
    answer = getattr(client, method)(
        address, **({"content_type": "application/json"} if method == "post" else {})
    )
    assert answer.status_code < 500 or address == "/readyz", f"{address}: {answer.status_code}"
    if answer.status_code in (401, 403):
        return True
    return answer.status_code == 302 and answer.headers["Location"] == "/signin/"


# Open to everybody; they lead to the sign-in page by themselves (test_signing_in.py).
LEADS_TO_SIGN_IN = {
    "",
    "signin/<str:secret>/",
    "back/<str:secret>/",
    "join/",
    "signout/",
    "password/signup/",
    "password/reset/",
}
GUARDED = [(route, view) for route, view in ROUTES if route not in LEADS_TO_SIGN_IN]


@pytest.mark.django_db
@pytest.mark.parametrize(("route", "view"), GUARDED, ids=[route for route, _ in GUARDED])
def test_P38_the_rule_holds_for_everybody(
    route: str, view: Any, cast: dict[str | None, User | None], box: Sandbox, client_of: Any
) -> None:
    for who in PEOPLE:
        client = client_of(cast[who])
        for address in addresses(route, box):
            for method in ("get", "post"):
                assert refused(client, address, method) is not may(view.access_rule, who), (
                    who,
                    method,
                    address,
                )


@pytest.mark.django_db
def test_an_instructor_sees_a_students_page_and_cannot_act_on_it(
    cast: dict[str | None, User | None], box: Sandbox, client_of: Any
) -> None:
    client = client_of(cast["instructor"])
    page = client.get(f"/learn/tiny/01-one/?as={box.pk}")
    assert page.context["readonly_of"] == "Ada"
    assert page.context["page_data"]["sandbox"] == {
        "id": str(box.pk), "phase": "requested", "readOnly": True, "namespace": "", "owner": "Ada",
    }  # fmt: skip
    for action in ACTIONS:
        assert (
            client.post(f"/api/sandboxes/{box.pk}/{action}", {}, content_type="application/json").status_code
            == 403
        )


@pytest.mark.django_db
@pytest.mark.parametrize("who", [None, "other student", "stranger", "owner"])
def test_nobody_else_looks_over_a_shoulder(
    who: str | None, cast: dict[str | None, User | None], box: Sandbox, client_of: Any
) -> None:
    answer = client_of(cast[who]).get(f"/learn/tiny/01-one/?as={box.pk}")
    assert answer.status_code == (302 if who is None else 403)
    assert "Ada" not in answer.content.decode() or who == "owner"


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["nonsense", "00000000-0000-4000-8000-000000000000", "' OR 1=1"])
def test_a_wrong_id_is_not_found(
    key: str, cast: dict[str | None, User | None], box: Sandbox, client_of: Any
) -> None:
    assert client_of(cast["instructor"]).get("/learn/tiny/01-one/", {"as": key}).status_code == 404
