"""Which faults there are and what each is made of. One table for the loader, the menu, the record and the injector.

Pure. Source: lesson format, section 4.7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sandbox.record.exercise import Fault

Group: TypeAlias = Literal["pod", "traffic", "node", "control-plane", "config"]

LONGEST = 120.0  # seconds of any fault: it ends by itself after this
USUAL = 30.0  # seconds of a lasting fault that says nothing else
MOST_DELAY_MS = 30_000
USUAL_DELAY_MS = 800
MOST_REPEATS = 10
SHARED_NODES = "The first cluster's nodes are shared with other students; this needs a cluster of your own."


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind. `mechanism` is what really happens, in one plain sentence; `ends` how it is over.

    `hows` are its variants (the first is the usual one), `parameters` what a lesson may say besides, `refused` why
    nobody can have it here (None: it works).
    """

    name: str
    mechanism: str
    ends: str
    group: Group
    is_lasting: bool = False
    has_target: bool = True
    hows: tuple[str, ...] = ()
    parameters: frozenset[str] = frozenset()
    refused: str | None = None


_KINDS = (
    FaultKind(
        "kill-pod",
        "The Pod is deleted through the API, as by `kubectl delete pod`.",
        "the Pod is gone",
        "pod",
    ),
    FaultKind(
        "kill-container",
        "The container's process gets SIGKILL from its node, or grows until the kernel kills it.",
        "the container has ended; the kubelet starts it again",
        "pod",
        hows=("sigkill", "oom"),
        parameters=frozenset({"container"}),
    ),
    FaultKind("fail-readiness", "The app answers 503 on /readyz.", "switches back", "pod", is_lasting=True),
    FaultKind(
        "slow-app",
        "The app waits before each answer, answers nothing, or burns CPU.",
        "switches back",
        "pod",
        is_lasting=True,
        hows=("delay", "hang", "spin"),
        parameters=frozenset({"ms"}),
    ),
    FaultKind(
        "cut-traffic",
        "A NetworkPolicy refuses the connections.",
        "the policy is removed",
        "traffic",
        is_lasting=True,
        has_target=False,
        parameters=frozenset({"from", "to", "port", "symptom"}),
        refused="Nothing in this cluster enforces NetworkPolicies yet, so nothing would be cut.",
    ),
    FaultKind(
        "break-dns",
        "The cluster's CoreDNS answers that the name does not exist.",
        "restored",
        "traffic",
        is_lasting=True,
        has_target=False,
        parameters=frozenset({"name"}),
    ),
    FaultKind("cordon-node", "`kubectl cordon`", "uncordoned", "node", is_lasting=True, refused=SHARED_NODES),
    FaultKind("drain-node", "`kubectl drain`", "uncordoned", "node", is_lasting=True, refused=SHARED_NODES),
    FaultKind(
        "stop-node", "The kubelet is stopped.", "started again", "node", is_lasting=True, refused=SHARED_NODES
    ),
    FaultKind(
        "kill-component",
        "A process of the control plane is killed.",
        "started again",
        "control-plane",
        is_lasting=True,
        has_target=False,
        parameters=frozenset({"name"}),
        refused="The control plane is shared with other students; this needs a cluster of your own.",
    ),
    FaultKind(
        "corrupt-config",
        "One value of an object is changed through the API, as by `kubectl patch`.",
        "the old value is put back",
        "config",
        is_lasting=True,
        has_target=False,
        parameters=frozenset({"object", "path", "value"}),
    ),
    FaultKind(
        "move-tag",
        "An image's tag is moved to another digest.",
        "moved back",
        "config",
        is_lasting=True,
        has_target=False,
        parameters=frozenset({"repository", "tag", "digest"}),
        refused="There is no registry of your own here.",
    ),
)
KINDS: dict[str, FaultKind] = {each.name: each for each in _KINDS}

OBJECT_KINDS = ("ConfigMap", "Deployment", "StatefulSet", "DaemonSet", "Service")
_OBJECT = re.compile(rf"({'|'.join(OBJECT_KINDS)})/([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?)")
_PATH = re.compile(r"[A-Za-z0-9_-]+(\[[0-9]{1,3}\])*(\.[A-Za-z0-9_-]+(\[[0-9]{1,3}\])*){0,15}")
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_NOT_CHANGED = ("metadata", "status", "kind", "apiVersion")  # no part of what an object asks for


def complaints(fault: Fault) -> Iterator[tuple[str, str]]:
    """(key of the exercise file, what to write instead) for all that is unsound, but for selectors."""
    kind = KINDS.get(fault.kind)
    if kind is None:
        yield "kind", f"there is no kind {fault.kind!r}; there is {', '.join(sorted(KINDS))}"
        return
    if kind.refused is not None:
        yield "kind", f"{fault.kind}: {kind.refused}"
    yield from _about_time(fault, kind)
    yield from _about_parameters(fault, kind)
    if kind.has_target and not fault.target:
        yield "target", "say at what it aims, for example pod:app=storefront"
    if fault.kind == "corrupt-config":
        yield from _about_value(fault)


