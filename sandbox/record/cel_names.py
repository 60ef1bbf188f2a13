"""What an expression may speak of, in which place, and what to say when it may not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from sandbox.record.cel_syntax import Node
from sandbox.record.selectors import SelectorInvalid, read_selector

MACROS = frozenset({"all", "exists", "exists_one", "existsOne", "filter", "map", "optMap", "optFlatMap"})
KINDS = frozenset(
    {
        "ConfigMap",
        "DaemonSet",
        "Deployment",
        "EndpointSlice",
        "HorizontalPodAutoscaler",
        "Job",
        "Lease",
        "NetworkPolicy",
        "Node",
        "PersistentVolumeClaim",
        "Pod",
        "ReplicaSet",
        "Service",
        "StatefulSet",
        # platform observations that share the log
        "ComponentView",
        "ContainerView",
        "ImageView",
        "MachineRace",
        "MachineView",
        "QueueView",
        "ReleaseView",
        "SchedulerView",
        "TraceView",
    }
)
_MAPS = ("params", "probe", "prediction", "answer", "check")
_DASHED = re.compile(r"\b(params|probe|prediction|answer|check)\.([a-z][a-z0-9]*(?:-[a-z0-9]+)+)")


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What exists where an expression stands (lesson format 4.3, column "Where").

    A set that is None is not checked: any id is taken. `each` is the kind of change an expression is
    about; `clock` allows `at`, `age()` and `sandbox.elapsed`; `states` allows `check["id"]` (hints).
    """

    params: frozenset[str] | None = None
    probes: frozenset[str] | None = None
    predictions: frozenset[str] | None = None
    answers: frozenset[str] | None = None
    checks: frozenset[str] | None = None
    each: str | None = None
    clock: bool = False
    states: bool = False
    committed: bool = False  # prediction.<id> and answer.<id>
    pods: int = 4  # the lesson's Pod budget, for the cost bound

    def ids(self, map_: str) -> frozenset[str] | None:
        return {
            "params": self.params,
            "probe": self.probes,
            "prediction": self.predictions,
            "answer": self.answers,
            "check": self.checks,
        }[map_]


class Found(NamedTuple):
    """A problem, and where: `offset` counts characters from 0."""

    message: str
    offset: int


def suggest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def dashed(text: str) -> Found | None:
    """An id with a dash written as a field: it would be read as a subtraction."""
    found = _DASHED.search(text)
    if found is None:
        return None
    return Found(f'an id with a dash needs brackets: write {found[1]}["{found[2]}"]', found.start())


def problems(tree: Node, names: Names) -> Iterator[Found]:
    """Names that do not exist here, in reading order."""
    for node in tree.walk():
        if node.form == "name":
            yield from _name_problems(node, names)
        elif node.form == "call":
            yield from _call_problems(node, names)
        elif node.form in ("select", "index"):
            yield from _entry_problems(node, names)


def bound(tree: Node) -> frozenset[str]:
    """Variables that macros bring along."""
    return frozenset(
        node.parts[1].text for node in tree.walk() if is_macro(node) and node.parts[1].form == "name"
    )


def is_macro(node: Node) -> bool:
    return node.form == "call" and node.member and node.text in MACROS and len(node.parts) in (3, 4)


def entry_of(node: Node) -> tuple[str, str] | None:
    """("probe", "front") for `probe.front`, `probe["front"]` and their optional forms."""
    if node.form not in ("select", "index") or node.parts[0].form != "name":
        return None
    map_ = node.parts[0].text
    if map_ not in _MAPS:
        return None
    key = node.text if node.form == "select" else node.parts[1].string
    return None if key is None else (map_, key)


def _name_problems(node: Node, names: Names) -> Iterator[Found]:
    name = node.text
    if name in ("object", "old", "op") and names.each is None:
        yield Found(f'"{name}" needs each:; for the present state use objects("Pod")', node.start)
    elif name == "at" and not names.clock:
        yield Found('"at" changes without any entry: it is for "now" and hints only', node.start)
    elif name == "check" and not names.states:
        yield Found('"check" is for hints only; to wait for another check write needs:', node.start)
    elif name in ("prediction", "answer") and not names.committed:
        yield Found(f'"{name}" is for predictions, questions and hints only', node.start)


def _entry_problems(node: Node, names: Names) -> Iterator[Found]:
    if node.form == "select" and node.text == "elapsed" and not names.clock and _is(node.parts[0], "sandbox"):
        message = '"sandbox.elapsed" changes without any entry: it is for "now" and hints only'
        yield Found(message, node.start)
    entry = entry_of(node)
    if entry is None:
        return
    known = names.ids(entry[0])
    if known is not None and entry[1] not in known:
        yield Found(f'{entry[0]} has no "{entry[1]}"{suggest(entry[1], known)}', node.start)


def _call_problems(node: Node, names: Names) -> Iterator[Found]:
    first = node.parts[0].string if node.parts else None
    if node.text == "age" and not names.clock and not node.member:
        yield Found('"age()" changes without any entry: it is for "now" and hints only', node.start)
    elif node.text in ("objects", "one") and not node.member and node.parts:
        yield from _kind_problems(node, first)
    elif node.text in ("pods", "readyPods") and not node.member and first is not None:
        try:
            read_selector(first)
        except SelectorInvalid as problem:
            yield Found(str(problem), node.parts[0].start)
    elif node.text == "matches" and node.parts and node.parts[-1].form != "literal":
        yield Found("matches() needs its pattern as plain text", node.parts[-1].start)


def _kind_problems(node: Node, kind: str | None) -> Iterator[Found]:
    if kind is None:
        yield Found(f"{node.text}() needs the kind as plain text", node.parts[0].start)
    elif kind not in KINDS:
        yield Found(f'there is no kind "{kind}" here{suggest(kind, KINDS)}', node.parts[0].start)


def _is(node: Node, name: str) -> bool:
    return node.form == "name" and node.text == name
