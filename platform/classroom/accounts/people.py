"""Making people and classes. Names are what people typed; user names are ours and random."""

from __future__ import annotations

import secrets
import unicodedata

from django.db import IntegrityError, transaction

from classroom.accounts.models import EVERY_COURSE, Classroom, Membership, Role, User

# Short, easy to say across a room, none offensive, none alike.
CODE_WORDS = (
    "KEEL", "MAST", "SAIL", "HULL", "HELM", "DECK", "CREW", "BUOY", "TIDE", "RUDDER", "ANCHOR", "HARBOUR",
    "COMPASS", "LANTERN", "PILOT", "CARGO", "BEACON", "CHART",
)  # fmt: skip
MAX_NAME = 60


class NameInvalid(ValueError):
    """The message says what is wrong with the name."""


def clean_name(text: str) -> str:
    """One line without control or formatting characters (a right-to-left override would spoof other names)."""
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    text = " ".join(text.split())
    if not text:
        raise NameInvalid("Please write your name, so that your instructor knows whom to help.")
    if len(text) > MAX_NAME:
        raise NameInvalid(f"Please use at most {MAX_NAME} characters for your name.")
    return text


def make_person(name: str, role: Role, course: str, classroom: Classroom | None = None) -> User:
    """A new person with one role, and no password."""
    with transaction.atomic():
        user = User(username=f"{role.value}-{secrets.token_hex(8)}", name=clean_name(name))
        user.set_unusable_password()
        user.save()
        Membership.objects.create(user=user, course=course, role=role, classroom=classroom)
    return user


def ensure_owner() -> User:
    """The operator of this installation: the person `manage.py signin` signs in."""
    found = (
        Membership.objects.filter(role=Role.OPERATOR, course=EVERY_COURSE)
        .select_related("user")
        .order_by("pk")
    )
    member = found.first()
    return member.user if member else make_person("Owner", Role.OPERATOR, EVERY_COURSE)


def ensure_classroom(course: str) -> Classroom:
    """The course's open class, made with a fresh code if there is none."""
    found = Classroom.objects.filter(course=course, closed=None).order_by("-pk").first()
    while found is None:
        try:
            with transaction.atomic():
                found = Classroom.objects.create(course=course, name="Class", code=_new_code())
        except IntegrityError:
            continue  # that code is taken; draw another
    return found


def _new_code() -> str:
    return f"{secrets.choice(CODE_WORDS)}-{secrets.randbelow(9000) + 1000}"


def classroom_for(code: str) -> Classroom | None:
    """The open class with this code; spaces, case and a missing dash are forgiven."""
    letters = "".join(c for c in code.upper() if c.isascii() and c.isalnum())
    word, number = letters.rstrip("0123456789"), letters.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return Classroom.objects.filter(code=f"{word}-{number}", closed=None).first()


def join(classroom: Classroom, name: str) -> User:
    """A new student of the class. Raises NameInvalid."""
    return make_person(name, Role.STUDENT, classroom.course, classroom)
