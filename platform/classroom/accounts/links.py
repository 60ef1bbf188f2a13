"""Links to sign in with: made, looked up, used up. The secret itself is only ever in the address."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from classroom.accounts.models import Link, User

RETURN_DAYS = 180


def digest_of(secret: str) -> str:
    """A plain hash is enough: the secret has 256 random bits, so there is nothing to guess or to salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make_signin_link(user: User) -> str:
    """The secret of a link that works once, for `SIGNIN_SECONDS`."""
    return _make(user, once=True, lasting=timedelta(seconds=settings.SIGNIN_SECONDS))


def make_return_link(user: User) -> str:
    """The secret of the person's link to come back with; an earlier one stops working."""
    user.links.filter(once=False).delete()
    return _make(user, once=False, lasting=timedelta(days=RETURN_DAYS))


def _make(user: User, *, once: bool, lasting: timedelta) -> str:
    secret = secrets.token_urlsafe(32)
    Link.objects.create(user=user, digest=digest_of(secret), once=once, expires=timezone.now() + lasting)
    return secret


def use_link(secret: str, *, once: bool) -> User | None:
    """The person behind the link, or None when it is unknown, used up or too old.

    Atomic: of two visits at the same moment to a link that works once, one gets None.
    """
    now = timezone.now()
    with transaction.atomic():
        link = Link.objects.filter(digest=digest_of(secret), once=once, expires__gt=now).first()
        if link is None or not link.user.is_active:
            return None
        if once and not Link.objects.filter(pk=link.pk, used=None).update(used=now):
            return None
        if not once:
            Link.objects.filter(pk=link.pk).update(used=now)
        return link.user
