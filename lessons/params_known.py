"""A `${params.x}` that no variant has: it would break the page, or the run, of every student. L020."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from lessons.manifests_loading import PLACE
from lessons.problems import Problem, with_suggestion
from lessons.yaml_source import YamlSource

Path = tuple[str | int, ...]


def check_params(
    source: YamlSource, params: Collection[str], problems: list[Problem], *, leave_out: Collection[str] = ()
) -> None:
    """Append a problem for each unknown name in the file's texts. `leave_out`: top keys checked elsewhere."""
    for path, name in _named(source.value, ()):
        if name in params or (path and path[0] in leave_out):
            continue
        mark = source.mark(path)
        message = with_suggestion(f'${{params.{name}}}: there is no "{name}" under variants:', name, params)
        help_ = "add it under variants: in exercise.yaml, or write the value itself"
        problems.append(Problem(source.file, mark.line, mark.column, "L020", message, help_))


def _named(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _named(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _named(item, (*path, index))
    elif isinstance(value, str):
        for place in PLACE.finditer(value):
            scope, _, name = place[1].partition(".")
            if scope == "params":
                yield path, name
