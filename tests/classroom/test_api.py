"""Section 5 of the protocol: what people do, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from classroom.accounts.models import Role, User
from classroom.courseware.catalogue import catalogue
from classroom.courseware.reading import exercise_of
from classroom.live.runtime import Runtime
from classroom.workspaces import acting
from classroom.workspaces.models import Phase, Sandbox
from classroom.workspaces.requesting import ensure_requested
from classroom.workspaces.rubric import plan_of
from sandbox.errors import ApiError, ClusterUnavailable, SandboxNotReady
from sandbox.manifest_text import ManifestRefused
from sandbox.observing.refusal import ActRefused
from tests.classroom.fakes import FakeObserver, FakeTrack

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user(Role.STUDENT, "Ada")


@pytest.fixture
def client(ada: User, client_of: Callable[..., Client]) -> Client:
    return client_of(ada)


@pytest.fixture
def box(ada: User) -> Sandbox:
    lesson = catalogue.lesson("tiny", "01-one")
    made = ensure_requested(ada, catalogue.course("tiny"), lesson, exercise_of(lesson))
    Sandbox.objects.filter(pk=made.pk).update(phase=Phase.OPEN)
    return made


class Side:
    """The cluster's side of the runtime, remembered instead of done."""

    def __init__(self) -> None:
        self.observer = FakeObserver()
        self.reconciler = SimpleNamespace(wake=lambda: self.calls.append(("wake",)))
        self.calls: list[tuple[Any, ...]] = []
        self.broken: Exception | None = None

    async def write_file(self, row: Sandbox, name: str, text: str) -> None:
        if self.broken:
            raise self.broken
        self.calls.append(("write", name, text))

    async def apply(self, row: Sandbox, manifests: list[Any], *, dry_run: bool) -> list[dict[str, Any]]:
        if self.broken:
            raise self.broken
        self.calls.append(("apply", [each.kind for each in manifests], dry_run))
        return [{"kind": "Pod", "name": "storefront", "result": "created", "warnings": []}]


@pytest.fixture
def side(box: Sandbox, live: Runtime) -> Side:
    made = Side()
    made.observer.tracks[str(box.pk)] = FakeTrack(plan_of(box), None, {})
    live.side = made  # type: ignore[assignment]
    return made


def post(client: Client, address: str, body: Any = None) -> Any:
    return client.post(address, body if body is not None else {}, content_type="application/json")


def act(client: Client, box: Sandbox, action: str, body: Any = None) -> Any:
    return post(client, f"/api/sandboxes/{box.pk}/{action}", body)


def test_start_gives_the_same_sandbox_however_often_it_is_pressed(client: Client, ada: User) -> None:
    answers = [
        post(client, "/api/sandboxes/", {"course": "tiny", "lesson": "01-one"}).json() for _ in range(3)
    ]
    assert answers[0] == answers[1] == answers[2]
    sandbox = answers[0]["sandbox"]
    assert answers[0]["ok"] is True
    assert (sandbox["phase"], sandbox["readOnly"]) == ("requested", False)
    assert Sandbox.objects.get().rubric["id"] == "main"


@pytest.mark.parametrize(
    "body", [{}, {"course": "tiny"}, {"course": "tiny", "lesson": "02-broken"}, {"course": 1, "lesson": []}]
)
def test_start_of_nothing_is_not_found(client: Client, body: Any) -> None:
    assert post(client, "/api/sandboxes/", body).status_code == 404


