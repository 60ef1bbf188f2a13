"""The schemas for editors say what the loaders say: held against real files and against each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lessons.checks_loading import OPERATORS
from lessons.json_schema import schemas
from lessons.page_loading import split_front_matter
from lessons.yaml_source import read_yaml

COURSE = Path(__file__).resolve().parents[2] / "lessons" / "how-clusters-work"
SCHEMAS = schemas()
_TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
}  # fmt: skip


def problems(value: Any, schema: dict[str, Any], at: str = "") -> list[str]:
    """What a validator of the keywords that we write would say."""
    if "anyOf" in schema:
        found = [problems(value, each, at) for each in schema["anyOf"]]
        return [] if any(not each for each in found) else min(found, key=len)
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(isinstance(value, _TYPES[each]) for each in types):
        return [f"{at}: {value!r} is no {types}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at}: {value!r} is none of {schema['enum']}"]
    found_ = []
    if isinstance(value, dict):
        known = schema.get("properties", {})
        more = schema.get("additionalProperties", True)
        found_ += [f"{at}: {key} is missing" for key in schema.get("required", ()) if key not in value]
        for key, each in value.items():
            if key in known:
                found_ += problems(each, known[key], f"{at}.{key}")
            elif more is False:
                found_.append(f"{at}: {key} is not known")
            elif isinstance(more, dict):
                found_ += problems(each, more, f"{at}.{key}")
    if isinstance(value, list):
        for number, each in enumerate(value):
            found_ += problems(each, schema.get("items", {}), f"{at}[{number}]")
    return found_


def read(path: Path) -> Any:
    text = path.read_text()
    if path.suffix == ".md":
        text = split_front_matter(text)[0] or ""
    return read_yaml(text, path.name).value


FILES = [
    *(("exercise", path) for path in sorted(COURSE.glob("*/exercise.yaml"))),
    *(("lesson", path) for path in sorted(COURSE.glob("*/lesson.md"))),
    ("course", COURSE / "course.yaml"),
    ("apps", COURSE / "apps.yaml"),
]


@pytest.mark.parametrize(
    ("name", "path"), FILES, ids=[f"{path.parent.name}/{path.name}" for _, path in FILES]
)
def test_real_files_fit(name: str, path: Path) -> None:
    assert problems(read(path), SCHEMAS[name]) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"task": None}, "task is missing"),
        ({"checks": [{"id": "a", "say": "b", "point": 1}]}, "point is not known"),
        ({"gate": "firm"}, "none of"),
        ({"checks": "all"}, "is no"),
        ({"probes": {"front": {"http": "a:80", "evry": "1s"}}}, "evry is not known"),
        ({"faults": [{"id": "k", "kind": "kill-pods", "target": "x"}]}, "none of"),
        ({"colour": "red"}, "colour is not known"),
    ],
)
def test_what_the_loader_refuses_does_not_fit(change: dict[str, Any], said: str) -> None:
    document = {**read(COURSE / "14-self-healing/exercise.yaml"), **change}
    document = {key: value for key, value in document.items() if value is not None}
    assert any(said in each for each in problems(document, SCHEMAS["exercise"]))


def test_every_section_is_closed_that_the_loader_closes() -> None:
    """Keys of checks, faults, probes and predictions are all there, and no others."""
    keys = SCHEMAS["exercise"]["properties"]
    assert {"task", "checks", "faults", "probes", "predictions", "hints", "variants"} <= set(keys)
    check = keys["checks"]["items"]
    assert check["additionalProperties"] is False
    assert {"id", "say", "eventually", "within", "needs", "before"} <= set(check["properties"])
    fault = keys["faults"]["items"]
    assert "kill-pod" in fault["properties"]["kind"]["enum"]
    assert {"grace", "for", "settle", "needs"} <= set(fault["properties"])
    probe = keys["probes"]["additionalProperties"]
    assert {"http", "tcp", "every", "timeout", "ok"} <= set(probe["properties"])
    assert [name for name in OPERATORS if not check["properties"][name]] == []
    assert set(check["properties"]["before"]["properties"]) == {"first", "then"}
    assert {"title", "minutes", "outcomes"} <= set(SCHEMAS["lesson"]["required"])