def _about_time(fault: Fault, kind: FaultKind) -> Iterator[tuple[str, str]]:
    if not kind.is_lasting and fault.lasting is not None:
        yield "for", f"{kind.name} happens at once; leave `for` out"
    if fault.lasting is not None and not 0 < fault.lasting <= LONGEST:
        yield "for", f"a fault lasts more than 0 and at most {LONGEST:g} s, not {fault.lasting:g}"
    if fault.grace is not None and kind.name != "kill-pod":
        yield "grace", "only kill-pod has a grace period; leave it out"
    if fault.grace is not None and not 0 <= fault.grace <= LONGEST:
        yield "grace", f"`grace` is 0 to {LONGEST:g} s, not {fault.grace:g}"
    if fault.by == "timeline" and fault.at is None:
        yield "by", "by: timeline needs at:, for example at: +20s"
    if fault.at is not None and fault.by in ("student", "submit"):
        yield "at", f"at: is for by: timeline, prediction:ID or check:ID, not for by: {fault.by}"
    yield from _about_repeat(fault, kind)


def _about_repeat(fault: Fault, kind: FaultKind) -> Iterator[tuple[str, str]]:
    repeat = fault.parameters.get("repeat")
    if repeat is None:
        return
    if read_repeat(fault) is None:
        yield (
            "repeat",
            f"write {{times: 3, every: 10s}}, with 2 to {MOST_REPEATS} times and 1s to 60s between",
        )
    elif kind.is_lasting:
        yield "repeat", f"repeat is for what happens at once (kill-pod, kill-container); {kind.name} has for:"


def _about_parameters(fault: Fault, kind: FaultKind) -> Iterator[tuple[str, str]]:
    known = kind.parameters | {"repeat"} | ({"how"} if kind.hows else set())
    for name in fault.parameters:
        if name not in known:
            yield name, f"{kind.name} has no {name}; it has {', '.join(sorted(known))}"
    how = fault.parameters.get("how")
    if kind.hows and how is not None and how not in kind.hows:
        yield "how", f"how: {how!r} is not one of {', '.join(kind.hows)}"
    ms = fault.parameters.get("ms")
    if ms is not None and (how_of(fault) != "delay" or not _is_whole(ms, 1, MOST_DELAY_MS)):
        yield "ms", f"ms is a whole number of milliseconds, 1 to {MOST_DELAY_MS}, of how: delay"
    denied = fault.parameters.get("name")
    if denied is not None and kind.name == "break-dns" and not _is_name(denied):
        yield "name", "name is one Service of the sandbox, for example storefront, or all"


def _about_value(fault: Fault) -> Iterator[tuple[str, str]]:
    said = fault.parameters
    if not isinstance(said.get("object"), str) or not _OBJECT.fullmatch(said["object"]):
        yield "object", f"write Kind/name, for example ConfigMap/prices; kinds: {', '.join(OBJECT_KINDS)}"
    path = said.get("path")
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        yield "path", "write a path in the object, for example data.PRICE or spec.replicas"
    elif re.split(r"[.\[]", path)[0] in _NOT_CHANGED:
        yield "path", f"{path} cannot be corrupted; choose a path below spec or data"
    if "value" not in said:
        yield "value", "say what the value becomes; of a list one is chosen by the attempt's seed"


def read_repeat(fault: Fault) -> tuple[int, float] | None:
    """(times, seconds between) of a well-formed `repeat`; (1, 0) without one; None when it is malformed."""
    said = fault.parameters.get("repeat")
    if said is None:
        return 1, 0.0
    if not isinstance(said, dict) or set(said) != {"times", "every"}:
        return None
    times, every = said["times"], _seconds(said["every"])
    if not _is_whole(times, 2, MOST_REPEATS) or every is None or not 1 <= every <= 60:
        return None
    return times, every


def how_of(fault: Fault) -> str:
    """The variant that runs: the one named, else the kind's first; "" for a kind without variants."""
    kind = KINDS.get(fault.kind)
    hows = kind.hows if kind else ()
    return str(fault.parameters.get("how") or (hows[0] if hows else ""))


def lasts(fault: Fault) -> float | None:
    """Seconds until it is taken back; None for what happens at once."""
    kind = KINDS.get(fault.kind)
    if kind is None or not kind.is_lasting:
        return None
    return min(USUAL if fault.lasting is None else fault.lasting, LONGEST)


def _seconds(value: Any) -> float | None:
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)s", str(value))
    return float(found[1]) if found else None


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(_NAME.fullmatch(value))