def test_start_needs_a_place_in_the_course(make_user: Any, client_of: Any) -> None:
    stranger = client_of(make_user(Role.STUDENT, "Stranger", "another"))
    answer = post(stranger, "/api/sandboxes/", {"course": "tiny", "lesson": "01-one"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not-a-member")


@pytest.mark.parametrize(
    ("action", "body", "done", "more"),
    [
        ("predict", {"id": "what", "value": "new"}, ("predict", "what", "new"), {}),
        ("answer", {"id": "why", "value": ["a", "b"]}, ("answer", "why", ["a", "b"]), {}),
        ("fault", {"id": "kill"}, ("fault", "kill", None), {"target": "storefront-1"}),
        ("fault", {"id": "kill", "pod": "u1"}, ("fault", "kill", "u1"), {"target": "storefront-1"}),
        (
            "break",
            {"kind": "slow-app", "how": "delay", "pod": "u1", "ms": 300},
            ("break", "slow-app", "delay", "u1", 300),
            {"target": "storefront-1"},
        ),
        (
            "break",
            {"kind": "break-dns", "how": 7, "pod": ["x"], "ms": True},
            ("break", "break-dns", None, None, None),
            {"target": "storefront-1"},
        ),
        ("load", {"id": "rush"}, ("load", "rush", None), {"until": 1060.0}),
        ("load", {"id": "rush", "rate": 8}, ("load", "rush", 8), {"until": 1060.0}),
        ("load", {"id": "rush", "stop": True}, ("stop-load", "rush"), {}),
        ("delete-pod", {"pod": "u1"}, ("delete-pod", "u1"), {"target": "storefront-1"}),
        ("submit", {}, ("submit",), {}),
        ("hint", {}, ("hint",), {"say": "Who would notice?"}),
    ],
)
def test_acts_reach_the_observer(
    action: str, body: Any, done: Any, more: Any, client: Client, box: Sandbox, side: Side
) -> None:
    answer = act(client, box, action, body)
    assert answer.json() == {"ok": True, **more}
    assert side.observer.acts == [done]


@pytest.mark.parametrize(("action", "more"), [("reset", {}), ("restart", {"attempt": 2})])
def test_reset_and_restart_bring_the_start_state_with_the_students_values(
    action: str, more: Any, client: Client, box: Sandbox, side: Side
) -> None:
    assert act(client, box, action).json() == {"ok": True, **more}
    ((name, objects),) = side.observer.acts
    assert name == action
    assert [each["kind"] for each in objects] == ["Service"]


@pytest.mark.parametrize(
    "action", ["predict", "fault", "load", "delete-pod", "submit", "hint", "reset", "restart", "apply"]
)
def test_before_the_sandbox_is_observed_acts_say_not_ready(action: str, client: Client, box: Sandbox) -> None:
    bodies = {"predict": {"id": "what", "value": 1}, "fault": {"id": "kill"}, "delete-pod": {"pod": "x"},
              "load": {"id": "rush"},
              "apply": {"file": "shop.yaml", "text": "a: 1"}}  # fmt: skip
    answer = act(client, box, action, bodies.get(action))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not-ready")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ActRefused("predict-first", "Say what you expect first."), 409, "predict-first"),
        (ClusterUnavailable("gone"), 503, "cluster-away"),
        (ApiError(403, "Forbidden", "exceeded quota"), 422, "cluster-refused"),
        (SandboxNotReady("starting"), 503, "not-ready"),
    ],
)
def test_refusals_are_sentences_with_a_code(
    error: Any, status: int, code: str, client: Client, box: Sandbox, side: Side
) -> None:
    side.observer.refuse = error
    answer = act(client, box, "submit")
    found = answer.json()["error"]
    assert (answer.status_code, found["code"]) == (status, code)
    assert len(found["text"]) > 5
    assert side.observer.acts == []


@pytest.mark.parametrize("body", [{"id": ""}, {"id": 7}, {}, {"id": "x" * 201}, {"id": "what"}])
def test_incomplete_acts_are_refused(body: Any, client: Client, box: Sandbox, side: Side) -> None:
    assert act(client, box, "predict", body).status_code == 400
    assert act(client, box, "answer", body).status_code == 400
    assert side.observer.acts == []


@pytest.mark.parametrize("body", [{}, {"id": "rush", "rate": "8"}, {"id": "rush", "rate": True}, {"id": 7}])
def test_a_load_with_a_rate_that_is_none_is_refused(
    body: Any, client: Client, box: Sandbox, side: Side
) -> None:
    assert act(client, box, "load", body).status_code == 400
    assert side.observer.acts == []


@pytest.mark.parametrize("raw", ["[]", "{", '"x"', "[" * 10000, "\x00"])
def test_bodies_that_are_no_json_object_are_refused(
    raw: str, client: Client, box: Sandbox, side: Side
) -> None:
    answer = client.post(f"/api/sandboxes/{box.pk}/submit", raw, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "not-json")


def test_an_unknown_action_is_not_found(client: Client, box: Sandbox) -> None:
    assert act(client, box, "explode").status_code == 404
    assert client.get(f"/api/sandboxes/{box.pk}/submit").status_code == 405


def test_P42_five_megabytes_are_refused_at_the_door(client: Client, box: Sandbox, side: Side) -> None:
    answer = act(client, box, "apply", {"file": "shop.yaml", "text": "a" * 5 * 2**20})
    assert answer.status_code == 413
    answer = act(client, box, "apply", {"file": "shop.yaml", "text": "a" * 300_000})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too-large")
    assert side.calls == []


def test_P42_broken_yaml_names_the_line(client: Client, box: Sandbox, side: Side) -> None:
    answer = act(
        client, box, "apply", {"file": "shop.yaml", "text": "apiVersion: v1\nkind: [Pod\n", "dry_run": True}
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "manifest")
    assert error["line"] >= 2
    assert side.calls == []


