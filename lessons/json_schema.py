"""JSON Schemas for editors, traced from the code that loads a lesson.

Nothing is described twice: the readers of `course_loading`, `loading` and `exercise_loading` are given documents that
note what is asked of them (`yaml_source.Outline`), first empty, then with what was asked for, with every alternative
that a key names, until nothing new is asked. What they asked is the schema.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lessons.course_loading import read_apps, read_course
from lessons.exercise_loading import Draft, read_exercise
from lessons.loading import read_front
from lessons.models import Budget, Course
from lessons.problems import Problem
from lessons.reading import Section
from lessons.yaml_source import Outline, YamlSource
from lessons.yaml_source import Path as Place

DIALECT = "http://json-schema.org/draft-07/schema#"  # what editors' YAML servers read
ANY_NAME = "any-name"  # stands for the names that an author chooses
WORD = "1s"  # text that every small language can do something with
Reader = Callable[[YamlSource, list[Problem]], object]


def _nowhere() -> Course:
    return Course("", "", ("en",), (), "soft", "live", Budget(), {}, {}, {}, Path("/nonexistent"))


def _read_exercise(source: YamlSource, problems: list[Problem]) -> object:
    return read_exercise(source, "main", Draft(_nowhere(), "", 15, Budget(), ()), problems)


def _read_front(source: YamlSource, problems: list[Problem]) -> object:
    return read_front(Section(source, (), problems), _nowhere())


def _read_course(source: YamlSource, problems: list[Problem]) -> object:
    return read_course(Section(source, (), problems), Path("/nonexistent"))


def _read_apps(source: YamlSource, problems: list[Problem]) -> object:
    return read_apps(Section(source, (), problems))


READERS: dict[str, tuple[str, Reader]] = {
    "exercise": ("exercise.yaml of a Glasshull lesson", _read_exercise),
    "lesson": ("front matter of lesson.md", _read_front),
    "course": ("course.yaml of a Glasshull course", _read_course),
    "apps": ("apps.yaml of a Glasshull course", _read_apps),
}


def schemas() -> dict[str, dict[str, Any]]:
    """Name -> JSON Schema (draft 7), for `exercise`, `lesson`, `course` and `apps`."""
    return {name: schema_of(title, reader) for name, (title, reader) in READERS.items()}


def schema_of(title: str, reader: Reader) -> dict[str, Any]:
    outline = trace(reader)
    return {"$schema": DIALECT, "title": title, **_object(outline, ())}


# --- asking ---------------------------------------------------------------------------------------------------
def trace(reader: Reader) -> Outline:
    """Everything that the reader may ask for."""
    outline = Outline()
    document: dict[str, Any] = {}
    seen = ""
    while True:
        for variant in (document, *_alternatives(outline, document)):
            reader(YamlSource("", copy.deepcopy(variant), outline=outline), [])
        document = _answered(outline)
        shape = json.dumps(document, sort_keys=True)
        if shape == seen:
            return outline
        seen = shape


def _answered(outline: Outline) -> dict[str, Any]:
    """A document in which everything asked for so far stands."""
    document: dict[str, Any] = {}
    for place in sorted(outline.asked, key=len):
        section = _at(document, place)
        if not isinstance(section, dict):
            continue
        for key, kinds in outline.asked[place].items():
            if key not in section:
                section[key] = _sample(kinds)
    return document


def _sample(kinds: list[dict[str, Any]]) -> Any:
    types = [kind.get("type") for kind in kinds]
    if any(kind.get("named") for kind in kinds):
        return {ANY_NAME: {}}
    if "object" in types:
        return {}
    if "array" in types and "string" not in types:
        return [{}]
    return {"integer": 1, "number": 1.0, "boolean": True}.get(str(types[0]) if types else "", WORD)


def _alternatives(outline: Outline, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document as readers may take another way through it.

    Once for every value that a key names, and once for every key whose presence was asked for, without the others
    of its section: of operators, or of probes, only one is read.
    """
    for place, keys in list(outline.asked.items()):
        looked_for = [key for key in keys if (*place, key) in outline.looked_for]
        for key, kinds in list(keys.items()):
            changes = [{key: value} for kind in kinds for value in kind.get("enum", ())]
            if key in looked_for:
                alone: dict[str, Any] = dict.fromkeys(looked_for)
                samples: tuple[Any, ...] = (WORD, {}, [{}])
                changes += [alone | {key: sample} for sample in samples]
            for change in changes:
                changed = copy.deepcopy(document)
                section = _at(changed, place)
                if isinstance(section, dict):
                    section.update(change)
                    yield changed


def _at(document: Any, place: Place) -> Any:
    for part in place:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return None
    return document


# --- writing --------------------------------------------------------------------------------------------------
def _object(outline: Outline, place: Place) -> dict[str, Any]:
    keys = outline.asked.get(place, {})
    properties = {
        key: _value(outline, (*place, key), kinds) for key, kinds in keys.items() if key != ANY_NAME
    }
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required := [key for key in properties if (*place, key) in outline.required]:
        schema["required"] = required
    if place in outline.closed:
        schema["additionalProperties"] = False
    return schema


def _value(outline: Outline, place: Place, kinds: list[dict[str, Any]]) -> dict[str, Any]:
    """One kind, or any of several. A key that is read as it stands (`{}`) may hold anything."""
    if {} in kinds or not kinds:
        return {}
    found = [_filled(outline, place, kind) for kind in kinds]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _filled(outline: Outline, place: Place, kind: dict[str, Any]) -> dict[str, Any]:
    if kind.get("named"):
        return {"type": "object", "additionalProperties": _object(outline, (*place, ANY_NAME))}
    if kind.get("type") == "object":
        return _object(outline, place)
    if kind == {"type": "array"}:
        return {"type": "array", "items": _object(outline, (*place, 0))}
    return dict(kind)
