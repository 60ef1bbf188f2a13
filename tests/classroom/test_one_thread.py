"""Between event loop and thread a request goes a few times only, however much middleware there is."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import SyncToAsync, sync_to_async
from django.test import AsyncClient

from classroom.accounts.models import Role

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 5  # a signal on either side, the middleware as a whole, CSRF's look at the view, the view


async def test_a_page_of_a_signed_in_person_changes_threads_a_few_times(
    make_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await sync_to_async(make_user)(Role.STUDENT, "Ada Lovelace")
    client = AsyncClient()
    await client.aforce_login(ada, backend="allauth.account.auth_backends.AuthenticationBackend")
    changes: list[Any] = []
    real = SyncToAsync.__call__

    async def counted(self: SyncToAsync[Any, Any], *args: Any, **more: Any) -> Any:
        changes.append(self.func)
        return await real(self, *args, **more)

    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    answer = await client.get("/learn/tiny/01-one/")
    assert answer.status_code == 200
    assert "Run it" in answer.content.decode()
    assert 1 <= len(changes) <= TIMES, changes
