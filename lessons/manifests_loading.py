"""Kubernetes objects of a lesson: start, solution, right and wrong ways; and variant values put into them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from lessons.models import Objects
from lessons.problems import LessonInvalid, Problem
from lessons.reading import shown
from lessons.text_files import read_text
from lessons.yaml_source import YamlSource, read_documents

T = TypeVar("T")
PLACE = re.compile(r"\$\{\s*((?:params|sandbox)\.[a-z][a-z0-9_-]*)\s*\}")
ANY_PLACE = re.compile(r"\$\{([^}]*)\}")


def read_manifests(path: Path, shown_as: str, problems: list[Problem]) -> list[YamlSource]:
    """The documents of a file, each with apiVersion, kind and metadata.name; others are problems."""
    try:
        sources = read_documents(read_text(path, shown_as), shown_as)
    except LessonInvalid as invalid:
        problems.extend(invalid.problems)
        return []
    if not sources:
        problems.append(Problem(shown_as, 1, 1, "L004", "no Kubernetes object in this file"))
    return [source for source in sources if _is_object(source, problems)]


def _is_object(source: YamlSource, problems: list[Problem]) -> bool:
    trouble = object_error(source.value)
    if trouble:
        path, text = trouble
        mark = source.mark(path)
        help_ = (
            "take it out"
            if path[-1:] == ("namespace",)
            else "write what every object has: apiVersion, kind, metadata.name"
        )
        problems.append(Problem(source.file, mark.line, mark.column, "L004", text, help_))
    return not trouble


def object_error(value: Any) -> tuple[tuple[str, ...], str] | None:
    """Where and why this is not a Kubernetes object a lesson may apply; None if it is."""
    if not isinstance(value, dict):
        return (), f"expected a Kubernetes object, found {shown(value)}"
    for key in ("apiVersion", "kind"):
        if not isinstance(value.get(key), str):
            return (), f'not a Kubernetes object: "{key}" is missing'
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        return (), f'{value["kind"]}: "metadata.name" is missing'
    if "namespace" in metadata:
        return ("metadata", "namespace"), "leave the namespace out: every student has one of their own"
    return None


def objects_of(sources: list[YamlSource]) -> Objects:
    return tuple(source.value for source in sources)


def substitute(value: T, params: Mapping[str, Any], *, namespace: str = "") -> T:
    """`${params.x}` and `${sandbox.namespace}` replaced, at any depth of maps and lists, in values only.

    A scalar that is nothing but one place keeps the value's own type (a number stays a number); inside a
    longer string it becomes text. Raises KeyError with the name of an unknown one.
    """
    known = {**{f"params.{name}": given for name, given in params.items()}, "sandbox.namespace": namespace}
    return _substituted(value, known)  # type: ignore[no-any-return]


def _substituted(value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _substituted(item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_substituted(item, known) for item in value)
    if not isinstance(value, str) or "${" not in value:
        return value
    whole = PLACE.fullmatch(value)
    if whole:
        return known[whole[1]]
    return PLACE.sub(lambda match: str(known[match[1]]), value)
