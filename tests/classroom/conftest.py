"""A tiny course, people of every role, and a runtime without a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from classroom.accounts import limits
from classroom.accounts.models import EVERY_COURSE, Role, User
from classroom.accounts.people import make_person
from classroom.courseware.catalogue import catalogue
from classroom.live.runtime import Runtime, replace_runtime
from classroom.live.storage import SqliteRecordStore

COURSE, LESSON = "tiny", "01-one"

FILES = {
    "course.yaml": """\
format: 1
title: A tiny course
languages: [en]
parts:
  - {title: The only part, lessons: [01-one, 02-broken], coming: [{slug: 03-later, title: Later, minutes: 10}]}
short_way: [01-one, 03-later]
budget: {pods: 6, memory: 300Mi, cpu: 600m}
""",
    "apps.yaml": """\
apps: {storefront: {versions: ["1.0"], port: 8080, memory: 13Mi, does: The shop's front door}}
""",
    "01-one/lesson.md": """\
---
title: Start one Pod
minutes: 5
outcomes: [deploy an app]
apps: [storefront]
---
## Run it
Start the shop with {cmd}`kubectl apply -f shop.yaml`. It needs ${params.replicas} copies.
:::{exercise}
:::
:::{predict} what
:::
:::{checks} all
:::
""",
    "01-one/exercise.yaml": """\
title: One Pod
task: Get one `storefront` Pod ready.
variants: {replicas: {int: [3, 4]}}
faults:
  - {id: kill, kind: kill-pod, target: "pod:app=storefront", by: student, settle: 5s}
predictions:
  - {id: what, ask: What comes back?, answer: choice, choices: {new: A new Pod, none: Nothing}, before: kill,
     settle: 5s, observed: '["new"]', misconceptions: {none: nothing-watches}, why: {none: This is the secret why.}}
questions:
  - {id: hops, ask: In which order?, answer: order, choices: {api: The request, plan: The plan, run: The Pod},
     observed: '[["api", "plan", "run"]]', misconceptions: {run: pods-come-first}}
checks:
  - {id: up, say: The shop is ready, eventually: 'readyPods("app=storefront").size() >= 1', within: 5m}
  - {id: foresaw, say: You foresaw it, predicted: what}
hints:
  - {id: secret-hint, say: This is the secret hint.}
""",
    "01-one/start.yaml": """\
apiVersion: v1
kind: Service
metadata: {name: storefront}
spec: {selector: {app: storefront}, ports: [{port: 80, targetPort: 8080}]}
""",
    "01-one/files/shop.yaml": """\
apiVersion: v1
kind: Pod
metadata: {name: storefront, labels: {app: storefront}}
spec: {containers: [{name: app, image: "app/storefront:1.0"}]}
""",
    "01-one/solution.yaml": """\
apiVersion: v1
kind: Pod
metadata: {name: storefront, labels: {app: storefront, secret-solution: "yes"}}
spec: {containers: [{name: app, image: "app/storefront:1.0"}]}
""",
    "02-broken/lesson.md": "---\ntitle: Broken\nminuts: 5\n---\n## A step\nText.\n",
}


@pytest.fixture(scope="session")
def lessons_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lessons")
    for name, text in FILES.items():
        path = folder / COURSE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(autouse=True)
def tiny_course(lessons_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if catalogue.folder != lessons_folder:
        catalogue.folder = lessons_folder
        catalogue._stamp, catalogue._looked = (0, 0), -10.0


@pytest.fixture(autouse=True)
def no_limits_left_over() -> None:
    for named in vars(limits).values():
        if isinstance(named, limits.Buckets):
            named.clear()


@pytest.fixture(autouse=True)
def live(tmp_path: Path) -> Iterator[Runtime]:
    """The process's runtime, fresh for each test, with a record of its own."""
    made = Runtime(store=SqliteRecordStore(tmp_path / "record.sqlite3"))
    replace_runtime(made)
    yield made
    replace_runtime(None)
    made.store.close()


@pytest.fixture
def make_user(request: pytest.FixtureRequest) -> Callable[..., User]:
    def make(role: Role, name: str | None = None, course: str = COURSE) -> User:
        return make_person(name or role.label, role, EVERY_COURSE if role is Role.OPERATOR else course)

    return make


@pytest.fixture
def people(make_user: Callable[..., User], request: pytest.FixtureRequest) -> dict[str, User]:
    """One person per role. Needs the database."""
    return {role.value: make_user(role) for role in Role}


@pytest.fixture
def client_of() -> Callable[[Any], Client]:
    """A signed-in test client; None = anonymous."""

    def make(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return make
