"""corrupt-config: one value of one object, changed through the API and put back.

Pure but for `send`. The patch tests the value it replaces: what somebody mended meanwhile stays mended.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sandbox.cluster.client import ClusterClient
from sandbox.cluster.kinds import CONFIG_MAP, DAEMON_SET, DEPLOYMENT, SERVICE, STATEFUL_SET, ApiKind
from sandbox.errors import SandboxError
from sandbox.faults.killing import PICTURE
from sandbox.record.exercise import Fault

_KINDS: dict[str, ApiKind] = {
    "ConfigMap": CONFIG_MAP,
    "Deployment": DEPLOYMENT,
    "StatefulSet": STATEFUL_SET,
    "DaemonSet": DAEMON_SET,
    "Service": SERVICE,
}
_STEP = re.compile(r"([A-Za-z0-9_-]+)|\[([0-9]+)\]")
_PARAMETER = re.compile(r"\$\{params\.([a-z][a-z0-9-]*)\}")


class NothingThere(SandboxError):
    """The object has no value at that path; for the person."""


class Corruption(NamedTuple):
    """What is changed. `path` is the object's in the API, `pointer` the value's in the object (RFC 6901)."""

    kind: str
    name: str
    path: str
    pointer: str
    old: Any
    new: Any


def object_of(fault: Fault) -> tuple[str, str]:
    """(kind, name) of a well-formed fault."""
    kind, _, name = str(fault.parameters["object"]).partition("/")
    return kind, name


def corruption_for(
    fault: Fault, obj: Mapping[str, Any], namespace: str, params: Mapping[str, Any], seed: str
) -> Corruption:
    """Of a list of values the seed takes one that differs from what is there. Raises NothingThere."""
    kind, name = object_of(fault)
    steps = _steps(str(fault.parameters["path"]))
    old = _value_at(obj, steps, f"{kind}/{name}")
    said = fault.parameters["value"]
    choices = [_filled(one, params) for one in (said if isinstance(said, list) else [said])]
    fresh = [one for one in choices if one != old]
    if not fresh:
        raise NothingThere(f"{fault.parameters['path']} of {kind}/{name} has that value already")
    digest = hashlib.sha256(f"{seed}\0{fault.id}".encode()).digest()
    new = fresh[int.from_bytes(digest[:8], "big") % len(fresh)]
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
    return Corruption(kind, name, _KINDS[kind].path(namespace, name), pointer, old, new)


def patch(pointer: str, before: Any, after: Any) -> list[dict[str, Any]]:
    """A JSON patch (RFC 6902) that replaces `before` and nothing else."""
    return [
        {"op": "test", "path": pointer, "value": before},
        {"op": "replace", "path": pointer, "value": after},
    ]


async def send(
    client: ClusterClient, path: str, operations: list[dict[str, Any]], token: str | None = None
) -> None:
    """As the owner of `token`, or as the client. Raises Invalid when the value is another by now, NotFound."""
    await client.request(
        "PATCH",
        path,
        body=operations,
        content_type="application/json-patch+json",
        token=token,
        user_agent=PICTURE if token is not None else None,
    )


def _steps(path: str) -> list[str | int]:
    return [found[1] or int(found[2]) for found in _STEP.finditer(path)]


def _value_at(obj: Mapping[str, Any], steps: list[str | int], what: str) -> Any:
    here: Any = obj
    for step in steps:
        known = isinstance(here, list) and isinstance(step, int) and step < len(here)
        if not known and not (isinstance(here, Mapping) and step in here):
            raise NothingThere(f"{what} has nothing at {'.'.join(str(each) for each in steps)}")
        here = here[step]
    return here


def _filled(value: Any, params: Mapping[str, Any]) -> Any:
    """`${params.x}` as the student's own value; a whole one keeps its type."""
    if not isinstance(value, str):
        return value
    whole = _PARAMETER.fullmatch(value)
    if whole and whole[1] in params:
        return params[whole[1]]
    return _PARAMETER.sub(lambda found: str(params.get(found[1], found[0])), value)
