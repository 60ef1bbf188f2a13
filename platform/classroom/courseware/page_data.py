"""The JSON that a lesson page hands to its islands; its type in the browser is frontend/src/lib/page.ts.

Nothing here may reveal what a student has to find out: no predicates, hints, observed answers or solutions.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from classroom.accounts.models import Role, User
from sandbox.record.exercise import Exercise, Prediction


def page_data(
    *,
    course: Any,
    lesson: Any,
    number: int,
    steps: list[Any],
    exercise: Exercise | None,
    params: dict[str, Any],
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
        "exercise": _exercise(exercise, params, files, originals) if exercise else None,
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
    exercise: Exercise, params: dict[str, Any], files: dict[str, str], originals: dict[str, str]
) -> dict[str, Any]:
    """With the student's own values filled into every sentence. `originals`: only of files that were saved since."""
    from lessons.manifests_loading import substitute

    said = {
        "id": exercise.id,
        "title": exercise.title,
        "task": exercise.task,
        "time": exercise.time,
        "checks": [{"id": c.id, "say": c.say, "points": c.points} for c in exercise.checks],
        "predictions": [_prediction(p) for p in exercise.predictions],
        "faults": [
            {"id": f.id, "kind": f.kind, "by": f.by, "target": f.target, "needs": list(f.needs)}
            for f in exercise.faults
        ],
    }
    changed = {name: text for name, text in originals.items() if files.get(name) != text}
    return {**substitute(said, params), "files": files, "originals": changed}


def _prediction(prediction: Prediction) -> dict[str, Any]:
    """What is asked, never what is right."""
    return {
        "id": prediction.id,
        "ask": prediction.ask,
        "answer": prediction.answer,
        "choices": [[key, text] for key, text in prediction.choices.items()],
        "before": prediction.before,
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
