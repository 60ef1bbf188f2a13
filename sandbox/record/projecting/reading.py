"""Safe reading of objects: a student's object may lack any field, the picture must not break for it."""

from __future__ import annotations

from typing import Any

from sandbox.record.projecting.quantities import read_quantity, read_time

Object = dict[str, Any]
_EMPTY: Object = {}


def part(object_: Object, *path: str) -> Object:
    """The map at `path`, or an empty one."""
    for key in path:
        found = object_.get(key)
        if not isinstance(found, dict):
            return _EMPTY
        object_ = found
    return object_


def parts(object_: Object, *path: str) -> list[Object]:
    """The list of maps at `path`, or an empty one."""
    found = part(object_, *path[:-1]).get(path[-1])
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def number(value: Any, default: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def quantity(value: Any) -> float:
    """0.0 for what is no quantity."""
    try:
        return read_quantity(str(value)) if value is not None else 0.0
    except ValueError:
        return 0.0


def moment(value: Any) -> float | None:
    try:
        return read_time(value) if isinstance(value, str) else None
    except ValueError:
        return None


def uid(object_: Object) -> str:
    return str(part(object_, "metadata").get("uid", ""))


def name(object_: Object) -> str:
    return str(part(object_, "metadata").get("name", ""))


def controller(object_: Object) -> Object:
    """The owner reference that controls the object, or an empty map."""
    for reference in parts(object_, "metadata", "ownerReferences"):
        if reference.get("controller") is True:
            return reference
    return _EMPTY


def condition(object_: Object, kind: str) -> str:
    """Status of a condition: "True", "False" or "Unknown" (also when it is absent)."""
    for each in parts(object_, "status", "conditions"):
        if each.get("type") == kind:
            return str(each.get("status", "Unknown"))
    return "Unknown"
