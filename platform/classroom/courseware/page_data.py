"""The JSON that a lesson page hands to its islands; its type in the browser is frontend/src/lib/page.ts.

Nothing here may reveal what a student has to find out: no predicates, hints, observed answers or solutions.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from classroom.accounts.models import Role, User
from sandbox.record.exercise import Exercise, Fault, Load, Prediction


def page_data(
    *,
    course: Any,
    lesson: Any,
    number: int,
    steps: list[Any],
    exercise: Exercise | None,
    params: dict[str, Any],
    seed: str,
    files: dict[str, str],
    originals: dict[str, str],
    person: User | None,
    role: Role | None,
    sandbox: Any | None,
    read_only: bool,
    recording: str | None,
    cluster: dict[str, Any],
    next_href: str | None,
    csrf: str,
) -> dict[str, Any]:
    """`docs/architecture.md`, "Directives in the page". `sandbox` is the row or None."""
    return {
        "course": {"slug": course.slug, "title": course.title, "href": reverse("course", args=[course.slug])},
        "lesson": {
            "slug": lesson.slug,
            "title": lesson.title,
            "minutes": lesson.minutes,
            "hash": lesson.content_hash,
            "n": number,
        },
        "steps": [_step(step) for step in steps],
        "exercise": _exercise(exercise, params, files, originals, bytes.fromhex(seed)) if exercise else None,
        "params": params,
        "me": _me(person, role),
        "sandbox": _sandbox(sandbox, read_only=read_only),
        "recording": recording,
        "cluster": cluster,
        "urls": _urls(course.slug, next_href),
        "csrf": csrf,
    }


def _step(step: Any) -> dict[str, Any]:
    return {"id": step.id, "title": step.title, "gate": step.gate, "needs": list(step.needs or ())}


def _exercise(
    exercise: Exercise, params: dict[str, Any], files: dict[str, str], originals: dict[str, str], seed: bytes
) -> dict[str, Any]:
    """With the student's own values filled into every sentence. `originals`: only of files that were saved since."""
    from lessons.manifests_loading import substitute

    said = {
        "id": exercise.id,
        "title": exercise.title,
        "task": exercise.task,
        "time": exercise.time,
        "checks": [
            {"id": c.id, "say": c.say, "points": c.points, "recovers": c.operator == "recovered"}
            for c in exercise.checks
        ],
        "predictions": [_asked(each, seed) for each in exercise.predictions],
        "questions": [_asked(each, seed) for each in exercise.questions],
        "faults": [_fault(each) for each in exercise.faults],
        "menu": _menu(exercise),
        "loads": [_load(each) for each in exercise.loads],
    }
    changed = {name: text for name, text in originals.items() if files.get(name) != text}
    return {**substitute(said, params), "files": files, "originals": changed}


def _fault(fault: Fault) -> dict[str, Any]:
    """Of what is broken by the clock neither kind nor target: a student is to find it out."""
    told = fault.by != "timeline"
    return {
        "id": fault.id,
        "kind": fault.kind if told else "",
        "how": fault.parameters.get("how") if told else None,
        "by": fault.by,
        "target": fault.target if told else "",
        "needs": list(fault.needs),
    }


def _menu(exercise: Exercise) -> list[dict[str, Any]]:
    from sandbox.faults.menu import menu

    return menu(lesson_kinds=frozenset(each.kind for each in exercise.faults if each.by == "student"))


def _asked(asked: Prediction, seed: bytes) -> dict[str, Any]:
    """What is asked, never what is right: `why` and `misconceptions` stay here, the order tells nothing."""
    from lessons.shown_order import shown_choices

    return {
        "id": asked.id,
        "ask": asked.ask,
        "answer": asked.answer,
        "choices": [list(each) for each in shown_choices(asked, seed)],
        "given": [list(each) for each in asked.given.items()],
        "points": asked.points,
        "labels": list(asked.labels),
        "unit": asked.unit,
        "before": asked.before,
    }


def _load(load: Load) -> dict[str, Any]:
    """`rate` and `rates` requests a second, the first of them the usual one; `for` seconds."""
    return {
        "id": load.id,
        "rate": load.rate,
        "rates": list(load.choices),
        "for": load.lasting,
        "script": load.script,
        "target": load.target,
        "by": load.by,
    }


def _me(person: User | None, role: Role | None) -> dict[str, Any] | None:
    if person is None:
        return None
    return {
        "name": str(person),
        "role": role.value if role else Role.STUDENT.value,
        "initials": person.initials,
    }


def _sandbox(sandbox: Any | None, *, read_only: bool) -> dict[str, Any] | None:
    return sandbox_data(sandbox, read_only=read_only) if sandbox is not None else None


def sandbox_data(sandbox: Any, *, read_only: bool) -> dict[str, Any]:
    """Also the answer to Start. `owner` is the student's name on an instructor's read-only page."""
    return {
        "id": str(sandbox.pk),
        "phase": sandbox.phase,
        "readOnly": read_only,
        "namespace": sandbox.namespace,
        "owner": str(sandbox.person) if read_only else None,
    }


def _urls(course: str, next_href: str | None) -> dict[str, Any]:
    """`api`, `socket` and `terminal` are prefixes: the sandbox's id and a slash are appended."""
    return {
        "start": reverse("api_start"),
        "api": reverse("api_start"),
        "socket": "/ws/sandbox/",
        "terminal": "/ws/terminal/",
        "clusterSocket": "/ws/cluster/",
        "next": next_href,
        "home": reverse("course", args=[course]),
    }
