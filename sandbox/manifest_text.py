"""Read a student's YAML: bounded before anything is built, and every field knows its line. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from sandbox.errors import SandboxError

# An alias bomb of 336 bytes becomes 39 MB, and 6 kB of `[` burn 1.3 s (reference security, section 5): so
# events are counted before objects are built.
MOST_BYTES = 256 * 1024
MOST_DEPTH = 20
MOST_DOCUMENTS = 50
MOST_NODES = 20_000

Path: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]  # line and column, both from 1

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's where built in: ten times as fast


class ManifestRefused(SandboxError):
    """The text cannot be applied. `text` is for the student; `line`, `column` are from 1, None if unknown."""

    def __init__(self, line: int | None, column: int | None, text: str) -> None:
        super().__init__(f"Line {line}: {text}" if line is not None else text)
        self.line = line
        self.column = column
        self.text = text


@dataclass(frozen=True, slots=True)
class Manifest:
    """One document. `places` maps each path of keys and indices to where its key (or item) stands."""

    object: dict[str, Any]
    line: int
    places: Mapping[Path, Place] = field(repr=False)

    @property
    def kind(self) -> str:
        return str(self.object["kind"])

    @property
    def api_version(self) -> str:
        return str(self.object["apiVersion"])

    @property
    def name(self) -> str:
        return str(self.object["metadata"]["name"])

    def place_of(self, path: Path) -> Place:
        """Where `path` stands; of what is not there, its nearest ancestor."""
        for length in range(len(path), 0, -1):
            if (found := self.places.get(path[:length])) is not None:
                return found
        return self.line, 1


def parse_manifests(text: str) -> list[Manifest]:
    """The documents of `text` in order, empty ones left out. Raises ManifestRefused with line and column."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise ManifestRefused(
            None, None, f"This is {size // 1024} kB of YAML; at most {MOST_BYTES // 1024} kB."
        )
    try:
        _count(text)
        nodes = list(yaml.compose_all(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text) from error
    except yaml.reader.ReaderError as error:
        raise ManifestRefused(None, None, "There is a character in it that no YAML file may hold.") from error
    manifests = [_manifest(node) for node in nodes if not _is_empty(node)]
    if not manifests:
        raise ManifestRefused(None, None, "There is nothing in it to apply.")
    return manifests


# --- limits -----------------------------------------------------------------------------------------
def _count(text: str) -> None:
    depth = documents = nodes = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > MOST_DOCUMENTS:
                raise _at(event, f"This is document {documents}; at most {MOST_DOCUMENTS} at a time.")
        elif isinstance(event, yaml.AliasEvent):
            raise _at(event, f"Aliases (`*{event.anchor}`) are not used here: write the value out.")
        elif isinstance(event, yaml.NodeEvent):
            nodes += 1
            _check_node(event, nodes)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MOST_DEPTH:
                raise _at(event, f"This is nested more than {MOST_DEPTH} deep.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _check_node(event: Any, nodes: int) -> None:
    if nodes > MOST_NODES:
        raise _at(event, f"This is more than {MOST_NODES} values.")
    if event.anchor is not None:
        raise _at(event, f"Anchors (`&{event.anchor}`) are not used here: leave it out.")
    if event.tag is not None and event.tag != "!":  # "!" is a plain quoted scalar to libyaml
        raise _at(event, f"Tags (`{event.tag}`) are not used here: leave it out.")


def _at(event: Any, text: str) -> ManifestRefused:
    mark = event.start_mark
    return ManifestRefused(mark.line + 1, mark.column + 1, text)


def _syntax(error: yaml.MarkedYAMLError, text: str) -> ManifestRefused:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return ManifestRefused(None, None, "This is not YAML.")
    line = text.splitlines()[mark.line] if mark.line < len(text.splitlines()) else ""
    return ManifestRefused(mark.line + 1, mark.column + 1, _plain(str(error.problem or ""), line))


def _plain(problem: str, line: str) -> str:
    """A beginner's words for the parser's."""
    if "\t" in line and (
        "cannot start any token" in problem or "\t" in line[: len(line) - len(line.lstrip())]
    ):
        return "There is a tab in front: YAML indents with spaces only."
    if "mapping values are not allowed" in problem:
        return "A `:` cannot stand here. Is this line indented like its neighbours, or are quotes missing?"
    if "did not find expected key" in problem or "expected <block end>" in problem:
        return "This line is not in line with its neighbours: check the spaces in front of it."
    if "could not find expected ':'" in problem:
        return "A `:` is missing after the key."
    if "unexpected end of stream" in problem or "found unexpected end" in problem:
        return "Something that was opened (a quote or a bracket) is never closed."
    if "expected ',' or" in problem:
        return "A `,` or a closing bracket is missing."
    return f"This is not YAML: {problem}." if problem else "This is not YAML."


# --- building ---------------------------------------------------------------------------------------
def _is_empty(node: Any) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _manifest(node: Any) -> Manifest:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        raise ManifestRefused(line, 1, "A manifest begins with keys like `apiVersion:` and `kind:`.")
    places: dict[Path, Place] = {}
    built = _build(node, (), places)
    manifest = Manifest(built, line, places)
    _check_head(manifest)
    return manifest


def _check_head(manifest: Manifest) -> None:
    for key, example in (("apiVersion", "apps/v1"), ("kind", "Deployment")):
        value = manifest.object.get(key)
        if not isinstance(value, str) or not value:
            line, column = manifest.place_of((key,))
            raise ManifestRefused(line, column, f"`{key}` is missing, as in `{key}: {example}`.")
    if manifest.kind.endswith("List") and "items" in manifest.object:
        line, column = manifest.place_of(("kind",))
        raise ManifestRefused(line, column, "Write the objects of a list one after the other, `---` between.")
    metadata = manifest.object.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not name:
        line, column = manifest.place_of(("metadata", "name"))
        raise ManifestRefused(line, column, "`metadata.name` is missing: every object needs a name.")


def _build(node: Any, path: Path, places: dict[Path, Place]) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {key: _build(value, (*path, key), places) for key, value in _pairs(node, path, places)}
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            places[(*path, index)] = _place(item)
        return [_build(item, (*path, index), places) for index, item in enumerate(node.value)]
    return _scalar(node)


def _pairs(node: Any, path: Path, places: dict[Path, Place]) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for key_node, value in node.value:
        line, column = _place(key_node)
        if not isinstance(key_node, yaml.ScalarNode):
            raise ManifestRefused(line, column, "A key must be a plain word.")
        key = str(key_node.value)
        if key_node.tag == "tag:yaml.org,2002:merge":
            raise ManifestRefused(line, column, "`<<` is not used here: write the values out.")
        if key in seen:
            raise ManifestRefused(line, column, f"`{key}` stands here twice: only one of them can count.")
        seen.add(key)
        places[(*path, key)] = (line, column)
        yield key, value


def _place(node: Any) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _scalar(node: Any) -> Any:
    """As kubectl reads it: YAML 1.1 without dates and base-60 numbers, which JSON has not."""
    text: str = node.value
    kind = node.tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on", "y")
    if kind == "int" and ":" not in text:
        return _integer(text, node)
    if kind == "float" and ":" not in text:
        return _decimal(text, node)
    return text


def _integer(text: str, node: Any) -> int:
    plain = text.replace("_", "").lower()
    sign = -1 if plain.startswith("-") else 1
    digits = plain.lstrip("+-")
    try:
        if digits.startswith(("0x", "0b", "0o")):
            return sign * int(digits, 0)
        if digits.startswith("0") and digits != "0":
            return sign * int(digits, 8)  # file modes like 0644
        return sign * int(digits)
    except ValueError as error:
        line, column = _place(node)
        raise ManifestRefused(line, column, f"`{text}` is no number.") from error


def _decimal(text: str, node: Any) -> float:
    line, column = _place(node)
    try:
        number = float(text.replace("_", ""))
    except ValueError as error:
        raise ManifestRefused(line, column, f"`{text}` is no number the cluster can read.") from error
    if not math.isfinite(number):
        raise ManifestRefused(line, column, f"`{text}` is no number the cluster can read.")
    return number
