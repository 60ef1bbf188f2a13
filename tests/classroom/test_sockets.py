"""Sockets through the whole ASGI stack: origin, rule, close codes, re-authorisation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from django.utils import timezone

from classroom.accounts.models import Role, User
from classroom.courseware.catalogue import catalogue
from classroom.courseware.reading import exercise_of
from classroom.live import sockets
from classroom.live.routing import sockets as application
from classroom.live.runtime import Runtime
from classroom.workspaces.models import Phase, Sandbox
from classroom.workspaces.requesting import ensure_requested
from sandbox.plan import plan_for
from tests.classroom.fakes import FakeObserver

pytestmark = pytest.mark.django_db(transaction=True)
OURS = b"http://127.0.0.1:8300"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "AUTHORISE_SECONDS", 0.1)


def request_box(user: User) -> Sandbox:
    course = catalogue.course("tiny")
    lesson = catalogue.lesson("tiny", "01-one")
    return ensure_requested(user, course, lesson, exercise_of(lesson))


@pytest.fixture
def box(people: dict[str, User]) -> Sandbox:
    return request_box(people["student"])


def cookie_of(client: Client) -> bytes:
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode()


def connect(path: str, client: Client | None, origin: bytes | None = OURS) -> WebsocketCommunicator:
    headers = [] if origin is None else [(b"origin", origin)]
    if client is not None and settings.SESSION_COOKIE_NAME in client.cookies:
        headers.append((b"cookie", cookie_of(client)))
    return WebsocketCommunicator(application, path, headers=headers)


async def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never held")


async def code_of(communicator: WebsocketCommunicator) -> int:
    """The close code, past the frames before it."""
    while True:
        message = await communicator.receive_output(timeout=3)
        if message["type"] == "websocket.close":
            return int(message.get("code", 1000))


async def frame_of(communicator: WebsocketCommunicator, letter: str) -> dict[str, Any]:
    while True:
        frame = json.loads(await communicator.receive_from(timeout=3))
        if frame["f"] == letter:
            return dict(frame)


@pytest.mark.parametrize(
    "origin", [None, b"null", b"http://evil.example", b"http://127.0.0.1:9999", b"https://127.0.0.1:8300"]
)
@pytest.mark.parametrize("path", ["/ws/cluster/", "/ws/class/tiny/"])
async def test_P36_a_foreign_page_is_refused_before_the_handshake(path: str, origin: bytes | None) -> None:
    connected, _ = await connect(path, None, origin).connect()
    assert not connected


async def test_an_unknown_address_is_refused() -> None:
    connected, _ = await connect("/ws/nothing/", None).connect()
    assert not connected


async def test_everybody_follows_the_clusters_progress(live: Runtime) -> None:
    communicator = connect("/ws/cluster/", None)
    assert (await communicator.connect())[0]
    assert (await frame_of(communicator, "cluster"))["state"] == "absent"
    live.cluster_news.publish(b'{"f":"cluster","state":"building"}')
    assert (await frame_of(communicator, "cluster"))["state"] == "building"
    await communicator.disconnect()


@pytest.mark.parametrize(
    ("who", "code"),
    [(None, 4001), ("student", 4003), ("author", None), ("operator", None), ("instructor", None)],
)
async def test_L9_the_class_socket_is_for_those_who_teach(
    who: str | None,
    code: int | None,
    people: dict[str, User],
    client_of: Callable[..., Client],
    live: Runtime,
) -> None:
    client = await sync_to_async(client_of)(people[who] if who else None)
    communicator = connect("/ws/class/tiny/", client)
    assert (await communicator.connect())[0]
    if code is not None:
        assert await code_of(communicator) == code
        return
    await eventually(lambda: "tiny" in live.classes)
    live.classes["tiny"].news.publish(b'{"f":"class","rows":[]}')
    assert (await frame_of(communicator, "class"))["rows"] == []
    await communicator.disconnect()
    assert live.classes == {}


async def test_L9_a_sandbox_is_its_owners(
    box: Sandbox, people: dict[str, User], make_user: Callable[..., User], client_of: Callable[..., Client]
) -> None:
    other = await sync_to_async(make_user)(Role.STUDENT, "Eve")
    stranger = await sync_to_async(make_user)(Role.INSTRUCTOR, "Other course", "another")
    path = f"/ws/sandbox/{box.pk}/"
    for user, expected in ((None, 4001), (other, 4003), (stranger, 4003)):
        communicator = connect(path, await sync_to_async(client_of)(user))
        assert (await communicator.connect())[0]
        assert await code_of(communicator) == expected
    communicator = connect(
        "/ws/sandbox/00000000-0000-4000-8000-000000000000/", await sync_to_async(client_of)(people["student"])
    )
    await communicator.connect()
    assert await code_of(communicator) == 4004


@pytest.mark.parametrize("who", ["student", "instructor"])
async def test_a_page_shows_the_queue_before_the_cluster_is_there(
    who: str, box: Sandbox, people: dict[str, User], client_of: Callable[..., Client]
) -> None:
    communicator = connect(f"/ws/sandbox/{box.pk}/", await sync_to_async(client_of)(people[who]))
    assert (await communicator.connect())[0]
    await communicator.send_json_to({"f": "resume", "epoch": 0, "seq": 0})
    frame = await frame_of(communicator, "snapshot")
    assert frame["items"]["sandbox/self"]["phase"] == "requested"
    await communicator.disconnect()


async def test_F06_a_running_picture_stays_while_web_starts_again(
    box: Sandbox, people: dict[str, User], client_of: Callable[..., Client], live: Runtime
) -> None:
    observer, key = FakeObserver(), str(box.pk)
    await observer.open(key, plan_for(key, pods=4, memory=2**27, cpu=0.4), None, {})
    service = {
        "kind": "Service",
        "metadata": {"name": "storefront", "uid": "s1", "namespace": "x"},
        "spec": {},
    }
    observer.append(key, "object", "s1", {"op": "ADDED", "kind": "Service", "object": service}, "watch")
    live.store.append(key, observer.tracks[key].entries)
    for phase, shown in ((Phase.OPEN, True), (Phase.REQUESTED, False)):
        await Sandbox.objects.filter(pk=box.pk).aupdate(phase=phase)
        communicator = connect(f"/ws/sandbox/{key}/", await sync_to_async(client_of)(people["student"]))
        assert (await communicator.connect())[0]
        await communicator.send_json_to({"f": "resume", "epoch": 7, "seq": 1})
        frame = await frame_of(communicator, "snapshot")
        assert ("service/s1" in frame["items"]) is shown
        assert frame["items"]["sandbox/self"]["phase"] == phase
        await communicator.disconnect()


async def test_the_picture_streams_and_nonsense_is_ignored(
    box: Sandbox, people: dict[str, User], client_of: Callable[..., Client], live: Runtime
) -> None:
    observer, key = FakeObserver(), str(box.pk)
    plan = plan_for(key, pods=4, memory=2**27, cpu=0.4)
    await observer.open(key, plan, None, {})
    live.hub.attach(observer)
    communicator = connect(f"/ws/sandbox/{key}/", await sync_to_async(client_of)(people["student"]))
    assert (await communicator.connect())[0]
    for nonsense in (" ", "[]", "{", "[" * 5000, '{"f":"resume","epoch":"x","seq":true}', '{"f":"unknown"}'):
        await communicator.send_to(text_data=nonsense)
    await frame_of(communicator, "snapshot")  # an epoch that is no number asks for a snapshot
    await communicator.send_json_to({"f": "snapshot"})
    await frame_of(communicator, "snapshot")
    observer.append(key, "phase", "", {"phase": "ready"}, "test")
    delta = await frame_of(communicator, "delta")
    assert delta["seq"] == 1
    assert delta["set"]["sandbox/self"]["phase"] == "ready"
    await communicator.disconnect()
    assert live.hub.rooms == {}


async def test_L13_a_sign_out_closes_the_socket_within_five_seconds(
    box: Sandbox, people: dict[str, User], client_of: Callable[..., Client]
) -> None:
    client = await sync_to_async(client_of)(people["student"])
    communicator = connect(f"/ws/sandbox/{box.pk}/", client)
    assert (await communicator.connect())[0]
    await sync_to_async(client.logout)()
    assert await code_of(communicator) == 4001


async def test_L13_a_lost_role_closes_the_instructors_view(
    box: Sandbox, people: dict[str, User], client_of: Callable[..., Client]
) -> None:
    communicator = connect(f"/ws/sandbox/{box.pk}/", await sync_to_async(client_of)(people["instructor"]))
    assert (await communicator.connect())[0]
    await people["instructor"].memberships.all().adelete()
    assert await code_of(communicator) == 4003


async def test_L9_a_removed_sandbox_says_goodbye(
    box: Sandbox, people: dict[str, User], client_of: Callable[..., Client]
) -> None:
    communicator = connect(f"/ws/sandbox/{box.pk}/", await sync_to_async(client_of)(people["student"]))
    assert (await communicator.connect())[0]
    await Sandbox.objects.filter(pk=box.pk).aupdate(phase=Phase.REMOVED, ended=timezone.now())
    assert (await frame_of(communicator, "bye"))["code"] == "removed"
    assert await code_of(communicator) == 4010


async def test_the_owners_page_tells_its_step_and_an_instructors_does_not(
    box: Sandbox, people: dict[str, User], client_of: Any, live: Runtime
) -> None:
    path, key = f"/ws/sandbox/{box.pk}/", str(box.pk)
    teacher = connect(path, await sync_to_async(client_of)(people["instructor"]))
    assert (await teacher.connect())[0]
    await teacher.send_json_to({"f": "at", "step": "run-it"})
    owner = connect(path, await sync_to_async(client_of)(people["student"]))
    assert (await owner.connect())[0]
    await eventually(lambda: live.attendance.of(key) is not None)
    assert live.attendance.of(key).step == ""  # type: ignore[union-attr]
    await owner.send_json_to({"f": "at", "step": "run-it"})
    await eventually(lambda: live.attendance.of(key).step == "run-it")  # type: ignore[union-attr]
    assert live.attendance.of(key).pages == 1  # type: ignore[union-attr]
    await owner.disconnect()
    await eventually(lambda: live.attendance.of(key).pages == 0)  # type: ignore[union-attr]
    await teacher.disconnect()
