"""Each action of section 5 of the protocol: check what was sent, let the observer do it, answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from classroom.database import in_database
from classroom.live.runtime import NotObserved, runtime
from classroom.refusals import Refused, no_such
from classroom.workspaces import requesting
from classroom.workspaces.files import save_file
from classroom.workspaces.models import Phase, Sandbox
from classroom.workspaces.rubric import start_objects
from sandbox.errors import ApiError, ClusterUnavailable, SandboxError

Action = Callable[[Sandbox, dict[str, Any]], Awaitable[dict[str, Any]]]
MOST_FILE_BYTES = 256 * 1024
COSTLY = frozenset({"reset", "restart", "end"})


async def predict(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    prediction = _text(body, "id")
    if "value" not in body:
        raise Refused(400, "missing", "There is no answer in the request. Choose one and try again.")
    observer = await _observer(row)
    with _told():
        observer.predict(str(row.pk), prediction, body["value"])
    return {}


async def fault(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    observer = await _observer(row)
    pod = body.get("pod")
    with _told():
        target = await observer.start_fault(
            str(row.pk), _text(body, "id"), pod=pod if isinstance(pod, str) else None
        )
    return {"target": target}


async def delete_pod(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    observer = await _observer(row)
    with _told():
        target = await observer.delete_pod(str(row.pk), _text(body, "pod"))
    return {"target": target}


async def submit(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    observer = await _observer(row)
    with _told():
        observer.submit(str(row.pk))
    return {}


async def hint(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    observer = await _observer(row)
    with _told():
        said = observer.open_hint(str(row.pk))
    return {"say": said}


async def reset(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    observer = await _observer(row)
    with _told():
        await observer.reset(str(row.pk), await in_database(start_objects, row))
    return {}


async def restart(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    """The next attempt. One that is being tested or marked just now is left to finish first."""
    observer = await _observer(row)
    with _told():
        number = await observer.restart(str(row.pk), await in_database(start_objects, row))
    return {"attempt": number}


async def extend(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    later = await in_database(requesting.extend, row.pk)
    if later is None or later.expires is None:
        raise Refused(409, "ended", "This sandbox has ended. Start again whenever you like.")
    await runtime().tell_phase(later, {"expires": _seconds(later.expires), "text": ""})
    return {"expires": _seconds(later.expires)}


async def end(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    await in_database(requesting.end, row.pk)
    runtime().wake()
    return {}


async def save(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    """Keep the file, and lay it into the toolbox's home if there is one already."""
    name, text = _file(row, body)
    await in_database(save_file, row.pk, name, text)
    row.files = {**row.files, name: text}
    if row.phase not in (Phase.READY, Phase.OPEN, Phase.RESETTING):
        return {"toolbox": False}
    with _told():
        await runtime().write_file(row, name, text)
    return {"toolbox": True}


async def apply(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    """Server-side apply with the student's own token; `dry_run` asks the cluster without changing anything."""
    from sandbox.applying import ManifestRefused, parse_manifests

    _, text = _file(row, body)
    await _observer(row)
    try:
        manifests = parse_manifests(text)
        with _told():
            applied = await runtime().apply(row, manifests, dry_run=bool(body.get("dry_run")))
    except ManifestRefused as refused:
        more = {key: getattr(refused, key) for key in ("line", "column") if getattr(refused, key, None)}
        raise Refused(422, "manifest", getattr(refused, "text", None) or str(refused), **more) from refused
    return {"applied": applied}


ACTIONS: dict[str, Action] = {
    "predict": predict,
    "fault": fault,
    "delete-pod": delete_pod,
    "submit": submit,
    "restart": restart,
    "reset": reset,
    "extend": extend,
    "hint": hint,
    "apply": apply,
    "save": save,
    "end": end,
}


class _told:  # noqa: N801 - reads as a phrase: with _told(): ...
    """Turns the sandbox's errors into answers for the person."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or not isinstance(error, SandboxError):
            return
        if _is_manifest(error):
            return
        raise refusal_for(error) from error


def _is_manifest(error: SandboxError) -> bool:
    return type(error).__name__ == "ManifestRefused"


def refusal_for(error: SandboxError) -> Refused:
    """ActRefused is the person's, ApiError the cluster's word, the rest is ours."""
    from sandbox.observing.refusal import ActRefused

    if isinstance(error, ActRefused):
        return Refused(409, error.code, str(error))
    if isinstance(error, ClusterUnavailable):
        return Refused(
            503,
            "cluster-away",
            "The cluster does not answer just now. Nothing is lost; try again in a moment.",
        )
    if isinstance(error, ApiError):
        return Refused(422, "cluster-refused", f"Kubernetes refused: {error.message}")
    return Refused(503, "not-ready", str(error))


async def _observer(row: Sandbox) -> Any:
    try:
        return runtime().observer_of(str(row.pk))
    except NotObserved as reason:
        raise Refused(409, "not-ready", str(reason)) from None


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value or len(value) > 200:
        raise Refused(
            400, "missing", f"The request does not say which {key} is meant. Reload the page and try again."
        )
    return value


def _file(row: Sandbox, body: dict[str, Any]) -> tuple[str, str]:
    name, text = _text(body, "file"), body.get("text")
    if name not in row.rubric.get("files", {}):
        raise no_such("file in this lesson")
    if not isinstance(text, str):
        raise Refused(400, "missing", "There is no text in the request. Reload the page and try again.")
    if len(text.encode()) > MOST_FILE_BYTES:
        raise Refused(413, "too-large", "A file may have at most 256 KiB.")
    return name, text


def _seconds(moment: datetime) -> float:
    return moment.timestamp()
