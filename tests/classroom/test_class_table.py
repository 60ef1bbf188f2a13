"""The instructor's table: rows, pushed rows, links for colleagues, marks as CSV."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from classroom.accounts.models import Role, User
from classroom.courseware.catalogue import catalogue
from classroom.courseware.reading import exercise_of
from classroom.exercises import marking, submitting
from classroom.exercises.models import Mark
from classroom.exercises.submitting import HandOver, hand_over
from classroom.instructors.marks import safe
from classroom.instructors.misconceptions import count_misconceptions
from classroom.instructors.rows import read_rows, row_for
from classroom.live.presence import MOST_SANDBOXES, Attendance, Presence
from classroom.live.runtime import Runtime
from classroom.workspaces.models import Sandbox
from classroom.workspaces.requesting import ensure_requested
from tests.classroom.test_marking import PASSED

pytestmark = pytest.mark.django_db(transaction=True)
NOW = 1000.0


def check(state: str, at: float | None, line: str = "") -> dict[str, Any]:
    return {"t": "check", "state": state, "at": at, "line": line}


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user(Role.STUDENT, "Ada")


@pytest.fixture
def box(ada: User) -> Sandbox:
    lesson = catalogue.lesson("tiny", "01-one")
    return ensure_requested(ada, catalogue.course("tiny"), lesson, exercise_of(lesson))


@pytest.fixture
def mark(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Mark:
    monkeypatch.setattr(submitting, "ring_for_marking", lambda _: None)
    attempt = hand_over(box.pk, HandOver(number=2, first_seq=1, last_seq=9, by="student"))
    generation = marking.take_lease(attempt.pk)
    assert generation is not None
    return marking.store_result(attempt, generation, PASSED)


def test_a_live_row_says_who_is_where_and_what_passed_when(box: Sandbox) -> None:
    items = {
        "sandbox/self": {"phase": "open"},
        "attempt/now": {"n": 2, "state": "running", "started": 900.0},
        "check/up": check("pass", 950.0),
        "check/foresaw": check("your-turn", 0.0),
    }
    row = row_for(box, items, None, now=NOW)
    assert (row["name"], row["lesson_title"], row["phase"], row["attempt"]) == (
        "Ada",
        "Start one Pod",
        "open",
        2,
    )
    assert row["checks"] == [
        {"id": "up", "say": "The shop is ready", "state": "pass", "at": 950.0},
        {"id": "foresaw", "say": "You foresaw it", "state": "your-turn", "at": None},
    ]
    assert (row["passed"], row["of"], row["stuck"]) == (1, 2, "")
    assert row["href"] == f"/learn/tiny/01-one/?as={box.pk}"


def test_stuck_names_the_check_its_evidence_and_for_how_long(box: Sandbox) -> None:
    items = {
        "attempt/now": {"n": 1, "state": "running", "started": NOW - 200},
        "check/up": check("waiting", NOW - 180, "0 of 3 ready"),
    }
    assert row_for(box, items, None, now=NOW)["stuck"] == "The shop is ready: 0 of 3 ready (for 3 min)"
    items["check/up"]["at"] = NOW - 60
    assert row_for(box, items, None, now=NOW)["stuck"] == ""
    items["attempt/now"]["state"] = "marked"
    assert row_for(box, items, None, now=NOW + 900)["stuck"] == ""


def test_a_row_says_the_step_the_hints_and_the_last_sign_of_life(box: Sandbox) -> None:
    born = box.created.timestamp()
    items = {
        "hint/now": {"t": "hint", "offered": True, "say": "Look again", "n": 1, "most": 3},
        "marker/5": {"t": "marker", "kind": "you", "at": born + 30},
        "marker/9": {"t": "marker", "kind": "event", "at": born + 90},
    }
    row = row_for(box, items, None)
    assert (row["hints"], row["seen"], row["here"], row["step"]) == ("1 of 3", born + 30, False, "")
    row = row_for(box, {}, None, presence=Presence(pages=1, seen=born + 50, step="run-it"))
    assert (row["hints"], row["seen"], row["here"], row["step"]) == ("", born + 50, True, "step 1 of 1")
    assert row_for(box, {}, None, presence=Presence(step="<b>"))["step"] == ""


def test_misconceptions_are_counted_by_person(box: Sandbox, make_user: Any, client_of: Any) -> None:
    said = {"t": "prediction", "value": "none", "right": None}
    items = {
        "prediction/what": said,
        "answer/hops": {"t": "answer", "value": ["run", "api", "plan"], "right": False},
    }
    row = row_for(box, items, None)
    assert row["misconceptions"] == [
        {"of": "what", "id": "nothing-watches"},
        {"of": "hops", "id": "pods-come-first"},
    ]
    other = {**row, "person": row["person"] + 1, "misconceptions": row["misconceptions"][:1]}
    assert count_misconceptions([row, row, other]) == [
        {
            "lesson": "Start one Pod",
            "of": "what",
            "id": "nothing-watches",
            "words": "nothing watches",
            "people": 2,
        },
        {
            "lesson": "Start one Pod",
            "of": "hops",
            "id": "pods-come-first",
            "words": "pods come first",
            "people": 1,
        },
    ]
    for changed in ({"right": True}, {"value": "new"}, {"value": None}):
        assert row_for(box, {"prediction/what": {**said, **changed}}, None)["misconceptions"] == []


def test_misconceptions_stay_with_the_mark(box: Sandbox, mark: Mark) -> None:
    verdict = mark.verdicts.get(check_id="foresaw")
    verdict.evidence = {"facts": {"misconceptions": ["nothing-watches"]}}
    verdict.save()
    (row,) = read_rows("tiny", lambda _: {})
    assert row["misconceptions"] == [{"of": "what", "id": "nothing-watches"}]


def test_the_class_page_says_which_misconceptions_were_shown(
    box: Sandbox, mark: Mark, make_user: Any, client_of: Any
) -> None:
    instructor = client_of(make_user(Role.INSTRUCTOR))
    assert "Misconceptions shown" not in instructor.get("/class/tiny/").content.decode()
    verdict = mark.verdicts.get(check_id="foresaw")
    verdict.evidence = {"facts": {"misconceptions": ["nothing-watches"]}}
    verdict.save()
    text = instructor.get("/class/tiny/").content.decode()
    assert '<span title="Start one Pod, what">nothing watches <b>1</b></span>' in text


def test_attendance_counts_the_owners_pages_and_forgets_the_oldest() -> None:
    changes: list[int] = []
    attendance = Attendance(lambda: changes.append(1), clock=lambda: 7.0)
    attendance.came("a")
    attendance.came("a")
    attendance.left("a")
    attendance.at_step("a", "x" * 500)
    assert attendance.of("a") == Presence(pages=1, seen=7.0, step="x" * 80)
    assert len(changes) == 4
    for number in range(MOST_SANDBOXES):
        attendance.acted(f"s{number}")
    assert attendance.of("a") is None
    assert len(changes) == 4


def test_when_nobody_observes_the_mark_tells_what_passed(box: Sandbox, mark: Mark, make_user: Any) -> None:
    make_user(Role.STUDENT, "Bob")
    make_user(Role.STUDENT, "Stranger", "another")
    rows = read_rows("tiny", lambda _: {})
    assert [(row["name"], row["mark"], row["passed"]) for row in rows] == [("Ada", "2/3", 1), ("Bob", "", 0)]
    assert [each["state"] for each in rows[0]["checks"]] == ["pass", "fail"]


def test_the_page_shows_code_rows_and_export(box: Sandbox, make_user: Any, client_of: Any) -> None:
    answer = client_of(make_user(Role.INSTRUCTOR)).get("/class/tiny/")
    text = answer.content.decode()
    assert answer.context["classroom"].code in text
    assert "Ada" in text
    assert 'href="/class/tiny/marks.csv"' in text
    assert not answer.context["can_invite"]


def test_the_page_names_a_broken_lesson_with_file_and_line(make_user: Any, client_of: Any) -> None:
    text = client_of(make_user(Role.INSTRUCTOR)).get("/class/tiny/").content.decode()
    assert "<b>02-broken</b> does not load." in text
    assert "02-broken/lesson.md:3:" in text


def test_an_empty_class_says_what_to_do(make_user: Any, client_of: Any) -> None:
    answer = client_of(make_user(Role.INSTRUCTOR)).get("/class/tiny/")
    assert answer.context["rows"] == []
    assert "Nobody has joined yet. Give the class the address and the code above" in answer.content.decode()


@pytest.mark.parametrize(
    ("bind", "host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1:8300", "http://127.0.0.1:8300/join/"),
        ("0.0.0.0", "127.0.0.1:8300", "http://192.0.2.7:8300/join/"),
        ("0.0.0.0", "192.0.2.7:8300", "http://192.0.2.7:8300/join/"),
        ("0.0.0.0", "class.example.org", "http://class.example.org/join/"),
    ],
)
def test_the_address_for_the_room_is_one_the_room_can_reach(
    bind: str, host: str, shown: str, settings: Any, make_user: Any, client_of: Any
) -> None:
    settings.BIND = bind
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "192.0.2.7", "class.example.org"]
    answer = client_of(make_user(Role.INSTRUCTOR)).get("/class/tiny/", headers={"host": host})
    assert answer.context["join_url"] == shown
    assert ("Works on this machine only" in answer.content.decode()) is ("127.0.0.1" in shown)


def test_the_owner_makes_a_link_for_an_instructor(make_user: Any, client_of: Any) -> None:
    owner = client_of(make_user(Role.OPERATOR))
    answer = owner.post("/class/tiny/links/", {"name": "Grace", "role": "instructor"})
    assert answer.headers["Cache-Control"] == "no-store"
    url = answer.context["link"]["url"].removeprefix("http://testserver")
    grace = client_of(None)
    grace.get(url)
    assert grace.get("/class/tiny/").status_code == 200
    assert User.objects.get(name="Grace").role_in("tiny") is Role.INSTRUCTOR
    assert client_of(None).get(url).status_code == 403
    for role in ("operator", "student", "", "x"):
        assert owner.post("/class/tiny/links/", {"name": "Eve", "role": role}).status_code == 400
    assert owner.post("/class/tiny/links/", {"name": " ", "role": "author"}).status_code == 400


def read_marks(client: Any) -> list[dict[str, str]]:
    content = client.get("/class/tiny/marks.csv").content
    assert content.startswith(b"\xef\xbb\xbf")  # without it Excel garbles names
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_marks_leave_as_csv(mark: Mark, make_user: Any, client_of: Any) -> None:
    client = client_of(make_user(Role.INSTRUCTOR))
    answer = client.get("/class/tiny/marks.csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="marks.csv"'
    (line,) = read_marks(client)
    assert (line["student"], line["attempt"], line["points"], line["of"], line["state"]) == (
        "Ada",
        "2",
        "2",
        "3",
        "marked",
    )
    assert (line["01-one/up"], line["01-one/foresaw"]) == ("1", "1")
    assert line["verdicts"] == "up pass 1/1; foresaw fail 1/2"
    assert line["rubric_hash"] == mark.rubric_hash


def test_an_attempt_that_is_being_marked_has_its_line(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch, make_user: Any, client_of: Any
) -> None:
    monkeypatch.setattr(submitting, "ring_for_marking", lambda _: None)
    hand_over(box.pk, HandOver(number=1, first_seq=1, last_seq=9, by="student"))
    (line,) = read_marks(client_of(make_user(Role.INSTRUCTOR)))
    assert (line["student_id"], line["state"], line["points"]) == (str(box.person_id), "being marked", "")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "＝1+1"])
def test_a_name_is_never_a_formula(name: str) -> None:
    assert safe(name) == f"'{name}"
    assert safe("Ada") == "Ada"


async def test_changes_are_pushed_to_those_who_watch(box: Sandbox, live: Runtime) -> None:
    work = asyncio.ensure_future(live._work_out_classes())
    try:
        news = live.class_news("tiny")
        number, encoded = await asyncio.wait_for(news.after(-1), 3)
        assert [row["name"] for row in json.loads(encoded)["rows"]] == ["Ada"]
        await sync_to_async(make_bob)()
        live.something_changed()
        _, encoded = await asyncio.wait_for(news.after(number), 5)
        assert [row["name"] for row in json.loads(encoded)["rows"]] == ["Ada", "Bob"]
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    live.leave_class("tiny")
    assert live.classes == {}


def make_bob() -> None:
    from classroom.accounts.people import make_person

    make_person("Bob", Role.STUDENT, "tiny")
