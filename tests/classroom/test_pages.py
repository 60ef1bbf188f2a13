"""Pages as a reader without JavaScript gets them, and what they may not reveal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles.finders import get_finder
from django.test import Client

from classroom.accounts.models import Role, User
from classroom.courseware import cluster_state
from classroom.courseware.catalogue import Catalogue, catalogue
from classroom.courseware.reading import params_from, seed_for
from classroom.courseware.templatetags import assets

pytestmark = pytest.mark.django_db
LESSON = "/learn/tiny/01-one/"


@pytest.fixture
def ada(make_user: Any) -> User:
    found: User = make_user(Role.STUDENT, "Ada Lovelace")
    return found


def data_of(answer: Any) -> dict[str, Any]:
    text = answer.content.decode()
    start = text.index('id="lesson-data"')
    found: dict[str, Any] = json.loads(text[text.index(">", start) + 1 : text.index("</script>", start)])
    return found


def test_a_lesson_reads_without_an_account_and_without_javascript() -> None:
    answer = Client().get(LESSON)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Run it" in text
    assert "kubectl apply -f shop.yaml" in text
    assert "Get one <code>storefront</code> Pod ready." in text
    assert data_of(answer)["me"] is None
    assert data_of(answer)["sandbox"] is None


def test_the_pages_data_is_the_contracts(ada: User, client_of: Any) -> None:
    data = data_of(client_of(ada).get(LESSON))
    assert set(data) == {
        "course", "lesson", "steps", "exercise", "params", "me", "sandbox", "recording", "cluster", "urls", "csrf",
    }  # fmt: skip
    assert data["course"] == {"slug": "tiny", "title": "A tiny course", "href": "/learn/tiny/"}
    assert (data["lesson"]["slug"], data["lesson"]["minutes"], data["lesson"]["n"]) == ("01-one", 5, 1)
    assert data["steps"] == [{"id": data["steps"][0]["id"], "title": "Run it", "gate": "soft", "needs": []}]
    assert data["me"] == {"name": "Ada Lovelace", "role": "student", "initials": "AL"}
    assert data["recording"] is None
    assert data["cluster"]["state"] == "absent"
    exercise = data["exercise"]
    assert exercise["checks"][0] == {"id": "up", "say": "The shop is ready", "points": 1, "recovers": False}
    (what,), (hops,) = exercise["predictions"], exercise["questions"]
    assert sorted(what["choices"]) == [["new", "A new Pod"], ["none", "Nothing"]]
    assert sorted(hops["choices"]) == [["api", "The request"], ["plan", "The plan"], ["run", "The Pod"]]
    assert [key for key, _ in hops["choices"]] != ["api", "plan", "run"]
    assert {key: what[key] for key in what if key != "choices"} == {
        "id": "what", "ask": "What comes back?", "answer": "choice", "given": [], "points": None, "labels": [],
        "unit": "", "before": "kill",
    }  # fmt: skip
    assert data_of(client_of(ada).get(LESSON))["exercise"]["questions"] == [hops]  # after a reload, too
    assert exercise["faults"] == [
        {
            "id": "kill",
            "kind": "kill-pod",
            "how": None,
            "by": "student",
            "target": "pod:app=storefront",
            "needs": [],
        }
    ]
    assert list(exercise["files"]) == ["shop.yaml"]
    assert exercise["originals"] == {}
    assert data["urls"]["api"] == data["urls"]["start"] == "/api/sandboxes/"
    assert data["urls"]["next"] is None


def test_P33_solutions_hints_and_answers_never_reach_the_page(ada: User, client_of: Any) -> None:
    text = client_of(ada).get(LESSON).content.decode()
    for secret in (
        "secret-solution",
        "secret-hint",
        "This is the secret hint",
        "This is the secret why",
        "nothing-watches",
        "readyPods",
        "observed",
    ):
        assert secret not in text


def test_the_variant_sticks_to_the_person(ada: User, client_of: Any) -> None:
    exercise = catalogue.lesson("tiny", "01-one").exercises["main"]
    mine = params_from(exercise, seed_for(ada, "tiny", "01-one", "main"))
    assert data_of(client_of(ada).get(LESSON))["params"] == mine
    values = {
        params_from(exercise, seed_for(User(pk=n), "tiny", "01-one", "main"))["replicas"] for n in range(30)
    }
    assert values == {3, 4}


def test_a_saved_file_comes_back(ada: User, client_of: Any) -> None:
    client = client_of(ada)
    client.post("/api/sandboxes/", {"course": "tiny", "lesson": "01-one"}, content_type="application/json")
    box = ada.sandboxes.get()
    answer = client.post(
        f"/api/sandboxes/{box.pk}/save",
        {"file": "shop.yaml", "text": "mine: 1\n"},
        content_type="application/json",
    )
    assert answer.json() == {"ok": True, "toolbox": False}
    exercise = data_of(client.get(LESSON))["exercise"]
    assert exercise["files"] == {"shop.yaml": "mine: 1\n"}
    assert "kind: Pod" in exercise["originals"]["shop.yaml"], "what the lesson gave can be had back"


def test_the_course_home_lists_open_and_coming_lessons(ada: User, client_of: Any) -> None:
    answer = client_of(ada).get("/learn/tiny/")
    text = answer.content.decode()
    assert 'href="/learn/tiny/01-one/"' in text
    assert "Later" in text
    assert 'href="/learn/tiny/03-later/"' not in text
    states = [
        (entry["slug"], entry["state"]) for part in answer.context["parts"] for entry in part["entries"]
    ]
    assert states == [("01-one", "open"), ("02-broken", "broken"), ("03-later", "coming")]


@pytest.mark.parametrize("view", ["", "?view=list"])
def test_the_course_home_marks_the_short_way_and_adds_up_its_minutes(
    ada: User, client_of: Any, view: str
) -> None:
    answer = client_of(ada).get(f"/learn/tiny/{view}")
    short = [entry["slug"] for part in answer.context["parts"] for entry in part["entries"] if entry["short"]]
    assert short == ["01-one", "03-later"]
    text = answer.content.decode()
    assert text.count('aria-label="on the short way"') == 2
    assert "a short way through: 2 lessons, about 15 min." in text
    assert ("Ringed: the short way, about 15 min." in text) is (view == "")
    assert ('<circle class="short"' in text) is (view == "")


def test_the_continue_card_names_what_the_browser_needs_to_say_the_step(ada: User, client_of: Any) -> None:
    text = client_of(ada).get("/learn/tiny/").content.decode()
    assert 'data-steps-of="tiny.01-one" data-steps="1" data-n="1"' in text


@pytest.mark.parametrize(
    ("role", "sees"), [(Role.STUDENT, False), (Role.INSTRUCTOR, True), (Role.AUTHOR, True)]
)
def test_a_broken_lesson_shows_the_linters_words_to_those_who_can_mend_it(
    role: Role, sees: bool, make_user: Any, client_of: Any
) -> None:
    client = client_of(make_user(role))
    for address in ("/learn/tiny/", "/learn/tiny/02-broken/"):
        text = client.get(address).content.decode()
        assert ("02-broken/lesson.md:3" in text) is sees, address
        assert ("did you mean" in text) is sees
    assert client.get("/learn/tiny/02-broken/").status_code == 503
    assert client.get(LESSON).status_code == 200


@pytest.mark.parametrize(
    "address", ["/learn/none/", "/learn/tiny/none/", "/learn/none/none/", "/nothing", "/api/nothing"]
)
def test_what_is_not_there_is_said_in_the_right_form(address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 404
    if address.startswith("/api/"):
        assert answer.json()["error"]["code"] == "not-found"
    else:
        assert "Not found" in answer.content.decode()


def test_the_catalogue_sees_edits_and_keeps_the_course_when_it_breaks(
    tmp_path: Path, lessons_folder: Path
) -> None:
    import shutil

    shutil.copytree(lessons_folder / "tiny", tmp_path / "tiny")
    own = Catalogue(tmp_path)
    assert own.lesson("tiny", "01-one").title == "Start one Pod"
    lesson = tmp_path / "tiny" / "01-one" / "lesson.md"
    lesson.write_text(lesson.read_text().replace("Start one Pod", "Start a Pod"))
    own._looked = -10.0
    assert own.lesson("tiny", "01-one").title == "Start a Pod"
    (tmp_path / "tiny" / "course.yaml").write_text("format: 1\n")
    own._looked = -10.0
    assert own.courses() == {}
    assert own.troubles()["tiny"]
    assert own.default_course() == "tiny"


def test_P43_headers_allow_no_inline_script_and_no_other_host() -> None:
    answer = Client().get(LESSON)
    policy = {
        part.split()[0]: part.split()[1:] for part in answer.headers["Content-Security-Policy"].split("; ")
    }
    assert (
        policy["default-src"]
        == policy["object-src"]
        == policy["base-uri"]
        == policy["frame-ancestors"]
        == ["'none'"]
    )
    assert policy["connect-src"] == policy["font-src"] == ["'self'"]
    assert policy["script-src"][0] == "'self'"
    assert all(source == "'self'" or source.startswith("'nonce-") for source in policy["script-src"])
    assert "'unsafe-inline'" not in policy["style-src-elem"]
    assert policy["style-src-attr"] == ["'unsafe-inline'"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_cookies_are_closed_to_scripts_and_other_sites(ada: User) -> None:
    from classroom.accounts.links import make_signin_link

    client = Client()
    client.get(f"/signin/{make_signin_link(ada)}/")
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] in ("Lax", "Strict")


def test_health_and_readiness(lessons_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Client().get("/healthz").json() == {"ok": True}
    assert Client().get("/readyz").json() == {"ok": True, "problems": []}
    monkeypatch.setattr("classroom.health.catalogue", Catalogue(tmp_path))
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["no course loads"])


@pytest.mark.parametrize("text", ["", "[]", "{", '{"state": "perhaps"}', "\x00"])
def test_a_torn_or_foreign_cluster_file_is_absent(text: str, tmp_path: Path) -> None:
    path = tmp_path / "cluster.json"
    path.write_text(text)
    assert cluster_state.read_cluster(path)["state"] == "absent"
    assert cluster_state.read_cluster(tmp_path / "none")["state"] == "absent"


def test_the_supervisors_word_is_passed_on_whole(tmp_path: Path) -> None:
    path = tmp_path / "cluster.json"
    path.write_text(json.dumps({"state": "building", "text": "Compiling", "done": 3, "total": 9, "at": 1.0}))
    assert cluster_state.read_cluster(path) == {
        "state": "building", "text": "Compiling", "done": 3, "total": 9,
        "seconds_left": None, "reason": None, "remedy": None,
    }  # fmt: skip


def test_static_files_that_appear_later_are_served_and_kept_by_browsers(
    settings: Any, tmp_path: Path
) -> None:
    settings.STATICFILES_DIRS = [tmp_path]
    get_finder.cache_clear()
    address = "/static/dist/assets/main-AbCd1234.js"
    assert Client().get(address).status_code == 404
    (tmp_path / "dist" / "assets").mkdir(parents=True)
    (tmp_path / "dist" / "assets" / "main-AbCd1234.js").write_text("export {}")
    answer = Client().get(address)
    assert b"".join(answer) == b"export {}"
    assert "immutable" in answer.headers["Cache-Control"]
    answer.close()
    assert Client().get("/static/dist/../../settings/base.py").status_code == 404
    get_finder.cache_clear()


MANIFEST = {
    "src/main.ts": {
        "file": "assets/main-AbCd1234.js",
        "css": ["assets/main-1.css"],
        "imports": ["_shared.js"],
    },
    "_shared.js": {"file": "assets/shared-2.js", "css": ["assets/shared-2.css"], "imports": ["_deep.js"]},
    "_deep.js": {"file": "assets/deep-3.js", "imports": ["_shared.js"]},
}


def test_the_front_ends_files_are_linked_with_the_nonce(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VITE_MANIFEST = tmp_path / "manifest.json"
    assert '<script type="module"' not in Client().get("/signin/").content.decode()
    settings.VITE_MANIFEST.write_text(json.dumps(MANIFEST))
    answer = Client().get("/signin/")
    text = answer.content.decode()
    nonce = answer.headers["Content-Security-Policy"].split("'nonce-", 1)[1].split("'", 1)[0]
    assert (
        f'<script type="module" nonce="{nonce}" src="/static/dist/assets/main-AbCd1234.js"></script>' in text
    )
    assert text.index("shared-2.css") < text.index("main-1.css")
    assert assets.imports_of(MANIFEST) == ["assets/shared-2.js", "assets/deep-3.js"]


def test_the_course_home_draws_the_voyage_and_lists_it_alone_when_asked(ada: User, client_of: Any) -> None:
    client = client_of(ada)
    charted = client.get("/learn/tiny/")
    assert charted.context["chart"].ship.entry["slug"] == "01-one"
    assert 'aria-label="Lesson 1: ' in charted.content.decode()
    assert "not begun" in charted.content.decode()
    listed = client.get("/learn/tiny/?view=list").content.decode()
    assert '<svg class="chart"' not in listed
    assert "Show the chart" in listed
    client.post("/api/sandboxes/", {"course": "tiny", "lesson": "01-one"}, content_type="application/json")
    (entry, *_) = client.get("/learn/tiny/").context["parts"][0]["entries"]
    assert (entry["done"], entry["progress"]) == (False, "begun")
