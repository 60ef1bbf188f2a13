"""`causes` over HTTP: the chain of a sandbox's entry, and of a recording's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from classroom.accounts import limits
from classroom.accounts.models import Role, User
from classroom.courseware.catalogue import catalogue
from classroom.courseware.reading import exercise_of
from classroom.live.runtime import Runtime
from classroom.workspaces import causes
from classroom.workspaces.models import Sandbox
from classroom.workspaces.requesting import ensure_requested
from lessons.loading import load_course
from tests.sandbox.record.build import Script, deployment

pytestmark = pytest.mark.django_db(transaction=True)

REAL = Path(__file__).parents[2] / "lessons" / "how-clusters-work"


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user(Role.STUDENT, "Ada")


@pytest.fixture
def client(ada: User, client_of: Callable[..., Client]) -> Client:
    return client_of(ada)


@pytest.fixture
def box(ada: User) -> Sandbox:
    lesson = catalogue.lesson("tiny", "01-one")
    return ensure_requested(ada, catalogue.course("tiny"), lesson, exercise_of(lesson))


def lived(box: Sandbox, live: Runtime) -> Script:
    """A Deployment that was asked for in the terminal."""
    script = Script()
    script.action("create", "deployments", "storefront", code=201)
    script.put(deployment(1))
    live.store.append(str(box.pk), script.entries)
    return script


def asked(client: Client, box: Sandbox, moment: object) -> Any:
    return client.get(f"/api/sandboxes/{box.pk}/causes/{moment}")


def test_an_entrys_chain_is_told(client: Client, box: Sandbox, live: Runtime) -> None:
    lived(box, live)
    answer = asked(client, box, 2)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["seq"] == 2
    assert [(hop["n"], hop["actor"], hop["how"]) for hop in body["hops"]] == [
        (1, "student", "observed"), (2, "api-server", "observed"), (3, "etcd", "observed"),
    ]  # fmt: skip
    assert set(body["hops"][0]) == {
        "n", "actor", "stage", "text", "evidence", "at", "seq", "of", "how", "missing", "cites",
    }  # fmt: skip


def test_before_any_pod_was_ready_there_is_no_latest(client: Client, box: Sandbox, live: Runtime) -> None:
    lived(box, live)
    assert asked(client, box, "latest").json() == {"seq": None, "hops": []}


@pytest.mark.parametrize("moment", ["3", "0", "-1", "1.5", "²", "9" * 400, "newest", "2;"])
def test_what_the_record_does_not_hold_is_not_found(
    moment: str, client: Client, box: Sandbox, live: Runtime
) -> None:
    lived(box, live)
    answer = asked(client, box, moment)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not-found")


def test_asking_without_end_is_slowed(client: Client, box: Sandbox, live: Runtime) -> None:
    lived(box, live)
    codes = [asked(client, box, 2).status_code for _ in range(limits.ACTIONS.burst + 5)]
    assert codes[0] == 200
    assert codes[-1] == 429


def test_a_record_of_any_length_is_read_to_a_bound(
    client: Client, box: Sandbox, live: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived(box, live)
    monkeypatch.setattr(causes, "ENTRIES", 1)
    assert asked(client, box, 1).status_code == 404
    assert [hop["how"] for hop in asked(client, box, 2).json()["hops"]] == ["inferred", "observed"]


@pytest.fixture
def real_course(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    course = load_course(REAL)
    by_slug = {lesson.slug: lesson for lesson in course.lessons}
    monkeypatch.setattr(catalogue, "lesson", lambda _course, slug: by_slug[slug])
    causes._told.clear()
    yield
    causes._told.clear()


@pytest.mark.usefixtures("real_course")
def test_a_recording_tells_its_causes_to_everybody() -> None:
    client = Client()
    address = "/api/recordings/how-clusters-work/14-self-healing/causes"
    latest = client.get(f"{address}/latest").json()
    assert latest["hops"][0]["actor"] == "student"
    assert latest["hops"][-1]["actor"] == "endpointslice-controller"
    again = client.get(f"{address}/{latest['seq']}").json()
    assert again == latest
    assert client.get(f"{address}/999999").status_code == 404


def test_a_lesson_without_a_recording_has_no_causes(client: Client) -> None:
    for lesson in ("01-one", "nothing"):
        assert client.get(f"/api/recordings/tiny/{lesson}/causes/latest").status_code == 404
