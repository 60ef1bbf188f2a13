"""Each action of section 5 of the protocol: check what was sent, let the observer do it, answer."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async

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
    asked, value = _said(body)
    observer = await _observer(row)
    with _told():
        observer.predict(str(row.pk), asked, value)
    return {}


async def answer(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    asked, value = _said(body)
    observer = await _observer(row)
    with _told():
        observer.answer(str(row.pk), asked, value)
    return {}


async def fault(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    observer = await _observer(row)
    pod = body.get("pod")
    with _told():
        target = await observer.start_fault(
            str(row.pk), _text(body, "id"), pod=pod if isinstance(pod, str) else None
        )
    return {"target": target}


async def load(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    """Send customers at one of the offered rates, or with `stop` no more of them."""
    wanted, rate = _text(body, "id"), body.get("rate")
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float)):
        raise Refused(400, "missing", "The rate is no number. Choose one of those offered and try again.")
    observer = await _observer(row)
    with _told():
        if body.get("stop"):
            await observer.stop_load(str(row.pk), wanted)
            return {}
        return {"until": await observer.start_load(str(row.pk), wanted, rate=rate)}


async def break_something(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    """From the picture's menu; what may be broken is the observer's to say."""
    observer = await _observer(row)
    how, pod, ms = body.get("how"), body.get("pod"), body.get("ms")
    with _told():
        target = await observer.break_something(
            str(row.pk),
            _text(body, "kind"),
            how=how if isinstance(how, str) else None,
            pod=pod if isinstance(pod, str) else None,
            ms=ms if isinstance(ms, int) and not isinstance(ms, bool) else None,
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
        await observer.reset(str(row.pk), await sync_to_async(start_objects)(row))
    return {}


async def restart(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    """The next attempt. One that is being tested or marked just now is left to finish first."""
    observer = await _observer(row)
    with _told():
        number = await observer.restart(str(row.pk), await sync_to_async(start_objects)(row))
    return {"attempt": number}


async def extend(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    later = await sync_to_async(requesting.extend)(row.pk)
    if later is None or later.expires is None:
        raise Refused(409, "ended", "This sandbox has ended. Start again whenever you like.")
    await runtime().tell_phase(later, {"expires": _seconds(later.expires), "text": ""})
    return {"expires": _seconds(later.expires)}


async def end(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    await sync_to_async(requesting.end)(row.pk)
    runtime().wake()
    return {}


async def save(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    """Keep the file, and lay it into the toolbox's home if there is one already."""
    name, text = _file(row, body)
    await sync_to_async(save_file)(row.pk, name, text)
    row.files = {**row.files, name: text}
    if row.phase not in (Phase.READY, Phase.OPEN, Phase.RESETTING):
        return {"toolbox": False}
    with _told():
        await runtime().write_file(row, name, text)
    return {"toolbox": True}


async def apply(row: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    """Server-side apply with the student's own token; `dry_run` asks the cluster without changing anything."""
    from sandbox.applying import parse_manifests

    _, text = _file(row, body)
    await _observer(row)
    with _told():
        manifests = parse_manifests(text)
        applied = await runtime().apply(row, manifests, dry_run=bool(body.get("dry_run")))
    return {"applied": applied}


ACTIONS: dict[str, Action] = {
    "predict": predict,
    "answer": answer,
    "fault": fault,
    "break": break_something,
    "load": load,
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


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turns the sandbox's errors into answers for the person."""
    try:
        yield
    except SandboxError as error:
        raise refusal_for(error) from error


def refusal_for(error: SandboxError) -> Refused:
    """ActRefused and ManifestRefused are the person's, ApiError the cluster's word, the rest is ours."""
    from sandbox.manifest_text import ManifestRefused
    from sandbox.observing.refusal import ActRefused

    if isinstance(error, ManifestRefused):
        place = {"line": error.line, "column": error.column}
        return Refused(
            422, "manifest", error.text, **{key: at for key, at in place.items() if at is not None}
        )
    if isinstance(error, ActRefused):
        return Refused(409, error.code, str(error))
    if isinstance(error, ClusterUnavailable):
        text = "The cluster does not answer just now. Nothing is lost; try again in a moment."
        return Refused(503, "cluster-away", text)
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


def _said(body: dict[str, Any]) -> tuple[str, Any]:
    """What is answered, and the answer."""
    if "value" not in body:
        raise Refused(400, "missing", "There is no answer in the request. Choose one and try again.")
    return _text(body, "id"), body["value"]


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
