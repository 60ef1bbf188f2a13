"""Fields an expression reads, against the Kubernetes schema (L024): what is not there is never found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lessons.schema import fields_of, item_of, type_of_kind, unknown_field, value_of
from sandbox.record.cel_names import is_macro
from sandbox.record.cel_syntax import Node, read

_POD_LISTS = frozenset({"pods", "readyPods"})
_KEEPS_TYPE = frozenset({"orValue", "or", "value"})
Scope = Mapping[str, str]


def field_problems(text: str, each: str | None) -> Iterator[tuple[int, str]]:
    """(column from 1, sentence) for each unknown field. `each`: the kind `object` and `old` have here.

    The text must have compiled.
    """
    scope: dict[str, str] = {}
    type_ = type_of_kind(each) if each and each.isidentifier() else None
    if type_:
        scope = {"object": type_, "old": type_}
    found: list[tuple[int, str]] = []
    _visit(read(text), scope, found)
    yield from found


def _visit(node: Node, scope: Scope, found: list[tuple[int, str]]) -> str | None:
    """The type of a node if it is known; problems of it and of what is inside are appended."""
    if node.form == "name":
        return scope.get(node.text)
    if node.form == "group":
        return _visit(node.parts[0], scope, found)
    if node.form == "select":
        return _select(node, scope, found)
    if is_macro(node):
        return _macro(node, scope, found)
    types = [_visit(part, scope, found) for part in node.parts]
    if node.form == "index" and types[0]:
        return item_of(types[0]) or value_of(types[0])
    if node.form == "call":
        return _call(node, types)
    return None


def _select(node: Node, scope: Scope, found: list[tuple[int, str]]) -> str | None:
    type_ = _visit(node.parts[0], scope, found)
    if type_ is None:
        return None
    trouble = unknown_field(type_, node.text, type_.removeprefix("V1").removeprefix("V2"))
    if trouble:
        found.append((node.end - len(node.text) + 1, trouble))
    return value_of(type_) or fields_of(type_).get(node.text)


def _macro(node: Node, scope: Scope, found: list[tuple[int, str]]) -> str | None:
    target, variable, *bodies = node.parts
    type_ = _visit(target, scope, found)
    inner = dict(scope)
    inner.pop(variable.text, None)
    item = (item_of(type_) or type_) if type_ else None
    if item and variable.form == "name":
        inner[variable.text] = item
    results = [_visit(body, inner, found) for body in bodies]
    if node.text == "filter":
        return type_
    return f"List[{results[-1]}]" if node.text == "map" and results[-1] else None


def _call(node: Node, types: list[str | None]) -> str | None:
    if node.member:
        return types[0] if node.text in _KEEPS_TYPE else None
    if node.text in _POD_LISTS:
        return f"List[{type_of_kind('Pod')}]"
    kind = node.parts[0].string if node.parts else None
    type_ = type_of_kind(kind) if kind and node.text in ("objects", "one") else None
    if type_ is None:
        return None
    return type_ if node.text == "one" else f"List[{type_}]"
