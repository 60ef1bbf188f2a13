"""At what a fault aims: `pod:<label selector>` or `pod/<name>`. Pure and seeded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.errors import SandboxError

Pod = Mapping[str, Any]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_KEY = r"[A-Za-z0-9]([-A-Za-z0-9_./]{0,315}[A-Za-z0-9])?"
_VALUE = r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?"
_EQUALS = re.compile(rf"(?P<key>{_KEY})\s*(?P<not>!)?={{1,2}}\s*(?P<value>{_VALUE})")
_IN = re.compile(rf"(?P<key>{_KEY})\s+(?P<not>notin|in)\s*\((?P<values>[^()]*)\)")
_EXISTS = re.compile(rf"(?P<not>!)?\s*(?P<key>{_KEY})")


class TargetInvalid(SandboxError):
    """The text names no target; the message shows how one is written."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One part of a label selector: the label's value is (not) one of `values`; None = it exists (or not)."""

    key: str
    values: frozenset[str] | None
    wanted: bool

    def holds(self, labels: Mapping[str, str]) -> bool:
        if self.values is None:
            return (self.key in labels) is self.wanted
        return (labels.get(self.key) in self.values) is self.wanted


@dataclass(frozen=True, slots=True)
class Target:
    """Either one Pod by name, or all that fit the requirements."""

    name: str | None
    requirements: tuple[Requirement, ...] = ()

    def fits(self, pod: Pod) -> bool:
        metadata = pod["metadata"]
        if self.name is not None:
            return bool(metadata["name"] == self.name)
        labels = metadata.get("labels") or {}
        return all(one.holds(labels) for one in self.requirements)


def parse_target(text: str) -> Target:
    """`pod:app=shop,tier in (a, b),!old` or `pod/shop-1`. Raises TargetInvalid."""
    if text.startswith("pod/"):
        name = text.removeprefix("pod/").strip()
        if _NAME.fullmatch(name):
            return Target(name)
    elif text.startswith("pod:"):
        parts = _split(text.removeprefix("pod:"))
        if parts:
            return Target(None, tuple(_requirement(part, text) for part in parts))
    raise TargetInvalid(f"{text!r} is no target: write `pod:app=storefront` or `pod/NAME`.")


def pick_target(
    text: str, pods: Iterable[Pod], *, pick: str | int = "one", seed: str = ""
) -> list[dict[str, Any]]:
    """The Pods hit, of those given. `pick`: one, all, or how many.

    The same seed and the same Pods give the same choice: candidates are ordered by creation (then name), and
    the seed says where to begin. Raises TargetInvalid.
    """
    target = parse_target(text)
    found = sorted((dict(pod) for pod in pods if target.fits(pod)), key=_age)
    if pick == "all" or not found:
        return found
    wanted = 1 if pick == "one" else int(pick)
    first = int.from_bytes(hashlib.sha256(f"{seed}\0{text}".encode()).digest()[:8], "big") % len(found)
    return (found[first:] + found[:first])[:wanted]


def _age(pod: Pod) -> tuple[str, str]:
    return pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"]


def _split(text: str) -> list[str]:
    """At commas outside brackets."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", text) if part.strip()]


def _requirement(part: str, text: str) -> Requirement:
    if match := _IN.fullmatch(part):
        values = frozenset(value.strip() for value in match["values"].split(","))
        return Requirement(match["key"], values, match["not"] == "in")
    if match := _EQUALS.fullmatch(part):
        return Requirement(match["key"], frozenset({match["value"]}), match["not"] is None)
    if match := _EXISTS.fullmatch(part):
        return Requirement(match["key"], None, match["not"] is None)
    raise TargetInvalid(f"`{part}` in {text!r} is no label selector: write it like `app=storefront`.")
