"""`manage.py signin [--role ROLE] [--name NAME] [--course SLUG]`: print an address to sign in with, once."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from classroom.accounts.links import make_signin_link
from classroom.accounts.models import EVERY_COURSE, Role, User
from classroom.accounts.people import NameInvalid, ensure_classroom, ensure_owner, make_person
from classroom.accounts.views import absolute
from classroom.courseware.catalogue import catalogue


class Command(BaseCommand):
    help = "Print an address that signs somebody in once: the owner, or a new person with --role."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--role", choices=[role.value for role in Role], default=Role.OPERATOR.value)
        parser.add_argument("--name", default="", help="the new person's name (not for the owner)")
        parser.add_argument("--quiet", action="store_true", help="print the address and nothing else")
        parser.add_argument("--course", default="", help="slug; default: the first course")

    def handle(self, *args: Any, **options: Any) -> None:
        url = signin_url(Role(options["role"]), options["name"], options["course"])
        if not options["quiet"]:
            self.stdout.write(f"This address signs in once, within {settings.SIGNIN_SECONDS // 3600} hours:")
        self.stdout.write(url)


def signin_url(role: Role = Role.OPERATOR, name: str = "", course: str = "") -> str:
    """A fresh address. Without a name: the owner, or the instructor or author there is; a student is always new.

    Raises CommandError for a name nobody can have.
    """
    try:
        user = _person_for(role, name, course or catalogue.default_course())
    except NameInvalid as problem:
        raise CommandError(str(problem)) from problem
    return absolute(reverse("signin_by_link", args=[make_signin_link(user)]))


def _person_for(role: Role, name: str, course: str) -> User:
    if role is Role.OPERATOR:
        return make_person(name, role, EVERY_COURSE) if name else ensure_owner()
    if role is Role.STUDENT:
        return make_person(name or "Student", role, course, ensure_classroom(course))
    if not name:
        known = User.objects.filter(memberships__course=course, memberships__role=role).order_by("pk").first()
        if known is not None:
            return known
    return make_person(name or role.label, role, course)
