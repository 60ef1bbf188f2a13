"""People, what they may do in which course, the classes they join, and the links they sign in with."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

EVERY_COURSE = "*"


class Role(models.TextChoices):
    """In rising order; a higher role may everything a lower one may."""

    STUDENT = "student"
    INSTRUCTOR = "instructor"
    AUTHOR = "author"
    OPERATOR = "operator"

    @property
    def rank(self) -> int:
        return list(Role).index(self)


class User(AbstractUser):
    """A person. Most have no password: they come by a link. `username` is made by us and shown nowhere."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    name = models.CharField(max_length=60)

    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def initials(self) -> str:
        words = str(self).split()
        letters = [word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)]
        return "".join(letters).upper() or "?"

    def role_in(self, course: str) -> Role | None:
        """The highest of the person's roles in this course, or None."""
        found = self.memberships.filter(course__in=[course, EVERY_COURSE]).values_list("role", flat=True)
        roles = [Role(value) for value in found]
        return max(roles, key=lambda role: role.rank, default=None)


class Classroom(models.Model):
    """A group of students of one course, entered with a code such as KEEL-4821."""

    course = models.CharField(max_length=100)
    name = models.CharField(max_length=80)
    code = models.CharField(max_length=16, unique=True)
    opened = models.DateTimeField(default=timezone.now)
    closed = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class Membership(models.Model):
    """A person's role in one course (or every course, `*`)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    course = models.CharField(max_length=100)
    role = models.CharField(max_length=12, choices=Role.choices)
    classroom = models.ForeignKey(
        Classroom, null=True, blank=True, on_delete=models.SET_NULL, related_name="members"
    )
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["user", "course", "role"], name="one_membership_per_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.course}"


class Link(models.Model):
    """A secret address to sign in with. Only the secret's hash is kept.

    `once`: dies at its first use. Otherwise it is the personal link a student comes back with.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="links")
    digest = models.CharField(max_length=64, unique=True)
    once = models.BooleanField(default=True)
    made = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"link of {self.user}, until {self.expires:%Y-%m-%d %H:%M}"
