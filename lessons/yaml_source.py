"""YAML 1.2 core as plain values with a position for each, read within limits.

The limits (bytes, depth, nodes, no anchors, aliases or tags) hold while the parser's events pass by, before
anything is built: seven lines of aliases must not become 39 MB. Scalars are resolved here, by the core
schema, so that `on`, `off`, `yes` and `no` stay strings.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from lessons.problems import LessonInvalid, Problem

MOST_BYTES = 256 * 1024
MOST_DEPTH = 20
MOST_NODES = 20_000
MOST_DOCUMENTS = 100

Path: TypeAlias = tuple[str | int, ...]

_INT = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LONGEST_NUMBER = 40  # Python refuses to convert endless digits; nobody means them


class Mark(NamedTuple):
    """A place in a file, counted from 1."""

    line: int
    column: int


@dataclass
class Outline:
    """What a reader asked a document for: section -> key -> kinds of value, as JSON Schemas (lessons.json_schema).

    `required` and `closed` as the reader said: a key it cannot do without, a section in which it knows every key;
    `looked_for`: keys whose presence it asked for, so that it may go another way.
    """

    asked: dict[Path, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)
    required: set[Path] = field(default_factory=set)
    closed: set[Path] = field(default_factory=set)
    looked_for: set[Path] = field(default_factory=set)

    def look_for(self, path: Path, key: str) -> None:
        self.looked_for.add((*path, key))
        self.asked.setdefault(path, {}).setdefault(key, [])

    def tell(self, path: Path, key: str, kind: dict[str, Any]) -> None:
        kinds = self.asked.setdefault(path, {}).setdefault(key, [])
        if kind not in kinds:
            kinds.append(kind)


@dataclass
class YamlSource:
    """One document: its plain `value`, and where each key and value stands, by path from the root.

    `outline` is there only when somebody wants to know what is asked for.
    """

    file: str
    value: Any = None
    marks: dict[Path, Mark] = field(default_factory=dict)
    key_marks: dict[Path, Mark] = field(default_factory=dict)
    quoted: set[Path] = field(default_factory=set)
    outline: Outline | None = None

    def at(self, path: Path) -> Any:
        """The value at a path. Raises KeyError, IndexError or TypeError where there is none."""
        value = self.value
        for part in path:
            value = value[part]
        return value

    def mark(self, path: Path) -> Mark:
        """Where the value stands; else where its nearest parent does."""
        while path not in self.marks and path:
            path = path[:-1]
        return self.marks.get(path, Mark(1, 1))

    def key_mark(self, path: Path) -> Mark:
        return self.key_marks.get(path) or self.mark(path)


def read_yaml(text: str, file: str, *, first_line: int = 1) -> YamlSource:
    """Exactly one document (an empty text is the value None). Raises LessonInvalid (L006, L007)."""
    documents = read_documents(text, file, first_line=first_line)
    if len(documents) > 1:
        mark = documents[1].mark(())
        raise LessonInvalid(
            [Problem(file, mark.line, mark.column, "L006", "one YAML document is expected here")]
        )
    return documents[0] if documents else YamlSource(file)


def read_documents(text: str, file: str, *, first_line: int = 1) -> list[YamlSource]:
    """All documents, empty ones left out. Raises LessonInvalid (L006, L007)."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        message = f"{size // 1024} KiB: a file holds at most {MOST_BYTES // 1024} KiB"
        raise LessonInvalid([Problem(file, first_line, 1, "L006", message)])
    reader = _Reader(file, first_line - 1)
    try:
        found = reader.read(text)
    except _Refused as refused:
        mark = refused.mark
        raise LessonInvalid(
            [Problem(file, mark.line, mark.column, refused.code, refused.text, refused.help)]
        ) from None
    except MarkedYAMLError as error:
        raise LessonInvalid([_syntax_problem(error, file, first_line - 1)]) from None
    except (YAMLError, ValueError, RecursionError) as error:
        message = f"not YAML: {str(error).splitlines()[0] if str(error) else 'cannot be read'}"
        raise LessonInvalid([Problem(file, first_line, 1, "L006", message)]) from None
    return [source for source in found if source.value is not None]


def _syntax_problem(error: MarkedYAMLError, file: str, offset: int) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1 + offset, mark.column + 1) if mark else (1 + offset, 1)
    text = error.problem or error.context or "cannot be read"
    if "'\\t'" in text:
        return Problem(file, line, column, "L006", "not YAML: a tab stands here", "indent with spaces only")
    return Problem(
        file,
        line,
        column,
        "L006",
        f"not YAML: {text}",
        "look at the indentation and the quotes of this line and the one above",
    )


