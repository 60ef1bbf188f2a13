from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from classroom.accounts.links import digest_of, make_return_link, make_signin_link, use_link
from classroom.accounts.models import Link, Role, User
from classroom.accounts.people import (
    NameInvalid,
    classroom_for,
    clean_name,
    ensure_classroom,
    ensure_owner,
    make_person,
)

pytestmark = pytest.mark.django_db
COURSE = "tiny"


def command(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().strip().splitlines()[-1]


def test_the_owners_link_signs_in_once() -> None:
    path = command("signin", "--quiet").removeprefix("http://127.0.0.1:8300")
    first, second = Client(), Client()
    assert first.get(path).status_code == 302
    assert first.get("/me/").status_code == 200
    assert second.get(path).status_code == 403
    assert second.get("/me/").status_code == 302
    assert User.objects.get().role_in(COURSE) is Role.OPERATOR


def test_opening_the_used_link_again_leads_those_who_are_in_home() -> None:
    path = command("signin", "--quiet").removeprefix("http://127.0.0.1:8300")
    client = Client()
    client.get(path)
    assert client.get(path).headers["Location"] == "/"


def test_a_head_request_does_not_use_up_the_link() -> None:
    secret = make_signin_link(ensure_owner())
    Client().head(f"/signin/{secret}/")
    assert use_link(secret, once=True) is not None


def test_the_session_key_changes_at_login() -> None:
    client = Client()
    client.get("/signin/")
    session = client.session
    session["before"] = 1
    session.save()
    before = session.session_key
    client.get(f"/signin/{make_signin_link(ensure_owner())}/")
    assert client.session.session_key != before


def test_only_the_hash_of_a_secret_is_kept() -> None:
    secret = make_signin_link(ensure_owner())
    link = Link.objects.get()
    assert link.digest == digest_of(secret)
    assert secret not in str(link.__dict__)


def test_links_expire() -> None:
    secret = make_signin_link(ensure_owner())
    Link.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert use_link(secret, once=True) is None


def test_a_return_link_works_again_and_again_until_a_new_one_is_made() -> None:
    user = make_person("Ada", Role.STUDENT, COURSE)
    old = make_return_link(user)
    assert use_link(old, once=False) == user
    assert use_link(old, once=False) == user
    new = make_return_link(user)
    assert use_link(old, once=False) is None
    assert use_link(new, once=False) == user
    assert use_link(new, once=True) is None


@pytest.mark.parametrize("role", ["student", "instructor", "author", "operator"])
def test_signin_makes_every_role(role: str) -> None:
    url = command("signin", "--quiet", "--role", role, "--name", "Grace Hopper", "--course", COURSE)
    client = Client()
    client.get(url.removeprefix("http://127.0.0.1:8300"))
    assert User.objects.get().role_in(COURSE) == Role(role)
    assert User.objects.get().initials == "GH"


def test_without_a_name_an_instructor_is_the_one_there_is_and_a_student_is_new() -> None:
    for _ in range(2):
        command("signin", "--quiet", "--role", "instructor", "--course", COURSE)
        command("signin", "--quiet", "--role", "student", "--course", COURSE)
    assert [User.objects.filter(memberships__role=role).count() for role in ("instructor", "student")] == [
        1,
        2,
    ]


def test_a_student_joins_with_code_and_name_and_comes_back_by_link() -> None:
    code = ensure_classroom(COURSE).code
    client = Client()
    answer = client.post(
        "/join/", {"code": f" {code.lower().replace('-', ' ')} ", "name": "  Ada   Lovelace "}
    )
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    url = answer.context["return_url"]
    user = User.objects.get()
    assert (user.name, user.role_in(COURSE), user.has_usable_password()) == (
        "Ada Lovelace",
        Role.STUDENT,
        False,
    )
    other = Client()
    other.get(url.removeprefix("http://testserver"))
    assert other.get("/me/").context["person"] == user


@pytest.mark.parametrize(("code", "name"), [("KEEL-0000", "Ada"), ("", "Ada"), ("x' OR 1=1", "Ada")])
def test_an_unknown_code_is_refused_with_the_right_words(code: str, name: str) -> None:
    answer = Client().post("/join/", {"code": code, "name": name})
    assert answer.status_code == 400
    assert "Codes look like KEEL-4821." in answer.content.decode()
    assert not User.objects.exists()


def test_a_class_code_is_stable_and_closed_classes_take_nobody() -> None:
    room = ensure_classroom(COURSE)
    assert ensure_classroom(COURSE) == room
    assert command("classcode", "--course", COURSE) == room.code
    room.closed = timezone.now()
    room.save()
    assert classroom_for(room.code) is None
    assert ensure_classroom(COURSE) != room


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ada", "Ada"),
        ("  A  B ", "A B"),
        ("A\u202eevil", "A evil"),
        ("A\nB\x00", "A B"),
        ("Zoë Ångström", "Zoë Ångström"),
    ],
)
def test_names_are_one_honest_line(typed: str, kept: str) -> None:
    assert clean_name(typed) == kept


@pytest.mark.parametrize("typed", ["", "   ", "\u200b\u202e", "x" * 61])
def test_names_nobody_can_have(typed: str) -> None:
    with pytest.raises(NameInvalid):
        clean_name(typed)


def test_signing_out_needs_a_post_and_ends_the_session(client_of: Any) -> None:
    client = client_of(make_person("Ada", Role.STUDENT, COURSE))
    assert client.get("/signout/").status_code == 405
    client.post("/signout/")
    assert client.get("/me/").status_code == 302


def test_P39_forms_without_a_token_are_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/join/", {"code": ensure_classroom(COURSE).code, "name": "Ada"})
    assert answer.status_code == 403
    assert not User.objects.filter(name="Ada").exists()


def test_allauths_own_sign_up_stays_closed() -> None:
    assert Client().get("/password/signup/").headers["Location"] == "/signin/"
    assert Client().get("/password/").status_code == 200


def test_a_password_works_for_those_who_have_one() -> None:
    user = make_person("Grace", Role.INSTRUCTOR, COURSE)
    user.set_password("correct horse battery")
    user.save()
    client = Client()
    wrong = client.post("/password/", {"login": user.username, "password": "wrong horse battery"})
    assert wrong.status_code == 200
    right = client.post("/password/", {"login": user.username, "password": "correct horse battery"})
    assert right.status_code == 302
    assert client.get("/me/").status_code == 200


def test_a_disabled_person_is_out() -> None:
    user = make_person("Ada", Role.STUDENT, COURSE)
    secret = make_return_link(user)
    user.is_active = False
    user.save()
    assert use_link(secret, once=False) is None


@pytest.mark.parametrize(("code", "name", "field"), [("KEEL-0", "Ada", "code"), (None, " ", "name")])
def test_the_wrong_field_is_marked_and_focused(
    code: str | None, name: str, field: str, client_of: Any
) -> None:
    answer = client_of(None).post("/join/", {"code": code or ensure_classroom("tiny").code, "name": name})
    inputs = re.findall(r"<input[^>]*>", answer.content.decode())
    marked = [tag for tag in inputs if 'aria-invalid="true" aria-describedby="problem" autofocus' in tag]
    assert [f'id="{field}"' in tag for tag in marked] == [True]
