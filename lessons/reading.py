"""Reading a YAML map strictly: every key asked for is known, every other key is a problem with a suggestion.

A `Section` never raises; it notes problems and hands out defaults, so that an author sees all mistakes of a
file at once. `finish()` must be called when all keys have been asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from lessons.durations import parse_duration
from lessons.problems import Problem, did_you_mean, with_suggestion
from lessons.yaml_source import Mark, Path, YamlSource

T = TypeVar("T")
# How the small languages look, by the function that reads them.
_LANGUAGES: dict[str, dict[str, Any]] = {
    "parse_duration": {"type": "string", "pattern": r"^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+$"},
    "parse_memory": {"type": ["string", "number"], "pattern": r"^[0-9]+(?:\.[0-9]+)?(?:Ki|Mi|Gi|k|M|G)?$"},
    "parse_cpu": {"type": ["string", "number"], "pattern": r"^[0-9]+(?:\.[0-9]+)?m?$"},
    "parse_rate": {"type": "string", "pattern": r"^[0-9]+(?:\.[0-9]+)?/s$"},
}
_ID = re.compile(r"[a-z][a-z0-9-]*\Z")
_NAMES = {
    dict: "a map",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


def is_id(text: str) -> bool:
    return bool(_ID.match(text))


def shown(value: Any) -> str:
    """A value as an author would recognise it, short."""
    if isinstance(value, dict | list):
        return _NAMES[type(value)]
    text = {None: "nothing", True: "true", False: "false"}.get(value) if not isinstance(value, str) else None
    text = text if text is not None else f'"{value}"'
    return text if len(text) <= 60 else f'{text[:57]}…"'


class Section:
    """A map at `path` of a source. Problems are appended to `problems`."""

    def __init__(self, source: YamlSource, path: Path, problems: list[Problem]) -> None:
        self.source, self.path, self.problems = source, path, problems
        self._asked: set[str] = set()
        value = source.at(path)
        if not isinstance(value, dict):
            if not (value is None and path == ()):
                self.note("L004", f"expected a map, found {shown(value)}")
            value = {}
        self.values: dict[str, Any] = value

    # --- places and problems -------------------------------------------------------------------------
    def mark(self, key: str | None = None) -> Mark:
        return self.source.mark(self.path if key is None else (*self.path, key))

    def note(
        self, code: str, message: str, *, key: str | None = None, help_: str = "", at_key: bool = False
    ) -> None:
        """Append a problem at this section or at one of its keys."""
        mark = self.source.key_mark((*self.path, key)) if at_key and key is not None else self.mark(key)
        self.problems.append(Problem(self.source.file, mark.line, mark.column, code, message, help_))

    def finish(self) -> None:
        """Every key nobody asked for is unknown (L003)."""
        if self.source.outline is not None:
            self.source.outline.closed.add(self.path)
        for key in self.values:
            if key not in self._asked:
                message = with_suggestion(f'unknown key "{key}"', key, self._asked)
                near = did_you_mean(key, self._asked)
                help_ = "" if near else f"known here: {', '.join(sorted(self._asked))}"
                self.note("L003", message, key=key, help_=help_, at_key=True)

    def _tell(self, key: str, **kind: Any) -> None:
        """For the schema: a value of this kind is read here."""
        if self.source.outline is not None:
            self.source.outline.tell(self.path, key, kind)

    # --- values --------------------------------------------------------------------------------------
    def raw(self, key: str) -> Any:
        """Whatever stands there, None if nothing does."""
        self._tell(key)
        return self._value(key)

    def _value(self, key: str) -> Any:
        self._asked.add(key)
        return self.values.get(key)

    def has(self, key: str) -> bool:
        if self.source.outline is not None:
            self.source.outline.look_for(self.path, key)
        return self._value(key) is not None

    def require(self, key: str, code: str = "L004") -> bool:
        if self.source.outline is not None:
            self.source.outline.required.add((*self.path, key))
        if self.has(key):
            return True
        self.note(code, f'"{key}" is missing', help_=f"add {key}: here")
        return False

    def _typed(self, key: str, kind: type[T], default: T) -> T:
        value = self._value(key)
        if value is None:
            return default
        if isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool):
            return value
        self.note("L004", f"{key}: expected {_NAMES[kind]}, found {shown(value)}", key=key)
        return default

    def text(self, key: str, default: str = "") -> str:
        """Text; a number written without quotes counts as its text."""
        self._tell(key, type=["string", "number"])
        return self._text(key, default)

    def _text(self, key: str, default: str) -> str:
        value = self._value(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        return self._typed(key, str, default)

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if self.has(key) else None

    def required_text(self, key: str) -> str:
        return self.text(key).strip() if self.require(key) else ""

    def whole(self, key: str, default: int) -> int:
        self._tell(key, type="integer", minimum=0)
        value = self._typed(key, int, default)
        if value < 0:
            self.note("L004", f"{key}: expected 0 or more, found {value}", key=key)
            return default
        return value

    def number(self, key: str) -> float | None:
        self._tell(key, type="number")
        value = self._value(key)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        self.note("L004", f"{key}: expected a number, found {shown(value)}", key=key)
        return None

    def flag(self, key: str) -> bool:
        self._tell(key, type="boolean")
        return self._typed(key, bool, False)

    def choice(self, key: str, known: Collection[str], default: str) -> str:
        self._tell(key, enum=list(known))
        value = self._text(key, default)
        if value in known:
            return value
        message = with_suggestion(f"{key}: {shown(value)} is not one of {', '.join(known)}", value, known)
        self.note("L004", message, key=key)
        return default

    def parsed(self, key: str, parse: Callable[[str], T], default: T) -> T:
        """A value in one of the small languages of `durations`; `parse` raises ValueError with a sentence."""
        self._tell(key, **_LANGUAGES.get(getattr(parse, "__name__", ""), {"type": ["string", "number"]}))
        if not self.has(key):
            return default
        value = self._value(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            self.note("L004", f"{key}: expected text, found {shown(value)}", key=key)
            return default
        try:
            return parse(value)
        except ValueError as error:
            self.note("L004", f"{key}: {error}", key=key)
            return default

    def seconds(self, key: str, default: float) -> float:
        return self.parsed(key, parse_duration, default)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; one text alone counts as a list of one."""
        self._tell(key, type="array", items={"type": ["string", "number"]})
        self._tell(key, type="string")
        value = self._value(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list):
            self.note("L004", f"{key}: expected a list, found {shown(value)}", key=key)
            return ()
        found: list[str] = []
        for index, item in enumerate(value):
            if isinstance(item, str | int | float) and not isinstance(item, bool):
                found.append(str(item))
            else:
                self._note_at((*self.path, key, index), f"{key}: expected text, found {shown(item)}")
        return tuple(found)

    def _note_at(self, path: Path, message: str) -> None:
        mark = self.source.mark(path)
        self.problems.append(Problem(self.source.file, mark.line, mark.column, "L004", message))

    # --- sections within -----------------------------------------------------------------------------
    def section(self, key: str) -> Section | None:
        self._tell(key, type="object")
        return self._section(key)

    def _section(self, key: str) -> Section | None:
        return Section(self.source, (*self.path, key), self.problems) if self.has(key) else None

    def sections(self, key: str) -> list[Section]:
        """The maps of a list."""
        self._tell(key, type="array")
        value = self._value(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.note("L004", f"{key}: expected a list, found {shown(value)}", key=key)
            return []
        return [Section(self.source, (*self.path, key, index), self.problems) for index in range(len(value))]

    def named_sections(self, key: str) -> list[tuple[str, Section]]:
        """The maps of a map, by name."""
        self._tell(key, type="object", named=True)
        inner = self._section(key)
        if inner is None:
            return []
        return [(name, Section(self.source, (*inner.path, name), self.problems)) for name in inner.values]