class _Refused(Exception):
    def __init__(self, mark: Mark, text: str, help_: str = "", code: str = "L006") -> None:
        super().__init__(text)
        self.mark, self.text, self.help, self.code = mark, text, help_, code


class _Reader:
    def __init__(self, file: str, offset: int) -> None:
        self.file, self.offset = file, offset
        self.nodes = 0
        self.source = YamlSource(file)

    def read(self, text: str) -> list[YamlSource]:
        events = YAML(typ="safe", pure=True).parse(text)
        found: list[YamlSource] = []
        for event in events:
            if type(event).__name__ != "DocumentStartEvent":
                continue
            if len(found) >= MOST_DOCUMENTS:
                raise _Refused(self._mark(event), f"more than {MOST_DOCUMENTS} documents")
            self.source = YamlSource(self.file)
            self.source.value = self._node(next(events), events, ())
            found.append(self.source)
        return found

    def _mark(self, event: Any) -> Mark:
        return Mark(event.start_mark.line + 1 + self.offset, event.start_mark.column + 1)

    def _node(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        mark = self._mark(event)
        self._check(event, mark, path)
        self.source.marks[path] = mark
        kind = type(event).__name__
        if kind == "SequenceStartEvent":
            return self._sequence(events, path)
        if kind == "MappingStartEvent":
            return self._mapping(events, path)
        if event.style is not None:
            self.source.quoted.add(path)
            return str(event.value)
        return _resolve(event.value, mark)

    def _check(self, event: Any, mark: Mark, path: Path) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise _Refused(mark, f"more than {MOST_NODES} values in one file")
        if len(path) > MOST_DEPTH:
            raise _Refused(mark, f"nested deeper than {MOST_DEPTH} levels")
        if type(event).__name__ == "AliasEvent" or event.anchor is not None:
            raise _Refused(mark, "anchors and aliases are not allowed", "write the value out again")
        if event.tag is not None and not _is_plain_tag(event):
            raise _Refused(
                mark, f"tags are not allowed: {event.tag}", "put quotes around a value to make it text"
            )

    def _sequence(self, events: Iterator[Any], path: Path) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if type(event).__name__ == "SequenceEndEvent":
                return items
            items.append(self._node(event, events, (*path, len(items))))
        raise _Refused(self.source.mark(path), "the list is never closed")

    def _mapping(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        items: dict[str, Any] = {}
        for event in events:
            if type(event).__name__ == "MappingEndEvent":
                return items
            key = self._key(event, path, items)
            items[key] = self._node(next(events), events, (*path, key))
        raise _Refused(self.source.mark(path), "the map is never closed")

    def _key(self, event: Any, path: Path, items: dict[str, Any]) -> str:
        mark = self._mark(event)
        self._check(event, mark, path)
        if type(event).__name__ != "ScalarEvent":
            raise _Refused(mark, "a key must be plain text", "a value with braces needs quotes")
        key = str(event.value)
        here = (*path, key)
        if key in items:
            earlier = self.source.key_mark(here)
            raise _Refused(mark, f'"{key}" is already a key (line {earlier.line})', code="L007")
        self.source.key_marks[here] = mark
        return key


def _is_plain_tag(event: Any) -> bool:
    """The non-specific tag of a quoted scalar is the parser's own; anything the author wrote is not."""
    return str(event.tag) == "!" and bool(getattr(event, "style", None))


def _resolve(text: str, mark: Mark) -> Any:
    """A plain scalar by the YAML 1.2 core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _LONGEST_NUMBER:
        if _INT.match(text):
            return int(text)
        if _OCTAL.match(text):
            return int(text, 0)
        if _HEX.match(text):
            return int(text, 0)
        if _FLOAT.match(text):
            number = float(text)
            if math.isinf(number):
                raise _Refused(mark, f"{text} is too large a number")
            return number
    if _INFINITE.match(text) or text in (".nan", ".NaN", ".NAN"):
        raise _Refused(mark, f"{text} is not a number a lesson can use")
    return text
