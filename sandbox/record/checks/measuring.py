"""A number behind a predicate, for one line of evidence: `2 of 3 ready`."""

from __future__ import annotations

from typing import NamedTuple

from sandbox.record.cel import CelError, Names, Predicate, View, compile_predicate
from sandbox.record.cel_syntax import Node, read

_COMPARED = frozenset({"==", ">=", ">", "<", "<=", "!="})
_AIMED_AT = frozenset({"==", ">="})
_LABELS = {
    "readyPods": "ready",
    "pods": "Pods",
    "endpoints": "addresses",
    "objects": "objects",
}


class Reading(NamedTuple):
    """`have` things called `label`; `want` of them when that is what is aimed at."""

    have: float
    want: float | None
    label: str

    def __str__(self) -> str:
        of = "" if self.want is None else f" of {self.want:g}"
        return f"{self.have:g}{of} {self.label}"


class Measure:
    """Reads both sides of a predicate that compares a count."""

    def __init__(self, have: Predicate, want: Predicate | None, label: str) -> None:
        self._have, self._want, self._label = have, want, label

    def read(self, view: View) -> Reading | None:
        have = self._have.value(view)
        want = None if self._want is None else self._want.value(view)
        if not isinstance(have, int | float):
            return None
        return Reading(have, want if isinstance(want, int | float) else None, self._label)


def find_measure(text: str, names: Names) -> Measure | None:
    """None when the predicate is not the comparison of a count."""
    node = read(text)
    while node.form == "group":
        node = node.parts[0]
    if node.form != "binary" or node.text not in _COMPARED:
        return None
    left, right = node.parts
    label = _label(left)
    if label is None:
        return None
    try:
        have = compile_predicate(text[left.start : left.end], names=names, want="any")
        want = compile_predicate(text[right.start : right.end], names=names, want="any")
    except CelError:
        return None
    return Measure(have, want if node.text in _AIMED_AT else None, label)


def _label(node: Node) -> str | None:
    if node.form != "call" or node.text != "size" or not node.parts:
        return None
    counted = node.parts[0]
    while counted.form == "group" or (counted.form == "call" and counted.member):
        counted = counted.parts[0]
    if counted.form != "call":
        return None
    kind = counted.parts[0].string if counted.text == "objects" and counted.parts else None
    return f"{kind}s" if kind else _LABELS.get(counted.text)