def test_apply_and_dry_run(client: Client, box: Sandbox, side: Side) -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\n"
    for dry_run in (True, False):
        answer = act(client, box, "apply", {"file": "shop.yaml", "text": text, "dry_run": dry_run})
        assert answer.json()["applied"][0]["result"] == "created"
    assert side.calls == [("apply", ["Pod", "Service"], True), ("apply", ["Pod", "Service"], False)]


def test_what_the_cluster_refuses_comes_back_with_its_place(client: Client, box: Sandbox, side: Side) -> None:
    side.broken = ManifestRefused(14, 3, "`replicas` wants a number, found `three`.")
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    error = act(client, box, "apply", {"file": "shop.yaml", "text": text}).json()["error"]
    assert error == {
        "code": "manifest",
        "text": "`replicas` wants a number, found `three`.",
        "line": 14,
        "column": 3,
    }


def test_save_keeps_the_text_and_lays_it_into_the_toolbox(client: Client, box: Sandbox, side: Side) -> None:
    assert act(client, box, "save", {"file": "shop.yaml", "text": "a: 1\n"}).json() == {
        "ok": True,
        "toolbox": True,
    }
    assert side.calls == [("write", "shop.yaml", "a: 1\n")]
    assert Sandbox.objects.get().files == {"shop.yaml": "a: 1\n"}
    side.broken = ClusterUnavailable("gone")
    assert act(client, box, "save", {"file": "shop.yaml", "text": "a: 2\n"}).status_code == 503
    assert Sandbox.objects.get().files == {"shop.yaml": "a: 2\n"}, (
        "the text is kept even when the toolbox is away"
    )


@pytest.mark.parametrize("name", ["../../etc/passwd", "other.yaml", "", "/etc/passwd"])
def test_only_the_lessons_files_can_be_saved(name: str, client: Client, box: Sandbox, side: Side) -> None:
    assert act(client, box, "save", {"file": name, "text": "x"}).status_code in (400, 404)
    assert Sandbox.objects.get().files == {}


def test_extend_tells_the_page(client: Client, box: Sandbox, side: Side) -> None:
    expires = act(client, box, "extend").json()["expires"]
    item = side.observer.tracks[str(box.pk)].picture.items["sandbox/self"]
    assert item["expires"] == expires
    assert item["phase"] == "open"
    Sandbox.objects.update(phase=Phase.REMOVED)
    assert act(client, box, "extend").status_code == 409


def test_end_asks_the_reconciler(client: Client, box: Sandbox, side: Side) -> None:
    assert act(client, box, "end").json() == {"ok": True}
    assert Sandbox.objects.get().ends
    assert side.calls == [("wake",)]


def test_P48_a_hundred_starts_a_minute_are_slowed_down(
    client: Client, make_user: Any, client_of: Any
) -> None:
    body = {"course": "tiny", "lesson": "01-one"}
    codes = [post(client, "/api/sandboxes/", body).status_code for _ in range(14)]
    assert codes.count(200) == 12
    refused = post(client, "/api/sandboxes/", body)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    other = client_of(make_user(Role.STUDENT, "Bob"))
    assert post(other, "/api/sandboxes/", body).status_code == 200


def test_acts_without_a_csrf_token_are_refused_as_json(ada: User, box: Sandbox, side: Side) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = act(strict, box, "submit")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf")
    page = strict.get("/learn/tiny/01-one/")
    token = page.context["page_data"]["csrf"]
    answer = strict.post(
        f"/api/sandboxes/{box.pk}/submit", {}, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert answer.status_code == 200


def test_history_holds_the_same_frames_as_the_socket(
    client: Client, box: Sandbox, side: Side, live: Runtime
) -> None:
    observer, key = side.observer, str(box.pk)
    for number in range(5):
        observer.append(key, "phase", "", {"phase": "ready", "text": f"n{number}"}, "test")
    live.store.append(key, observer.tracks[key].entries)
    history = client.get(f"/api/sandboxes/{key}/history").json()
    assert history["start"]["f"] == "snapshot"
    assert (history["start"]["seq"], [frame["seq"] for frame in history["frames"]]) == (0, [1, 2, 3, 4, 5])
    items = dict(history["start"]["items"])
    for frame in history["frames"]:
        for name, fields in frame["set"].items():
            items[name] = {**items.get(name, {}), **fields}
    assert items["sandbox/self"]["text"] == "n4"


def test_P48_histories_without_end_are_slowed_down(client: Client, box: Sandbox, live: Runtime) -> None:
    codes = [client.get(f"/api/sandboxes/{box.pk}/history").status_code for _ in range(25)]
    assert codes[:20] == [200] * 20
    assert codes[-1] == 429


def test_every_action_of_the_protocol_exists() -> None:
    assert set(acting.ACTIONS) == {
        "predict", "answer", "fault", "break", "load", "delete-pod", "submit", "restart", "reset", "extend",
        "hint", "apply", "save", "end",
    }  # fmt: skip
