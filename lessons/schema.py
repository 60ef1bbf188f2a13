"""Fields of Kubernetes objects, offline: from the models of the official client (its version is the cluster's).

Loading them takes over a second, so only the linter does, and only when asked. A type is written as the client
writes it: `V1Pod`, `List[V1Container]`, `Dict[str, str]`, `object` (anything).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from lessons.problems import with_suggestion
from lessons.yaml_source import Path

_LIST = re.compile(r"List\[(.+)\]\Z")
_DICT = re.compile(r"Dict\[str, (.+)\]\Z")
_GROUPS = {"HorizontalPodAutoscaler": "V2HorizontalPodAutoscaler"}
_SCALARS: dict[str, tuple[type, ...]] = {"int": (int,), "bool": (bool,), "float": (int, float), "str": (str,)}
_NAMES = {"int": "a whole number", "bool": "true or false", "float": "a number", "str": "text"}


@cache
def _models() -> Any:
    return importlib.import_module("kubernetes.client.models")


def type_of_kind(kind: str) -> str | None:
    """`V1Pod` for Pod; None for kinds the client does not know, such as platform observations."""
    name = _GROUPS.get(kind, f"V1{kind}")
    model = getattr(_models(), name, None)
    return name if model is not None and "metadata" in model.openapi_types else None


@cache
def fields_of(type_: str) -> Mapping[str, str]:
    """Field -> type of a model; empty for other types."""
    model: Any = getattr(_models(), type_, None) if type_.isidentifier() else None
    types = getattr(model, "openapi_types", None)
    if model is None or not types:
        return {}
    return {model.attribute_map[name]: str(field) for name, field in types.items()}


def item_of(type_: str) -> str | None:
    """The items' type of a list type, else None."""
    match = _LIST.match(type_)
    return match[1] if match else None


def value_of(type_: str) -> str | None:
    """The values' type of a map type, else None."""
    match = _DICT.match(type_)
    return match[1] if match else None


def unknown_field(type_: str, name: str, kind: str) -> str:
    """A sentence when a model has no such field, or an empty string."""
    fields = fields_of(type_)
    if not fields or name in fields:
        return ""
    return with_suggestion(f"{kind} has no {name}", name, fields)


def object_problems(value: Any, type_: str, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """(path, sentence) for every field of a manifest that its kind does not have, or of the wrong type.

    Text with `${…}` may become anything and passes.
    """
    if value is None or (isinstance(value, str) and "${" in value):
        return
    item, inner, fields = item_of(type_), value_of(type_), fields_of(type_)
    shown = ".".join(str(part) for part in path) or "object"
    if item is not None:
        if not isinstance(value, list):
            yield path, f"{shown}: expected a list"
            return
        for index, each in enumerate(value):
            yield from object_problems(each, item, (*path, index))
    elif inner is not None or fields:
        if not isinstance(value, dict):
            yield path, f"{shown}: expected a map"
            return
        for name, each in value.items():
            trouble = unknown_field(type_, name, shown) if inner is None else ""
            if trouble:
                yield (*path, name), trouble
            else:
                yield from object_problems(each, inner or fields[name], (*path, name))
    elif type_ in _SCALARS and not _fits(value, type_):
        yield path, f"{shown}: expected {_NAMES[type_]}"


def _fits(value: Any, type_: str) -> bool:
    if isinstance(value, bool):
        return type_ == "bool"
    return isinstance(value, _SCALARS[type_])
